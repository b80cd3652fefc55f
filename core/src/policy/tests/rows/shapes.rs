//! Rows 4 to 11 and 23: states, shapes, members and values that are not understood.

use super::super::*;
use super::run;

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
