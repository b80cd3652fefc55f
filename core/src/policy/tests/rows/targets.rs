//! Rows 12 to 22: whom, what and where.

use super::run;

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
