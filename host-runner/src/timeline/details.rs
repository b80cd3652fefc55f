//! What the messages carried, decoded.

use std::fmt::Write as _;

use anstyle::Style;
use cae_core::json::{self, Limits, Map, Value};
use cae_core::simulation::{LineKind, StepReport};

use crate::text::{ASKS, BAD, FAINT, Pretty, elements, member, word, wrap};

/// One thing that a message carried.
pub(super) struct Detail {
    label: &'static str,
    body: Body,
}

enum Body {
    Json(Value),
    Text(String, Style),
}

/// Columns of the labels.
const LABEL: usize = 17;

/// What `report` has to show, in the order of the messages.
pub(super) fn of(report: &StepReport) -> Vec<Detail> {
    let mut details = Vec::new();
    match (&report.token, report.kind) {
        // Where a token is presented its claims were shown before.
        (Some(token), LineKind::Request) => {
            let name = token.name.as_deref().unwrap_or("the latest");
            let times = format!(
                "{name}, issued {}, expires {}",
                member(&token.claims, "iat"),
                member(&token.claims, "exp")
            );
            details.push(text("token", times, FAINT));
        }
        (Some(token), _) => {
            details.push(json("token header", token.header.clone()));
            details.push(json("token claims", token.claims.clone()));
        }
        (None, _) => {}
    }
    if let Some(event) = report
        .event
        .as_ref()
        .filter(|_| report.kind == LineKind::Event)
    {
        details.push(json("SET header", event.header.clone()));
        details.push(json("SET claims", event.claims.clone()));
    }
    reasons(&mut details, report);
    if let Some(header) = &report.www_authenticate {
        details.push(text("WWW-Authenticate", header.clone(), ASKS));
    }
    if let Some(claims) = &report.claims_request {
        details.push(json("claims request", claims.clone()));
    }
    if report.kind == LineKind::Delivery {
        effects(&mut details, &read(report.event_reading.as_deref()));
    }
    let faults = read(report.faults.as_deref());
    if faults.as_array().is_some_and(|faults| !faults.is_empty()) {
        details.push(json("faults", faults));
    }
    details
}

/// A text that the engine wrote, as a value; `null` if there is none.
pub(super) fn read(text: Option<&str>) -> Value {
    let read = text.and_then(|text| json::parse(text.as_bytes(), Limits::DOCUMENT).ok());
    read.unwrap_or_default()
}

fn reasons(details: &mut Vec<Detail>, report: &StepReport) {
    let evaluation = read(report.evaluation.as_deref());
    let codes: Vec<String> = elements(&evaluation, "reasons")
        .filter_map(|reason| {
            let code = word(reason, "code")?;
            Some(match word(reason, "policy") {
                Some(policy) => format!("{code} (policy {policy})"),
                None => code.to_owned(),
            })
        })
        .collect();
    if !codes.is_empty() {
        let style = if member(&evaluation, "decision") == "deny" {
            BAD
        } else {
            ASKS
        };
        details.push(text("reasons", codes.join(", "), style));
    }
}

/// What an accepted SET does to which records, or why it was rejected.
fn effects(details: &mut Vec<Detail>, reading: &Value) {
    if let Some(description) = word(reading, "description") {
        details.push(text("rejected", description.to_owned(), BAD));
    }
    for effect in elements(reading, "effects") {
        let mut shown = Map::new();
        for name in ["kind", "key", "effect"] {
            shown.insert(name.to_owned(), member(effect, name).clone());
        }
        details.push(json("record", Value::Object(shown)));
    }
    for note in elements(reading, "notes").filter_map(Value::as_str) {
        details.push(text("note", note.to_owned(), FAINT));
    }
}

const fn json(label: &'static str, value: Value) -> Detail {
    let body = Body::Json(value);
    Detail { label, body }
}

const fn text(label: &'static str, text: String, style: Style) -> Detail {
    let body = Body::Text(text, style);
    Detail { label, body }
}

impl Detail {
    /// Writes the lines, each `indent` columns from the left.
    pub(super) fn write(&self, to: &mut String, indent: usize, width: usize) {
        let label = self.label;
        let inner = indent.saturating_add(LABEL);
        match &self.body {
            Body::Json(value) => {
                let pretty = Pretty {
                    value,
                    width,
                    indent: inner,
                };
                let _ = writeln!(to, "{:indent$}{FAINT}{label:LABEL$}{FAINT:#}{pretty}", "");
            }
            Body::Text(text, style) => {
                for (n, line) in wrap(text, width.saturating_sub(inner))
                    .into_iter()
                    .enumerate()
                {
                    let label = if n == 0 { label } else { "" };
                    let _ = writeln!(
                        to,
                        "{:indent$}{FAINT}{label:LABEL$}{FAINT:#}{style}{line}{style:#}",
                        ""
                    );
                }
            }
        }
    }
}
