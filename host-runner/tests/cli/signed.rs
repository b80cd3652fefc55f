//! Tokens and SETs with the two signatures that issuers use most, RS256 and ES256, from the file to the decision.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::{Folder, ISSUER, NOW, TRANSMITTER, request, run};

/// SPEC: RFC 7515 appendix A.2, as PKCS #1, and A.3, as PKCS #8.
const RSA: &[u8] = include_bytes!("keys/rfc7515-a2.pkcs1.der");
const EC: &[u8] = include_bytes!("keys/rfc7515-a3.pkcs8.der");

fn signed(algorithm: Algorithm, kid: &str, typ: &str, claims: &Value) -> String {
    let key = if algorithm == Algorithm::RS256 {
        EncodingKey::from_rsa_der(RSA)
    } else {
        EncodingKey::from_ec_der(EC)
    };
    let header = Header {
        typ: Some(typ.to_owned()),
        kid: Some(kid.to_owned()),
        ..Header::new(algorithm)
    };
    jsonwebtoken::encode(&header, claims, &key).unwrap()
}

fn token(algorithm: Algorithm, kid: &str, subject: &str, issued: u64) -> String {
    let claims = json!({
        "iss": ISSUER, "aud": "api://orders", "sub": subject, "client_id": "mail", "scope": "orders.read",
        "jti": format!("token-{subject}-{issued}"), "iat": issued, "exp": issued.saturating_add(3600)
    });
    signed(algorithm, kid, "at+jwt", &claims)
}

fn revocation(algorithm: Algorithm, kid: &str, subject: &str) -> String {
    let claims = json!({
        "iss": TRANSMITTER, "aud": "https://api.example", "jti": format!("set-{subject}"), "iat": NOW - 300,
        "sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": subject},
        "events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {"event_timestamp": NOW - 300}}
    });
    signed(algorithm, kid, "secevent+jwt", &claims)
}

/// One token with the claims of another.
fn with_payload_of(token: &str, other: &str) -> String {
    let (header, signature) = (token.split('.').next(), token.rsplit('.').next());
    [header, other.split('.').nth(1), signature]
        .map(Option::unwrap)
        .join(".")
}

fn configuration() -> String {
    let jwks = json!({"keys": [
        {"kty": "RSA", "kid": "rsa", "use": "sig", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},
        {"kty": "EC", "kid": "ec", "use": "sig", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
    ]});
    let algorithms = ["RS256", "ES256"];
    json!({
        "resource": {"audiences": ["api://orders"]},
        "issuers": [{
            "issuer": ISSUER, "claims": "rfc9068", "algorithms": algorithms, "jwks": jwks, "challenge": "oauth"
        }],
        "transmitters": [{
            "issuer": TRANSMITTER, "audience": "https://api.example", "algorithms": algorithms, "jwks": jwks,
            "speaksFor": [ISSUER]
        }]
    })
    .to_string()
}

#[test]
fn revocations_reach_the_tokens_that_they_are_about_and_no_others() {
    use Algorithm::{ES256, RS256};
    let folder = Folder::new("signed");
    let config = folder.file("engine.json", configuration());
    let signals = [
        revocation(RS256, "rsa", "adele"),
        revocation(ES256, "ec", "megan"),
        with_payload_of(
            &revocation(RS256, "rsa", "adele"),
            &revocation(RS256, "rsa", "lee"),
        ),
        "no SET".to_owned(),
        revocation(ES256, "retired", "lee"),
    ];
    let signals = folder.file("sets.jsonl", signals.join("\n"));
    let (before, after) = (NOW - 600, NOW - 60);
    let cases = [
        (
            token(RS256, "rsa", "adele", before),
            "challenge",
            "session_revoked",
        ),
        (token(RS256, "rsa", "adele", after), "allow", ""),
        (
            token(ES256, "ec", "adele", before),
            "challenge",
            "session_revoked",
        ),
        (
            token(ES256, "ec", "megan", before),
            "challenge",
            "session_revoked",
        ),
        (token(ES256, "ec", "megan", after), "allow", ""),
        (token(ES256, "ec", "lee", before), "allow", ""),
        (
            with_payload_of(
                &token(RS256, "rsa", "lee", before),
                &token(RS256, "rsa", "adele", after),
            ),
            "deny",
            "token_signature",
        ),
        (
            token(RS256, "retired", "lee", before),
            "deny",
            "token_key_unknown",
        ),
        (
            token(ES256, "rsa", "lee", before),
            "deny",
            "token_algorithm",
        ),
    ];
    let requests: Vec<String> = (0..)
        .zip(&cases)
        .map(|(index, (token, ..))| request(&index.to_string(), token))
        .collect();
    let arguments = ["decide", "--config", &config, "--signals", &signals];
    let run = run(&arguments, &requests.join("\n"));
    assert_eq!(run.status, 0, "{run:?}");
    let lines = run.lines();
    assert_eq!(lines.len(), cases.len());
    for (line, (_, decision, reason)) in lines.iter().zip(&cases) {
        let code = line["reasons"][0]["code"].as_str().unwrap_or_default();
        assert_eq!(
            (line["decision"].as_str().unwrap(), code),
            (*decision, *reason),
            "{line}"
        );
    }
    for number in ["line 3: ", "line 4: ", "line 5: "] {
        assert!(run.err.contains(number), "{}", run.err);
    }
    assert_eq!(run.err.lines().count(), 3, "{}", run.err);
}
