//! Condition `location`: rows 9, 20, 21 and 22.

use std::net::IpAddr;

use serde_json::Value;

use super::reading::{entries, has_only, holds, is_configured, same, type_name};
use super::truth::Truth::{self, False, True, Unknown};

/// "Multifactor authentication trusted IPs", where a file has them (row 20).
const TRUSTED_ADDRESSES: &str = "00000000-0000-0000-0000-000000000000";

/// Row 20: included and not excluded; excludes alone mean any location but those.
pub(super) fn location(conditions: &Value, named: Option<&[Value]>, sign_in: &Value) -> Truth {
    let locations = &conditions["locations"];
    if !is_configured(locations) {
        return True;
    }
    if !has_only(locations, &["includeLocations", "excludeLocations"]) {
        return Unknown; // row 9
    }
    let matches = |list: &[String]| Truth::any(list.iter().map(|entry| one(entry, named, sign_in)));
    let include = entries(&locations["includeLocations"]);
    let exclude = entries(&locations["excludeLocations"]);
    let included = if include.is_empty() {
        True
    } else {
        matches(&include)
    };
    included.and(matches(&exclude).negated())
}

/// Rows 20 and 21: one entry of a list.
fn one(entry: &str, named: Option<&[Value]>, sign_in: &Value) -> Truth {
    if same(entry, "All") {
        return True;
    }
    let Some(named) = named else { return Unknown };
    if same(entry, "AllTrusted") {
        return Truth::any(
            named
                .iter()
                .filter(|location| is_trusted(location))
                .map(|location| holds_sign_in(location, sign_in)),
        );
    }
    let with_id: Vec<&Value> = named
        .iter()
        .filter(|location| has_id(location, entry))
        .collect();
    if with_id.is_empty() {
        return Unknown;
    }
    Truth::any(
        with_id
            .iter()
            .map(|location| holds_sign_in(location, sign_in)),
    )
}

fn has_id(location: &Value, id: &str) -> bool {
    location["id"].as_str().is_some_and(|given| same(given, id))
}

/// Row 20: named IP locations by their flag, and the one with this id whatever its flag; country locations never.
fn is_trusted(location: &Value) -> bool {
    let kind = kind(location);
    kind == Some(Kind::Addresses) && location["isTrusted"] == true
        || kind != Some(Kind::Countries) && has_id(location, TRUSTED_ADDRESSES)
}

#[derive(Eq, PartialEq)]
enum Kind {
    Addresses,
    Countries,
}

/// Row 21: `@odata.type`, else `locationType`, else what it holds; `None` is another kind.
fn kind(location: &Value) -> Option<Kind> {
    let named = type_name(location)
        .or_else(|| location["locationType"].as_str())
        .filter(|name| !name.is_empty());
    match named {
        Some(name) if same(name, "ipNamedLocation") => Some(Kind::Addresses),
        Some(name) if same(name, "countryNamedLocation") => Some(Kind::Countries),
        Some(_) => None,
        None if is_configured(&location["ipRanges"]) => Some(Kind::Addresses),
        None if is_configured(&location["countriesAndRegions"]) => Some(Kind::Countries),
        None => None,
    }
}

fn holds_sign_in(location: &Value, sign_in: &Value) -> Truth {
    match kind(location) {
        Some(Kind::Addresses) => holds_address(location, sign_in),
        Some(Kind::Countries) => holds_country(location, sign_in),
        None => Unknown,
    }
}

/// Row 22: a range that cannot be read is unknown, the others still count.
fn holds_address(location: &Value, sign_in: &Value) -> Truth {
    let address = sign_in["signInConditions"]["ipAddress"]
        .as_str()
        .and_then(address);
    let ranges = location["ipRanges"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    Truth::any(ranges.iter().map(|range| match (address, bounds(range)) {
        (Some(address), Some((lower, upper))) => Truth::of(is_between(lower, address, upper)),
        _ => Unknown,
    }))
}

/// Row 22: by the address, and only by it; no country is `""` or `ZZ` (row 2).
fn holds_country(location: &Value, sign_in: &Value) -> Truth {
    let lookup = &location["countryLookupMethod"];
    if is_configured(lookup)
        && !lookup
            .as_str()
            .is_some_and(|method| same(method, "clientIpAddress"))
    {
        return Unknown;
    }
    let listed = entries(&location["countriesAndRegions"]);
    let includes_unmapped = location["includeUnknownCountriesAndRegions"] == true;
    match sign_in["signInConditions"]["country"].as_str() {
        Some(country) if country.is_empty() || same(country, "ZZ") => Truth::of(includes_unmapped),
        Some(country) => Truth::of(holds(&listed, country)),
        None if listed.is_empty() && !includes_unmapped => False,
        None => Unknown,
    }
}

/// Row 22: an IPv4-mapped IPv6 address is the IPv4 address.
fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

/// The first and the last address of a range, both of one family.
fn bounds(range: &Value) -> Option<(IpAddr, IpAddr)> {
    if let Some(text) = range["cidrAddress"].as_str() {
        return cidr(text);
    }
    let lower = address(range["lowerAddress"].as_str()?)?;
    let upper = address(range["upperAddress"].as_str()?)?;
    (lower.is_ipv4() == upper.is_ipv4() && lower <= upper).then_some((lower, upper))
}

/// Row 22: host bits are masked, no slash is a single address, mapped ranges of /96 and longer are IPv4 ranges.
fn cidr(text: &str) -> Option<(IpAddr, IpAddr)> {
    let Some((start, prefix)) = text.split_once('/') else {
        return address(text).map(|address| (address, address));
    };
    let start: IpAddr = start.parse().ok()?;
    if prefix.is_empty() || !prefix.chars().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let prefix: u32 = prefix.parse().ok()?;
    match start {
        IpAddr::V4(start) => {
            let host = u32::MAX.checked_shr(prefix).unwrap_or(0);
            let lower = start.to_bits() & !host;
            (prefix <= 32).then(|| (IpAddr::V4(lower.into()), IpAddr::V4((lower | host).into())))
        }
        IpAddr::V6(start) => {
            let host = u128::MAX.checked_shr(prefix).unwrap_or(0);
            let lower = start.to_bits() & !host;
            let (lower, upper) = (IpAddr::V6(lower.into()), IpAddr::V6((lower | host).into()));
            let is_mapped = start.to_ipv4_mapped().is_some() && prefix >= 96;
            let unwrapped = if is_mapped {
                (lower.to_canonical(), upper.to_canonical())
            } else {
                (lower, upper)
            };
            (prefix <= 128).then_some(unwrapped)
        }
    }
}

/// Row 22: an IPv6 range never holds an IPv4 address.
fn is_between(lower: IpAddr, address: IpAddr, upper: IpAddr) -> bool {
    lower.is_ipv4() == address.is_ipv4() && lower <= address && address <= upper
}
