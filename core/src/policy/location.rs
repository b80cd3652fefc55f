//! Named locations, and where an address lies: one static table of disjoint intervals for each address family.

pub(crate) mod table;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;
use core::net::IpAddr;
use core::ops::Range;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::address::AddressRange;
use super::date;
use super::document::{self, Item, configured, entries, text, type_name};
use super::logic::Truth;
use crate::configuration::Fault;
use crate::json::{Map, Value};
use crate::time::UnixTime;
use table::Table;

/// Id of the location "MFA trusted IPs" (row 20).
pub(crate) const MFA_TRUSTED_IPS: &str = "00000000-0000-0000-0000-000000000000";

/// A named location as Graph exports it.
#[derive(Clone, Debug)]
pub struct NamedLocation {
    /// Id in lower case, if it has one.
    pub id: Option<String>,
    /// Name given by the administrator.
    pub display_name: Option<String>,
    /// Whether `AllTrusted` holds it (row 20).
    pub trusted: bool,
    /// When it last changed: known, absent or unreadable.
    pub(crate) changed: Changed,
    pub(crate) kind: Kind,
}

/// When something last changed, as far as its dates say.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Changed {
    /// No date is given.
    #[default]
    Unsaid,
    /// The latest date.
    At(UnixTime),
    /// A date cannot be read, so that the latest is not known.
    Unreadable,
}

impl Changed {
    /// The later of `createdDateTime` and `modifiedDateTime`.
    pub(crate) fn read(members: &Map<String, Value>) -> Self {
        ["createdDateTime", "modifiedDateTime"]
            .into_iter()
            .filter_map(|name| text(members, name))
            .map(|text| date::parse(text).map_or(Self::Unreadable, Self::At))
            .max()
            .unwrap_or_default()
    }
}

/// What a named location names.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Addresses.
    Ip {
        /// Those that no table holds yet: of a million ranges one copy is enough.
        unplaced: Vec<AddressRange>,
        first: Option<AddressRange>,
        count: usize,
        /// A range that cannot be read: the location may hold any address (row 22).
        unreadable: bool,
    },
    /// Countries, in upper case and sorted.
    Country {
        countries: Vec<Box<str>>,
        /// Also addresses that map to no country.
        unmapped: bool,
        /// An entry that cannot be read.
        unreadable: bool,
    },
    /// A kind that Graph knows and nobody tells this engine: never known (rows 21 and 22).
    Unseen(Unseen),
    /// Anything else.
    NotUnderstood,
}

/// What only the issuer can tell of a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unseen {
    /// Whether the connection comes through a compliant network.
    CompliantNetwork,
    /// The position that the Authenticator app gives.
    Gps,
}

impl NamedLocation {
    fn read(item: &Item<'_>) -> Self {
        let id = text(item.members, "id").map(str::to_ascii_lowercase);
        let kind = Kind::read(item);
        let flagged = item.members.get("isTrusted") == Some(&Value::Bool(true));
        // Row 20: trusted IP locations, and the MFA trusted IPs whatever their flag; countries never, however looked up.
        let trusted = match kind {
            Kind::Ip { .. } => flagged || id.as_deref() == Some(MFA_TRUSTED_IPS),
            Kind::Country { .. } | Kind::Unseen(Unseen::Gps) => false,
            Kind::Unseen(Unseen::CompliantNetwork) | Kind::NotUnderstood => {
                id.as_deref() == Some(MFA_TRUSTED_IPS)
            }
        };
        Self {
            id,
            display_name: text(item.members, "displayName").map(Into::into),
            trusted,
            changed: Changed::read(item.members),
            kind,
        }
    }
}

impl Kind {
    /// Row 21: `@odata.type`, else `locationType`, else the members say what it is.
    fn read(item: &Item<'_>) -> Self {
        let has = |name: &str| item.members.get(name).is_some_and(document::is_configured);
        let name = text(item.members, "@odata.type")
            .or_else(|| text(item.members, "locationType"))
            .map_or_else(
                || match (has("ipRanges"), has("countriesAndRegions")) {
                    (true, false) => "ipNamedLocation",
                    (false, true) => "countryNamedLocation",
                    _ => "",
                },
                type_name,
            );
        if name.eq_ignore_ascii_case("ipNamedLocation") {
            Self::read_ip(item)
        } else if name.eq_ignore_ascii_case("countryNamedLocation") {
            Self::read_country(item)
        } else if name.eq_ignore_ascii_case("compliantNetworkNamedLocation") {
            Self::Unseen(Unseen::CompliantNetwork)
        } else {
            Self::NotUnderstood
        }
    }

    fn read_ip(item: &Item<'_>) -> Self {
        let (mut ranges, mut unreadable) = (Vec::new(), false);
        for entry in entries(item.members.get("ipRanges")) {
            match entry.err().and_then(read_range) {
                Some(range) => ranges.push(range),
                None => unreadable = true,
            }
        }
        Self::Ip {
            first: ranges.first().copied(),
            count: ranges.len(),
            unplaced: ranges,
            unreadable,
        }
    }

    fn read_country(item: &Item<'_>) -> Self {
        let lookup = text(item.members, "countryLookupMethod").unwrap_or("clientIpAddress");
        if lookup.eq_ignore_ascii_case("authenticatorAppGps") {
            return Self::Unseen(Unseen::Gps);
        }
        if !lookup.eq_ignore_ascii_case("clientIpAddress") {
            return Self::NotUnderstood;
        }
        let (mut countries, mut unreadable) = (Vec::new(), false);
        for entry in entries(item.members.get("countriesAndRegions")) {
            match entry {
                Ok(country) => countries.push(country.to_ascii_uppercase().into_boxed_str()),
                Err(_) => unreadable = true,
            }
        }
        countries.sort_unstable();
        Self::Country {
            countries,
            unmapped: item.members.get("includeUnknownCountriesAndRegions")
                == Some(&Value::Bool(true)),
            unreadable,
        }
    }

    /// Whether it may hold a place that nothing readable in it holds.
    pub(crate) const fn may_hold_anything(&self) -> bool {
        match self {
            Self::Ip { unreadable, .. } | Self::Country { unreadable, .. } => *unreadable,
            Self::Unseen(_) | Self::NotUnderstood => true,
        }
    }

    /// How many ranges it holds.
    fn ranges(&self) -> usize {
        match self {
            Self::Ip { count, .. } => *count,
            _ => 0,
        }
    }
}

/// `cidrAddress`, or `lowerAddress` and `upperAddress`.
fn read_range(value: &Value) -> Option<AddressRange> {
    let members = value.as_object()?;
    match (
        text(members, "cidrAddress"),
        text(members, "lowerAddress"),
        text(members, "upperAddress"),
    ) {
        (Some(cidr), None, None) => AddressRange::parse_cidr(cidr),
        (None, Some(lower), Some(upper)) => AddressRange::parse_bounds(lower, upper),
        _ => None,
    }
}

/// The named locations of one source, as policies refer to them.
#[derive(Debug)]
pub(crate) struct Named<'a> {
    locations: &'a [NamedLocation],
    /// Positions by id.
    by_id: HashMap<&'a str, Vec<usize>, FixedState>,
    pub(crate) trusted: Trusted,
}

/// What `AllTrusted` comes to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trusted {
    /// Ranges of all trusted locations together.
    pub(crate) ranges: usize,
    /// A trusted location may hold what nothing readable in it holds.
    pub(crate) doubt: bool,
    /// When the last of them changed.
    pub(crate) changed: Changed,
}

impl<'a> Named<'a> {
    pub(crate) fn new(locations: &'a [NamedLocation]) -> Self {
        let mut by_id: HashMap<&str, Vec<usize>, FixedState> = HashMap::default();
        let mut trusted = Trusted::default();
        for (position, location) in locations.iter().enumerate() {
            if let Some(id) = &location.id {
                by_id.entry(id).or_default().push(position);
            }
            if location.trusted {
                trusted.ranges = trusted.ranges.saturating_add(location.kind.ranges());
                trusted.doubt |= location.kind.may_hold_anything();
                trusted.changed = trusted.changed.max(location.changed);
            }
        }
        Self {
            locations,
            by_id,
            trusted,
        }
    }
}

/// The named locations that a policy may refer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// Those of its source; `None` if the source has no document of them.
    pub(crate) named: Option<&'a Named<'a>>,
    /// The position of the first among the locations of all sources.
    pub(crate) offset: usize,
}

impl<'a> Known<'a> {
    /// The positions of the source among those of all sources; empty if none of them is trusted with a range.
    pub(crate) fn range(self) -> Range<usize> {
        let named = self.named.filter(|named| named.trusted.ranges > 0);
        let count = named.map_or(0, |named| named.locations.len());
        self.offset..self.offset.saturating_add(count)
    }

    /// The location at a position among those of all sources.
    pub(crate) fn get(self, position: usize) -> Option<&'a NamedLocation> {
        self.named?
            .locations
            .get(position.checked_sub(self.offset)?)
    }

    /// The locations with an id, each with its position among those of all sources.
    pub(crate) fn with_id(self, id: &str) -> impl Iterator<Item = (usize, &'a NamedLocation)> {
        let id = id.to_ascii_lowercase();
        let named = self
            .named
            .and_then(|named| Some((named.locations, named.by_id.get(id.as_str())?)));
        named.into_iter().flat_map(move |(locations, positions)| {
            positions.iter().filter_map(move |position| {
                let location = locations.get(*position)?;
                Some((position.saturating_add(self.offset), location))
            })
        })
    }
}

/// Reads the named locations of a document, all faults included.
pub(crate) fn read(document: &Value, at: &str, faults: &mut Vec<Fault>) -> Vec<NamedLocation> {
    document::items(document, at, faults)
        .iter()
        .map(NamedLocation::read)
        .collect()
}

/// The members of named locations that say what kind they are but cannot be read, for people.
pub(crate) fn warnings(locations: &[NamedLocation], document: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    for (location, item) in locations
        .iter()
        .zip(document::items(document, "", &mut Vec::new()))
    {
        let name = location
            .display_name
            .as_deref()
            .or(location.id.as_deref())
            .unwrap_or("?");
        match &location.kind {
            Kind::Ip { .. } => {
                for entry in entries(item.members.get("ipRanges")) {
                    if entry.err().and_then(read_range).is_none() {
                        let shown = match entry {
                            Ok(text) => text.into(),
                            Err(value) => value.as_object().map_or_else(String::new, |range| {
                                configured(range)
                                    .filter_map(|(_, value)| value.as_str())
                                    .collect::<Vec<_>>()
                                    .join("–")
                            }),
                        };
                        warnings.push(format!(
                            "named location `{name}`: range `{shown}` cannot be read; the location may match any address"
                        ));
                    }
                }
            }
            Kind::Country { unreadable: true, .. } => warnings.push(format!(
                "named location `{name}`: an entry of `countriesAndRegions` cannot be read; it may match any country"
            )),
            Kind::Country { .. } => {}
            Kind::Unseen(unseen) => {
                let what = match unseen {
                    Unseen::CompliantNetwork => "a compliant network",
                    Unseen::Gps => "the position that the Authenticator app gives",
                };
                warnings.push(format!(
                    "named location `{name}`: {what} is for the issuer to tell; it may match any address"
                ));
            }
            Kind::NotUnderstood => warnings.push(format!(
                "named location `{name}`: neither IP ranges nor countries by IP address; it may match any address"
            )),
        }
    }
    warnings
}

/// Named locations with their lookup tables.
#[derive(Clone, Debug, Default)]
pub struct NamedLocations {
    locations: Vec<NamedLocation>,
    table: Table,
}

/// Where a request comes from: the set of IP locations that hold its address, and its country.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// `None`: the address is not known.
    pub(crate) set: Option<usize>,
    pub(crate) country: Option<&'a str>,
}

impl NamedLocations {
    /// Moves the ranges of all locations into tables.
    pub(crate) fn new(mut locations: Vec<NamedLocation>) -> Self {
        let ranges = locations
            .iter_mut()
            .enumerate()
            .flat_map(|(index, location)| {
                let ranges = match &mut location.kind {
                    Kind::Ip { unplaced, .. } => mem::take(unplaced),
                    _ => Vec::new(),
                };
                ranges.into_iter().map(move |range| (index, range))
            });
        let table = Table::new(ranges);
        Self { locations, table }
    }

    /// The locations in the order of their documents.
    #[must_use]
    pub fn locations(&self) -> &[NamedLocation] {
        &self.locations
    }

    /// Whether some IP location holds the address.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        !self.table.set(self.table.find(address)).is_empty()
    }

    /// The positions of the locations that hold the addresses of a set, sorted.
    pub(crate) fn set(&self, number: usize) -> &[usize] {
        self.table.set(number)
    }

    pub(crate) fn place<'a>(&self, address: Option<IpAddr>, country: Option<&'a str>) -> Place<'a> {
        Place {
            set: address.map(|address| self.table.find(address)),
            country,
        }
    }

    /// Whether the location at `index` holds a place (row 22).
    pub(crate) fn truth(&self, index: usize, place: Place<'_>) -> Truth {
        let Some(location) = self.locations.get(index) else {
            return Truth::Unknown;
        };
        match &location.kind {
            Kind::Ip {
                count, unreadable, ..
            } => match place.set {
                Some(set) if self.table.set(set).binary_search(&index).is_ok() => Truth::True,
                None if *count > 0 => Truth::Unknown,
                _ if *unreadable => Truth::Unknown,
                _ => Truth::False,
            },
            Kind::Country {
                countries,
                unmapped,
                unreadable,
            } => {
                let listed = match place.country {
                    Some("" | "ZZ") => Truth::from(*unmapped),
                    Some(country) if countries.binary_search_by(|c| (**c).cmp(country)).is_ok() => {
                        Truth::True
                    }
                    None if *unmapped || !countries.is_empty() => Truth::Unknown,
                    _ => Truth::False,
                };
                let doubt = if *unreadable {
                    Truth::Unknown
                } else {
                    Truth::False
                };
                listed | doubt
            }
            Kind::Unseen(_) | Kind::NotUnderstood => Truth::Unknown,
        }
    }
}

#[cfg(test)]
mod tests;
