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
