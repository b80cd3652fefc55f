use alloc::collections::BTreeMap;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::state::key::NameSpace;
use crate::state::record::{Cause, CutOffScope, Member, Record, UnseenMember};
use crate::state::samples::{any_record, entry};
use crate::state::{RecordErrorKind, StateTable, SubjectKind};

fn whole(table: &StateTable) -> Vec<u8> {
    SnapshotWriter::new(table).flatten().collect()
}

fn restored(bytes: &[u8], chunk: usize) -> Result<StateTable, SnapshotError> {
    let mut reader = SnapshotReader::new();
    for chunk in bytes.chunks(chunk) {
        reader.push(chunk)?;
    }
    reader.finish()
}

fn any_table() -> impl Strategy<Value = StateTable> {
    let key = prop_oneof![any::<[u8; 16]>(), (0..4_u8).prop_map(|n| [n; 16])];
    proptest::collection::btree_map(key, any_record(), 0..60).prop_map(|records| {
        let mut table = StateTable::default();
        for (key, record) in records {
            table.merge(&StateKey::from_bytes(key), &record);
        }
        table
    })
}

/// One whose records take several blocks, and one of them more than a block for itself.
fn large_table() -> StateTable {
    let mut table = StateTable::default();
    let record = Record {
        cut_off: Some(entry(1_800_000_000, 1_800_000_000, Cause::SessionRevoked)),
        ..Record::default()
    };
    for n in 0..6_000_u64 {
        let key = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&key);
        table.merge(&StateKey::from_bytes(bytes), &record);
    }
    let scoped = (0..32_u128).map(|n| {
        let key = |m: u128| StateKey::from_bytes((n << 64 | m).to_be_bytes());
        let scope = CutOffScope {
            members: Vec::from([Member {
                kind: SubjectKind::Session,
                keys: (0..300).map(|m| (NameSpace::Native, key(m))).collect(),
            }]),
            unseen: UnseenMember::Precise,
        };
        (scope, entry(5, 5, Cause::SessionRevoked))
    });
    let record = Record {
        scoped: scoped.collect(),
        ..Record::default()
    };
    table.merge(&StateKey::from_bytes([0x80; 16]), &record);
    table
}

proptest! {
    #[test]
    fn a_restored_table_is_the_one_that_was_kept(table in any_table(), chunk in 1..200_usize) {
        let bytes = whole(&table);
        let restored = restored(&bytes, chunk).unwrap();
        prop_assert_eq!(restored.len(), table.len());
        prop_assert!(restored.iter_bytes().eq(table.iter_bytes()));
        prop_assert_eq!(whole(&restored), bytes);
    }

    #[test]
    fn any_changed_byte_is_refused(
        table in any_table(), at in any::<prop::sample::Index>(), change in 1..=255_u8, chunk in 1..200_usize,
    ) {
        let mut bytes = whole(&table);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        let error = restored(&bytes, chunk).unwrap_err();
        prop_assert!(error.at <= u64::try_from(bytes.len()).unwrap());
    }

    #[test]
    fn any_cut_is_refused(table in any_table(), at in any::<prop::sample::Index>(), chunk in 1..200_usize) {
        let bytes = whole(&table);
        let at = at.index(bytes.len());
        let error = restored(&bytes[..at], chunk).unwrap_err();
        prop_assert_eq!(error.at, u64::try_from(at).unwrap());
        let expected = if at == 0 { SnapshotErrorKind::NotASnapshot } else { SnapshotErrorKind::Truncated };
        prop_assert_eq!(error.kind, expected);
    }

    #[test]
    fn any_bytes_are_a_snapshot_or_an_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..300), sealed in any::<bool>(),
    ) {
        let bytes = if sealed { sealed_snapshot(1, 7, &[&bytes]) } else { bytes };
        prop_assert!(restored(&bytes, 7).is_err());
    }
}

#[test]
fn records_may_lie_in_several_blocks() {
    let table = large_table();
    let bytes = whole(&table);
    assert!(bytes.len() > 4 * BLOCK, "{}", bytes.len());
    for chunk in [1_000, BLOCK, bytes.len()] {
        let restored = restored(&bytes, chunk).unwrap();
        assert!(restored.iter_bytes().eq(table.iter_bytes()));
    }
    for chunk in SnapshotWriter::new(&table) {
        assert!(chunk.len() <= BLOCK + 8);
    }
}

#[test]
fn blocks_that_are_missing_or_elsewhere_are_found() {
    let chunks: Vec<Vec<u8>> = SnapshotWriter::new(&large_table()).collect();
    let with =
        |order: &[usize]| -> Vec<u8> { order.iter().flat_map(|n| chunks[*n].clone()).collect() };
    let all: Vec<usize> = (0..chunks.len()).collect();
    let (mut missing, mut repeated, mut swapped) = (all.clone(), all.clone(), all.clone());
    missing.remove(2);
    repeated.insert(2, 1);
    swapped.swap(1, 2);
    assert!(restored(&with(&all), 999).is_ok());
    for order in [missing, repeated, swapped] {
        let error = restored(&with(&order), 999).unwrap_err();
        assert_eq!(error.kind, SnapshotErrorKind::Checksum, "{order:?}");
    }
}

/// A snapshot whose checksums are right, whatever it says.
fn sealed_snapshot(version: u32, count: u64, blocks: &[&[u8]]) -> Vec<u8> {
    let mut checksum = crc32fast::Hasher::new();
    let mut out = Vec::new();
    let mut put = |out: &mut Vec<u8>, bytes: &[u8], sealed: bool| {
        checksum.update(bytes);
        out.extend_from_slice(bytes);
        if sealed {
            out.extend_from_slice(&checksum.clone().finalize().to_le_bytes());
        }
    };
    put(
        &mut out,
        &[&MAGIC[..], &version.to_le_bytes()].concat(),
        true,
    );
    put(&mut out, &count.to_le_bytes(), false);
    for block in blocks {
        let length = u32::try_from(block.len()).unwrap().to_le_bytes();
        if !block.is_empty() {
            put(&mut out, &[&length[..], block].concat(), true);
        }
    }
    put(&mut out, &[0; 4], true);
    out
}

#[test]
fn what_is_sealed_but_wrong_is_named() {
    let record = Record {
        cut_off: Some(entry(9, 9, Cause::SessionRevoked)),
        ..Record::default()
    };
    let bytes = record.to_bytes();
    let content = |n: u8, bytes: &[u8]| {
        let length = u8::try_from(bytes.len()).unwrap();
        [&[n; 16][..], &[length], bytes].concat()
    };
    let key = |n| StateKey::from_bytes([n; 16]);
    let (one, two) = (content(1, &bytes), content(2, &bytes));
    let both = [one.clone(), two.clone()].concat();
    let first = 24 + 4;
    let second = first + u64::try_from(one.len()).unwrap();
    let endless = [&[3; 16][..], &[0xff; 10]].concat();
    assert!(restored(&sealed_snapshot(1, 2, &[&both]), 5).is_ok());
    assert!(restored(&sealed_snapshot(1, 2, &[&both[..20], &both[20..]]), 5).is_ok());
    for (snapshot, at, kind) in [
        (
            sealed_snapshot(2, 2, &[&both]),
            0,
            SnapshotErrorKind::Version(2),
        ),
        (
            sealed_snapshot(1, u64::MAX, &[&both]),
            second + 4 + u64::try_from(two.len()).unwrap() + 4,
            SnapshotErrorKind::Count {
                stated: u64::MAX,
                found: 2,
            },
        ),
        (
            sealed_snapshot(1, 2, &[&[two.clone(), one.clone()].concat()]),
            second,
            SnapshotErrorKind::Order(key(1)),
        ),
        (
            sealed_snapshot(1, 2, &[&[one.clone(), one.clone()].concat()]),
            second,
            SnapshotErrorKind::Order(key(1)),
        ),
        (
            sealed_snapshot(1, 1, &[&content(1, b"\x01")]),
            first,
            SnapshotErrorKind::EmptyRecord(key(1)),
        ),
        (
            sealed_snapshot(
                1,
                1,
                &[&content(1, b"\x09")[..7], &content(1, b"\x09")[7..]],
            ),
            first,
            SnapshotErrorKind::Record {
                key: key(1),
                error: RecordError {
                    at: 1,
                    kind: RecordErrorKind::Version(9),
                },
            },
        ),
        (
            sealed_snapshot(1, 2, &[&[one.clone(), endless].concat()]),
            second,
            SnapshotErrorKind::RecordLength,
        ),
        (
            sealed_snapshot(1, 2, &[&both[..both.len() - 1]]),
            second,
            SnapshotErrorKind::RecordLength,
        ),
        (
            [sealed_snapshot(1, 2, &[&both]), Vec::from(*b"\n")].concat(),
            u64::try_from(sealed_snapshot(1, 2, &[&both]).len()).unwrap(),
            SnapshotErrorKind::Trailing,
        ),
        (
            sealed_snapshot(1, 2, &[&[1; BLOCK + 1]]),
            24,
            SnapshotErrorKind::BlockLength(65_537),
        ),
    ] {
        assert_eq!(
            restored(&snapshot, 3).unwrap_err(),
            SnapshotError { at, kind }
        );
    }
}

#[test]
fn errors_say_what_where_and_how_to_mend_it() {
    for (bytes, text) in [
        (
            &b"{\"records\": []}       "[..],
            "byte 0 of the snapshot: this is no snapshot of event state; name a file that was written as one",
        ),
        (
            &sealed_snapshot(7, 0, &[]),
            "byte 0 of the snapshot: it has version 7, and this program reads version 1; use the program that wrote \
             it, or a later one",
        ),
        (
            &sealed_snapshot(1, 0, &[])[..30],
            "byte 30 of the snapshot: it is cut off: the end is missing; put a copy of it in its place, or start \
             without state and have the transmitters send their events again",
        ),
    ] {
        assert_eq!(restored(bytes, 4).unwrap_err().to_string(), text);
    }
}

#[test]
fn equal_tables_have_equal_snapshots() {
    let records: BTreeMap<StateKey, Record> = large_table().iter().collect();
    let mut table = StateTable::default();
    for (key, record) in records.iter().rev() {
        table.merge(key, record);
    }
    assert_eq!(whole(&table), whole(&large_table()));
}
