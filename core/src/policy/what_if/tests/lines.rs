//! Rows 1 to 3: what a line says, and what cannot be used.

use super::*;

#[test]
fn the_answer_is_in_the_form_of_the_contract() {
    let mut nameless = policy("", "", &control("block"));
    nameless["state"] = "disabled".into();
    nameless.as_object_mut().unwrap().remove("displayName");
    let policies = [policy("p", "", &control("mfa")), nameless];
    let what_if = compile(&policies, None);
    let line = sign_in(r#""id": 7, "appliedPoliciesOnly": true"#).to_string();
    let batch = what_if.evaluate(line.as_bytes(), 1, true);
    assert_eq!(
        batch.lines,
        concat!(
            r#"{"id":7,"result":"challenge","unmet":["mfa"],"policies":["#,
            r#"{"id":"p","displayName":"p","applies":"yes","analysisReasons":[],"unknown":[],"result":"failure"},"#,
            r#"{"index":1,"displayName":null,"applies":"no","analysisReasons":["policyNotEnabled"],"unknown":[],"#,
            r#""result":"notApplied"}],"sessionControls":{}}"#,
            "\n"
        )
    );
    assert_eq!(what_if.evaluate(line.as_bytes(), 1, false).lines, "");
}

#[test]
fn lines_that_cannot_be_used_are_answered_in_their_place() {
    let what_if = compile(&[policy("p", "", &control("mfa"))], None);
    let sound = sign_in("").to_string();
    let text = alloc::format!(
        "\u{FEFF}{sound}\r\n\n  \nno JSON\n{sound}\n{{\"id\": 1, \"memberof\": []}}"
    );
    let batch = what_if.evaluate(text.as_bytes(), 5, true);
    let found = answers(&batch);
    assert_eq!(found.len(), 4, "empty lines are none");
    assert_eq!(
        (&found[0]["result"], &found[2]["result"]),
        (&json!("challenge"), &json!("challenge"))
    );
    assert_eq!(
        (&found[1]["line"], &found[3]["line"]),
        (&json!(8), &json!(10))
    );
    assert_eq!(
        found[3]["error"],
        "/memberof: no such member; did you mean `memberOf`?"
    );
    let summary = &batch.counts.summary;
    assert_eq!((summary.sign_ins, summary.faulty), (2, 2));
    assert_eq!(summary.first_faults[0].line, 8);

    let not_text = [sound.as_bytes(), b"\n\"\xff\""].concat();
    let batch = what_if.evaluate(&not_text, 1, true);
    assert!(
        batch
            .lines
            .ends_with("{\"line\":2,\"error\":\"byte 1 is not UTF-8: save the lines as UTF-8\"}\n")
    );
}

#[test]
fn every_member_is_known_and_has_its_type() {
    let what_if = compile(&[policy("p", "", &control("mfa"))], None);
    for (members, error) in [
        (r#""id": true"#, "/id: must be a string or a number"),
        (
            r#""memberOf": "g""#,
            "/memberOf: must be an array of strings",
        ),
        (r#""roles": [1]"#, "/roles: must be an array of strings"),
        (
            r#""satisfied": {}"#,
            "/satisfied: must be an array of strings",
        ),
        (r#""userType": 1"#, "/userType: must be a string"),
        (
            r#""signInIdentity": []"#,
            "/signInIdentity: must be an object",
        ),
        (
            r#""signInIdentity": {"userID": "a"}"#,
            "/signInIdentity/userID: no such member; did you mean `userId`?",
        ),
        (
            r#""signInContext": {"application": "a"}"#,
            "/signInContext/application: no such member",
        ),
        (
            r#""signInConditions": {"ip": "a"}"#,
            "/signInConditions/ip: no such member",
        ),
        (
            r#""signInConditions": {"country": 1}"#,
            "/signInConditions/country: must be a string",
        ),
        (
            r#""signInConditions": {"deviceInfo": {"isCompliant": "true"}}"#,
            "/signInConditions/deviceInfo/isCompliant: must be true or false",
        ),
        (
            r#""signInConditions": {"deviceInfo": {"deviceOwnership": "Company"}}"#,
            "/signInConditions/deviceInfo/deviceOwnership: no such member",
        ),
        (
            r#""signInConditions": {"authenticationFlow": "deviceCodeFlow"}"#,
            "/signInConditions/authenticationFlow: must be an object",
        ),
    ] {
        let batch = evaluate(&what_if, &[sign_in(members)]);
        let found = answers(&batch)[0]["error"]
            .as_str()
            .unwrap_or_default()
            .to_string();
        assert!(found.starts_with(error), "{members}: {found}");
    }
    let annotated = r##""@odata.context": "x", "signInConditions": {"country@odata.type": "x", "#a": 1,
        "agentIdRiskLevel": "high"}"##;
    assert_eq!(
        evaluate(&what_if, &[sign_in(annotated)])
            .counts
            .summary
            .faulty,
        0
    );
}

#[test]
fn input_is_bounded_before_it_is_read() {
    let what_if = compile(&[policy("p", "", &control("mfa"))], None);
    let deep = alloc::format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let long = alloc::format!("{{\"id\":\"{}\"}}", "x".repeat(1 << 20));
    let batch = what_if.evaluate(
        alloc::format!("{deep}\n{long}\n{{\"a\":1,\"a\":1}}").as_bytes(),
        1,
        true,
    );
    let found = answers(&batch);
    for (answer, part) in found
        .iter()
        .zip(["nested deeper", "limit of 1048576", "repeated member"])
    {
        assert!(answer["error"].as_str().unwrap().contains(part), "{answer}");
    }
}

/// Rows 2 and 3: each case: a condition, facts, what the policy comes to.
#[test]
fn rows_2_and_3_absent_null_and_odd_facts_are_unknown() {
    let platforms = r#""platforms": {"includePlatforms": ["android"]}"#;
    let clients = r#""clientAppTypes": ["browser"]"#;
    let risk = r#""userRiskLevels": ["high"]"#;
    let groups = r#""users": {"includeGroups": ["00000000-0000-0000-0000-00000000000a"]}"#;
    for (conditions, members, applies, unknown) in [
        (
            platforms,
            r#""signInConditions": null"#,
            "undetermined",
            "devicePlatform",
        ),
        (
            platforms,
            r#""signInConditions": {"devicePlatform": null}"#,
            "undetermined",
            "devicePlatform",
        ),
        (
            platforms,
            r#""signInConditions": {"devicePlatform": "all"}"#,
            "undetermined",
            "devicePlatform",
        ),
        (
            platforms,
            r#""signInConditions": {"devicePlatform": "ANDROID"}"#,
            "yes",
            "",
        ),
        (
            platforms,
            r#""signInConditions": {"devicePlatform": ""}"#,
            "no",
            "",
        ),
        (
            clients,
            r#""signInConditions": {"clientAppType": "all"}"#,
            "undetermined",
            "clientApps",
        ),
        (
            risk,
            r#""signInConditions": {"userRiskLevel": "hidden"}"#,
            "undetermined",
            "userRisk",
        ),
        (
            risk,
            r#""signInConditions": {"userRiskLevel": "none"}"#,
            "no",
            "",
        ),
        (groups, r#""memberOf": null"#, "undetermined", "users"),
        (groups, r#""memberOf": []"#, "no", ""),
        (
            groups,
            r#""memberOf": ["00000000-0000-0000-0000-00000000000A"]"#,
            "yes",
            "",
        ),
    ] {
        let answer = answer(
            &[policy("p", conditions, &control("mfa"))],
            &sign_in(members),
        );
        let row = &answer["policies"][0];
        assert_eq!(row["applies"], applies, "{conditions} for {members}");
        assert_eq!(
            row["unknown"].as_array().unwrap().len(),
            usize::from(!unknown.is_empty())
        );
        assert_eq!(row["unknown"][0].as_str().unwrap_or_default(), unknown);
        // P7: `unknown` is not empty exactly if undetermined.
        assert_eq!(applies == "undetermined", !unknown.is_empty());
    }
}

#[test]
fn rows_13_and_19_other_kinds_of_identity_and_context() {
    let policies = [
        policy("all", "", &control("mfa")),
        policy(
            "none",
            r#""users": {"includeUsers": ["None"]}"#,
            &control("mfa"),
        ),
        policy(
            "nothing",
            r#""applications": {"includeApplications": ["None"]}"#,
            &control("mfa"),
        ),
    ];
    for (members, all, none, nothing) in [
        ("", "yes", "no users", "no application"),
        (
            r#""signInIdentity": null"#,
            "undetermined users",
            "no users",
            "no application",
        ),
        (
            r##""signInIdentity": {"@odata.type": "#microsoft.graph.agentSignIn", "agentServicePrincipalId": "a"}"##,
            "undetermined users",
            "no users",
            "no application",
        ),
        (
            r#""signInIdentity": {"userId": "adele"}"#,
            "undetermined users",
            "no users",
            "no application",
        ),
        (
            r##""signInIdentity": {"@odata.type": "#microsoft.graph.servicePrincipalSignIn", "servicePrincipalId": "a"}"##,
            "no workloadIdentities",
            "no workloadIdentities",
            "no workloadIdentities",
        ),
        (
            r#""signInContext": null"#,
            "undetermined application",
            "no users",
            "no application",
        ),
        (
            r##""signInContext": {"@odata.type": "#microsoft.graph.applicationContext"}"##,
            "yes",
            "no users",
            "no application",
        ),
    ] {
        let answer = answer(&policies, &sign_in(members));
        for (row, expected) in [all, none, nothing].into_iter().enumerate() {
            let row = &answer["policies"][row];
            let reason = row["unknown"].get(0).unwrap_or(&row["analysisReasons"][0]);
            let found = alloc::format!(
                "{} {}",
                row["applies"].as_str().unwrap(),
                reason.as_str().unwrap_or_default()
            );
            assert_eq!(found.trim_end(), expected, "{members}: {row}");
        }
    }
}
