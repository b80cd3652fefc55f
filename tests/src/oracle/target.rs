//! Conditions `application`, `userActions` and `authenticationContext`: rows 9, 10, 11, 17, 18 and 19.

use std::collections::BTreeMap;

use serde_json::Value;

use super::reading::{
    entries, has_only, holds, is_configured, is_guid, list_fact, match_ids, match_values, same,
    type_name, without,
};
use super::truth::Truth::{self, False, True, Unknown};
use super::users::attribute_filter;

const APPLICATIONS: [&str; 5] = [
    "includeApplications",
    "excludeApplications",
    "applicationFilter",
    "includeUserActions",
    "includeAuthenticationContextClassReferences",
];
const KEYWORDS: [&str; 5] = [
    "All",
    "None",
    "Office365",
    "MicrosoftAdminPortals",
    "AllAgentIdResources",
];
const GROUPS: [&str; 3] = ["Office365", "MicrosoftAdminPortals", "AllAgentIdResources"];
const USER_ACTIONS: [&str; 2] = ["urn:user:registersecurityinfo", "urn:user:registerdevice"];

/// What is known of the members of one group of applications.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Application ids.
    pub ids: Vec<String>,
    /// Whether no other application is a member.
    pub complete: bool,
}

/// What an administrator knows of the groups of applications that Microsoft maintains (row 17).
pub type Groups = BTreeMap<String, Group>;

/// Row 19: the context of the sign-in chooses the kind of target and names the condition.
pub(super) fn target(
    conditions: &Value,
    groups: &Groups,
    sign_in: &Value,
) -> (&'static str, Truth) {
    let policy = &conditions["applications"];
    let context = &sign_in["signInContext"];
    let kind = type_name(context).unwrap_or_default();
    let (name, value) = if same(kind, "applicationContext") {
        ("application", applications(policy, groups, context))
    } else if same(kind, "userActionContext") {
        ("userActions", user_actions(policy, context))
    } else if same(kind, "authContext") {
        (
            "authenticationContext",
            authentication_context(policy, context),
        )
    } else {
        ("application", nothing_known(policy))
    };
    if has_only(policy, &APPLICATIONS) {
        (name, value)
    } else {
        (name, Unknown)
    } // row 9
}

/// Row 19: OR over the applications given; no list is one unknown application.
fn applications(policy: &Value, groups: &Groups, context: &Value) -> Truth {
    match list_fact(&context["includeApplications"]) {
        Some(given) if !given.is_empty() => {
            Truth::any(given.iter().map(|id| application(policy, groups, Some(id))))
        }
        _ => application(policy, groups, None),
    }
}

/// Row 19: included and not excluded.
fn application(policy: &Value, groups: &Groups, id: Option<&str>) -> Truth {
    let side = |side: &str| {
        let listed = entries(&policy[format!("{side}Applications")]);
        let known = id.map(|id| vec![id.to_owned()]);
        let in_groups = GROUPS
            .iter()
            .filter(|group| holds(&listed, group))
            .map(|group| in_group(groups, group, id));
        Truth::of(holds(&listed, "All"))
            .or(Truth::any(in_groups))
            .or(match_ids(&without(&listed, &KEYWORDS), known.as_deref()))
            .or(attribute_filter(&policy["applicationFilter"], side))
    };
    side("include").and(side("exclude").negated())
}

/// Row 17: the world is open unless the table says that the list is complete.
fn in_group(groups: &Groups, name: &str, id: Option<&str>) -> Truth {
    let Some(id) = id else { return Unknown };
    let group = groups
        .iter()
        .find(|(key, _)| same(key, name))
        .map(|(_, group)| group);
    if group.is_some_and(|group| holds(&group.ids, id)) {
        True
    } else if !is_guid(id) || group.is_some_and(|group| group.complete) {
        False
    } else {
        Unknown
    }
}

/// Row 19: user actions, by Graph's name or as the URN of policies.
fn user_actions(policy: &Value, context: &Value) -> Truth {
    let given = context["userAction"].as_str().unwrap_or_default();
    let fact = if same(given, "registerSecurityInformation") {
        Some(USER_ACTIONS[0])
    } else if same(given, "registerOrJoinDevices") {
        Some(USER_ACTIONS[1])
    } else {
        USER_ACTIONS.into_iter().find(|urn| same(urn, given))
    };
    match_values(&entries(&policy["includeUserActions"]), &USER_ACTIONS, fact)
}

/// Row 19: authentication contexts; c1 to c99 are the enumeration (row 11).
fn authentication_context(policy: &Value, context: &Value) -> Truth {
    let contexts: Vec<String> = (1..=99).map(|number| format!("c{number}")).collect();
    let contexts: Vec<&str> = contexts.iter().map(String::as_str).collect();
    let given = context["authenticationContextValue"]
        .as_str()
        .unwrap_or_default();
    let fact = contexts
        .iter()
        .copied()
        .find(|context| same(context, given));
    match_values(
        &entries(&policy["includeAuthenticationContextClassReferences"]),
        &contexts,
        fact,
    )
}

/// Row 19, context absent or of another type: unknown if the policy has any target besides `None`.
fn nothing_known(policy: &Value) -> Truth {
    let is_target = !without(&entries(&policy["includeApplications"]), &["None"]).is_empty()
        || is_configured(&policy["includeUserActions"])
        || is_configured(&policy["includeAuthenticationContextClassReferences"])
        || attribute_filter(&policy["applicationFilter"], "include") != False;
    if is_target { Unknown } else { False }
}
