//! A progress bar for whoever waits at a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use cae_core::policy::what_if::report::words::count;

/// How far a long evaluation is.
pub(super) struct Progress {
    started: Instant,
    drawn: Option<Instant>,
    /// Bytes of the whole input, if that is known.
    total: Option<u64>,
    /// Whether anybody sees it.
    shown: bool,
}

/// How often it is drawn.
const PERIOD: Duration = Duration::from_millis(100);
const BAR: u64 = 24;

impl Progress {
    /// `busy`: the answers themselves go to the terminal.
    pub(super) fn new(total: Option<u64>, busy: bool) -> Self {
        Self {
            started: Instant::now(),
            drawn: None,
            total: total.filter(|total| *total > 0),
            shown: io::stderr().is_terminal() && !busy,
        }
    }

    /// Draws where the evaluation is, if it is time.
    pub(super) fn draw(&mut self, lines: u64, evaluations: u64, bytes: u64) {
        let now = Instant::now();
        // Nothing flashes by: what is done within the first period shows no bar at all.
        let last = self.drawn.unwrap_or(self.started);
        if self.shown && now.duration_since(last) >= PERIOD {
            self.drawn = Some(now);
            let elapsed = now.duration_since(self.started);
            let line = line(lines, evaluations, bytes, self.total, elapsed);
            // That nobody reads standard error is no reason to stop.
            drop(write!(io::stderr(), "\r{line}\u{1b}[K"));
        }
    }

    /// Puts in the place of the bar how long it all took.
    pub(super) fn finish(&self, lines: u64, evaluations: u64) {
        if self.shown {
            let elapsed = self.started.elapsed();
            let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            drop(writeln!(
                io::stderr(),
                "\r\u{1b}[K{} sign-ins, {} evaluations in {} ms, {} a second",
                count(lines),
                count(evaluations),
                count(millis),
                count(rate(evaluations, elapsed))
            ));
        }
    }
}

/// How many in a second.
fn rate(number: u64, elapsed: Duration) -> u64 {
    let millis = elapsed.as_millis().max(1);
    let rate = u128::from(number).saturating_mul(1_000).checked_div(millis);
    u64::try_from(rate.unwrap_or_default()).unwrap_or(u64::MAX)
}

fn line(lines: u64, evaluations: u64, bytes: u64, total: Option<u64>, elapsed: Duration) -> String {
    let speed = format!(
        "{} sign-ins, {} evaluations a second",
        count(lines),
        count(rate(evaluations, elapsed))
    );
    let Some(total) = total else {
        return format!("{speed}, {} so far", clock(elapsed));
    };
    let bytes = bytes.min(total);
    let share = |of: u64| {
        bytes
            .saturating_mul(of)
            .checked_div(total)
            .unwrap_or_default()
    };
    let filled = usize::try_from(share(BAR)).unwrap_or_default();
    let empty = usize::try_from(BAR.saturating_sub(share(BAR))).unwrap_or_default();
    let left = elapsed
        .as_millis()
        .saturating_mul(u128::from(total.saturating_sub(bytes)))
        .checked_div(u128::from(bytes));
    format!(
        "{}{} {:>3} %  {speed}, {} left",
        "█".repeat(filled),
        "░".repeat(empty),
        share(100),
        left.and_then(|left| u64::try_from(left).ok())
            .map_or_else(|| "?".to_owned(), |left| clock(Duration::from_millis(left)))
    )
}

/// Minutes and seconds.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_how_fast_and_how_long_yet() {
        let at = |total, bytes| line(12_000, 2_400_000, bytes, total, Duration::from_secs(30));
        assert_eq!(
            at(Some(400), 100),
            format!(
                "{}{}  25 %  12,000 sign-ins, 80,000 evaluations a second, 1:30 left",
                "█".repeat(6),
                "░".repeat(18)
            )
        );
        assert_eq!(
            at(None, 100),
            "12,000 sign-ins, 80,000 evaluations a second, 0:30 so far"
        );
        assert!(at(Some(400), 0).ends_with("? left"));
        assert!(at(Some(400), 900).ends_with("0:00 left"));
    }
}
