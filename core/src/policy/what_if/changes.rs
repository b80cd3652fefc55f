//! Counts of what changes between two states of a tenant, grouped by kind of change and by the policies that cause
//! it. Changes of parts add up to those of the whole; memory is bounded.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::comparison::Change;
use super::evaluation::{Evaluation, SignInResult};
use super::sign_in::SignIn;
use super::sketch::Sketch;
use super::summary::add;
use crate::json::Value;

/// What changes for a number of sign-ins.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// Sign-ins by result before, then afterwards.
    pub results: BTreeMap<SignInResult, BTreeMap<SignInResult, u64>>,
    /// Sign-ins by kind of change.
    pub totals: BTreeMap<Change, u64>,
    /// Everybody who signed in.
    pub people: Sketch,
    /// Everybody whose access changes.
    pub affected: Sketch,
    /// In the order in which they were first seen.
    pub groups: Vec<ChangeGroup>,
    /// Sign-ins that change, but belong to no group: there are too many groups.
    pub ungrouped: u64,
}

/// Sign-ins whose access changes in the same way, because of the same policies.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeGroup {
    /// In which way.
    pub change: Change,
    /// The policies that cause it, as positions in the list of policies of both states; empty if it is none of them
    /// alone.
    pub policies: Vec<usize>,
    /// How many sign-ins.
    pub sign_ins: u64,
    /// Of these, those for which some enabled policy cannot be told afterwards.
    pub uncertain: u64,
    /// The people who sign in.
    pub people: Sketch,
    /// Controls that were missing before.
    pub unmet_before: BTreeSet<String>,
    /// Controls that are missing afterwards.
    pub unmet_after: BTreeSet<String>,
    /// Applications and other targets.
    pub targets: Tally,
    /// `id` of the first sign-ins.
    pub examples: Vec<Value>,
}

/// The first different values, with how often each was seen.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Value and count, in the order in which they were first seen.
    pub seen: Vec<(String, u64)>,
    /// Counts of what came when the list was full.
    pub others: u64,
}

/// How many groups are told apart.
const GROUPS: usize = 500;
/// How many values a tally tells apart.
const VALUES: usize = 50;
/// How many sign-ins a group names.
const EXAMPLES: usize = 5;

impl Changes {
    /// Counts one sign-in and how its access changes.
    pub(super) fn count(
        &mut self,
        sign_in: &SignIn,
        [before, after]: [&Evaluation<'_>; 2],
        difference: Option<(Change, Vec<usize>)>,
    ) {
        let results = self.results.entry(before.result).or_default();
        add(results.entry(after.result).or_default(), 1);
        let person = sign_in.person();
        person
            .into_iter()
            .for_each(|person| self.people.insert(person));
        let Some((change, policies)) = difference else {
            return;
        };
        let one = ChangeGroup {
            change,
            policies,
            sign_ins: 1,
            uncertain: u64::from(after.is_uncertain()),
            people: person.map(Sketch::of).unwrap_or_default(),
            unmet_before: before
                .unmet
                .iter()
                .map(|name| String::from(&**name))
                .collect(),
            unmet_after: after
                .unmet
                .iter()
                .map(|name| String::from(&**name))
                .collect(),
            targets: Tally {
                seen: sign_in.targets().map(|target| (target.into(), 1)).collect(),
                others: 0,
            },
            examples: Vec::from([sign_in.id.clone()]),
        };
        add(self.totals.entry(change).or_default(), 1);
        self.affected.merge(&one.people);
        self.add(&one);
    }

    /// Adds what changes for further sign-ins, between the same two states.
    pub fn merge(&mut self, other: &Self) {
        for (before, results) in &other.results {
            let known = self.results.entry(*before).or_default();
            for (after, count) in results {
                add(known.entry(*after).or_default(), *count);
            }
        }
        for (change, count) in &other.totals {
            add(self.totals.entry(*change).or_default(), *count);
        }
        self.people.merge(&other.people);
        self.affected.merge(&other.affected);
        add(&mut self.ungrouped, other.ungrouped);
        other.groups.iter().for_each(|group| self.add(group));
    }

    /// How many sign-ins change in this way.
    #[must_use]
    pub fn total(&self, change: Change) -> u64 {
        self.totals.get(&change).copied().unwrap_or_default()
    }

    fn add(&mut self, group: &ChangeGroup) {
        let room = self.groups.len() < GROUPS;
        let known = self
            .groups
            .iter_mut()
            .find(|known| known.change == group.change && known.policies == group.policies);
        match known {
            Some(known) => known.merge(group),
            None if room => self.groups.push(group.clone()),
            None => add(&mut self.ungrouped, group.sign_ins),
        }
    }
}

impl ChangeGroup {
    fn merge(&mut self, other: &Self) {
        add(&mut self.sign_ins, other.sign_ins);
        add(&mut self.uncertain, other.uncertain);
        self.people.merge(&other.people);
        self.unmet_before.extend(other.unmet_before.iter().cloned());
        self.unmet_after.extend(other.unmet_after.iter().cloned());
        self.targets.merge(&other.targets);
        let room = EXAMPLES.saturating_sub(self.examples.len());
        self.examples
            .extend(other.examples.iter().take(room).cloned());
    }
}

impl Tally {
    fn merge(&mut self, other: &Self) {
        for (value, count) in &other.seen {
            let room = self.seen.len() < VALUES;
            match self.seen.iter_mut().find(|(known, _)| known == value) {
                Some((_, known)) => add(known, *count),
                None if room => self.seen.push((value.clone(), *count)),
                None => add(&mut self.others, *count),
            }
        }
        add(&mut self.others, other.others);
    }
}
