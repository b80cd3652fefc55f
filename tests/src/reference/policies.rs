//! `enforcement.md` §4 and §6: the two kinds of policy that ask for what events say, under an issuer that evaluates
//! them itself. No other policy is understood here.

use serde_json::Value;

use super::effects::Says;
use super::facts::Fact;
use super::judgement::{Finding, Weight, handles_challenges, of_names, of_user};
use super::text;
use super::tokens::{Kind, Token};

/// A policy for all users and applications that blocks users at risk.
#[must_use]
pub fn block_at_risk(id: &str, levels: &[&str]) -> Value {
    let mut policy = policy(id, "block");
    policy["conditions"]["userRiskLevels"] = levels.into();
    policy
}

/// A policy for all users and applications that requires a compliant device.
#[must_use]
pub fn require_compliant_device(id: &str) -> Value {
    policy(id, "compliantDevice")
}

fn policy(id: &str, control: &str) -> Value {
    serde_json::json!({
        "id": id, "displayName": id, "state": "enabled",
        "conditions": {
            "users": {"includeUsers": ["All"]},
            "applications": {"includeApplications": ["All"]},
            "clientAppTypes": ["all"],
        },
        "grantControls": {"operator": "OR", "builtInControls": [control]},
    })
}

/// What the policies of the token's issuer find.
pub(super) fn findings(
    configuration: &Value,
    token: &Token<'_>,
    facts: &[Fact],
    now: u64,
) -> Vec<Finding> {
    // A policy for users is none for a service principal.
    if token.app_only {
        return Vec::new();
    }
    configuration["issuers"][token.realm.issuer]["policies"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|policy| {
            let levels = policy["conditions"]["userRiskLevels"].as_array();
            match levels {
                Some(levels) => at_risk(configuration, token, facts, now, levels),
                None => not_compliant(configuration, token, facts, now),
            }
        })
        .collect()
}

/// "risk and `not-compliant` lapse after the transmitter's `standingStateMaxAgeSeconds` (90 days)".
fn has_lapsed(configuration: &Value, url: &str, micros: u64, now: u64) -> bool {
    let transmitters = configuration["transmitters"].as_array();
    let max_age = transmitters
        .into_iter()
        .flatten()
        .find(|transmitter| text(transmitter, "issuer") == Some(url))
        .and_then(|transmitter| transmitter["standingStateMaxAgeSeconds"].as_u64())
        .unwrap_or(90 * 86_400);
    now >= (micros / 1_000_000).saturating_add(max_age)
}

fn at_risk(
    configuration: &Value,
    token: &Token<'_>,
    facts: &[Fact],
    now: u64,
    levels: &[Value],
) -> Option<Finding> {
    let value = |says: &Says| match says {
        Says::Risk(level) => Some(*level),
        _ => None,
    };
    // The strictest unlapsed entry counts; an unknown level leaves the policy undetermined, which is reported only.
    let (order, _, level) = of_user(configuration, token, facts, value)
        .into_iter()
        .filter(|(order, url, _)| !has_lapsed(configuration, url, order.0, now))
        .max_by_key(|(order, _, level)| (*level, *order))?;
    let name = ["low", "medium", "high"].get(usize::from(level))?;
    let valid_from = (order.0 / 1_000_000).saturating_add(1);
    // "unmet control that a new token can show; entra without cp1: deny"
    let weight = match token.earliest < valid_from && handles_challenges(token) {
        true => Weight::Challenge(valid_from),
        false => Weight::Deny,
    };
    levels
        .iter()
        .any(|listed| listed == name)
        .then_some(Finding {
            reason: "policy_block",
            weight,
        })
}

/// "A control contradicted by standing state (a device known to be non-compliant) is not one that a new token can
/// show." Known by nobody: undetermined, which is reported only.
fn not_compliant(
    configuration: &Value,
    token: &Token<'_>,
    facts: &[Fact],
    now: u64,
) -> Option<Finding> {
    let value = |says: &Says| match says {
        Says::Compliant(compliant) => Some(!compliant),
        _ => None,
    };
    of_names(configuration, token, facts, &[Kind::Device], value)
        .into_iter()
        .any(|(order, url, not_compliant)| {
            not_compliant && !has_lapsed(configuration, url, order.0, now)
        })
        .then_some(Finding {
            reason: "policy_control_unmet",
            weight: Weight::Deny,
        })
}
