//! Proof of possession: DPoP (RFC 9449) and certificate-bound tokens (RFC 8705) behind a proxy that ended TLS.
//!
//! A token that is bound to a key passes only with that key's thumbprint. What cannot be proved is not proved.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cae_core::engine::ProofNeed;
use cae_core::time::UnixTime;
use hyper::header::{HeaderMap, HeaderName};
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

use crate::digest::sha256_of;
use crate::encoding::{hexadecimal, percent_decoded};
use crate::signature::install_provider;

/// How far the time of a proof may be from now, in seconds.
const WINDOW: u64 = 60;
/// Most proofs that are remembered, in each of two halves.
const HALF: usize = 1 << 17;
/// Most bytes of a proof.
const MOST_BYTES: usize = 8 << 10;

/// What a request presents besides its token.
pub(crate) struct Presented<'a> {
    pub(crate) token: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) method: Option<&'a str>,
    /// Path and query of the original request.
    pub(crate) target: Option<&'a str>,
    /// Whether the token came under the scheme `DPoP`.
    pub(crate) under_dpop: bool,
    pub(crate) certificate_header: Option<&'a HeaderName>,
    pub(crate) public_origin: Option<&'a str>,
    pub(crate) now: UnixTime,
}

/// Proofs that were used: each is good once.
#[derive(Debug, Default)]
pub(crate) struct Proofs(Mutex<Halves>);

#[derive(Debug, Default)]
struct Halves {
    newer: HashSet<[u8; 32]>,
    older: HashSet<[u8; 32]>,
    turned: u64,
}

impl Proofs {
    /// Notes a proof; whether it is the first time.
    fn is_first(&self, proof: [u8; 32], now: UnixTime) -> bool {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.as_secs();
        // A half lives at least as long as its proofs are good; full before that, nothing more is taken in.
        if now.saturating_sub(halves.turned) > WINDOW.saturating_mul(2) {
            halves.older = std::mem::take(&mut halves.newer);
            halves.turned = now;
        }
        if halves.newer.len() >= HALF || halves.older.contains(&proof) {
            return false;
        }
        halves.newer.insert(proof)
    }
}

/// The thumbprint that the request proves, if it proves one by the method that the token asks for.
pub(crate) fn prove(
    need: &ProofNeed,
    presented: &Presented<'_>,
    proofs: &Proofs,
) -> Option<String> {
    match need.method {
        // SPEC: RFC 9449 §7.2: what is bound to a key is refused as a bearer token, with a proof beside it too.
        "jkt" if presented.under_dpop => dpop(presented, proofs),
        "x5t#S256" => certificate(presented),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: Algorithm,
    jwk: Jwk,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: u64,
    ath: Option<String>,
}

/// SPEC: RFC 9449 §4.3, in its order.
fn dpop(presented: &Presented<'_>, proofs: &Proofs) -> Option<String> {
    install_provider();
    let mut values = presented.headers.get_all("dpop").iter();
    let proof = values.next()?.to_str().ok()?;
    if values.next().is_some() || proof.len() > MOST_BYTES {
        return None;
    }
    let (message, signature) = proof.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let raw = URL_SAFE_NO_PAD.decode(header).ok()?;
    // A private key in the proof: whoever sent it gave the key away.
    let open: serde_json::Value = serde_json::from_slice(&raw).ok()?;
    if open.get("jwk")?.get("d").is_some() || open.get("crit").is_some() {
        return None;
    }
    let header: Header = serde_json::from_value(open).ok()?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let is_symmetric = matches!(
        header.alg,
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
    );
    if header.typ != "dpop+jwt" || is_symmetric {
        return None;
    }
    let key = DecodingKey::from_jwk(&header.jwk).ok()?;
    let verified = jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, header.alg);
    if !verified.ok()? {
        return None;
    }
    let now = presented.now.as_secs();
    let is_of_now = now.abs_diff(claims.iat) <= WINDOW;
    let is_of_this = presented.method.is_some_and(|method| method == claims.htm)
        && names(&claims.htu, presented.public_origin?, presented.target?);
    let is_of_token = claims.ath.as_deref() == Some(digest(presented.token.as_bytes()).as_str());
    if !is_of_now || !is_of_this || !is_of_token || claims.jti.is_empty() {
        return None;
    }
    let thumbprint = header.jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
    let name = crate::digest::sha256(&[thumbprint.as_bytes(), claims.jti.as_bytes()]);
    proofs.is_first(name, presented.now).then_some(thumbprint)
}

/// SPEC: RFC 9449 §4.3 item 9: without query and fragment; scheme and host compare without case.
fn names(htu: &str, origin: &str, target: &str) -> bool {
    let bare = |text: &str| {
        let end = text.find(['?', '#']).unwrap_or(text.len());
        text.get(..end).unwrap_or_default().to_owned()
    };
    let htu = bare(htu);
    let Some((scheme, rest)) = htu.split_once("://") else {
        return false;
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let said = format!("{scheme}://{host}").to_ascii_lowercase();
    let path = if path.is_empty() { "/" } else { path };
    said == origin && path == bare(target)
}

/// The certificate that the proxy verified: PEM (nginx `$ssl_client_escaped_cert`, Envoy), the base64 of its DER
/// (RFC 9440 `Client-Cert`, between colons), or its SHA-256 thumbprint.
fn certificate(presented: &Presented<'_>) -> Option<String> {
    let mut values = presented
        .headers
        .get_all(presented.certificate_header?)
        .iter();
    let text = values.next()?.to_str().ok()?.trim();
    if values.next().is_some() || text.is_empty() {
        return None;
    }
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(URL_SAFE_NO_PAD.encode(hexadecimal(text)?));
    }
    if text.len() == 43 {
        return URL_SAFE_NO_PAD.decode(text).ok().map(|_| text.to_owned());
    }
    let text = percent_decoded(text)?;
    let body = text
        .split("-----BEGIN CERTIFICATE-----")
        .nth(1)
        .map(|rest| rest.split("-----END").next().unwrap_or_default())
        .unwrap_or(&text);
    let body: String = body
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != ':')
        .collect();
    let der = STANDARD.decode(body).ok()?;
    Some(digest(&der))
}

fn digest(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(sha256_of(bytes))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use jsonwebtoken::{EncodingKey, Header as JwtHeader};
    use serde_json::json;

    use super::*;

    /// An Ed25519 key of the examples in RFC 8037 §A.
    const JWK: &str =
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    const PRIVATE: [u8; 48] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4\x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03\x1c\xae\x7f\x60";

    fn proof(change: impl FnOnce(&mut serde_json::Value)) -> HeaderMap {
        install_provider();
        let mut claims = json!({
            "jti": "1", "htm": "GET", "htu": "HTTPS://API.example/orders?x=1", "iat": 1_000,
            "ath": digest(b"a.b.c"),
        });
        change(&mut claims);
        let mut header = JwtHeader::new(Algorithm::EdDSA);
        header.typ = Some("dpop+jwt".to_owned());
        header.jwk = Some(serde_json::from_str(JWK).unwrap());
        let key = EncodingKey::from_ed_der(&PRIVATE);
        let text = jsonwebtoken::encode(&header, &claims, &key).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("dpop", HeaderValue::from_str(&text).unwrap());
        headers
    }

    static CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");

    fn presented(headers: &HeaderMap) -> Presented<'_> {
        Presented {
            token: "a.b.c",
            headers,
            method: Some("GET"),
            target: Some("/orders?y=2"),
            under_dpop: true,
            certificate_header: Some(&CLIENT_CERT),
            public_origin: Some("https://api.example"),
            now: UnixTime::from_secs(1_030),
        }
    }

    #[test]
    fn a_proof_is_good_once_for_its_request() {
        // SPEC: RFC 8037 §A.3 has this thumbprint.
        let thumbprint = Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".to_owned());
        let (proofs, headers) = (Proofs::default(), proof(|_| {}));
        assert_eq!(dpop(&presented(&headers), &proofs), thumbprint);
        assert_eq!(dpop(&presented(&headers), &proofs), None, "used");
        let spoilt: [fn(&mut serde_json::Value); 6] = [
            |claims| claims["htm"] = "POST".into(),
            |claims| claims["htu"] = "https://api.example/other".into(),
            |claims| claims["htu"] = "https://api.example.evil/orders".into(),
            |claims| claims["iat"] = 900.into(),
            |claims| claims["ath"] = digest(b"x").into(),
            |claims| claims["jti"] = "".into(),
        ];
        for (n, spoil) in spoilt.into_iter().enumerate() {
            let headers = proof(spoil);
            assert_eq!(
                dpop(&presented(&headers), &Proofs::default()),
                None,
                "case {n}"
            );
        }
        let mut two = proof(|_| {});
        two.append("dpop", HeaderValue::from_static("a.b.c"));
        assert_eq!(dpop(&presented(&two), &Proofs::default()), None);
    }

    #[test]
    fn a_certificate_comes_in_several_forms() {
        let der = b"not really a certificate";
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            STANDARD.encode(der)
        );
        let escaped: String = pem.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let hex: String = sha256_of(der)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        for text in [
            escaped,
            format!(":{}:", STANDARD.encode(der)),
            digest(der),
            hex,
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("client-cert", HeaderValue::from_str(&text).unwrap());
            assert_eq!(
                certificate(&presented(&headers)),
                Some(digest(der)),
                "{text}"
            );
        }
        let mut headers = HeaderMap::new();
        headers.insert("client-cert", HeaderValue::from_static("%zz"));
        assert_eq!(certificate(&presented(&headers)), None);
    }
}
