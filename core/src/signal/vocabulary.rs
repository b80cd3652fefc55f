//! Every event type that is understood: one row each, and all that is said about it.
//!
//! Events are read by these rows, `cae event list` prints them and the documentation renders them. A row that says
//! something else than what happens fails a test: its example is read and comes to the outcome that it states.

mod caep;
mod logout;
mod oauth;
mod okta;
mod risc;
mod scim;
mod ssf;

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use super::event::Event;
use super::payload::{Payload, not};
use super::rejection::Rejection;
use super::time::instant;
use crate::json::Value;
use crate::state::SubjectKind;

pub use logout::BACK_CHANNEL_LOGOUT;

/// A document that defines event types.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Vocabulary {
    /// OpenID Continuous Access Evaluation Profile 1.0.
    Caep,
    /// OpenID RISC Profile 1.0.
    Risc,
    /// OpenID Shared Signals Framework 1.0.
    Ssf,
    /// OpenID Connect Back-Channel Logout 1.0.
    BackChannelLogout,
    /// SCIM Profile for Security Event Tokens, RFC 9967.
    Scim,
    /// OAuth Event Types 1.0, a draft of April 2018 that Google still sends.
    OAuth,
    /// Okta's own event types.
    Okta,
}

/// One event type. What only describes it (`effect`, `example`, `outcome`) is empty without the feature `descriptions`.
#[derive(Debug)]
pub struct EventType {
    /// The member of `events` that names it.
    pub uri: &'static str,
    /// The document that defines it.
    pub vocabulary: Vocabulary,
    /// Its short name: the last part of the URI.
    pub name: &'static str,
    /// The section of the document.
    pub section: &'static str,
    /// Whether it takes effect only from transmitters that are configured as `legacy`.
    pub legacy: bool,
    /// What it may be about, the usual subject first.
    pub about: &'static [SubjectKind],
    /// The members of its payload besides [`COMMON_MEMBERS`].
    pub members: &'static [Member],
    /// What it does to tokens, in words, with the settings that change it.
    pub effect: &'static str,
    /// A payload, as JSON.
    pub example: &'static str,
    /// What the example comes to with the default settings: [`Effect`](super::effect::Effect) as text, one line for
    /// each event that it tells.
    pub outcome: &'static str,
    pub(super) meaning: Meaning,
}

/// One member of a payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// Whether the document requires it.
    pub required: bool,
    /// Whether the effect depends on it. If it does not, a transmitter of before SSF 1.0 may leave it out, and what is
    /// wrong with it is noted rather than held against the event if it is not required.
    pub decisive: bool,
    /// What it holds.
    pub shape: Shape,
}

/// What a member holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// A string.
    Text,
    /// One of these strings, compared without case.
    OneOf(&'static [&'static str]),
    /// A string; these are the ones that the document names.
    Open(&'static [&'static str]),
    /// A list of strings.
    Texts,
    /// An object of language tags (BCP 47) and texts, not empty.
    Languages,
    /// An object that is not empty.
    Members,
    /// A NumericDate, in seconds or milliseconds.
    Time,
    /// Nothing: the member must not be there.
    Absent,
}

/// How a payload is read.
#[derive(Debug)]
pub(super) enum Meaning {
    /// Whatever the payload says.
    Is(Event),
    /// By its members.
    One(fn(&Payload<'_>) -> Result<Event, Rejection>),
    /// By its members, which may tell several things.
    Several(fn(&Payload<'_>) -> Result<Vec<Event>, Rejection>),
}

/// A text that lists show and no decision rests on; nothing in a module for the edge.
const fn told(text: &'static str) -> &'static str {
    if cfg!(feature = "descriptions") {
        text
    } else {
        ""
    }
}

/// Members that the payload of every event may have (CAEP 1.0 §2, RISC 1.0 §2.7).
pub const COMMON_MEMBERS: &[Member] = &[
    Member::decisive("event_timestamp", Shape::Time),
    Member::decisive(
        "initiating_entity",
        Shape::Open(&["admin", "user", "policy", "system"]),
    ),
    Member::informational("reason_admin", Shape::Languages),
    Member::informational("reason_user", Shape::Languages),
];

/// Every event type, in the order of their vocabularies.
pub fn event_types() -> impl Iterator<Item = &'static EventType> {
    let vocabularies: [&'static [EventType]; 7] = [
        caep::TYPES,
        risc::TYPES,
        ssf::TYPES,
        logout::TYPES,
        scim::TYPES,
        oauth::TYPES,
        okta::TYPES,
    ];
    vocabularies.into_iter().flatten()
}

impl Vocabulary {
    /// Its name in lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caep => "CAEP",
            Self::Risc => "RISC",
            Self::Ssf => "SSF",
            Self::BackChannelLogout => "OIDC",
            Self::Scim => "SCIM",
            Self::OAuth => "OAuth",
            Self::Okta => "Okta",
        }
    }

    /// The document that defines it.
    #[must_use]
    pub const fn document(self) -> &'static str {
        match self {
            Self::Caep => "OpenID Continuous Access Evaluation Profile 1.0",
            Self::Risc => "OpenID RISC Profile 1.0",
            Self::Ssf => "OpenID Shared Signals Framework 1.0",
            Self::BackChannelLogout => "OpenID Connect Back-Channel Logout 1.0",
            Self::Scim => "RFC 9967, SCIM Profile for Security Event Tokens",
            Self::OAuth => "OAuth Event Types 1.0, draft of April 2018",
            Self::Okta => "Okta, Security events provider API",
        }
    }
}

impl Member {
    const fn required(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            required: true,
            decisive: true,
            shape,
        }
    }

    const fn decisive(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            required: false,
            decisive: true,
            shape,
        }
    }

    const fn described(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            required: true,
            decisive: false,
            shape,
        }
    }

    const fn informational(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            required: false,
            decisive: false,
            shape,
        }
    }

    /// What is wrong with the member in this payload.
    fn fault(&self, payload: &Payload<'_>) -> Option<&'static str> {
        let Some(value) = payload.get(self.name) else {
            return self.required.then_some("present in this event");
        };
        let is_text = value.is_string();
        let (sound, expected) = match self.shape {
            Shape::Text | Shape::Open(_) => (is_text, "a string"),
            Shape::OneOf(_) if !is_text => (false, "a string"),
            Shape::OneOf(names) => {
                let text = value.as_str().unwrap_or_default();
                let known = names.iter().any(|name| name.eq_ignore_ascii_case(text));
                (known, "a value of this event")
            }
            Shape::Texts => {
                let texts = value.as_array();
                let sound = texts.is_some_and(|texts| texts.iter().all(Value::is_string));
                (sound, "a list of strings")
            }
            Shape::Languages => {
                let texts = value.as_object();
                let sound = texts
                    .is_some_and(|texts| !texts.is_empty() && texts.values().all(Value::is_string));
                (sound, "an object of languages and texts")
            }
            Shape::Members => {
                let members = value.as_object();
                let sound = members.is_some_and(|members| !members.is_empty());
                (sound, "an object with a member")
            }
            Shape::Time => (instant(value).is_some(), "a NumericDate"),
            Shape::Absent => (false, "allowed in this event"),
        };
        (!sound).then_some(expected)
    }
}

impl EventType {
    /// The event type with this URI.
    #[must_use]
    pub fn of(uri: &str) -> Option<&'static Self> {
        event_types().find(|known| known.uri == uri)
    }

    /// Reads a payload. Members that are not as the document says, and on which nothing depends, go to `malformed`.
    ///
    /// # Errors
    /// `invalid_request` for a payload that breaks the rules of the event type; from a `legacy` transmitter only where
    /// the effect depends on it.
    pub(super) fn read(
        &self,
        payload: &Payload<'_>,
        legacy: bool,
        malformed: &mut Vec<String>,
    ) -> Result<Vec<Event>, Rejection> {
        for member in COMMON_MEMBERS.iter().chain(self.members) {
            let Some(expected) = member.fault(payload) else {
                continue;
            };
            if member.decisive || (member.required && !legacy) {
                return Err(not(member.name, expected));
            }
            malformed.push(member.name.to_string());
        }
        match &self.meaning {
            Meaning::Is(event) => Ok(vec![event.clone()]),
            Meaning::One(read) => read(payload).map(|event| vec![event]),
            Meaning::Several(read) => read(payload),
        }
    }
}

#[cfg(test)]
mod tests;
