//! A token that is bound to a key serves only whoever has the key.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cae_host_runner::digest::sha256_of;
use cae_host_runner::signing::SigningKey;
use cae_tests::service::{Folder, Reply, Service, ask};
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::own::{Own, PUSHED, now};

/// A key of a client.
struct ClientKey {
    jwk: Jwk,
    encoding: EncodingKey,
}

impl ClientKey {
    fn new() -> Self {
        let key = SigningKey::generate(Some("EdDSA"), None).unwrap();
        let pem = key.to_pem().unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        Self {
            jwk: serde_json::from_value(key.jwks().unwrap()["keys"][0].clone()).unwrap(),
            encoding: EncodingKey::from_ed_der(&STANDARD.decode(body).unwrap()),
        }
    }

    /// RFC 7638.
    fn thumbprint(&self) -> String {
        self.jwk.thumbprint(ThumbprintHash::SHA256).unwrap()
    }

    /// RFC 9449 §4.2.
    fn prove(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(self.jwk.clone());
        jsonwebtoken::encode(&header, claims, &self.encoding).unwrap()
    }
}

const SETTINGS: &str = r#"
[authorization]
publicOrigin = "https://api.example"
certificateHeader = "X-Client-Certificate"
"#;

fn start(name: &str) -> Option<(Folder, Own, Service)> {
    let folder = Folder::new(name);
    let own = Own::new();
    folder.write(
        "engine.json",
        &own.engine(&json!({}), &json!([])).to_string(),
    );
    let service = Service::start(&folder, &format!("{PUSHED}{SETTINGS}"))?;
    Some((folder, own, service))
}

fn authorize(service: &Service, headers: &[(&str, &str)]) -> Reply {
    let original = [
        ("X-Original-Method", "GET"),
        ("X-Original-URI", "/orders?n=1"),
    ];
    let all = [&original, headers].concat();
    ask(service.authorization, "GET", "/authorize", &all, None).unwrap()
}

#[test]
fn a_dpop_token_needs_a_proof_for_this_request() {
    let Some((_folder, own, service)) = start("dpop") else {
        return;
    };
    let (key, other) = (ClientKey::new(), ClientKey::new());
    let token = own.token("adele", &json!({"cnf": {"jkt": key.thumbprint()}}));
    let credential = format!("DPoP {token}");
    let ath = URL_SAFE_NO_PAD.encode(sha256_of(token.as_bytes()));
    let proof = |key: &ClientKey, jti: &str, more: Value| {
        let mut claims = json!({
            "jti": jti, "htm": "GET", "htu": "https://api.example/orders", "iat": now(), "ath": ath,
        });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        key.prove(&claims)
    };
    let ask = |proof: Option<&str>| {
        let credential = ("Authorization", credential.as_str());
        match proof {
            Some(proof) => authorize(&service, &[credential, ("DPoP", proof)]),
            None => authorize(&service, &[credential]),
        }
    };
    let good = proof(&key, "1", json!({}));
    assert_eq!(ask(Some(&good)).status, 200);
    assert_eq!(ask(Some(&good)).status, 401, "used");
    let refused = [
        None,
        Some(proof(&other, "2", json!({}))),
        Some(proof(&key, "3", json!({"htm": "POST"}))),
        Some(proof(
            &key,
            "4",
            json!({"htu": "https://api.example/invoices"}),
        )),
        Some(proof(
            &key,
            "5",
            json!({"htu": "https://elsewhere.example/orders"}),
        )),
        Some(proof(
            &key,
            "6",
            json!({"iat": now().saturating_sub(3_600)}),
        )),
        Some(proof(&key, "7", json!({"ath": "of-another-token"}))),
        Some("a.b.c".to_owned()),
    ];
    for proof in refused {
        let reply = ask(proof.as_deref());
        assert_eq!(reply.status, 401, "{proof:?}");
        let challenge = reply.header("www-authenticate").unwrap();
        assert!(challenge.contains("invalid_"), "{challenge}");
    }
    let bearer = format!("Bearer {token}");
    let again = proof(&key, "8", json!({}));
    let downgraded = authorize(&service, &[("Authorization", &bearer), ("DPoP", &again)]);
    assert_eq!(downgraded.status, 401, "a bound token is no bearer token");
    assert_eq!(ask(Some(&proof(&key, "9", json!({})))).status, 200);
}

#[test]
fn a_certificate_bound_token_needs_the_certificate_that_the_proxy_saw() {
    let Some((_folder, own, service)) = start("certificates") else {
        return;
    };
    let thumbprint = URL_SAFE_NO_PAD.encode([7; 32]);
    let token = own.token("adele", &json!({"cnf": {"x5t#S256": thumbprint}}));
    let bearer = format!("Bearer {token}");
    let ask = |certificates: &[&str]| {
        let mut headers = vec![("Authorization", bearer.as_str())];
        headers.extend(certificates.iter().map(|it| ("X-Client-Certificate", *it)));
        authorize(&service, &headers).status
    };
    let other = URL_SAFE_NO_PAD.encode([8; 32]);
    assert_eq!(ask(&[&thumbprint]), 200);
    assert_eq!(ask(&["07".repeat(32).as_str()]), 200, "in hexadecimal");
    assert_eq!(ask(&[]), 401);
    assert_eq!(ask(&[""]), 401, "the proxy saw none");
    assert_eq!(ask(&[&other]), 401);
    assert_eq!(
        ask(&[&thumbprint, &thumbprint]),
        401,
        "one of them is not the proxy's"
    );
    assert_eq!(ask(&[&thumbprint]), 200);
}
