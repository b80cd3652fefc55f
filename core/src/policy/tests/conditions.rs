//! Rows 11 to 19 of `policy-semantics.md` for conditions that single facts decide: guests, devices, targets, risk,
//! flows.

use alloc::format;

use super::rows::run;

#[test]
fn row_13_service_principals() {
    let all = r#""users": null, "clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"],
        "excludeServicePrincipals": ["$3"]}"#;
    let listed = r#""clientApplications": {"includeServicePrincipals": ["$1", "<sp>"]}"#;
    let filtered = |mode: &str| {
        format!(
            r#""clientApplications": {{"includeServicePrincipals": ["$1"], "excludeServicePrincipals": ["$2"],
            "servicePrincipalFilter": {{"mode": "{mode}", "rule": "x"}}}}"#
        )
    };
    let (include, exclude, odd) = (filtered("include"), filtered("exclude"), filtered("odd"));
    let unknown = "unknown workloadIdentities";
    run(
        "13",
        None,
        &[
            (all, "sp=$1 app=$2", "yes"),
            (all, "sp=$3 app=$2", "no workloadIdentities"),
            (all, "sp=? app=$2", unknown),
            (all, "sp=$1 app=$2 groups=$3 roles=$3", "yes"),
            (all, "user=$1 app=$2", "no users"),
            (listed, "sp=$1 app=$2", "yes"),
            (listed, "sp=$2 app=$2", unknown),
            // The users part of the same policy goes on matching users.
            (listed, "user=$2 app=$2", "yes"),
            (&include, "sp=$1 app=$2", "yes"),
            (&include, "sp=$2 app=$2", "no workloadIdentities"),
            (&include, "sp=$4 app=$2", unknown),
            (&exclude, "sp=$1 app=$2", unknown),
            (&exclude, "sp=$4 app=$2", "no workloadIdentities"),
            (&odd, "sp=$1 app=$2", unknown),
            (&odd, "sp=$4 app=$2", unknown),
            (
                r#""clientApplications": {"includeServicePrincipals": ["$1"], "other": 1}"#,
                "sp=$4 app=$2",
                unknown,
            ),
            (
                r#""users": {"includeUsers": ["None"]}, "clientApplications": {"excludeServicePrincipals": ["$1"]}"#,
                "app=$2",
                "no users",
            ),
            (
                r#""users": null, "clientApplications": {"agentIdServicePrincipalFilter": {"mode": "include", "rule": "x"}}"#,
                "sp=$1 app=$2",
                "no workloadIdentities",
            ),
            (
                r#""clientApplications": {"includeServicePrincipals": ["$1"]}, "servicePrincipalRiskLevels": ["high"]"#,
                "sp=$1 app=$2 sprisk=high",
                "yes",
            ),
            (
                r#""clientApplications": {"includeServicePrincipals": ["$1"]}, "servicePrincipalRiskLevels": ["high"]"#,
                "sp=$1 app=$2 sprisk=low",
                "no servicePrincipalRisk",
            ),
        ],
    );
}

#[test]
fn row_14_guests() {
    let object = |types: &str, tenants: &str| {
        format!(
            r#""users": {{"includeGuestsOrExternalUsers": {{"guestOrExternalUserTypes": "{types}", "externalTenants": {tenants}}}}}"#
        )
    };
    let every = object(
        "internalGuest, B2BCollaborationGuest,b2bCollaborationMember,b2bDirectConnectUser,otherExternalUser,serviceProvider",
        r##"{"@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants", "membershipKind": "all"}"##,
    );
    let two = object(
        "internalGuest,b2bCollaborationGuest",
        r#"{"membershipKind": "enumerated", "members": ["$1", "$2"]}"#,
    );
    let typed = object(
        "b2bCollaborationGuest",
        r##"{"@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants", "members": ["$1"]}"##,
    );
    let empty = object(
        "b2bCollaborationGuest",
        r#"{"membershipKind": "enumerated", "members": []}"#,
    );
    let placeholder = object(
        "b2bCollaborationGuest",
        r#"{"membershipKind": "enumerated", "members": ["<tenant>"]}"#,
    );
    let odd_kind = object("b2bCollaborationGuest", r#"{"membershipKind": "some"}"#);
    let no_types = object("none", "null");
    let odd_type = object("b2bCollaborationGuest,tourist", "null");
    let keyword = r#""users": {"includeUsers": ["guestsOrExternalUsers"]}"#;
    let (yes, no, unknown) = ("yes", "no users", "unknown users");
    for (conditions, facts, expected) in [
        (every.as_str(), "type=guest", yes),
        (&every, "type=member", no),
        (&every, "type=member tenant=$9", yes),
        (&every, "tenant=$9", yes),
        (&every, "", unknown),
        (keyword, "type=member", no),
        (keyword, "type=member tenant=$9", yes),
        (keyword, "type=member external=serviceProvider", yes),
        (keyword, "tenant=$9", yes),
        (keyword, "", unknown),
        (&two, "type=guest", unknown),
        (&two, "type=guest tenant=$1", yes),
        (&two, "type=guest tenant=$3", no),
        (&two, "external=internalGuest", no),
        (&two, "external=b2bCollaborationGuest", unknown),
        (&two, "external=b2bCollaborationGuest tenant=$2", yes),
        (&two, "external=serviceProvider tenant=$2", no),
        (
            &two,
            "external=serviceProvider,b2bCollaborationGuest tenant=$2",
            unknown,
        ),
        (&two, "tenant=$2", unknown),
        (&typed, "type=guest tenant=$1", yes),
        (&typed, "type=guest tenant=$2", no),
        (&empty, "type=guest tenant=$1", no),
        (&empty, "external=b2bCollaborationGuest", no),
        (&placeholder, "type=guest tenant=$1", unknown),
        (&placeholder, "type=member", no),
        (&odd_kind, "type=guest tenant=$1", unknown),
        (&odd_kind, "type=member", no),
        (&no_types, "type=guest tenant=$1", no),
        (&odd_type, "type=guest tenant=$1", yes),
        (&odd_type, "external=serviceProvider", unknown),
        (
            r#""users": {"includeUsers": ["All"], "excludeGuestsOrExternalUsers": {"x": 1}}"#,
            "type=member",
            unknown,
        ),
        (
            r#""users": {"includeUsers": ["All"], "excludeGuestsOrExternalUsers": "serviceProvider"}"#,
            "type=member",
            unknown,
        ),
    ] {
        let facts = format!("user=$1 app=$2 groups= roles= {facts}");
        run("14", None, &[(conditions, &facts, expected)]);
    }
}

#[test]
fn rows_15_and_16_device_filters() {
    let filter = |mode: &str, rule: &str| {
        format!(r#""devices": {{"deviceFilter": {{"mode": "{mode}", "rule": "{rule}"}}}}"#)
    };
    let not_compliant = filter("include", "device.isCompliant -ne True");
    let hybrid = filter("Exclude", r#"device.trustType -eq \"ServerAD\""#);
    let (yes, no, unknown) = ("yes", "no devices", "unknown devices");
    for (conditions, device, expected) in [
        (not_compliant.as_str(), "none", yes),
        (&not_compliant, "isCompliant:false", yes),
        (&not_compliant, "isCompliant:true", no),
        (&not_compliant, "deviceId:d", unknown),
        (&hybrid, "none", yes),
        (&hybrid, "trustType:ServerAD", no),
        (&hybrid, "trustType:AzureAD", yes),
        (&hybrid, "", unknown),
        (
            &filter("include", "device.isCompliant"),
            "isCompliant:true",
            unknown,
        ),
        (
            &filter("odd", "device.isCompliant -eq True"),
            "isCompliant:true",
            unknown,
        ),
        (&filter("include", ""), "isCompliant:true", unknown),
        (
            r#""devices": {"includeDevices": ["All"]}"#,
            "isCompliant:true",
            unknown,
        ),
        (
            r#""devices": {"deviceFilter": {"mode": "include", "rule": "device.isCompliant -eq True", "x": 1}}"#,
            "isCompliant:true",
            unknown,
        ),
    ] {
        let facts = format!("user=$1 app=$2 device={device}");
        run("15", None, &[(conditions, &facts, expected)]);
    }
    run("15", None, &[(&hybrid, "user=$1 app=$2", unknown)]);
}

#[test]
fn row_19_user_actions_contexts_and_several_applications() {
    let action = r#""applications": {"includeUserActions": ["URN:user:registerSecurityInfo"], "includeApplications": ["None"]}"#;
    let odd_action =
        r#""applications": {"includeUserActions": ["urn:user:x", "urn:user:registerdevice"]}"#;
    let context = r#""applications": {"includeApplications": ["None"], "includeAuthenticationContextClassReferences": ["c1", "C25"]}"#;
    let odd_context =
        r#""applications": {"includeAuthenticationContextClassReferences": ["c100"]}"#;
    let except =
        r#""applications": {"includeApplications": ["All"], "excludeApplications": ["$1"]}"#;
    run(
        "19",
        None,
        &[
            (action, "user=$1 action=registerSecurityInformation", "yes"),
            (
                action,
                "user=$1 action=registerOrJoinDevices",
                "no userActions",
            ),
            (
                action,
                "user=$1 action=urn:user:registersecurityinfo",
                "yes",
            ),
            (action, "user=$1 action=?", "unknown userActions"),
            (action, "user=$1 app=$2", "no application"),
            (action, "user=$1", "unknown application"),
            (action, "user=$1 context=c1", "no authenticationContext"),
            (odd_action, "user=$1 action=registerOrJoinDevices", "yes"),
            (
                odd_action,
                "user=$1 action=registerSecurityInformation",
                "unknown userActions",
            ),
            (context, "user=$1 context=c1", "yes"),
            (context, "user=$1 context=c25", "yes"),
            (context, "user=$1 context=c2", "no authenticationContext"),
            (
                context,
                "user=$1 context=?",
                "unknown authenticationContext",
            ),
            (
                context,
                "user=$1 context=x",
                "unknown authenticationContext",
            ),
            (context, "user=$1 app=$2", "no application"),
            (context, "user=$1", "unknown application"),
            (
                odd_context,
                "user=$1 context=c2",
                "unknown authenticationContext",
            ),
            (except, "user=$1 context=c1", "no authenticationContext"),
            (
                except,
                "user=$1 action=registerOrJoinDevices",
                "no userActions",
            ),
            (except, "user=$1 apps=$1,$2", "yes"),
            (except, "user=$1 apps=$1", "no application"),
            (except, "user=$1 apps=", "unknown application"),
            (
                r#""applications": {"includeApplications": ["All"]}"#,
                "user=$1 apps=",
                "yes",
            ),
            (
                r#""applications": {"includeUserActions": ["urn:user:registerdevice"], "networkAccess": {"a": 1}}"#,
                "user=$1 action=registerSecurityInformation",
                "unknown userActions",
            ),
            (
                r#""applications": {"includeApplications": ["None"]}"#,
                "user=$1",
                "no application",
            ),
        ],
    );
}

#[test]
fn insider_risk_and_authentication_flows() {
    let insider = r#""insiderRiskLevels": "minor,moderate""#;
    let listed = r#""insiderRiskLevels": ["elevated"]"#;
    let odd = r#""insiderRiskLevels": "none,minor""#;
    let flow =
        r#""authenticationFlows": {"transferMethods": "deviceCodeFlow, authenticationTransfer"}"#;
    let list = r#""authenticationFlows": {"transferMethods": ["DeviceCodeFlow"]}"#;
    let nothing = r#""authenticationFlows": {"transferMethods": "none"}"#;
    let member = r#""authenticationFlows": {"transferMethods": "deviceCodeFlow", "x": 1}"#;
    let (yes, no, unknown) = ("yes", "no insiderRisk", "unknown insiderRisk");
    let (no_flow, unknown_flow) = ("no authenticationFlow", "unknown authenticationFlow");
    for (conditions, facts, expected) in [
        (insider, "insider=minor", yes),
        (insider, "insider=moderate", yes),
        (insider, "insider=elevated", no),
        (insider, "insider=none", no),
        (insider, "insider=hidden", unknown),
        (insider, "", unknown),
        (listed, "insider=elevated", yes),
        (odd, "insider=minor", yes),
        (odd, "insider=none", unknown),
        (flow, "flow=deviceCodeFlow", yes),
        (flow, "flow=AuthenticationTransfer", yes),
        (flow, "flow=none", no_flow),
        (flow, "flow=odd", unknown_flow),
        (list, "flow=authenticationTransfer", no_flow),
        (nothing, "flow=deviceCodeFlow", no_flow),
        (member, "flow=none", unknown_flow),
        (
            r#""authenticationFlows": "deviceCodeFlow""#,
            "flow=none",
            unknown_flow,
        ),
        (
            r#""userRiskLevels": ["all"]"#,
            "risk=low",
            "unknown userRisk",
        ),
    ] {
        let facts = format!("user=$1 app=$2 {facts}");
        run("8", None, &[(conditions, &facts, expected)]);
    }
}

#[test]
fn row_20_a_country_is_never_trusted_whatever_its_id_and_however_it_is_looked_up() {
    let trusted = r#""locations": {"includeLocations": ["AllTrusted"]}"#;
    for lookup in ["clientIpAddress", "authenticatorAppGps"] {
        let places = format!(
            r#"[{{"id": "00000000-0000-0000-0000-000000000000", "countriesAndRegions": ["DE"], "countryLookupMethod": "{lookup}"}}]"#
        );
        let asked = "user=$1 app=$2 ip=192.0.2.1 country=DE";
        run("20", Some(&places), &[(trusted, asked, "no location")]);
    }
}

#[test]
fn rows_20_to_22_locations_that_only_the_issuer_sees() {
    let places = r##"[
        {"id": "$1", "@odata.type": "#microsoft.graph.compliantNetworkNamedLocation", "compliantNetworkType": "allTenantCompliantNetworks"},
        {"id": "$2", "countriesAndRegions": ["DE"], "countryLookupMethod": "authenticatorAppGps"},
        {"id": "$3", "countriesAndRegions": ["DE"], "isTrusted": true},
        {"id": "00000000-0000-0000-0000-000000000000", "ipRanges": [{"cidrAddress": "192.0.2.0/24"}]}
    ]"##;
    let include = |id: &str| format!(r#""locations": {{"includeLocations": ["{id}"]}}"#);
    let (network, gps, zero) = (
        include("$1"),
        include("$2"),
        include("00000000-0000-0000-0000-000000000000"),
    );
    run(
        "20-22",
        Some(places),
        &[
            (
                &network,
                "user=$1 app=$2 ip=192.0.2.1 country=DE",
                "unknown location",
            ),
            (
                &gps,
                "user=$1 app=$2 ip=192.0.2.1 country=DE",
                "unknown location",
            ),
            (&zero, "user=$1 app=$2 ip=192.0.2.1", "yes"),
            (&include("AllTrusted"), "user=$1 app=$2 ip=192.0.2.1", "yes"),
            // Country locations are never trusted.
            (
                &include("AllTrusted"),
                "user=$1 app=$2 ip=198.51.100.1 country=DE",
                "no location",
            ),
        ],
    );
}
