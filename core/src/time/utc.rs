//! Dates and times of day in UTC, for people.

use core::fmt;

use super::UnixTime;

/// An instant as a date and a time of day in UTC; displays as `2027-01-15 08:00:00Z`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Utc {
    year: u64,
    month: u64,
    day: u64,
    /// Second of the day.
    second: u64,
}

impl UnixTime {
    /// This instant in UTC.
    #[must_use]
    pub const fn utc(self) -> Utc {
        let (days, second) = (self.as_secs() / 86_400, self.as_secs() % 86_400);
        // From days to a civil date, in years that begin in March (Hinnant, "chrono-Compatible Low-Level Date
        // Algorithms", `civil_from_days`).
        let days = days.saturating_add(719_468);
        let (era, day) = (days / 146_097, days % 146_097);
        let year = day
            .saturating_add(day / 36_524)
            .saturating_sub(day / 1_460)
            .saturating_sub(day / 146_096)
            / 365;
        let before = year
            .saturating_mul(365)
            .saturating_add(year / 4)
            .saturating_sub(year / 100);
        let day = day.saturating_sub(before);
        let month = day.saturating_mul(5).saturating_add(2) / 153;
        let day = day
            .saturating_sub(month.saturating_mul(153).saturating_add(2) / 5)
            .saturating_add(1);
        let (month, next) = if month < 10 {
            (month.saturating_add(3), 0)
        } else {
            (month.saturating_sub(9), 1)
        };
        Utc {
            year: era
                .saturating_mul(400)
                .saturating_add(year)
                .saturating_add(next),
            month,
            day,
            second,
        }
    }

    /// Reads an RFC 3339 date such as `2027-01-15T08:00:00Z`; a fraction of a second is rounded up.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        crate::policy::date::parse(text)
    }
}

impl Utc {
    /// The time of day alone, such as `08:00:00`.
    #[must_use]
    pub const fn clock(self) -> Clock {
        Clock(self.second)
    }

    /// Whether both lie on one day.
    #[must_use]
    pub const fn same_day(self, other: Self) -> bool {
        self.year == other.year && self.month == other.month && self.day == other.day
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            year, month, day, ..
        } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {}Z", self.clock())
    }
}

/// A time of day; displays as `08:00:00`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Clock(u64);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) = (self.0 / 3_600, self.0 / 60 % 60, self.0 % 60);
        write!(f, "{hour:02}:{minute:02}:{second:02}")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn seconds_are_dates() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_400, "2000-02-29 00:00:00Z"),
            (951_868_799, "2000-02-29 23:59:59Z"),
            (978_220_800, "2000-12-31 00:00:00Z"),
            (1_800_000_000, "2027-01-15 08:00:00Z"),
            (4_107_542_400, "2100-03-01 00:00:00Z"),
        ] {
            let utc = UnixTime::from_secs(seconds).utc();
            assert_eq!(utc.to_string(), text);
            assert!(utc.same_day(UnixTime::from_secs(seconds - seconds % 86_400).utc()));
            assert!(!utc.same_day(UnixTime::from_secs(seconds + 86_400).utc()));
            let rfc3339 = text.replace(' ', "T");
            assert_eq!(
                UnixTime::from_rfc3339(&rfc3339),
                Some(UnixTime::from_secs(seconds))
            );
        }
        let last = UnixTime::from_secs(u64::MAX).utc().to_string();
        assert!(last.ends_with('Z'));
    }
}
