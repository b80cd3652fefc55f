//! Two states of a tenant: whose access changes, in which way, and because of which policies.

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::evaluation::{Evaluation, SignInResult};
use super::pairing::{self, DocumentPair, Positions};
use super::sign_in::SignIn;
use super::tenant::Tenant;
use crate::json::Value;
use crate::policy::outcome::Outcome;
use crate::policy::session::MergedControls;

/// In which way the access of a sign-in changes; the first that fits.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// Blocked, and was not.
    NewBlocks,
    /// Granted without more, and was not: blocked or asked for more.
    NewGrants,
    /// No longer blocked, but asked for more.
    LiftedBlocks,
    /// Asked for more, and was granted.
    NewChallenges,
    /// Asked for something else.
    ChangedRequirements,
    /// Granted as before, with other session controls.
    ChangedSession,
    /// The same as far as can be told, but other policies cannot be told.
    ChangedCertainty,
}

impl Change {
    /// All kinds, in order.
    pub const ALL: [Self; 7] = [
        Self::NewBlocks,
        Self::NewGrants,
        Self::LiftedBlocks,
        Self::NewChallenges,
        Self::ChangedRequirements,
        Self::ChangedSession,
        Self::ChangedCertainty,
    ];

    fn of(before: &Evaluation<'_>, after: &Evaluation<'_>, pairs: &[Positions]) -> Option<Self> {
        use SignInResult::{Block, Challenge, Grant};
        match (before.result, after.result) {
            (Grant | Challenge, Block) => Some(Self::NewBlocks),
            (Block | Challenge, Grant) => Some(Self::NewGrants),
            (Block, Challenge) => Some(Self::LiftedBlocks),
            (Grant, Challenge) => Some(Self::NewChallenges),
            (Challenge, Challenge) if before.unmet != after.unmet => {
                Some(Self::ChangedRequirements)
            }
            (Grant, Grant) if before.session != after.session => Some(Self::ChangedSession),
            // A block is certain, whatever else cannot be told.
            (Block, Block) => None,
            (Grant, Grant) | (Challenge, Challenge) => {
                let differs = pairs.iter().any(|pair| {
                    let (before, after) = outcomes(*pair, before, after);
                    before.is_some_and(Outcome::is_uncertain)
                        != after.is_some_and(Outcome::is_uncertain)
                });
                differs.then_some(Self::ChangedCertainty)
            }
        }
    }

    /// Whether a policy, as it was and as it is, brings about this change.
    fn is_caused_by(self, before: Option<&Outcome<'_>>, after: Option<&Outcome<'_>>) -> bool {
        let blocks = |outcome: Option<&Outcome<'_>>| {
            outcome.is_some_and(|outcome| outcome.is_enforced() && outcome.policy.grant.blocks())
        };
        let missing = |outcome: Option<&Outcome<'_>>| {
            let enforced = outcome.filter(|outcome| outcome.is_enforced());
            enforced.map_or_else(BTreeSet::new, |outcome| {
                outcome
                    .missing
                    .iter()
                    .map(|control| control.name().into_owned())
                    .collect()
            })
        };
        let session = |outcome: Option<&Outcome<'_>>| {
            let enforced = outcome.filter(|outcome| outcome.is_enforced());
            enforced
                .map(|outcome| outcome.policy.session.clone())
                .unwrap_or_default()
        };
        match self {
            Self::NewBlocks => blocks(after) && !blocks(before),
            Self::LiftedBlocks => blocks(before) && !blocks(after),
            Self::NewGrants | Self::NewChallenges | Self::ChangedRequirements => {
                missing(before) != missing(after)
            }
            Self::ChangedSession => session(before) != session(after),
            Self::ChangedCertainty => {
                before.is_some_and(Outcome::is_uncertain)
                    != after.is_some_and(Outcome::is_uncertain)
            }
        }
    }
}

/// The earlier state of a tenant, and which of its policies is which of the later.
#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) before: Tenant,
    pairs: Vec<Positions>,
    /// What became of each policy, in the order of `pairs`.
    pub(super) policies: Vec<DocumentPair>,
    /// What became of each named location.
    pub(super) named_locations: Vec<DocumentPair>,
}

impl Comparison {
    pub(super) fn new(before: Tenant, after: &Tenant) -> Self {
        let describe = |before: &[_], after: &[_]| {
            let pairs = pairing::pair(before, after);
            let described: Vec<DocumentPair> = pairs
                .iter()
                .map(|pair| pairing::describe(*pair, before, after))
                .collect();
            (pairs, described)
        };
        let (pairs, policies) = describe(&before.documents, &after.documents);
        let (_, named_locations) = describe(&before.places, &after.places);
        Self {
            before,
            pairs,
            policies,
            named_locations,
        }
    }

    /// How the access of a sign-in changes, with the positions of the policies that cause it in `policies`.
    pub(super) fn difference(
        &self,
        before: &Evaluation<'_>,
        after: &Evaluation<'_>,
    ) -> Option<(Change, Vec<usize>)> {
        let change = Change::of(before, after, &self.pairs)?;
        let causes = self.pairs.iter().enumerate().filter(|(_, pair)| {
            let (before, after) = outcomes(**pair, before, after);
            change.is_caused_by(before, after)
        });
        Some((change, causes.map(|(position, _)| position).collect()))
    }

    /// The line about a sign-in whose access changes.
    pub(super) fn line<'s>(
        &'s self,
        sign_in: &'s SignIn,
        change: Change,
        causes: &[usize],
        [before, after]: [&'s Evaluation<'s>; 2],
    ) -> ChangeLine<'s> {
        ChangeLine {
            id: &sign_in.id,
            change,
            before: Side::of(before),
            after: Side::of(after),
            policies: causes
                .iter()
                .filter_map(|position| self.policies.get(*position))
                .map(CauseRow::of)
                .collect(),
        }
    }
}

fn outcomes<'e>(
    (before_at, after_at): Positions,
    before: &'e Evaluation<'e>,
    after: &'e Evaluation<'e>,
) -> (Option<&'e Outcome<'e>>, Option<&'e Outcome<'e>>) {
    (
        before_at.and_then(|index| before.outcomes.get(index)),
        after_at.and_then(|index| after.outcomes.get(index)),
    )
}

/// One sign-in whose access changes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChangeLine<'a> {
    id: &'a Value,
    change: Change,
    before: Side<'a>,
    after: Side<'a>,
    /// Those that cause it.
    policies: Vec<CauseRow<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Side<'a> {
    result: SignInResult,
    unmet: &'a BTreeSet<Cow<'a, str>>,
    session_controls: &'a MergedControls,
    /// Enabled policies of which nobody can tell whether they apply.
    undetermined: usize,
}

impl<'a> Side<'a> {
    fn of(evaluation: &'a Evaluation<'a>) -> Self {
        Self {
            result: evaluation.result,
            unmet: &evaluation.unmet,
            session_controls: &evaluation.session,
            undetermined: evaluation
                .outcomes
                .iter()
                .filter(|outcome| outcome.is_uncertain())
                .count(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CauseRow<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    display_name: Option<&'a String>,
    change: pairing::DocumentChange,
}

impl<'a> CauseRow<'a> {
    fn of(pair: &'a DocumentPair) -> Self {
        Self {
            id: pair.id.as_ref(),
            index: pair.index,
            display_name: pair.display_name.as_ref(),
            change: pair.change,
        }
    }
}
