//! Rows 1 to 23 of `policy-semantics.md`, as far as this engine decides them.

use super::*;

/// Each case: conditions, facts, what the policy comes to.
pub(super) fn run(row: &str, locations: Option<&str>, cases: &[(&str, &str, &str)]) {
    let locations = locations.map(value);
    for (conditions, facts, expected) in cases {
        let set = compile(&policy(conditions), locations.as_ref()).unwrap();
        let found = outcome(&set, &OwnedFacts::read(facts));
        assert_eq!(&found, expected, "row {row}: {conditions} for {facts}");
    }
}

#[test]
fn row_4_the_first_false_condition_or_all_unknown_ones() {
    let many = r#""users": {"includeUsers": ["$1"]}, "userRiskLevels": ["high"], "clientAppTypes": ["browser"],
        "devices": {"deviceFilter": {"mode": "include", "rule": "device.isCompliant -eq True"}}"#;
    run(
        "4",
        None,
        &[
            (
                many,
                "user=$1 app=$2",
                "unknown devices,clientApps,userRisk",
            ),
            (
                many,
                "user=$1 app=$2 client=other risk=low",
                "no clientApps",
            ),
            (many, "user=$2 app=$2 client=other", "no users"),
            (
                many,
                "user=$1 app=$2 client=browser risk=high",
                "unknown devices",
            ),
            (many, "user=? app=$2 risk=low", "no userRisk"),
        ],
    );
}

#[test]
fn row_5_disabled_empty_and_states_not_understood() {
    for (state, controls, expected) in [
        (
            "\"disabled\"",
            r#""grantControls": {"builtInControls": ["block"]}"#,
            "no policyNotEnabled",
        ),
        ("\"DISABLED\"", r#""x": 1"#, "no policyNotEnabled"),
        ("\"enabled\"", r#""x": 1"#, "no emptyPolicy"),
        (
            "\"enabled\"",
            r#""grantControls": {"operator": "OR", "builtInControls": []}"#,
            "no emptyPolicy",
        ),
        (
            "\"enabled\"",
            r#""sessionControls": {"disableResilienceDefaults": false}"#,
            "no emptyPolicy",
        ),
        (
            "\"enabled\"",
            r#""sessionControls": {"persistentBrowser": {"mode": "never", "isEnabled": false}}"#,
            "no emptyPolicy",
        ),
        (
            "\"enabled\"",
            r#""sessionControls": {"disableResilienceDefaults": true}"#,
            "yes",
        ),
        (
            "\"Enabled\"",
            r#""grantControls": {"builtInControls": "mfa"}"#,
            "yes",
        ),
        (
            "\"enabledForReportingButNotEnforced\"",
            r#""grantControls": {"builtInControls": "mfa"}"#,
            "yes",
        ),
        (
            "\"partiallyEnabled\"",
            r#""grantControls": {"builtInControls": "mfa"}"#,
            "unknown policyNotEnabled",
        ),
        (
            "null",
            r#""grantControls": {"builtInControls": "mfa"}"#,
            "unknown policyNotEnabled",
        ),
        (
            "\"enabled\"",
            r#""GrantControls": {"builtInControls": ["mfa"]}"#,
            "unknown invalidPolicy",
        ),
    ] {
        let document = value(&alloc::format!(
            r#"{{"state": {state}, {controls}, "conditions": {{"users": {{"includeUsers": "all"}},
                "applications": {{"includeApplications": "ALL"}}}}}}"#
        ));
        let set = compile(&document, None).unwrap();
        let found = outcome(&set, &OwnedFacts::read("user=$1 app=$2"));
        assert_eq!(found, expected, "{state} {controls}");
    }
}

#[test]
fn rows_6_to_8_shapes() {
    run(
        "6-8",
        None,
        &[
            (
                r#""platforms": [], "locations": [], "devices": {"deviceFilter": null}, "times": {"a": [{}]}"#,
                "user=$1 app=$2",
                "yes",
            ),
            (
                r#""agents": null, "platforms": {"@odata.type": "x", "includePlatforms@odata.type": "y"}"#,
                "user=$1 app=$2",
                "yes",
            ),
            (
                r#""userRiskLevels": "high"  "#,
                "user=$1 app=$2 risk=high",
                "yes",
            ),
            (
                r#""userRiskLevels": "Medium, HIGH""#,
                "user=$1 app=$2 risk=medium",
                "yes",
            ),
            (
                r#""userRiskLevels": ["low,medium"]"#,
                "user=$1 app=$2 risk=high",
                "no userRisk",
            ),
            (
                r#""userRiskLevels": ["none"]"#,
                "user=$1 app=$2 risk=none",
                "yes",
            ),
            (r#""userRiskLevels": []"#, "user=$1 app=$2", "yes"),
            (r#""clientAppTypes": ["All"]"#, "user=$1 app=$2", "yes"),
            (
                r#""users": {"includeUsers": ["$1"], "excludeGroups": null}"#,
                "user=$1 app=$2",
                "yes",
            ),
            (
                r#""users": {"includeUsers": "0000000A-0000-0000-0000-000000000001"}"#,
                "user=$1 app=$2",
                "yes",
            ),
            (
                r#""authenticationFlows": {"transferMethods": "deviceCodeFlow"}"#,
                "user=$1 app=$2",
                "unknown authenticationFlow",
            ),
            (
                r#""insiderRiskLevels": "minor,moderate""#,
                "user=$1 app=$2",
                "unknown insiderRisk",
            ),
        ],
    );
}

#[test]
fn row_9_members_not_understood() {
    run(
        "9",
        None,
        &[
            (
                r#""users": {"includeUsers": ["All"], "includeTeams": ["$1"]}"#,
                "user=$1 app=$2",
                "unknown users",
            ),
            (
                r#""users": {"includeusers": ["All"]}"#,
                "user=$1 app=$2",
                "unknown users",
            ),
            (
                r#""users": {"includeTeams": ["$1"]}"#,
                "sp=$1 app=$2",
                "no workloadIdentities",
            ),
            (r#""users": "All""#, "user=$1 app=$2", "unknown users"),
            (
                r#""applications": {"includeApplications": ["All"], "networkAccess": {"includeTrafficProfiles": "m365"}}"#,
                "user=$1 app=$2",
                "unknown application",
            ),
            (
                r#""applications": {"includeApplications": ["All"], "globalSecureAccess": true}"#,
                "user=$1 app=$2",
                "unknown application",
            ),
            (
                r#""platforms": {"includePlatforms": ["all"], "other": [0]}"#,
                "user=$1 app=$2",
                "unknown devicePlatform",
            ),
            (
                r#""platforms": ["iOS"]"#,
                "user=$1 app=$2 platform=iOS",
                "unknown devicePlatform",
            ),
            (
                r#""locations": {"includeLocations": ["All"], "other": false}"#,
                "user=$1 app=$2",
                "unknown location",
            ),
            (
                r#""devices": {"includeDevices": ["All"]}"#,
                "user=$1 app=$2",
                "unknown devices",
            ),
            (
                r#""agentIdRiskLevels": "high""#,
                "user=$1 app=$2",
                "unknown invalidCondition",
            ),
            (
                r#""deviceStates": {"includeStates": ["All"]}"#,
                "user=$1 app=$2",
                "unknown invalidCondition",
            ),
            (
                r#""agentContext": {"a": "b"}, "userRiskLevels": ["high"]"#,
                "user=$1 app=$2 risk=low",
                "no userRisk",
            ),
            (
                r#""times": {"includeAllTimes": false}"#,
                "user=$1 app=$2",
                "unknown time",
            ),
            (
                r#""servicePrincipalRiskLevels": ["high"]"#,
                "user=$1 app=$2",
                "unknown servicePrincipalRisk",
            ),
        ],
    );
}

#[test]
fn row_9_names_the_members() {
    let conditions = r#""users": {"includeUsers": ["All"], "includeTeams": ["$1"]}, "agentContext": {"a": "b"},
        "devices": {"deviceFilter": {"mode": "include", "rule": "x"}}, "clientAppTypes": ["modern", "browser"]"#;
    let set = compile(&policy(conditions), None).unwrap();
    assert_eq!(
        set.policies()[0].not_understood,
        [
            "conditions.agentContext.a",
            "conditions.users.includeTeams",
            "conditions.devices.deviceFilter.rule: column 1: expected a property such as `device.trustType`, found `x`",
            "conditions.clientAppTypes[modern]",
        ]
    );
}

#[test]
fn row_10_placeholders_may_be_anybody() {
    let exclude = r#""users": {"includeUsers": ["All"], "excludeGroups": ["<G>"]}"#;
    let roles = r#""users": {"includeRoles": ["Helpdesk Administrator", "$1"]}"#;
    run(
        "10",
        None,
        &[
            (exclude, "user=$1 app=$2 groups=$3", "unknown users"),
            (exclude, "user=$1 app=$2 groups=", "yes"),
            (exclude, "user=$1 app=$2", "unknown users"),
            (roles, "user=$1 app=$2 roles=$1", "yes"),
            (roles, "user=$1 app=$2 roles=$2", "unknown users"),
            (roles, "user=$1 app=$2 roles=", "no users"),
            (
                r#""users": {"includeUsers": ["ada@example.com"]}"#,
                "user=ada@example.com app=$2",
                "yes",
            ),
            (
                r#""users": {"includeUsers": ["Ada"]}"#,
                "user=$1 app=$2",
                "unknown users",
            ),
            (
                r#""users": {"includeUsers": [5]}"#,
                "user=$1 app=$2",
                "unknown users",
            ),
            (
                r#""users": {"includeGroups": ["All"]}"#,
                "user=$1 app=$2 groups=$3",
                "unknown users",
            ),
            (
                r#""applications": {"includeApplications": ["Office 365"]}"#,
                "user=$1 app=$2",
                "unknown application",
            ),
        ],
    );
}

#[test]
fn row_11_and_23_enumerations() {
    let others =
        r#""platforms": {"includePlatforms": ["all"], "excludePlatforms": ["android", "iOS"]}"#;
    let exclude_only = r#""platforms": {"excludePlatforms": ["macOS"]}"#;
    run(
        "11, 23",
        None,
        &[
            (
                r#""clientAppTypes": ["easUnsupported", "browser"]"#,
                "user=$1 app=$2 client=browser",
                "yes",
            ),
            (
                r#""clientAppTypes": ["easUnsupported", "browser"]"#,
                "user=$1 app=$2 client=other",
                "unknown clientApps",
            ),
            (
                r#""clientAppTypes": ["modern"]"#,
                "user=$1 app=$2",
                "unknown clientApps",
            ),
            (
                r#""clientAppTypes": ["easSupported"]"#,
                "user=$1 app=$2 client=exchangeActiveSync",
                "no clientApps",
            ),
            (
                r#""clientAppTypes": ["browser"]"#,
                "user=$1 app=$2 client=all",
                "unknown clientApps",
            ),
            (
                r#""clientAppTypes": ["browser"]"#,
                "user=$1 app=$2 client=BROWSER",
                "yes",
            ),
            (
                r#""userRiskLevels": ["critical"]"#,
                "user=$1 app=$2 risk=low",
                "unknown userRisk",
            ),
            (
                r#""userRiskLevels": ["hidden"]"#,
                "user=$1 app=$2 risk=low",
                "no userRisk",
            ),
            (
                r#""signInRiskLevels": ["high"]"#,
                "user=$1 app=$2 signin=medium",
                "no signInRisk",
            ),
            (
                r#""signInRiskLevels": ["high"]"#,
                "user=$1 app=$2",
                "unknown signInRisk",
            ),
            (others, "user=$1 app=$2 platform=windows", "yes"),
            (others, "user=$1 app=$2 platform=ios", "no devicePlatform"),
            (others, "user=$1 app=$2 platform=", "yes"),
            (others, "user=$1 app=$2", "unknown devicePlatform"),
            (
                others,
                "user=$1 app=$2 platform=unknownFutureValue",
                "unknown devicePlatform",
            ),
            (exclude_only, "user=$1 app=$2 platform=linux", "yes"),
            (
                exclude_only,
                "user=$1 app=$2 platform=macOS",
                "no devicePlatform",
            ),
            (
                r#""platforms": {"includePlatforms": ["iOS"]}"#,
                "user=$1 app=$2 platform=",
                "no devicePlatform",
            ),
            (
                r#""platforms": {"excludePlatforms": ["beos"]}"#,
                "user=$1 app=$2 platform=linux",
                "unknown devicePlatform",
            ),
        ],
    );
}

#[test]
fn rows_12_to_14_identities() {
    let union =
        r#""users": {"includeUsers": ["$1"], "includeGroups": ["$2"], "excludeRoles": ["$3"]}"#;
    let guests = r#""users": {"includeUsers": ["GuestsOrExternalUsers"]}"#;
    let object = r#""users": {"includeUsers": ["All"], "excludeGuestsOrExternalUsers":
        {"guestOrExternalUserTypes": "serviceProvider", "externalTenants": {"membershipKind": "all"}}}"#;
    let workload = r#""users": null, "clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]}"#;
    let agents =
        r#""users": null, "clientApplications": {"includeAgentIdServicePrincipals": ["All"]}"#;
    run(
        "12-14",
        None,
        &[
            (union, "user=$1 app=$4 groups= roles=", "yes"),
            (union, "user=$4 app=$4 groups=$2,$5 roles=", "yes"),
            (union, "user=$4 app=$4 groups=$5 roles=", "no users"),
            (union, "user=$1 app=$4 groups=$2 roles=$3", "no users"),
            (union, "user=$1 app=$4", "unknown users"),
            (union, "user=$4 app=$4 groups=$5", "no users"),
            (union, "app=$4", "unknown users"),
            (
                r#""users": {"includeUsers": ["None"]}"#,
                "user=$1 app=$2",
                "no users",
            ),
            (
                r#""users": {"includeUsers": ["None"]}"#,
                "app=$2",
                "no users",
            ),
            (
                r#""users": {"includeUsers": ["None"]}"#,
                "user=? app=$2",
                "no users",
            ),
            (
                r#""users": {"excludeUsers": ["$1"]}"#,
                "user=$2 app=$2",
                "no users",
            ),
            (
                r#""users": {"includeUsers": ["AllAgentIdUsers"]}"#,
                "user=$1 app=$2",
                "no users",
            ),
            (
                r#""users": {"includeUsers": ["AllAgentIdUsers"]}"#,
                "app=$2",
                "unknown users",
            ),
            (
                r#""users": {"includeUsers": ["All"]}"#,
                "user=? app=$2 type=guest",
                "yes",
            ),
            (guests, "user=$1 app=$2 type=guest", "yes"),
            (guests, "user=$1 app=$2 type=member", "no users"),
            (guests, "user=$1 app=$2", "unknown users"),
            (object, "user=$1 app=$2 type=member", "yes"),
            (object, "user=$1 app=$2 type=guest", "yes"),
            (object, "user=$1 app=$2", "unknown users"),
            (workload, "user=$1 app=$2", "no users"),
            (workload, "sp=$1 app=$2", "yes"),
            (workload, "app=$2", "unknown users"),
            (agents, "sp=$1 app=$2", "no workloadIdentities"),
            (agents, "app=$2", "unknown users"),
            (
                r#""users": {"includeUsers": ["All"]}"#,
                "sp=$1 app=$2",
                "no workloadIdentities",
            ),
            (
                r#""agents": {"includeAgentUsers": ["All"]}"#,
                "user=$1 app=$2",
                "yes",
            ),
        ],
    );
}

#[test]
fn rows_17_to_19_targets() {
    let office = r#""applications": {"includeApplications": ["Office365"]}"#;
    let portals = r#""applications": {"includeApplications": ["microsoftadminportals"]}"#;
    let filtered = r#""applications": {"includeApplications": ["$1"], "applicationFilter": {"mode": "include", "rule": "x"}}"#;
    let excluded = r#""applications": {"includeApplications": ["All"], "excludeApplications": ["$1"],
        "applicationFilter": {"mode": "exclude", "rule": "x"}}"#;
    let action = r#""applications": {"includeUserActions": ["urn:user:registersecurityinfo"]}"#;
    run(
        "17-19",
        None,
        &[
            (office, "user=$1 app=$8", "yes"),
            (office, "user=$1 app=$7", "unknown application"),
            (office, "user=$1 app=Office365", "no application"),
            (office, "user=$1 app=?", "unknown application"),
            (portals, "user=$1 app=$9", "yes"),
            (portals, "user=$1 app=$8", "no application"),
            (
                r#""applications": {"includeApplications": ["AllAgentIdResources"]}"#,
                "user=$1 app=$8",
                "unknown application",
            ),
            (
                r#""applications": {"includeApplications": ["All"], "excludeApplications": ["Office365"]}"#,
                "user=$1 app=$8",
                "no application",
            ),
            (filtered, "user=$1 app=$1", "yes"),
            (filtered, "user=$1 app=$2", "unknown application"),
            (excluded, "user=$1 app=$1", "no application"),
            (excluded, "user=$1 app=$2", "unknown application"),
            (
                r#""applications": {"includeApplications": ["All"]}"#,
                "user=$1 app=?",
                "yes",
            ),
            (
                r#""applications": {"includeApplications": ["All"]}"#,
                "user=$1",
                "unknown application",
            ),
            (
                r#""applications": {"includeApplications": ["None"]}"#,
                "user=$1",
                "no application",
            ),
            (
                r#""applications": {"includeApplications": ["None"]}"#,
                "user=$1 app=$1",
                "no application",
            ),
            (action, "user=$1 app=$1", "no application"),
            (action, "user=$1", "unknown application"),
            (
                r#""applications": {"includeApplications": ["None"], "includeAuthenticationContextClassReferences": ["c1"]}"#,
                "user=$1 app=$1",
                "no application",
            ),
        ],
    );
}

const PLACES: &str = r##"[
    {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "$1", "isTrusted": true, "ipRanges": [
        {"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "192.0.2.77/24"},
        {"@odata.type": "#microsoft.graph.iPv6CidrRange", "cidrAddress": "2001:db8:1:7::9d62/48"},
        {"lowerAddress": "198.51.100.10", "upperAddress": "198.51.100.20"}]},
    {"locationType": "ipNamedLocation", "id": "$2", "ipRanges": [{"cidrAddress": "xx.xx.xxx.xx/32"}, {"cidrAddress": "203.0.113.7"}]},
    {"id": "$3", "countriesAndRegions": ["de", "FR"], "includeUnknownCountriesAndRegions": true},
    {"id": "$4", "countriesAndRegions": ["DE"], "countryLookupMethod": "authenticatorAppGps"},
    {"@odata.type": "#microsoft.graph.compliantNetworkNamedLocation", "id": "$5", "isTrusted": true},
    {"@odata.type": "#microsoft.graph.countryNamedLocation", "id": "$6", "countriesAndRegions": []},
    {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "$7", "ipRanges": []},
    {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "$2", "ipRanges": [{"cidrAddress": "10.0.0.0/8"}]},
    {"id": "00000000-0000-0000-0000-000000000000", "ipRanges": [{"cidrAddress": "233.252.0.0/24"}]}
]"##;

#[test]
fn rows_20_to_22_locations() {
    let untrusted =
        r#""locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}"#;
    let unreadable = r#""locations": {"includeLocations": ["$2"]}"#;
    let country = r#""locations": {"includeLocations": ["$3"]}"#;
    run(
        "20-22",
        Some(PLACES),
        &[
            (
                r#""locations": {"includeLocations": ["All"]}"#,
                "user=$1 app=$2",
                "yes",
            ),
            (untrusted, "user=$1 app=$2 ip=192.0.2.1", "no location"),
            (
                untrusted,
                "user=$1 app=$2 ip=::ffff:192.0.2.1",
                "no location",
            ),
            (untrusted, "user=$1 app=$2 ip=198.51.100.20", "no location"),
            (untrusted, "user=$1 app=$2 ip=198.51.100.21", "yes"),
            (
                untrusted,
                "user=$1 app=$2 ip=2001:db8:1:ffff::1",
                "no location",
            ),
            (untrusted, "user=$1 app=$2 ip=2001:db8:2::1", "yes"),
            (untrusted, "user=$1 app=$2 ip=233.252.0.9", "no location"),
            (untrusted, "user=$1 app=$2", "unknown location"),
            (
                r#""locations": {"excludeLocations": ["$1"]}"#,
                "user=$1 app=$2 ip=203.0.113.7",
                "yes",
            ),
            (unreadable, "user=$1 app=$2 ip=203.0.113.7", "yes"),
            (unreadable, "user=$1 app=$2 ip=10.1.2.3", "yes"),
            (
                unreadable,
                "user=$1 app=$2 ip=203.0.113.8",
                "unknown location",
            ),
            (
                r#""locations": {"includeLocations": ["All"], "excludeLocations": ["$2"]}"#,
                "user=$1 app=$2 ip=203.0.113.8",
                "unknown location",
            ),
            (
                r#""locations": {"includeLocations": ["$9", "$1"]}"#,
                "user=$1 app=$2 ip=192.0.2.1",
                "yes",
            ),
            (
                r#""locations": {"includeLocations": ["$9", "$1"]}"#,
                "user=$1 app=$2 ip=192.0.3.1",
                "unknown location",
            ),
            (
                r#""locations": {"includeLocations": ["Head office"]}"#,
                "user=$1 app=$2 ip=192.0.3.1",
                "unknown location",
            ),
            (
                r#""locations": {"includeLocations": [7]}"#,
                "user=$1 app=$2 ip=192.0.3.1",
                "unknown location",
            ),
            (country, "user=$1 app=$2 ip=192.0.2.1", "unknown location"),
            (country, "user=$1 app=$2 country=DE", "yes"),
            (country, "user=$1 app=$2 country=US", "no location"),
            (country, "user=$1 app=$2 country=", "yes"),
            (country, "user=$1 app=$2 country=ZZ", "yes"),
            (
                r#""locations": {"includeLocations": ["$4"]}"#,
                "user=$1 app=$2 country=US",
                "unknown location",
            ),
            (
                r#""locations": {"includeLocations": ["$5"]}"#,
                "user=$1 app=$2 ip=192.0.2.1",
                "unknown location",
            ),
            (
                r#""locations": {"includeLocations": ["$6"]}"#,
                "user=$1 app=$2",
                "no location",
            ),
            (
                r#""locations": {"includeLocations": ["$7"]}"#,
                "user=$1 app=$2",
                "no location",
            ),
            (
                r#""locations": {"includeLocations": ["$3", "$1"]}"#,
                "user=$1 app=$2 ip=192.0.2.1",
                "yes",
            ),
            (
                r#""locations": {"includeLocations": ["$3", "$1"]}"#,
                "user=$1 app=$2 ip=192.0.3.1 country=US",
                "no location",
            ),
        ],
    );
    let nobody = Some(r#"[{"id": "$1", "ipRanges": [{"cidrAddress": "192.0.2.0/24"}]}]"#);
    run(
        "20",
        nobody,
        &[
            (untrusted, "user=$1 app=$2 ip=192.0.2.1", "yes"),
            (untrusted, "user=$1 app=$2", "yes"),
        ],
    );
    run(
        "20",
        None,
        &[(untrusted, "user=$1 app=$2 ip=192.0.2.1", "unknown location")],
    );
}

#[test]
fn facts_never_compare_by_accident() {
    run(
        "3",
        None,
        &[
            (
                r#""platforms": {"includePlatforms": ["iOS"]}"#,
                "user=$1 app=$2 platform=toaster",
                "unknown devicePlatform",
            ),
            (
                r#""users": {"includeUsers": ["$1"]}"#,
                "user=$1x app=$2",
                "no users",
            ),
        ],
    );
}
