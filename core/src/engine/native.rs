//! The engine itself.

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use core::convert::Infallible;

use super::{
    Begun, Conversation, Decided, Detail, EventReading, Handle, Needs, RejectedEvent,
    SignatureAnswer, SignatureNeed, Verdict,
};
use crate::configuration::{Fault, Faults};
use crate::decision::{Answers, Outcome, Request};
use crate::state::StateKey;
use crate::time::UnixTime;

/// The engine.
#[derive(Debug)]
pub struct Engine {}

impl Engine {
    /// Stub.
    ///
    /// # Errors
    /// Stub.
    pub fn new(configuration: &str, _seed: u64) -> Result<Self, Faults> {
        if configuration.starts_with('{') {
            Ok(Self {})
        } else {
            Err(Faults(vec![Fault {
                at: String::new(),
                code: "configuration.malformed",
                message: "not a JSON object".to_string(),
            }]))
        }
    }
}

fn refusal() -> Verdict {
    Verdict {
        outcome: Outcome::Deny,
        status: 401,
        www_authenticate: Some("Bearer error=\"invalid_token\"".to_string()),
        reasons: vec!["token_malformed".to_string()],
        changes: Vec::new(),
        revisit_at: None,
        may_reuse_without_events: 0,
        json: None,
    }
}

impl Conversation for Engine {
    type Error = Infallible;

    fn begin(&mut self, token: &str, _now: UnixTime) -> Result<Begun, Infallible> {
        if token == "stub" {
            return Ok(Begun::Needs {
                handle: Handle(1),
                needs: Needs {
                    signature: Some(SignatureNeed {
                        key_id: "k".to_string(),
                        key: "{}".to_string(),
                        algorithm: "RS256",
                        signing_input: 2,
                    }),
                    key: None,
                    proof: None,
                    records: vec![StateKey::from_bytes([0xab; 16]); 6],
                },
            });
        }
        Ok(Begun::Refused(refusal()))
    }

    fn decide(
        &mut self,
        handle: Handle,
        request: &Request<'_>,
        answers: &Answers<'_>,
        _detail: Detail,
    ) -> Result<Decided, Infallible> {
        Ok(match (handle, answers.records.len()) {
            (Handle(1), 6) => Decided::Verdict(Verdict {
                outcome: Outcome::Allow,
                status: 200,
                www_authenticate: None,
                reasons: Vec::new(),
                revisit_at: Some(request.now),
                ..refusal()
            }),
            (Handle(1), _) => Decided::Verdict(refusal()),
            _ => Decided::Stale,
        })
    }

    fn read_event(
        &mut self,
        _set: &str,
        _received_at: UnixTime,
        _signature: SignatureAnswer,
    ) -> Result<EventReading, Infallible> {
        Ok(EventReading::Rejected(RejectedEvent {
            code: "invalid_request",
            description: "stub".to_string(),
            json: "{}".to_string(),
        }))
    }

    fn merge(&mut self, _a: &[u8], _b: &[u8]) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(None)
    }

    fn set_keys(&mut self, _issuer: &str, _jwks: &str) -> Result<String, Infallible> {
        Ok(r#"[{"at":"","code":"keys.stub","message":"stub"}]"#.to_string())
    }

    fn reconfigure(&mut self, _configuration: &str) -> Result<String, Infallible> {
        Ok("[]".to_string())
    }

    fn sign_in(&mut self, _request: &str) -> Result<String, Infallible> {
        Ok("{}".to_string())
    }

    fn inspect_token(&mut self, _token: &str, _now: UnixTime) -> Result<String, Infallible> {
        Ok("{}".to_string())
    }
}
