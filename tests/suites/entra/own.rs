//! A tenant of the test's own: tokens that its issuer signs, and a service that reads it.

use std::time::{SystemTime, UNIX_EPOCH};

use cae_core::time::UnixTime;
use cae_host_runner::signing::SigningKey;
use cae_tests::graph::{Graph, SECRET, TENANT};
use cae_tests::service::{Folder, Service, free_port};
use serde_json::{Value, json};

/// The users of most tests.
pub(crate) const ADELE: &str = "ad000000-0000-4000-8000-0000000000a1";
pub(crate) const BRUNO: &str = "b0000000-0000-4000-8000-0000000000b2";
/// The client application of users.
pub(crate) const APP: &str = "c1000000-0000-4000-8000-0000000000c3";
/// A daemon: the id of its application, and of its service principal.
pub(crate) const DAEMON: &str = "da000000-0000-4000-8000-0000000000d4";
pub(crate) const DAEMON_OBJECT: &str = "0b000000-0000-4000-8000-0000000000d5";
pub(crate) const AUDIENCE: &str = "a0000000-0000-4000-8000-00000000a0d1";

pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

/// A date as Graph writes it.
pub(crate) fn date(seconds: u64) -> String {
    UnixTime::from_secs(seconds)
        .utc()
        .to_string()
        .replacen(' ', "T", 1)
}

/// The issuer of the tenant.
fn issuer() -> String {
    format!("https://login.microsoftonline.com/{TENANT}/v2.0")
}

fn claims(issuer: &str, user: &str, issued: u64) -> Value {
    json!({
        "ver": "2.0", "iss": issuer, "tid": TENANT, "aud": AUDIENCE, "oid": user, "sub": user, "azp": APP,
        "scp": "read", "iat": issued, "nbf": issued, "exp": issued.saturating_add(86_400), "xms_cc": ["cp1"],
    })
}

/// A running service, and the tenant that it reads.
pub(crate) struct World {
    pub(crate) graph: Graph,
    pub(crate) folder: Folder,
    pub(crate) key: SigningKey,
    pub(crate) service: Service,
}

/// What a test starts with.
pub(crate) struct Setup {
    pub(crate) graph: Graph,
    pub(crate) folder: Folder,
    key: SigningKey,
    rsa: SigningKey,
    /// Where notifications go.
    pub(crate) signals: u16,
}

impl Setup {
    pub(crate) fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        folder.write("secret", SECRET);
        let graph = Graph::start();
        for user in [ADELE, BRUNO] {
            graph.state().users.set(
                user,
                &json!({"accountEnabled": true, "userType": "Member", "displayName": "x"}),
            );
        }
        Self {
            graph,
            folder,
            key: SigningKey::generate(Some("EdDSA"), Some("k")).unwrap(),
            rsa: SigningKey::generate(Some("RS256"), Some("r")).unwrap(),
            signals: free_port(),
        }
    }

    /// The engine configuration, with this further table of settings.
    pub(crate) fn engine(&self, more: &Value) -> Value {
        let mut engine = json!({
            "resource": {"audiences": [AUDIENCE], "applicationId": AUDIENCE},
            "issuers": [{
                "issuer": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
                "claims": "entra-v2", "algorithms": ["EdDSA"], "challenge": "entra",
                "jwks": self.key.jwks().unwrap(),
            }],
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            engine[name] = value.clone();
        }
        engine
    }

    /// A token of a user.
    pub(crate) fn token(&self, user: &str, issued: u64) -> String {
        self.key
            .sign("JWT", &claims(&issuer(), user, issued))
            .unwrap()
    }

    /// The same by another name of the issuer, with a key that Entra could have.
    pub(crate) fn token_of(&self, issuer: &str, user: &str, issued: u64) -> String {
        self.rsa.sign("JWT", &claims(issuer, user, issued)).unwrap()
    }

    /// The key of such tokens.
    pub(crate) fn jwks(&self) -> Value {
        self.rsa.jwks().unwrap()
    }

    /// Starts the service: `more` is added to `[entra]`.
    pub(crate) fn start(self, engine: &Value, more: &str) -> Option<World> {
        self.folder
            .write("engine.json", &self.engine(engine).to_string());
        let fast = if more.contains("pollSeconds") {
            ""
        } else {
            "pollSeconds = 1\npolicySeconds = 1\n"
        };
        let configuration = format!(
            "engine = \"engine.json\"\n{}{fast}{more}",
            self.graph.block()
        );
        let service = Service::start_with_signals(&self.folder, &configuration, self.signals)?;
        Some(World {
            graph: self.graph,
            folder: self.folder,
            key: self.key,
            service,
        })
    }
}

impl World {
    /// A token of a user that was issued a minute ago.
    pub(crate) fn token(&self, user: &str) -> String {
        self.token_with(user, now().saturating_sub(60), &json!({}))
    }

    pub(crate) fn token_with(&self, user: &str, issued: u64, more: &Value) -> String {
        let mut claims = claims(&issuer(), user, issued);
        for (name, value) in more.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        self.key.sign("JWT", &claims).unwrap()
    }

    /// A token of the daemon for itself.
    pub(crate) fn daemon(&self) -> String {
        let issued = now().saturating_sub(60);
        let claims = json!({
            "ver": "2.0", "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            "tid": TENANT, "aud": AUDIENCE, "oid": DAEMON_OBJECT, "sub": DAEMON_OBJECT, "azp": DAEMON,
            "roles": ["Orders.Read"], "idtyp": "app",
            "iat": issued, "nbf": issued, "exp": issued.saturating_add(86_400), "xms_cc": ["cp1"],
        });
        self.key.sign("JWT", &claims).unwrap()
    }

    pub(crate) fn status(&self, token: &str) -> u16 {
        self.service.authorize(token, "/").status
    }

    /// How a feature is, as `/readyz` shows it.
    pub(crate) fn feature(&self, name: &str) -> Value {
        let ready = self.service.ready().json();
        let features = ready["entra"]["features"].as_array().cloned();
        let mut features = features.unwrap_or_default().into_iter();
        features.find(|it| it["name"] == name).unwrap_or_default()
    }

    /// Whether everything of a feature was read.
    pub(crate) fn has_read(&self, name: &str) -> bool {
        self.feature(name)["state"] == "read"
    }
}
