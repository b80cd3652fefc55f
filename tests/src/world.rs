//! A small world to draw from: one Entra issuer that evaluates its policies, one user who moves about, and a client
//! that does what it is told. Signatures are not the subject here: the host answers them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cae_core::challenge;
use cae_core::decision::{Answers, Outcome, RecordAnswer, Request};
use cae_core::engine::{
    Begun, Conversation, Decided, Detail, EventReading, SignatureAnswer, Verdict,
};
use cae_core::state::StateTable;
use cae_core::{Engine, UnixTime};
use serde_json::{Value, json};

/// When the world begins.
pub const START: u64 = 1_800_000_000;
/// The tenant of the issuer.
pub const TENANT: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
/// The user.
pub const USER: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
/// The API.
pub const APPLICATION: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
/// The client.
pub const CLIENT: &str = "9b2d7f8e-1c3a-4b5d-8e6f-7a8b9c0d1e2f";
/// The transmitter.
pub const TRANSMITTER: &str = "https://signals.example";

/// The issuer URL.
#[must_use]
pub fn issuer() -> String {
    format!("https://login.microsoftonline.com/{TENANT}/v2.0")
}

/// A JWK Set with the public key of RFC 8037 appendix A.2.
#[must_use]
pub fn jwks() -> Value {
    json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})
}

/// An engine configuration with these policies under the issuer.
#[must_use]
pub fn configuration(policies: &Value, named_locations: &Value, settings: &Value) -> Value {
    json!({
        "resource": {
            "audiences": [APPLICATION],
            "applicationId": APPLICATION,
            "authorizationUri": "https://login.microsoftonline.com/common/oauth2/authorize",
            "realm": "",
        },
        "issuers": [{
            "issuer": issuer(),
            "claims": "entra-v2",
            "algorithms": ["EdDSA"],
            "jwks": jwks(),
            "policies": policies,
            "namedLocations": named_locations,
        }],
        "transmitters": [{
            "issuer": TRANSMITTER,
            "audience": "https://api.example",
            "algorithms": ["EdDSA"],
            "jwks": jwks(),
            "speaksFor": [issuer()],
        }],
        "settings": settings,
    })
}

/// A token for the user with `claims` on top.
#[must_use]
pub fn token(issued: u64, claims: &Value) -> String {
    let mut payload = json!({
        "iss": issuer(), "tid": TENANT, "ver": "2.0", "aud": APPLICATION, "oid": USER, "sub": "pairwise",
        "azp": CLIENT, "uti": format!("token-{issued}"), "sid": "session-1", "scp": "orders.read", "acct": 0,
        "iat": issued, "nbf": issued, "exp": issued.saturating_add(86_400),
    });
    overlay(&mut payload, claims);
    compact(&json!({"alg": "EdDSA", "kid": "k", "typ": "JWT"}), &payload)
}

/// A SET about the user.
#[must_use]
pub fn event(uri: &str, at: u64, payload: &Value) -> String {
    let mut event = json!({"event_timestamp": at});
    overlay(&mut event, payload);
    compact(
        &json!({"alg": "EdDSA", "kid": "k", "typ": "secevent+jwt"}),
        &json!({
            "iss": TRANSMITTER, "aud": "https://api.example", "iat": at, "jti": format!("{uri}-{at}"),
            "sub_id": {"format": "iss_sub", "iss": issuer(), "sub": USER},
            "events": {format!("https://schemas.openid.net/secevent/{uri}"): event},
        }),
    )
}

/// A compact JWS with a signature that says nothing.
#[must_use]
pub fn compact(header: &Value, payload: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2lnbmF0dXJl", part(header), part(payload))
}

fn overlay(object: &mut Value, members: &Value) {
    if let (Some(object), Some(members)) = (object.as_object_mut(), members.as_object()) {
        object.extend(members.clone());
    }
}

/// A host around the native engine that answers every need.
#[derive(Debug)]
pub struct Host {
    /// The engine.
    pub engine: Engine,
    /// Its state.
    pub table: StateTable,
}

impl Host {
    /// # Errors
    /// The faults of the configuration, as text.
    pub fn new(configuration: &Value) -> Result<Self, String> {
        let engine = Engine::new(&configuration.to_string(), 1)
            .map_err(|faults| format!("{:#?}", faults.0))?;
        Ok(Self {
            engine,
            table: StateTable::default(),
        })
    }

    /// One request; changes are remembered as a host does.
    pub fn request(&mut self, token: &str, request: &Request<'_>, detail: Detail) -> Verdict {
        let Ok(begun) = self.engine.begin(token, request.now, detail);
        let (handle, needs) = match begun {
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
            confirmed: None,
            records: &records,
        };
        let Ok(decided) = self.engine.decide(handle, request, &answers, detail);
        match decided {
            Decided::Verdict(verdict) => {
                for change in &verdict.changes {
                    let _ = self.table.merge_bytes(&change.key, &change.record);
                }
                verdict
            }
            // A handle of a moment ago; asking again is what a host does.
            Decided::Stale => self.request(token, request, detail),
        }
    }

    /// Delivers a SET whose signature is good; says whether it was accepted.
    pub fn deliver(&mut self, set: &str, now: u64) -> bool {
        let Ok(reading) =
            self.engine
                .read_event(set, UnixTime::from_secs(now), SignatureAnswer::Valid);
        let EventReading::Accepted(event) = reading else {
            return false;
        };
        for change in event.changes {
            let _ = self.table.merge_bytes(&change.key, &change.record);
        }
        true
    }
}

/// The user and the client: what they can show, and where they are.
#[derive(Clone, Debug)]
pub struct Person {
    /// Address that the issuer sees.
    pub issuer_sees: String,
    /// Address that the resource sees.
    pub resource_sees: String,
    /// Whether the user can do multi-factor authentication when asked.
    pub has_second_factor: bool,
    /// What was done in this session.
    pub satisfied: Vec<&'static str>,
    /// When the user last authenticated.
    pub authenticated: u64,
}

/// What came of a request and everything that the client did about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Course {
    /// Challenges that the client saw.
    pub challenges: usize,
    /// How it ended: `allow`, `deny`, or `block` by the issuer.
    pub end: &'static str,
}

impl Person {
    /// A sign-in or an answered challenge, interaction included; the token, or `None` if the issuer blocks.
    ///
    /// # Errors
    /// The issuer cannot read the request, or asks for something twice.
    pub fn sign_in(
        &mut self,
        host: &mut Host,
        now: u64,
        claims: Option<&str>,
    ) -> Result<Option<String>, String> {
        for _ in 0..3 {
            let mut request = json!({
                "issuer": issuer(), "now": now, "user": USER, "userType": "member", "clientApplication": CLIENT,
                "clientCapabilities": ["cp1"], "application": APPLICATION, "ipAddress": self.issuer_sees,
                "authTime": self.authenticated, "satisfied": self.satisfied, "random": 7,
            });
            if let Some(claims) = claims {
                request["claims"] =
                    serde_json::from_str(claims).map_err(|error| error.to_string())?;
            }
            let Ok(answer) = host.engine.sign_in(&request.to_string());
            let answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
            match answer["result"].as_str() {
                Some("grant") => {
                    let methods = if self.satisfied.contains(&"mfa") {
                        json!(["pwd", "mfa"])
                    } else {
                        json!(["pwd"])
                    };
                    let mut claims = json!({"amr": methods, "auth_time": self.authenticated});
                    overlay(&mut claims, &answer["claims"]);
                    if let Some(lifetime) = answer["lifetimeSeconds"].as_u64() {
                        claims["exp"] = json!(now.saturating_add(lifetime));
                    }
                    if !answer["notBefore"].is_null() {
                        claims["nbf"] = answer["notBefore"].clone();
                    }
                    return Ok(Some(token(now, &claims)));
                }
                Some("interactionRequired") => {
                    self.authenticated = now;
                    if self.has_second_factor {
                        self.satisfied = vec!["mfa"];
                    } else if answer["unmet"].to_string().contains("mfa") {
                        return Ok(None);
                    }
                }
                Some("block") => return Ok(None),
                _ => return Err(answer.to_string()),
            }
        }
        Err("the issuer asks for interaction again and again".into())
    }

    /// Sends a request and forwards every challenge until it is over.
    ///
    /// # Errors
    /// More than eight challenges, a challenge without claims, or an issuer that cannot be satisfied.
    pub fn persist(
        &mut self,
        host: &mut Host,
        mut token: String,
        mut now: u64,
    ) -> Result<Course, String> {
        for challenges in 0..8 {
            let resource_sees = self.resource_sees.clone();
            let request = Request {
                now: UnixTime::from_secs(now),
                client_ip: Some(&resource_sees),
                ..Request::default()
            };
            let verdict = host.request(&token, &request, Detail::None);
            match verdict.outcome {
                Outcome::Allow => {
                    return Ok(Course {
                        challenges,
                        end: "allow",
                    });
                }
                Outcome::Deny => {
                    return Ok(Course {
                        challenges,
                        end: "deny",
                    });
                }
                Outcome::Challenge => {}
            }
            let header = verdict.www_authenticate.unwrap_or_default();
            let parsed: Value =
                serde_json::from_str(&challenge::parse_json(&header)).unwrap_or_default();
            let claims = parsed["claims"]
                .as_str()
                .ok_or_else(|| format!("no claims in {header}"))?;
            now = now.saturating_add(2);
            match self.sign_in(host, now, Some(claims))? {
                Some(fresh) => token = fresh,
                None => {
                    return Ok(Course {
                        challenges: challenges.saturating_add(1),
                        end: "block",
                    });
                }
            }
            now = now.saturating_add(1);
        }
        Err(format!("still challenged after eight rounds: {self:?}"))
    }
}
