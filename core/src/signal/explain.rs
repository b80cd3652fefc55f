//! A SET laid open for people: what it says, what it will do and to whom, whether it hits a token.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::against::{Against, against};
use super::answer::{self, Checks, Explanation, NOT_CHECKED, VALID};
use super::filing::Directory;
use super::interpret::{Kind, interpret};
use super::rejection::Rejection;
use super::rules::Rules;
use super::words::Words;
use super::{Authenticity, audience_check, authentic, logout, set, signed, transmitter_of};
use crate::configuration::Configuration;
use crate::engine::{EventQuestion, SignatureAnswer};
use crate::json::{self, Limits, Value};
use crate::time::UnixTime;

/// Explains a SET as canonical JSON: a compact one, or with `unsigned` the JSON of its payload.
///
/// The signature is never checked here. Without configuration neither are issuer and audience, and effects are
/// shown as the defaults would have them, without keys.
#[must_use]
pub fn decode(
    text: &str,
    unsigned: bool,
    received_at: UnixTime,
    configuration: Option<&Configuration>,
) -> String {
    let question = EventQuestion {
        text,
        unsigned,
        received_at,
        signature: SignatureAnswer::NotChecked,
        against: None,
    };
    explain(&question, configuration)
}

/// Explains a SET as canonical JSON, and says what it does to a token that it is held against.
///
/// Nothing takes effect. What is asked of the host about the signature is what [`read`](super::read) asks; without its
/// answer the signature stays unchecked.
#[must_use]
pub fn explain(question: &EventQuestion<'_>, configuration: Option<&Configuration>) -> String {
    explained(question, configuration).unwrap_or_else(|rejection| {
        let against = question
            .against
            .map(|_| Against::rejected(&rejection.description));
        let words = Explanation {
            explanation: Vec::from([format!(
                "Nothing: the event is rejected ({}).",
                rejection.code.as_str()
            )]),
            ..Explanation::default()
        };
        answer::rejected(&rejection, words.holding(against))
    })
}

fn explained(
    question: &EventQuestion<'_>,
    configuration: Option<&Configuration>,
) -> Result<String, Rejection> {
    let EventQuestion {
        unsigned,
        received_at,
        signature,
        ..
    } = *question;
    let text = question.text.trim();
    let limits = configuration.map_or(Limits::EVENT, |known| known.settings.event_limits);
    let mut checked = NOT_CHECKED;
    let (kind, payload) = if unsigned {
        let payload = json::parse(text.as_bytes(), limits).map_err(|error| {
            Rejection::invalid_request(format!("the payload is not JSON: {error}"))
        })?;
        (kind_of(&payload), payload)
    } else if let (Some(configuration), true) =
        (configuration, signature != SignatureAnswer::NotChecked)
        && let Authenticity::Shown(signed, _) = authentic(text, configuration, signature)?
    {
        checked = VALID;
        (signed.kind, signed.jws.payload)
    } else {
        let signed = signed(text, limits)?;
        (signed.kind, signed.jws.payload)
    };
    if !payload.is_object() {
        return Err(Rejection::invalid_request(
            "the payload is not a JSON object",
        ));
    }
    let issuer = set::issuer(&payload)?;
    let (directory, rules, checks) = match configuration {
        None => (
            Directory::Unconfigured(issuer),
            Rules::unconfigured(issuer),
            Checks {
                signature: NOT_CHECKED,
                issuer: NOT_CHECKED,
                audience: NOT_CHECKED,
            },
        ),
        Some(configuration) => {
            let transmitter = transmitter_of(&payload, configuration)?;
            (
                Directory::Configured(configuration, transmitter),
                Rules::of(configuration, transmitter),
                Checks {
                    signature: checked,
                    issuer: VALID,
                    audience: audience_check(transmitter),
                },
            )
        }
    };
    let audiences = match directory {
        Directory::Configured(_, transmitter) => transmitter.audiences.as_slice(),
        Directory::Unconfigured(_) => &[],
    };
    set::check_audience(&payload, audiences)?;
    let mut interpretation = interpret(kind, &payload, directory, &rules, received_at)?;
    let words = Words::new(&interpretation, directory, received_at);
    let held = match (directory, question.against) {
        (Directory::Configured(configuration, transmitter), Some(token)) => {
            let configured = (configuration, transmitter);
            let token = token.trim();
            Some(against(
                token,
                &interpretation,
                &words,
                configured,
                received_at,
            ))
        }
        _ => None,
    };
    let explanation = Explanation {
        explanation: words.explain(),
        ..Explanation::default()
    };
    if configuration.is_none() {
        interpretation.notes.add("noConfiguration");
    }
    let keys = configuration.is_some();
    Ok(answer::valid(
        interpretation,
        issuer,
        checks,
        keys,
        explanation.holding(held),
    ))
}

/// Which kind of JWT a payload without header belongs into.
pub(super) fn kind_of(payload: &Value) -> Kind {
    match logout::is_logout(payload) {
        true => Kind::Logout,
        false => Kind::SecurityEvent,
    }
}
