//! Rows 5 and 24 to 27: what is asked for, and what comes of it.

use super::*;

/// Grant controls as JSON.
fn grant(operator: &str, controls: &[&str], more: &str) -> String {
    let controls = Value::from_iter(controls.iter().copied());
    alloc::format!(
        r#""grantControls": {{"operator": "{operator}", "builtInControls": {controls}{more}}}"#
    )
}

#[test]
fn rows_24_and_26_results_and_what_is_missing() {
    let strength = r#", "authenticationStrength": {"id": "ABC"}"#;
    let terms = r#", "termsOfUse": ["T1"], "customAuthenticationFactors": ["F1"]"#;
    for (members, satisfied, result, unmet, own) in [
        (control("mfa"), "", "challenge", "mfa", "failure"),
        (control("mfa"), "MFA", "grant", "", "success"),
        (control("MFA"), "mfa", "grant", "", "success"),
        (control("block"), "block", "block", "block", "failure"),
        (
            grant("OR", &["block", "mfa"], ""),
            "mfa",
            "block",
            "block",
            "failure",
        ),
        (
            grant("OR", &["mfa", "compliantDevice"], ""),
            "",
            "challenge",
            "compliantDevice,mfa",
            "failure",
        ),
        (
            grant("OR", &["mfa", "compliantDevice"], ""),
            "mfa",
            "grant",
            "",
            "success",
        ),
        (
            grant("or", &["mfa", "compliantDevice"], ""),
            "mfa",
            "grant",
            "",
            "success",
        ),
        (
            grant("AND", &["mfa", "compliantDevice"], ""),
            "mfa",
            "challenge",
            "compliantDevice",
            "failure",
        ),
        (
            grant("", &["mfa", "compliantDevice"], ""),
            "mfa",
            "challenge",
            "compliantDevice",
            "failure",
        ),
        // No control implies another.
        (
            grant("AND", &["mfa"], strength),
            "mfa",
            "challenge",
            "authenticationStrength:abc",
            "failure",
        ),
        (
            grant("AND", &["mfa"], strength),
            "mfa,authenticationStrength:ABC",
            "grant",
            "",
            "success",
        ),
        (
            grant("AND", &[], terms),
            "",
            "challenge",
            "customAuthenticationFactor:f1,termsOfUse:t1",
            "failure",
        ),
        // What is not understood is never satisfied, even if it is listed.
        (
            control("compliantNetwork"),
            "compliantNetwork",
            "challenge",
            "compliantNetwork",
            "failure",
        ),
        (
            grant("OR", &["compliantNetwork", "mfa"], ""),
            "mfa",
            "grant",
            "",
            "success",
        ),
        (
            grant(
                "AND",
                &[],
                r#", "authenticationStrength": {"displayName": "x"}"#,
            ),
            "authenticationStrength:",
            "challenge",
            "authenticationStrength:",
            "failure",
        ),
    ] {
        let satisfied: Vec<&str> = satisfied
            .split(',')
            .filter(|name| !name.is_empty())
            .collect();
        let line = sign_in(&alloc::format!(
            r#""satisfied": {}"#,
            Value::from_iter(satisfied.clone())
        ));
        let answer = answer(&[policy("p", "", &members)], &line);
        let found: Vec<&str> = answer["unmet"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(
            (
                answer["result"].as_str().unwrap(),
                found.join(",").as_str(),
                &answer["policies"][0]["result"]
            ),
            (result, unmet, &json!(own)),
            "{members} with {satisfied:?}"
        );
    }
}

#[test]
fn row_26_report_only_tells_and_never_counts() {
    let other = r#""users": {"includeUsers": ["None"]}"#;
    for (conditions, members, result) in [
        ("", control("mfa"), "reportOnlyInterrupted"),
        ("", control("block"), "reportOnlyFailure"),
        ("", control("compliantDevice"), "reportOnlyFailure"),
        (
            "",
            grant("OR", &["compliantDevice", "mfa"], ""),
            "reportOnlyInterrupted",
        ),
        (
            "",
            grant("AND", &["compliantDevice", "mfa"], ""),
            "reportOnlyFailure",
        ),
        ("", grant("OR", &["block", "mfa"], ""), "reportOnlyFailure"),
        (
            "",
            grant("AND", &["passwordChange", "mfa"], ""),
            "reportOnlyInterrupted",
        ),
        (
            "",
            grant(
                "AND",
                &[],
                r#", "termsOfUse": ["t"], "customAuthenticationFactors": ["f"]"#,
            ),
            "reportOnlyInterrupted",
        ),
        (
            "",
            grant("AND", &[], r#", "authenticationStrength": {"id": "s"}"#),
            "reportOnlyInterrupted",
        ),
        (
            "",
            grant(
                "AND",
                &[],
                r#", "authenticationStrength": {"displayName": "s"}"#,
            ),
            "reportOnlyFailure",
        ),
        (
            "",
            r#""sessionControls": {"disableResilienceDefaults": true}"#.into(),
            "reportOnlySuccess",
        ),
        (other, control("mfa"), "reportOnlyNotApplied"),
        (
            r#""userRiskLevels": ["high"]"#,
            control("mfa"),
            "undetermined",
        ),
    ] {
        let mut policy = policy("p", conditions, &members);
        policy["state"] = "enabledForReportingButNotEnforced".into();
        let answer = answer(&[policy], &sign_in(""));
        assert_eq!(answer["policies"][0]["result"], result, "{members}");
        assert_eq!(
            (&answer["result"], &answer["unmet"]),
            (&json!("grant"), &json!([])),
            "P5"
        );
    }
}

#[test]
fn row_26_only_what_is_certain_counts_and_a_block_beats_everything() {
    let policies = [
        policy("mfa", "", &control("mfa")),
        policy("device", "", &control("compliantDevice")),
        policy("risky", r#""userRiskLevels": ["high"]"#, &control("block")),
    ];
    let found = answer(&policies, &sign_in(""));
    assert_eq!(
        (&found["result"], &found["unmet"]),
        (&json!("challenge"), &json!(["compliantDevice", "mfa"]))
    );
    assert_eq!(found["policies"][2]["result"], "undetermined");
    let found = answer(
        &policies,
        &sign_in(r#""signInConditions": {"userRiskLevel": "high"}"#),
    );
    assert_eq!(
        (&found["result"], &found["unmet"]),
        (&json!("block"), &json!(["block"]))
    );
    // P3: the order of the policies does not matter.
    let reversed: Vec<Value> = policies.iter().rev().cloned().collect();
    let other = answer(&reversed, &sign_in(""));
    assert_eq!(
        (&other["result"], &other["unmet"]),
        (&json!("challenge"), &json!(["compliantDevice", "mfa"]))
    );
}

#[test]
fn rows_25_and_27_session_controls_are_merged() {
    let session = |controls: &str| alloc::format!(r#""sessionControls": {{{controls}}}"#);
    let hours = |value: u32, unit: &str| {
        alloc::format!(
            r#""signInFrequency": {{"isEnabled": true, "value": {value}, "type": "{unit}"}}"#
        )
    };
    let mode = |mode: &str| alloc::format!(r#""continuousAccessEvaluation": {{"mode": "{mode}"}}"#);
    for (first, second, merged) in [
        (hours(2, "days"), hours(9, "Hours"), json!({"signInFrequency": {"primaryAndSecondaryAuthentication": 9}})),
        (
            hours(1, "hours"),
            r#""signInFrequency": {"frequencyInterval": "everyTime"}"#.into(),
            json!({"signInFrequency": {"primaryAndSecondaryAuthentication": "everyTime"}}),
        ),
        (
            hours(1, "days"),
            r#""signInFrequency": {"value": 4, "type": "hours", "authenticationType": "secondaryAuthentication"}"#.into(),
            json!({"signInFrequency": {"primaryAndSecondaryAuthentication": 24, "secondaryAuthentication": 4}}),
        ),
        (mode("strictLocation"), mode("strictEnforcement"), json!({"continuousAccessEvaluation": "strictLocation"})),
        (mode("disabled"), mode("strictLocation"), json!({"continuousAccessEvaluation": "conflict"})),
        (mode("disabled"), mode("DISABLED"), json!({"continuousAccessEvaluation": "disabled"})),
        (
            r#""persistentBrowser": {"isEnabled": true, "mode": "always"}"#.into(),
            r#""persistentBrowser": {"isEnabled": true, "mode": "Never"}"#.into(),
            json!({"persistentBrowser": "never"}),
        ),
        (
            r#""persistentBrowser": {"isEnabled": true, "mode": "always"}"#.into(),
            r#""persistentBrowser": {"isEnabled": false, "mode": "never"}, "disableResilienceDefaults": true"#.into(),
            json!({"disableResilienceDefaults": true, "persistentBrowser": "always"}),
        ),
        (
            r#""cloudAppSecurity": {"isEnabled": true, "cloudAppSecurityType": "monitorOnly"}"#.into(),
            r#""cloudAppSecurity": {"isEnabled": true, "cloudAppSecurityType": "blockdownloads"}"#.into(),
            json!({"cloudAppSecurity": ["blockDownloads", "monitorOnly"]}),
        ),
        (
            r#""secureSignInSession": {"isEnabled": true}"#.into(),
            r#""applicationEnforcedRestrictions": {"isEnabled": true}"#.into(),
            json!({"applicationEnforcedRestrictions": true, "secureSignInSession": true}),
        ),
    ] {
        let policies = [
            policy("a", "", &session(&first)),
            policy("b", "", &session(&second)),
            policy("other", r#""users": {"includeUsers": ["None"]}"#, &session(&hours(1, "hours"))),
        ];
        for policies in [[0, 1, 2], [1, 0, 2]].map(|order| order.map(|at: usize| policies[at].clone())) {
            let found = answer(&policies, &sign_in(""));
            assert_eq!(found["sessionControls"], merged, "{first} and {second}");
            assert_eq!(found["policies"][0]["result"], "success");
        }
        let refused = [policies[0].clone(), policy("mfa", "", &control("mfa"))];
        assert_eq!(answer(&refused, &sign_in(""))["sessionControls"], json!({}), "no session without a grant");
    }
}

#[test]
fn application_groups_are_as_given() {
    const APPLICATION: &str = "5d5f3f0e-3c1b-4b39-9d0e-6a3b1c2d4e5f";
    let mut portals = policy("portals", "", &control("block"));
    portals["conditions"]["applications"] =
        json!({"includeApplications": ["MicrosoftAdminPortals"]});
    let policies = portals.to_string();
    let applies = |application_groups: Option<&str>| {
        let export = Export {
            policies: &[("p.json", &policies)],
            application_groups,
            ..Export::default()
        };
        let what_if = WhatIf::new(&export, None).unwrap();
        let mut line = sign_in("");
        line["signInContext"]["includeApplications"] = json!([APPLICATION]);
        let line = line.to_string();
        answers(&what_if.evaluate(line.as_bytes(), 1, true))[0]["policies"][0]["applies"].clone()
    };
    let group = |ids: &[&str], complete: bool| {
        json!({"microsoftAdminPortals": {"ids": ids, "complete": complete}}).to_string()
    };
    assert_eq!(applies(None), "undetermined");
    assert_eq!(applies(Some(&group(&[APPLICATION], true))), "yes");
    assert_eq!(applies(Some(&group(&[], true))), "no");
    assert_eq!(applies(Some(&group(&[], false))), "undetermined");
}
