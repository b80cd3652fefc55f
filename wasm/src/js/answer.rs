//! The engine's answers as JavaScript objects.
//!
//! Each member is set by a call of its own whose name stands on the other side: serde hands every name over as text,
//! which took longer than the decision.

use cae_core::decision::Outcome;
use cae_core::engine::{
    Begun, Change, Decided, EventReading, KeyNeed, Needs, Presenter, SignatureNeed, Verdict,
};
use cae_core::time::UnixTime;
use js_sys::{Array, JsString, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// An object that is about to be an answer.
    #[wasm_bindgen(js_name = Object, extends = js_sys::Object)]
    type Answer;

    #[wasm_bindgen(constructor, js_class = "Object")]
    fn new() -> Answer;

    // What every decision has.
    #[wasm_bindgen(method, setter, structural)]
    fn set_kind(this: &Answer, kind: &JsString);
    #[wasm_bindgen(method, setter, structural)]
    fn set_verdict(this: &Answer, verdict: &Answer);
    #[wasm_bindgen(method, setter, structural)]
    fn set_outcome(this: &Answer, outcome: &JsString);
    #[wasm_bindgen(method, setter, structural)]
    fn set_status(this: &Answer, status: u16);
    #[wasm_bindgen(method, setter, structural)]
    fn set_reasons(this: &Answer, reasons: &Array);
    #[wasm_bindgen(method, setter, structural)]
    fn set_changes(this: &Answer, changes: &Array);
    #[wasm_bindgen(method, setter, structural, js_name = "revisitAt")]
    fn set_revisit_at(this: &Answer, revisit_at: f64);
    #[wasm_bindgen(method, setter, structural, js_name = "mayReuseWithoutEvents")]
    fn set_may_reuse_without_events(this: &Answer, seconds: u32);

    /// Any other member.
    #[wasm_bindgen(method, structural, indexing_setter)]
    fn put(this: &Answer, name: &str, value: &JsValue);
}

// rustfmt drops the texts.
#[rustfmt::skip]
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, static_string)]
    static VERDICT: JsString = "verdict";
    #[wasm_bindgen(thread_local_v2, static_string)]
    static STALE: JsString = "stale";
    #[wasm_bindgen(thread_local_v2, static_string)]
    static ALLOW: JsString = "allow";
    #[wasm_bindgen(thread_local_v2, static_string)]
    static CHALLENGE: JsString = "challenge";
    #[wasm_bindgen(thread_local_v2, static_string)]
    static DENY: JsString = "deny";
}

impl Answer {
    fn of_kind(kind: &str) -> Self {
        let answer = Self::new();
        answer.put_text("kind", kind);
        answer
    }

    fn put_text(&self, name: &str, text: &str) {
        self.put(name, &text.into());
    }

    fn put_text_if_any(&self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.put_text(name, text);
        }
    }
}

pub(super) fn decided(decided: Decided) -> JsValue {
    let answer = Answer::new();
    match decided {
        Decided::Stale => STALE.with(|kind| answer.set_kind(kind)),
        Decided::Verdict(found) => {
            VERDICT.with(|kind| answer.set_kind(kind));
            answer.set_verdict(&verdict(found));
        }
    }
    answer.into()
}

fn verdict(verdict: Verdict) -> Answer {
    let answer = Answer::new();
    match verdict.outcome {
        Outcome::Allow => ALLOW.with(|outcome| answer.set_outcome(outcome)),
        Outcome::Challenge => CHALLENGE.with(|outcome| answer.set_outcome(outcome)),
        Outcome::Deny => DENY.with(|outcome| answer.set_outcome(outcome)),
    }
    answer.set_status(verdict.status);
    answer.put_text_if_any("wwwAuthenticate", verdict.www_authenticate.as_deref());
    answer.set_reasons(&texts(&verdict.reasons));
    answer.set_changes(&changes(&verdict.changes));
    if let Some(at) = verdict.revisit_at {
        answer.set_revisit_at(number(UnixTime::as_secs(at)));
    }
    answer.set_may_reuse_without_events(verdict.may_reuse_without_events);
    answer.put_text_if_any("json", verdict.json.as_deref());
    answer
}

pub(super) fn begun(begun: Begun) -> JsValue {
    match begun {
        Begun::Needs {
            handle,
            needs: asked,
        } => {
            let answer = Answer::of_kind("needs");
            answer.put("handle", &number(handle.0).into());
            answer.put("needs", &needs(&asked));
            answer.into()
        }
        Begun::Refused(refused) => {
            let answer = Answer::of_kind("refused");
            answer.set_verdict(&verdict(refused));
            answer.into()
        }
    }
}

fn needs(needs: &Needs) -> Answer {
    let answer = Answer::new();
    if let Some(need) = &needs.signature {
        answer.put("signature", &signature_need(need));
    }
    if let Some(need) = &needs.key {
        answer.put("key", &key_need(need));
    }
    if let Some(need) = &needs.proof {
        let proof = Answer::new();
        proof.put_text("method", need.method);
        proof.put_text("thumbprint", &need.thumbprint);
        answer.put("proof", &proof);
    }
    let records: Array = needs
        .records
        .iter()
        .map(|key| JsValue::from(key.to_string()))
        .collect();
    answer.put("records", &records);
    answer
}

fn signature_need(need: &SignatureNeed) -> Answer {
    let answer = Answer::new();
    answer.put_text("keyId", &need.key_id);
    answer.put_text("key", &need.key);
    answer.put_text("algorithm", need.algorithm);
    answer.put("signingInput", &need.signing_input.into());
    answer
}

fn key_need(need: &KeyNeed) -> Answer {
    let answer = Answer::new();
    answer.put_text("issuer", &need.issuer);
    answer.put_text_if_any("kid", need.kid.as_deref());
    answer
}

pub(super) fn presenter(presenter: &Presenter) -> JsValue {
    let answer = Answer::new();
    answer.put_text("issuer", &presenter.issuer);
    answer.put_text_if_any("subject", presenter.subject.as_deref());
    answer.put_text_if_any("tenant", presenter.tenant.as_deref());
    answer.put_text_if_any("client", presenter.client.as_deref());
    answer.put("capable", &presenter.capable.into());
    answer.into()
}

pub(super) fn event_reading(reading: &EventReading) -> JsValue {
    let answer = match reading {
        EventReading::NeedsSignature(need) => {
            let answer = Answer::of_kind("needsSignature");
            answer.put("signature", &signature_need(need));
            answer
        }
        EventReading::NeedsKey(need) => {
            let answer = Answer::of_kind("needsKey");
            answer.put("key", &key_need(need));
            answer
        }
        EventReading::Accepted(event) => {
            let answer = Answer::of_kind("accepted");
            answer.put_text("transmitter", &event.transmitter);
            answer.put_text("jti", &event.jti);
            answer.put("changes", &changes(&event.changes));
            answer.put_text("json", &event.json);
            answer
        }
        EventReading::Rejected(event) => {
            let answer = Answer::of_kind("rejected");
            answer.put_text("code", event.code);
            answer.put_text("description", &event.description);
            answer.put_text("json", &event.json);
            answer
        }
    };
    answer.into()
}

fn changes(changes: &[Change]) -> Array {
    let list = Array::new();
    for change in changes {
        let answer = Answer::new();
        answer.put_text("key", &change.key.to_string());
        answer.put("record", &Uint8Array::from(change.record.as_slice()));
        list.push(&answer);
    }
    list
}

fn texts(texts: &[String]) -> Array {
    let list = Array::new();
    for text in texts {
        list.push(&text.into());
    }
    list
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "the only way from u64 to f64; handles and times are far below 2^53, and a time above it is as far away"
)]
fn number(number: u64) -> f64 {
    number as f64
}
