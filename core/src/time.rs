//! Instants as values. The engine never reads a clock: every instant comes in as an argument.

mod utc;

use core::time::Duration;

pub use utc::{Clock, Utc};

/// Whole seconds since 1970-01-01T00:00:00Z, as a NumericDate of RFC 7519 §2 without its fraction.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The instant `seconds` after the epoch.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// This instant moved into the future; stays at the last representable second on overflow.
    #[must_use]
    pub const fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()))
    }

    /// This instant moved into the past; stays at the epoch on underflow.
    #[must_use]
    pub const fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_secs()))
    }

    /// The time from `earlier` to this instant, zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

/// Microseconds since the epoch: the precision at which events are ordered.
///
/// Transmitters send fractions of a second; two events of one second must still have an order.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EventTime(u64);

impl EventTime {
    const PER_SECOND: u64 = 1_000_000;

    /// The instant `micros` microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The whole second that this instant lies in.
    #[must_use]
    pub const fn floor(self) -> UnixTime {
        UnixTime(self.0 / Self::PER_SECOND)
    }

    /// The first whole second after this instant: a token issued at or after it was issued after the event
    /// (`enforcement.md` §3; `iat` equal to the second of the event counts as before it).
    #[must_use]
    pub const fn next_second(self) -> UnixTime {
        UnixTime((self.0 / Self::PER_SECOND).saturating_add(1))
    }
}

impl From<UnixTime> for EventTime {
    fn from(time: UnixTime) -> Self {
        Self(time.0.saturating_mul(Self::PER_SECOND))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_off_of_an_event_is_the_next_whole_second() {
        for (micros, second) in [(0, 1), (999_999, 1), (1_000_000, 2), (1_000_001, 2)] {
            assert_eq!(
                EventTime::from_micros(micros).next_second(),
                UnixTime::from_secs(second)
            );
        }
    }

    #[test]
    fn arithmetic_saturates() {
        let day = Duration::from_secs(86_400);
        assert_eq!(
            UnixTime::from_secs(5).saturating_sub(day),
            UnixTime::default()
        );
        assert_eq!(
            UnixTime::from_secs(u64::MAX).saturating_add(day),
            UnixTime::from_secs(u64::MAX)
        );
        assert_eq!(
            UnixTime::from_secs(3).since(UnixTime::from_secs(9)),
            Duration::ZERO
        );
    }
}
