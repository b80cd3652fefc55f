//! A reference evaluator of Conditional Access: `policy-semantics.md` row by row, for comparison with the engine.
//!
//! It was written from that page alone, and shares no code with the engine. It compiles nothing and indexes nothing: for
//! every sign-in it reads the Graph JSON of every policy from the beginning. Each function names its row.

mod circumstances;
mod controls;
mod devices;
mod guests;
mod locations;
mod reading;
mod rule;
mod session;
mod target;
pub mod truth;
mod users;

use serde_json::{Value, json};

use controls::Outcome;
use reading::{has_only, is_configured, same};
pub use target::{Group, Groups};
use truth::Truth::{self, False, True, Unknown};

const CONDITIONS: [&str; 14] = [
    "agents",
    "applications",
    "authenticationFlows",
    "clientAppTypes",
    "clientApplications",
    "devices",
    "insiderRiskLevels",
    "locations",
    "platforms",
    "servicePrincipalRiskLevels",
    "signInRiskLevels",
    "times",
    "userRiskLevels",
    "users",
];
const POLICY: [&str; 6] = [
    "state",
    "conditions",
    "grantControls",
    "sessionControls",
    "displayName",
    "id",
];

/// What sign-ins are judged by.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Policies, as Graph writes them.
    pub policies: Vec<Value>,
    /// Named locations, as Graph writes them; `None` if none were given at all (row 20).
    pub named_locations: Option<Vec<Value>>,
    /// The groups of applications (row 17).
    pub groups: Groups,
}

/// The state of a policy (row 5).
#[derive(Clone, Copy, Eq, PartialEq)]
enum State {
    Enabled,
    ReportOnly,
    Disabled,
    NotUnderstood,
}

/// Whether a policy applies (row 4), with the reasons and the unknown conditions.
struct Applies {
    value: Truth,
    reasons: Vec<&'static str>,
    unknown: Vec<&'static str>,
}

impl Applies {
    fn no(reason: &'static str) -> Self {
        Self {
            value: False,
            reasons: vec![reason],
            unknown: Vec::new(),
        }
    }
}

/// The answer to one sign-in, as `cae what-if` writes it (`design.md` §9; rows 1, 26 and 27).
#[must_use]
pub fn answer(tenant: &Tenant, sign_in: &Value) -> Value {
    let mut rows = Vec::new();
    let mut enforced = Vec::new();
    let mut unmet: Vec<String> = Vec::new();
    let mut is_blocked = false;
    for (index, policy) in tenant.policies.iter().enumerate() {
        let applies = applies(tenant, policy, sign_in);
        let outcome = controls::outcome(policy, sign_in);
        if state(policy) == State::Enabled && applies.value == True {
            enforced.push(policy);
            match &outcome {
                Outcome::Met => {}
                Outcome::Blocked => is_blocked = true,
                Outcome::Unmet { names, .. } => unmet.extend(names.clone()),
            }
        }
        rows.push(row(index, policy, &applies, &outcome));
    }
    if is_blocked {
        unmet = vec!["block".to_owned()];
    }
    unmet.sort();
    unmet.dedup();
    let result = match (is_blocked, unmet.is_empty()) {
        (true, _) => "block",
        (false, false) => "challenge",
        (false, true) => "grant",
    };
    let session_controls = if result == "grant" {
        session::merged(&enforced)
    } else {
        json!({})
    };
    json!({
        "id": sign_in["id"],
        "result": result,
        "unmet": unmet,
        "policies": rows,
        "sessionControls": session_controls,
    })
}

/// Row 1: one row per policy, named by its id or by its place in the file.
fn row(index: usize, policy: &Value, applies: &Applies, outcome: &Outcome) -> Value {
    let mut row = json!({
        "displayName": policy["displayName"].as_str(),
        "applies": match applies.value { True => "yes", False => "no", Unknown => "undetermined" },
        "analysisReasons": applies.reasons,
        "unknown": applies.unknown,
        "result": result(state(policy), applies.value, outcome),
    });
    match policy["id"].as_str() {
        Some(id) if !id.is_empty() => row["id"] = json!(id),
        _ => row["index"] = json!(index),
    }
    row
}

/// Row 26: Graph's name of what became of one policy.
fn result(state: State, applies: Truth, outcome: &Outcome) -> &'static str {
    let is_report = state == State::ReportOnly;
    match (applies, outcome) {
        (Unknown, _) => "undetermined",
        (False, _) if is_report => "reportOnlyNotApplied",
        (False, _) => "notApplied",
        (True, Outcome::Met) if is_report => "reportOnlySuccess",
        (True, Outcome::Met) => "success",
        (
            True,
            Outcome::Unmet {
                by_interaction: true,
                ..
            },
        ) if is_report => "reportOnlyInterrupted",
        (True, _) if is_report => "reportOnlyFailure",
        (True, _) => "failure",
    }
}

/// Row 5.
fn state(policy: &Value) -> State {
    match policy["state"].as_str().unwrap_or_default() {
        state if same(state, "enabled") => State::Enabled,
        state if same(state, "disabled") => State::Disabled,
        state if same(state, "enabledForReportingButNotEnforced") => State::ReportOnly,
        _ => State::NotUnderstood,
    }
}

/// Rows 4 and 5.
fn applies(tenant: &Tenant, policy: &Value, sign_in: &Value) -> Applies {
    if state(policy) == State::Disabled {
        return Applies::no("policyNotEnabled");
    }
    let is_empty = !controls::has_any(policy) && session::in_effect(policy).next().is_none();
    if is_empty && !is_misspelt(policy) {
        return Applies::no("emptyPolicy");
    }
    let conditions = conditions(tenant, policy, sign_in);
    if let Some((name, _)) = conditions.iter().find(|(_, value)| *value == False) {
        return Applies::no(name);
    }
    let unknown: Vec<_> = conditions
        .iter()
        .filter(|(_, value)| *value == Unknown)
        .map(|(name, _)| *name)
        .collect();
    if unknown.is_empty() {
        return Applies {
            value: True,
            reasons: Vec::new(),
            unknown,
        };
    }
    Applies {
        value: Unknown,
        reasons: vec!["notEnoughInformation"],
        unknown,
    }
}

/// Row 4: every condition under its name, in the order of Graph's enumeration, then the names of ours.
fn conditions(tenant: &Tenant, policy: &Value, sign_in: &Value) -> Vec<(&'static str, Truth)> {
    let conditions = &policy["conditions"];
    let unless = |is_odd: bool| if is_odd { Unknown } else { True };
    vec![
        users::identity(conditions, sign_in),
        target::target(conditions, &tenant.groups, sign_in),
        (
            "devicePlatform",
            circumstances::device_platform(conditions, sign_in),
        ),
        ("devices", devices::devices(conditions, sign_in)),
        (
            "clientApps",
            circumstances::client_apps(conditions, sign_in),
        ),
        (
            "location",
            locations::location(conditions, tenant.named_locations.as_deref(), sign_in),
        ),
        (
            "signInRisk",
            circumstances::sign_in_risk(conditions, sign_in),
        ),
        ("userRisk", circumstances::user_risk(conditions, sign_in)),
        ("time", circumstances::time(conditions)),
        (
            "insiderRisk",
            circumstances::insider_risk(conditions, sign_in),
        ),
        (
            "authenticationFlow",
            circumstances::authentication_flow(conditions, sign_in),
        ),
        (
            "servicePrincipalRisk",
            circumstances::service_principal_risk(conditions, sign_in),
        ),
        (
            "invalidCondition",
            unless(!has_only(conditions, &CONDITIONS)),
        ),
        ("invalidPolicy", unless(is_misspelt(policy))),
        (
            "policyNotEnabled",
            unless(state(policy) == State::NotUnderstood),
        ),
    ]
}

/// Row 9: at the top level only a configured member that is one of ours but for its case.
fn is_misspelt(policy: &Value) -> bool {
    let is_ours_but_for_case =
        |key: &str| POLICY.iter().any(|ours| same(ours, key) && *ours != key);
    policy
        .as_object()
        .into_iter()
        .flatten()
        .any(|(key, member)| is_ours_but_for_case(key) && is_configured(member))
}
