//! The files in `examples/` are really signed, and what they come to is what their names say.
//!
//! With `CAE_WRITE_EXAMPLES=1` the test writes the signed files instead of comparing them.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail loudly, as the test does"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

const CONTOSO: &str = "https://login.microsoftonline.com/9d8f0d1c-58a3-4a6e-8f0a-2f1f0b6f7a11/v2.0";
const FABRIKAM: &str = "https://sso.fabrikam.example/realms/staff";
/// 2027-01-15 08:00:00 UTC.
const START: u64 = 1_800_000_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn sign(algorithm: Algorithm, key: &EncodingKey, typ: &str, kid: &str, claims: &Value) -> String {
    let header = Header {
        typ: Some(typ.to_owned()),
        kid: Some(kid.to_owned()),
        ..Header::new(algorithm)
    };
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

fn access_token(kid: &str, claims: &Value) -> String {
    let key = EncodingKey::from_rsa_der(&fs::read(folder().join("test-key.der")).unwrap());
    sign(Algorithm::RS256, &key, "JWT", kid, claims)
}

fn entra(user: &str, object_id: &str) -> String {
    let claims = json!({
        "iss": CONTOSO, "aud": "5d5f3f0e-3c1b-4b39-9d0e-6a3b1c2d4e5f", "ver": "2.0",
        "tid": "9d8f0d1c-58a3-4a6e-8f0a-2f1f0b6f7a11", "oid": object_id, "sub": format!("pairwise-{user}"),
        "sid": format!("session-{user}"), "azp": "0c7f1a52-7d0b-4a52-8c6c-1b2a3c4d5e60",
        "uti": format!("token-{user}"), "idtyp": "user", "acct": 0, "scp": "Orders.Read", "xms_cc": ["cp1"],
        "iat": START, "nbf": START, "exp": START + 86_400
    });
    access_token("contoso-1", &claims)
}

fn keycloak(user: &str) -> String {
    let claims = json!({
        "iss": FABRIKAM, "aud": "orders-api", "typ": "Bearer", "sub": user, "sid": format!("session-{user}"),
        "azp": "mobile-app", "jti": format!("token-{user}"), "scope": "openid orders",
        "iat": START, "exp": START + 3_600
    });
    access_token("fabrikam-1", &claims)
}

/// Signs with the key of RFC 8032 §7.1, test 1.
fn set(jti: &str, event: &str, subject: &Value, at: u64) -> String {
    // SPEC: RFC 8410 §7: PKCS #8 around an Ed25519 seed.
    const PKCS8: [u8; 48] = [
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20, 0x9d, 0x61, 0xb1,
        0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49,
        0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ];
    let claims = json!({
        "iss": "https://signals.contoso.example", "aud": "https://api.contoso.example", "jti": jti, "iat": at,
        "sub_id": subject,
        "events": {format!("https://schemas.openid.net/secevent/{event}"): {"event_timestamp": at}}
    });
    let key = EncodingKey::from_ed_der(&PKCS8);
    sign(Algorithm::EdDSA, &key, "secevent+jwt", "signals-1", &claims)
}

const ADELE: &str = "6a1f4c1e-0b7d-4e0e-9a53-7c2f5b8d9e10";
const BIRGIT: &str = "7b2e5d0f-1c8e-4f1f-8b64-8d3a6c9e0f21";

/// One per line: who asks, from where.
fn requests() -> String {
    let line = |id: &str, token: Option<String>, address: &str| {
        json!({"id": id, "token": token, "now": START + 600, "clientIp": address}).to_string()
    };
    [
        line("in the office", Some(entra("adele", ADELE)), "203.0.113.7"),
        line("on the train", Some(entra("adele", ADELE)), "192.0.2.20"),
        line("revoked", Some(entra("birgit", BIRGIT)), "203.0.113.8"),
        line("partner", Some(keycloak("carol")), "192.0.2.30"),
        line(
            "partner, guest network",
            Some(keycloak("carol")),
            "198.51.100.3",
        ),
        line("partner, disabled", Some(keycloak("dave")), "192.0.2.31"),
        line(
            "partner, new password",
            Some(keycloak("erin")),
            "192.0.2.32",
        ),
        line("no token", None, "192.0.2.33"),
    ]
    .join("\n")
        + "\n"
}

/// The three forms of a line: a compact SET, one with the time of its arrival, a record.
fn signals() -> String {
    let subject = |issuer: &str, sub: &str| json!({"format": "iss_sub", "iss": issuer, "sub": sub});
    let revoked = set(
        "set-1",
        "caep/event-type/session-revoked",
        &subject(CONTOSO, BIRGIT),
        START + 300,
    );
    let disabled = set(
        "set-2",
        "risc/event-type/account-disabled",
        &subject(FABRIKAM, "dave"),
        START + 320,
    );
    let disabled = json!({"set": disabled, "receivedAt": START + 321});
    let record = json!({"record": {
        "scope": FABRIKAM, "kind": "user", "id": "erin",
        "cutOff": {"at": START + 340, "cause": "passwordChange"}
    }});
    format!("{revoked}\n{disabled}\n{record}\n")
}

#[test]
fn the_signed_files_are_what_the_keys_give() {
    for (name, text) in [("requests.jsonl", requests()), ("signals.jsonl", signals())] {
        let file = folder().join(name);
        if std::env::var_os("CAE_WRITE_EXAMPLES").is_some() {
            fs::write(file, text).unwrap();
        } else {
            assert_eq!(fs::read_to_string(file).unwrap(), text, "{name}");
        }
    }
}

#[test]
fn the_example_comes_to_what_it_says() {
    let file = |name| folder().join(name);
    let output = Command::new(env!("CARGO_BIN_EXE_cae"))
        .args(["decide", "--engine", "native", "--explain"])
        .arg("--config")
        .arg(file("ENGINE.json"))
        .arg("--signals")
        .arg(file("signals.jsonl"))
        .stdin(fs::File::open(file("requests.jsonl")).unwrap())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let seen: Vec<(&str, u64, &str)> = answers
        .iter()
        .map(|answer| {
            (
                answer["id"].as_str().unwrap(),
                answer["status"].as_u64().unwrap(),
                answer["reasons"][0]["code"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("in the office", 200, ""),
            ("on the train", 401, "policy_location"),
            ("revoked", 401, "session_revoked"),
            ("partner", 200, ""),
            ("partner, guest network", 403, "policy_location"),
            ("partner, disabled", 401, "account_disabled"),
            ("partner, new password", 401, "password_changed"),
            ("no token", 401, "token_missing"),
        ]
    );
}
