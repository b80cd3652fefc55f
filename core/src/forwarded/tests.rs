use alloc::string::ToString as _;

use proptest::prelude::*;

use super::ForwardedError::{Malformed, NoAddress, TooFew, TooLong};
use super::ForwardingHeader::{Forwarded, XForwardedFor};
use super::*;
use crate::subject::tests::vectors;

const PEER: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(10, 0, 0, 1));

fn told(header: ForwardingHeader, values: &[&str], proxies: usize) -> String {
    match client_address(PEER, header, values, proxies) {
        Ok(address) => address.to_string(),
        Err(error) => alloc::format!("{error:?}"),
    }
}

#[test]
fn addresses_are_counted_from_the_right() {
    for (header, values, proxies, expected) in [
        (
            XForwardedFor,
            &["203.0.113.9, 198.51.100.7"][..],
            1,
            "198.51.100.7",
        ),
        (
            XForwardedFor,
            &["203.0.113.9, 198.51.100.7"],
            2,
            "203.0.113.9",
        ),
        (
            XForwardedFor,
            &["203.0.113.9", "198.51.100.7"],
            2,
            "203.0.113.9",
        ),
        (
            XForwardedFor,
            &["spoofed, 203.0.113.9:4711"],
            1,
            "203.0.113.9",
        ),
        (XForwardedFor, &["::ffff:192.0.2.1"], 1, "192.0.2.1"),
        (
            XForwardedFor,
            &["[2001:db8::1]:443, 10.0.0.2"],
            2,
            "2001:db8::1",
        ),
        (XForwardedFor, &["203.0.113.9"], 2, "TooFew"),
        (XForwardedFor, &[], 1, "TooFew"),
        (XForwardedFor, &["203.0.113.9, "], 1, "NoAddress"),
        (XForwardedFor, &["unknown"], 1, "NoAddress"),
        (XForwardedFor, &["203.0.113.9, 198.51.100.7"], 0, "10.0.0.1"),
        (
            Forwarded,
            &["for=203.0.113.9, for=198.51.100.7;by=10.0.0.1"],
            1,
            "198.51.100.7",
        ),
        (
            Forwarded,
            &["for=203.0.113.9, For=\"[2001:db8::1]:4711\""],
            1,
            "2001:db8::1",
        ),
        (
            Forwarded,
            &["for=203.0.113.9, for=198.51.100.7"],
            2,
            "203.0.113.9",
        ),
        (Forwarded, &["for=\"203.0.113.9:_obf\""], 1, "203.0.113.9"),
        (Forwarded, &["for=_hidden, for=unknown"], 1, "NoAddress"),
        (Forwarded, &["for=_hidden"], 1, "NoAddress"),
        (Forwarded, &["proto=https;by=10.0.0.1"], 1, "NoAddress"),
        (Forwarded, &["for=a, for=b"], 3, "TooFew"),
        // Quotes and repeats by which a client could hide what the proxy appended.
        (Forwarded, &["for=\"evil, for=198.51.100.7"], 1, "Malformed"),
        (
            Forwarded,
            &["for=\"evil, for=\"[2001:db8::1]\""],
            1,
            "Malformed",
        ),
        (Forwarded, &["for=1.2.3.4;for=198.51.100.7"], 1, "Malformed"),
        (Forwarded, &["for"], 1, "Malformed"),
        (Forwarded, &["for=1.2.3.4 for=198.51.100.7"], 1, "Malformed"),
        (
            Forwarded,
            &["for=\"1.2.3.4\\\",for=5.6.7.8\""],
            1,
            "NoAddress",
        ),
    ] {
        assert_eq!(
            told(header, values, proxies),
            expected,
            "{values:?} behind {proxies}"
        );
    }
    let long = "1.1.1.1,".repeat(2_000);
    assert_eq!(
        client_address(PEER, XForwardedFor, &[&long], 1),
        Err(TooLong)
    );
    assert_eq!(
        [TooFew, NoAddress, Malformed].map(|error| error.to_string().is_empty()),
        [false; 3]
    );
}

/// Where the vectors and the rules of this engine differ.
const DISAGREEMENTS: &[(&str, &str)] = &[
    (
        "[2607:f8b0:4004:83f::200e%zone]:4484",
        "policy-semantics row 22: a zone id does not parse",
    ),
    (
        "[fe80::abcd%eth0]:xyz",
        "the same; and RFC 7239 §6: no such port",
    ),
];

#[test]
fn hops_and_items_parse_as_the_vectors_say() {
    let mut disagreements = Vec::new();
    let lines = vectors("ip-parse.jsonl").unwrap_or_default();
    let there = !lines.is_empty();
    for line in lines {
        let input = line["input"].as_str().unwrap();
        let header = match line["kind"].as_str() {
            Some("forwarded-hop") => XForwardedFor,
            Some("forwarded-item") => Forwarded,
            _ => continue,
        };
        let found = client_address(PEER, header, &[input], 1);
        let expected = line["valid"]
            .as_bool()
            .unwrap()
            .then(|| line["canonical"].as_str().unwrap());
        if found.ok().map(|address| address.to_string()).as_deref() != expected {
            disagreements.push(String::from(input));
        }
    }
    let known: Vec<&str> = DISAGREEMENTS
        .iter()
        .map(|row| row.0)
        .filter(|_| there)
        .collect();
    assert_eq!(disagreements, known);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a client sends, the address is the proxy's or there is none.
    #[test]
    fn a_client_never_chooses_its_address(sent in "[ -~]{0,40}", brackets in any::<bool>()) {
        let appended = if brackets { "for=\"[2001:db8::7]\"" } else { "for=198.51.100.7" };
        let address = if brackets { "2001:db8::7" } else { "198.51.100.7" };
        for (header, entry) in [(Forwarded, appended), (XForwardedFor, address)] {
            let value = alloc::format!("{sent}, {entry}");
            if let Ok(found) = client_address(PEER, header, &[&value], 1) {
                prop_assert_eq!(found.to_string(), address, "{}", value);
            }
        }
    }
}
