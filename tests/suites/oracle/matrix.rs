//! The import test matrix of `conditional-access.md` section 8, row by row, on the engine and on the reference evaluator.

use cae_tests::oracle::{self, Tenant};
use serde_json::{Value, json};

use crate::engine::Engine;

const OFFICE: &str = "11111111-aaaa-4aaa-8aaa-111111111111";
const GERMANY: &str = "22222222-bbbb-4bbb-8bbb-222222222222";
const ADA: &str = "33333333-cccc-4ccc-8ccc-333333333333";
const STAFF: &str = "44444444-dddd-4ddd-8ddd-444444444444";
const ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const ORDERS: &str = "55555555-eeee-4eee-8eee-555555555555";

/// A policy for everyone and everything, with these conditions.
fn policy(conditions: Value, built_in_controls: Value) -> Value {
    let mut all = json!({
        "users": {"includeUsers": ["All"]},
        "applications": {"includeApplications": ["All"]},
        "clientAppTypes": ["all"],
    });
    for (name, condition) in conditions.as_object().unwrap() {
        all[name] = condition.clone();
    }
    json!({
        "displayName": "row",
        "state": "enabled",
        "conditions": all,
        "grantControls": {"operator": "OR", "builtInControls": built_in_controls},
    })
}

fn tenant(policies: &[Value]) -> Tenant {
    Tenant {
        policies: policies.to_vec(),
        named_locations: Some(vec![
            json!({
                "@odata.type": "#microsoft.graph.ipNamedLocation", "id": OFFICE, "isTrusted": true,
                "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}],
            }),
            json!({
                "@odata.type": "#microsoft.graph.countryNamedLocation", "id": GERMANY,
                "countriesAndRegions": ["DE"], "includeUnknownCountriesAndRegions": true,
            }),
        ]),
        groups: Default::default(),
    }
}

/// Ada signs in to the orders; `facts` replace or add members of the line.
fn sign_in(facts: Value) -> Value {
    let mut line = json!({
        "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": ADA},
        "signInContext": {"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": [ORDERS]},
        "memberOf": [], "roles": [], "userType": "member",
    });
    for (name, fact) in facts.as_object().unwrap() {
        line[name] = fact.clone();
    }
    line
}

/// The answer, on which both agree.
fn answer(policies: &[Value], facts: Value) -> Value {
    let (tenant, sign_in) = (tenant(policies), sign_in(facts));
    let answer = Engine::new(&tenant).unwrap().answer(&sign_in);
    assert_eq!(answer, oracle::answer(&tenant, &sign_in), "{sign_in}");
    answer
}

/// Whether the only policy applies, with the reason if it does not.
fn applies(conditions: Value, facts: Value) -> Value {
    let answer = answer(&[policy(conditions, json!(["mfa"]))], facts);
    let row = &answer["policies"][0];
    assert_eq!(row["unknown"], json!([]), "{row}");
    json!([row["applies"], row["analysisReasons"]])
}

fn yes() -> Value {
    json!(["yes", []])
}

fn no(reason: &str) -> Value {
    json!(["no", [reason]])
}

#[test]
fn everywhere_but_trusted_places_does_not_apply_inside_a_trusted_range() {
    let anywhere_else =
        json!({"locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}});
    let from = |address: &str| json!({"signInConditions": {"ipAddress": address}});
    assert_eq!(
        applies(anywhere_else.clone(), from("203.0.113.7")),
        no("location")
    );
    assert_eq!(applies(anywhere_else, from("198.51.100.7")), yes());
}

#[test]
fn a_country_with_unknown_regions_applies_to_an_unmapped_address() {
    let germany = json!({"locations": {"includeLocations": [GERMANY]}});
    let from =
        |country: &str| json!({"signInConditions": {"ipAddress": "192.0.2.1", "country": country}});
    for country in ["", "ZZ", "DE"] {
        assert_eq!(applies(germany.clone(), from(country)), yes(), "{country}");
    }
    assert_eq!(applies(germany, from("FR")), no("location"));
}

#[test]
fn an_excluded_role_beats_an_included_group() {
    let staff = json!({"users": {"includeGroups": [STAFF], "excludeRoles": [ADMINISTRATOR]}});
    let facts = |roles: Value| json!({"memberOf": [STAFF], "roles": roles});
    assert_eq!(
        applies(staff.clone(), facts(json!([ADMINISTRATOR]))),
        no("users")
    );
    assert_eq!(applies(staff, facts(json!([]))), yes());
}

#[test]
fn two_applying_policies_must_both_be_satisfied() {
    let policies = [
        policy(json!({}), json!(["mfa", "compliantDevice"])),
        policy(json!({}), json!(["compliantDevice"])),
    ];
    let answer = answer(&policies, json!({"satisfied": ["mfa"]}));
    assert_eq!(answer["result"], "challenge");
    assert_eq!(answer["unmet"], json!(["compliantDevice"]));
    assert_eq!(answer["policies"][0]["result"], "success");
    assert_eq!(answer["policies"][1]["result"], "failure");
}

#[test]
fn a_report_only_block_is_a_grant() {
    let mut block = policy(json!({}), json!(["block"]));
    block["state"] = json!("enabledForReportingButNotEnforced");
    let answer = answer(&[block], json!({}));
    assert_eq!(answer["result"], "grant");
    assert_eq!(answer["unmet"], json!([]));
    assert_eq!(answer["policies"][0]["result"], "reportOnlyFailure");
}

#[test]
fn a_negative_operator_matches_an_unregistered_device() {
    let filter =
        |mode: &str, rule: &str| json!({"devices": {"deviceFilter": {"mode": mode, "rule": rule}}});
    let device = |info: Value| json!({"signInConditions": {"deviceInfo": info}});
    let unregistered = device(json!({"deviceId": ""}));
    assert_eq!(
        applies(
            filter("include", "device.isCompliant -ne True"),
            unregistered.clone()
        ),
        yes()
    );
    assert_eq!(
        applies(
            filter("exclude", "device.trustType -eq \"ServerAD\""),
            unregistered
        ),
        yes()
    );
    // Devices that are registered, the other way round.
    let compliant = device(json!({"isCompliant": true}));
    assert_eq!(
        applies(filter("include", "device.isCompliant -ne True"), compliant),
        no("devices")
    );
    let hybrid = device(json!({"trustType": "ServerAD"}));
    assert_eq!(
        applies(
            filter("exclude", "device.trustType -eq \"ServerAD\""),
            hybrid
        ),
        no("devices")
    );
}

#[test]
fn no_application_with_a_context_applies_only_when_the_context_is_requested() {
    let context = json!({"applications": {
        "includeApplications": ["None"], "includeAuthenticationContextClassReferences": ["c1"],
    }});
    let requested = |value: &str| json!({"signInContext": {"@odata.type": "#microsoft.graph.authContext", "authenticationContextValue": value}});
    assert_eq!(applies(context.clone(), requested("c1")), yes());
    assert_eq!(
        applies(context.clone(), requested("c2")),
        no("authenticationContext")
    );
    assert_eq!(applies(context, json!({})), no("application"));
}

#[test]
fn insider_risk_levels_are_a_set_of_two() {
    let levels = json!({"insiderRiskLevels": "minor,moderate"});
    let at = |level: &str| json!({"signInConditions": {"insiderRiskLevel": level}});
    for level in ["minor", "moderate"] {
        assert_eq!(applies(levels.clone(), at(level)), yes(), "{level}");
    }
    for level in ["elevated", "none"] {
        assert_eq!(
            applies(levels.clone(), at(level)),
            no("insiderRisk"),
            "{level}"
        );
    }
}

#[test]
fn a_control_that_nobody_knows_is_flagged_and_never_satisfied() {
    let policies = [policy(json!({}), json!(["retinaScan"]))];
    let answer = answer(&policies, json!({"satisfied": ["retinaScan", "mfa"]}));
    assert_eq!(answer["result"], "challenge");
    assert_eq!(answer["unmet"], json!(["retinaScan"]));
    let flagged = Engine::new(&tenant(&policies)).unwrap().not_understood();
    assert!(
        flagged[0]
            .iter()
            .any(|place| place.contains("builtInControls") || place.contains("retinaScan")),
        "{flagged:?}"
    );
}
