//! What many sign-ins came to, for people.

use anstyle::Style;
use cae_core::policy::what_if::report::Labels;
use cae_core::policy::what_if::report::words::{count, made, percent, several, sign_ins};
use cae_core::policy::what_if::{Description, PolicySummary, SignInResult};

use super::super::output::Output;
use super::Done;
use crate::text::{ASKS, BAD, FAINT, GOOD, STRONG, Table, wrap};

/// How many policies a list names.
const LISTED: usize = 10;

pub(super) fn print(done: &Done, description: &Description, labels: &Labels, out: &mut Output) {
    let summary = &done.counts.summary;
    for line in wrap(&headline(done, description), out.width()) {
        out.line(line);
    }
    let result = |result| summary.results.get(&result).copied().unwrap_or_default();
    let rows = [
        ("granted", result(SignInResult::Grant), GOOD),
        ("challenged", result(SignInResult::Challenge), ASKS),
        ("blocked", result(SignInResult::Block), BAD),
    ];
    for (name, number, style) in rows {
        let bar = bar(number, summary.sign_ins);
        out.line(format_args!(
            "  {name:10} {:>13}  {:>5}%  {style}{bar}{style:#}",
            count(number),
            percent(number, summary.sign_ins)
        ));
    }
    if summary.uncertain > 0 {
        let words = format!(
            "{} of them come to this only as far as can be told: an enabled policy is undetermined",
            count(summary.uncertain)
        );
        for line in wrap(&words, out.width().saturating_sub(2)) {
            out.line(format_args!("  {ASKS}{line}{ASKS:#}"));
        }
    }
    let missing = summary.unmet.iter().filter(|(name, _)| *name != "block");
    let mut missing: Vec<(&String, u64)> = missing.map(|(name, number)| (name, *number)).collect();
    missing.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let rows = missing
        .into_iter()
        .take(LISTED)
        .map(|(name, number)| {
            vec![
                cell(count(number), ASKS),
                cell(labels.control(name), Style::new()),
            ]
        })
        .collect();
    table(
        out,
        "What is asked for",
        &["sign-ins", "grant control"],
        rows,
    );

    let blocks: fn(&PolicySummary) -> u64 = |policy| policy.blocks;
    let unmet: fn(&PolicySummary) -> u64 = |policy| policy.unmet;
    let named = || summary.policies.iter().enumerate();
    let enforced = |position: usize| {
        let policy = description.policies.get(position);
        policy.is_some_and(|policy| policy.state == "enabled")
    };
    let list = |number: fn(&PolicySummary) -> u64, wanted: &dyn Fn(usize) -> bool| {
        let mut found: Vec<(usize, u64)> = named()
            .map(|(position, policy)| (position, number(policy)))
            .filter(|(position, number)| *number > 0 && wanted(*position))
            .collect();
        found.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
        found
    };
    for (title, number, wanted, style) in [
        ("Policies that block", blocks, true, BAD),
        ("Policies that ask for more", unmet, true, ASKS),
        (
            "Report-only policies that would block",
            blocks,
            false,
            FAINT,
        ),
        (
            "Report-only policies that would ask for more",
            unmet,
            false,
            FAINT,
        ),
    ] {
        let found = list(number, &|position| enforced(position) == wanted);
        let rows = found
            .iter()
            .take(LISTED)
            .map(|(position, number)| {
                vec![
                    cell(count(*number), style),
                    cell(labels.policy(*position).to_owned(), Style::new()),
                ]
            })
            .collect();
        table(out, title, &["sign-ins", "policy"], rows);
        more(out, found.len());
    }

    let found = list(|policy| policy.undetermined, &|_| true);
    let rows = found
        .iter()
        .take(LISTED)
        .map(|(position, number)| {
            let policy = summary.policies.get(*position);
            let why = policy.map_or_else(String::new, |policy| {
                policy
                    .unknown
                    .keys()
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(", ")
            });
            vec![
                cell(count(*number), ASKS),
                cell(why, FAINT),
                cell(labels.policy(*position).to_owned(), Style::new()),
            ]
        })
        .collect();
    table(
        out,
        "Undetermined",
        &["sign-ins", "not known", "policy"],
        rows,
    );
    more(out, found.len());
}

fn headline(done: &Done, description: &Description) -> String {
    let states = |state: &str| {
        let policies = description.policies.iter();
        policies.filter(|policy| policy.state == state).count()
    };
    let mut words = format!(
        "{} against {} ({} enabled, {} report-only, {} disabled)",
        sign_ins(done.counts.summary.sign_ins),
        several(description.policies.len(), "policy", "policies"),
        states("enabled"),
        states("enabledForReportingButNotEnforced"),
        states("disabled")
    );
    if let Some(representatives) = &done.made {
        words.push_str("; ");
        words.push_str(&made(representatives));
    }
    words
}

pub(super) fn cell(text: impl Into<String>, style: Style) -> (String, Style) {
    (text.into(), style)
}

/// A heading and rows; nothing if there are none.
pub(super) fn table(
    out: &mut Output,
    title: &str,
    headings: &'static [&'static str],
    rows: Vec<Vec<(String, Style)>>,
) {
    if rows.is_empty() {
        return;
    }
    out.line(format_args!("\n{STRONG}{title}{STRONG:#}"));
    for line in (Table { headings, rows }).to_string().lines() {
        out.line(format_args!("  {line}"));
    }
}

fn more(out: &mut Output, found: usize) {
    if found > LISTED {
        out.line(format_args!(
            "  {FAINT}and {} more{FAINT:#}",
            found.saturating_sub(LISTED)
        ));
    }
}

/// A bar of the share that `part` has.
fn bar(part: u64, whole: u64) -> String {
    const LENGTH: u128 = 30;
    let filled = u128::from(part)
        .saturating_mul(LENGTH)
        .div_ceil(u128::from(whole.max(1)));
    "█".repeat(usize::try_from(filled).unwrap_or_default())
}
