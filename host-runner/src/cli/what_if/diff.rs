//! Whose access changes, as a table and as JSON.

use anstyle::Style;
use cae_core::json;
use cae_core::policy::what_if::report::Report;
use cae_core::policy::what_if::report::words::{
    capital, count, meaning, pair_name, sign_ins, title, what_differs, word,
};
use cae_core::policy::what_if::{
    Change, ChangeGroup, DocumentChange, DocumentPair, Representatives,
};
use serde::Serialize;

use super::super::output::Output;
use super::summary::{cell, table};
use crate::text::{ASKS, BAD, FAINT, GOOD, STRONG, one_line, wrap};

/// The report, on a terminal or as JSON.
pub(super) struct Diff<'a> {
    pub(super) report: &'a Report<'a>,
    /// How the sign-ins were made, if nobody gave them.
    pub(super) made: Option<&'a Representatives>,
}

/// How many applications and sign-ins a group names.
const NAMED: usize = 3;
/// How many groups of one kind of change are told one by one; with --json it is all of them.
const TOLD: usize = 12;

impl Diff<'_> {
    pub(super) fn print(&self, out: &mut Output) {
        if out.json() {
            out.line(json::to_text(&Summary {
                summary: SummaryLine::of(self.report, self.made),
            }));
            return;
        }
        for line in wrap(&self.report.headline(), out.width()) {
            out.line(format_args!("{STRONG}{line}{STRONG:#}"));
        }
        for line in wrap(&format!("Compared: {}", self.report.origin), out.width()) {
            out.line(format_args!("{FAINT}{line}{FAINT:#}"));
        }
        self.print_documents(out);
        for change in Change::ALL {
            self.print_change(change, out);
        }
        let ungrouped = self.report.counts.changes.ungrouped;
        if ungrouped > 0 {
            out.line(format_args!(
                "\n{} more sign-ins change for other combinations of policies",
                count(ungrouped)
            ));
        }
    }

    /// What became of each policy and named location.
    fn print_documents(&self, out: &mut Output) {
        for (heading, pairs) in [
            ("Policies that differ", &self.report.description.compared),
            (
                "Named locations that differ",
                &self.report.description.named_locations,
            ),
        ] {
            let rows = pairs
                .iter()
                .filter(|pair| pair.change != DocumentChange::Unchanged)
                .map(|pair| {
                    vec![
                        cell(word(pair.change), Style::new()),
                        cell(pair_name(pair), Style::new()),
                        cell(what_differs(pair), FAINT),
                    ]
                })
                .collect();
            table(out, heading, &["", "name", "what differs"], rows);
        }
    }

    fn print_change(&self, change: Change, out: &mut Output) {
        let total = self.report.counts.changes.total(change);
        if total == 0 {
            return;
        }
        let style = style(change);
        out.line(format_args!(
            "\n{style}{}{style:#}: {}",
            capital(title(change)),
            sign_ins(total)
        ));
        for line in wrap(meaning(change), out.width().saturating_sub(2)) {
            out.line(format_args!("  {FAINT}{line}{FAINT:#}"));
        }
        let groups = self.report.groups(change);
        for group in groups.iter().take(TOLD) {
            out.line(format_args!(
                "  {style}{:>11}{style:#}  {}",
                count(group.sign_ins),
                one_line(&self.report.causes(group))
            ));
            for line in self.details(group) {
                for line in wrap(&line, out.width().saturating_sub(13)) {
                    out.line(format_args!("               {FAINT}{line}{FAINT:#}"));
                }
            }
        }
        if let Some(rest) = Report::rest(&groups, TOLD) {
            out.line(format_args!("  {FAINT}and {rest}{FAINT:#}"));
        }
    }

    /// Who, what for and what is asked for.
    pub(super) fn details(&self, group: &ChangeGroup) -> Vec<String> {
        let mut details = Vec::new();
        if group.unmet_before != group.unmet_after {
            let [before, after] = self.report.demands(group);
            details.push(format!("before: {before}; now: {after}"));
        }
        if !self.report.made {
            if group.people.count() > 0 {
                details.push(format!("people: {}", self.report.people(group)));
            }
            let mut targets = group.targets.seen.clone();
            targets.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
            let mut named: Vec<String> = targets
                .iter()
                .take(NAMED)
                .map(|(name, number)| {
                    format!("{} ({})", self.report.labels.told(name), count(*number))
                })
                .collect();
            if targets.len() > NAMED || group.targets.others > 0 {
                named.push("others".to_owned());
            }
            if !named.is_empty() {
                details.push(format!("applications: {}", named.join(", ")));
            }
        }
        if group.uncertain > 0 {
            details.push(format!(
                "as far as can be told: for {} of them an enabled policy is undetermined",
                count(group.uncertain)
            ));
        }
        details.push(format!(
            "such as: {}",
            self.report.examples(group).join("; ")
        ));
        details
    }
}

const fn style(change: Change) -> Style {
    match change {
        Change::NewBlocks => BAD,
        Change::NewGrants | Change::LiftedBlocks => GOOD,
        Change::NewChallenges | Change::ChangedRequirements => ASKS,
        Change::ChangedSession | Change::ChangedCertainty => STRONG,
    }
}

/// The last line of `--json`.
#[derive(Serialize)]
struct Summary<'a> {
    summary: SummaryLine<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SummaryLine<'a> {
    old: String,
    new: String,
    sign_ins: u64,
    faulty: u64,
    changed: u64,
    /// How they were made, if nobody gave them.
    made: Option<MadeRow>,
    changes: Vec<ChangeRow>,
    results: &'a std::collections::BTreeMap<
        cae_core::policy::what_if::SignInResult,
        std::collections::BTreeMap<cae_core::policy::what_if::SignInResult, u64>,
    >,
    groups: Vec<GroupRow<'a>>,
    ungrouped: u64,
    policies: &'a [DocumentPair],
    named_locations: &'a [DocumentPair],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MadeRow {
    people: usize,
    targets: usize,
    places: usize,
    circumstances: usize,
    thinned: bool,
}

impl MadeRow {
    const fn of(made: &Representatives) -> Self {
        Self {
            people: made.people,
            targets: made.targets,
            places: made.places,
            circumstances: made.circumstances,
            thinned: made.thinned,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangeRow {
    change: Change,
    sign_ins: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupRow<'a> {
    change: Change,
    sign_ins: u64,
    people: u64,
    /// Whether `people` is exact, not an estimate.
    people_exact: bool,
    uncertain: u64,
    /// The policies that cause it.
    policies: Vec<&'a DocumentPair>,
    unmet_before: &'a std::collections::BTreeSet<String>,
    unmet_after: &'a std::collections::BTreeSet<String>,
    targets: Vec<TargetRow<'a>>,
    other_targets: u64,
    examples: &'a [json::Value],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TargetRow<'a> {
    target: &'a str,
    sign_ins: u64,
}

impl<'a> SummaryLine<'a> {
    fn of(report: &Report<'a>, made: Option<&Representatives>) -> Self {
        let [old, new] = report.states.clone();
        let changes = &report.counts.changes;
        Self {
            old,
            new,
            sign_ins: report.sign_ins(),
            faulty: report.counts.summary.faulty,
            changed: report.changed(),
            made: made.map(MadeRow::of),
            changes: Change::ALL
                .iter()
                .map(|change| ChangeRow {
                    change: *change,
                    sign_ins: changes.total(*change),
                })
                .collect(),
            results: &changes.results,
            groups: Change::ALL
                .iter()
                .flat_map(|change| report.groups(*change))
                .map(|group| GroupRow {
                    change: group.change,
                    sign_ins: group.sign_ins,
                    people: group.people.count(),
                    people_exact: group.people.is_exact(),
                    uncertain: group.uncertain,
                    policies: group
                        .policies
                        .iter()
                        .filter_map(|position| report.description.compared.get(*position))
                        .collect(),
                    unmet_before: &group.unmet_before,
                    unmet_after: &group.unmet_after,
                    targets: group
                        .targets
                        .seen
                        .iter()
                        .map(|(target, sign_ins)| TargetRow {
                            target,
                            sign_ins: *sign_ins,
                        })
                        .collect(),
                    other_targets: group.targets.others,
                    examples: &group.examples,
                })
                .collect(),
            ungrouped: changes.ungrouped,
            policies: &report.description.compared,
            named_locations: &report.description.named_locations,
        }
    }
}
