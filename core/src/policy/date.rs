//! Dates as Graph writes them.

use crate::time::{EventTime, UnixTime};

/// Reads an RFC 3339 date such as `2019-09-15T21:53:34.5001162Z`, rounded up to a whole second.
///
/// Rounded up, because a token issued within the second of a change may have been issued before it. `None` if
/// the text is not such a date or lies before 1970.
pub(crate) fn parse(text: &str) -> Option<UnixTime> {
    let (seconds, fraction) = read(text)?;
    let rounded = seconds.checked_add(u64::from(fraction.bytes().any(|byte| byte != b'0')))?;
    Some(UnixTime::from_secs(rounded))
}

/// Reads such a date to the microsecond; what is finer is left out.
#[must_use]
pub fn instant(text: &str) -> Option<EventTime> {
    let (seconds, fraction) = read(text)?;
    let digits = fraction.bytes().chain(core::iter::repeat(b'0')).take(6);
    let micros = digits.fold(0_u64, |sum, digit| {
        let digit = u64::from(digit.saturating_sub(b'0'));
        sum.saturating_mul(10).saturating_add(digit)
    });
    let micros = seconds.checked_mul(1_000_000)?.checked_add(micros)?;
    Some(EventTime::from_micros(micros))
}

/// Whole seconds since 1970, and the digits of the fraction.
fn read(text: &str) -> Option<(u64, &str)> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut fields = date.split('-');
    let (year, month, day) = (
        digits(fields.next()?, 4)?,
        digits(fields.next()?, 2)?,
        digits(fields.next()?, 2)?,
    );
    let at = time.find(['Z', 'z', '+', '-'])?;
    let (clock, offset) = time.split_at_checked(at)?;
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut fields = whole.split(':');
    let (hour, minute, second) = (
        digits(fields.next()?, 2)?,
        digits(fields.next()?, 2)?,
        digits(fields.next()?, 2)?,
    );
    let in_range = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour <= 23
        && minute <= 59
        && second <= 60
        && fields.next().is_none()
        && date.len() == 10
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !in_range {
        return None;
    }
    let seconds = days_since_epoch(year, month, day)
        .checked_mul(86_400)?
        .checked_add(hour.checked_mul(3_600)?)?
        .checked_add(minute.checked_mul(60)?)?
        .checked_add(second)?
        .checked_sub(offset_seconds(offset)?)?;
    Some((u64::try_from(seconds).ok()?, fraction))
}

/// `Z` or `+hh:mm`, in seconds east of UTC.
fn offset_seconds(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("Z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    hours
        .checked_mul(3_600)?
        .checked_add(minutes.checked_mul(60)?)?
        .checked_mul(sign)
}

fn digits(text: &str, length: usize) -> Option<i64> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar; the year begins in March, so that the leap day is last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let shifted = year.saturating_sub(i64::from(month <= 2));
    let months_since_march = month.saturating_add(9) % 12;
    let days_before_month = months_since_march.saturating_mul(153).saturating_add(2) / 5;
    shifted
        .saturating_mul(365)
        .saturating_add(shifted / 4)
        .saturating_sub(shifted / 100)
        .saturating_add(shifted / 400)
        .saturating_add(days_before_month)
        .saturating_add(day)
        .saturating_sub(719_469)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_graph() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.0000001Z", 1),
            ("2019-09-15T21:53:34.5001162Z", 1_568_584_415),
            ("2018-06-22T11:56:12Z", 1_529_668_572),
            ("2000-02-29T00:00:00+00:00", 951_782_400),
            ("2024-03-01T01:00:00+01:00", 1_709_251_200),
            ("2023-12-31T23:30:00-00:30", 1_704_067_200),
        ] {
            assert_eq!(parse(text), Some(UnixTime::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn instants_keep_their_fraction() {
        for (text, micros) in [
            ("1970-01-01T00:00:01Z", 1_000_000),
            ("1970-01-01T00:00:01.5Z", 1_500_000),
            ("1970-01-01T00:00:01.0000019Z", 1_000_001),
        ] {
            assert_eq!(
                instant(text),
                Some(EventTime::from_micros(micros)),
                "{text}"
            );
        }
        assert_eq!(instant("1970-01-01"), None);
    }

    #[test]
    fn anything_else_is_no_date() {
        for text in [
            "",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-1-01T00:00:00Z",
            "2023-01-01",
            "2023-01-01T00:00:00",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:00:00.Z",
            "1969-12-31T23:59:59Z",
            "2023-01-01T00:00:00+1",
            "2023-01-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
