//! Times as people type them.

use std::str::FromStr;
use std::time::Duration;

use cae_core::time::UnixTime;

/// A time on the command line: seconds since 1970, an RFC 3339 date, or how long ago.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Time {
    At(UnixTime),
    Ago(Duration),
    In(Duration),
}

impl Time {
    pub(super) const fn at(self, now: UnixTime) -> UnixTime {
        match self {
            Self::At(time) => time,
            Self::Ago(duration) => now.saturating_sub(duration),
            Self::In(duration) => now.saturating_add(duration),
        }
    }
}

impl FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected seconds since 1970, a date such as 2027-01-15T08:00:00Z, or -5m, +90s, -2h, -1d";
        let relative = |text: &str| {
            let (count, unit) = match text.strip_suffix(|last: char| last.is_ascii_alphabetic()) {
                Some(count) => (count, text.strip_prefix(count)?),
                None => (text, "s"),
            };
            let unit = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3_600,
                "d" => 86_400,
                _ => return None,
            };
            let seconds = count.parse::<u64>().ok()?.checked_mul(unit)?;
            Some(Duration::from_secs(seconds))
        };
        let found = match (text.strip_prefix('-'), text.strip_prefix('+')) {
            (Some(ago), _) => relative(ago).map(Self::Ago),
            (None, Some(later)) => relative(later).map(Self::In),
            (None, None) if text == "now" => Some(Self::Ago(Duration::ZERO)),
            (None, None) => match text.parse() {
                Ok(seconds) => Some(Self::At(UnixTime::from_secs(seconds))),
                Err(_) => UnixTime::from_rfc3339(text).map(Self::At),
            },
        };
        found.ok_or(EXPECTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_dates_or_how_long_ago() {
        let now = UnixTime::from_secs(1_800_000_000);
        for (text, seconds) in [
            ("1800000000", Some(1_800_000_000)),
            ("2027-01-15T08:00:00Z", Some(1_800_000_000)),
            ("now", Some(1_800_000_000)),
            ("-90", Some(1_799_999_910)),
            ("-5m", Some(1_799_999_700)),
            ("-2h", Some(1_799_992_800)),
            ("+1d", Some(1_800_086_400)),
            ("-99999999999999999999", None),
            ("-5w", None),
            ("-", None),
            ("yesterday", None),
            ("", None),
        ] {
            let time = text.parse::<Time>().ok();
            assert_eq!(time.map(|time| time.at(now).as_secs()), seconds, "{text}");
        }
    }
}
