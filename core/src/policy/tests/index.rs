//! The index agrees with asking every policy; candidates hold for every refinement of the facts (P4).

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::policy::what_if::Export;

const ADDRESSES: [&str; 6] = [
    "192.0.2.1",
    "192.0.2.200",
    "10.1.2.3",
    "203.0.113.5",
    "2001:db8::5",
    "::1",
];
const NAMED: &str = r#"[
    {"id": "$1", "isTrusted": true, "ipRanges": [{"cidrAddress": "192.0.2.0/25"}, {"cidrAddress": "2001:db8::/32"}]},
    {"id": "$2", "ipRanges": [{"cidrAddress": "192.0.2.0/24"}, {"cidrAddress": "bad"}]},
    {"id": "$3", "countriesAndRegions": ["DE"], "includeUnknownCountriesAndRegions": true},
    {"id": "$4", "ipRanges": [{"lowerAddress": "10.0.0.0", "upperAddress": "11.0.0.0"}]}
]"#;

fn list(from: &'static [&'static str]) -> impl Strategy<Value = Value> {
    subsequence(from, 0..=from.len().min(3)).prop_map(|entries| {
        entries
            .into_iter()
            .map(|entry| Value::from(expand(entry)))
            .collect()
    })
}

fn object(
    members: &'static [(&'static str, &'static [&'static str])],
) -> impl Strategy<Value = Value> {
    let lists: Vec<_> = members
        .iter()
        .map(|(name, from)| {
            prop_oneof![1 => Just(Value::Null), 1 => list(from)].prop_map(move |list| (*name, list))
        })
        .collect();
    lists.prop_map(|members| {
        Value::Object(
            members
                .into_iter()
                .map(|(name, list)| (name.into(), list))
                .collect(),
        )
    })
}

const IDS: &[&str] = &["$1", "$2", "$3", "<placeholder>"];
const USERS: &[(&str, &[&str])] = &[
    (
        "includeUsers",
        &["All", "None", "$1", "$2", "GuestsOrExternalUsers", "<x>"],
    ),
    (
        "excludeUsers",
        &["$1", "$3", "GuestsOrExternalUsers", "AllAgentIdUsers"],
    ),
    ("includeGroups", IDS),
    ("excludeGroups", IDS),
    ("includeRoles", IDS),
    ("excludeRoles", IDS),
];
const APPLICATIONS: &[(&str, &[&str])] = &[
    (
        "includeApplications",
        &["All", "None", "$1", "$2", "Office365", "Office 365"],
    ),
    (
        "excludeApplications",
        &["$1", "MicrosoftAdminPortals", "$8"],
    ),
    (
        "includeUserActions",
        &["urn:user:registerdevice", "urn:user:other"],
    ),
    (
        "includeAuthenticationContextClassReferences",
        &["c1", "c7", "c100"],
    ),
];
const WORKLOADS: &[(&str, &[&str])] = &[
    (
        "includeServicePrincipals",
        &["ServicePrincipalsInMyTenant", "$1", "$2", "<sp>"],
    ),
    ("excludeServicePrincipals", &["$1", "$3"]),
    ("includeAgentIdServicePrincipals", &["All"]),
];
const RULES: &[&str] = &[
    "device.isCompliant -ne True",
    "device.trustType -eq \"ServerAD\" -or device.displayName -startsWith \"saw\"",
    "device.extensionAttribute1 -eq \"x\"",
    "device.colour -eq \"red\"",
];
const LOCATIONS: &[(&str, &[&str])] = &[
    (
        "includeLocations",
        &["All", "AllTrusted", "$1", "$2", "$3", "$4", "$9"],
    ),
    ("excludeLocations", &["AllTrusted", "$1", "$2", "$3", "$4"]),
];
const PLATFORMS: &[(&str, &[&str])] = &[
    ("includePlatforms", &["all", "iOS", "linux", "beos"]),
    ("excludePlatforms", &["android", "iOS", "beos"]),
];

fn guests() -> impl Strategy<Value = Value> {
    let types = prop_oneof![
        Just("b2bCollaborationGuest,internalGuest"),
        Just("b2bCollaborationMember"),
        Just("serviceProvider,unknownFutureValue"),
        Just("none"),
    ];
    let tenants = prop_oneof![
        Just("null"),
        Just(r#"{"membershipKind": "all"}"#),
        Just(r#"{"membershipKind": "enumerated", "members": ["$1", "$2"]}"#),
        Just(r#"{"membershipKind": "enumerated", "members": ["$2", "<t>"]}"#),
        Just(r#"{"membershipKind": "odd", "members": ["$2"]}"#),
    ];
    (types, tenants).prop_map(|(types, tenants)| {
        value(&alloc::format!(
            r#"{{"guestOrExternalUserTypes": "{types}", "externalTenants": {tenants}}}"#
        ))
    })
}

fn filter() -> impl Strategy<Value = Value> {
    (select(vec!["include", "exclude"]), select(RULES.to_vec())).prop_map(|(mode, rule)| {
        let mut devices = value(r#"{"deviceFilter": {}}"#);
        devices["deviceFilter"]["mode"] = mode.into();
        devices["deviceFilter"]["rule"] = rule.into();
        devices
    })
}

/// Conditions that few policies have.
fn rarities() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let rarely = |name: &'static str| prop_oneof![8 => Just(None), 1 => Just(Some((name, value(r#"{"a": "b"}"#))))];
    let some = |name: &'static str, values: BoxedStrategy<Value>| prop_oneof![2 => Just(None), 1 => values.prop_map(move |value| Some((name, value)))];
    let texts = |from: &[&str]| {
        select(
            from.iter()
                .map(|text| Value::from(*text))
                .collect::<Vec<_>>(),
        )
        .boxed()
    };
    let flows = texts(&["none", "deviceCodeFlow", "authenticationTransfer, other"]);
    let flows = flows.prop_map(|methods| {
        let mut flows = value("{}");
        flows["transferMethods"] = methods;
        flows
    });
    (
        rarely("agentContext"),
        rarely("times"),
        rarely("agents"),
        some("devices", filter().boxed()),
        some("clientApplications", object(WORKLOADS).boxed()),
        some(
            "insiderRiskLevels",
            texts(&["minor", "moderate,elevated", "none"]),
        ),
        some("authenticationFlows", flows.boxed()),
        some(
            "servicePrincipalRiskLevels",
            list(&["low", "high", "critical"]).boxed(),
        ),
    )
        .prop_map(|(a, b, c, d, e, f, g, h)| {
            [a, b, c, d, e, f, g, h].into_iter().flatten().collect()
        })
}

fn users() -> impl Strategy<Value = Value> {
    let guests = || prop_oneof![3 => Just(Value::Null), 1 => guests()];
    (object(USERS), guests(), guests()).prop_map(|(mut users, include, exclude)| {
        users["includeGuestsOrExternalUsers"] = include;
        users["excludeGuestsOrExternalUsers"] = exclude;
        users
    })
}

fn a_policy() -> impl Strategy<Value = Value> {
    (
        prop_oneof![5 => Just("enabled"), 1 => Just("disabled"), 1 => Just("odd")],
        users(),
        object(APPLICATIONS),
        prop_oneof![object(LOCATIONS), Just(Value::Null)],
        prop_oneof![object(PLATFORMS), Just(Value::Null)],
        list(&["all", "browser", "other", "modern"]),
        list(&["low", "high", "critical"]),
        list(&["medium", "none"]),
        rarities(),
        prop_oneof![5 => Just(r#"{"builtInControls": ["mfa"]}"#), 1 => Just("null")],
    )
        .prop_map(
            |(state, users, apps, locations, platforms, client, risk, sign_in, odd, grant)| {
                let mut policy = value(r#"{"conditions": {}}"#);
                policy["state"] = state.into();
                policy["grantControls"] = value(grant);
                let conditions = &mut policy["conditions"];
                conditions["users"] = users;
                conditions["applications"] = apps;
                conditions["locations"] = locations;
                conditions["platforms"] = platforms;
                conditions["clientAppTypes"] = client;
                conditions["userRiskLevels"] = risk;
                conditions["signInRiskLevels"] = sign_in;
                for (name, value) in odd {
                    conditions[name] = value;
                }
                policy
            },
        )
}

fn maybe<T: Clone + core::fmt::Debug + 'static>(
    values: Vec<T>,
) -> impl Strategy<Value = Option<T>> {
    prop::option::of(select(values))
}

fn some_facts() -> impl Strategy<Value = OwnedFacts> {
    let ids = || prop::option::of(subsequence(vec![guid(1), guid(2), guid(7)], 0..=3));
    let id = || maybe(vec![guid(1), guid(2), guid(8), guid(9), "Office365".into()]);
    let risks = || {
        maybe(vec![
            RiskLevel::None,
            RiskLevel::Low,
            RiskLevel::Medium,
            RiskLevel::High,
        ])
    };
    (
        prop::option::of((prop_oneof![4 => Just(true), 1 => Just(false)], id())),
        ids(),
        ids(),
        maybe(vec![UserType::Member, UserType::Guest]),
        target(id()),
        maybe(vec!["browser".into(), "other".into(), "all".into()]),
        maybe(vec!["iOS".into(), "linux".into(), String::new()]),
        maybe(ADDRESSES.iter().map(|text| text.parse().unwrap()).collect()),
        maybe(vec!["DE".into(), "US".into(), String::new()]),
        (risks(), risks(), risks(), rest()),
    )
        .prop_map(
            |(
                identity,
                groups,
                roles,
                user_type,
                target,
                client,
                platform,
                address,
                country,
                risk,
            )| OwnedFacts {
                identity,
                groups,
                roles,
                user_type,
                target,
                client,
                platform,
                address,
                country,
                user_risk: risk.0,
                sign_in_risk: risk.1,
                service_principal_risk: risk.2,
                insider_risk: risk.3.0,
                transfer: risk.3.1,
                external: risk.3.2,
                tenant: risk.3.3,
                device: risk.3.4,
            },
        )
}

type Rest = (
    Option<InsiderRisk>,
    Option<String>,
    Option<UserKinds>,
    Option<String>,
    Option<Device>,
);

fn rest() -> impl Strategy<Value = Rest> {
    (
        maybe(vec![InsiderRisk::None, InsiderRisk::Moderate]),
        maybe(vec!["none".into(), "deviceCodeFlow".into(), "odd".into()]),
        maybe(vec![
            UserKinds::external("internalGuest").unwrap(),
            UserKinds::external("b2bCollaborationMember,serviceProvider").unwrap(),
        ]),
        maybe(vec![guid(1), guid(2), guid(5)]),
        maybe(
            [
                "none",
                "isCompliant:true;displayName:SAW-1;trustType:ServerAD;extensionAttribute1:x",
                "isCompliant:false;displayName:;trustType:AzureAD",
                "displayName:saw",
            ]
            .map(device)
            .into(),
        ),
    )
}

fn target(
    id: impl Strategy<Value = Option<String>> + 'static,
) -> impl Strategy<Value = Option<OwnedTarget>> {
    let apps = subsequence(vec![guid(1), guid(2), guid(8), "Office365".into()], 0..=3);
    let actions = vec![
        UserAction::RegisterOrJoinDevices,
        UserAction::RegisterSecurityInformation,
    ];
    let contexts = maybe(vec!["c1".into(), "C7".into(), "c8".into(), "x".into()]);
    prop_oneof![
        1 => Just(None),
        5 => id.prop_map(|id| Some(OwnedTarget::Application(id))),
        1 => apps.prop_map(|ids| Some(OwnedTarget::Applications(ids))),
        1 => maybe(actions).prop_map(|action| Some(OwnedTarget::Action(action))),
        1 => contexts.prop_map(|context| Some(OwnedTarget::Context(context))),
    ]
}

/// The facts with those forgotten whose bit is not set.
fn forget(facts: &OwnedFacts, known: u32) -> OwnedFacts {
    fn keep<T: Clone>(known: u32, bit: u32, fact: &Option<T>) -> Option<T> {
        fact.clone().filter(|_| known & (1 << bit) != 0)
    }
    // Beside a known type the absence of these is a fact (row 14): the type goes with them.
    let typed = facts.user_type.is_some();
    OwnedFacts {
        identity: keep(known, 0, &facts.identity)
            .map(|(user, id)| (user, id.filter(|_| known & (1 << 11) != 0))),
        groups: keep(known, 1, &facts.groups),
        roles: keep(known, 2, &facts.roles),
        user_type: keep(known, 3, &facts.user_type),
        target: keep(known, 4, &facts.target).map(|target| {
            let inner = known & (1 << 12) != 0;
            match target {
                OwnedTarget::Application(id) => OwnedTarget::Application(id.filter(|_| inner)),
                OwnedTarget::Action(action) => OwnedTarget::Action(action.filter(|_| inner)),
                OwnedTarget::Context(context) => OwnedTarget::Context(context.filter(|_| inner)),
                // No application is one unknown application, and one of several is no less than all of them.
                OwnedTarget::Applications(ids) if inner => OwnedTarget::Applications(ids),
                OwnedTarget::Applications(_) => OwnedTarget::Applications(Vec::new()),
            }
        }),
        client: keep(known, 5, &facts.client),
        platform: keep(known, 6, &facts.platform),
        address: keep(known, 7, &facts.address),
        country: keep(known, 8, &facts.country),
        user_risk: keep(known, 9, &facts.user_risk),
        sign_in_risk: keep(known, 10, &facts.sign_in_risk),
        service_principal_risk: keep(known, 13, &facts.service_principal_risk),
        insider_risk: keep(known, 14, &facts.insider_risk),
        transfer: keep(known, 15, &facts.transfer),
        external: keep(known, if typed { 3 } else { 16 }, &facts.external),
        tenant: keep(known, if typed { 3 } else { 17 }, &facts.tenant),
        device: keep(known, 18, &facts.device),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_agrees_with_every_policy(
        policies in prop::collection::vec(a_policy(), 1..70),
        facts in some_facts(),
        at_begin in any::<u32>(),
    ) {
        let set = compile(&Value::Array(policies), Some(&value(NAMED))).unwrap();
        let fewer = forget(&facts, at_begin);
        let candidates = fewer.with(|fewer| set.candidates(fewer));
        facts.with(|facts| {
            let indexed: Vec<(usize, Applicability)> = set
                .evaluate(&candidates, facts)
                .map(|(policy, applicability)| (policy.index, applicability))
                .collect();
            let earlier = fewer.with(|fewer| {
                set.evaluate_all(fewer).into_iter().map(|row| row.1).collect::<Vec<_>>()
            });
            for (policy, direct) in set.evaluate_all(facts) {
                let found = indexed.iter().find(|(index, _)| *index == policy.index).map(|row| row.1);
                match (direct, found) {
                    (Applicability::DoesNotApply(_), None) => {}
                    (direct, found) => prop_assert_eq!(Some(direct), found, "policy {}", policy.index),
                }
                match earlier[policy.index] {
                    Applicability::Undetermined(_) => {}
                    Applicability::Applies => prop_assert_eq!(direct, Applicability::Applies),
                    Applicability::DoesNotApply(_) => {
                        prop_assert!(matches!(direct, Applicability::DoesNotApply(_)));
                        prop_assert!(found.is_none(), "candidates hold no policy that is ruled out");
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn no_document_panics(document in any_json(), locations in any_json()) {
        let (text, places) = (document.to_string(), locations.to_string());
        let _ = compile(&document, Some(&locations)).map(|set| set.candidates(&Facts::UNKNOWN).len());
        let _ = check::check(&Export {
            policies: &[("f", &text)],
            named_locations: Some(&places),
            ..Export::default()
        });
        let _ = check::match_locations(&places, &["192.0.2.1", &text]);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let names = select(vec![
        "value",
        "id",
        "state",
        "conditions",
        "users",
        "includeUsers",
        "excludeGroups",
        "applications",
        "includeApplications",
        "locations",
        "includeLocations",
        "platforms",
        "grantControls",
        "builtInControls",
        "sessionControls",
        "signInFrequency",
        "clientAppTypes",
        "ipRanges",
        "cidrAddress",
        "lowerAddress",
        "upperAddress",
        "countriesAndRegions",
        "@odata.type",
        "isTrusted",
        "modifiedDateTime",
        "operator",
        "authenticationStrength",
        "userRiskLevels",
        "\u{e9}",
    ]);
    let texts = select(vec![
        "",
        "All",
        "enabled",
        "mfa",
        "block",
        "::/0",
        "0.0.0.0/0",
        "255.255.255.255/1",
        "::ffff:0:0/96",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "1.2.3.4/999",
        "/",
        "2019-13-45T99:99:99Z",
        "\u{130}-T:Z",
        "#microsoft.graph.ipNamedLocation",
        "countryNamedLocation",
        "AllTrusted",
        "high,,low",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        texts.prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..7).prop_map(|members| Value::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (name.into(), value))
                    .collect()
            )),
        ]
    })
}
