//! An issuer and transmitter of the test's own, for what a well-behaved one does not send.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cae_host_runner::signing::SigningKey;
use cae_tests::service::{Folder, Service};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://login.example";
pub(crate) const TRANSMITTER: &str = "https://ssf.example";

pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// Keys of an issuer and a transmitter.
pub(crate) struct Own {
    issuer: SigningKey,
    transmitter: SigningKey,
}

impl Own {
    pub(crate) fn new() -> Self {
        let key = |kid| SigningKey::generate(Some("EdDSA"), Some(kid)).unwrap();
        Self {
            issuer: key("i"),
            transmitter: key("t"),
        }
    }

    /// The engine configuration that trusts both, with these settings and policies.
    pub(crate) fn engine(&self, settings: &Value, policies: &Value) -> Value {
        json!({
            "resource": {"audiences": ["api://orders"]},
            "issuers": [{
                "issuer": ISSUER, "claims": {"preset": "rfc9068", "acrs": "acrs"}, "algorithms": ["EdDSA"],
                "jwks": self.issuer.jwks().unwrap(), "challenge": "entra", "honoursNbf": true,
                "enforcesPolicies": true, "policies": policies,
            }],
            "transmitters": [{
                "issuer": TRANSMITTER, "audience": "https://api.example", "algorithms": ["EdDSA"],
                "jwks": self.transmitter.jwks().unwrap(), "speaksFor": [ISSUER],
            }],
            "settings": settings,
        })
    }

    /// An access token that was issued a while ago.
    pub(crate) fn token(&self, user: &str, more: &Value) -> String {
        let issued = now().saturating_sub(60);
        let mut claims = json!({
            "iss": ISSUER, "sub": user, "aud": "api://orders", "client_id": "app", "jti": user,
            "iat": issued, "exp": issued.saturating_add(86_400), "xms_cc": ["cp1"], "scope": "read",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        self.issuer.sign("at+jwt", &claims).unwrap()
    }

    /// A SET that revokes the sessions of a user.
    pub(crate) fn revoked(&self, user: &str) -> String {
        self.set(
            user,
            "caep/event-type/session-revoked",
            &json!({"event_timestamp": now()}),
        )
    }

    pub(crate) fn set(&self, user: &str, event: &str, body: &Value) -> String {
        let subject = json!({"format": "iss_sub", "iss": ISSUER, "sub": user});
        self.set_about(&subject, event, body)
    }

    /// A SET about the stream `1`.
    pub(crate) fn about_stream(&self, event: &str, body: &Value) -> String {
        let subject = json!({"format": "opaque", "id": "1"});
        self.set_about(&subject, &format!("ssf/event-type/{event}"), body)
    }

    /// The name of a SET.
    pub(crate) fn jti(&self, set: &str) -> String {
        let claims = URL_SAFE_NO_PAD.decode(set.split('.').nth(1).unwrap());
        let claims: Value = serde_json::from_slice(&claims.unwrap()).unwrap();
        claims["jti"].as_str().unwrap().to_owned()
    }

    fn set_about(&self, subject: &Value, event: &str, body: &Value) -> String {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let jti = format!(
            "{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let uri = format!("https://schemas.openid.net/secevent/{event}");
        let claims = json!({
            "iss": TRANSMITTER, "aud": "https://api.example", "iat": now(), "jti": jti,
            "sub_id": subject,
            "events": {uri: body},
        });
        self.transmitter.sign("secevent+jwt", &claims).unwrap()
    }
}

/// A `cae.toml` whose engine configuration stands in `engine.json`, with one transmitter that pushes.
pub(crate) const PUSHED: &str = r#"
engine = "engine.json"
[[transmitter]]
name = "own"
issuer = "https://ssf.example"
"#;

/// What says that a body is a SET.
pub(crate) const SET: (&str, &str) = ("Content-Type", "application/secevent+jwt");

/// A service with an issuer and a transmitter of the test's own.
pub(crate) fn start(
    name: &str,
    settings: &Value,
    policies: &Value,
) -> Option<(Folder, Own, Service)> {
    let folder = Folder::new(name);
    let own = Own::new();
    folder.write("engine.json", &own.engine(settings, policies).to_string());
    let service = Service::start(&folder, PUSHED)?;
    Some((folder, own, service))
}
