//! A whole [`StateTable`](super::StateTable) as bytes that can be kept in a file: written and read in pieces, so that
//! neither side ever holds a second copy of the state.
//!
//! | part | layout |
//! |---|---|
//! | snapshot | header, blocks, end |
//! | header | the 8 bytes `89 43 41 45 0D 0A 1A 0A`, version (4 bytes), checksum, number of records (8 bytes) |
//! | block | length (4 bytes, 1 to 65,536), so many bytes of the content, checksum |
//! | end | a length of 0, checksum |
//! | content | per record, in ascending order of the keys: 16 bytes of its key, length, canonical bytes |
//! | checksum | 4 bytes: CRC-32 of ISO 3309 over everything before it except other checksums |
//! | number | least significant byte first; the length of a record is an unsigned LEB128 number |
//!
//! Equal tables give equal snapshots. The first 16 bytes mean the same in every version, so that a snapshot of a
//! later version is told from a damaged one. Their first eight bytes follow PNG: a transfer that changes the ends of
//! lines, or takes the eighth bit, is noticed at once.
//!
//! The checksums find accidents (a full disk, a cut transfer, a bad sector), not forgeries: whoever can write the
//! snapshot could as well write another one. A CRC finds every fault of up to 32 bits in a row, so every changed byte,
//! for certain; since each covers all that came before, a block that is missing, repeated or in another place is found
//! too.

mod reader;
mod writer;

pub use reader::SnapshotReader;
pub use writer::SnapshotWriter;

use super::bytes::RecordError;
use super::key::StateKey;

/// What a snapshot begins with.
const MAGIC: [u8; 8] = *b"\x89CAE\r\n\x1a\n";

/// The version that this engine writes, and the latest that it reads. A new version of record bytes is a new version
/// of snapshots.
const VERSION: u32 = 1;

/// Bytes of content in a block; the last one may hold less.
const BLOCK: usize = 65_536;

/// A snapshot that cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("byte {at} of the snapshot: {kind}; {}", kind.remedy())]
pub struct SnapshotError {
    /// Byte offset of the part that is wrong: a header, a block, a record. Where bytes are missing, where they end.
    pub at: u64,
    /// What is wrong there.
    pub kind: SnapshotErrorKind,
}

/// What is wrong with a snapshot.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotErrorKind {
    /// It does not begin as snapshots do.
    #[error("this is no snapshot of event state")]
    NotASnapshot,
    /// Written by a later version of this engine.
    #[error("it has version {0}, and this program reads version {VERSION}")]
    Version(u32),
    /// Bytes that are not those that were written.
    #[error("it is damaged: the checksum does not fit")]
    Checksum,
    /// The bytes end before the snapshot does.
    #[error("it is cut off: the end is missing")]
    Truncated,
    /// Bytes behind the end.
    #[error("something follows the end")]
    Trailing,
    /// A block longer than blocks are.
    #[error("a block of {0} bytes is longer than any")]
    BlockLength(u32),
    /// A record whose length is no number, or which the end cuts off.
    #[error("a record has no end")]
    RecordLength,
    /// A key that is not larger than the one before it.
    #[error("the key {0} is out of order")]
    Order(StateKey),
    /// Record bytes that cannot be read.
    #[error("the record of the key {key}: {error}")]
    Record {
        /// Whose record.
        key: StateKey,
        /// What is wrong with it.
        error: RecordError,
    },
    /// A record that knows nothing: none is ever kept.
    #[error("the record of the key {0} is empty")]
    EmptyRecord(StateKey),
    /// Another number of records than the header says.
    #[error("the header speaks of {stated} records, and there are {found}")]
    Count {
        /// What the header says.
        stated: u64,
        /// How many there are.
        found: u64,
    },
}

impl SnapshotErrorKind {
    /// How to go on.
    const fn remedy(self) -> &'static str {
        match self {
            Self::NotASnapshot => "name a file that was written as one",
            Self::Version(_) => "use the program that wrote it, or a later one",
            _ => {
                "put a copy of it in its place, or start without state and have the transmitters send their events again"
            }
        }
    }
}

#[cfg(test)]
mod tests;
