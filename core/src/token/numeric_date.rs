//! NumericDate (RFC 7519 §2), read strictly.

use crate::json::Value;
use crate::time::UnixTime;

/// Up to here every number of every JSON reader is exact; no clock comes near it.
const LATEST: u64 = 1 << 53;

/// What happens to a fraction of a second. The engine counts whole seconds, and rounds so that a token is never
/// valid for longer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rounding {
    /// To the second before: `iat`, `exp`, `auth_time`.
    Down,
    /// To the second after: `nbf`.
    Up,
}

/// The instant that a JSON number names: not negative, at most 2^53, never text.
#[must_use]
pub fn read(value: &Value, rounding: Rounding) -> Option<UnixTime> {
    let number = value.as_number()?;
    let seconds = match number.as_u64() {
        Some(seconds) => seconds,
        None => whole_seconds(number.as_f64()?, rounding)?,
    };
    (seconds <= LATEST).then(|| UnixTime::from_secs(seconds))
}

#[expect(
    clippy::as_conversions,
    reason = "`core` has no other way between floats and integers; the range is checked first"
)]
fn whole_seconds(seconds: f64, rounding: Rounding) -> Option<u64> {
    if seconds.is_sign_negative() || !(0.0..=LATEST as f64).contains(&seconds) {
        return None;
    }
    let below = seconds as u64;
    let exact = below as f64 == seconds;
    Some(match rounding {
        Rounding::Up if !exact => below.saturating_add(1),
        Rounding::Up | Rounding::Down => below,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, parse};

    #[test]
    fn numbers_in_range_only() {
        for (text, down, up) in [
            ("0", Some(0), Some(0)),
            ("1735689600", Some(1_735_689_600), Some(1_735_689_600)),
            ("1735689600.0", Some(1_735_689_600), Some(1_735_689_600)),
            ("1735689600.5", Some(1_735_689_600), Some(1_735_689_601)),
            ("1.7356896e9", Some(1_735_689_600), Some(1_735_689_600)),
            ("9007199254740992", Some(LATEST), Some(LATEST)),
            ("9007199254740993", None, None),
            ("1e308", None, None),
            ("-1", None, None),
            ("-0.0", None, None),
            ("-0.5", None, None),
            ("\"1735689600\"", None, None),
            ("null", None, None),
            ("[1]", None, None),
            ("true", None, None),
        ] {
            let value = parse(text.as_bytes(), Limits::TOKEN).unwrap();
            let read = |rounding| read(&value, rounding).map(UnixTime::as_secs);
            assert_eq!(
                (read(Rounding::Down), read(Rounding::Up)),
                (down, up),
                "{text}"
            );
        }
        assert!(parse(b"1e400", Limits::TOKEN).is_err(), "infinite");
    }
}
