//! Each condition and control at the issuer.

use super::*;

const HOME: &str = "55ff55ff-aa66-bb77-cc88-99dd99dd99dd";

/// What a block policy with these conditions makes of the sign-in.
fn blocked(conditions: &Value, request: &Value) -> String {
    let policy = policy("p", &controls("OR", &["block"]), conditions);
    let engine = engine(&json!([policy]), &nothing(), &json!({}));
    let answer = ask(&engine, request);
    alloc::format!(
        "{} {}",
        answer["result"].as_str().unwrap(),
        answer["policies"][0]["applies"].as_str().unwrap()
    )
}

#[test]
fn conditions_apply_or_not() {
    let (block, grant) = ("block yes", "grant no");
    let guests = json!({"users": {"includeGuestsOrExternalUsers": {"guestOrExternalUserTypes":
        "b2bCollaborationGuest", "externalTenants": {"membershipKind": "enumerated", "members": [HOME]}}}});
    let workloads = json!({"users": null, "clientApplications": {"includeServicePrincipals": [GROUP]},
        "servicePrincipalRiskLevels": ["high"]});
    let service = |risk: &str| json!({"user": null, "userType": null, "servicePrincipal": GROUP, "authTime": null, "servicePrincipalRisk": risk});
    let filter = json!({"devices": {"deviceFilter": {"mode": "exclude", "rule": "device.trustType -eq \"ServerAD\""}}});
    let flow = json!({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}});
    let insider = json!({"insiderRiskLevels": "moderate,elevated"});
    let action = json!({"applications": {"includeUserActions": ["urn:user:registersecurityinfo"]}});
    let context = json!({"applications": {"includeApplications": ["None"],
        "includeAuthenticationContextClassReferences": ["c7"]}});
    let asks = |context: &str| json!({"claims": {"access_token": {"acrs": {"essential": true, "value": context}}}});
    for (conditions, request, expected) in [
        (
            &guests,
            json!({"userType": "guest", "externalTenantId": HOME}),
            block,
        ),
        (
            &guests,
            json!({"userType": "guest", "externalTenantId": GROUP}),
            grant,
        ),
        (&guests, json!({}), grant),
        (
            &guests,
            json!({"externalUserType": "b2bCollaborationGuest", "externalTenantId": HOME}),
            block,
        ),
        (&workloads, service("high"), block),
        (&workloads, service("low"), grant),
        (&filter, json!({"device": {"trustType": "ServerAD"}}), grant),
        (&filter, json!({"device": {"deviceId": ""}}), block),
        // What the caller leaves out widens nothing.
        (&filter, json!({}), "block undetermined"),
        (&flow, json!({"transferMethod": "deviceCodeFlow"}), block),
        (&flow, json!({}), grant),
        (&insider, json!({"insiderRisk": "elevated"}), block),
        (&insider, json!({"insiderRisk": "minor"}), grant),
        (&insider, json!({}), grant),
        (
            &action,
            json!({"userAction": "registerSecurityInformation"}),
            block,
        ),
        (
            &action,
            json!({"userAction": "registerOrJoinDevices"}),
            grant,
        ),
        (&action, json!({}), grant),
        (&context, asks("c7"), block),
        (&context, json!({}), grant),
    ] {
        assert_eq!(
            blocked(conditions, &request),
            expected,
            "{conditions} for {request}"
        );
    }
}

#[test]
fn a_context_is_granted_by_the_policies_for_it() {
    let conditions = json!({"applications": {"includeApplications": ["None"],
        "includeAuthenticationContextClassReferences": ["c7"]}});
    let policy = policy("step up", &controls("OR", &["mfa"]), &conditions);
    let engine = engine(&json!([policy]), &nothing(), &json!({}));
    let asks = |context: &str, satisfied: Value| json!({"claims": {"access_token": {"acrs": {"essential": true, "value": context}}}, "satisfied": satisfied});
    let answer = ask(&engine, &asks("c7", json!(["mfa"])));
    assert_holds(
        &answer,
        &json!({"result": "grant", "unmet": []}),
        "the policy is met",
    );
    assert_eq!(answer["claims"]["acrs"], json!(["c7"]));
    let answer = ask(&engine, &asks("c7", json!([])));
    assert_holds(
        &answer,
        &json!({"result": "interactionRequired", "unmet": ["mfa"], "prompts": ["mfa"]}),
        "the policy says what is missing",
    );
    let answer = ask(&engine, &asks("c8", json!(["mfa"])));
    assert_holds(
        &answer,
        &json!({"result": "interactionRequired", "unmet": ["authenticationContext:c8"]}),
        "no policy decides it",
    );
}

#[test]
fn users_are_asked_in_the_order_of_prompting() {
    let terms = "66aa66aa-bb77-cc88-dd99-aaeeaaeeaaee";
    let mut grant = controls(
        "AND",
        &[
            "passwordChange",
            "compliantDevice",
            "mfa",
            "approvedApplication",
            "compliantApplication",
            "domainJoinedDevice",
        ],
    );
    grant["termsOfUse"] = json!([terms]);
    grant["customAuthenticationFactors"] = json!([terms]);
    let engine = engine(
        &json!([policy("everything", &grant, &json!({}))]),
        &nothing(),
        &json!({}),
    );
    let answer = ask(&engine, &json!({}));
    let prompts = [
        "mfa".into(),
        "compliantDevice".into(),
        "domainJoinedDevice".into(),
        "approvedApplication".into(),
        "compliantApplication".into(),
        "passwordChange".into(),
        format!("termsOfUse:{terms}"),
        format!("customAuthenticationFactor:{terms}"),
    ];
    assert_eq!(answer["prompts"], json!(prompts));
    let answer = ask(&engine, &json!({"satisfied": prompts}));
    assert_holds(
        &answer,
        &json!({"result": "grant", "prompts": null}),
        "everything is met",
    );
}

#[test]
fn strengths_and_multi_factor_are_met_by_methods() {
    let strength = json!({"operator": "AND", "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000004"}});
    let engine = engine(
        &json!([
            policy("strength", &strength, &json!({})),
            policy("mfa", &controls("OR", &["mfa"]), &json!({})),
        ]),
        &nothing(),
        &json!({}),
    );
    let missing = "authenticationStrength:00000000-0000-0000-0000-000000000004";
    for (methods, unmet) in [
        (json!(["fido2"]), json!([])),
        (json!(["password", "sms"]), json!([missing])),
        (json!(["password"]), json!([missing, "mfa"])),
    ] {
        let answer = ask(&engine, &json!({"authenticationMethods": methods}));
        assert_eq!(answer["unmet"], unmet, "{methods}");
    }
}

#[test]
fn session_controls_are_merged() {
    let one = json!({"signInFrequency": {"isEnabled": true, "value": 4, "type": "hours"},
        "persistentBrowser": {"isEnabled": true, "mode": "always"},
        "cloudAppSecurity": {"isEnabled": true, "cloudAppSecurityType": "monitorOnly"}});
    let two = json!({"signInFrequency": {"isEnabled": true, "value": 1, "type": "days"},
        "persistentBrowser": {"isEnabled": true, "mode": "never"}, "secureSignInSession": {"isEnabled": true},
        "cloudAppSecurity": {"isEnabled": true, "cloudAppSecurityType": "blockDownloads"}});
    let with = |session| with_session(policy("s", &Value::Null, &json!({})), session);
    let engine = engine(&json!([with(one), with(two)]), &nothing(), &json!({}));
    let answer = ask(&engine, &json!({}));
    assert_eq!(
        answer["sessionControls"],
        json!({
            "cloudAppSecurity": ["blockDownloads", "monitorOnly"],
            "persistentBrowser": "never",
            "secureSignInSession": true,
            "signInFrequency": {"primaryAndSecondaryAuthentication": 4},
        })
    );
}

#[test]
fn a_session_without_password_is_renewed_silently_after_a_password_change() {
    let engine = engine(&nothing(), &nothing(), &json!({}));
    let changed = json!([{"event": "passwordChangedByUser", "at": NOW - 30}]);
    for (session, expected) in [
        ("otherToken", json!({"result": "grant"})),
        (
            "passwordToken",
            json!({"result": "interactionRequired", "code": "AADSTS50173", "prompts": ["signIn"]}),
        ),
    ] {
        let request = json!({"session": session, "sessionEvents": changed,
            "claims": {"access_token": {"nbf": {"essential": true, "value": (NOW - 29).to_string()}}}});
        assert_holds(&ask(&engine, &request), &expected, session);
    }
    let answer = ask(
        &engine,
        &json!({"sessionEvents": [{"event": "x", "at": 1}]}),
    );
    assert_eq!(answer["result"], "error");
}

#[test]
fn continuous_access_evaluation_is_off_only_where_it_may_be() {
    let off = json!({"continuousAccessEvaluation": {"mode": "disabled"}});
    for (conditions, enabled) in [
        (json!({}), false),
        (json!({"users": {"includeUsers": [USER]}}), false),
        (json!({"clientAppTypes": ["browser"]}), true),
        (
            json!({"applications": {"includeApplications": ["All"], "excludeApplications": [GROUP]}}),
            true,
        ),
        (
            json!({"applications": {"includeApplications": ["44ee44ee-ff55-aa66-bb77-88cc88cc88cc"]}}),
            true,
        ),
    ] {
        let policy = with_session(policy("off", &Value::Null, &conditions), off.clone());
        let engine = engine(&json!([policy]), &nothing(), &json!({}));
        let answer = ask(&engine, &json!({}));
        let found = &answer["continuousAccessEvaluation"]["enabled"];
        assert_eq!(*found, json!(enabled), "{conditions}");
    }
}
