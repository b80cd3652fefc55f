//! The location condition of a policy, over named locations that are referred to by position.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use crate::json::{Map, Value};
use crate::policy::document::{Notes, entries, is_configured};
use crate::policy::location::{Changed, Kind, Known, NamedLocation, NamedLocations, Place};
use crate::policy::logic::Truth;

/// One side of the location condition.
#[derive(Clone, Debug, Default)]
pub(crate) struct LocationSide {
    any: bool,
    /// Something that may hold any place: a reference to nothing (row 21), `AllTrusted` without a document (row 20),
    /// a location that cannot be told or cannot be read to the end (rows 21 and 22).
    doubt: bool,
    /// `AllTrusted`: those among these positions that are trusted.
    trusted: Range<usize>,
    /// Locations with addresses, by position among those of all sources, sorted.
    addresses: Vec<usize>,
    /// Locations with countries, likewise.
    countries: Vec<usize>,
}

impl LocationSide {
    /// Reads one side; `referred` gathers the positions of what it refers to besides `AllTrusted`.
    fn read(
        value: Option<&Value>,
        path: &str,
        known: Known<'_>,
        referred: &mut Vec<usize>,
        notes: &mut Notes,
    ) -> Self {
        let mut side = Self::default();
        for entry in entries(value) {
            let text = match entry {
                Ok(text) => text,
                Err(_) => {
                    side.doubt = true;
                    notes.not_understood(path);
                    continue;
                }
            };
            match known.named {
                _ if text.eq_ignore_ascii_case("All") => side.any = true,
                Some(named) if text.eq_ignore_ascii_case("AllTrusted") => {
                    side.trusted = known.range();
                    side.doubt |= named.trusted.doubt;
                }
                Some(_) if side.refer(known, text, referred) => {}
                found => {
                    side.doubt = true;
                    let lack = match found {
                        Some(_) => "is not among the named locations",
                        None => "refers to named locations, and none are given",
                    };
                    notes
                        .warnings
                        .push(format!("{path}: `{text}` {lack}; it may match any address"));
                }
            }
        }
        for list in [&mut side.addresses, &mut side.countries] {
            list.sort_unstable();
            list.dedup();
        }
        side
    }

    /// Adds the locations with this id; false if there are none.
    fn refer(&mut self, known: Known<'_>, id: &str, referred: &mut Vec<usize>) -> bool {
        let mut found = false;
        for (position, location) in known.with_id(id) {
            found = true;
            referred.push(position);
            self.doubt |= location.kind.may_hold_anything();
            match &location.kind {
                Kind::Ip { count, .. } if *count > 0 => self.addresses.push(position),
                Kind::Country { .. } => self.countries.push(position),
                Kind::Ip { .. } | Kind::Unseen(_) | Kind::NotUnderstood => {}
            }
        }
        found
    }

    #[inline]
    fn truth(&self, locations: &NamedLocations, place: Place<'_>) -> Truth {
        if self.any {
            Truth::True
        } else {
            self.truth_by_name(locations, place)
        }
    }

    fn truth_by_name(&self, locations: &NamedLocations, place: Place<'_>) -> Truth {
        let addresses = match place.set {
            // Few locations hold one address, and a policy may refer to thousands.
            Some(set) => Truth::from(self.holding(locations, set).next().is_some()),
            None if self.addresses.is_empty() && self.trusted.is_empty() => Truth::False,
            None => Truth::Unknown,
        };
        let doubt = if self.doubt {
            Truth::Unknown
        } else {
            Truth::False
        };
        self.countries
            .iter()
            .fold(addresses | doubt, |truth, location| {
                truth | locations.truth(*location, place)
            })
    }

    /// The locations referred to that hold the addresses of this set.
    fn holding<'a>(
        &'a self,
        locations: &'a NamedLocations,
        set: usize,
    ) -> impl Iterator<Item = &'a NamedLocation> {
        let positions = locations.set(set).iter();
        positions.filter_map(|position| {
            let location = locations.locations().get(*position)?;
            let named = location.trusted && self.trusted.contains(position)
                || self.addresses.binary_search(position).is_ok();
            named.then_some(location)
        })
    }

    /// Whether an address, or a country if it is known, can be told to lie inside.
    fn can_be_true(&self, country_known: bool) -> bool {
        self.any
            || !self.addresses.is_empty()
            || !self.trusted.is_empty()
            || (country_known && !self.countries.is_empty())
    }

    /// Whether it can be told to lie outside.
    fn can_be_false(&self, country_known: bool) -> bool {
        !self.any && !self.doubt && (country_known || self.countries.is_empty())
    }
}

/// The location condition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locations {
    include: LocationSide,
    exclude: LocationSide,
    /// Something not understood: unknown everywhere (row 9).
    opaque: bool,
    /// Reads the country of the request.
    pub(crate) reads_country: bool,
    /// Reads the address of the request.
    pub(crate) reads_address: bool,
    /// Refers to a location that only the issuer can tell.
    pub(crate) reads_unseen: bool,
    /// IP ranges that it refers to.
    pub(crate) ranges: usize,
    /// When the last of the locations referred to changed.
    pub(crate) changed: Changed,
}

impl Locations {
    pub(crate) fn read(
        conditions: &Map<String, Value>,
        known: Known<'_>,
        notes: &mut Notes,
    ) -> Self {
        let path = "conditions.locations";
        let mut read = Self::default();
        read.include.any = true;
        let members = match conditions
            .get("locations")
            .filter(|value| is_configured(value))
        {
            None => return read,
            Some(Value::Object(members)) => members,
            Some(_) => {
                notes.not_understood(path);
                read.opaque = true;
                return read;
            }
        };
        let mut referred = Vec::new();
        let mut side = |name: &str| {
            LocationSide::read(
                members.get(name),
                &format!("{path}.{name}"),
                known,
                &mut referred,
                notes,
            )
        };
        (read.include, read.exclude) = (side("includeLocations"), side("excludeLocations"));
        // Row 20: an exclude list alone excludes from everywhere.
        if !members.get("includeLocations").is_some_and(is_configured) {
            read.include.any = true;
        }
        read.opaque =
            notes.unknown_members(path, members, &["includeLocations", "excludeLocations"]);
        read.sum_up(known, referred);
        read
    }

    /// What the locations referred to come to, each counted once.
    fn sum_up(&mut self, known: Known<'_>, mut referred: Vec<usize>) {
        let trusted = [&self.include, &self.exclude]
            .iter()
            .any(|side| !side.trusted.is_empty());
        if let Some(named) = known.named.filter(|_| trusted) {
            self.reads_address |= named.trusted.ranges > 0;
            self.ranges = named.trusted.ranges;
            self.changed = named.trusted.changed;
        }
        referred.sort_unstable();
        referred.dedup();
        for location in referred
            .into_iter()
            .filter_map(|position| known.get(position))
        {
            self.changed = self.changed.max(location.changed);
            match &location.kind {
                Kind::Ip { count, .. } => {
                    self.reads_address = true;
                    if !(trusted && location.trusted) {
                        self.ranges = self.ranges.saturating_add(*count);
                    }
                }
                Kind::Country { .. } => self.reads_country = true,
                Kind::Unseen(_) | Kind::NotUnderstood => self.reads_unseen = true,
            }
        }
    }

    pub(crate) fn truth(&self, locations: &NamedLocations, place: Place<'_>) -> Truth {
        if self.opaque {
            return Truth::Unknown;
        }
        self.include.truth(locations, place) & !self.exclude.truth(locations, place)
    }

    /// The locations referred to on either side that definitely hold a place.
    pub(crate) fn holding<'a>(
        &'a self,
        locations: &'a NamedLocations,
        place: Place<'a>,
    ) -> impl Iterator<Item = &'a NamedLocation> {
        [&self.include, &self.exclude]
            .into_iter()
            .flat_map(move |side| {
                let by_address = place
                    .set
                    .into_iter()
                    .flat_map(|set| side.holding(locations, set));
                let by_country = side.countries.iter().filter_map(move |position| {
                    (locations.truth(*position, place) == Truth::True)
                        .then(|| locations.locations().get(*position))
                        .flatten()
                });
                by_address.chain(by_country)
            })
    }

    /// Whether some address or country makes it true.
    pub(crate) fn can_be_true(&self, country_known: bool) -> bool {
        !self.opaque
            && self.include.can_be_true(country_known)
            && self.exclude.can_be_false(country_known)
    }
}
