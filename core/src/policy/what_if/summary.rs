//! Counts over many sign-ins. Summaries of parts add up to the summary of the whole, in any order.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::evaluation::{Evaluation, SignInResult};
use crate::policy::evaluate::Applicability;
use crate::policy::outcome::Outcome;

/// What a number of sign-ins came to.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Lines that were evaluated.
    pub sign_ins: u64,
    /// Lines that cannot be used.
    pub faulty: u64,
    /// The first of them.
    pub first_faults: Vec<FaultyLine>,
    /// Sign-ins by result.
    pub results: BTreeMap<SignInResult, u64>,
    /// Sign-ins for which nobody can tell whether an enabled policy applies.
    pub uncertain: u64,
    /// How often each control is missing.
    pub unmet: BTreeMap<String, u64>,
    /// What each policy came to, in the order of the documents.
    pub policies: Vec<PolicySummary>,
}

/// A line that cannot be used; also the answer to it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FaultyLine {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it, and where.
    pub error: String,
}

/// How many lines that cannot be used are named.
const FAULTS: usize = 10;

/// What one policy came to.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicySummary {
    /// Sign-ins to which it applies.
    pub applies: u64,
    /// Of these, those that it blocks, or would if it were enforced.
    pub blocks: u64,
    /// Of these, those that lack a control of it.
    pub unmet: u64,
    /// Sign-ins for which it cannot be told.
    pub undetermined: u64,
    /// How often each condition could not be told, by its name.
    pub unknown: BTreeMap<String, u64>,
}

impl Summary {
    /// Counts one sign-in.
    pub(super) fn count(&mut self, evaluation: &Evaluation<'_>) {
        add(&mut self.sign_ins, 1);
        add(self.results.entry(evaluation.result).or_default(), 1);
        add(&mut self.uncertain, u64::from(evaluation.is_uncertain()));
        for control in &evaluation.unmet {
            match self.unmet.get_mut(&**control) {
                Some(count) => add(count, 1),
                None => drop(self.unmet.insert(String::from(&**control), 1)),
            }
        }
        self.policies
            .resize_with(evaluation.outcomes.len(), PolicySummary::default);
        for (policy, outcome) in self.policies.iter_mut().zip(&evaluation.outcomes) {
            policy.count(outcome);
        }
    }

    /// Counts one line that cannot be used.
    pub(super) fn count_fault(&mut self, line: FaultyLine) {
        add(&mut self.faulty, 1);
        if self.first_faults.len() < FAULTS {
            self.first_faults.push(line);
        }
    }

    /// Adds what other sign-ins, evaluated against the same policies, came to.
    pub fn merge(&mut self, other: &Self) {
        add(&mut self.sign_ins, other.sign_ins);
        add(&mut self.faulty, other.faulty);
        let room = FAULTS.saturating_sub(self.first_faults.len());
        let faults = other.first_faults.iter().take(room);
        self.first_faults.extend(faults.cloned());
        add(&mut self.uncertain, other.uncertain);
        for (result, count) in &other.results {
            add(self.results.entry(*result).or_default(), *count);
        }
        merge_counts(&mut self.unmet, &other.unmet);
        let policies = self.policies.len().max(other.policies.len());
        self.policies.resize_with(policies, PolicySummary::default);
        for (policy, other) in self.policies.iter_mut().zip(&other.policies) {
            policy.merge(other);
        }
    }
}

impl PolicySummary {
    fn count(&mut self, outcome: &Outcome<'_>) {
        match outcome.applicability {
            Applicability::Applies => {
                add(&mut self.applies, 1);
                if outcome.policy.grant.blocks() {
                    add(&mut self.blocks, 1);
                } else if !outcome.missing.is_empty() {
                    add(&mut self.unmet, 1);
                }
            }
            Applicability::DoesNotApply(_) => {}
            Applicability::Undetermined(unknown) => {
                add(&mut self.undetermined, 1);
                for condition in unknown.iter() {
                    match self.unknown.get_mut(condition.as_str()) {
                        Some(count) => add(count, 1),
                        None => drop(self.unknown.insert(condition.as_str().into(), 1)),
                    }
                }
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        add(&mut self.applies, other.applies);
        add(&mut self.blocks, other.blocks);
        add(&mut self.unmet, other.unmet);
        add(&mut self.undetermined, other.undetermined);
        merge_counts(&mut self.unknown, &other.unknown);
    }
}

fn merge_counts(counts: &mut BTreeMap<String, u64>, other: &BTreeMap<String, u64>) {
    for (name, count) in other {
        match counts.get_mut(name) {
            Some(known) => add(known, *count),
            None => drop(counts.insert(name.clone(), *count)),
        }
    }
}

pub(super) fn add(count: &mut u64, more: u64) {
    *count = count.saturating_add(more);
}
