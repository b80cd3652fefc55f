use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;
use serde_json::json;

use super::issuer::Preset;
use super::read::{
    BAD_VALUE, DUPLICATE, MALFORMED, MISSING_MEMBER, NOT_ALLOWED, NOT_FOUND, OUT_OF_RANGE,
    UNKNOWN_MEMBER, WRONG_TYPE,
};
use super::settings::{LocationEnforcement, Profile, Undetermined};
use super::transmitter::{Brake, SessionRevokedByUser};
use super::*;
use crate::json::Value;
use crate::state::record::{RiskLevel, UnseenMember};
use crate::token::claims::Part;
use crate::token::keys::Algorithm;

mod schema;

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

/// The example of design §9.
fn example() -> Value {
    let issuer = format!("https://login.example/{TENANT}/v2.0");
    json!({
        "resource": {
            "audiences": ["api://orders"],
            "applicationId": "A1B2C3D4-0000-4000-8000-000000000001",
            "authorizationUri": "https://login.example/authorize",
            "realm": ""
        },
        "issuers": [{
            "issuer": issuer, "claims": "entra-v2", "algorithms": ["RS256"],
            "jwks": {"keys": []}, "challenge": "entra"
        }],
        "transmitters": [{
            "issuer": "https://ssf.example", "audience": "https://api.example",
            "jwks": {"keys": []}, "speaksFor": [issuer]
        }],
        "policies": [], "namedLocations": [], "authenticationStrengths": [],
        "settings": {"profile": "full", "clockSkewSeconds": 60}
    })
}

/// The example with one value set, its parents being there.
fn example_with(pointer: &str, value: Value) -> Value {
    let mut document = example();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[key] = value;
    document
}

fn read(document: &Value) -> Configuration {
    Configuration::compile(document).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn faults(document: &Value) -> Vec<(String, &'static str)> {
    match Configuration::compile(document) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0.into_iter().map(|fault| (fault.at, fault.code)).collect(),
    }
}

#[test]
fn the_example_reads() {
    let configuration = Configuration::read(&example().to_string()).unwrap();
    assert_eq!(
        configuration.resource,
        Resource {
            audiences: vec!["api://orders".into()],
            application_id: Some("a1b2c3d4-0000-4000-8000-000000000001".into()),
            authorization_uri: Some("https://login.example/authorize".into()),
            realm: Some(String::new()),
        }
    );
    let issuer = &configuration.issuers[0];
    assert_eq!(issuer.preset, Preset::EntraV2);
    assert_eq!(issuer.dialect, Dialect::Entra);
    assert_eq!(issuer.algorithms, [Algorithm::Rs256]);
    assert_eq!(issuer.audiences, ["api://orders"]);
    assert_eq!(issuer.types, ["jwt"]);
    assert_eq!(issuer.issue_time_backdated, 300);
    assert!(issuer.honours_nbf && issuer.enforces_policies && !issuer.email_is_stable);
    assert_eq!(configuration.longest_token_age(issuer), 100_800 + 300);

    let transmitter = &configuration.transmitters[0];
    assert_eq!(transmitter.audience.as_deref(), Some("https://api.example"));
    assert_eq!(transmitter.speaks_for, [0]);
    assert_eq!(transmitter.standing_state_max_age, 7_776_000);
    assert_eq!(transmitter.session_revoked_by_user, SessionRevokedByUser::Revoke);
    assert!(!transmitter.algorithms.contains(&Algorithm::Hs256));
    assert_eq!(configuration.settings, Settings::default());
}

#[test]
fn everything_that_can_be_said_is_kept() {
    let configuration = read(&json!({
        "$schema": "engine.schema.json",
        "issuers": [{
            "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
            "tenants": [TENANT.to_uppercase()],
            "claims": {"preset": "entra-v2", "session": "session_id", "device": "", "typ": "JWT",
                       "issueTimeBackdated": 60, "honoursNbf": false},
            "issuerAliases": ["https://login.example/{tenantid}/"],
            "enforcesPolicies": false, "emailIsStable": true,
            "aliases": {"u1": ["U1@Example.com", "+15551234567"], "u2": "u2@example.com"},
            "alwaysPresent": ["amr", "groups"],
            "acrValues": {"mfa": "phr", "authenticationStrength:ABC": "phrh"},
            "assuranceLevels": {"phr": "nist-aal3"},
            "algorithms": ["RS256", "EdDSA"], "jwksUri": "https://login.example/keys",
            "challenge": "oauth", "audiences": ["api://a", "api://b"],
            "policies": [], "namedLocations": []
        }],
        "transmitters": [{
            "issuer": "https://ssf.example", "audience": "aud", "algorithms": ["ES256"],
            "jwksUri": "https://ssf.example/keys",
            "speaksFor": ["https://login.example/{tenantid}/", "https://login.microsoftonline.com/{tenantid}/v2.0"],
            "actsForIssuer": true, "opaqueScope": TENANT, "legacy": true,
            "sessionRevokedByUser": "ignore", "mfaEnabledByUser": true, "unseenMember": "failSafe",
            "standingStateMaxAgeSeconds": 86400, "criticalSubjectMembers": ["device"],
            "brake": {"subjectsPerMinute": 100, "hold": true}
        }],
        "authenticationStrengths": {"value": [{"id": "x"}]},
        "settings": {
            "profile": "entra", "maxLocationRanges": "unlimited", "maxTokenAgeSeconds": {"other": 3600},
            "criticalRiskLevel": "medium", "undetermined": {"default": "report", "ABC": "deny"},
            "unseenMember": "precise", "maxSignalAgeSeconds": 60,
            "policyChangedAt": {"P1": 1_714_564_800, "P2": "2024-05-01T12:00:00Z"},
            "middleTierClients": ["ABC"],
            "applicationGroups": {"office365": {"ids": [TENANT.to_uppercase()], "complete": true}},
            "requiredScopes": {"/a": "x", "/b": ["y", "z"]},
            "requiredAuthenticationContexts": {"/pay": "c1"},
            "limits": {"tokenBytes": 8192, "depth": 8}
        }
    }));
    let issuer = &configuration.issuers[0];
    assert_eq!(issuer.tenants, [TENANT]);
    assert_eq!(issuer.claims.name(Part::Session), Some("session_id"));
    assert_eq!(issuer.claims.name(Part::Device), None);
    assert_eq!(issuer.claims.name(Part::User), Some("oid"));
    assert_eq!(
        issuer.issuer_aliases,
        ["https://login.example/{tenantid}/", "https://sts.windows.net/{tenantid}/"]
    );
    assert_eq!(issuer.issue_time_backdated, 60);
    assert!(!issuer.honours_nbf && !issuer.enforces_policies && issuer.email_is_stable);
    assert_eq!(issuer.aliases["u1"], ["u1@example.com", "+15551234567"]);
    assert_eq!(issuer.aliases["u2"], ["u2@example.com"]);
    assert_eq!(issuer.acr_values["authenticationStrength:abc"], "phrh");
    assert_eq!(issuer.assurance_levels["phr"], "nist-aal3");
    assert_eq!(issuer.algorithms, [Algorithm::Rs256, Algorithm::EdDsa]);
    assert_eq!(issuer.jwks_uri.as_deref(), Some("https://login.example/keys"));
    assert_eq!(issuer.audiences, ["api://a", "api://b"]);
    assert_eq!(issuer.dialect, Dialect::OAuth);

    let transmitter = &configuration.transmitters[0];
    assert_eq!(transmitter.speaks_for, [0], "two names of one issuer");
    assert_eq!(transmitter.acts_for_issuer, Some(true));
    assert_eq!(transmitter.opaque_scope.as_deref(), Some(TENANT));
    assert_eq!(transmitter.unseen_member, Some(UnseenMember::FailSafe));
    assert_eq!(transmitter.brake, Some(Brake { subjects_per_minute: 100, hold: true }));
    assert!(transmitter.legacy && transmitter.mfa_enabled_by_user);
    assert_eq!(transmitter.critical_subject_members, ["device"]);

    let settings = &configuration.settings;
    assert_eq!(settings.max_location_ranges, None);
    assert_eq!((settings.max_token_age_capable, settings.max_token_age_other), (100_800, 3_600));
    assert_eq!(settings.critical_risk_level, RiskLevel::Medium);
    assert_eq!(settings.undetermined, Undetermined::Report);
    assert_eq!(settings.undetermined_by_policy["abc"], Undetermined::Deny);
    assert_eq!(settings.unseen_member, Some(UnseenMember::Precise));
    assert_eq!(settings.policy_changed_at["p1"], settings.policy_changed_at["p2"]);
    assert_eq!(settings.middle_tier_clients, ["abc"]);
    assert_eq!(settings.application_groups["office365"].ids, [TENANT]);
    assert!(settings.application_groups["office365"].complete);
    assert!(settings.application_groups.contains_key("microsoftadminportals"));
    assert_eq!(settings.required_scopes["/a"], ["x"]);
    assert_eq!(settings.required_scopes["/b"], ["y", "z"]);
    assert_eq!(settings.required_authentication_contexts["/pay"], ["c1"]);
    assert_eq!(settings.token_limits, Limits { bytes: 8_192, depth: 8 });
    assert_eq!(settings.event_limits, Limits { bytes: 1 << 20, depth: 8 });
}

/// `enforcement.md` §8, row by row.
#[test]
fn profiles_have_the_defaults_of_the_table() {
    let of = |profile: &str| read(&example_with("/settings/profile", json!(profile))).settings;
    let (full, entra, entra2020) = (of("full"), of("entra"), of("entra-2020"));
    assert_eq!(full, Settings::default());
    for settings in [&full, &entra, &entra2020] {
        assert_eq!((settings.clock_skew, settings.signal_skew), (60, 300));
        assert_eq!(settings.max_token_age_other, 86_400);
        assert_eq!(settings.critical_risk_level, RiskLevel::High);
        assert_eq!(settings.unseen_member, None);
        assert!(!settings.allow_tenant_wide);
        assert_eq!(settings.on_error, settings::OnError::Deny);
        assert_eq!(settings.on_stale_signals, settings::OnStaleSignals::Report);
        assert_eq!(settings.max_signal_age, None);
        assert_eq!(settings.policy_change_grace, 7_200);
        assert!(settings.policy_changed_at.is_empty());
        assert!(!settings.country_at_resource);
        assert_eq!(settings.private_addresses, settings::PrivateAddresses::Missing);
        assert!(settings.middle_tier_clients.is_empty());
        let office = &settings.application_groups["office365"];
        assert!(!office.complete && office.ids.iter().all(|id| values::is_guid(id)));
        assert!(settings.required_scopes.is_empty());
        assert!(settings.required_authentication_contexts.is_empty());
        assert_eq!((settings.token_limits, settings.event_limits), (Limits::TOKEN, Limits::EVENT));
    }
    let differing = |settings: &Settings| {
        (
            settings.profile,
            settings.enforce_guests,
            settings.enforce_incapable_clients,
            settings.enforce_tenants_with_policies,
            settings.location_enforcement,
            settings.max_location_ranges,
            settings.max_token_age_capable,
            settings.undetermined,
        )
    };
    use LocationEnforcement::{Standard, Strict};
    use Undetermined::{Ignore, Report};
    for (settings, expected) in [
        (&full, (Profile::Full, true, true, true, Strict, None, 100_800, Report)),
        (&entra, (Profile::Entra, false, false, true, Standard, Some(5_000), 100_800, Ignore)),
        (&entra2020, (Profile::Entra2020, false, false, false, Standard, Some(5_000), 86_400, Ignore)),
    ] {
        assert_eq!(differing(settings), expected);
    }
}

#[test]
fn every_fault_is_reported_at_once() {
    let document = json!({
        "resorce": {},
        "resource": {
            "audiences": [],
            "applicationId": "not a guid",
            "authorizationUri": "http://login.example",
            "realm": "a\"b"
        },
        "issuers": [
            {"issuer": "https://a.example/{tenantid}", "claims": "entra-v2", "jwksUri": "https://a.example/keys"},
            {"issuer": "https://b.example", "claims": "entra", "jwks": {"keys": []}, "tenants": [TENANT]},
            {
                "issuer": "https://b.example",
                "claims": {"preset": "rfc9068", "typ": "at+jwt", "sesion": "sid", "honoursNbf": 1},
                "typ": ["logout+jwt"], "algorithms": ["none"], "challenge": "saml",
                "aliases": {"u": ["nobody"]}, "alwaysPresent": ["colour"], "acrValues": {"mfa": "a b"},
                "issueTimeBackdated": 90000
            },
            "https://c.example"
        ],
        "transmitters": [
            {"issuer": "https://s.example", "jwks": {"keys": []}, "algorithms": ["HS256"],
             "speaksFor": ["https://nobody.example", "https://b.example"], "opaqueScope": "elsewhere",
             "brake": {"hold": true}},
            {"issuer": "https://s.example", "jwks": {"keys": []}, "speaksFor": []}
        ],
        "authenticationStrengths": [{}],
        "settings": {
            "profile": "strict", "clockSkew": 5, "clockSkewSeconds": 601, "enforceGuests": "yes",
            "undetermined": {"p": "maybe"}, "policyChangedAt": {"p": "yesterday"},
            "requiredScopes": {"orders": "x", "/a": []},
            "limits": {"tokenBytes": 1_000_000}
        }
    });
    let expected = [
        ("/resorce", UNKNOWN_MEMBER),
        ("/resource/audiences", MISSING_MEMBER),
        ("/resource/applicationId", BAD_VALUE),
        ("/resource/authorizationUri", BAD_VALUE),
        ("/resource/realm", BAD_VALUE),
        ("/settings/clockSkew", UNKNOWN_MEMBER),
        ("/settings/profile", NOT_ALLOWED),
        ("/settings/undetermined/p", NOT_ALLOWED),
        ("/settings/limits/tokenBytes", OUT_OF_RANGE),
        ("/settings/clockSkewSeconds", OUT_OF_RANGE),
        ("/settings/enforceGuests", WRONG_TYPE),
        ("/settings/policyChangedAt/p", BAD_VALUE),
        ("/settings/requiredScopes/~1a", MISSING_MEMBER),
        ("/settings/requiredScopes/orders", BAD_VALUE),
        ("/issuers/0/tenants", MISSING_MEMBER),
        ("/issuers/1/tenants", BAD_VALUE),
        ("/issuers/1/claims", NOT_ALLOWED),
        ("/issuers/1/tenants", BAD_VALUE),
        ("/issuers/2/claims/sesion", UNKNOWN_MEMBER),
        ("/issuers/2/claims/typ", DUPLICATE),
        ("/issuers/2/claims/honoursNbf", WRONG_TYPE),
        ("/issuers/2/typ/0", NOT_ALLOWED),
        ("/issuers/2/issueTimeBackdated", OUT_OF_RANGE),
        ("/issuers/2/jwks", MISSING_MEMBER),
        ("/issuers/2/algorithms/0", BAD_VALUE),
        ("/issuers/2/challenge", NOT_ALLOWED),
        ("/issuers/2/aliases/u/0", BAD_VALUE),
        ("/issuers/2/alwaysPresent/0", BAD_VALUE),
        ("/issuers/2/acrValues/mfa", BAD_VALUE),
        ("/issuers/3", WRONG_TYPE),
        ("/authenticationStrengths/0", BAD_VALUE),
        ("/issuers/2/issuer", DUPLICATE),
        ("/transmitters/0/speaksFor/0", NOT_FOUND),
        ("/transmitters/0/algorithms/0", BAD_VALUE),
        ("/transmitters/0/opaqueScope", BAD_VALUE),
        ("/transmitters/0/brake/subjectsPerMinute", MISSING_MEMBER),
        ("/transmitters/1/speaksFor", MISSING_MEMBER),
        ("/transmitters/1/issuer", DUPLICATE),
    ];
    let expected: Vec<_> = expected.iter().map(|(at, code)| (at.to_string(), *code)).collect();
    assert_eq!(faults(&document), expected);
}

#[test]
fn documents_that_are_no_object_are_one_fault() {
    for (text, at, code) in [
        ("", "", MALFORMED),
        ("{\"a\": 1, \"a\": 2}", "", MALFORMED),
        ("[]", "", WRONG_TYPE),
        ("{}", "/issuers", MISSING_MEMBER),
    ] {
        let faults = Configuration::read(text).unwrap_err().0;
        assert_eq!((faults[0].at.as_str(), faults[0].code), (at, code), "{text}");
        assert_eq!(faults.len(), 1, "{faults:?}");
    }
}

#[test]
fn audiences_stand_on_the_resource_or_on_every_issuer() {
    let mut document = example();
    document["resource"] = json!({});
    assert_eq!(faults(&document), [("/resource/audiences".to_string(), MISSING_MEMBER)]);
    document["issuers"][0]["audiences"] = json!(["api://own"]);
    assert_eq!(read(&document).issuers[0].audiences, ["api://own"]);
}

#[test]
fn no_url_means_two_issuers() {
    let entra = |issuer: &str, extra: Value| {
        let mut object = json!({"issuer": issuer, "claims": "entra-v2", "jwks": {"keys": []}});
        object.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        object
    };
    let pattern = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let v2 = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    for (issuers, expected) in [
        // A pattern covers the URL of one of its tenants.
        (json!([entra(pattern, json!({"tenants": [TENANT]})), entra(&v2, json!({}))]), Some("/issuers/1/issuer")),
        (
            json!([entra(&v2, json!({})), entra("https://o.example", json!({"issuerAliases": [v2]}))]),
            Some("/issuers/1/issuerAliases/0"),
        ),
        (
            json!([entra(&v2, json!({})),
                   entra("https://o.example", json!({"claims": {"preset": "okta", "issuerAliases": ["https://x", v2]}}))]),
            Some("/issuers/1/claims/issuerAliases/1"),
        ),
        // What a preset implies gives way to what is configured.
        (json!([entra(&v2, json!({})), entra(&v1, json!({"claims": "entra-v1"}))]), None),
    ] {
        let mut document = example();
        document["issuers"] = issuers;
        document["transmitters"] = json!([]);
        let found = faults(&document);
        let expected: Vec<_> = expected.into_iter().map(|at| (at.to_string(), DUPLICATE)).collect();
        assert_eq!(found, expected);
    }
    let mut document = example();
    document["transmitters"] = json!([]);
    document["issuers"] = json!([entra(&v2, json!({})), entra(&v1, json!({"claims": "entra-v1"}))]);
    let issuers = read(&document).issuers;
    assert!(issuers.iter().all(|issuer| issuer.issuer_aliases.is_empty()));
    document["issuers"] = json!([entra(&v2, json!({}))]);
    assert_eq!(read(&document).issuers[0].issuer_aliases, [v1]);
}

#[test]
fn a_transmitter_names_issuers_as_they_are_configured() {
    let mut document = example();
    document["issuers"][0]["issuer"] = json!("https://login.example/{tenantid}/v2.0");
    document["issuers"][0]["tenants"] = json!([TENANT]);
    // One tenant's URL would stand for all tenants of the pattern.
    let found = faults(&document);
    assert_eq!(found, [("/transmitters/0/speaksFor/0".to_string(), NOT_FOUND)]);
    document["transmitters"][0]["speaksFor"] = json!(["https://login.example/{tenantid}/v2.0"]);
    read(&document);
    document["issuers"][0]["scope"] = json!("all");
    assert_eq!(faults(&document), [("/issuers/0/scope".to_string(), BAD_VALUE)]);
}

#[test]
fn key_material_is_never_repeated_in_a_fault() {
    const SECRET: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    for jwks in [
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "d": SECRET, "x": SECRET}]}),
        json!({"keys": SECRET}),
        json!(SECRET),
        json!([SECRET]),
    ] {
        for at in ["/issuers/0/jwks", "/transmitters/0/jwks"] {
            let faults = Configuration::compile(&example_with(at, jwks.clone())).unwrap_err();
            assert!(faults.0.iter().all(|fault| fault.at.starts_with(at)), "{faults:?}");
            assert!(!format!("{faults:?}{faults}").contains(&SECRET[..8]), "{faults:?}");
        }
    }
}

#[test]
fn what_happens_less_than_expected_is_said() {
    let codes = |document: &Value| {
        let codes = read(document).notes.into_iter().map(|note| (note.at, note.code));
        codes.collect::<BTreeSet<_>>()
    };
    let has = |document: &Value, at: &str, code: &str| {
        let code = format!("configuration.{code}");
        codes(document).iter().any(|(place, found)| place == at && *found == code)
    };
    assert!(has(&example(), "/issuers/0", "guests_by_resource_tenant"));
    assert_eq!(codes(&example()).len(), 1);

    let silent = example_with("/settings/profile", json!("entra"));
    assert!(codes(&silent).is_empty());
    let mut document = silent;
    document["issuers"][0]["enforcesPolicies"] = json!(false);
    assert!(codes(&document).is_empty(), "no policy, nothing to enforce");
    document["policies"] = json!([{"id": "p", "state": "disabled", "conditions": {}}]);
    assert!(has(&document, "/issuers/0", "standard_is_strict"));

    let mut document = example();
    document["transmitters"][0].as_object_mut().unwrap().remove("audience");
    assert!(has(&document, "/transmitters/0", "any_audience"));
    let document = example_with("/issuers/0/claims", json!("okta"));
    assert!(has(&document, "/transmitters/0", "unmatchable_event"));
    let document = example_with("/issuers/0/issuer", json!("https://login.example/contoso"));
    let document = {
        let mut document = document;
        document["transmitters"] = json!([]);
        document
    };
    assert!(has(&document, "/issuers/0/issuer", "no_tenant"));
}

/// JSON that often uses the names of the configuration.
fn json_value() -> impl Strategy<Value = Value> {
    let names = sections_keys();
    let name = prop_oneof![3 => prop::sample::select(names), 1 => ".{0,8}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        name.clone().prop_map(Value::from),
        Just(json!("https://login.example/{tenantid}")),
        Just(json!(TENANT)),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn sections_keys() -> Vec<String> {
    let keys = schema::sections().into_iter().flat_map(|section| section.keys);
    keys.map(String::from).collect()
}

proptest! {
    #[test]
    fn no_json_panics(value in json_value()) {
        let _ = Configuration::compile(&value);
    }

    #[test]
    fn nothing_at_any_place_panics(
        place in prop::sample::select(vec![
            "/resource", "/issuers", "/issuers/0", "/issuers/0/claims", "/issuers/0/issuer",
            "/issuers/0/jwks", "/transmitters/0", "/transmitters/0/speaksFor", "/settings",
            "/policies", "/namedLocations", "/authenticationStrengths",
        ]),
        value in json_value(),
    ) {
        if let Err(faults) = Configuration::compile(&example_with(place, value)) {
            prop_assert!(!faults.0.is_empty());
            for fault in &faults.0 {
                prop_assert!(!fault.to_string().contains('\n'), "one line: {fault}");
            }
        }
    }

    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = Configuration::read(&text);
    }
}
