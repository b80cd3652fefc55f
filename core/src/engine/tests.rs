//! The rows of `enforcement.md` §5 and §6, through the whole conversation. Signatures are the host's, so the tests
//! answer them; everything else is what the engine makes of configuration, tokens and events.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "small numbers and texts of tests"
)]

mod conditions;
mod effects;
mod events;
mod handles;
mod location;
mod policies;
mod token;

use std::format;
use std::string::{String, ToString as _};
use std::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{
    Begun, Conversation as _, Decided, Detail, Engine, EventQuestion, EventReading,
    SignatureAnswer, Verdict,
};
use crate::challenge::ClaimsRequest;
use crate::decision::{Answers, RecordAnswer, Request};
use crate::state::{StateKey, StateTable};
use crate::time::UnixTime;

/// The start of every test.
const START: u64 = 1_800_000_000;
const TENANT: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
const USER: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
const APPLICATION: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
const CLIENT: &str = "9b2d7f8e-1c3a-4b5d-8e6f-7a8b9c0d1e2f";
const DEVICE: &str = "5d41402a-bc4b-4a76-b971-9d911017c592";
const TRANSMITTER: &str = "https://signals.example";
const INSIDE: &str = "203.0.113.7";
const OUTSIDE: &str = "198.51.100.9";

/// An engine with the host's part of the conversation.
struct Host {
    engine: Engine,
    table: StateTable,
    dialect: Dialect,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Dialect {
    Entra,
    Keycloak,
}

fn jwks() -> Value {
    // RFC 8037 appendix A.2.
    json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})
}

fn office() -> Value {
    json!([{
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "id": "d2136c9c-b049-47ae-b5cf-316e04ef7198",
        "displayName": "Office",
        "isTrusted": true,
        "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}]
    }])
}

fn policy(id: &str, conditions: Value, grant: Value) -> Value {
    let mut all = json!({
        "users": {"includeUsers": ["All"]},
        "applications": {"includeApplications": ["All"]},
        "clientAppTypes": ["all"],
    });
    for (name, condition) in conditions.as_object().unwrap() {
        all[name] = condition.clone();
    }
    json!({"id": id, "displayName": format!("Policy {id}"), "state": "enabled", "conditions": all, "grantControls": grant})
}

fn block() -> Value {
    json!({"operator": "OR", "builtInControls": ["block"]})
}

fn outside_the_office() -> Value {
    json!({"locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}})
}

impl Host {
    /// `policies` are listed under the issuer, so an Entra issuer evaluated them too.
    fn new(dialect: Dialect, policies: Value, settings: Value) -> Self {
        Self::with(
            dialect,
            json!({"policies": policies, "namedLocations": office()}),
            settings,
        )
    }

    fn with(dialect: Dialect, issuer: Value, settings: Value) -> Self {
        let mut entry = match dialect {
            Dialect::Entra => json!({"issuer": issuer_url(dialect), "claims": "entra-v2"}),
            Dialect::Keycloak => json!({"issuer": issuer_url(dialect), "claims": "keycloak"}),
        };
        entry["algorithms"] = json!(["EdDSA"]);
        entry["jwks"] = jwks();
        for (name, value) in issuer.as_object().unwrap() {
            entry[name] = value.clone();
        }
        let configuration = json!({
            "resource": {
                "audiences": [APPLICATION],
                "applicationId": APPLICATION,
                "authorizationUri": "https://login.example/authorize",
                "realm": "",
            },
            "issuers": [entry],
            "transmitters": [{
                "issuer": TRANSMITTER,
                "audience": "https://api.example",
                "algorithms": ["EdDSA"],
                "jwks": jwks(),
                "speaksFor": [issuer_url(dialect)],
            }],
            "settings": settings,
        });
        let engine = Engine::new(&configuration.to_string(), 7)
            .unwrap_or_else(|faults| panic!("{faults:#?}"));
        Self {
            engine,
            table: StateTable::default(),
            dialect,
        }
    }

    /// A token of a capable client, issued at `issued`, with `claims` on top; `null` removes a claim.
    fn token(&self, issued: u64, claims: Value) -> String {
        let mut payload = match self.dialect {
            Dialect::Entra => json!({
                "iss": issuer_url(Dialect::Entra), "tid": TENANT, "ver": "2.0", "aud": APPLICATION, "oid": USER,
                "sub": "pairwise", "azp": CLIENT, "uti": "token-1", "sid": "session-1", "scp": "orders.read",
                "iat": issued, "nbf": issued, "exp": issued + 86_400, "xms_cc": ["CP1"],
            }),
            Dialect::Keycloak => json!({
                "iss": issuer_url(Dialect::Keycloak), "aud": APPLICATION, "sub": USER, "azp": "shop", "jti": "token-1",
                "sid": "session-1", "scope": "orders.read", "iat": issued, "exp": issued + 3_600, "typ": "Bearer",
            }),
        };
        for (name, claim) in claims.as_object().unwrap() {
            if claim.is_null() {
                payload.as_object_mut().unwrap().remove(name);
            } else {
                payload[name] = claim.clone();
            }
        }
        compact(&json!({"alg": "EdDSA", "kid": "k", "typ": "JWT"}), &payload)
    }

    /// One request from inside the office.
    fn ask(&mut self, token: &str, now: u64) -> Verdict {
        self.request(token, &at(now))
    }

    fn request(&mut self, token: &str, request: &Request<'_>) -> Verdict {
        self.request_with(token, request, None)
    }

    fn request_with(
        &mut self,
        token: &str,
        request: &Request<'_>,
        confirmed: Option<&str>,
    ) -> Verdict {
        let (handle, needs) = match self
            .engine
            .begin(token, request.now, Detail::Explain)
            .unwrap()
        {
            Begun::Needs { handle, needs } => (handle, needs),
            Begun::Refused(verdict) => return verdict,
        };
        let records: Vec<RecordAnswer<'_>> = needs
            .records
            .iter()
            .map(|key| {
                self.table
                    .bytes(key)
                    .map_or(RecordAnswer::None, RecordAnswer::Found)
            })
            .collect();
        let answers = Answers {
            signature: needs.signature.map(|_| true),
            confirmed,
            records: &records,
        };
        let mut decide = |detail| self.engine.decide(handle, request, &answers, detail);
        let Ok(Decided::Verdict(verdict)) = decide(Detail::Explain) else {
            panic!("a handle of a moment ago is stale");
        };
        // Less is looked at when nobody wants to read it, and nothing else is found. A token whose key is gone was
        // forgotten with the first answer.
        if let Ok(Decided::Verdict(bare)) = decide(Detail::None) {
            assert_eq!(
                bare,
                Verdict {
                    json: None,
                    ..verdict.clone()
                }
            );
        }
        for change in &verdict.changes {
            self.remember(change.key, &change.record);
        }
        verdict
    }

    /// The keys of a token's records.
    fn keys(&mut self, token: &str) -> Vec<StateKey> {
        let now = UnixTime::from_secs(START);
        match self.engine.begin(token, now, Detail::None).unwrap() {
            Begun::Needs { needs, .. } => needs.records.to_vec(),
            Begun::Refused(verdict) => panic!("{}", told(&verdict)),
        }
    }

    fn remember(&mut self, key: StateKey, bytes: &[u8]) {
        self.table.merge_bytes(&key, bytes).unwrap();
    }

    /// Delivers one event about the user, dated and received at `at`.
    fn event(&mut self, uri: &str, at: u64, payload: Value) {
        let subject = json!({"format": "iss_sub", "iss": issuer_url(self.dialect), "sub": USER});
        self.event_about(subject, uri, at, payload);
    }

    fn event_about(&mut self, subject: Value, uri: &str, at: u64, mut payload: Value) {
        payload["event_timestamp"] = json!(at);
        let uri = format!("https://schemas.openid.net/secevent/{uri}");
        self.event_as(&uri, subject, at, payload);
    }

    /// Delivers one event of any vocabulary.
    fn event_as(&mut self, uri: &str, subject: Value, at: u64, payload: Value) {
        let set = compact(
            &json!({"alg": "EdDSA", "kid": "k", "typ": "secevent+jwt"}),
            &json!({
                "iss": TRANSMITTER, "aud": "https://api.example", "iat": at, "jti": format!("{uri}-{at}"),
                "sub_id": subject,
                "events": {uri: payload},
            }),
        );
        let now = UnixTime::from_secs(at);
        let asked = self
            .engine
            .read_event(&set, now, SignatureAnswer::NotChecked)
            .unwrap();
        assert!(
            matches!(asked, EventReading::NeedsSignature(_)),
            "{asked:?}"
        );
        match self
            .engine
            .read_event(&set, now, SignatureAnswer::Valid)
            .unwrap()
        {
            EventReading::Accepted(event) => {
                for change in event.changes {
                    self.remember(change.key, &change.record);
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

fn issuer_url(dialect: Dialect) -> String {
    match dialect {
        Dialect::Entra => format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        Dialect::Keycloak => "https://keycloak.example/realms/shop".to_string(),
    }
}

fn compact(header: &Value, payload: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2lnbmF0dXJl", part(header), part(payload))
}

/// A request from inside the office.
fn at(now: u64) -> Request<'static> {
    from(INSIDE, now)
}

fn from(address: &'static str, now: u64) -> Request<'static> {
    Request {
        now: UnixTime::from_secs(now),
        client_ip: Some(address),
        ..Request::default()
    }
}

/// Decision, status and reason codes in one text, and the header's `error` and decoded claims request.
fn told(verdict: &Verdict) -> String {
    let mut text = format!(
        "{} {} [{}]",
        verdict.outcome.as_str(),
        verdict.status,
        verdict.reasons.join(" ")
    );
    if let Some(header) = &verdict.www_authenticate {
        let parsed: Value = serde_json::from_str(&crate::challenge::parse_json(header)).unwrap();
        for name in ["error", "acr_values", "max_age", "scope"] {
            if let Some(value) = parsed["parameters"][name].as_str() {
                text += &format!(" {name}={value}");
            }
        }
        if let Some(claims) = parsed["claims"].as_str() {
            let claims = ClaimsRequest::read(claims).unwrap();
            if let Some(nbf) = claims.nbf {
                text += &format!(" nbf=+{}", nbf.as_secs() - START);
            }
            if let Some(address) = claims.rp_ip_address {
                text += &format!(" ip={address}");
            }
            for context in claims.acrs {
                text += &format!(" acrs={context}");
            }
        }
    }
    text
}
