//! The import test matrix of `conditional-access.md` §8, row by row. Rows about results of whole sign-ins stand with the
//! issuer and the resource.

use super::rows::run;
use super::*;

const PLACES: &str = r#"[
    {"id": "$1", "isTrusted": true, "ipRanges": [{"cidrAddress": "192.0.2.0/24"}]},
    {"id": "$2", "countriesAndRegions": ["DE"], "includeUnknownCountriesAndRegions": true}
]"#;

#[test]
fn include_all_exclude_trusted_from_a_trusted_range() {
    let conditions =
        r#""locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}"#;
    run(
        "§8",
        Some(PLACES),
        &[
            (conditions, "user=$1 app=$2 ip=192.0.2.7", "no location"),
            (conditions, "user=$1 app=$2 ip=198.51.100.7", "yes"),
        ],
    );
}

#[test]
fn a_country_with_unknown_countries_and_an_unmapped_address() {
    let conditions = r#""locations": {"includeLocations": ["$2"]}"#;
    run(
        "§8",
        Some(PLACES),
        &[
            (
                conditions,
                "user=$1 app=$2 ip=198.51.100.7 country=ZZ",
                "yes",
            ),
            (
                conditions,
                "user=$1 app=$2 ip=198.51.100.7 country=DE",
                "yes",
            ),
            (
                conditions,
                "user=$1 app=$2 ip=198.51.100.7 country=FR",
                "no location",
            ),
        ],
    );
}

#[test]
fn a_user_in_an_included_group_and_in_an_excluded_role() {
    let conditions = r#""users": {"includeGroups": ["$3"], "excludeRoles": ["$4"]}"#;
    run(
        "§8",
        None,
        &[
            (conditions, "user=$1 app=$2 groups=$3 roles=$4", "no users"),
            (conditions, "user=$1 app=$2 groups=$3 roles=", "yes"),
        ],
    );
}

#[test]
fn two_policies_and_a_device_that_is_not_compliant() {
    let controls = |controls: &str| {
        let mut policy = policy("");
        policy["grantControls"] = value(controls);
        policy
    };
    let policies = Value::Array(vec![
        controls(r#"{"operator": "OR", "builtInControls": ["mfa", "compliantDevice"]}"#),
        controls(r#"{"operator": "OR", "builtInControls": ["compliantDevice"]}"#),
    ]);
    let set = compile(&policies, None).unwrap();
    let met = |policy: &CompiledPolicy| {
        policy
            .grant
            .satisfied(|control| *control == GrantControl::Mfa)
    };
    let found: Vec<bool> = set.policies().iter().map(met).collect();
    assert_eq!(found, [true, false]);
}

#[test]
fn negative_and_positive_device_filters_for_an_unregistered_device() {
    let negative = r#""devices": {"deviceFilter": {"mode": "include", "rule": "device.isCompliant -ne True"}}"#;
    let exempt = r#""devices": {"deviceFilter": {"mode": "exclude", "rule": "device.trustType -eq \"ServerAD\""}}"#;
    run(
        "§8",
        None,
        &[
            (negative, "user=$1 app=$2 device=none", "yes"),
            (exempt, "user=$1 app=$2 device=none", "yes"),
        ],
    );
}

#[test]
fn no_application_but_an_authentication_context() {
    let conditions = r#""applications": {"includeApplications": ["None"], "includeAuthenticationContextClassReferences": ["c1"]}"#;
    run(
        "§8",
        None,
        &[
            (conditions, "user=$1 context=c1", "yes"),
            (conditions, "user=$1 context=c2", "no authenticationContext"),
            (conditions, "user=$1 app=$2", "no application"),
        ],
    );
}

#[test]
fn insider_risk_flags_are_a_set_of_two() {
    let conditions = r#""insiderRiskLevels": "minor,moderate""#;
    run(
        "§8",
        None,
        &[
            (conditions, "user=$1 app=$2 insider=minor", "yes"),
            (conditions, "user=$1 app=$2 insider=moderate", "yes"),
            (
                conditions,
                "user=$1 app=$2 insider=elevated",
                "no insiderRisk",
            ),
        ],
    );
}

#[test]
fn an_unknown_built_in_control_is_flagged_and_never_satisfied() {
    let mut document = policy("");
    document["grantControls"] = value(r#"{"operator": "AND", "builtInControls": ["levitation"]}"#);
    let set = compile(&document, None).unwrap();
    let policy = &set.policies()[0];
    assert_eq!(
        policy.not_understood,
        ["grantControls.builtInControls[levitation]"]
    );
    assert!(
        !policy
            .grant
            .satisfied(|control| !control.is_not_understood())
    );
}
