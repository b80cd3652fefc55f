//! What the reader of a tenant needs of the world: requests, time, what is known, and where to put what it learns.

use std::time::Duration;

use cae_core::state::Record;
use cae_core::time::UnixTime;

use super::directory::Wanted;
use super::facts::{About, Fact};
use crate::serve::client::{Ask, NoReply, Reply};

/// The world, or a simulation of it.
pub(crate) trait Host {
    /// Sends a request and waits for its answer.
    fn send(&self, ask: Ask<'_>) -> Result<Reply, NoReply>;

    /// The time of day.
    fn now(&self) -> UnixTime;

    /// Time that never goes back, since some moment.
    fn elapsed(&self) -> Duration;

    /// Lets time pass; says whether to stop.
    fn pause(&self, time: Duration) -> bool;

    /// What is known of a subject.
    fn record(&self, about: &About) -> Record;

    /// Keeps what was learned. Once this returns it is on disk and in force.
    ///
    /// # Errors
    /// It could not be kept, and has to be told again.
    fn keep(&self, facts: &[Fact]) -> Result<(), NotKept>;

    /// Keeps a note under a name, for the process after this one.
    ///
    /// # Errors
    /// It could not be kept.
    fn note(&self, name: &str, value: Vec<u8>) -> Result<(), NotKept>;

    /// What the policies in force want to know of users.
    fn wanted(&self) -> Wanted;

    /// One line for the operator.
    fn tell(&self, what: &str);

    /// Counts a request by the status of its answer; 0 is none.
    fn count(&self, status: u16);

    /// The tenant was read just now: its signals are not stale.
    fn alive(&self);

    /// How long a token may be good: what happened before that is of no interest.
    fn longest_token(&self) -> Duration;
}

/// The store takes nothing just now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct NotKept;
