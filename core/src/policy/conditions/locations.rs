//! The location condition of a policy, over named locations that are referred to by position.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{Map, Value};
use crate::policy::document::{Notes, entries, is_configured};
use crate::policy::location::{Kind, NamedLocation, NamedLocations, Place};
use crate::policy::logic::Truth;

/// The named locations that a policy may refer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// Those of its source; `None` if the source has no document of them.
    pub(crate) locations: Option<&'a [NamedLocation]>,
    /// The position of the first among the locations of all sources.
    pub(crate) offset: usize,
}

/// One side of the location condition.
#[derive(Clone, Debug, Default)]
pub(crate) struct LocationSide {
    any: bool,
    /// A reference to something that is not there (row 21), or `AllTrusted` without a document (row 20).
    unresolved: bool,
    /// Named locations, by position among those of all sources.
    pub(crate) locations: Vec<usize>,
}

impl LocationSide {
    fn read(value: Option<&Value>, path: &str, known: Known<'_>, notes: &mut Notes) -> Self {
        let mut side = Self::default();
        for entry in entries(value) {
            let found: Option<Vec<usize>> = match (entry, known.locations) {
                (Ok(text), _) if text.eq_ignore_ascii_case("All") => {
                    side.any = true;
                    continue;
                }
                (Ok(text), Some(locations)) if text.eq_ignore_ascii_case("AllTrusted") => {
                    Some(positions(locations, known.offset, |location| {
                        location.trusted
                    }))
                }
                (Ok(text), Some(locations)) => {
                    let id = text.to_ascii_lowercase();
                    Some(positions(locations, known.offset, |location| {
                        location.id.as_deref() == Some(&id)
                    }))
                    .filter(|found| !found.is_empty())
                }
                _ => None,
            };
            match (found, entry) {
                (Some(found), _) => side.locations.extend(found),
                (None, Ok(text)) => {
                    side.unresolved = true;
                    let lack = match known.locations {
                        Some(_) => "is not among the named locations",
                        None => "refers to named locations, and none are given",
                    };
                    notes
                        .warnings
                        .push(format!("{path}: `{text}` {lack}; it may match any address"));
                }
                (None, Err(_)) => {
                    side.unresolved = true;
                    notes.not_understood(path);
                }
            }
        }
        side.locations.sort_unstable();
        side.locations.dedup();
        side
    }

    fn truth(&self, locations: &NamedLocations, place: Place<'_>) -> Truth {
        if self.any {
            return Truth::True;
        }
        let doubt = if self.unresolved {
            Truth::Unknown
        } else {
            Truth::False
        };
        self.locations.iter().fold(doubt, |truth, location| {
            truth | locations.truth(*location, place)
        })
    }
}

fn positions(
    locations: &[NamedLocation],
    offset: usize,
    choose: impl Fn(&NamedLocation) -> bool,
) -> Vec<usize> {
    locations
        .iter()
        .enumerate()
        .filter(|(_, location)| choose(location))
        .map(|(index, _)| index.saturating_add(offset))
        .collect()
}

/// The location condition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locations {
    pub(crate) include: LocationSide,
    pub(crate) exclude: LocationSide,
    /// Something not understood: unknown everywhere (row 9).
    opaque: bool,
    /// Reads the country of the request.
    pub(crate) reads_country: bool,
    /// Reads the address of the request.
    pub(crate) reads_address: bool,
    /// IP ranges that it refers to.
    pub(crate) ranges: usize,
}

impl Locations {
    pub(crate) fn read(
        conditions: &Map<String, Value>,
        known: Known<'_>,
        notes: &mut Notes,
    ) -> Self {
        let path = "conditions.locations";
        let any = Self {
            include: LocationSide {
                any: true,
                ..LocationSide::default()
            },
            ..Self::default()
        };
        let members = match conditions
            .get("locations")
            .filter(|value| is_configured(value))
        {
            None => return any,
            Some(Value::Object(members)) => members,
            Some(_) => {
                notes.not_understood(path);
                return Self {
                    opaque: true,
                    ..any
                };
            }
        };
        let mut side = |name: &str| {
            LocationSide::read(members.get(name), &format!("{path}.{name}"), known, notes)
        };
        let (mut include, exclude) = (side("includeLocations"), side("excludeLocations"));
        // Row 20: an exclude list alone excludes from everywhere.
        if !members.get("includeLocations").is_some_and(is_configured) {
            include.any = true;
        }
        let mut read = Self {
            include,
            exclude,
            opaque: notes.unknown_members(path, members, &["includeLocations", "excludeLocations"]),
            ..Self::default()
        };
        for location in read.named(known) {
            match &location.kind {
                Kind::Ip { ranges, .. } => {
                    read.reads_address = true;
                    read.ranges = read.ranges.saturating_add(ranges.len());
                }
                Kind::Country { .. } => read.reads_country = true,
                Kind::NotUnderstood => {}
            }
        }
        read
    }

    pub(crate) fn truth(&self, locations: &NamedLocations, place: Place<'_>) -> Truth {
        if self.opaque {
            return Truth::Unknown;
        }
        self.include.truth(locations, place) & !self.exclude.truth(locations, place)
    }

    /// The named locations referred to, each once.
    pub(crate) fn named<'a>(&self, known: Known<'a>) -> Vec<&'a NamedLocation> {
        let mut positions: Vec<usize> = [&self.include, &self.exclude]
            .into_iter()
            .flat_map(|side| side.locations.iter().copied())
            .collect();
        positions.sort_unstable();
        positions.dedup();
        positions
            .into_iter()
            .filter_map(|position| known.locations?.get(position.checked_sub(known.offset)?))
            .collect()
    }

    /// Whether some address or country makes it true.
    pub(crate) fn can_be_true(&self, locations: &NamedLocations, country_known: bool) -> bool {
        let mut included = Self::kinds(&self.include, locations);
        let mut excluded = Self::kinds(&self.exclude, locations);
        !self.opaque
            && (self.include.any || included.any(|kind| kind.can_be_true(country_known)))
            && !self.exclude.any
            && !self.exclude.unresolved
            && excluded.all(|kind| kind.can_be_false(country_known))
    }

    fn kinds<'a>(
        side: &'a LocationSide,
        locations: &'a NamedLocations,
    ) -> impl Iterator<Item = &'a Kind> {
        side.locations
            .iter()
            .filter_map(|index| locations.locations().get(*index))
            .map(|location| &location.kind)
    }
}
