//! From a table to the bytes of a snapshot.

use alloc::vec::Vec;

use crc32fast::Hasher;

use super::{BLOCK, MAGIC, VERSION};
use crate::state::key::StateKey;
use crate::state::table::{StateTable, Walk, varint};

/// The snapshot of a table, piece by piece: its chunks one behind the other are the whole.
///
/// # Examples
/// ```
/// use cae_core::state::{SnapshotReader, SnapshotWriter, StateTable};
///
/// let mut reader = SnapshotReader::new();
/// for chunk in SnapshotWriter::new(&StateTable::default()) {
///     reader.push(&chunk)?;
/// }
/// assert!(reader.finish()?.is_empty());
/// # Ok::<(), cae_core::state::SnapshotError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SnapshotWriter<'a> {
    records: Walk<'a>,
    /// Content that did not fit into the last block.
    rest: Vec<u8>,
    checksum: Hasher,
    next: Part,
}

/// What the next chunk is.
#[derive(Clone, Copy, Debug)]
enum Part {
    Header { count: u64 },
    Block,
    Nothing,
}

impl<'a> SnapshotWriter<'a> {
    /// The snapshot of `table`.
    #[must_use]
    pub fn new(table: &'a StateTable) -> Self {
        Self {
            records: table.walk(),
            rest: Vec::new(),
            checksum: Hasher::new(),
            next: Part::Header {
                count: u64::try_from(table.len()).unwrap_or(u64::MAX),
            },
        }
    }

    fn header(&mut self, count: u64) -> Vec<u8> {
        let mut chunk = Vec::with_capacity(24);
        chunk.extend_from_slice(&MAGIC);
        chunk.extend_from_slice(&VERSION.to_le_bytes());
        self.checksum.update(&chunk);
        self.put_checksum(&mut chunk);
        self.checksum.update(&count.to_le_bytes());
        chunk.extend_from_slice(&count.to_le_bytes());
        chunk
    }

    /// A block as long as there is content for it; without any it is the end.
    fn block(&mut self) -> Vec<u8> {
        const FRAME: usize = 4;
        // One more record, most of them shorter than this.
        let mut chunk = Vec::with_capacity(BLOCK.saturating_add(512));
        chunk.extend_from_slice(&[0; FRAME]);
        chunk.append(&mut self.rest);
        while chunk.len() < BLOCK.saturating_add(FRAME) {
            let Some((key, record)) = self.records.next() else {
                break;
            };
            put_record(&mut chunk, &key, record);
        }
        if chunk.len() > BLOCK.saturating_add(FRAME) {
            self.rest = chunk.split_off(BLOCK.saturating_add(FRAME));
        }
        let length = u32::try_from(chunk.len().saturating_sub(FRAME)).unwrap_or(u32::MAX);
        if let Some(frame) = chunk.first_chunk_mut() {
            *frame = length.to_le_bytes();
        }
        self.checksum.update(&chunk);
        self.put_checksum(&mut chunk);
        if length == 0 {
            self.next = Part::Nothing;
        }
        chunk
    }

    fn put_checksum(&self, chunk: &mut Vec<u8>) {
        chunk.extend_from_slice(&self.checksum.clone().finalize().to_le_bytes());
    }
}

impl Iterator for SnapshotWriter<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        match self.next {
            Part::Header { count } => {
                self.next = Part::Block;
                Some(self.header(count))
            }
            Part::Block => Some(self.block()),
            Part::Nothing => None,
        }
    }
}

fn put_record(content: &mut Vec<u8>, key: &StateKey, record: &[u8]) {
    let (length, digits) = varint(record.len());
    content.extend_from_slice(&key.to_bytes());
    content.extend_from_slice(length.get(..digits).unwrap_or_default());
    content.extend_from_slice(record);
}
