use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

/// Ranges that overlap, touch and reach the ends of the address space.
fn some_range() -> impl Strategy<Value = AddressRange> {
    let v4 = |a: u32, b: u32| AddressRange::V4(Ipv4Addr::from(a.min(b)), Ipv4Addr::from(a.max(b)));
    let v6 =
        |a: u128, b: u128| AddressRange::V6(Ipv6Addr::from(a.min(b)), Ipv6Addr::from(a.max(b)));
    prop_oneof![
        (0_u32..40, 0_u32..40).prop_map(move |(a, b)| v4(a << 14, b << 14)),
        (0_u32..40, 0_u32..40).prop_map(move |(a, b)| v4(!a, !b)),
        (any::<u32>(), any::<u32>()).prop_map(move |(a, b)| v4(a, b)),
        (0_u128..40, 0_u128..40).prop_map(move |(a, b)| v6(!a, b << 120)),
        (any::<u128>(), any::<u128>()).prop_map(move |(a, b)| v6(a, b)),
    ]
}

/// The address itself and its neighbours.
fn around(address: IpAddr) -> Vec<IpAddr> {
    match address {
        IpAddr::V4(address) => [0, 1, u32::MAX]
            .map(|step| IpAddr::from(Ipv4Addr::from(u32::from(address).wrapping_add(step))))
            .into(),
        IpAddr::V6(address) => [0, 1, u128::MAX]
            .map(|step| IpAddr::from(Ipv6Addr::from(u128::from(address).wrapping_add(step))))
            .into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_table_agrees_with_every_range(
        ranges in prop::collection::vec((0_usize..6, some_range()), 0..60),
        anywhere in any::<u32>(),
    ) {
        let table = Table::new(ranges.iter().copied());
        let bounds = ranges.iter().flat_map(|(_, range)| match range {
            AddressRange::V4(a, b) => [IpAddr::from(*a), IpAddr::from(*b)],
            AddressRange::V6(a, b) => [IpAddr::from(*a), IpAddr::from(*b)],
        });
        for address in bounds.chain([Ipv4Addr::from(anywhere).into()]).flat_map(around) {
            let mut expected: Vec<usize> = ranges
                .iter()
                .filter(|(_, range)| range.contains(address))
                .map(|(location, _)| *location)
                .collect();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(table.set(table.find(address)), expected, "{}", address);
        }
    }
}

#[test]
fn sets_are_interned() {
    let ranges = (0..200_u32).map(|third| {
        let from = u32::from(Ipv4Addr::new(10, 0, 0, 0)) + (third << 10);
        (0, AddressRange::V4(from.into(), (from + 255).into()))
    });
    let table = Table::new(ranges);
    assert_eq!(table.sets(), 2);
    assert_eq!(table.set(table.find("10.0.4.9".parse().unwrap())), [0]);
    assert!(
        table
            .set(table.find("10.0.5.0".parse().unwrap()))
            .is_empty()
    );
}
