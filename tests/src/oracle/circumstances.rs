//! The small conditions of a sign-in: platform, client app, the risks and the authentication flow (rows 3, 8, 11, 23).

use serde_json::Value;

use super::reading::{
    entries, enumeration_fact, flags, has_only, holds, is_configured, match_values, same, without,
};
use super::truth::Truth::{self, True, Unknown};

const PLATFORMS: [&str; 6] = [
    "android",
    "iOS",
    "windows",
    "windowsPhone",
    "macOS",
    "linux",
];
const CLIENT_APPS: [&str; 5] = [
    "browser",
    "mobileAppsAndDesktopClients",
    "exchangeActiveSync",
    "easSupported",
    "other",
];
const RISKS: [&str; 4] = ["low", "medium", "high", "none"];
const INSIDER_RISKS: [&str; 3] = ["minor", "moderate", "elevated"];
const TRANSFER_METHODS: [&str; 2] = ["deviceCodeFlow", "authenticationTransfer"];

/// Row 23: `all` holds even if the platform is unknown; excludes alone mean any platform but those.
pub(super) fn device_platform(conditions: &Value, sign_in: &Value) -> Truth {
    let platforms = &conditions["platforms"];
    if !is_configured(platforms) {
        return True;
    }
    if !has_only(platforms, &["includePlatforms", "excludePlatforms"]) {
        return Unknown; // row 9
    }
    let given = &sign_in["signInConditions"]["devicePlatform"];
    // Row 2: the empty string is a platform that Graph does not name.
    let fact = if given == "" {
        Some("")
    } else {
        enumeration_fact(given, &PLATFORMS)
    };
    let matches = |list: &[String]| {
        Truth::of(holds(list, "all")).or(match_values(&without(list, &["all"]), &PLATFORMS, fact))
    };
    let include = entries(&platforms["includePlatforms"]);
    let exclude = entries(&platforms["excludePlatforms"]);
    let included = if include.is_empty() {
        True
    } else {
        matches(&include)
    };
    included.and(matches(&exclude).negated())
}

/// Row 23: absent, empty or `all` is every client app.
pub(super) fn client_apps(conditions: &Value, sign_in: &Value) -> Truth {
    let listed = entries(&conditions["clientAppTypes"]);
    if listed.is_empty() || holds(&listed, "all") {
        return True;
    }
    let fact = enumeration_fact(&sign_in["signInConditions"]["clientAppType"], &CLIENT_APPS);
    match_values(&listed, &CLIENT_APPS, fact)
}

/// Rows 3, 8 and 11: the list is a set of levels; `none` is one like any other, `hidden` is nobody's known level.
fn risk(policy: &Value, fact: &Value) -> Truth {
    let listed = flags(policy);
    if listed.is_empty() {
        return if is_configured(policy) { Unknown } else { True };
    }
    let levels = [&RISKS[..], &["hidden"]].concat();
    match_values(&listed, &levels, enumeration_fact(fact, &RISKS))
}

pub(super) fn sign_in_risk(conditions: &Value, sign_in: &Value) -> Truth {
    risk(
        &conditions["signInRiskLevels"],
        &sign_in["signInConditions"]["signInRiskLevel"],
    )
}

pub(super) fn user_risk(conditions: &Value, sign_in: &Value) -> Truth {
    risk(
        &conditions["userRiskLevels"],
        &sign_in["signInConditions"]["userRiskLevel"],
    )
}

pub(super) fn service_principal_risk(conditions: &Value, sign_in: &Value) -> Truth {
    risk(
        &conditions["servicePrincipalRiskLevels"],
        &sign_in["signInConditions"]["servicePrincipalRiskLevel"],
    )
}

/// Rows 8 and 11. The fact may be `none`, which no policy can list.
pub(super) fn insider_risk(conditions: &Value, sign_in: &Value) -> Truth {
    let policy = &conditions["insiderRiskLevels"];
    if !is_configured(policy) {
        return True;
    }
    let facts = [&INSIDER_RISKS[..], &["none"]].concat();
    let fact = enumeration_fact(&sign_in["signInConditions"]["insiderRiskLevel"], &facts);
    match_values(&flags(policy), &INSIDER_RISKS, fact)
}

/// Rows 8 and 11: `none` adds nothing to the list. The fact may be `none`: no transfer.
pub(super) fn authentication_flow(conditions: &Value, sign_in: &Value) -> Truth {
    let flows = &conditions["authenticationFlows"];
    if !is_configured(flows) {
        return True;
    }
    if !has_only(flows, &["transferMethods"]) {
        return Unknown; // row 9
    }
    let mut listed = flags(&flows["transferMethods"]);
    listed.retain(|method| !same(method, "none"));
    let facts = [&TRANSFER_METHODS[..], &["none"]].concat();
    let given = &sign_in["signInConditions"]["authenticationFlow"]["transferMethod"];
    match_values(&listed, &TRANSFER_METHODS, enumeration_fact(given, &facts))
}

/// Row 9: no time is known, so every configured time is unknown.
pub(super) fn time(conditions: &Value) -> Truth {
    if is_configured(&conditions["times"]) {
        Unknown
    } else {
        True
    }
}
