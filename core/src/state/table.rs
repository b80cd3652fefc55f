//! An in-memory store.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::bytes::RecordError;
use super::key::StateKey;
use super::record::Record;
use super::retention::RetentionLimits;
use crate::time::UnixTime;

/// Records by key, kept as their canonical bytes: small, and what the engine asks for.
///
/// INVARIANT (canonical): every value is what [`Record::to_bytes`] writes for a record that is not empty.
#[derive(Clone, Debug, Default)]
pub struct StateTable {
    records: HashMap<StateKey, alloc::boxed::Box<[u8]>, FixedState>,
}

impl StateTable {
    /// An empty table whose hash order is fixed by `seed`; the order is never seen outside.
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        Self {
            records: HashMap::with_hasher(FixedState::with_seed(seed)),
        }
    }

    /// Merges `record` into what is known under `key`; says whether anything changed.
    pub fn merge(&mut self, key: &StateKey, record: &Record) -> bool {
        match self.records.entry(*key) {
            Entry::Vacant(entry) => {
                if record.is_empty() {
                    return false;
                }
                entry.insert(record.to_bytes().into());
                true
            }
            Entry::Occupied(mut entry) => {
                let mut merged = read(entry.get());
                merged.merge(record);
                let bytes = merged.to_bytes();
                if **entry.get() == *bytes {
                    return false;
                }
                entry.insert(bytes.into());
                true
            }
        }
    }

    /// Merges a record given as bytes; says whether anything changed.
    ///
    /// # Errors
    /// [`RecordError`] if the bytes cannot be read; the table stays as it is.
    pub fn merge_bytes(&mut self, key: &StateKey, record: &[u8]) -> Result<bool, RecordError> {
        Ok(self.merge(key, &Record::from_bytes(record)?))
    }

    /// Forgets what can no longer change a decision, and records of which nothing is left. Says how many records
    /// went.
    pub fn clean(&mut self, now: UnixTime, limits: &RetentionLimits) -> usize {
        let before = self.records.len();
        self.records.retain(|_, bytes| {
            let mut record = read(&*bytes);
            record.retain(now, limits);
            *bytes = record.to_bytes().into();
            !record.is_empty()
        });
        before.saturating_sub(self.records.len())
    }

    /// The canonical bytes of the record under `key`.
    #[must_use]
    pub fn bytes(&self, key: &StateKey) -> Option<&[u8]> {
        self.records.get(key).map(AsRef::as_ref)
    }

    /// The record under `key`.
    #[must_use]
    pub fn get(&self, key: &StateKey) -> Option<Record> {
        self.bytes(key).map(read)
    }

    /// How many keys have a record.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// All records with their keys, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (StateKey, Record)> + '_ {
        self.iter_bytes().map(|(key, bytes)| (key, read(bytes)))
    }

    /// All canonical bytes with their keys, in the order of the keys.
    pub fn iter_bytes(&self) -> impl Iterator<Item = (StateKey, &[u8])> + '_ {
        let keys: BTreeSet<StateKey> = self.records.keys().copied().collect();
        keys.into_iter()
            .filter_map(|key| Some((key, self.bytes(&key)?)))
    }

    /// The whole state as one text: equal tables give equal bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (key, bytes) in self.iter_bytes() {
            out.extend_from_slice(&key.to_bytes());
            out.extend_from_slice(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            out.extend_from_slice(bytes);
        }
        out
    }
}

/// INVARIANT (canonical): reading cannot fail here.
fn read(bytes: impl AsRef<[u8]>) -> Record {
    Record::from_bytes(bytes.as_ref()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::record::Cause;
    use super::super::samples::{any_record, entry};
    use super::*;
    use alloc::collections::BTreeMap;
    use core::time::Duration;
    use proptest::prelude::*;

    fn key(n: u8) -> StateKey {
        StateKey::from_bytes([n; 16])
    }

    proptest! {
        #[test]
        fn any_order_gives_the_same_bytes(
            mut records in proptest::collection::vec((0..4_u8, any_record()), 0..12),
        ) {
            let fill = |records: &[(u8, Record)], seed| {
                let mut table = StateTable::with_seed(seed);
                for (n, record) in records {
                    table.merge(&key(*n), record);
                }
                table.to_bytes()
            };
            let forward = fill(&records, 1);
            records.reverse();
            records.extend(records.clone());
            prop_assert_eq!(fill(&records, 2), forward);
        }
    }

    #[test]
    fn merging_says_whether_anything_changed() {
        let mut table = StateTable::default();
        let record = Record {
            cut_off: Some(entry(10, 10, Cause::SessionRevoked)),
            ..Record::default()
        };
        assert!(!table.merge(&key(1), &Record::default()));
        assert!(table.merge(&key(1), &record));
        assert_eq!(table.merge_bytes(&key(1), &record.to_bytes()), Ok(false));
        assert!(table.merge_bytes(&key(1), b"\x01\x09").is_err());
        assert_eq!(table.get(&key(1)), Some(record.clone()));
        assert_eq!(table.bytes(&key(1)), Some(&*record.to_bytes()));
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn cleaning_drops_records_of_which_nothing_is_left() {
        let mut table = StateTable::default();
        for (n, at) in [(2, 5_000), (1, 10)] {
            let record = Record {
                cut_off: Some(entry(at, at, Cause::SessionRevoked)),
                ..Record::default()
            };
            table.merge(&key(n), &record);
        }
        let limits = RetentionLimits {
            longest_token_age: Duration::from_secs(1_000),
            skew: Duration::ZERO,
            transmitters: BTreeMap::new(),
        };
        assert!(table.iter().is_sorted_by_key(|(key, _)| key));
        assert_eq!(table.clean(UnixTime::from_secs(3_000), &limits), 1);
        assert_eq!(
            table.iter().map(|(key, _)| key).collect::<Vec<_>>(),
            [key(2)]
        );
    }
}
