//! The brake: how many distinct subjects the events of one transmitter touch within a minute (`enforcement.md` §4).
//!
//! A transmitter that was taken over, or runs wild, could log out everybody at once. The host asks here before it
//! merges the changes of an event, and holds the event back or tells somebody.

use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::configuration::transmitter::Brake;
use crate::state::Record;
use crate::state::record::Cause;
use crate::time::UnixTime;

/// Watches one transmitter.
///
/// Memory is bounded: of the subjects only the latest are remembered, one more than the brake allows in a minute.
#[derive(Clone, Debug)]
pub struct BrakeWatch {
    brake: Brake,
    /// When a subject was touched last, by digest.
    last: BTreeMap<Digest, UnixTime>,
    /// The same, the earliest first.
    by_time: BTreeSet<(UnixTime, Digest)>,
    /// The latest time that was told: clocks do not run backwards here.
    now: UnixTime,
    state: State,
}

/// Half a SHA-256: long enough that nobody finds subjects that count as one.
type Digest = [u8; 16];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Below,
    Above,
    Holding,
}

/// What to do about an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Braking {
    /// Tell somebody: just now there were more subjects than the brake allows.
    pub alarm: bool,
    /// Keep the event and apply it when an operator releases it.
    pub hold: bool,
}

impl BrakeWatch {
    /// A watch that has seen nothing yet.
    #[must_use]
    pub const fn new(brake: Brake) -> Self {
        Self {
            brake,
            last: BTreeMap::new(),
            by_time: BTreeSet::new(),
            now: UnixTime::from_secs(0),
            state: State::Below,
        }
    }

    /// Counts an event about `subject`, any text that is the same for the same subject, and says what to do about it.
    ///
    /// Account events count as others do and are never held. Once the brake holds, it holds until it is released:
    /// whoever floods could otherwise go on in the next minute.
    pub fn observe(&mut self, subject: &str, is_account_event: bool, now: UnixTime) -> Braking {
        self.now = self.now.max(now);
        self.touch(digest(subject));
        let over = self.is_over();
        let was = self.state;
        self.state = match (was, over) {
            (State::Holding, _) => State::Holding,
            (_, true) if self.brake.hold => State::Holding,
            (_, true) => State::Above,
            (_, false) => State::Below,
        };
        Braking {
            alarm: over && was == State::Below,
            hold: self.state == State::Holding && !is_account_event,
        }
    }

    /// Whether events are being held.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.state == State::Holding
    }

    /// Holds events from now on, as it did before the host was started again.
    pub const fn hold(&mut self) {
        self.state = State::Holding;
    }

    /// An operator looked at it: counting begins anew.
    pub fn release(&mut self) {
        self.last.clear();
        self.by_time.clear();
        self.state = State::Below;
    }

    fn touch(&mut self, subject: Digest) {
        if let Some(before) = self.last.insert(subject, self.now) {
            self.by_time.remove(&(before, subject));
        }
        self.by_time.insert((self.now, subject));
        // One more than allowed within a minute is enough to know that there are too many.
        let most = self.most().saturating_add(1);
        while self.by_time.len() > most {
            if let Some((_, earliest)) = self.by_time.pop_first() {
                self.last.remove(&earliest);
            }
        }
    }

    /// Whether more subjects than allowed were touched within the last minute.
    fn is_over(&self) -> bool {
        const MINUTE: Duration = Duration::from_secs(60);
        let within = |(at, _): &(UnixTime, Digest)| self.now < at.saturating_add(MINUTE);
        self.by_time.len() > self.most() && self.by_time.first().is_some_and(within)
    }

    fn most(&self) -> usize {
        usize::try_from(self.brake.subjects_per_minute).unwrap_or(usize::MAX)
    }
}

/// Whether a change says something about an account: disabled, enabled, purged. Such events are never held, because
/// an account that is gone must not go on.
#[must_use]
pub fn is_about_account(change: &Record) -> bool {
    let of_account = |cause: Cause| matches!(cause, Cause::AccountDisabled | Cause::AccountPurged);
    !change.status.is_empty()
        || change.cut_off.is_some_and(|entry| of_account(entry.value))
        || (change.scoped.iter()).any(|(_, entry)| of_account(entry.value))
}

fn digest(subject: &str) -> Digest {
    let mut half = Digest::default();
    for (to, from) in half.iter_mut().zip(Sha256::digest(subject)) {
        *to = from;
    }
    half
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::record::{AccountStatus, Entry, TransmitterId};
    use alloc::format;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn watch(subjects_per_minute: u64, hold: bool) -> BrakeWatch {
        BrakeWatch::new(Brake {
            subjects_per_minute,
            hold,
        })
    }

    const QUIET: Braking = Braking {
        alarm: false,
        hold: false,
    };
    const ALARM: Braking = Braking {
        alarm: true,
        hold: false,
    };
    const HELD: Braking = Braking {
        alarm: false,
        hold: true,
    };

    fn at(second: u64) -> UnixTime {
        UnixTime::from_secs(second)
    }

    #[test]
    fn more_subjects_than_allowed_raise_one_alarm() {
        let mut watch = watch(2, false);
        for (subject, second, expected) in [
            ("a", 0, QUIET),
            ("a", 1, QUIET),
            ("b", 2, QUIET),
            ("a", 3, QUIET),
            ("c", 4, ALARM),
            ("d", 5, QUIET),
            // Of the last minute there is none but this.
            ("e", 70, QUIET),
            ("f", 71, QUIET),
            ("g", 72, ALARM),
        ] {
            assert_eq!(
                watch.observe(subject, false, at(second)),
                expected,
                "{subject}"
            );
        }
    }

    #[test]
    fn a_minute_has_sixty_seconds() {
        for (second, expected) in [(59, ALARM), (60, QUIET)] {
            let mut watch = watch(1, false);
            assert_eq!(watch.observe("a", false, at(0)), QUIET);
            assert_eq!(watch.observe("b", false, at(second)), expected, "{second}");
        }
    }

    #[test]
    fn what_is_held_is_held_until_released_except_account_events() {
        let mut watch = watch(1, true);
        assert_eq!(watch.observe("a", false, at(0)), QUIET);
        assert_eq!(
            watch.observe("b", false, at(1)),
            Braking {
                alarm: true,
                hold: true
            }
        );
        assert_eq!(watch.observe("a", false, at(2)), HELD);
        assert_eq!(watch.observe("a", true, at(2)), QUIET);
        assert_eq!(watch.observe("a", false, at(9_000)), HELD);
        assert!(watch.is_holding());
        watch.release();
        assert!(!watch.is_holding());
        assert_eq!(watch.observe("a", false, at(9_001)), QUIET);
        assert_eq!(watch.observe("a", true, at(9_002)), QUIET);
        assert!(
            watch.observe("b", true, at(9_003)).alarm,
            "account events count"
        );
    }

    #[test]
    fn account_events_are_known_by_what_they_change() {
        let entry = |value| Entry {
            at: at(1).into(),
            issued: at(1),
            value,
        };
        let cut_off = |cause| Record {
            cut_off: Some(entry(cause)),
            ..Record::default()
        };
        let enabled = Record {
            status: Vec::from([(
                TransmitterId([1; 8]),
                Entry {
                    at: at(1).into(),
                    issued: at(1),
                    value: AccountStatus::Enabled,
                },
            )]),
            ..Record::default()
        };
        assert!(is_about_account(&enabled));
        assert!(is_about_account(&cut_off(Cause::AccountPurged)));
        assert!(!is_about_account(&cut_off(Cause::SessionRevoked)));
        assert!(!is_about_account(&Record::default()));
    }

    proptest! {
        /// The watch says what counting everything would say, and remembers little.
        #[test]
        fn it_counts_as_a_long_list_would(
            most in 1..6_u64, steps in proptest::collection::vec((0..12_u8, 0..40_u64), 0..120),
        ) {
            let (mut watch, mut all, mut now, mut was) = (watch(most, false), Vec::new(), 100, false);
            for (subject, passed) in steps {
                now = passed.saturating_add(now);
                all.push((subject, now));
                let mut subjects: Vec<u8> = all.iter()
                    .filter(|(_, touched)| touched.saturating_add(60) > now)
                    .map(|(subject, _)| *subject)
                    .collect();
                subjects.sort_unstable();
                subjects.dedup();
                let over = u64::try_from(subjects.len()).unwrap() > most;
                let braking = watch.observe(&format!("{subject}"), false, at(now));
                prop_assert_eq!(braking.alarm, over && !was);
                was = over;
                prop_assert!(watch.last.len() <= 6 && watch.last.len() == watch.by_time.len());
            }
        }
    }
}
