//! From the bytes of a snapshot to a table.

use alloc::vec::Vec;
use core::mem;

use crc32fast::Hasher;

use super::{BLOCK, MAGIC, SnapshotError, SnapshotErrorKind, VERSION};
use crate::state::key::StateKey;
use crate::state::record::Record;
use crate::state::table::{Sorted, StateTable, read_varint};

/// Reads a snapshot piece by piece, cut anywhere.
///
/// A snapshot may come from anybody: nothing is believed before its checksum fits and nothing is allocated because a
/// number says so, so memory stays in proportion to the bytes that were handed over. There is a table only when all of
/// it was sound.
#[derive(Clone, Debug)]
pub struct SnapshotReader {
    records: Sorted,
    checksum: Hasher,
    /// The part that is being read, as far as it has come.
    input: Vec<u8>,
    /// Content of earlier blocks: a record whose rest is still to come.
    begun: Vec<u8>,
    /// Where in the snapshot `begun` begins.
    begun_at: u64,
    /// Where in the snapshot `input` begins.
    at: u64,
    part: Part,
    /// Number of records, as the header says.
    stated: u64,
}

/// What `input` is to become.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    /// The part of the header that no version changes.
    Start,
    Count,
    Length,
    /// Content of so many bytes and the checksum.
    Block(usize),
    /// The last checksum.
    End,
    Nothing,
}

impl Part {
    /// How many bytes it takes.
    const fn bytes(self) -> usize {
        match self {
            Self::Start => 16,
            Self::Count => 8,
            Self::Length | Self::End => 4,
            Self::Block(content) => content.saturating_add(4),
            Self::Nothing => 0,
        }
    }
}

impl Default for SnapshotReader {
    fn default() -> Self {
        Self::new()
    }
}

impl SnapshotReader {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            records: Sorted::default(),
            checksum: Hasher::new(),
            input: Vec::new(),
            begun: Vec::new(),
            begun_at: 0,
            at: 0,
            part: Part::Start,
            stated: 0,
        }
    }

    /// Reads on.
    ///
    /// # Errors
    /// [`SnapshotError`] for the first fault; what comes behind it is not to be read.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), SnapshotError> {
        while !bytes.is_empty() {
            if self.part == Part::Nothing {
                return Err(self.error(SnapshotErrorKind::Trailing));
            }
            let missing = self.part.bytes().saturating_sub(self.input.len());
            let (now, later) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
            self.input.extend_from_slice(now);
            bytes = later;
            if self.input.len() == self.part.bytes() {
                let input = mem::take(&mut self.input);
                self.part = self.read(&input)?;
                self.at = self.at.saturating_add(length(&input));
                // The next part is often as long.
                self.input = input;
                self.input.clear();
            }
        }
        Ok(())
    }

    /// The table, if the whole snapshot was read.
    ///
    /// # Errors
    /// [`SnapshotError`] if the end is missing.
    pub fn finish(self) -> Result<StateTable, SnapshotError> {
        if self.part == Part::Nothing {
            return Ok(self.records.finish());
        }
        let came = length(&self.input);
        let is_one = self.part != Part::Start
            || (came > 0
                && self
                    .input
                    .iter()
                    .zip(&MAGIC)
                    .all(|(found, known)| found == known));
        Err(if is_one {
            SnapshotError {
                at: self.at.saturating_add(came),
                kind: SnapshotErrorKind::Truncated,
            }
        } else {
            self.error(SnapshotErrorKind::NotASnapshot)
        })
    }

    /// Reads one part; says what the next one is.
    fn read(&mut self, input: &[u8]) -> Result<Part, SnapshotError> {
        match self.part {
            Part::Start => self.start(input),
            Part::Count => {
                self.checksum.update(input);
                self.stated = input
                    .first_chunk()
                    .map_or(0, |count| u64::from_le_bytes(*count));
                Ok(Part::Length)
            }
            Part::Length => {
                self.checksum.update(input);
                let length = number(input);
                match usize::try_from(length) {
                    Ok(0) => Ok(Part::End),
                    Ok(bytes) if bytes <= BLOCK => Ok(Part::Block(bytes)),
                    _ => Err(self.error(SnapshotErrorKind::BlockLength(length))),
                }
            }
            Part::Block(bytes) => {
                let content = self.checked(input, bytes)?;
                self.content(content)?;
                Ok(Part::Length)
            }
            Part::End => {
                self.checked(input, 0)?;
                self.end()?;
                Ok(Part::Nothing)
            }
            Part::Nothing => Ok(Part::Nothing),
        }
    }

    fn start(&mut self, input: &[u8]) -> Result<Part, SnapshotError> {
        const WITHOUT_CHECKSUM: usize = 12;
        if !input.starts_with(&MAGIC) {
            return Err(self.error(SnapshotErrorKind::NotASnapshot));
        }
        let known = self.checked(input, WITHOUT_CHECKSUM)?;
        match number(known.get(MAGIC.len()..).unwrap_or_default()) {
            VERSION => Ok(Part::Count),
            version => Err(self.error(SnapshotErrorKind::Version(version))),
        }
    }

    /// The first `bytes` of `input`, if the checksum behind them fits.
    fn checked<'i>(&mut self, input: &'i [u8], bytes: usize) -> Result<&'i [u8], SnapshotError> {
        let (checked, checksum) = input.split_at_checked(bytes).unwrap_or((input, &[]));
        self.checksum.update(checked);
        if self.checksum.clone().finalize() == number(checksum) {
            Ok(checked)
        } else {
            Err(self.error(SnapshotErrorKind::Checksum))
        }
    }

    /// The records that end in this block.
    fn content(&mut self, block: &[u8]) -> Result<(), SnapshotError> {
        let mut begun = mem::take(&mut self.begun);
        if begun.is_empty() {
            self.begun_at = self.at;
            let used = self.whole_records(block, 0)?;
            begun.extend_from_slice(block.get(used..).unwrap_or_default());
        } else {
            let earlier = begun.len();
            begun.extend_from_slice(block);
            let used = self.whole_records(&begun, earlier)?;
            drop(begun.drain(..used));
        }
        self.begun = begun;
        Ok(())
    }

    /// The whole records that `content` begins with, of which `earlier` bytes come from blocks before this one; says
    /// how many bytes they take.
    fn whole_records(&mut self, content: &[u8], earlier: usize) -> Result<usize, SnapshotError> {
        let mut used = 0_usize;
        loop {
            let at = match used.checked_sub(earlier) {
                Some(in_block) => self
                    .at
                    .saturating_add(u64::try_from(in_block).unwrap_or(u64::MAX)),
                None => self.begun_at,
            };
            let rest = content.get(used..).unwrap_or_default();
            match next_record(rest) {
                Next::Record { key, bytes, behind } => {
                    self.record(key, bytes)
                        .map_err(|kind| SnapshotError { at, kind })?;
                    used = content.len().saturating_sub(behind.len());
                }
                Next::Begun => {
                    self.begun_at = at;
                    return Ok(used);
                }
                Next::Endless => {
                    let kind = SnapshotErrorKind::RecordLength;
                    return Err(SnapshotError { at, kind });
                }
            }
        }
    }

    fn record(&mut self, key: StateKey, bytes: &[u8]) -> Result<(), SnapshotErrorKind> {
        if self.records.last().is_some_and(|last| last >= key) {
            return Err(SnapshotErrorKind::Order(key));
        }
        let is_empty =
            Record::check(bytes).map_err(|error| SnapshotErrorKind::Record { key, error })?;
        if is_empty {
            return Err(SnapshotErrorKind::EmptyRecord(key));
        }
        self.records.push(&key, bytes);
        Ok(())
    }

    fn end(&self) -> Result<(), SnapshotError> {
        if !self.begun.is_empty() {
            return Err(SnapshotError {
                at: self.begun_at,
                kind: SnapshotErrorKind::RecordLength,
            });
        }
        let (stated, found) = (
            self.stated,
            u64::try_from(self.records.len()).unwrap_or(u64::MAX),
        );
        if stated != found {
            return Err(self.error(SnapshotErrorKind::Count { stated, found }));
        }
        Ok(())
    }

    /// A fault of the part that is being read.
    const fn error(&self, kind: SnapshotErrorKind) -> SnapshotError {
        SnapshotError { at: self.at, kind }
    }
}

/// What content begins with.
enum Next<'a> {
    Record {
        key: StateKey,
        bytes: &'a [u8],
        behind: &'a [u8],
    },
    /// The beginning of a record, or nothing.
    Begun,
    /// A length that is no number.
    Endless,
}

fn next_record(content: &[u8]) -> Next<'_> {
    let Some((key, rest)) = content.split_first_chunk() else {
        return Next::Begun;
    };
    let Some((length, rest)) = read_varint(rest) else {
        let more = rest.len() < 10 && rest.iter().all(|byte| *byte >= 0x80);
        return if more { Next::Begun } else { Next::Endless };
    };
    match rest.split_at_checked(length) {
        Some((bytes, behind)) => Next::Record {
            key: StateKey::from_bytes(*key),
            bytes,
            behind,
        },
        None => Next::Begun,
    }
}

/// The number that the first four bytes are.
fn number(bytes: &[u8]) -> u32 {
    bytes
        .first_chunk()
        .map_or(0, |number| u32::from_le_bytes(*number))
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
