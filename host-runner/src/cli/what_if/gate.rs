//! `--fail-on`: which changes close the gate.

use cae_core::policy::what_if::{Change, Changes};
use clap::ValueEnum;

/// A kind of change that may not happen.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Gate {
    /// Sign-ins that are blocked, and were not
    NewBlocks,
    /// Sign-ins that are granted without more, and were blocked or asked for more
    NewGrants,
    /// Sign-ins that are no longer blocked, but asked for more
    LiftedBlocks,
    /// Sign-ins that are asked for more, and were granted
    NewChallenges,
    /// Sign-ins that are asked for something else
    ChangedRequirements,
    /// Sign-ins that are granted as before, with other session controls
    ChangedSession,
    /// Sign-ins for which other policies cannot be told
    ChangedCertainty,
    /// Any of these
    Any,
}

impl Gate {
    /// Whether there is a change of this kind.
    pub(super) fn closes(self, changes: &Changes) -> bool {
        match self.change() {
            Some(change) => changes.total(change) > 0,
            None => Change::ALL.iter().any(|change| changes.total(*change) > 0),
        }
    }

    const fn change(self) -> Option<Change> {
        match self {
            Self::NewBlocks => Some(Change::NewBlocks),
            Self::NewGrants => Some(Change::NewGrants),
            Self::LiftedBlocks => Some(Change::LiftedBlocks),
            Self::NewChallenges => Some(Change::NewChallenges),
            Self::ChangedRequirements => Some(Change::ChangedRequirements),
            Self::ChangedSession => Some(Change::ChangedSession),
            Self::ChangedCertainty => Some(Change::ChangedCertainty),
            Self::Any => None,
        }
    }
}

/// What a change is called in a table.
pub(super) const fn title(change: Change) -> &'static str {
    match change {
        Change::NewBlocks => "newly blocked",
        Change::NewGrants => "newly granted",
        Change::LiftedBlocks => "block lifted",
        Change::NewChallenges => "newly challenged",
        Change::ChangedRequirements => "other requirements",
        Change::ChangedSession => "other session controls",
        Change::ChangedCertainty => "other undetermined policies",
    }
}

/// What a change means, in one sentence.
pub(super) const fn meaning(change: Change) -> &'static str {
    match change {
        Change::NewBlocks => {
            "These sign-ins went through, or could have, and are blocked from now on."
        }
        Change::NewGrants => {
            "These sign-ins were blocked or asked for more, and go through without more from now on."
        }
        Change::LiftedBlocks => {
            "These sign-ins were blocked, and go through from now on if something more is done."
        }
        Change::NewChallenges => {
            "These sign-ins went through without more, and are asked for more from now on."
        }
        Change::ChangedRequirements => "These sign-ins are asked for something else than before.",
        Change::ChangedSession => {
            "These sign-ins go through as before, into a session with other controls."
        }
        Change::ChangedCertainty => {
            "These sign-ins come to the same as far as can be told, but other policies cannot be told."
        }
    }
}
