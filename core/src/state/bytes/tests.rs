use super::*;
use crate::state::record::{AccountStatus, Cause, MultiFactor, OptOut};
use crate::state::samples::{any_record, entry};
use proptest::prelude::*;

proptest! {
    #[test]
    fn bytes_lead_back_to_the_record(record in any_record()) {
        prop_assert_eq!(Record::check(&record.to_bytes()), Ok(record.is_empty()));
        prop_assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
    }

    #[test]
    fn what_can_be_read_is_canonical(bytes in any_text()) {
        prop_assert_eq!(Record::check(&bytes), Record::from_bytes(&bytes).map(|record| record.is_empty()));
        if let Ok(record) = Record::from_bytes(&bytes) {
            prop_assert_eq!(record.to_bytes(), bytes);
        }
    }
}

/// Noise, and canonical bytes with one byte changed, inserted or removed.
fn any_text() -> impl Strategy<Value = Vec<u8>> {
    let noise = proptest::collection::vec(any::<u8>(), 0..64);
    let damaged = (
        any_record(),
        any::<proptest::sample::Index>(),
        any::<u8>(),
        0..3,
    )
        .prop_map(|(record, at, byte, how)| {
            let mut bytes = record.to_bytes();
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
            bytes
        });
    prop_oneof![1 => noise, 4 => damaged]
}

#[test]
fn the_layout_is_as_documented() {
    let record = Record {
        cut_off: Some(entry(1, 300, Cause::RiskLevel)),
        status: alloc::vec![(TransmitterId([9; 8]), entry(0, 0, AccountStatus::Purged))],
        ..Record::default()
    };
    let mut expected = alloc::vec![1, 1, 0xc0, 0x84, 0x3d, 0xac, 0x02, 8, 3, 1];
    expected.extend([9; 8]);
    expected.extend([0, 0, 2]);
    assert_eq!(record.to_bytes(), expected);
    assert_eq!(Record::default().to_bytes(), [1]);
}

#[test]
fn texts_are_laid_out_as_documented() {
    let record = Record {
        mfa_enabled: Some(entry(0, 0, MultiFactor::Enabled)),
        assurance: alloc::vec![(
            TransmitterId([9; 8]),
            entry(0, 0, AssuranceLevel::new("aal1").unwrap())
        )],
        claims: alloc::vec![(
            ClaimName::new("role").unwrap(),
            entry(0, 0, ClaimValue::of("role", &"a".into()))
        )],
        opt_out: alloc::vec![(TransmitterId([9; 8]), entry(0, 0, OptOut::OptedOut))],
        ..Record::default()
    };
    let mut expected = alloc::vec![1, 2, 0, 0, 1];
    expected.extend([8, 1, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 4]);
    expected.extend(b"aal1");
    expected.extend([9, 1, 4]);
    expected.extend(b"role");
    expected.extend([0, 0, 3]);
    expected.extend(b"\"a\"");
    expected.extend([10, 1, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 2]);
    assert_eq!(record.to_bytes(), expected);
}

#[test]
fn more_than_the_bound_is_refused() {
    let claim = |n: usize| {
        let name = ClaimName::new(&alloc::format!("claim-{n:02}")).unwrap();
        (name, entry(0, 0, ClaimValue::default()))
    };
    for (count, expected) in [
        (Record::MOST_CLAIMS, true),
        (Record::MOST_CLAIMS + 1, false),
    ] {
        let record = Record {
            claims: (0..count).map(claim).collect(),
            ..Record::default()
        };
        assert_eq!(Record::from_bytes(&record.to_bytes()).is_ok(), expected);
    }
}

#[test]
fn everything_else_is_refused() {
    use RecordErrorKind::{
        Empty, Order, Overlong, Text, TooLarge, Truncated, UnknownField, UnknownValue, Version,
    };
    let mut two_transmitters = alloc::vec![1, 3, 2];
    for _ in 0..2 {
        two_transmitters.extend([9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 0]);
    }
    for (bytes, at, kind) in [
        (&[][..], 0, Truncated),
        (&[2], 1, Version(2)),
        (&[1, 11], 2, UnknownField(11)),
        (&[1, 0], 2, UnknownField(0)),
        (&[1, 1, 0, 0], 4, Truncated),
        (&[1, 1, 0, 0, 12], 5, UnknownValue(12)),
        (&[1, 2, 0, 0, 1, 1, 0, 0, 1], 9, Order),
        (&[1, 2, 0, 0, 1, 2, 0, 0, 1], 9, Order),
        (&[1, 9, 1, 0, 0, 0, 0, 0], 4, Text),
        (&[1, 9, 1, 1, 255, 0, 0, 0], 5, Text),
        (&[1, 9, 1, 9, 1, 1, 1, 1], 4, Truncated),
        (&[1, 9, 1, 0xff, 0x7f, 1, 1, 1], 5, TooLarge),
        (&[1, 2, 0x80, 0], 4, Overlong),
        (&[1, 2, 0x80, 0x81, 0, 1, 1, 1, 1, 1], 5, Overlong),
        (
            &[1, 2, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2],
            12,
            TooLarge,
        ),
        (
            &[1, 2, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0x81],
            12,
            TooLarge,
        ),
        (&[1, 3, 0], 3, Empty),
        (&[1, 3, 0xff, 0xff, 0xff, 0x7f], 6, TooLarge),
        (&two_transmitters, 25, Order),
    ] {
        assert_eq!(
            Record::from_bytes(bytes),
            Err(RecordError { at, kind }),
            "{bytes:?}"
        );
    }
}
