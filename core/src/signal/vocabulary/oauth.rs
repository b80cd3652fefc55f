//! OAuth Event Types 1.0, a draft that expired in 2018: what Google sends about tokens, and events about clients, which
//! name the client by their `aud`.

use super::caep::NO_EFFECT;
use super::risc::SESSIONS_REVOKED;
use super::{EventType, Meaning, Member, Shape, Vocabulary, told};
use crate::signal::event::Event;
use crate::state::SubjectKind::{ClientApplication, User};
use crate::state::record::AccountStatus;

pub(super) static TYPES: &[EventType] = &[
    EventType {
        uri: "https://schemas.openid.net/secevent/oauth/event-type/token-issued",
        vocabulary: Vocabulary::OAuth,
        name: "token-issued",
        section: "3.1",
        legacy: true,
        about: &[],
        members: &[],
        effect: told(NO_EFFECT),
        example: told("{}"),
        outcome: told("none"),
        meaning: Meaning::Is(Event::Informational),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/oauth/event-type/token-revoked",
        vocabulary: Vocabulary::OAuth,
        name: "token-revoked",
        section: "3.2",
        legacy: true,
        about: &[],
        members: &[Member::informational("reason", Shape::Open(REASONS))],
        effect: told("None: it names one refresh token, of which no access token tells."),
        example: told(r#"{"reason":"inactive"}"#),
        outcome: told("none"),
        meaning: Meaning::Is(Event::Informational),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked",
        vocabulary: Vocabulary::OAuth,
        name: "tokens-revoked",
        section: "3.3",
        legacy: true,
        about: &[User, ClientApplication],
        members: &[Member::informational(
            "reason",
            Shape::Open(&["user", "issuer"]),
        )],
        effect: told(SESSIONS_REVOKED),
        example: told(r#"{"reason":"issuer"}"#),
        outcome: told("cut-off: sessionRevoked"),
        meaning: Meaning::Is(Event::TokensRevoked),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/oauth/event-type/client-disabled",
        vocabulary: Vocabulary::OAuth,
        name: "client-disabled",
        section: "3.4",
        legacy: true,
        about: &[ClientApplication],
        members: &[],
        effect: told(
            "Tokens of the client issued before it are refused, and later ones too until it is enabled.",
        ),
        example: told("{}"),
        outcome: told("cut-off: accountDisabled, status: disabled"),
        meaning: Meaning::Is(Event::Client(AccountStatus::Disabled)),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/oauth/event-type/client-enabled",
        vocabulary: Vocabulary::OAuth,
        name: "client-enabled",
        section: "3.5",
        legacy: true,
        about: &[ClientApplication],
        members: &[],
        effect: told("Tokens of the client issued after it are accepted again."),
        example: told("{}"),
        outcome: told("status: enabled"),
        meaning: Meaning::Is(Event::Client(AccountStatus::Enabled)),
    },
    EventType {
        uri: "https://schemas.openid.net/secevent/oauth/event-type/client-credential-changed",
        vocabulary: Vocabulary::OAuth,
        name: "client-credential-changed",
        section: "3.6",
        legacy: true,
        about: &[ClientApplication],
        members: &[],
        effect: told("Tokens of the client issued before it are refused."),
        example: told("{}"),
        outcome: told("cut-off: credentialChange"),
        meaning: Meaning::Is(Event::ClientCredentialChange),
    },
];

const REASONS: &[&str] = &["inactive", "too_many", "api", "user", "issuer"];
