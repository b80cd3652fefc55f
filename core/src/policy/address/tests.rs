use super::*;

#[test]
fn only_strict_addresses_parse() {
    for (text, expected) in [
        ("192.0.2.1", Some("192.0.2.1")),
        ("::ffff:192.0.2.1", Some("192.0.2.1")),
        ("::ffff:c000:280", Some("192.0.2.128")),
        ("2001:DB8::1", Some("2001:db8::1")),
        // IPv4-compatible addresses (RFC 4291 §2.5.5.1) are deprecated and stay IPv6.
        ("::192.0.2.1", Some("::c000:201")),
        ("192.0.2.01", None),
        ("127.1", None),
        ("0x7f.0.0.1", None),
        ("fe80::1%eth0", None),
        ("[::1]", None),
        ("192.0.2.1:80", None),
        (" 192.0.2.1", None),
        ("", None),
    ] {
        let expected = expected.map(|text| text.parse().unwrap());
        assert_eq!(parse_address(text), expected, "{text}");
    }
}

#[test]
fn private_addresses() {
    for (text, private) in [
        ("10.0.0.1", true),
        ("172.15.255.255", false),
        ("172.16.0.0", true),
        ("172.32.0.0", false),
        ("192.168.1.1", true),
        ("127.0.0.1", true),
        ("169.254.1.1", true),
        ("100.63.255.255", false),
        ("100.64.0.0", true),
        ("100.127.255.255", true),
        ("100.128.0.0", false),
        ("0.0.0.0", true),
        ("192.0.2.1", false),
        ("::1", true),
        ("::", true),
        ("fc00::1", true),
        ("fdff::1", true),
        ("fe00::1", false),
        ("fe80::1", true),
        ("2001:db8::1", false),
    ] {
        assert_eq!(is_private(text.parse().unwrap()), private, "{text}");
    }
    assert!(
        is_private("::ffff:10.0.0.1".parse().unwrap()),
        "mapped, not unwrapped"
    );
}

#[test]
fn ranges() {
    for (text, inside, outside) in [
        ("192.0.2.77/24", "192.0.2.255", "192.0.3.0"),
        ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("0.0.0.0/0", "255.255.255.255", "::1"),
        ("::/0", "ffff::", "1.2.3.4"),
        ("::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.0"),
        ("::ffff:c000:0280/96", "9.9.9.9", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
        ("10.0.0.0/08", "10.255.255.255", "11.0.0.0"),
    ] {
        let range = AddressRange::parse_cidr(text).unwrap();
        assert!(
            range.contains(parse_address(inside).unwrap()),
            "{text} {inside}"
        );
        assert!(
            !range.contains(parse_address(outside).unwrap()),
            "{text} {outside}"
        );
    }
    for text in [
        "",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/+8",
        "10.0.0.0/-1",
        "10.0.0.0/33",
        "10.0.0.0/8/8",
        "::/129",
        "::1%a/128",
        "10.0.0.0/8 ",
        "xx.xx.xxx.xx/32",
        "::ffff:1.2.3.4/300",
    ] {
        assert_eq!(AddressRange::parse_cidr(text), None, "{text}");
    }
}

#[test]
fn bounds_are_inclusive_and_of_one_family() {
    let range = AddressRange::parse_bounds("::ffff:192.0.2.1", "192.0.2.3").unwrap();
    for (text, inside) in [
        ("192.0.2.0", false),
        ("192.0.2.1", true),
        ("192.0.2.3", true),
        ("192.0.2.4", false),
    ] {
        assert_eq!(
            range.contains(parse_address(text).unwrap()),
            inside,
            "{text}"
        );
    }
    for (lower, upper) in [
        ("192.0.2.3", "192.0.2.1"),
        ("192.0.2.1", "2001:db8::1"),
        ("", "192.0.2.1"),
    ] {
        assert_eq!(AddressRange::parse_bounds(lower, upper), None);
    }
}
