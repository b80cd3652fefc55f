//! When what is due: each task on its own, later and later while it fails, all at once when things are well again.

use std::time::Duration;

/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How often something is tried that the application may not do: permissions are given rarely.
const FORBIDDEN: Duration = Duration::from_secs(3_600);

/// When one task is due.
#[derive(Clone, Debug)]
pub(crate) struct Timer {
    every: Duration,
    due: Duration,
    failures: u32,
}

impl Timer {
    /// Due at once, and then so often.
    pub(crate) const fn new(every: Duration) -> Self {
        Self {
            every,
            due: Duration::ZERO,
            failures: 0,
        }
    }

    pub(crate) const fn due(&self) -> Duration {
        self.due
    }

    pub(crate) fn is_due(&self, elapsed: Duration) -> bool {
        self.due <= elapsed
    }

    pub(crate) const fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// It is to be done now.
    pub(crate) const fn hurry(&mut self) {
        self.due = Duration::ZERO;
    }

    /// It went well.
    pub(crate) const fn done(&mut self, elapsed: Duration) {
        self.failures = 0;
        self.due = elapsed.saturating_add(self.every);
    }

    /// The next time is in so long.
    pub(crate) const fn due_in(&mut self, elapsed: Duration, wait: Duration) {
        self.due = elapsed.saturating_add(wait);
    }

    /// There is more to do at once. Only the end makes up for failures: else a round that always breaks off at its second page
    /// would begin again without a pause.
    pub(crate) const fn goes_on(&mut self, elapsed: Duration) {
        self.due = elapsed;
    }

    /// It failed. `asked` is how long the other side wants to be left alone; `random` spreads who comes back.
    pub(crate) fn failed(&mut self, elapsed: Duration, asked: Option<Duration>, random: u64) {
        self.failures = self.failures.saturating_add(1);
        let pause = pause(self.failures, random).max(asked.unwrap_or_default());
        self.due = elapsed.saturating_add(pause);
    }

    /// The application may not do it.
    pub(crate) const fn forbidden(&mut self, elapsed: Duration) {
        self.failures = 0;
        self.due = elapsed.saturating_add(FORBIDDEN);
    }
}

/// Twice as long each time, up to five minutes, of which the last half is random.
pub(crate) fn pause(failures: u32, random: u64) -> Duration {
    let whole = Duration::from_secs(2_u64.saturating_pow(failures.min(16))).min(LONGEST_PAUSE);
    let half = whole.checked_div(2).unwrap_or(whole);
    let millis = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).max(1);
    half.saturating_add(Duration::from_millis(
        random.checked_rem(millis).unwrap_or(0),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        for failures in 1..40 {
            for random in [0, 1, u64::MAX] {
                let pause = pause(failures, random);
                assert!(
                    pause >= Duration::from_secs(1) && pause <= LONGEST_PAUSE,
                    "{failures}: {pause:?}"
                );
            }
        }
        assert!(pause(20, 0) >= LONGEST_PAUSE / 2);
    }

    #[test]
    fn what_somebody_asks_for_is_kept_to() {
        let second = Duration::from_secs(1);
        let mut timer = Timer::new(60 * second);
        assert!(timer.is_due(Duration::ZERO));
        timer.failed(10 * second, Some(100 * second), 0);
        assert!(!timer.is_due(109 * second) && timer.is_due(110 * second));
        timer.done(200 * second);
        assert!(!timer.is_due(259 * second) && timer.is_due(260 * second) && !timer.is_failing());
    }
}
