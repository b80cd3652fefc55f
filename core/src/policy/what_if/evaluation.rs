//! One sign-in against every policy (`policy-semantics.md` row 26).

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize, Serializer};

use super::sign_in::SignIn;
use super::tenant::Tenant;
use crate::json::Value;
use crate::policy::outcome::Outcome;
use crate::policy::session::{self, MergedControls};

/// What a sign-in comes to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SignInResult {
    /// Nothing is missing.
    Grant,
    /// Grant controls are missing.
    Challenge,
    /// A policy blocks.
    Block,
}

/// What all policies of a tenant come to for one sign-in.
#[derive(Debug)]
pub(super) struct Evaluation<'a> {
    pub(super) result: SignInResult,
    /// Sorted by name; of a block only `block`.
    pub(super) unmet: BTreeSet<Cow<'a, str>>,
    /// In the order of the documents.
    pub(super) outcomes: Vec<Outcome<'a>>,
    pub(super) session: MergedControls,
}

impl<'a> Evaluation<'a> {
    pub(super) fn of(tenant: &'a Tenant, sign_in: &SignIn) -> Self {
        let outcomes: Vec<Outcome<'a>> = tenant
            .set
            .evaluate_all(&sign_in.facts())
            .into_iter()
            .map(|(policy, applicability)| {
                Outcome::new(policy, applicability, |control| {
                    sign_in.satisfies(&control.name().to_ascii_lowercase())
                })
            })
            .collect();
        let enforced = || outcomes.iter().filter(|outcome| outcome.is_enforced());
        let (result, unmet) = if enforced().any(|outcome| outcome.policy.grant.blocks()) {
            (
                SignInResult::Block,
                BTreeSet::from([Cow::Borrowed("block")]),
            )
        } else {
            let unmet: BTreeSet<Cow<'a, str>> = enforced()
                .flat_map(|outcome| &outcome.missing)
                .map(|control| control.name())
                .collect();
            let result = if unmet.is_empty() {
                SignInResult::Grant
            } else {
                SignInResult::Challenge
            };
            (result, unmet)
        };
        let session = if result == SignInResult::Grant {
            session::merge(enforced().map(|outcome| &outcome.policy.session))
        } else {
            MergedControls::new()
        };
        Self {
            result,
            unmet,
            outcomes,
            session,
        }
    }

    /// The line of the contract (design §9).
    pub(super) fn line<'s>(&'s self, sign_in: &'s SignIn) -> Line<'s> {
        Line {
            id: &sign_in.id,
            result: self.result,
            unmet: &self.unmet,
            policies: Rows(&self.outcomes),
            session_controls: &self.session,
        }
    }
}

/// The answer to one sign-in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line<'a> {
    id: &'a Value,
    result: SignInResult,
    unmet: &'a BTreeSet<Cow<'a, str>>,
    policies: Rows<'a>,
    session_controls: &'a MergedControls,
}

/// One row for each policy, written without a list of them in between.
struct Rows<'a>(&'a [Outcome<'a>]);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Outcome::answer))
    }
}
