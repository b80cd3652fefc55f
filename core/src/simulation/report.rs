//! What a run says: one line per exchange of messages.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use super::expect::Expectation;
use crate::json::{self, Limits, Value};
use crate::time::UnixTime;

/// Who sends or receives.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "role", content = "name", rename_all = "camelCase")]
pub enum Lane {
    /// The administrator, or whatever acts on accounts, policies and keys.
    Administrator,
    /// A user, by name.
    User(String),
    /// A client, by name.
    Client(String),
    /// An issuer, by name.
    Issuer(String),
    /// A transmitter, by name.
    Transmitter(String),
    /// The resource server, that is the engine and its host.
    Resource,
}

/// What a line reports.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LineKind {
    /// A client asks the issuer for a token. Also the first half of a client's retry.
    SignIn,
    /// A client takes a challenge to the issuer.
    ClientRetry,
    /// A client asks the resource. Also the second half of a client's retry.
    Request,
    /// A transmitter signs a SET.
    Event,
    /// A SET arrives at the resource.
    Delivery,
    /// An account changes at the issuer.
    AccountChange,
    /// Policies, named locations or settings change.
    PolicyChange,
    /// An operator clears what is known about a subject.
    StateClear,
    /// Somebody moves.
    NetworkChange,
    /// Keys change.
    KeyRotation,
    /// Time passes.
    Advance,
}

/// A token that was issued or presented.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenView {
    /// The name that the scenario gave it.
    pub name: Option<String>,
    /// As sent.
    pub compact: String,
    /// JOSE header.
    pub header: Value,
    /// Claims.
    pub claims: Value,
}

/// A SET that was signed or delivered.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventView {
    /// As sent.
    pub compact: String,
    /// JOSE header.
    pub header: Value,
    /// Claims.
    pub claims: Value,
    /// When it was signed.
    pub issued: u64,
    /// Which delivery this is, from 1; `None` while it is only signed.
    pub delivery: Option<usize>,
}

/// A request as the resource saw it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestView {
    /// Client address.
    pub client_ip: Option<String>,
    /// Country of the address.
    pub country: Option<String>,
    /// Authorization scheme.
    pub scheme: Option<String>,
    /// Path.
    pub path: Option<String>,
}

/// One exchange of messages.
///
/// Texts that the engine wrote (`evaluation`, `issuer_answer`, `event_reading`, `faults`) are kept byte for byte.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// Position of the step in the timeline, from 0.
    pub step: usize,
    /// When it happened.
    pub time: UnixTime,
    /// Seconds since the start of the scenario.
    pub elapsed: u64,
    /// What happened.
    pub kind: LineKind,
    /// Who began.
    pub from: Lane,
    /// Who answered; the same lane if nobody was spoken to.
    pub to: Lane,
    /// One line for people.
    pub summary: String,
    /// What the scenario's author wants noticed; on the first line of a step only.
    pub note: Option<String>,
    /// The token issued (`signIn`, `clientRetry`) or presented (`request`).
    pub token: Option<TokenView>,
    /// The SET (`event`, `delivery`).
    pub event: Option<EventView>,
    /// The request (`request`).
    pub request: Option<RequestView>,
    /// The engine's evaluation of the request, with every check and policy; JSON text.
    pub evaluation: Option<String>,
    /// Value of `WWW-Authenticate`.
    pub www_authenticate: Option<String>,
    /// The claims request in it, decoded.
    pub claims_request: Option<Value>,
    /// What the issuer was asked to evaluate; JSON text.
    pub issuer_request: Option<String>,
    /// What it came to; JSON text.
    pub issuer_answer: Option<String>,
    /// The engine's reading of the SET; JSON text.
    pub event_reading: Option<String>,
    /// Faults that the engine found in a configuration or a key set; JSON text.
    pub faults: Option<String>,
    /// What was expected, and whether it holds.
    pub expectations: Vec<Expectation>,
}

impl StepReport {
    /// Whether every expectation of this line holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.expectations.iter().all(|expected| expected.holds)
    }

    /// The line as canonical JSON: fixed order, absent values left out.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut line = Line::default();
        line.member("step", &self.step);
        line.member("time", &self.time.as_secs());
        line.member("elapsed", &self.elapsed);
        line.member("kind", &self.kind);
        line.member("from", &self.from);
        line.member("to", &self.to);
        line.member("summary", &self.summary);
        line.optional("note", self.note.as_ref());
        line.optional("token", self.token.as_ref());
        line.optional("event", self.event.as_ref());
        line.optional("request", self.request.as_ref());
        line.raw("evaluation", self.evaluation.as_deref());
        line.optional("wwwAuthenticate", self.www_authenticate.as_ref());
        line.optional("claimsRequest", self.claims_request.as_ref());
        line.raw("issuerRequest", self.issuer_request.as_deref());
        line.raw("issuerAnswer", self.issuer_answer.as_deref());
        line.raw("eventReading", self.event_reading.as_deref());
        line.raw("faults", self.faults.as_deref());
        line.member("expectations", &self.expectations);
        line.close()
    }
}

/// What a whole run came to.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Summary {
    /// Steps of the timeline.
    pub steps: usize,
    /// Lines reported.
    pub lines: usize,
    /// Expectations checked.
    pub expectations: usize,
    /// Expectations that do not hold.
    pub failed: usize,
}

impl Summary {
    /// Whether every expectation holds.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.failed == 0
    }
}

/// A JSON object under construction, into which the engine's own texts go unchanged.
#[derive(Default)]
struct Line {
    text: String,
}

impl Line {
    fn member<T: Serialize>(&mut self, name: &str, value: &T) {
        self.push(name, &json::to_text(value));
    }

    fn optional<T: Serialize>(&mut self, name: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.member(name, value);
        }
    }

    /// A text that some engine wrote: as it is if it is JSON on one line, else as a string.
    fn raw(&mut self, name: &str, text: Option<&str>) {
        let Some(text) = text else { return };
        if !text.contains('\n') && json::parse(text.as_bytes(), Limits::DOCUMENT).is_ok() {
            self.push(name, text);
        } else {
            self.member(name, &text);
        }
    }

    fn push(&mut self, name: &str, text: &str) {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        self.text.push_str(&json::to_text(&name));
        self.text.push(':');
        self.text.push_str(text);
    }

    fn close(mut self) -> String {
        self.text.push('}');
        self.text
    }
}
