//! When an event happened (`enforcement.md` §3).

use alloc::string::ToString as _;

use crate::json::Value;
use crate::time::{EventTime, UnixTime};

/// From here on a number counts milliseconds: as seconds it would lie 3,000 years ahead.
const MILLISECONDS_FROM: u64 = 100_000_000_000;

/// Microseconds in a second.
const SECOND: u64 = 1_000_000;
/// Microseconds in a millisecond.
const MILLISECOND: u64 = 1_000;

/// The instant that a JSON number names, in seconds or milliseconds, with its fraction down to microseconds.
/// `None` for anything but a number that is not negative.
#[must_use]
pub(super) fn instant(value: &Value) -> Option<EventTime> {
    let number = value.as_number()?;
    if let Some(whole) = number.as_u64() {
        return Some(EventTime::from_micros(whole.saturating_mul(unit(whole))));
    }
    // Decimal text rather than floating point arithmetic: exact, and the same on every target.
    let text = number.to_string();
    if text.starts_with('-') {
        return None;
    }
    if let Some((_, exponent)) = text.split_once('e') {
        let vanishing = exponent.starts_with('-');
        return Some(EventTime::from_micros(if vanishing { 0 } else { u64::MAX }));
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let Ok(whole) = whole.parse::<u64>() else {
        return Some(EventTime::from_micros(u64::MAX));
    };
    let unit = unit(whole);
    let mut micros = whole.saturating_mul(unit);
    let mut place = unit;
    for digit in fraction.chars().filter_map(|digit| digit.to_digit(10)) {
        place /= 10;
        micros = micros.saturating_add(u64::from(digit).saturating_mul(place));
    }
    Some(EventTime::from_micros(micros))
}

const fn unit(whole: u64) -> u64 {
    if whole >= MILLISECONDS_FROM {
        MILLISECOND
    } else {
        SECOND
    }
}

/// The time of an event: what the event says, else `toe`, else `iat`; never later than `iat` or the first
/// acceptance, because nobody reports what is yet to happen.
#[must_use]
pub(super) fn of_event(
    event_timestamp: Option<EventTime>,
    toe: Option<EventTime>,
    iat: EventTime,
    received_at: UnixTime,
) -> EventTime {
    event_timestamp
        .or(toe)
        .unwrap_or(iat)
        .min(iat)
        .min(received_at.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, parse};

    #[test]
    fn numbers_are_seconds_or_milliseconds() {
        for (text, micros) in [
            ("0", Some(0)),
            ("1615304991", Some(1_615_304_991_000_000)),
            ("1615304991.25", Some(1_615_304_991_250_000)),
            ("1615304991.123456", Some(1_615_304_991_123_456)),
            ("1.615304991e9", Some(1_615_304_991_000_000)),
            ("0.25", Some(250_000)),
            ("0.00000001", Some(0)),
            ("1615304991250", Some(1_615_304_991_250_000)),
            ("1615304991250.5", Some(1_615_304_991_250_500)),
            ("99999999999", Some(99_999_999_999_000_000)),
            ("100000000000", Some(100_000_000_000_000)),
            ("1e300", Some(u64::MAX)),
            ("18446744073709551615", Some(u64::MAX)),
            ("-1", None),
            ("-0.5", None),
            ("\"1615304991\"", None),
            ("null", None),
        ] {
            let value = parse(text.as_bytes(), Limits::EVENT).unwrap();
            assert_eq!(instant(&value).map(EventTime::as_micros), micros, "{text}");
        }
    }

    #[test]
    fn an_event_is_never_later_than_its_report() {
        let at = EventTime::from_micros;
        let received = UnixTime::from_secs(100);
        for (event_timestamp, toe, iat, expected) in [
            (Some(50_000_001), Some(40_000_000), 90_000_000, 50_000_001),
            (None, Some(40_000_000), 90_000_000, 40_000_000),
            (None, None, 90_500_000, 90_500_000),
            (Some(95_000_000), None, 90_500_000, 90_500_000),
            (None, None, 150_000_000, 100_000_000),
        ] {
            let found = of_event(event_timestamp.map(at), toe.map(at), at(iat), received);
            assert_eq!(found, at(expected));
        }
    }
}
