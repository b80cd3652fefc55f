//! Conditions `users` and `workloadIdentities`: rows 9, 10, 12, 13, 14 and 18.

use serde_json::Value;

use super::guests;
use super::reading::{
    entries, has_only, holds, is_annotation, is_configured, list_fact, match_ids, same, type_name,
    without,
};
use super::truth::Truth::{self, False, Unknown};

const USERS: [&str; 8] = [
    "includeUsers",
    "excludeUsers",
    "includeGroups",
    "excludeGroups",
    "includeRoles",
    "excludeRoles",
    "includeGuestsOrExternalUsers",
    "excludeGuestsOrExternalUsers",
];
const CLIENT_APPLICATIONS: [&str; 6] = [
    "includeServicePrincipals",
    "excludeServicePrincipals",
    "servicePrincipalFilter",
    "includeAgentIdServicePrincipals",
    "excludeAgentIdServicePrincipals",
    "agentIdServicePrincipalFilter",
];
const USER_KEYWORDS: [&str; 4] = ["All", "None", "GuestsOrExternalUsers", "AllAgentIdUsers"];
const EVERY_SERVICE_PRINCIPAL: &str = "ServicePrincipalsInMyTenant";

/// Row 13: the kind of the identity names the condition.
pub(super) fn identity(conditions: &Value, sign_in: &Value) -> (&'static str, Truth) {
    match type_name(&sign_in["signInIdentity"]) {
        Some(kind) if same(kind, "userSignIn") => ("users", users(&conditions["users"], sign_in)),
        Some(kind) if same(kind, "servicePrincipalSignIn") => (
            "workloadIdentities",
            workload_identities(&conditions["clientApplications"], sign_in),
        ),
        _ => ("users", nobody_known(conditions)),
    }
}

/// Row 12: included and not excluded.
fn users(users: &Value, sign_in: &Value) -> Truth {
    if !has_only(users, &USERS) || !guests::is_understood(users) {
        return Unknown; // row 9
    }
    side(users, "include", sign_in).and(side(users, "exclude", sign_in).negated())
}

/// Row 12: users, groups, roles and the guest object are a union, on both sides.
fn side(users: &Value, side: &str, sign_in: &Value) -> Truth {
    let listed = entries(&users[format!("{side}Users")]);
    let user = sign_in["signInIdentity"]["userId"]
        .as_str()
        .map(|id| vec![id.to_owned()]);
    Truth::any([
        Truth::of(holds(&listed, "All")),
        guests::keyword(&listed, sign_in),
        match_ids(&without(&listed, &USER_KEYWORDS), user.as_deref()),
        membership(&users[format!("{side}Groups")], &sign_in["memberOf"]),
        membership(&users[format!("{side}Roles")], &sign_in["roles"]),
        guests::object(&users[format!("{side}GuestsOrExternalUsers")], sign_in),
    ])
}

/// Row 10, for groups and roles.
fn membership(list: &Value, fact: &Value) -> Truth {
    match_ids(&entries(list), list_fact(fact).as_deref())
}

/// Row 13, service principals: agents match nobody, membership is ignored.
fn workload_identities(applications: &Value, sign_in: &Value) -> Truth {
    if !has_only(applications, &CLIENT_APPLICATIONS) {
        return Unknown; // row 9
    }
    let principal = sign_in["signInIdentity"]["servicePrincipalId"]
        .as_str()
        .map(|id| vec![id.to_owned()]);
    let filter = &applications["servicePrincipalFilter"];
    let side = |side: &str| {
        let listed = entries(&applications[format!("{side}ServicePrincipals")]);
        Truth::any([
            Truth::of(holds(&listed, EVERY_SERVICE_PRINCIPAL)),
            match_ids(
                &without(&listed, &[EVERY_SERVICE_PRINCIPAL]),
                principal.as_deref(),
            ),
            attribute_filter(filter, side),
        ])
    };
    side("include").and(side("exclude").negated())
}

/// Row 18: a filter over custom security attributes is not parsed. It makes its side unknown, and both sides if it
/// does not say which one is its own.
pub(super) fn attribute_filter(filter: &Value, side: &str) -> Truth {
    if !is_configured(filter) {
        return False;
    }
    let mode = filter["mode"].as_str().unwrap_or_default();
    let other_side = if side == "include" {
        "exclude"
    } else {
        "include"
    };
    if same(mode, other_side) {
        False
    } else {
        Unknown
    }
}

/// Row 13, identity absent or of another type: unknown if the policy has any target besides `None`.
fn nobody_known(conditions: &Value) -> Truth {
    let users = &conditions["users"];
    let applications = &conditions["clientApplications"];
    if !has_only(users, &USERS)
        || !guests::is_understood(users)
        || !has_only(applications, &CLIENT_APPLICATIONS)
    {
        return Unknown; // row 9
    }
    let names_somebody = |list: &Value| !without(&entries(list), &["None"]).is_empty();
    let is_target = names_somebody(&users["includeUsers"])
        || names_somebody(&users["includeGroups"])
        || names_somebody(&users["includeRoles"])
        || is_configured(&users["includeGuestsOrExternalUsers"])
        || names_somebody(&applications["includeServicePrincipals"])
        || names_somebody(&applications["includeAgentIdServicePrincipals"])
        || attribute_filter(&applications["servicePrincipalFilter"], "include") != False
        || attribute_filter(&applications["agentIdServicePrincipalFilter"], "include") != False
        || is_agent_target(&conditions["agents"]);
    if is_target { Unknown } else { False }
}

/// Row 13: agents count as a target. What excludes them is none.
fn is_agent_target(agents: &Value) -> bool {
    match agents {
        Value::Object(members) => members.iter().any(|(key, member)| {
            !is_annotation(key)
                && !key.starts_with("exclude")
                && !without(&entries(member), &["None"]).is_empty()
        }),
        other => is_configured(other),
    }
}

#[cfg(test)]
mod tests {
    use super::{Truth, attribute_filter};
    use serde_json::json;

    #[test]
    fn a_filter_without_a_side_is_unknown_on_both() {
        let filter = json!({"mode": "sideways", "rule": "x"});
        assert_eq!(attribute_filter(&filter, "include"), Truth::Unknown);
        assert_eq!(attribute_filter(&filter, "exclude"), Truth::Unknown);
        assert_eq!(
            attribute_filter(&json!({"mode": "Exclude"}), "include"),
            Truth::False
        );
        assert_eq!(attribute_filter(&json!({}), "exclude"), Truth::False);
    }
}
