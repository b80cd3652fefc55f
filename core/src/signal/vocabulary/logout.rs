//! Logout tokens of OpenID Connect Back-Channel Logout 1.0. They are JWTs of their own kind with one event; how they
//! are told from SETs is in [`crate::signal::logout`].

use super::{EventType, Meaning, Vocabulary, told};
use crate::signal::event::Event;
use crate::state::SubjectKind::{Session, User};

/// The member of `events` that makes a JWT a logout token (§2.4).
pub const BACK_CHANNEL_LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

pub(super) static TYPES: &[EventType] = &[EventType {
    uri: BACK_CHANNEL_LOGOUT,
    vocabulary: Vocabulary::BackChannelLogout,
    name: "backchannel-logout",
    section: "2.4",
    legacy: false,
    about: &[Session, User],
    members: &[],
    effect: told(
        "Tokens of the session `sid`, or without one of every session of the user `sub`, that were issued before it \
             are refused. Without `sid` it is ignored with `sessionRevokedByUser: ignore`.",
    ),
    example: told("{}"),
    outcome: told("cut-off: sessionRevoked"),
    meaning: Meaning::Is(Event::SessionRevoked),
}];
