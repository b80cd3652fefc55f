use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde_json::json;

use super::issuer::Preset;
use super::settings::{LocationEnforcement, Profile, Undetermined};
use super::transmitter::{Brake, SessionRevokedByUser};
use super::*;
use crate::json::Value;
use crate::state::record::{RiskLevel, UnseenMember};
use crate::token::claims::Part;
use crate::token::keys::Algorithm;

mod faults;
mod hostile;
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
    match document.pointer_mut(parent).unwrap() {
        Value::Array(elements) => elements[key.parse::<usize>().unwrap()] = value,
        object => object[key] = value,
    }
    document
}

fn read(document: &Value) -> Configuration {
    Configuration::compile(document).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn faults(document: &Value) -> Vec<(String, &'static str)> {
    match Configuration::compile(document) {
        Ok(_) => Vec::new(),
        Err(faults) => faults
            .0
            .into_iter()
            .map(|fault| (fault.at, fault.code))
            .collect(),
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
    assert_eq!(transmitter.audiences, ["https://api.example"]);
    assert_eq!(transmitter.speaks_for, [0]);
    assert_eq!(transmitter.standing_state_max_age, 7_776_000);
    assert_eq!(
        transmitter.session_revoked_by_user,
        SessionRevokedByUser::Revoke
    );
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
        [
            "https://login.example/{tenantid}/",
            "https://sts.windows.net/{tenantid}/"
        ]
    );
    assert_eq!(issuer.issue_time_backdated, 60);
    assert!(!issuer.honours_nbf && !issuer.enforces_policies && issuer.email_is_stable);
    assert_eq!(issuer.aliases["u1"], ["u1@example.com", "+15551234567"]);
    assert_eq!(issuer.aliases["u2"], ["u2@example.com"]);
    assert_eq!(issuer.acr_values["authenticationStrength:abc"], "phrh");
    assert_eq!(issuer.assurance_levels["phr"], "nist-aal3");
    assert_eq!(issuer.algorithms, [Algorithm::Rs256, Algorithm::EdDsa]);
    assert_eq!(
        issuer.jwks_uri.as_deref(),
        Some("https://login.example/keys")
    );
    assert_eq!(issuer.audiences, ["api://a", "api://b"]);
    assert_eq!(issuer.dialect, Dialect::OAuth);

    let transmitter = &configuration.transmitters[0];
    assert_eq!(transmitter.speaks_for, [0], "two names of one issuer");
    assert_eq!(transmitter.acts_for_issuer, Some(true));
    assert_eq!(transmitter.opaque_scope.as_deref(), Some(TENANT));
    assert_eq!(transmitter.unseen_member, Some(UnseenMember::FailSafe));
    assert_eq!(
        transmitter.brake,
        Some(Brake {
            subjects_per_minute: 100,
            hold: true
        })
    );
    assert!(transmitter.legacy && transmitter.mfa_enabled_by_user);
    assert_eq!(transmitter.critical_subject_members, ["device"]);

    let settings = &configuration.settings;
    assert_eq!(settings.max_location_ranges, None);
    assert_eq!(
        (settings.max_token_age_capable, settings.max_token_age_other),
        (100_800, 3_600)
    );
    assert_eq!(settings.critical_risk_level, RiskLevel::Medium);
    assert_eq!(settings.undetermined, Undetermined::Report);
    assert_eq!(settings.undetermined_by_policy["abc"], Undetermined::Deny);
    assert_eq!(settings.unseen_member, Some(UnseenMember::Precise));
    assert_eq!(
        settings.policy_changed_at["p1"],
        settings.policy_changed_at["p2"]
    );
    assert_eq!(settings.middle_tier_clients, ["abc"]);
    assert_eq!(settings.application_groups["office365"].ids, [TENANT]);
    assert!(settings.application_groups["office365"].complete);
    assert!(
        settings
            .application_groups
            .contains_key("microsoftadminportals")
    );
    assert_eq!(settings.required_scopes["/a"], ["x"]);
    assert_eq!(settings.required_scopes["/b"], ["y", "z"]);
    assert_eq!(settings.required_authentication_contexts["/pay"], ["c1"]);
    assert_eq!(
        settings.token_limits,
        Limits {
            bytes: 8_192,
            depth: 8
        }
    );
    assert_eq!(
        settings.event_limits,
        Limits {
            bytes: 1 << 20,
            depth: 8
        }
    );
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
        assert_eq!(
            settings.private_addresses,
            settings::PrivateAddresses::Missing
        );
        assert!(settings.middle_tier_clients.is_empty());
        let office = &settings.application_groups["office365"];
        assert!(!office.complete && office.ids.iter().all(|id| values::is_guid(id)));
        assert!(settings.required_scopes.is_empty());
        assert!(settings.required_authentication_contexts.is_empty());
        assert_eq!(
            (settings.token_limits, settings.event_limits),
            (Limits::TOKEN, Limits::EVENT)
        );
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
        (
            &full,
            (
                Profile::Full,
                true,
                true,
                true,
                Strict,
                None,
                100_800,
                Report,
            ),
        ),
        (
            &entra,
            (
                Profile::Entra,
                false,
                false,
                true,
                Standard,
                Some(5_000),
                100_800,
                Ignore,
            ),
        ),
        (
            &entra2020,
            (
                Profile::Entra2020,
                false,
                false,
                false,
                Standard,
                Some(5_000),
                86_400,
                Ignore,
            ),
        ),
    ] {
        assert_eq!(differing(settings), expected);
    }
}

#[test]
fn a_lowered_limit_holds_for_tokens() {
    let token = "a".repeat(2_000);
    let refusal = |configuration: &Configuration| {
        let now = crate::UnixTime::from_secs(1_700_000_000);
        crate::token::read(&token, configuration, now).unwrap_err()
    };
    let lowered = read(&example_with(
        "/settings/limits",
        json!({"tokenBytes": 1024}),
    ));
    assert!(refusal(&lowered).detail.contains("1024"));
    assert!(!refusal(&read(&example())).detail.contains("limit"));
}
