//! The decision: token, records, policies and request come to allow, challenge or deny.

pub mod evaluation;
pub mod reason;
pub mod request;

pub use evaluation::{Evaluation, Outcome, PolicyOutcome};
pub use reason::{Check, Reason, ReasonCode};
pub use request::{Answers, DirectoryFacts, RecordAnswer, Request};
