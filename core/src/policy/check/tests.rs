use super::*;

fn read(text: &str) -> Value {
    json::parse(text.as_bytes(), Limits::DOCUMENT).unwrap()
}

#[test]
fn a_policy_is_told_apart_by_place_of_enforcement() {
    let policies = r#"[{"id": "A", "displayName": "Risky", "state": "enabled",
        "conditions": {"users": {"includeUsers": ["All"], "excludeGroups": ["<Break glass>"]},
            "applications": {"includeApplications": ["All"]}, "clientAppTypes": ["browser"],
            "locations": {"includeLocations": ["All"], "excludeLocations": ["00000000-0000-0000-0000-00000000000a"]},
            "signInRiskLevels": ["high"], "devices": {"deviceFilter": {"mode": "include", "rule": "x"}}},
        "grantControls": {"operator": "OR", "builtInControls": ["mfa", "passwordChange", "levitation"]},
        "sessionControls": {"continuousAccessEvaluation": {"mode": "strictLocation"}, "persistentBrowser": {"mode": "never"}}}]"#;
    let answer = read(&check(&Export {
        policies: &[("a.json", policies), ("b.json", policies)],
        named_locations: Some("[]"),
        ..Export::default()
    }));
    assert_eq!(answer["ok"], Value::Bool(true));
    let row = &answer["policies"][0];
    assert_eq!(
        json::canonical(row),
        json::canonical(&read(
            r#"{"file": "a.json", "index": 0, "id": "A", "displayName": "Risky", "state": "enabled",
            "enforcedAtResource": ["conditions.users", "conditions.applications", "conditions.locations", "grantControls.mfa", "sessionControls.continuousAccessEvaluation"],
            "onlyAtIssuer": ["conditions.clientAppTypes", "conditions.signInRiskLevels", "grantControls.passwordChange", "sessionControls.persistentBrowser"],
            "notUnderstood": ["conditions.devices.deviceFilter.rule: column 1: expected a property such as `device.trustType`, found `x`",
                "grantControls.builtInControls[levitation]"],
            "warnings": ["conditions.users.excludeGroups: `<Break glass>` is a placeholder or a name, not an id; it may mean anybody",
                "conditions.locations.excludeLocations: `00000000-0000-0000-0000-00000000000a` is not among the named locations; it may match any address"]}"#
        ))
    );
    let warnings = &answer["policies"][1]["warnings"];
    assert_eq!(warnings[2], "id: a.json/0 has the same id");
}

#[test]
fn every_unreadable_file_is_named() {
    let answer = read(&check(&Export {
        policies: &[
            ("a.json", "{"),
            ("b.json", "[1, {}]"),
            ("c.json", r#"{"conditions": 1}"#),
        ],
        named_locations: Some("[2]"),
        application_groups: Some(r#"{"Office365": {"ids": ["Exchange"]}}"#),
    }));
    assert_eq!(answer["ok"], Value::Bool(false));
    let faults: Vec<(&str, &str)> = answer["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            (
                fault["file"].as_str().unwrap(),
                fault["at"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        faults,
        [
            ("namedLocations", "/0"),
            ("applicationGroups", "/Office365/ids/0"),
            ("a.json", ""),
            ("b.json", "/0"),
            ("c.json", "/conditions")
        ]
    );
}

#[test]
fn addresses_are_matched() {
    let locations = r#"[{"id": "L", "displayName": "Office", "isTrusted": true, "ipRanges": [{"cidrAddress": "192.0.2.0/24"}]},
        {"id": "M", "displayName": "Typo", "ipRanges": [{"cidrAddress": "192.0.2.0/240"}]}]"#;
    let answer = match_locations(locations, &["::ffff:192.0.2.9", "192.0.2.999"]);
    assert_eq!(
        answer,
        concat!(
            r#"{"ok":false,"addresses":[{"address":"::ffff:192.0.2.9","canonical":"192.0.2.9","locations":["#,
            r#"{"id":"l","displayName":"Office","trusted":true,"match":"yes"},"#,
            r#"{"id":"m","displayName":"Typo","trusted":false,"match":"unknown"}]},"#,
            r#"{"address":"192.0.2.999","canonical":null,"error":"not an IPv4 or IPv6 address: no port, zone id or leading zeros","locations":[]}],"#,
            r#""warnings":["named location `Typo`: range `192.0.2.0/240` cannot be read; the location may match any address"],"faults":[]}"#
        )
    );
}
