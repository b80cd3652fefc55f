//! An engine small enough to be judged by eye.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use core::convert::Infallible;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::decision::Outcome;
use crate::decision::request::{Answers, RecordAnswer, Request};
use crate::engine::{
    AcceptedEvent, Begun, Change, Conversation, Decided, Detail, EventQuestion, EventReading,
    Handle, KeyNeed, Needs, RejectedEvent, SignatureAnswer, SignatureNeed, Verdict,
};
use crate::json::Value;
use crate::state::key::NameSpace;
use crate::state::{Identifier, StateKey, SubjectKind};
use crate::time::UnixTime;

/// Refuses every token whose subject was ever named by an event; knows nothing else.
pub(super) struct Toy {
    keys: BTreeMap<String, Value>,
    handles: Vec<String>,
    verified: BTreeSet<String>,
}

impl Toy {
    pub(super) fn new(configuration: &str) -> Self {
        let configuration: Value = serde_json::from_str(configuration).unwrap();
        let entries = ["issuers", "transmitters"].map(|list| configuration[list].as_array());
        let keys = entries.into_iter().flatten().flatten().map(|entry| {
            let owner = entry["issuer"].as_str().unwrap();
            (owner.to_string(), entry["jwks"].clone())
        });
        Self {
            keys: keys.collect(),
            handles: Vec::new(),
            verified: BTreeSet::new(),
        }
    }

    fn key(&self, compact: &str) -> Result<SignatureNeed, KeyNeed> {
        let [header, claims] = parts(compact);
        let (issuer, key_id) = (claims["iss"].as_str().unwrap(), &header["kid"]);
        let keys = self.keys[issuer]["keys"].as_array().unwrap();
        let found = keys.iter().find(|key| key["kid"] == *key_id);
        found
            .map(|key| SignatureNeed {
                key_id: key_id.to_string(),
                key: key.to_string(),
                algorithm: "EdDSA",
                signing_input: compact.rfind('.').unwrap(),
            })
            .ok_or_else(|| KeyNeed {
                issuer: issuer.to_string(),
                kid: key_id.as_str().map(Into::into),
            })
    }
}

fn parts(compact: &str) -> [Value; 2] {
    let mut parts = compact.split('.');
    [(); 2].map(|()| {
        let part = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        serde_json::from_slice(&part).unwrap()
    })
}

fn key_of(subject: &Value) -> StateKey {
    let identifier = Identifier {
        name_space: NameSpace::Native,
        text: subject.as_str().unwrap(),
    };
    StateKey::new("toy", SubjectKind::User, identifier)
}

fn verdict(outcome: Outcome, status: u16, reason: Option<&str>) -> Verdict {
    let challenged = outcome == Outcome::Challenge;
    Verdict {
        outcome,
        status,
        www_authenticate: challenged.then(|| r#"Bearer error="invalid_token""#.to_string()),
        reasons: reason.into_iter().map(Into::into).collect(),
        changes: Vec::new(),
        revisit_at: None,
        may_reuse_without_events: 0,
        json: Some(r#"{"undetermined":[],"decision":"out of order on purpose"}"#.to_string()),
    }
}

impl Conversation for Toy {
    type Error = Infallible;

    fn begin(&mut self, token: &str, _: UnixTime, _: Detail) -> Result<Begun, Infallible> {
        if token.is_empty() {
            let refused = verdict(Outcome::Deny, 401, Some("token_missing"));
            return Ok(Begun::Refused(refused));
        }
        let mut needs = Needs {
            records: vec![key_of(&parts(token)[1]["sub"])],
            ..Needs::default()
        };
        match self.key(token) {
            Ok(signature) => needs.signature = Some(signature),
            Err(key) => needs.key = Some(key),
        }
        self.handles.push(token.to_string());
        let handle = Handle(u64::try_from(self.handles.len() - 1).unwrap());
        Ok(Begun::Needs { handle, needs })
    }

    fn decide(
        &mut self,
        handle: Handle,
        _: &Request<'_>,
        answers: &Answers<'_>,
        _: Detail,
    ) -> Result<Decided, Infallible> {
        let token = &self.handles[usize::try_from(handle.0).unwrap()];
        if self.key(token).is_err() {
            // A token that passed before is begun again, which tells that its key is gone.
            return Ok(if self.verified.remove(token) {
                Decided::Stale
            } else {
                Decided::Verdict(verdict(Outcome::Deny, 401, Some("token_key_unknown")))
            });
        }
        if answers.signature == Some(true) {
            self.verified.insert(token.clone());
        }
        Ok(Decided::Verdict(
            match (answers.signature, answers.records) {
                (Some(false), _) => verdict(Outcome::Deny, 401, Some("token_signature")),
                (_, [RecordAnswer::Found(_)]) => {
                    verdict(Outcome::Challenge, 401, Some("session_revoked"))
                }
                _ => verdict(Outcome::Allow, 200, None),
            },
        ))
    }

    fn read_event(
        &mut self,
        set: &str,
        _: UnixTime,
        signature: SignatureAnswer,
    ) -> Result<EventReading, Infallible> {
        let claims = &parts(set)[1];
        Ok(match (signature, self.key(set)) {
            (SignatureAnswer::NotChecked, Ok(need)) => EventReading::NeedsSignature(need),
            (SignatureAnswer::NotChecked, Err(need)) => EventReading::NeedsKey(need),
            (SignatureAnswer::Valid, _) => EventReading::Accepted(AcceptedEvent {
                transmitter: claims["iss"].to_string(),
                jti: claims["jti"].to_string(),
                changes: vec![Change {
                    key: key_of(&claims["sub_id"]["id"]),
                    record: b"x".to_vec(),
                }],
                json: "{}".to_string(),
            }),
            _ => EventReading::Rejected(RejectedEvent {
                code: "invalid_key",
                description: String::new(),
                json: "{}".to_string(),
            }),
        })
    }

    fn merge(&mut self, a: &[u8], _: &[u8]) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(Some(a.to_vec()))
    }

    fn set_keys(&mut self, issuer: &str, jwks: &str) -> Result<String, Infallible> {
        let jwks = serde_json::from_str(jwks).unwrap();
        self.keys.insert(issuer.to_string(), jwks);
        Ok("[]".to_string())
    }

    fn reconfigure(&mut self, configuration: &str) -> Result<String, Infallible> {
        *self = Self {
            handles: core::mem::take(&mut self.handles),
            ..Self::new(configuration)
        };
        Ok("[]".to_string())
    }

    fn outdated_tokens(&mut self, _: UnixTime) -> Result<u32, Infallible> {
        Ok(0)
    }

    fn sign_in(&mut self, request: &str) -> Result<String, Infallible> {
        let request: Value = serde_json::from_str(request).unwrap();
        if request["accountEnabled"] == json!(false) {
            return Ok(r#"{"result":"block","code":"AADSTS50057","unmet":[]}"#.to_string());
        }
        let lifetime = 3_600 + request["random"].as_u64().unwrap() % 60;
        Ok(json!({"result": "grant", "lifetimeSeconds": lifetime, "claims": {}}).to_string())
    }

    fn explain_event(&mut self, _: &EventQuestion<'_>) -> Result<String, Infallible> {
        Ok("{}".to_string())
    }

    fn inspect_token(&mut self, _: &str, _: UnixTime) -> Result<String, Infallible> {
        Ok("{}".to_string())
    }
}
