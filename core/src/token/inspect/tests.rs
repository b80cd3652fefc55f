use alloc::format;
use alloc::vec;

use serde_json::json;

use super::*;
use crate::subject::tests::vectors;
use crate::token::testing::{AUDIENCE, compact, configuration, issuer};

const HEADER: &str = r#"{"alg":"RS256","typ":"JWT","kid":"k1"}"#;
const NOW: UnixTime = UnixTime::from_secs(2_000);

fn laid_open(token: &str, configuration: Option<&Configuration>) -> Value {
    serde_json::from_str(&inspect(token, configuration, NOW)).unwrap()
}

fn keycloak() -> (Configuration, Value) {
    let url = "https://kc.example/realms/a";
    let claims = json!({
        "iss": url, "aud": AUDIENCE, "iat": 1_900, "exp": 2_200, "sub": "u", "azp": "app", "typ": "Bearer",
    });
    (configuration(vec![issuer(Preset::Keycloak, url)]), claims)
}

#[test]
fn the_status_tells_what_became_of_it() {
    let (configuration, claims) = keycloak();
    let token = |header: &str| compact(header, &claims.to_string());
    let good = token(HEADER);
    let critical = token(r#"{"alg":"RS256","crit":["x"]}"#);
    let expired = compact(HEADER, &claims.to_string().replace("2200", "1901"));
    let unknown_key = token(&HEADER.replace("k1", "k2"));
    let unread = compact(HEADER, r#"{"iss":"https://kc.example/realms/a"}"#);
    for (token, configuration, status, ok, code) in [
        (
            good.as_str(),
            Some(&configuration),
            "acceptable",
            true,
            json!(null),
        ),
        (&good, None, "notChecked", true, json!(null)),
        (
            &expired,
            Some(&configuration),
            "refused",
            false,
            json!("token_expired"),
        ),
        (&expired, None, "notChecked", true, json!(null)),
        (
            &unknown_key,
            Some(&configuration),
            "refused",
            false,
            json!("token_key_unknown"),
        ),
        (
            &critical,
            None,
            "refused",
            false,
            json!("token_critical_header"),
        ),
        (&unread, None, "refused", false, json!("token_claims")),
        ("opaque", None, "notAJwt", false, json!("token_malformed")),
        (
            "a.b.c.d.e",
            Some(&configuration),
            "notAJwt",
            false,
            json!("token_malformed"),
        ),
    ] {
        let found = laid_open(token, configuration);
        assert_eq!(found["status"], status, "{found}");
        assert_eq!(found["ok"], ok, "{found}");
        assert_eq!(found["verdict"]["code"], code, "{found}");
        assert_eq!(found["signature"], "notChecked");
    }
}

#[test]
fn keys_that_the_host_fetches_are_not_missed() {
    let (mut configuration, claims) = keycloak();
    configuration.issuers[0].keys = crate::token::keys::KeySet::default();
    let found = laid_open(&compact(HEADER, &claims.to_string()), Some(&configuration));
    assert_eq!(found["status"], "acceptable");
    assert_eq!(found["key"], json!({"known": false, "keyId": null}));
}

#[test]
fn a_refused_token_is_laid_open_all_the_same() {
    let (configuration, claims) = keycloak();
    let token = compact(HEADER, &claims.to_string().replace(AUDIENCE, "api://other"));
    let found = laid_open(&token, Some(&configuration));
    assert_eq!(found["verdict"]["code"], "token_audience");
    assert_eq!(found["claims"]["aud"], "api://other");
    assert_eq!(found["header"]["kid"], "k1");
    assert_eq!(found["goodUntil"], 2_200);
    assert_eq!(found["keys"][0]["kind"], "user");
    assert_eq!(found["keys"][0]["nameSpace"], "native");
}

#[test]
fn missing_claims_are_named_with_what_they_cost() {
    let (_, claims) = keycloak();
    let found = laid_open(&compact(HEADER, &claims.to_string()), None);
    let warned: Vec<&str> = found["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["claim"].as_str().unwrap())
        .collect();
    assert_eq!(
        warned,
        [
            "xms_cc",
            "acrs",
            "sid",
            "address",
            "auth_time",
            "userType",
            "groups"
        ]
    );
}

#[test]
fn the_preset_is_guessed_from_the_shape() {
    for (claims, expected) in [
        (json!({"ver": "1.0", "tid": "t"}), Preset::EntraV1),
        (json!({"ver": "2.0", "tid": "t"}), Preset::EntraV2),
        (json!({"ver": 1, "cid": "c", "scp": ["a"]}), Preset::Okta),
        (
            json!({"iss": "https://kc.example/realms/a", "azp": "c"}),
            Preset::Keycloak,
        ),
        (
            json!({"iss": "https://accounts.google.com"}),
            Preset::Google,
        ),
        (json!({"iss": "https://as.example"}), Preset::Rfc9068),
        (json!({}), Preset::Rfc9068),
    ] {
        assert_eq!(guessed_preset(&claims), expected, "{claims}");
    }
}

/// Each line of the published tokens is read as its `expect` says.
#[test]
fn published_entra_tokens_are_read_right() {
    let Some(lines) = vectors("entra-access-tokens.jsonl") else {
        return;
    };
    let mut read = 0_usize;
    for line in lines {
        let found = laid_open(&compact(HEADER, &line["claims"].to_string()), None);
        let summary = &found["summary"];
        for (expected, value) in [
            ("version", &summary["version"]),
            ("principal", &found["principal"]),
            ("agent", &summary["agent"]),
            ("client_id", &summary["clientId"]),
            ("client_auth", &summary["clientAuthentication"]),
            ("cae_capable_client", &found["capable"]),
            ("guest", &summary["guest"]),
            ("mfa", &summary["mfa"]),
            ("device_id", &summary["deviceId"]),
            ("device_compliant", &summary["deviceCompliant"]),
            ("auth_contexts", &summary["authenticationContexts"]),
            ("ip", &summary["address"]),
            ("groups_overage", &summary["groupsOverage"]),
            ("token_id", &summary["tokenId"]),
            ("lifetime_s", &summary["lifetimeSeconds"]),
        ] {
            let title = format!("{}: {expected}", line["title"]);
            assert_eq!(*value, line["expect"][expected], "{title}");
        }
        read = read.saturating_add(1);
    }
    assert!(read >= 18, "{read} lines");
}
