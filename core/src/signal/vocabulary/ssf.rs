//! Events of the Shared Signals Framework 1.0 itself. They are about the stream, not about tokens: the host acts
//! on `state` and `status` of the payload.

use super::{EventType, Meaning, Member, Shape, Vocabulary, told};
use crate::signal::event::Event;

pub(super) static TYPES: &[EventType] = &[
    EventType {
        uri: "https://schemas.openid.net/secevent/ssf/event-type/verification",
        vocabulary: Vocabulary::Ssf,
        name: "verification",
        section: "8.1.4.1",
        legacy: false,
        about: &[],
        members: VERIFICATION,
        effect: told(ABOUT_THE_STREAM),
        example: told(r#"{"state":"VGhpcyBpcyBhbiBleGFtcGxlIHN0YXRl"}"#),
        outcome: told("none"),
        meaning: Meaning::Is(Event::Verification),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/ssf/event-type/stream-updated",
        vocabulary: Vocabulary::Ssf,
        name: "stream-updated",
        section: "8.1.5",
        legacy: false,
        about: &[],
        members: STREAM_UPDATED,
        effect: told(ABOUT_THE_STREAM),
        example: told(r#"{"status":"paused","reason":"Internal error"}"#),
        outcome: told("none"),
        meaning: Meaning::Is(Event::StreamUpdated),
    },
    // The name of the framework before its second implementer's draft; a transmitter without `spec_version` is to be
    // taken for one of that time (SSF 1.0 §7.1).
    EventType {
        uri: "https://schemas.openid.net/secevent/sse/event-type/verification",
        vocabulary: Vocabulary::Ssf,
        name: "verification",
        section: "ID1",
        legacy: true,
        about: &[],
        members: VERIFICATION,
        effect: told(ABOUT_THE_STREAM),
        example: told(r#"{"state":"VGhpcyBpcyBhbiBleGFtcGxlIHN0YXRl"}"#),
        outcome: told("none"),
        meaning: Meaning::Is(Event::Verification),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/sse/event-type/stream-updated",
        vocabulary: Vocabulary::Ssf,
        name: "stream-updated",
        section: "ID1",
        legacy: true,
        about: &[],
        members: STREAM_UPDATED,
        effect: told(ABOUT_THE_STREAM),
        example: told(r#"{"status":"paused"}"#),
        outcome: told("none"),
        meaning: Meaning::Is(Event::StreamUpdated),
    },
];

pub(super) const VERIFICATION: &[Member] = &[Member::decisive("state", Shape::Text)];

pub(super) const STREAM_UPDATED: &[Member] = &[
    Member::required("status", Shape::OneOf(&["enabled", "paused", "disabled"])),
    Member::informational("reason", Shape::Text),
];

pub(super) const ABOUT_THE_STREAM: &str =
    "None on tokens. The host takes it as a sign of life, or as the end of them.";
