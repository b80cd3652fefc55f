//! What is refused, what is only said, and that both name the place.

use super::*;
use crate::configuration::read::{
    BAD_VALUE, DUPLICATE, MALFORMED, MISSING_MEMBER, NOT_ALLOWED, NOT_FOUND, OUT_OF_RANGE,
    UNKNOWN_MEMBER, WRONG_TYPE,
};

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
            "requiredScopes": {"orders": "x", "/a": [], "/b%20c": "x"},
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
        ("/settings/requiredScopes/~1b%20c", BAD_VALUE),
        ("/settings/requiredScopes/orders", BAD_VALUE),
        ("/issuers/0/tenants", MISSING_MEMBER),
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
    let expected: Vec<_> = expected
        .iter()
        .map(|(at, code)| (at.to_string(), *code))
        .collect();
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
        assert_eq!(
            (faults[0].at.as_str(), faults[0].code),
            (at, code),
            "{text}"
        );
        assert_eq!(faults.len(), 1, "{faults:?}");
    }
}

#[test]
fn audiences_stand_on_the_resource_or_on_every_issuer() {
    let mut document = example();
    document["resource"] = json!({});
    assert_eq!(
        faults(&document),
        [("/resource/audiences".to_string(), MISSING_MEMBER)]
    );
    document["issuers"][0]["audiences"] = json!(["api://own"]);
    assert_eq!(read(&document).issuers[0].audiences, ["api://own"]);
}

#[test]
fn no_url_means_two_issuers() {
    let entra = |issuer: &str, extra: Value| {
        let mut object = json!({"issuer": issuer, "claims": "entra-v2", "jwks": {"keys": []}});
        object
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        object
    };
    let pattern = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let v2 = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    for (issuers, expected) in [
        // A pattern covers the URL of one of its tenants.
        (
            json!([
                entra(pattern, json!({"tenants": [TENANT]})),
                entra(&v2, json!({}))
            ]),
            Some("/issuers/1/issuer"),
        ),
        (
            json!([
                entra(&v2, json!({})),
                entra("https://o.example", json!({"issuerAliases": [v2]}))
            ]),
            Some("/issuers/1/issuerAliases/0"),
        ),
        (
            json!([
                entra(&v2, json!({})),
                entra(
                    "https://o.example",
                    json!({"claims": {"preset": "okta", "issuerAliases": ["https://x", v2]}})
                )
            ]),
            Some("/issuers/1/claims/issuerAliases/1"),
        ),
        // What a preset implies gives way to what is configured.
        (
            json!([
                entra(&v2, json!({})),
                entra(&v1, json!({"claims": "entra-v1"}))
            ]),
            None,
        ),
    ] {
        let mut document = example();
        document["issuers"] = issuers;
        document["transmitters"] = json!([]);
        let found = faults(&document);
        let expected: Vec<_> = expected
            .into_iter()
            .map(|at| (at.to_string(), DUPLICATE))
            .collect();
        assert_eq!(found, expected);
    }
    let mut document = example();
    document["transmitters"] = json!([]);
    document["issuers"] = json!([
        entra(&v2, json!({})),
        entra(&v1, json!({"claims": "entra-v1"}))
    ]);
    let issuers = read(&document).issuers;
    assert!(
        issuers
            .iter()
            .all(|issuer| issuer.issuer_aliases.is_empty())
    );
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
    assert_eq!(
        found,
        [("/transmitters/0/speaksFor/0".to_string(), NOT_FOUND)]
    );
    document["transmitters"][0]["speaksFor"] = json!(["https://login.example/{tenantid}/v2.0"]);
    read(&document);
    document["issuers"][0]["scope"] = json!("all");
    assert_eq!(
        faults(&document),
        [("/issuers/0/scope".to_string(), BAD_VALUE)]
    );
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
            assert!(
                faults.0.iter().all(|fault| fault.at.starts_with(at)),
                "{faults:?}"
            );
            assert!(
                !format!("{faults:?}{faults}").contains("nWGxne_9"),
                "{faults:?}"
            );
        }
    }
}

#[test]
fn what_happens_less_than_expected_is_said() {
    let codes = |document: &Value| {
        let codes = read(document)
            .notes
            .into_iter()
            .map(|note| (note.at, note.code));
        codes.collect::<BTreeSet<_>>()
    };
    let has = |document: &Value, at: &str, code: &str| {
        let code = format!("configuration.{code}");
        codes(document)
            .iter()
            .any(|(place, found)| place == at && *found == code)
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

    for (settings, never_stale) in [
        (json!({"onStaleSignals": "deny"}), true),
        (json!({"onStaleSignals": "report"}), false),
        (
            json!({"onStaleSignals": "shortTokens", "maxSignalAgeSeconds": 60}),
            false,
        ),
    ] {
        let document = example_with("/settings", settings);
        let said = has(&document, "/settings/onStaleSignals", "signals_never_stale");
        assert_eq!(said, never_stale);
    }

    let mut document = example();
    document["transmitters"][0]
        .as_object_mut()
        .unwrap()
        .remove("audience");
    assert!(has(&document, "/transmitters/0", "any_audience"));
    let document = example_with("/issuers/0/claims", json!("okta"));
    assert!(has(&document, "/transmitters/0", "unmatchable_event"));
    for (claims, kinds) in [
        (json!({"preset": "entra-v2"}), &[][..]),
        (
            json!({"preset": "google"}),
            &["session", "device-compliance-change"],
        ),
        (
            json!({"preset": "entra-v2", "client": ""}),
            &["application"],
        ),
        (json!({"preset": "entra-v2", "tokenId": ""}), &["jti"]),
        (
            json!({"preset": "entra-v2", "email": "", "phoneNumber": ""}),
            &["identifier-changed"],
        ),
        (
            json!({"preset": "entra-v2", "emailVerified": "", "phoneNumber": ""}),
            &["identifier-changed"],
        ),
    ] {
        let document = example_with("/issuers/0/claims", claims.clone());
        let notes = Configuration::read(&document.to_string()).unwrap().notes;
        let messages: Vec<_> = notes
            .iter()
            .filter(|note| note.code == "configuration.unmatchable_event")
            .map(|note| note.message.as_str())
            .collect();
        assert_eq!(messages.len(), kinds.len(), "{claims}: {messages:?}");
        for (message, kind) in messages.iter().zip(kinds) {
            assert!(message.contains(kind), "{claims}: {message}");
        }
    }
    let mut document = example();
    document["transmitters"] = json!([]);
    document["issuers"][0]["issuer"] = json!("https://login.example/contoso");
    assert!(has(&document, "/issuers/0/issuer", "no_tenant"));

    let okta = |server: &str| {
        let issuer = format!("https://o.okta.example/oauth2/{server}");
        json!({"issuer": issuer, "claims": "okta", "jwks": {"keys": []}})
    };
    document["issuers"] = json!([okta("a"), okta("b")]);
    assert!(has(&document, "/issuers/1", "scopes_apart"));
    document["issuers"][0]["scope"] = json!("org");
    document["issuers"][1]["scope"] = json!("org");
    assert!(codes(&document).is_empty());
}
