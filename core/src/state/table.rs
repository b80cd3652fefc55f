//! An in-memory store.

mod page;
mod sorted;
mod tree;

use alloc::vec::Vec;

pub(super) use self::sorted::Sorted;
use self::tree::Node;
pub(super) use self::tree::Walk;
use super::bytes::RecordError;
use super::key::StateKey;
use super::record::Record;
use super::retention::RetentionLimits;
use crate::time::UnixTime;

pub(super) use self::page::{read_varint, varint};

/// Records by key, kept as their canonical bytes: small, and what the engine asks for.
///
/// Records lie packed in pages, some tens in one allocation, so that a cut-off takes little more than its key and
/// its bytes; `cargo xtask bench` tells how much.
///
/// INVARIANT (canonical): every value is what [`Record::to_bytes`] writes for a record that is not empty.
#[derive(Clone, Debug, Default)]
pub struct StateTable {
    records: Node,
    count: usize,
}

impl StateTable {
    /// Merges `record` into what is known under `key`; says whether anything changed.
    pub fn merge(&mut self, key: &StateKey, record: &Record) -> bool {
        let Some(known) = self.records.get(key) else {
            if record.is_empty() {
                return false;
            }
            self.records.put(key, &record.to_bytes());
            self.count = self.count.saturating_add(1);
            return true;
        };
        let mut merged = read(known);
        merged.merge(record);
        let bytes = merged.to_bytes();
        if *known == *bytes {
            return false;
        }
        self.records.put(key, &bytes);
        true
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
        let mut gone = 0_usize;
        self.records.rewrite(&mut |bytes, kept| {
            let mut record = read(bytes);
            record.retain(now, limits);
            if record.is_empty() {
                gone = gone.saturating_add(1);
            } else {
                *kept = record.to_bytes();
            }
        });
        self.count = self.count.saturating_sub(gone);
        gone
    }

    /// The canonical bytes of the record under `key`.
    #[must_use]
    pub fn bytes(&self, key: &StateKey) -> Option<&[u8]> {
        self.records.get(key)
    }

    /// The record under `key`.
    #[must_use]
    pub fn get(&self, key: &StateKey) -> Option<Record> {
        self.bytes(key).map(read)
    }

    /// How many keys have a record.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing is known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes on the heap, without what the allocator adds to each allocation.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.records.heap_bytes()
    }

    /// All records with their keys, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (StateKey, Record)> + '_ {
        self.iter_bytes().map(|(key, bytes)| (key, read(bytes)))
    }

    /// All canonical bytes with their keys, in the order of the keys.
    pub fn iter_bytes(&self) -> impl Iterator<Item = (StateKey, &[u8])> + '_ {
        self.walk()
    }

    /// As [`StateTable::iter_bytes`], with a name.
    pub(super) fn walk(&self) -> Walk<'_> {
        self.records.iter()
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
fn read(bytes: &[u8]) -> Record {
    Record::from_bytes(bytes).unwrap_or_default()
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
            let fill = |records: &[(u8, Record)]| {
                let mut table = StateTable::default();
                for (n, record) in records {
                    table.merge(&key(*n), record);
                }
                table.to_bytes()
            };
            let forward = fill(&records);
            records.reverse();
            records.extend(records.clone());
            prop_assert_eq!(fill(&records), forward);
        }
    }

    /// Keys that differ in their first digit, or only in their last ones: as digests never do by chance.
    fn any_key() -> impl Strategy<Value = StateKey> {
        (prop::bool::ANY, any::<u8>()).prop_map(|(first, n)| {
            let mut bytes = [7; 16];
            bytes[if first { 0 } else { 15 }] = n;
            StateKey::from_bytes(bytes)
        })
    }

    proptest! {
        #[test]
        fn it_is_a_sorted_map_of_records_however_full_its_pages_are(
            records in proptest::collection::vec((any_key(), any_record()), 0..120), now in 0..200_000_u64,
        ) {
            let limits = RetentionLimits {
                longest_token_age: Duration::from_secs(1_000),
                skew: Duration::ZERO,
                transmitters: BTreeMap::new(),
            };
            let (mut table, mut map) = (StateTable::default(), BTreeMap::<StateKey, Record>::new());
            let same = |table: &StateTable, map: &BTreeMap<StateKey, Record>| {
                table.len() == map.len()
                    && table.iter().eq(map.clone())
                    && map.iter().all(|(key, record)| table.get(key).as_ref() == Some(record))
            };
            for (key, record) in &records {
                table.merge(key, record);
                map.entry(*key).or_default().merge(record);
            }
            map.retain(|_, record| !record.is_empty());
            prop_assert!(same(&table, &map));

            let now = UnixTime::from_secs(now);
            let gone = table.clean(now, &limits);
            let before = map.len();
            map.values_mut().for_each(|record| record.retain(now, &limits));
            map.retain(|_, record| !record.is_empty());
            prop_assert_eq!(gone.saturating_add(map.len()), before);
            prop_assert!(same(&table, &map));
            prop_assert!(!map.is_empty() || table.heap_bytes() == 0);
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
