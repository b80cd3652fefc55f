//! Check 3 for conditions and controls that device records, the host's directory and the token's home tenant decide.

use super::*;
use crate::decision::DirectoryFacts;

const HOME: &str = "8a3c1b7e-5f0d-4c9a-9e21-6d7b8c9d0e1f";
const OTHER: &str = "11c5a3de-0b7f-4e6a-8d92-3c4b5a697887";
const COMPLIANCE: &str = "caep/event-type/device-compliance-change";

fn mfa() -> Value {
    json!({"operator": "OR", "builtInControls": ["mfa"]})
}

fn filter(mode: &str, rule: &str) -> Value {
    json!({"devices": {"deviceFilter": {"mode": mode, "rule": rule}}})
}

fn with_device(info: &'static str, now: u64) -> Request<'static> {
    Request {
        facts: DirectoryFacts {
            device: Some(info),
            ..DirectoryFacts::default()
        },
        ..at(now)
    }
}

#[test]
fn a_device_filter_follows_compliance_in_real_time() {
    let rule = filter("include", "device.isCompliant -ne True");
    let mut host = Host::new(
        Dialect::Entra,
        json!([policy("healthy", rule, block())]),
        json!({}),
    );
    let claims = json!({"deviceid": DEVICE, "signin_state": ["dvc_cmp"]});
    let before = host.token(START, claims.clone());
    assert_eq!(told(&host.ask(&before, START + 10)), "allow 200 []");
    let device = json!({"format": "opaque", "id": DEVICE});
    let change = |status, previous| json!({"current_status": status, "previous_status": previous});
    host.event_about(
        device.clone(),
        COMPLIANCE,
        START + 100,
        change("not-compliant", "compliant"),
    );
    assert_eq!(
        told(&host.ask(&before, START + 110)),
        "challenge 401 [device_not_compliant policy_block] error=insufficient_claims nbf=+101",
        "a token issued later could be for another device"
    );
    let after = host.token(START + 200, claims);
    assert_eq!(
        told(&host.ask(&after, START + 210)),
        "deny 403 [policy_block]"
    );
    host.event_about(
        device,
        COMPLIANCE,
        START + 300,
        change("compliant", "not-compliant"),
    );
    assert_eq!(told(&host.ask(&after, START + 310)), "allow 200 []");
}

#[test]
fn the_host_may_know_the_device() {
    let rule = filter(
        "exclude",
        r#"device.trustType -eq "ServerAD" -or device.extensionAttribute1 -eq "SAW""#,
    );
    let policies = json!([policy("only managed", rule, block())]);
    for (info, expected) in [
        (r#"{"trustType": "ServerAD"}"#, "allow 200 []"),
        (
            r#"{"trustType": "AzureAD", "isCompliant": true, "extensionAttribute1": "saw"}"#,
            "allow 200 []",
        ),
        (
            r#"{"trustType": "AzureAD", "isCompliant": false, "mdmAppId": "", "extensionAttribute1": "saw"}"#,
            "deny 403 [policy_block]",
        ),
        (r#"{"deviceId": ""}"#, "deny 403 [policy_block]"),
        (
            r#"{"trustType": "AzureAD"}"#,
            "deny 403 [policy_undetermined]",
        ),
        ("not JSON", "deny 403 [policy_undetermined]"),
    ] {
        let mut host = Host::new(
            Dialect::Entra,
            policies.clone(),
            json!({"undetermined": "deny"}),
        );
        let token = host.token(START, json!({}));
        let verdict = host.request(&token, &with_device(info, START + 10));
        assert_eq!(told(&verdict), expected, "{info}");
    }
}

#[test]
fn controls_about_devices_are_shown_by_the_directory_of_the_host() {
    for (control, info, expected) in [
        (
            "domainJoinedDevice",
            r#"{"trustType": "ServerAD"}"#,
            "allow",
        ),
        (
            "domainJoinedDevice",
            r#"{"trustType": "Workplace"}"#,
            "deny",
        ),
        ("compliantDevice", r#"{"isCompliant": true}"#, "allow"),
        ("compliantDevice", r#"{"isCompliant": false}"#, "deny"),
        ("compliantDevice", r#"{"deviceId": ""}"#, "deny"),
    ] {
        let grant = json!({"operator": "OR", "builtInControls": [control]});
        let policies = json!([policy("device", json!({}), grant)]);
        let mut host = Host::new(Dialect::Entra, policies, json!({"undetermined": "deny"}));
        let token = host.token(START, json!({}));
        let verdict = host.request(&token, &with_device(info, START + 10));
        assert_eq!(verdict.outcome.as_str(), expected, "{control} {info}");
    }
}

#[test]
fn guests_are_told_by_their_home_tenant() {
    let guests = json!({"users": {"includeGuestsOrExternalUsers": {
        "guestOrExternalUserTypes": "b2bCollaborationGuest",
        "externalTenants": {"membershipKind": "enumerated", "members": [HOME]},
    }}});
    let policies = json!([policy("guests", guests, mfa())]);
    let idp = |tenant: &str| format!("https://sts.windows.net/{tenant}/");
    for (claims, expected) in [
        (
            json!({"acct": 1, "idp": idp(HOME), "amr": ["pwd"]}),
            "deny 403 [policy_control_unmet]",
        ),
        (
            json!({"acct": 1, "idp": idp(HOME), "amr": ["mfa"]}),
            "allow 200 []",
        ),
        (
            json!({"acct": 1, "idp": idp(OTHER), "amr": ["pwd"]}),
            "allow 200 []",
        ),
        (json!({"acct": 0, "amr": ["pwd"]}), "allow 200 []"),
        // A member of another tenant is no guest; without `acct` it may be one.
        (
            json!({"acct": 0, "idp": idp(HOME), "amr": ["pwd"]}),
            "allow 200 []",
        ),
        (
            json!({"idp": idp(HOME), "amr": ["pwd"]}),
            "deny 403 [policy_undetermined]",
        ),
        (
            json!({"acct": 1, "amr": ["pwd"]}),
            "deny 403 [policy_undetermined]",
        ),
    ] {
        let mut host = Host::new(
            Dialect::Entra,
            policies.clone(),
            json!({"undetermined": "deny"}),
        );
        let token = host.token(START, claims.clone());
        assert_eq!(told(&host.ask(&token, START + 10)), expected, "{claims}");
    }
    let request = Request {
        facts: DirectoryFacts {
            user_type: Some("guest"),
            external_user_type: Some("b2bCollaborationGuest"),
            external_tenant: Some(HOME),
            ..DirectoryFacts::default()
        },
        ..at(START + 10)
    };
    let mut host = Host::new(Dialect::Entra, policies, json!({}));
    let token = host.token(START, json!({"amr": ["pwd"]}));
    assert_eq!(
        told(&host.request(&token, &request)),
        "deny 403 [policy_control_unmet]"
    );
}

#[test]
fn workloads_are_told_by_id_and_risk() {
    let workloads = |risk: Value| {
        json!({
            "users": null, "servicePrincipalRiskLevels": risk,
            "clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"],
                "excludeServicePrincipals": [OTHER]},
        })
    };
    let app_only = |id: &str| json!({"idtyp": "app", "oid": id, "sub": id, "scp": null, "roles": ["Orders.Read"], "sid": null});
    let mut host = Host::new(
        Dialect::Entra,
        json!([policy("workloads", workloads(json!([])), block())]),
        json!({}),
    );
    for (claims, expected) in [
        (app_only(USER), "deny 403 [policy_block]"),
        (app_only(OTHER), "allow 200 []"),
        (json!({}), "allow 200 []"),
    ] {
        let token = host.token(START, claims);
        assert_eq!(told(&host.ask(&token, START + 10)), expected);
    }
    let mut host = Host::new(
        Dialect::Entra,
        json!([policy("risky", workloads(json!(["high"])), block())]),
        json!({}),
    );
    let token = host.token(START, app_only(USER));
    assert_eq!(told(&host.ask(&token, START + 10)), "allow 200 []");
}

#[test]
fn strengths_are_shown_by_methods() {
    let strength = |id: &str, combinations: Value| json!({"operator": "AND", "authenticationStrength": {"id": id, "allowedCombinations": combinations}});
    let built_in = "00000000-0000-0000-0000-000000000004";
    let multi_factor = "00000000-0000-0000-0000-000000000002";
    for (grant, amr, expected) in [
        (
            strength(built_in, json!([])),
            json!(["fido", "mfa"]),
            "allow 200 []",
        ),
        (
            strength(built_in, json!([])),
            json!(["pwd", "mfa"]),
            "deny 403 [policy_control_unmet]",
        ),
        (
            strength(built_in, json!([])),
            json!(["rsa", "mfa"]),
            "deny 403 [policy_undetermined]",
        ),
        (
            strength(multi_factor, json!([])),
            json!(["pwd", "mfa"]),
            "allow 200 []",
        ),
        (
            strength(multi_factor, json!([])),
            json!(["pwd"]),
            "deny 403 [policy_control_unmet]",
        ),
        (
            strength(OTHER, json!(["password,sms"])),
            json!(["pwd", "sms"]),
            "allow 200 []",
        ),
        (
            strength(OTHER, json!(["password,sms"])),
            json!(["pwd"]),
            "deny 403 [policy_control_unmet]",
        ),
        // Nobody says what it accepts.
        (
            strength(OTHER, json!([])),
            json!(["fido"]),
            "deny 403 [policy_undetermined]",
        ),
    ] {
        let policies = json!([policy("strength", json!({}), grant)]);
        let mut host = Host::new(Dialect::Entra, policies, json!({"undetermined": "deny"}));
        let token = host.token(START, json!({"amr": amr}));
        assert_eq!(told(&host.ask(&token, START + 10)), expected, "{amr}");
    }
}

#[test]
fn a_strength_of_the_configuration_is_known_by_its_id() {
    let grant = json!({"operator": "AND", "authenticationStrength": {"id": OTHER}});
    let configuration = |strengths: Value| {
        json!({
            "resource": {"audiences": [APPLICATION]},
            "issuers": [{"issuer": issuer_url(Dialect::Entra), "claims": "entra-v2", "jwks": jwks(),
                "policies": [policy("strength", json!({}), grant.clone())]}],
            "authenticationStrengths": strengths,
        })
        .to_string()
    };
    let read =
        |strengths| crate::configuration::Configuration::read(&configuration(strengths)).unwrap();
    let known = read(json!([{"id": OTHER.to_uppercase(), "allowedCombinations": ["fido2"]}]));
    let found = known.issuers[0].policies.policies()[0]
        .grant
        .strength
        .clone();
    assert_eq!(found.unwrap().combinations, [["fido2"]]);
    let unknown = read(json!([]));
    let policy = &unknown.issuers[0].policies.policies()[0];
    assert!(policy.grant.strength.is_none());
    assert!(
        policy.warnings[0].contains("authenticationStrengths"),
        "{:?}",
        policy.warnings
    );
}
