//! Evaluation: candidates once for a token, what is left of them for each request.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::bits::Verdicts;
use super::compile::{CompiledPolicy, PolicySet};
use super::conditions::{Condition, ConditionSet, reported};
use super::facts::Facts;
use super::location::Place;
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
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    policy: usize,
    /// Conditions that are not true yet.
    pending: ConditionSet,
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
        let (live, verdicts) = self.index.resolve(facts);
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
                if pending.contains(Condition::Location) {
                    match policy.conditions.truth(
                        Condition::Location,
                        facts,
                        place,
                        &self.locations,
                    ) {
                        Truth::False => return None,
                        Truth::True => pending.remove(Condition::Location),
                        Truth::Unknown => {}
                    }
                }
                Some(Candidate {
                    policy: policy.index,
                    pending,
                })
            })
            .collect();
        let reads_location = entries
            .iter()
            .any(|entry| entry.pending.contains(Condition::Location));
        Candidates {
            entries,
            reads_location,
        }
    }

    /// What the candidates come to for one request, in the order of the policies. Does not allocate.
    ///
    /// `facts` must be those that `candidates` was made from, or a refinement of them.
    pub fn evaluate<'s>(
        &'s self,
        candidates: &'s Candidates,
        facts: &'s Facts<'s>,
    ) -> impl Iterator<Item = (&'s CompiledPolicy, Applicability)> {
        let address = facts.address.filter(|_| candidates.reads_location);
        let place = self.locations.place(address, facts.country);
        let verdicts = self.index.locations(place);
        candidates.entries.iter().filter_map(move |entry| {
            let policy = self.policies.get(entry.policy)?;
            Some((
                policy,
                self.ask(policy, entry.pending, facts, place, verdicts),
            ))
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
                    || self.ask(policy, policy.reads, facts, place, None),
                    Applicability::DoesNotApply,
                );
                (policy, applicability)
            })
            .collect()
    }

    /// Asks a policy for its pending conditions, in the order of row 4.
    fn ask(
        &self,
        policy: &CompiledPolicy,
        pending: ConditionSet,
        facts: &Facts<'_>,
        place: Place<'_>,
        locations: Option<&Verdicts>,
    ) -> Applicability {
        let mut unknown = ConditionSet::EMPTY;
        for condition in pending.iter() {
            let truth = match locations {
                Some(verdicts) if condition == Condition::Location && !policy.reads_country => {
                    verdicts.get(policy.index)
                }
                _ => policy
                    .conditions
                    .truth(condition, facts, place, &self.locations),
            };
            match truth {
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
}
