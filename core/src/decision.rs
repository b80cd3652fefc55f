//! The decision: token, records, policies and request come to allow, challenge or deny.

pub(crate) mod decide;
pub mod evaluation;
mod events;
pub(crate) mod facts;
mod findings;
mod location;
mod policies;
pub mod reason;
pub mod request;
mod route;
mod signals;
mod standing;
mod table;

pub(crate) use decide::decide;
pub use evaluation::{Evaluation, Outcome, PolicyOutcome};
pub(crate) use events::{counts_unseen, member_shown, name_of, reason_of, selects};
pub(crate) use findings::refuse;
pub(crate) use policies::{changed_since, is_settled};
pub use reason::{Check, Reason, ReasonCode};
pub use request::{Answers, DirectoryFacts, RecordAnswer, Request};
