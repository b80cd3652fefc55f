//! Remembered location challenges (`enforcement.md` §6): how a client behind a split tunnel gets in again after one
//! challenge, and a thief with the old token does not.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use crate::configuration::Issuer;
use crate::engine::Change;
use crate::state::StateKey;
use crate::state::record::{LocationChallenge, Record};
use crate::time::UnixTime;
use crate::token::AccessToken;

/// How long a challenge lives, and how long its answer exempts.
const LIFE: Duration = Duration::from_secs(3_600);

/// What a refused location comes to.
#[derive(Debug, PartialEq)]
pub(super) enum LocationOutcome {
    /// The token answers a live challenge and nobody asked for strict enforcement: exempt until then.
    Exempt(UnixTime),
    /// Challenge, as first given at `given`; `remember` is set the first time.
    Challenge {
        given: UnixTime,
        until: UnixTime,
        remember: Option<Change>,
    },
    /// The token answers a live challenge under strict enforcement: refused until the challenge is forgotten.
    Refused(UnixTime),
}

pub(super) fn outcome(
    token: &AccessToken,
    issuer: &Issuer,
    (key, record): (StateKey, &Record),
    address: IpAddr,
    strict: bool,
    now: UnixTime,
) -> LocationOutcome {
    let place = LocationChallenge::place(token.client_application.as_deref(), address);
    let live = record
        .location_challenges
        .iter()
        .find(|challenge| challenge.place == place && now < challenge.given.saturating_add(LIFE));
    match live {
        None => {
            // Issued in this very second, or by a clock that is ahead, a token would answer its own challenge.
            let given = now.max(shown(token, issuer).saturating_add(Duration::from_secs(1)));
            let challenge = LocationChallenge { place, given };
            let record = Record {
                location_challenges: Vec::from([challenge]),
                ..Record::default()
            };
            LocationOutcome::Challenge {
                given,
                until: given.saturating_add(LIFE),
                remember: Some(Change {
                    key,
                    record: record.to_bytes(),
                }),
            }
        }
        Some(challenge) => {
            let until = challenge.given.saturating_add(LIFE);
            // A token that lives on by the skew of clocks alone is exempt no more: its client is due for a new one.
            let over = now >= token.expires && !strict;
            if over || shown(token, issuer) < challenge.given {
                LocationOutcome::Challenge {
                    given: challenge.given,
                    until,
                    remember: None,
                }
            } else if strict {
                LocationOutcome::Refused(until)
            } else {
                LocationOutcome::Exempt(until.min(token.expires))
            }
        }
    }
}

/// The latest challenge that a token answers: `iat`, or a later `nbf` where the issuer honours it. Backdating never
/// counts here: a token issued a minute before the challenge is the stolen one.
fn shown(token: &AccessToken, issuer: &Issuer) -> UnixTime {
    let not_before = token.not_before.filter(|_| issuer.honours_nbf);
    not_before.map_or(token.issued_at, |nbf| nbf.max(token.issued_at))
}
