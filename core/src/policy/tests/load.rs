//! What is refused when the configuration loads, and what is taken from the documents besides conditions.

use super::*;
use crate::time::UnixTime;

fn codes(
    document: &Value,
    context: &CompileContext<'_>,
    evaluated_by_issuer: bool,
) -> Vec<(String, &'static str)> {
    let source = PolicySource {
        evaluated_by_issuer,
        ..PolicySource::new(document, "/policies")
    };
    match PolicySet::compile(&[source], context) {
        Ok(_) => Vec::new(),
        Err(Faults(faults)) => faults
            .into_iter()
            .map(|fault| (fault.at, fault.code))
            .collect(),
    }
}

#[test]
fn policies_that_a_plain_issuer_leaves_undecided_are_refused() {
    let settings = settings();
    let api = Resource {
        application_id: Some(guid(1)),
        ..Resource::default()
    };
    let unnamed = Resource::default();
    let context = CompileContext {
        settings: &settings,
        resource: &api,
        enforces_policies: false,
        undetermined_configured: false,
    };
    let never = &[("/policies/conditions", "policy.never_definite")][..];
    let filter = r#""devices": {"deviceFilter": {"mode": "include", "rule": "x"}}"#;
    for (conditions, expected) in [
        (r#""userRiskLevels": ["high"]"#, &[][..]),
        (r#""platforms": {"includePlatforms": ["iOS"]}"#, &[]),
        (filter, never),
        (r#""signInRiskLevels": ["high"]"#, never),
        (r#""platforms": {"includePlatforms": ["beos"]}"#, never),
        (r#""users": {"includeGroups": ["<Admins>"]}"#, never),
        (r#""users": {"includeGroups": ["<Admins>", "$1"]}"#, &[]),
        (
            r#""users": {"includeUsers": ["None"]}, "signInRiskLevels": ["high"]"#,
            &[],
        ),
        (
            r#""applications": {"includeApplications": ["$2"]}, "signInRiskLevels": ["high"]"#,
            &[],
        ),
        (
            r#""applications": {"includeApplications": ["Office365"]}"#,
            never,
        ),
        (r#""locations": {"includeLocations": ["$1"]}"#, never),
        (
            r#""locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}"#,
            never,
        ),
        (r#""agentContext": {"a": "b"}"#, never),
    ] {
        let document = policy(conditions);
        let found = codes(&document, &context, false);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(at, code)| (at.as_str(), *code))
            .collect();
        assert_eq!(found, expected, "{conditions}");
        let excused = CompileContext {
            undetermined_configured: true,
            ..context
        };
        assert!(codes(&document, &excused, false).is_empty());
        assert!(codes(&document, &context, true).is_empty());
        let enforcing = CompileContext {
            enforces_policies: true,
            ..context
        };
        assert!(codes(&document, &enforcing, false).is_empty());
    }
    let mut named = settings.clone();
    named
        .undetermined_by_policy
        .insert("p".into(), Undetermined::Deny);
    let named = CompileContext {
        settings: &named,
        ..context
    };
    assert!(
        codes(&policy(filter), &named, false).is_empty(),
        "excused by its id"
    );

    let unnamed = CompileContext {
        resource: &unnamed,
        ..context
    };
    let scoped = policy(r#""applications": {"includeApplications": ["$2"]}"#);
    assert_eq!(
        codes(&scoped, &unnamed, false),
        [(
            "/policies/conditions/applications".into(),
            "policy.application_unknown"
        )]
    );
    assert!(
        codes(&policy(""), &unnamed, false).is_empty(),
        "`All` needs no name"
    );

    let mut report_only = policy(filter);
    report_only["state"] = "enabledForReportingButNotEnforced".into();
    assert!(codes(&report_only, &context, false).is_empty());
}

#[test]
fn countries_are_definite_only_where_the_resource_looks_them_up() {
    let document = policy(r#""locations": {"includeLocations": ["$1"]}"#);
    let places = value(r#"[{"id": "$1", "countriesAndRegions": ["DE"]}]"#);
    let source = PolicySource {
        named_locations: Some(&places),
        ..PolicySource::new(&document, "/policies")
    };
    for (country_at_resource, refused) in [(false, true), (true, false)] {
        let settings = Settings {
            country_at_resource,
            ..settings()
        };
        let context = CompileContext {
            settings: &settings,
            resource: &Resource::default(),
            enforces_policies: false,
            undetermined_configured: false,
        };
        assert_eq!(PolicySet::compile(&[source], &context).is_err(), refused);
    }
}

#[test]
fn controls_without_trace_are_refused() {
    let settings = settings();
    let context = CompileContext {
        settings: &settings,
        resource: &Resource::default(),
        enforces_policies: false,
        undetermined_configured: false,
    };
    let traceless = "policy.control_without_trace";
    for (controls, expected) in [
        (
            r#"{"builtInControls": ["mfa", "compliantDevice"]}"#,
            &[][..],
        ),
        (
            r#"{"builtInControls": ["mfa", "passwordChange"]}"#,
            &[traceless],
        ),
        (
            r#"{"builtInControls": ["approvedApplication", "compliantApplication", "riskRemediation"]}"#,
            &[traceless, traceless, traceless],
        ),
        (
            r#"{"termsOfUse": ["$1"], "customAuthenticationFactors": ["x"]}"#,
            &[traceless, traceless],
        ),
        (r#"{"builtInControls": ["block", "passwordChange"]}"#, &[]),
        (
            r#"{"builtInControls": ["compliantNetwork"]}"#,
            &["policy.never_definite"],
        ),
        (
            r#"{"operator": "OR", "builtInControls": ["compliantNetwork", "mfa"]}"#,
            &[],
        ),
    ] {
        let mut document = policy("");
        document["grantControls"] = value(controls);
        let found: Vec<&str> = codes(&document, &context, false)
            .into_iter()
            .map(|fault| fault.1)
            .collect();
        assert_eq!(found, expected, "{controls}");
    }
}

#[test]
fn every_fault_is_reported_with_its_place() {
    let document = value(
        r#"{"value": [3, {"conditions": "x", "grantControls": [1]}, {"sessionControls": 5}], "@odata.nextLink": "u"}"#,
    );
    let places = value(r#"[1]"#);
    let source = PolicySource {
        named_locations: Some(&places),
        ..PolicySource::new(&document, "/policies")
    };
    let (settings, resource) = (settings(), Resource::default());
    let context = CompileContext {
        settings: &settings,
        resource: &resource,
        enforces_policies: true,
        undetermined_configured: false,
    };
    let Err(Faults(faults)) = PolicySet::compile(&[source], &context) else {
        panic!("accepted");
    };
    let found: Vec<&str> = faults.iter().map(|fault| fault.at.as_str()).collect();
    assert_eq!(
        found,
        [
            "/namedLocations/0",
            "/policies/@odata.nextLink",
            "/policies/value/0",
            "/policies/value/1/conditions",
            "/policies/value/1/grantControls",
            "/policies/value/2/sessionControls",
        ]
    );
}

#[test]
fn the_time_of_a_change_is_the_latest_of_what_the_policy_refers_to() {
    let locations = r#"[{"id": "$1", "modifiedDateTime": "2020-01-01T00:00:00.5Z", "ipRanges": []},
        {"id": "$2", "modifiedDateTime": "2030-01-01T00:00:00Z", "ipRanges": []},
        {"id": "$3", "modifiedDateTime": "soon", "ipRanges": []}]"#;
    for (dates, included, expected) in [
        (
            r#""createdDateTime": "2019-01-01T00:00:00Z", "modifiedDateTime": null"#,
            "$1",
            Some(1_577_836_801),
        ),
        (
            r#""createdDateTime": "2019-01-01T00:00:00Z", "modifiedDateTime": "2021-01-01T00:00:00Z""#,
            "$1",
            Some(1_609_459_200),
        ),
        (r#""createdDateTime": "2019-01-01T00:00:00Z""#, "$3", None),
        (r#""createdDateTime": "yesterday""#, "$1", None),
        (r#""x": 1"#, "All", None),
        (r#""x": 1"#, "$1", None),
    ] {
        let mut document = policy(&alloc::format!(
            r#""locations": {{"includeLocations": ["{included}"]}}"#
        ));
        let extra = value(&alloc::format!("{{{dates}}}"));
        for (name, value) in extra.as_object().unwrap() {
            document[name] = value.clone();
        }
        let set = compile(&document, Some(&value(locations))).unwrap();
        assert_eq!(
            set.policies()[0].changed_at,
            expected.map(UnixTime::from_secs),
            "{dates}"
        );
    }
}

#[test]
fn the_host_may_say_when_a_policy_changed() {
    let mut settings = settings();
    settings
        .policy_changed_at
        .insert("p".into(), UnixTime::from_secs(7));
    let (document, resource) = (policy(""), Resource::default());
    let context = CompileContext {
        settings: &settings,
        resource: &resource,
        enforces_policies: true,
        undetermined_configured: false,
    };
    let set = PolicySet::compile(&[PolicySource::new(&document, "")], &context).unwrap();
    assert_eq!(set.policies()[0].changed_at, Some(UnixTime::from_secs(7)));
}

#[test]
fn ranges_are_counted_over_enabled_location_policies() {
    let places = value(
        r#"[{"id": "$1", "ipRanges": [{"cidrAddress": "10.0.0.0/8"}, {"cidrAddress": "11.0.0.0/8"}]}]"#,
    );
    let one = policy(r#""locations": {"includeLocations": ["$1"]}"#);
    let mut off = one.clone();
    off["state"] = "disabled".into();
    let document = Value::Array(vec![one.clone(), one, off]);
    let source = PolicySource {
        named_locations: Some(&places),
        ..PolicySource::new(&document, "")
    };
    for (most, exceeded) in [(None, false), (Some(4), false), (Some(3), true)] {
        let settings = Settings {
            max_location_ranges: most,
            ..settings()
        };
        let context = CompileContext {
            settings: &settings,
            resource: &Resource::default(),
            enforces_policies: true,
            undetermined_configured: false,
        };
        let set = PolicySet::compile(&[source], &context).unwrap();
        assert_eq!(set.location_ranges_exceeded(), exceeded, "{most:?}");
    }
}

#[test]
fn what_a_policy_reads() {
    let all = compile(
        &policy(r#""clientAppTypes": ["all"], "locations": {"includeLocations": ["All"]}"#),
        None,
    )
    .unwrap();
    let reads: Vec<Condition> = all.policies()[0].reads.iter().collect();
    assert_eq!(reads, [Condition::Users, Condition::Application]);
    let places = value(
        r#"[{"id": "$1", "ipRanges": [{"cidrAddress": "10.0.0.0/8"}]}, {"id": "$2", "countriesAndRegions": ["DE"]}]"#,
    );
    let document = policy(
        r#""locations": {"includeLocations": ["All"], "excludeLocations": ["$1"]}, "userRiskLevels": ["high"]"#,
    );
    let set = compile(&document, Some(&places)).unwrap();
    let found = &set.policies()[0];
    assert!(found.reads_address && !found.reads_country);
    assert!(found.reads.contains(Condition::UserRisk) && found.reads.contains(Condition::Location));
    assert_eq!(found.label(), "p");
}
