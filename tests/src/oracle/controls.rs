//! Grant controls: rows 24, 25 and 26.

use serde_json::Value;

use super::reading::{entries, holds, is_annotation, is_configured, same};

const BUILT_IN: [&str; 8] = [
    "block",
    "mfa",
    "compliantDevice",
    "domainJoinedDevice",
    "approvedApplication",
    "compliantApplication",
    "passwordChange",
    "riskRemediation",
];
const INTERACTIVE: [&str; 3] = ["mfa", "passwordChange", "riskRemediation"];
const MEMBERS: [&str; 5] = [
    "operator",
    "builtInControls",
    "customAuthenticationFactors",
    "termsOfUse",
    "authenticationStrength",
];

/// One control that a policy asks for.
struct Control {
    name: String,
    /// Row 24: a control that is not understood is never satisfied, even if listed.
    is_understood: bool,
    /// Row 26: the user could satisfy it by interaction.
    is_interactive: bool,
}

/// What a policy that applies asks of a sign-in.
pub(super) enum Outcome {
    Met,
    Blocked,
    /// The names of the unmet controls, and whether interaction could satisfy the policy.
    Unmet {
        names: Vec<String>,
        by_interaction: bool,
    },
}

/// Row 5: whether there is a grant control at all.
pub(super) fn has_any(policy: &Value) -> bool {
    !controls(policy).is_empty()
}

/// Rows 24 to 26.
pub(super) fn outcome(policy: &Value, sign_in: &Value) -> Outcome {
    let controls = controls(policy);
    if controls
        .iter()
        .any(|control| control.is_understood && control.name == "block")
    {
        return Outcome::Blocked;
    }
    let satisfied = entries(&sign_in["satisfied"]);
    let is_met = |control: &&Control| control.is_understood && holds(&satisfied, &control.name);
    let operator = policy["grantControls"]["operator"]
        .as_str()
        .unwrap_or_default();
    let is_alternative = same(operator, "OR");
    if is_alternative && controls.iter().any(|control| is_met(&control)) {
        return Outcome::Met;
    }
    let unmet: Vec<&Control> = controls.iter().filter(|control| !is_met(control)).collect();
    if unmet.is_empty() {
        return Outcome::Met;
    }
    let by_interaction = if is_alternative {
        unmet.iter().any(|control| control.is_interactive)
    } else {
        unmet.iter().all(|control| control.is_interactive)
    };
    Outcome::Unmet {
        names: unmet.iter().map(|control| control.name.clone()).collect(),
        by_interaction,
    }
}

/// Row 24: every control of a policy under the name it has in an answer.
fn controls(policy: &Value) -> Vec<Control> {
    let grant = &policy["grantControls"];
    let mut controls: Vec<Control> = entries(&grant["builtInControls"])
        .iter()
        .map(|name| built_in(name))
        .collect();
    for id in entries(&grant["customAuthenticationFactors"]) {
        controls.push(by_id("customAuthenticationFactor", &id));
    }
    for id in entries(&grant["termsOfUse"]) {
        controls.push(by_id("termsOfUse", &id));
    }
    let strength = &grant["authenticationStrength"];
    if is_configured(strength) {
        controls.push(by_id(
            "authenticationStrength",
            strength["id"].as_str().unwrap_or_default(),
        ));
    }
    for (member, value) in grant.as_object().into_iter().flatten() {
        if !MEMBERS.contains(&member.as_str()) && !is_annotation(member) && is_configured(value) {
            controls.push(Control {
                name: member.clone(),
                is_understood: false,
                is_interactive: false,
            });
        }
    }
    controls
}

fn built_in(name: &str) -> Control {
    match BUILT_IN.iter().find(|known| same(known, name)) {
        Some(known) => Control {
            name: (*known).to_owned(),
            is_understood: true,
            is_interactive: INTERACTIVE.contains(known),
        },
        None => Control {
            name: name.to_owned(),
            is_understood: false,
            is_interactive: false,
        },
    }
}

/// Row 24: kind and id in lower case; without an id nobody can satisfy it.
fn by_id(kind: &str, id: &str) -> Control {
    let is_understood = !id.is_empty();
    Control {
        name: format!("{kind}:{}", id.to_lowercase()),
        is_understood,
        is_interactive: is_understood,
    }
}
