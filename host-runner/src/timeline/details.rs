//! What the messages carried, decoded, and what it means for the next message.

use std::fmt::Write as _;

use anstyle::Style;
use cae_core::decision::ReasonCode;
use cae_core::json::{self, Limits, Map, Value};
use cae_core::simulation::{LineKind, StepReport};

use super::elapsed;
use super::history::{Known, Seen};
use crate::text::{ASKS, BAD, FAINT, GOOD, Pretty, elements, member, one_line, word, wrap};

/// One thing that a message carried.
pub(super) struct Detail {
    label: &'static str,
    body: Body,
}

enum Body {
    Json(Value),
    Text(String, Style),
}

/// Columns before the labels.
pub(super) const INDENT: usize = 6;
/// Columns of the labels.
const LABEL: usize = 17;

/// What `report` has to show, in the order of the messages.
pub(super) fn of(report: &StepReport, known: &Known<'_>) -> Vec<Detail> {
    let mut details = Vec::new();
    let clock = Clock::of(report);
    match (&known.token, report.kind) {
        // Where a token is presented its claims were shown before.
        (Some(token), LineKind::Request) => presented(&mut details, token, known, clock),
        (Some(token), _) => issued(&mut details, token, known, clock),
        (None, _) => {}
    }
    if let Some(event) = report
        .event
        .as_ref()
        .filter(|_| report.kind == LineKind::Event)
    {
        details.push(text("SET", compact(&event.compact), FAINT));
        details.push(json("header", event.header.clone()));
        details.push(json("claims", event.claims.clone()));
    }
    reasons(&mut details, report);
    if let Some(header) = &report.www_authenticate {
        for (n, parameter) in parameters(header).into_iter().enumerate() {
            let label = if n == 0 { "WWW-Authenticate" } else { "" };
            details.push(text(label, parameter, ASKS));
        }
    }
    if let Some(claims) = &report.claims_request {
        details.push(json("decoded claims", claims.clone()));
        for (n, request) in requested(claims, clock).into_iter().enumerate() {
            let label = if n == 0 { "which asks for" } else { "" };
            details.push(text(label, request, ASKS));
        }
    }
    refusal(&mut details, report);
    if report.kind == LineKind::Delivery {
        effects(&mut details, &read(report.event_reading.as_deref()), clock);
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

/// Relates the seconds of claims to the time column of the picture.
#[derive(Clone, Copy)]
struct Clock {
    start: u64,
}

impl Clock {
    fn of(report: &StepReport) -> Self {
        let start = report.time.as_secs().saturating_sub(report.elapsed);
        Self { start }
    }

    /// `+5m30s`; the bare number for what lies before the scenario.
    fn say(self, seconds: u64) -> String {
        match seconds.checked_sub(self.start) {
            Some(since) => elapsed(since),
            None => seconds.to_string(),
        }
    }
}

/// A token at its first sight. Of a later one of the same client only what differs is shown.
fn issued(details: &mut Vec<Detail>, token: &Seen, known: &Known<'_>, clock: Clock) {
    details.push(text(
        "token",
        format!("{}: {}", token.name(), compact(&token.compact)),
        FAINT,
    ));
    details.push(json("header", token.header.clone()));
    match (known.before, &token.claims) {
        (Some(before), Value::Object(claims)) => {
            let changed: Map<String, Value> = claims
                .iter()
                .filter(|(name, value)| before.claims.get(name.as_str()) != Some(*value))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            details.push(json("claims", Value::Object(changed)));
            details.push(text(
                "",
                format!("the others as in {}", before.name()),
                FAINT,
            ));
        }
        _ => details.push(json("claims", token.claims.clone())),
    }
    let mut says = Vec::new();
    if let Some(times) = times(token, clock) {
        says.push(times);
    }
    if elements(&token.claims, "xms_cc").any(|capability| {
        capability
            .as_str()
            .is_some_and(|text| text.eq_ignore_ascii_case("cp1"))
    }) {
        says.push("its client understands claims challenges (xms_cc: cp1)".to_owned());
    }
    if !says.is_empty() {
        details.push(text("which says", says.join("; "), GOOD));
    }
}

fn presented(details: &mut Vec<Detail>, token: &Seen, known: &Known<'_>, clock: Clock) {
    let mut says = token.name();
    if let Some(times) = times(token, clock) {
        says = format!("{says}, {times}");
    }
    details.push(text("presents", says, FAINT));
    if let Some(asked) = known.answers {
        details.push(text(
            "which is",
            format!(
                "not older than {}, as the challenge asked",
                clock.say(asked)
            ),
            GOOD,
        ));
    }
}

fn times(token: &Seen, clock: Clock) -> Option<String> {
    Some(format!(
        "issued at {}, expires at {}",
        clock.say(member(&token.claims, "iat").as_u64()?),
        clock.say(member(&token.claims, "exp").as_u64()?)
    ))
}

/// The beginning of a compact JWS, for people: the whole of it is in `--json`.
fn compact(compact: &str) -> String {
    const SHOWN: usize = 20;
    let shown: String = compact.chars().take(SHOWN).collect();
    format!("{shown}... ({} characters)", compact.len())
}

fn reasons(details: &mut Vec<Detail>, report: &StepReport) {
    let evaluation = read(report.evaluation.as_deref());
    let style = if member(&evaluation, "decision") == "deny" {
        BAD
    } else {
        ASKS
    };
    for (n, reason) in elements(&evaluation, "reasons").enumerate() {
        let Some(code) = word(reason, "code") else {
            continue;
        };
        let meaning = ReasonCode::ALL.iter().find(|known| known.as_str() == code);
        let meaning = meaning.map(|known| format!(": {}", known.meaning().trim_end_matches('.')));
        let policy = word(reason, "policy").map(|id| {
            let row = elements(&evaluation, "policies").find(|row| word(row, "id") == Some(id));
            let name = row.and_then(|row| word(row, "displayName"));
            format!(" (policy \"{}\")", name.unwrap_or(id))
        });
        let label = if n == 0 { "because" } else { "" };
        let words = [Some(code.to_owned()), meaning, policy];
        details.push(text(
            label,
            words.into_iter().flatten().collect::<String>(),
            style,
        ));
    }
}

/// The scheme with its first parameter, then each further parameter; together the header as it is.
fn parameters(header: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut quoted = false;
    let mut escaped = false;
    for letter in header.chars() {
        if letter == ' ' && !quoted && lines.last().is_some_and(|line| line.ends_with(',')) {
            lines.push(String::new());
            continue;
        }
        if letter == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = letter == '\\' && !escaped;
        if let Some(line) = lines.last_mut() {
            line.push(letter);
        }
    }
    lines
}

/// A claims request in words, as far as there are words for it.
fn requested(claims: &Value, clock: Clock) -> Vec<String> {
    let token = member(claims, "access_token");
    let value = |name| word(member(token, name), "value");
    let mut requests = Vec::new();
    if let Some(seconds) = value("nbf").and_then(|text| text.parse().ok()) {
        requests.push(format!("a token issued at {} or later", clock.say(seconds)));
    }
    if let Some(address) = value("xms_rp_ipaddr") {
        requests.push(format!(
            "for a client that the resource sees at {address}: the issuer shall judge that address too"
        ));
    }
    let contexts: Vec<&str> = value("acrs")
        .into_iter()
        .chain(elements(member(token, "acrs"), "values").filter_map(Value::as_str))
        .collect();
    if !contexts.is_empty() {
        requests.push(format!("authentication context {}", contexts.join(" or ")));
    }
    requests
}

/// Why the issuer gives no token.
fn refusal(details: &mut Vec<Detail>, report: &StepReport) {
    let answer = read(report.issuer_answer.as_deref());
    let missing: Vec<&str> = elements(&answer, "unmet")
        .filter_map(Value::as_str)
        .filter(|control| *control != "block")
        .collect();
    let blocks = elements(&answer, "unmet").any(|control| control == "block");
    let code = word(&answer, "code").map(|code| format!(" ({code})"));
    if !missing.is_empty() {
        let words = format!(
            "missing: {}{}",
            missing.join(", "),
            code.unwrap_or_default()
        );
        details.push(text("because", words, BAD));
    }
    for policy in elements(&answer, "policies").filter(|row| word(row, "result") == Some("failure"))
    {
        let name = word(policy, "displayName").or_else(|| word(policy, "id"));
        let verb = if blocks { "blocks" } else { "is not met" };
        let words = format!("policy \"{}\" {verb}", name.unwrap_or("without a name"));
        details.push(text("because", words, BAD));
    }
}

/// What an accepted SET does to which records, or why it was rejected.
fn effects(details: &mut Vec<Detail>, reading: &Value, clock: Clock) {
    if let Some(description) = word(reading, "description") {
        details.push(text("rejected", description.to_owned(), BAD));
    }
    for effect in elements(reading, "effects") {
        let kind = word(effect, "kind").unwrap_or_default();
        let key: String = word(effect, "key")
            .unwrap_or_default()
            .chars()
            .take(8)
            .collect();
        let record = format!("in the record of {kind} {key}...");
        let (label, what) = ("remembers", member(effect, "effect"));
        let cut_off = member(what, "cutOff");
        match member(cut_off, "validFrom").as_u64() {
            Some(from) if what.as_object().is_some_and(|what| what.len() == 1) => {
                let cause = word(cut_off, "cause").unwrap_or_default();
                let words = format!(
                    "{record}: tokens issued before {} no longer count ({cause})",
                    clock.say(from)
                );
                details.push(text(label, words, ASKS));
            }
            _ => {
                details.push(text(label, record, ASKS));
                details.push(json("", what.clone()));
            }
        }
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
    /// Writes the lines, none wider than `width` unless a single value is.
    pub(super) fn write(&self, to: &mut String, width: usize) {
        let label = self.label;
        let inner = INDENT.saturating_add(LABEL);
        match &self.body {
            Body::Json(value) => {
                let pretty = Pretty {
                    value,
                    width,
                    indent: inner,
                };
                let _ = writeln!(to, "{:INDENT$}{FAINT}{label:LABEL$}{FAINT:#}{pretty}", "");
            }
            Body::Text(text, style) => {
                for (n, line) in wrap(text, width.saturating_sub(inner))
                    .into_iter()
                    .enumerate()
                {
                    let label = if n == 0 { label } else { "" };
                    let _ = writeln!(
                        to,
                        "{:INDENT$}{FAINT}{label:LABEL$}{FAINT:#}{style}{}{style:#}",
                        "",
                        one_line(&line)
                    );
                }
            }
        }
    }
}
