//! Event state: small records under hashed keys, kept by the host and merged like a CRDT.

pub mod key;
pub mod record;
pub mod table;

pub use key::{Identifier, StateKey, SubjectKind};
pub use record::{Record, RecordError};
pub use table::StateTable;
