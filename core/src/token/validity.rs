//! Whether a token is good at some instant, as far as time decides.

use core::time::Duration;

use super::access_token::AccessToken;
use crate::decision::ReasonCode;
use crate::time::UnixTime;

/// A bound in time that a token lies outside of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OutOfTime {
    /// The stable code.
    pub code: ReasonCode,
    /// Which bound.
    pub what: &'static str,
    /// The bound, without the tolerated skew.
    pub at: UnixTime,
    /// When the token becomes good, if it ever does.
    pub good_from: Option<UnixTime>,
}

impl AccessToken {
    /// Checks `exp`, `iat`, `nbf` and the age cap (`enforcement.md` §3) at `now`, with `skew` tolerated either way.
    ///
    /// # Errors
    /// The first bound that does not hold.
    pub fn check_time(&self, now: UnixTime, skew: Duration) -> Result<(), OutOfTime> {
        let ended = |code, what, at| OutOfTime {
            code,
            what,
            at,
            good_from: None,
        };
        let not_yet = |what, at: UnixTime| OutOfTime {
            code: ReasonCode::TokenNotYetValid,
            what,
            at,
            good_from: Some(at.saturating_sub(skew)),
        };
        let latest = now.saturating_add(skew);
        if now >= self.expires.saturating_add(skew) {
            return Err(ended(ReasonCode::TokenExpired, "expired at", self.expires));
        }
        if self.issued_at > latest {
            return Err(not_yet("issued in the future, at", self.issued_at));
        }
        if let Some(not_before) = self.not_before.filter(|nbf| *nbf > latest) {
            return Err(not_yet("not valid before", not_before));
        }
        if now >= self.good_until.saturating_add(skew) {
            return Err(ended(
                ReasonCode::TokenTooOld,
                "too old since",
                self.good_until,
            ));
        }
        Ok(())
    }
}
