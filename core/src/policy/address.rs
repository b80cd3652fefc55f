//! Network addresses and ranges, read strictly: what two parsers could read differently is refused.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Reads one address.
///
/// Dotted decimal without leading zeros, or RFC 4291 text without a zone id; never a port, never the octal,
/// hexadecimal or shortened forms of `inet_aton`. IPv4-mapped IPv6 addresses (RFC 4291 §2.5.5.2), in either of
/// their spellings, come back as IPv4.
///
/// ```
/// use cae_core::policy::address::parse_address;
/// assert_eq!(parse_address("::ffff:c000:280"), parse_address("192.0.2.128"));
/// assert_eq!(parse_address("192.0.2.0128"), None);
/// assert_eq!(parse_address("fe80::1%eth0"), None);
/// ```
#[must_use]
pub fn parse_address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

/// Whether an address names no network that others can see: a proxy or a translator hides the real one.
///
/// RFC 1918 (private), RFC 3927 and RFC 4291 §2.5.6 (link-local), RFC 4193 (unique local), RFC 6598 (shared by
/// carriers: not private to one site, yet as little an address of the client), loopback and unspecified.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || matches!(address.octets(), [100, 64..=127, _, _])
        }
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_private(IpAddr::V4(mapped)),
            None => {
                address.is_loopback()
                    || address.is_unspecified()
                    || address.is_unique_local()
                    || address.is_unicast_link_local()
            }
        },
    }
}

/// An inclusive range of addresses of one family.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AddressRange {
    /// First and last IPv4 address.
    V4(Ipv4Addr, Ipv4Addr),
    /// First and last IPv6 address; never holds an IPv4 address, mapped or not.
    V6(Ipv6Addr, Ipv6Addr),
}

impl AddressRange {
    /// Reads a `cidrAddress`: host bits are masked, no slash is a single address, an IPv4-mapped prefix of 96
    /// bits or more is the IPv4 range.
    #[must_use]
    pub fn parse_cidr(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(decimal(prefix)?)),
            None => (text, None),
        };
        match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(address) => Self::v4(address, prefix.unwrap_or(32)),
            IpAddr::V6(address) => {
                let prefix = prefix.unwrap_or(128);
                match (address.to_ipv4_mapped(), prefix.checked_sub(96)) {
                    (Some(mapped), Some(rest)) => Self::v4(mapped, rest),
                    _ => {
                        let net = Ipv6Net::new(address, prefix).ok()?;
                        Some(Self::V6(net.network(), net.broadcast()))
                    }
                }
            }
        }
    }

    /// Reads `lowerAddress` and `upperAddress`, both inclusive and of one family.
    #[must_use]
    pub fn parse_bounds(lower: &str, upper: &str) -> Option<Self> {
        let range = match (parse_address(lower)?, parse_address(upper)?) {
            (IpAddr::V4(lower), IpAddr::V4(upper)) if lower <= upper => Self::V4(lower, upper),
            (IpAddr::V6(lower), IpAddr::V6(upper)) if lower <= upper => Self::V6(lower, upper),
            _ => return None,
        };
        Some(range)
    }

    /// Whether `address`, unwrapped by [`parse_address`], lies in the range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4(lower, upper), IpAddr::V4(address)) => (lower..=upper).contains(&&address),
            (Self::V6(lower, upper), IpAddr::V6(address)) => (lower..=upper).contains(&&address),
            _ => false,
        }
    }

    fn v4(address: Ipv4Addr, prefix: u8) -> Option<Self> {
        let net = Ipv4Net::new(address, prefix).ok()?;
        Some(Self::V4(net.network(), net.broadcast()))
    }
}

/// Decimal digits only: `u8::from_str` would take a sign.
fn decimal(text: &str) -> Option<u8> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests;
