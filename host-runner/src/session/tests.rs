mod intake;

use std::convert::Infallible;

use cae_core::engine::{EventQuestion, Handle, KeyNeed, SignatureNeed};
use cae_core::state::record::{Cause, Entry};
use cae_core::time::EventTime;

use super::*;

/// An engine that plays back what it was given, and notes what it was asked.
#[derive(Default)]
struct Script {
    begun: Vec<Begun>,
    decided: Vec<Decided>,
    events: Vec<EventReading>,
    /// Signature, proof and number of records found, per `decide`.
    answers: Vec<(Option<bool>, Option<String>, usize)>,
    signatures: Vec<SignatureAnswer>,
}

impl Conversation for Script {
    type Error = Infallible;

    fn begin(
        &mut self,
        _token: &str,
        _now: UnixTime,
        _detail: Detail,
    ) -> Result<Begun, Infallible> {
        Ok(self.begun.remove(0))
    }

    fn decide(
        &mut self,
        _handle: Handle,
        _request: &Request<'_>,
        answers: &Answers<'_>,
        _detail: Detail,
    ) -> Result<Decided, Infallible> {
        let found = answers
            .records
            .iter()
            .filter(|answer| matches!(answer, RecordAnswer::Found(_)));
        self.answers.push((
            answers.signature,
            answers.confirmed.map(str::to_owned),
            found.count(),
        ));
        Ok(self.decided.remove(0))
    }

    fn read_event(
        &mut self,
        _: &str,
        _: UnixTime,
        signature: SignatureAnswer,
    ) -> Result<EventReading, Infallible> {
        self.signatures.push(signature);
        Ok(self.events.remove(0))
    }

    fn merge(&mut self, _: &[u8], _: &[u8]) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(None)
    }

    fn set_keys(&mut self, _: &str, _: &str) -> Result<String, Infallible> {
        Ok(String::new())
    }

    fn reconfigure(&mut self, _: &str) -> Result<String, Infallible> {
        Ok(String::new())
    }

    fn outdated_tokens(&mut self, _: UnixTime) -> Result<u32, Infallible> {
        Ok(0)
    }

    fn sign_in(&mut self, _: &str) -> Result<String, Infallible> {
        Ok(String::new())
    }

    fn explain_event(&mut self, _: &EventQuestion<'_>) -> Result<String, Infallible> {
        Ok(String::new())
    }

    fn inspect_token(&mut self, _: &str, _: UnixTime) -> Result<String, Infallible> {
        Ok(String::new())
    }
}

const KEY: StateKey = StateKey::from_bytes([7; 16]);

fn session(script: Script) -> Session<Script> {
    Session::new(script, Signatures::default())
}

fn record() -> Record {
    Record {
        cut_off: Some(Entry {
            at: EventTime::from_micros(5),
            issued: UnixTime::from_secs(5),
            value: Cause::SessionRevoked,
        }),
        ..Record::default()
    }
}

fn change(record: Vec<u8>) -> Change {
    Change { key: KEY, record }
}

fn verdict(changes: Vec<Change>) -> Verdict {
    Verdict {
        changes,
        ..fault_verdict(OnError::Deny, Detail::None)
    }
}

fn needs() -> Begun {
    Begun::Needs {
        handle: Handle(1),
        needs: Needs {
            signature: Some(signature_need()),
            records: vec![KEY],
            ..Needs::default()
        },
    }
}

fn signature_need() -> SignatureNeed {
    SignatureNeed {
        key_id: "k".to_owned(),
        key: "{}".to_owned(),
        algorithm: "RS256",
        signing_input: 1,
    }
}

fn decide(session: &mut Session<Script>) -> Result<Verdict, SessionError<Infallible>> {
    session.decide("t.", &Request::default(), Some("thumbprint"), Detail::None)
}

#[test]
fn a_decision_gets_its_answers_and_is_remembered() {
    let changes = vec![change(record().to_bytes())];
    let mut session = session(Script {
        begun: vec![needs(), needs()],
        decided: vec![
            Decided::Verdict(verdict(changes)),
            Decided::Verdict(verdict(vec![])),
        ],
        ..Script::default()
    });
    decide(&mut session).unwrap();
    decide(&mut session).unwrap();
    let proof = Some("thumbprint".to_owned());
    let answers = [(Some(false), proof.clone(), 0), (Some(false), proof, 1)];
    assert_eq!(session.engine().answers, answers);
}

#[test]
fn a_stale_handle_begins_again_once() {
    let mut fresh = session(Script {
        begun: vec![needs(), needs()],
        decided: vec![Decided::Stale, Decided::Verdict(verdict(vec![]))],
        ..Script::default()
    });
    assert!(decide(&mut fresh).is_ok());
    let mut stale = session(Script {
        begun: vec![needs(), needs()],
        decided: vec![Decided::Stale, Decided::Stale],
        ..Script::default()
    });
    assert!(matches!(decide(&mut stale), Err(SessionError::Contract(_))));
}

#[test]
fn changes_are_merged_all_or_none() {
    let changes = vec![change(record().to_bytes()), change(b"no record".to_vec())];
    let mut session = session(Script {
        begun: vec![needs()],
        decided: vec![Decided::Verdict(verdict(changes))],
        ..Script::default()
    });
    assert!(matches!(
        decide(&mut session),
        Err(SessionError::Contract(_))
    ));
    assert!(session.state.is_empty());
}

#[test]
fn an_event_is_asked_for_its_key_and_signature_and_applied_once() {
    let accepted = || {
        EventReading::Accepted(AcceptedEvent {
            transmitter: "https://ssf.example".to_owned(),
            jti: "1".to_owned(),
            changes: vec![change(record().to_bytes())],
            json: String::new(),
        })
    };
    let key = KeyNeed {
        issuer: String::new(),
        kid: None,
    };
    let rejected = RejectedEvent {
        code: "invalid_key",
        description: String::new(),
        json: String::new(),
    };
    let mut session = session(Script {
        events: vec![
            EventReading::NeedsSignature(signature_need()),
            accepted(),
            accepted(),
            EventReading::NeedsKey(key),
            EventReading::Rejected(rejected),
        ],
        ..Script::default()
    });
    let mut read = || session.read_event("a.b.c", UnixTime::default()).unwrap();
    assert!(matches!(read(), EventOutcome::Accepted(_)));
    assert!(matches!(read(), EventOutcome::Repeated(_)));
    assert!(matches!(read(), EventOutcome::Rejected(_)));
    assert_eq!(session.state.len(), 1);
    use SignatureAnswer::{Invalid, KeyUnknown, NotChecked};
    assert_eq!(
        session.engine().signatures,
        [NotChecked, Invalid, NotChecked, NotChecked, KeyUnknown]
    );
}

#[test]
fn an_event_cannot_ask_for_ever() {
    let mut session = session(Script {
        events: vec![EventReading::NeedsSignature(signature_need()); 3],
        ..Script::default()
    });
    let read = session.read_event("a.b.c", UnixTime::default());
    assert!(matches!(read, Err(SessionError::Contract(_))));
}

#[test]
fn a_fault_is_a_refusal_unless_the_configuration_says_otherwise() {
    for (configuration, on, decision, status) in [
        ("", OnError::Deny, "deny", 503),
        ("{}", OnError::Deny, "deny", 503),
        (
            r#"{"settings":{"onError":"deny"}}"#,
            OnError::Deny,
            "deny",
            503,
        ),
        (
            r#"{"settings":{"onError":"allow"}}"#,
            OnError::Allow,
            "allow",
            200,
        ),
    ] {
        assert_eq!(on_error(configuration), on);
        let verdict = fault_verdict(on, Detail::Explain);
        let json: json::Value = serde_json::from_str(&verdict.json.unwrap()).unwrap();
        assert_eq!(
            (json["decision"].as_str(), json["status"].as_u64()),
            (Some(decision), Some(status))
        );
        assert_eq!(json["reasons"][0]["code"], "engine_fault");
    }
}
