//! Answers to jobs that were not written.

use cae_core::engine::Change;

use super::{Job, Kept, NotKept, Notes, Reply};

/// Whom to tell that nothing was kept.
pub(super) enum Refusal {
    Event(Reply<Kept>),
    Changes(Option<Reply<()>>),
    Notes(Reply<Notes>),
    Count(Option<Reply<usize>>),
}

impl Refusal {
    pub(super) fn send(self) {
        match self {
            Self::Event(reply) => drop(reply.send(Err(NotKept::Failing))),
            Self::Changes(reply) => {
                let _ = reply.map(|reply| reply.send(Err(NotKept::Failing)));
            }
            Self::Notes(reply) => drop(reply.send(Err(NotKept::Failing))),
            Self::Count(reply) => {
                let _ = reply.map(|reply| reply.send(Err(NotKept::Failing)));
            }
        }
    }
}

/// Puts aside whom to tell, and what decisions have to remember all the same, of a job that is not written.
pub(super) fn refuse(job: Job, unsaved: &mut Vec<Change>, refused: &mut Vec<Refusal>) {
    match job {
        Job::Event { reply, .. } => refused.push(Refusal::Event(reply)),
        Job::Changes { changes, reply } => {
            unsaved.extend(changes);
            refused.push(Refusal::Changes(reply));
        }
        Job::Note { reply, .. } => refused.push(Refusal::Changes(reply)),
        Job::Notes { reply, .. } => refused.push(Refusal::Notes(reply)),
        Job::Release { reply, .. } => refused.push(Refusal::Count(Some(reply))),
        Job::Clean { reply, .. } => refused.push(Refusal::Count(reply)),
        Job::Rejected { .. } | Job::Brakes(_) | Job::Close => {}
    }
}
