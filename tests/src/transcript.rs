//! A conversation written down, so that another build of the engine can be asked the same questions.
//!
//! One JSON line per call: `{"call", …arguments, "answer"}`, in the shapes of `wasm/types/cae.d.ts`; bytes are
//! hexadecimal text. `tests/javascript/transcripts.test.mjs` asks the module for JavaScript.

use std::fs;

use cae_core::UnixTime;
use cae_core::decision::{Answers, RecordAnswer, Request};
use cae_core::engine::{
    Begun, Change, Conversation, Decided, Detail, EventQuestion, EventReading, Handle, KeyNeed,
    SignatureAnswer, SignatureNeed, Verdict,
};
use serde_json::{Map, Value, json};

use crate::places;

/// What was asked and answered, in order.
#[derive(Debug, Default)]
pub struct Transcript(Vec<Value>);

impl Transcript {
    /// Notes what a tool answered, under the name that it has in JavaScript.
    pub fn tool(&mut self, name: &str, arguments: Value, answer: &str) {
        self.note(
            json!({"call": "tool", "name": name, "arguments": arguments}),
            json!(answer),
        );
    }

    /// The transcript so far.
    #[must_use]
    pub fn lines(&self) -> &[Value] {
        &self.0
    }

    /// Leaves the transcript where the other build looks for it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, name: &str) -> std::io::Result<()> {
        let folder = places::root().join("target/cae/transcripts");
        fs::create_dir_all(&folder)?;
        let lines: String = self.0.iter().map(|line| format!("{line}\n")).collect();
        fs::write(folder.join(format!("{name}.jsonl")), lines)
    }

    fn note(&mut self, mut call: Value, answer: Value) {
        if let Some(members) = call.as_object_mut() {
            members.insert("answer".into(), answer);
        }
        self.0.push(call);
    }
}

/// An engine whose conversation is written down.
#[derive(Debug)]
pub struct Recorder<'t, C> {
    engine: C,
    transcript: &'t mut Transcript,
}

impl<'t, C: Conversation> Recorder<'t, C> {
    /// Writes down everything that is said to `engine`, which is new.
    pub fn new(engine: C, configuration: &str, transcript: &'t mut Transcript) -> Self {
        let created = json!({"call": "create", "configuration": configuration});
        transcript.0.push(created);
        Self { engine, transcript }
    }

    fn note(&mut self, call: Value, answer: Value) {
        self.transcript.note(call, answer);
    }
}

impl<C: Conversation> Conversation for Recorder<'_, C> {
    type Error = C::Error;

    fn begin(&mut self, token: &str, now: UnixTime, detail: Detail) -> Result<Begun, C::Error> {
        let begun = self.engine.begin(token, now, detail)?;
        let answer = match &begun {
            Begun::Needs { handle, needs } => {
                let mut members = Map::new();
                if let Some(need) = &needs.signature {
                    members.insert("signature".into(), signature_need(need));
                }
                if let Some(need) = &needs.key {
                    members.insert("key".into(), key_need(need));
                }
                if let Some(need) = &needs.proof {
                    members.insert(
                        "proof".into(),
                        json!({"method": need.method, "thumbprint": need.thumbprint}),
                    );
                }
                let records: Vec<String> = needs.records.iter().map(ToString::to_string).collect();
                members.insert("records".into(), json!(records));
                json!({"kind": "needs", "handle": handle.0, "needs": members})
            }
            Begun::Refused(refused) => json!({"kind": "refused", "verdict": verdict(refused)}),
        };
        self.note(
            json!({"call": "begin", "token": token, "now": now.as_secs(), "detail": name_of(detail)}),
            answer,
        );
        Ok(begun)
    }

    fn decide(
        &mut self,
        handle: Handle,
        request: &Request<'_>,
        answers: &Answers<'_>,
        detail: Detail,
    ) -> Result<Decided, C::Error> {
        let decided = self.engine.decide(handle, request, answers, detail)?;
        let records: Vec<Value> = answers
            .records
            .iter()
            .map(|answer| match answer {
                RecordAnswer::Found(bytes) => json!(hex(bytes)),
                RecordAnswer::None => Value::Null,
                RecordAnswer::Failed => json!("failed"),
            })
            .collect();
        let facts = &request.facts;
        let call = without_nulls(json!({
            "call": "decide",
            "handle": handle.0,
            "now": request.now.as_secs(),
            "clientIp": request.client_ip,
            "country": request.country,
            "path": request.path,
            "signature": answers.signature,
            "scheme": request.scheme,
            "confirmed": answers.confirmed,
            "facts": without_nulls(json!({
                "memberOf": facts.member_of,
                "roles": facts.roles,
                "userType": facts.user_type,
                "externalUserType": facts.external_user_type,
                "externalTenant": facts.external_tenant,
                "clientAppType": facts.client_app_type,
                "platform": facts.platform,
                "deviceCompliant": facts.device_compliant,
                "device": facts.device,
            })),
            "signalAge": request.signal_age.iter()
                .map(|(issuer, seconds)| json!({"issuer": issuer, "seconds": seconds}))
                .collect::<Vec<_>>(),
            "detail": name_of(detail),
            "records": records,
        }));
        let answer = match &decided {
            Decided::Verdict(decided) => json!({"kind": "verdict", "verdict": verdict(decided)}),
            Decided::Stale => json!({"kind": "stale"}),
        };
        self.note(call, answer);
        Ok(decided)
    }

    fn read_event(
        &mut self,
        set: &str,
        received_at: UnixTime,
        signature: SignatureAnswer,
    ) -> Result<EventReading, C::Error> {
        let reading = self.engine.read_event(set, received_at, signature)?;
        let call = without_nulls(json!({
            "call": "readEvent",
            "set": set,
            "receivedAt": received_at.as_secs(),
            "signature": signature_name(signature),
        }));
        let answer = match &reading {
            EventReading::NeedsSignature(need) => {
                json!({"kind": "needsSignature", "signature": signature_need(need)})
            }
            EventReading::NeedsKey(need) => json!({"kind": "needsKey", "key": key_need(need)}),
            EventReading::Accepted(event) => json!({
                "kind": "accepted",
                "transmitter": event.transmitter,
                "jti": event.jti,
                "changes": changes(&event.changes),
                "json": event.json,
            }),
            EventReading::Rejected(event) => json!({
                "kind": "rejected",
                "code": event.code,
                "description": event.description,
                "json": event.json,
            }),
        };
        self.note(call, answer);
        Ok(reading)
    }

    fn explain_event(&mut self, question: &EventQuestion<'_>) -> Result<String, C::Error> {
        let answer = self.engine.explain_event(question)?;
        self.note(
            json!({
                "call": "explainEvent",
                "text": question.text,
                "unsigned": question.unsigned,
                "receivedAt": question.received_at.as_secs(),
                "signature": signature_name(question.signature),
                "against": question.against,
            }),
            json!(answer),
        );
        Ok(answer)
    }

    fn merge(&mut self, a: &[u8], b: &[u8]) -> Result<Option<Vec<u8>>, C::Error> {
        let merged = self.engine.merge(a, b)?;
        let answer = merged
            .as_deref()
            .map_or(Value::Null, |bytes| json!(hex(bytes)));
        self.note(json!({"call": "merge", "a": hex(a), "b": hex(b)}), answer);
        Ok(merged)
    }

    fn set_keys(&mut self, issuer: &str, jwks: &str) -> Result<String, C::Error> {
        let faults = self.engine.set_keys(issuer, jwks)?;
        self.note(
            json!({"call": "setKeys", "issuer": issuer, "jwks": jwks}),
            parsed(&faults),
        );
        Ok(faults)
    }

    fn reconfigure(&mut self, configuration: &str) -> Result<String, C::Error> {
        let faults = self.engine.reconfigure(configuration)?;
        self.note(
            json!({"call": "reconfigure", "configuration": configuration}),
            parsed(&faults),
        );
        Ok(faults)
    }

    fn outdated_tokens(&mut self, now: UnixTime) -> Result<u32, C::Error> {
        let outdated = self.engine.outdated_tokens(now)?;
        self.note(
            json!({"call": "outdatedTokens", "now": now.as_secs()}),
            outdated.into(),
        );
        Ok(outdated)
    }

    fn sign_in(&mut self, request: &str) -> Result<String, C::Error> {
        let answer = self.engine.sign_in(request)?;
        self.note(json!({"call": "signIn", "request": request}), json!(answer));
        Ok(answer)
    }

    fn inspect_token(&mut self, token: &str, now: UnixTime) -> Result<String, C::Error> {
        let answer = self.engine.inspect_token(token, now)?;
        self.note(
            json!({"call": "inspectToken", "token": token, "now": now.as_secs()}),
            json!(answer),
        );
        Ok(answer)
    }
}

const fn signature_name(signature: SignatureAnswer) -> Option<&'static str> {
    match signature {
        SignatureAnswer::NotChecked => None,
        SignatureAnswer::Valid => Some("valid"),
        SignatureAnswer::Invalid => Some("invalid"),
        SignatureAnswer::KeyUnknown => Some("keyUnknown"),
    }
}

const fn name_of(detail: Detail) -> &'static str {
    match detail {
        Detail::None => "none",
        Detail::Decision => "decision",
        Detail::Explain => "explain",
    }
}

fn signature_need(need: &SignatureNeed) -> Value {
    json!({
        "keyId": need.key_id,
        "key": need.key,
        "algorithm": need.algorithm,
        "signingInput": need.signing_input,
    })
}

fn key_need(need: &KeyNeed) -> Value {
    without_nulls(json!({"issuer": need.issuer, "kid": need.kid}))
}

fn verdict(verdict: &Verdict) -> Value {
    without_nulls(json!({
        "outcome": verdict.outcome.as_str(),
        "status": verdict.status,
        "wwwAuthenticate": verdict.www_authenticate,
        "reasons": verdict.reasons,
        "changes": changes(&verdict.changes),
        "revisitAt": verdict.revisit_at.map(UnixTime::as_secs),
        "mayReuseWithoutEvents": verdict.may_reuse_without_events,
        "json": verdict.json,
    }))
}

fn changes(changes: &[Change]) -> Vec<Value> {
    changes
        .iter()
        .map(|change| json!({"key": change.key.to_string(), "record": hex(&change.record)}))
        .collect()
}

/// JavaScript leaves out what is absent.
fn without_nulls(mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    object
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
