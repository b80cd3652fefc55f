//! What policies leave open together, and where they stand in each other's way.

use super::*;
use crate::policy::check;

const OFFICE: &str = r##"[{"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "00000000-0000-0000-0000-00000000000f",
    "displayName": "Office", "isTrusted": true, "ipRanges": [{"cidrAddress": "203.0.113.0/24"}]}]"##;

fn coverage(policies: &[Value]) -> Value {
    let text = Value::from(policies).to_string();
    let answer = check::check(&Export {
        policies: &[("policies.json", &text)],
        named_locations: Some(OFFICE),
        ..Export::default()
    });
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["ok"], true, "{answer}");
    answer["coverage"].clone()
}

const GROUP: &str = "00000000-0000-0000-0000-00000000000a";
const APPLICATION: &str = "00000000-0000-0000-0000-00000000000b";

#[test]
fn whom_what_and_where_no_policy_touches() {
    let mut disabled = policy("off", "", &control("mfa"));
    disabled["state"] = "disabled".into();
    let some = alloc::format!(
        r#""users": {{"includeUsers": ["All"], "excludeGroups": ["{GROUP}"]}},
           "applications": {{"includeApplications": ["{APPLICATION}"]}},
           "locations": {{"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}}"#
    );
    let guests = r#""users": {"includeUsers": ["GuestsOrExternalUsers"]},
        "locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}"#;
    let found = coverage(&[
        policy("some", &some, &control("mfa")),
        policy("guests", guests, &control("mfa")),
        disabled,
    ]);
    assert_eq!(found["enabled"], 2);
    assert_eq!(
        found["untouched"],
        json!({
            "people": [{"who": alloc::format!("members of group {GROUP}"), "excluded": true}],
            "targets": [],
            "networks": ["network Office"]
        })
    );
    assert_eq!(
        found["gaps"],
        json!([{"people": ["any other member"], "targets": ["any other application"]}])
    );
}

#[test]
fn policies_that_contradict_each_other() {
    let session = |controls: &str| alloc::format!(r#""sessionControls": {{{controls}}}"#);
    let group = alloc::format!(r#""users": {{"includeGroups": ["{GROUP}"]}}"#);
    let mode = |mode: &str| {
        session(&alloc::format!(
            r#""continuousAccessEvaluation": {{"mode": "{mode}"}}"#
        ))
    };
    let browser = |mode: &str| {
        session(&alloc::format!(
            r#""persistentBrowser": {{"isEnabled": true, "mode": "{mode}"}}"#
        ))
    };
    let other = r#""applications": {"includeApplications": ["None"]}"#;
    for (first, second, kind) in [
        (
            policy("a", "", &mode("disabled")),
            policy("b", "", &mode("strictLocation")),
            "continuousAccessEvaluation",
        ),
        (
            policy("a", "", &mode("strictEnforcement")),
            policy("b", "", &mode("strictLocation")),
            "",
        ),
        (
            policy("a", other, &mode("disabled")),
            policy("b", "", &mode("strictLocation")),
            "",
        ),
        (
            policy("a", "", &browser("always")),
            policy("b", &group, &browser("never")),
            "persistentBrowser",
        ),
        (
            policy("a", "", &control("block")),
            policy("b", &group, &control("mfa")),
            "blockOverrules",
        ),
        (
            policy("a", &group, &control("mfa")),
            policy("b", "", &control("block")),
            "blockOverrules",
        ),
        (
            policy("a", &group, &control("block")),
            policy("b", "", &control("mfa")),
            "",
        ),
        (
            policy("a", r#""clientAppTypes": ["other"]"#, &control("block")),
            policy("b", "", &control("mfa")),
            "",
        ),
        (
            policy("a", r#""clientAppTypes": ["other"]"#, &control("block")),
            policy("b", r#""clientAppTypes": ["other"]"#, &control("mfa")),
            "blockOverrules",
        ),
        (
            policy("a", &group, &control("mfa")),
            policy("b", &group, &control("mfa")),
            "duplicate",
        ),
    ] {
        let found = coverage(&[first.clone(), second.clone()]);
        let kinds: Vec<&str> = found["conflicts"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|conflict| conflict["kind"].as_str())
            .collect();
        assert_eq!(kinds.join("+"), kind, "{first} {second}");
    }
}

#[test]
fn policies_that_can_never_apply() {
    let both = alloc::format!(
        r#""users": {{"includeGroups": ["{GROUP}"], "excludeGroups": ["{GROUP}"]}}"#
    );
    for (conditions, never, unsure, why) in [
        ("", "", "", ""),
        (
            both.as_str(),
            "users",
            "",
            "the users that are included are also excluded",
        ),
        (
            r#""users": {"includeUsers": ["None"]}"#,
            "users",
            "",
            "none of the users that are included is left",
        ),
        (
            r#""users": {"includeGroups": []}"#,
            "users",
            "",
            "no users are included",
        ),
        (
            r#""users": {"includeUsers": ["All"], "excludeUsers": ["All"]}"#,
            "users",
            "",
            "the users that are included are also excluded",
        ),
        (
            r#""applications": {"includeApplications": ["None"]}"#,
            "application",
            "",
            "none of the applications",
        ),
        (
            r#""platforms": {"includePlatforms": ["iOS"], "excludePlatforms": ["all"]}"#,
            "devicePlatform",
            "",
            "none of the platforms",
        ),
        (
            r#""locations": {"includeLocations": ["AllTrusted"], "excludeLocations": ["00000000-0000-0000-0000-00000000000F"]}"#,
            "location",
            "",
            "none of the locations",
        ),
        (
            r#""locations": {"includeLocations": ["00000000-0000-0000-0000-0000000000ff"]}"#,
            "",
            "location",
            "these conditions can never be told",
        ),
        (
            r#""agentIdRiskLevels": "high""#,
            "",
            "invalidCondition",
            "these conditions can never be told",
        ),
    ] {
        let found = coverage(&[policy("p", conditions, &control("mfa"))]);
        let named = |list: &str| {
            found[list][0]["conditions"][0]
                .as_str()
                .unwrap_or_default()
                .to_string()
        };
        assert_eq!(
            (
                named("neverApplies").as_str(),
                named("neverDefinite").as_str()
            ),
            (never, unsure),
            "{conditions}"
        );
        let row = if never.is_empty() {
            "neverDefinite"
        } else {
            "neverApplies"
        };
        assert!(
            found[row][0]["why"]
                .as_str()
                .unwrap_or_default()
                .starts_with(why),
            "{found}"
        );
    }
}
