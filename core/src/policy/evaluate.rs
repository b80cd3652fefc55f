//! Evaluation: candidates once for a token, what is left of them for each request.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::compile::{CompiledPolicy, PolicySet};
use super::conditions::{Condition, ConditionSet, reported};
use super::facts::Facts;
use super::logic::Truth;

/// Whether a policy applies (`policy-semantics.md` row 4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Applicability {
    /// Every condition is true.
    Applies,
    /// The first condition that is false.
    DoesNotApply(Condition),
    /// No condition is false; these are unknown.
    Undetermined(ConditionSet),
}

/// The policies that the facts of a token do not rule out, each with the conditions still to be asked.
///
/// Belongs to the [`PolicySet`] that made it, and holds for every refinement of the facts it was made from.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    entries: Box<[Candidate]>,
    reads_location: bool,
    /// Numbers of the device filters still to be asked, each once, sorted.
    device_filters: Box<[usize]>,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    policy: usize,
    /// Conditions that are not true yet.
    pending: ConditionSet,
    /// Applies, and whoever made the candidates knows already what it comes to.
    settled: bool,
}

impl Candidates {
    /// How many policies are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no policy is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether some candidate still asks for the device.
    #[must_use]
    pub const fn reads_device(&self) -> bool {
        !self.device_filters.is_empty()
    }

    /// Whether some candidate still asks for the network location.
    #[must_use]
    pub const fn reads_location(&self) -> bool {
        self.reads_location
    }
}

impl PolicySet {
    /// The policies that these facts do not rule out: what is unknown now may become known later.
    #[must_use]
    pub fn candidates(&self, facts: &Facts<'_>) -> Candidates {
        let (live, verdicts) = self.index.resolve(&self.policies, facts);
        let place = self.locations.place(facts.address, facts.country);
        let entries: Box<[Candidate]> = live
            .iter()
            .filter_map(|index| self.policies.get(index))
            .filter_map(|policy| {
                let mut pending = policy.reads;
                for (condition, verdicts) in &verdicts {
                    if verdicts.yes.contains(policy.index) {
                        pending.remove(*condition);
                    }
                }
                // Few policies ask for these, and no table could hold every answer.
                for condition in [Condition::Devices, Condition::Location] {
                    if pending.contains(condition) {
                        match policy
                            .conditions
                            .truth(condition, facts, place, &self.locations)
                        {
                            Truth::False => return None,
                            Truth::True => pending.remove(condition),
                            Truth::Unknown => {}
                        }
                    }
                }
                Some(Candidate {
                    policy: policy.index,
                    pending,
                    settled: false,
                })
            })
            .collect();
        let reads_location = entries
            .iter()
            .any(|entry| entry.pending.contains(Condition::Location));
        let mut device_filters: Vec<usize> = entries
            .iter()
            .filter(|entry| entry.pending.contains(Condition::Devices))
            .filter_map(|entry| self.policies.get(entry.policy)?.conditions.devices.filter())
            .map(|filter| filter.number)
            .collect();
        device_filters.sort_unstable();
        device_filters.dedup();
        Candidates {
            entries,
            reads_location,
            device_filters: device_filters.into_boxed_slice(),
        }
    }

    /// The policies of candidates.
    pub(crate) fn of<'s>(
        &'s self,
        candidates: &'s Candidates,
    ) -> impl Iterator<Item = &'s CompiledPolicy> {
        let entries = candidates.entries.iter();
        entries.filter_map(|entry| self.policies.get(entry.policy))
    }

    /// Settles the candidates that apply whatever the request and of which `is_settled` says that no request changes what
    /// they come to: [`PolicySet::evaluate_open`] leaves them out.
    pub fn settle(
        &self,
        candidates: &mut Candidates,
        is_settled: impl Fn(&CompiledPolicy) -> bool,
    ) {
        for entry in &mut candidates.entries {
            entry.settled = entry.pending.is_empty()
                && self.policies.get(entry.policy).is_some_and(&is_settled);
        }
    }

    /// What the candidates come to for one request, in the order of the policies. Allocates only where a device filter
    /// is to be asked; equal filters are asked once.
    ///
    /// `facts` must be those that `candidates` was made from, or a refinement of them.
    pub fn evaluate<'s>(
        &'s self,
        candidates: &'s Candidates,
        facts: &'s Facts<'s>,
    ) -> impl Iterator<Item = (&'s CompiledPolicy, Applicability)> {
        self.evaluate_entries(candidates, facts, |_| true)
    }

    /// [`PolicySet::evaluate`] of the candidates that are not settled.
    pub fn evaluate_open<'s>(
        &'s self,
        candidates: &'s Candidates,
        facts: &'s Facts<'s>,
    ) -> impl Iterator<Item = (&'s CompiledPolicy, Applicability)> {
        self.evaluate_entries(candidates, facts, |entry| !entry.settled)
    }

    fn evaluate_entries<'s>(
        &'s self,
        candidates: &'s Candidates,
        facts: &'s Facts<'s>,
        counts: impl Fn(&Candidate) -> bool,
    ) -> impl Iterator<Item = (&'s CompiledPolicy, Applicability)> {
        let address = facts.address.filter(|_| candidates.reads_location);
        let place = self.locations.place(address, facts.country);
        let mut asked: Vec<Option<Truth>> = alloc::vec![None; candidates.device_filters.len()];
        let entries = candidates.entries.iter().filter(move |entry| counts(entry));
        entries.filter_map(move |entry| {
            let policy = self.policies.get(entry.policy)?;
            let applicability = ask(entry.pending, facts, |condition| {
                match policy.conditions.devices.filter() {
                    Some(filter) if condition == Condition::Devices => {
                        let place = candidates.device_filters.binary_search(&filter.number);
                        let known = place.ok().and_then(|place| asked.get_mut(place));
                        let rule = || filter.rule.truth(facts.device);
                        filter.applied(match known {
                            Some(known) => *known.get_or_insert_with(rule),
                            None => rule(),
                        })
                    }
                    _ => policy
                        .conditions
                        .truth(condition, facts, place, &self.locations),
                }
            });
            Some((policy, applicability))
        })
    }

    /// What every policy comes to, disabled ones too, each asked directly: for explanations.
    #[must_use]
    pub fn evaluate_all(&self, facts: &Facts<'_>) -> Vec<(&CompiledPolicy, Applicability)> {
        let place = self.locations.place(facts.address, facts.country);
        self.policies
            .iter()
            .map(|policy| {
                let applicability = policy.skipped.map_or_else(
                    || {
                        ask(policy.reads, facts, |condition| {
                            policy
                                .conditions
                                .truth(condition, facts, place, &self.locations)
                        })
                    },
                    Applicability::DoesNotApply,
                );
                (policy, applicability)
            })
            .collect()
    }
}

/// Asks for the pending conditions of a policy, in the order of row 4.
fn ask(
    pending: ConditionSet,
    facts: &Facts<'_>,
    mut truth: impl FnMut(Condition) -> Truth,
) -> Applicability {
    let mut unknown = ConditionSet::EMPTY;
    for condition in pending.iter() {
        match truth(condition) {
            Truth::True => {}
            Truth::Unknown => unknown.insert(reported(condition, facts)),
            Truth::False => return Applicability::DoesNotApply(reported(condition, facts)),
        }
    }
    if unknown.is_empty() {
        Applicability::Applies
    } else {
        Applicability::Undetermined(unknown)
    }
}
