//! A scenario's run, drawn as a sequence of messages between client, issuer, resource server and transmitter.

mod details;
mod history;
mod lanes;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cae_core::simulation::{Expectation, LineKind, Scenario, StepReport, Summary};

use crate::text::{ASKS, BAD, FAINT, GOOD, STRONG, member, one_line, word, wrap};
use anstyle::Style;
use history::{History, Known};
use lanes::{Arrow, Lanes, Place};

/// Draws one run. Every method gives lines with styles in them; whoever prints them may strip those.
#[derive(Debug)]
pub(crate) struct Timeline {
    lanes: Lanes,
    width: usize,
    /// The step that was drawn last, to number the first line of each.
    step: Option<usize>,
    /// The steps, as numbered in the picture, in which an expectation fails.
    failed: BTreeSet<usize>,
    history: History,
}

/// What an exchange came to: the words on the returning arrow, and their colour.
struct Reply {
    words: String,
    style: Style,
}

impl Timeline {
    /// A timeline of `width` columns, in Unicode or, for terminals without it, in ASCII.
    pub(crate) fn new(width: usize, unicode: bool) -> Self {
        Self {
            lanes: Lanes::new(width, unicode),
            width,
            step: None,
            failed: BTreeSet::new(),
            history: History::default(),
        }
    }

    /// Title, description, how to read the picture, and the heads of the lanes.
    pub(crate) fn open(&self, scenario: &Scenario) -> String {
        let mut text = format!("{STRONG}{}{STRONG:#}\n", one_line(&scenario.title));
        for line in wrap(&scenario.description, self.width) {
            let _ = writeln!(text, "{line}");
        }
        let legend = format!(
            "{} message   {} change   {} as the scenario expects   +5m since the start",
            self.lanes.message(),
            self.lanes.change(),
            self.lanes.tick()
        );
        let _ = writeln!(text, "\n{FAINT}{legend}{FAINT:#}");
        let _ = write!(text, "\n{}\n{}", self.lanes.heads(), self.lanes.blank());
        text
    }

    /// One exchange: what happened, the arrows, what they carried, and what was expected.
    pub(crate) fn exchange(&mut self, report: &StepReport) -> String {
        let mut text = String::new();
        self.headline(&mut text, report);
        let known = self.history.about(report);
        let (from, to) = (Place::of(&report.from), Place::of(&report.to));
        match (from, to) {
            (Some(from), Some(to)) if from != to => {
                let ask = Arrow {
                    from,
                    to,
                    words: asked(report, &known),
                    style: Style::new(),
                };
                let _ = writeln!(text, "{}", self.lanes.arrow(&ask));
                if let Some(Reply { words, style }) = reply(report) {
                    let answer = Arrow {
                        from: to,
                        to: from,
                        words,
                        style,
                    };
                    let _ = writeln!(text, "{}", self.lanes.arrow(&answer));
                }
            }
            // Something happens in one place, or outside the picture (an administrator, a user).
            (_, Some(place)) | (Some(place), None) => {
                let _ = writeln!(text, "{}", self.lanes.mark(place));
            }
            (None, None) => {}
        }
        for detail in details::of(report, &known) {
            detail.write(&mut text, self.width);
        }
        self.expectations(&mut text, report);
        if !report.holds() {
            self.failed.insert(report.step.saturating_add(1));
        }
        text.push_str(&self.lanes.blank());
        self.history.add(report);
        text
    }

    /// What the whole run came to.
    pub(crate) fn close(&self, summary: &Summary) -> String {
        let Summary {
            steps,
            expectations,
            failed,
            ..
        } = summary;
        let (style, verdict) = if summary.holds() {
            (
                GOOD,
                format!("{} all {expectations} expectations hold", self.lanes.tick()),
            )
        } else {
            (
                BAD,
                format!(
                    "{} {failed} of {expectations} expectations fail",
                    self.lanes.cross()
                ),
            )
        };
        let failed: Vec<String> = self.failed.iter().map(usize::to_string).collect();
        let at = if failed.is_empty() {
            String::new()
        } else {
            format!(": look at {}", failed.join(", "))
        };
        format!("{style}{verdict}{style:#} in {steps} steps{at}")
    }

    fn headline(&mut self, text: &mut String, report: &StepReport) {
        let number = if self.step == Some(report.step) {
            String::new()
        } else {
            format!("{}.", report.step.saturating_add(1))
        };
        self.step = Some(report.step);
        let elapsed = elapsed(report.elapsed);
        let _ = write!(
            text,
            "{STRONG}{number:>3}{STRONG:#} {FAINT}{elapsed:>9}{FAINT:#}  "
        );
        let mut lines = wrap(&report.summary, self.width.saturating_sub(HEAD)).into_iter();
        let _ = writeln!(
            text,
            "{STRONG}{}{STRONG:#}",
            lines.next().unwrap_or_default()
        );
        for line in lines {
            let _ = writeln!(text, "{:HEAD$}{STRONG}{line}{STRONG:#}", "");
        }
        for line in report
            .note
            .iter()
            .flat_map(|note| wrap(note, self.width.saturating_sub(HEAD)))
        {
            let _ = writeln!(text, "{:HEAD$}{FAINT}{line}{FAINT:#}", "");
        }
    }

    /// What holds goes into a few lines; what does not gets its own.
    fn expectations(&self, text: &mut String, report: &StepReport) {
        let (held, failed): (Vec<&Expectation>, Vec<_>) = report
            .expectations
            .iter()
            .partition(|expected| expected.holds);
        let held: Vec<String> = held.into_iter().map(briefly).collect();
        let lines = [(GOOD, self.lanes.tick(), held.join(", "))]
            .into_iter()
            .filter(|(.., held)| !held.is_empty())
            .map(|(style, mark, held)| (style, mark, format!("as expected: {held}")));
        let lines = lines.chain(failed.into_iter().map(
            |Expectation {
                 key,
                 expected,
                 found,
                 ..
             }| {
                (
                    BAD,
                    self.lanes.cross(),
                    format!("{key}: expected {expected}, found {found}"),
                )
            },
        ));
        for (style, mark, words) in lines {
            let inner = self.width.saturating_sub(details::INDENT);
            for (n, line) in wrap(&words, inner.saturating_sub(2))
                .into_iter()
                .enumerate()
            {
                let mark = if n == 0 { mark } else { ' ' };
                let indent = details::INDENT;
                let _ = writeln!(text, "{:indent$}{style}{mark} {line}{style:#}", "");
            }
        }
    }
}

/// An expectation that holds: its value only where that is short.
fn briefly(expected: &Expectation) -> String {
    const SHORT: usize = 24;
    let value = expected.expected.to_string();
    let key = expected.key;
    if value.len() <= SHORT {
        format!("{key} {value}")
    } else {
        key.to_owned()
    }
}

/// Columns before the text of a headline: step, time.
const HEAD: usize = 15;

/// The words on the arrow that begins an exchange.
fn asked(report: &StepReport, known: &Known<'_>) -> String {
    match report.kind {
        LineKind::SignIn => "asks for a token".to_owned(),
        LineKind::ClientRetry => "forwards claims".to_owned(),
        LineKind::Request => {
            let request = report.request.clone().unwrap_or_default();
            let token = known.token.as_ref().map(history::Seen::name);
            let address = request.client_ip.map(|address| format!("from {address}"));
            let words: Vec<_> = [request.path, token, address]
                .into_iter()
                .flatten()
                .collect();
            words.join(", ")
        }
        LineKind::Event | LineKind::Delivery => {
            match report.event.as_ref().and_then(|event| event.delivery) {
                Some(delivery) if delivery > 1 => format!("security event, delivery {delivery}"),
                _ => "security event".to_owned(),
            }
        }
        LineKind::PolicyChange => "policies".to_owned(),
        LineKind::KeyRotation => "keys".to_owned(),
        LineKind::AccountChange => "account".to_owned(),
        LineKind::StateClear => "clears state".to_owned(),
        LineKind::NetworkChange | LineKind::Advance => String::new(),
    }
}

/// The returning arrow, where somebody answers.
fn reply(report: &StepReport) -> Option<Reply> {
    match report.kind {
        LineKind::Request => {
            let evaluation = details::read(report.evaluation.as_deref());
            let decision = word(&evaluation, "decision")?.to_owned();
            let style = match decision.as_str() {
                "allow" => GOOD,
                "challenge" => ASKS,
                _ => BAD,
            };
            let words = format!("{} {decision}", member(&evaluation, "status"));
            Some(Reply { words, style })
        }
        LineKind::SignIn | LineKind::ClientRetry => Some(if report.token.is_some() {
            Reply {
                words: "token".to_owned(),
                style: GOOD,
            }
        } else {
            let answer = details::read(report.issuer_answer.as_deref());
            let words = match word(&answer, "result") {
                Some("interactionRequired") => "sign in first",
                Some("block") => "blocked",
                _ => "no token",
            };
            let words = words.to_owned();
            Reply { words, style: BAD }
        }),
        LineKind::Delivery => {
            let reading = details::read(report.event_reading.as_deref());
            let code = word(&reading, "err").or_else(|| word(&reading, "code"));
            Some(match code {
                Some(code) => Reply {
                    words: format!("400 {code}"),
                    style: BAD,
                },
                None => Reply {
                    words: "202 accepted".to_owned(),
                    style: GOOD,
                },
            })
        }
        LineKind::Event
        | LineKind::AccountChange
        | LineKind::PolicyChange
        | LineKind::StateClear
        | LineKind::NetworkChange
        | LineKind::KeyRotation
        | LineKind::Advance => None,
    }
}

/// Time since the start: `+90s` is harder to read than `+1m30s`.
fn elapsed(seconds: u64) -> String {
    let (minutes, s) = (seconds / 60, seconds % 60);
    let (h, m) = (minutes / 60, minutes % 60);
    match (h, m, s) {
        (0, 0, s) => format!("+{s}s"),
        (0, m, 0) => format!("+{m}m"),
        (0, m, s) => format!("+{m}m{s:02}s"),
        (h, 0, 0) => format!("+{h}h"),
        (h, m, 0) => format!("+{h}h{m:02}m"),
        (h, m, s) => format!("+{h}h{m:02}m{s:02}s"),
    }
}

#[cfg(test)]
mod tests;
