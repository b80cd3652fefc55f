//! What policies come to together, and how each is told (`policy-semantics.md` rows 4 and 26).

use serde_json::json;

use super::*;

#[test]
fn policies_decide_together() {
    let mfa = policy("mfa", &controls("OR", &["mfa"]), &json!({}));
    let either = policy(
        "either",
        &controls("OR", &["mfa", "compliantDevice"]),
        &json!({}),
    );
    let both = policy(
        "both",
        &controls("AND", &["mfa", "compliantDevice"]),
        &json!({}),
    );
    let users = json!({"includeGroups": [GROUP]});
    let block = policy(
        "block",
        &controls("OR", &["block"]),
        &json!({"users": users}),
    );
    let risky = policy(
        "risk",
        &controls("AND", &["mfa"]),
        &json!({"userRiskLevels": ["high"]}),
    );
    let abroad = json!({"includeLocations": ["All"], "excludeLocations": [GERMANY]});
    let abroad = policy(
        "abroad",
        &controls("OR", &["block"]),
        &json!({"locations": abroad}),
    );
    let report_only = patched(&mfa, &json!({"state": "enabledForReportingButNotEnforced"}));
    let disabled = patched(&block, &json!({"state": "disabled"}));
    let tolerated = patched(&abroad, &json!({"id": "abroad"}));
    for (what, policies, request, expected) in [
        (
            "a control is missing",
            json!([mfa]),
            json!({}),
            json!({"result": "interactionRequired", "error": "interaction_required", "code": null, "unmet": ["mfa"]}),
        ),
        (
            "it is met",
            json!([mfa]),
            json!({"satisfied": ["MFA"]}),
            json!({"result": "grant"}),
        ),
        (
            "one of several, none met: all alternatives",
            json!([either]),
            json!({}),
            json!({"unmet": ["compliantDevice", "mfa"]}),
        ),
        (
            "one of several",
            json!([either]),
            json!({"deviceCompliant": true}),
            json!({"result": "grant"}),
        ),
        (
            "the union over policies",
            json!([mfa, both]),
            json!({"deviceCompliant": true}),
            json!({"unmet": ["mfa"]}),
        ),
        (
            "the directory contradicts the claim",
            json!([both]),
            json!({"deviceCompliant": false, "satisfied": ["mfa", "compliantDevice"]}),
            json!({"unmet": ["compliantDevice"]}),
        ),
        (
            "a block beats everything",
            json!([mfa, block]),
            json!({"memberOf": [GROUP.to_uppercase()], "sessionsValidFrom": NOW}),
            json!({"result": "block", "error": "invalid_grant", "code": null, "unmet": ["block"]}),
        ),
        (
            "not in the group",
            json!([block]),
            json!({}),
            json!({"result": "grant"}),
        ),
        (
            "a workload is no user",
            json!([mfa]),
            json!({"user": null, "servicePrincipal": USER, "userType": null}),
            json!({"result": "grant"}),
        ),
        (
            "report-only and disabled",
            json!([report_only, disabled]),
            json!({"memberOf": [GROUP]}),
            json!({"result": "grant"}),
        ),
        (
            "no risk on record is no risk",
            json!([risky]),
            json!({}),
            json!({"result": "grant"}),
        ),
        (
            "at risk",
            json!([risky]),
            json!({"userRisk": "high"}),
            json!({"unmet": ["mfa"]}),
        ),
        (
            "a level that nobody knows",
            json!([risky]),
            json!({"userRisk": "hidden"}),
            json!({"result": "interactionRequired", "unmet": ["mfa"]}),
        ),
        (
            "at home",
            json!([abroad]),
            json!({"country": "de"}),
            json!({"result": "grant"}),
        ),
        (
            "an unknown country widens nothing",
            json!([abroad]),
            json!({}),
            json!({"result": "block"}),
        ),
        (
            "unless the operator said so of this policy",
            json!([tolerated]),
            json!({}),
            json!({"result": "grant"}),
        ),
    ] {
        let settings = json!({"undetermined": {"default": "deny", "abroad": "report"}});
        let engine = engine(&policies, &json!([germany()]), &settings);
        assert_holds(&ask(&engine, &request), &expected, what);
    }
}

#[test]
fn every_policy_is_told_with_graphs_names() {
    let mfa = policy("mfa", &controls("OR", &["mfa"]), &json!({}));
    let guests = json!({"users": {"includeGroups": [GROUP]}});
    let not_applied = policy("group", &controls("OR", &["block"]), &guests);
    let abroad = json!({"includeLocations": ["All"], "excludeLocations": [GERMANY]});
    let abroad = policy(
        "abroad",
        &controls("OR", &["mfa"]),
        &json!({"locations": abroad}),
    );
    let report_only = patched(
        &mfa,
        &json!({"id": GROUP, "state": "enabledForReportingButNotEnforced"}),
    );
    let policies = json!([mfa, not_applied, abroad, report_only]);
    let answer = ask(
        &engine(&policies, &json!([germany()]), &json!({})),
        &json!({}),
    );
    assert_eq!(
        answer["policies"],
        json!([
            {"index": 0, "displayName": "mfa", "applies": "yes", "analysisReasons": [], "unknown": [], "result": "failure"},
            {"index": 1, "displayName": "group", "applies": "no", "analysisReasons": ["users"], "unknown": [], "result": "notApplied"},
            {"index": 2, "displayName": "abroad", "applies": "undetermined", "analysisReasons": ["notEnoughInformation"], "unknown": ["location"], "result": "undetermined"},
            {"id": GROUP, "displayName": "mfa", "applies": "yes", "analysisReasons": [], "unknown": [], "result": "reportOnlyInterrupted"},
        ])
    );
}

#[test]
fn what_this_engine_does_not_read_locks_nobody_out_and_what_is_left_out_widens_nothing() {
    let hours = json!({"includeAllTimes": false});
    let unread = policy(
        "hours",
        &controls("OR", &["block"]),
        &json!({"times": hours}),
    );
    let browsers = policy(
        "browsers",
        &controls("OR", &["block"]),
        &json!({"clientAppTypes": ["browser"]}),
    );
    let both = policy(
        "both",
        &controls("OR", &["block"]),
        &json!({"clientAppTypes": ["browser"], "times": hours}),
    );
    let devices = policy(
        "devices",
        &controls("OR", &["block"]),
        &json!({"devices": {"deviceFilter": {"mode": "include", "rule": "device.isCompliant -ne True"}}}),
    );
    for (what, policies, request, undetermined, expected) in [
        ("not read", json!([unread]), json!({}), "report", "grant"),
        ("not read", json!([unread]), json!({}), "ignore", "grant"),
        ("not read", json!([unread]), json!({}), "deny", "block"),
        (
            "left out",
            json!([browsers]),
            json!({"clientAppType": null}),
            "report",
            "block",
        ),
        (
            "said oddly",
            json!([browsers]),
            json!({"clientAppType": "modern"}),
            "report",
            "block",
        ),
        ("left out", json!([devices]), json!({}), "report", "block"),
        (
            "left out and not read",
            json!([both]),
            json!({"clientAppType": null}),
            "report",
            "grant",
        ),
    ] {
        let engine = engine(
            &policies,
            &json!([]),
            &json!({"undetermined": undetermined}),
        );
        let answer = ask(&engine, &request);
        assert_eq!(answer["result"], expected, "{what}, {undetermined}");
        assert_eq!(answer["policies"][0]["applies"], "undetermined", "{what}");
    }
}
