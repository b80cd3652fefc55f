//! Event state: small records under hashed keys, kept by the host and merged like a CRDT.

mod assurance;
pub mod bytes;
pub mod claim;
pub mod key;
pub mod merge;
pub mod names;
pub mod record;
pub mod retention;
pub mod selection;
pub mod snapshot;
pub mod table;
pub mod view;

pub use bytes::{RecordError, RecordErrorKind};
pub use key::{Identifier, StateKey, SubjectKind};
pub use merge::merge_bytes;
pub use record::Record;
pub use retention::RetentionLimits;
pub use snapshot::{SnapshotError, SnapshotErrorKind, SnapshotReader, SnapshotWriter};
pub use table::StateTable;
pub use view::{RecordView, key_from_json};

#[cfg(test)]
pub(crate) mod samples;
