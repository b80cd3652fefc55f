//! Whose access changes, as a table and as JSON.

use anstyle::Style;
use cae_core::json;
use cae_core::policy::what_if::{
    Change, ChangeGroup, Description, DocumentChange, DocumentPair, Representatives,
};
use serde::Serialize;

use super::super::output::Output;
use super::gate::{meaning, title};
use super::labels::{Labels, pair_name};
use super::summary::{cell, made, percent, several, sign_ins, table};
use super::{Arguments, Done};
use crate::text::{ASKS, BAD, FAINT, GOOD, STRONG, count, one_line, wrap};

/// What there is to report about two states of a tenant.
pub(super) struct Report<'a> {
    pub(super) arguments: &'a Arguments,
    pub(super) labels: &'a Labels,
    pub(super) description: &'a Description,
    pub(super) done: &'a Done,
}

/// How many applications and sign-ins a group names.
const NAMED: usize = 3;
/// How many groups of one kind of change are told one by one; with --json it is all of them.
const TOLD: usize = 12;

impl<'a> Report<'a> {
    /// The names of the two states.
    pub(super) fn states(&self) -> [String; 2] {
        let name = |position: usize| {
            let file = self.arguments.diff.get(position);
            file.map_or_else(String::new, |file| {
                super::super::problem::name(file).into_owned()
            })
        };
        [name(0), name(1)]
    }

    /// The groups of one kind of change, the largest first.
    pub(super) fn groups(&self, change: Change) -> Vec<&'a ChangeGroup> {
        let groups = self.done.counts.changes.groups.iter();
        let mut groups: Vec<&ChangeGroup> = groups.filter(|group| group.change == change).collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.sign_ins));
        groups
    }

    /// How many sign-ins change.
    pub(super) fn changed(&self) -> u64 {
        self.done.counts.changes.totals.values().sum()
    }

    /// How many sign-ins were compared.
    pub(super) fn sign_ins(&self) -> u64 {
        self.done.counts.summary.sign_ins
    }

    /// How many people, exact or not.
    pub(super) fn people(&self, group: &ChangeGroup) -> String {
        let about = if group.people.is_exact() {
            ""
        } else {
            "about "
        };
        format!("{about}{}", count(group.people.count()))
    }

    /// The first sentence: how many sign-ins, how many change.
    pub(super) fn headline(&self) -> String {
        let changed = self.changed();
        let [old, new] = self.states();
        if changed == 0 {
            return format!(
                "From {old} to {new}, nothing changes for any of {}.",
                sign_ins(self.sign_ins())
            );
        }
        format!(
            "From {old} to {new}, {} of {} change ({}%).",
            count(changed),
            sign_ins(self.sign_ins()),
            percent(changed, self.sign_ins())
        )
    }

    /// Where the sign-ins come from.
    pub(super) fn origin(&self) -> String {
        let origin = match made(self.done) {
            Some(made) => made.trim_start_matches("; ").to_owned(),
            None => format!("the sign-ins of {}", self.done.name),
        };
        match self.arguments.assume_enabled {
            Some(assumed) => format!("{origin}; {}", assumed.words()),
            None => origin,
        }
    }

    pub(super) fn print(&self, out: &mut Output) {
        if out.json() {
            out.line(json::to_text(&Summary {
                summary: SummaryLine::of(self),
            }));
            return;
        }
        for line in wrap(&self.headline(), out.width()) {
            out.line(format_args!("{STRONG}{line}{STRONG:#}"));
        }
        for line in wrap(&format!("Compared: {}", self.origin()), out.width()) {
            out.line(format_args!("{FAINT}{line}{FAINT:#}"));
        }
        self.print_documents(out);
        for change in Change::ALL {
            self.print_change(change, out);
        }
        let ungrouped = self.done.counts.changes.ungrouped;
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
            ("Policies that differ", &self.description.compared),
            (
                "Named locations that differ",
                &self.description.named_locations,
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
        let total = self.done.counts.changes.total(change);
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
        let groups = self.groups(change);
        for group in groups.iter().take(TOLD) {
            out.line(format_args!(
                "  {style}{:>11}{style:#}  {}",
                count(group.sign_ins),
                one_line(&self.causes(group))
            ));
            for line in self.details(group) {
                for line in wrap(&line, out.width().saturating_sub(13)) {
                    out.line(format_args!("               {FAINT}{line}{FAINT:#}"));
                }
            }
        }
        if let Some(rest) = Self::rest(&groups, TOLD) {
            out.line(format_args!("  {FAINT}and {rest}{FAINT:#}"));
        }
    }

    /// What a list of groups leaves out, in words; nothing if it leaves out none.
    pub(super) fn rest(groups: &[&ChangeGroup], told: usize) -> Option<String> {
        let rest = groups.get(told..).filter(|rest| !rest.is_empty())?;
        let number = rest
            .iter()
            .map(|group| group.sign_ins)
            .fold(0, u64::saturating_add);
        Some(format!(
            "{} more because of other policies, in {}",
            sign_ins(number),
            several(rest.len(), "group", "groups")
        ))
    }

    /// The policies that cause a group, with what became of them.
    pub(super) fn causes(&self, group: &ChangeGroup) -> String {
        let cause = |position: &usize| {
            let name = self.labels.compared(*position);
            match self.description.compared.get(*position) {
                Some(pair) => format!("{name} ({})", word(pair.change)),
                None => name.to_owned(),
            }
        };
        let causes: Vec<String> = group.policies.iter().map(cause).collect();
        if causes.is_empty() {
            "no policy alone".to_owned()
        } else {
            causes.join(" · ")
        }
    }

    /// Who, what for and what is asked for.
    pub(super) fn details(&self, group: &ChangeGroup) -> Vec<String> {
        let mut details = Vec::new();
        if group.unmet_before != group.unmet_after {
            let [before, after] = self.demands(group);
            details.push(format!("before: {before}; now: {after}"));
        }
        if self.done.made.is_none() {
            if group.people.count() > 0 {
                details.push(format!("people: {}", self.people(group)));
            }
            let mut targets = group.targets.seen.clone();
            targets.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
            let mut named: Vec<String> = targets
                .iter()
                .take(NAMED)
                .map(|(name, number)| format!("{} ({})", self.labels.told(name), count(*number)))
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
        details.push(format!("such as: {}", self.examples(group).join("; ")));
        details
    }

    /// What the sign-ins of a group came to, and what they come to.
    pub(super) fn demands(&self, group: &ChangeGroup) -> [String; 2] {
        [&group.unmet_before, &group.unmet_after].map(|unmet| {
            let controls = unmet.iter().filter(|name| *name != "block");
            let controls: Vec<String> = controls.map(|name| self.labels.control(name)).collect();
            let asked = format!("asked for {}", controls.join(", "));
            match (unmet.contains("block"), controls.is_empty()) {
                (true, true) => "blocked".to_owned(),
                (true, false) => format!("blocked, or {asked}"),
                (false, true) => "granted".to_owned(),
                (false, false) => asked,
            }
        })
    }

    pub(super) fn examples(&self, group: &ChangeGroup) -> Vec<String> {
        group
            .examples
            .iter()
            .take(NAMED)
            .map(|id| match id.as_str() {
                Some(id) => self.labels.told(id),
                None => id.to_string(),
            })
            .collect()
    }
}

pub(super) const fn word(change: DocumentChange) -> &'static str {
    match change {
        DocumentChange::Added => "added",
        DocumentChange::Removed => "removed",
        DocumentChange::Changed => "changed",
        DocumentChange::Unchanged => "unchanged",
    }
}

/// The members of a document that differ; of its state what it was and what it is.
pub(super) fn what_differs(pair: &DocumentPair) -> String {
    let unset = || "not set".to_owned();
    let state = |state: &Option<String>| state.clone().unwrap_or_else(unset);
    let members = pair.members.iter().map(|member| match member.as_str() {
        "state" => format!(
            "state {} → {}",
            state(&pair.state_before),
            state(&pair.state_after)
        ),
        other => other.to_owned(),
    });
    let members: Vec<String> = members.collect();
    match pair.change {
        DocumentChange::Added => pair.state_after.clone().unwrap_or_default(),
        DocumentChange::Removed => format!("was {}", state(&pair.state_before)),
        DocumentChange::Changed | DocumentChange::Unchanged => members.join(", "),
    }
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
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
    fn of(report: &Report<'a>) -> Self {
        let [old, new] = report.states();
        let changes = &report.done.counts.changes;
        Self {
            old,
            new,
            sign_ins: report.sign_ins(),
            faulty: report.done.counts.summary.faulty,
            changed: report.changed(),
            made: report.done.made.as_ref().map(MadeRow::of),
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
