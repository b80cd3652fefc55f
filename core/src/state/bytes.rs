//! Canonical record bytes: what databases, Durable Objects and streams hold.
//!
//! Equal records have equal bytes and unequal records unequal ones, so bytes can be compared and hashed. Reading
//! is strict: every text that is not what [`Record::to_bytes`] would write is refused.
//!
//! | part | layout |
//! |---|---|
//! | record | version byte `1`, then the fields in ascending order of their tags; an empty field is absent |
//! | field `1` cut-off | entry, cause byte |
//! | field `2` MFA enabled | entry, value byte |
//! | field `3` status | count, then per transmitter: 8 bytes of its id, entry, status byte |
//! | field `4` risk | count, then per transmitter: 8 bytes of its id, entry, level byte |
//! | field `5` compliance | count, then per transmitter: 8 bytes of its id, entry, compliance byte |
//! | field `6` scoped cut-offs | count (at most 32), then per scope: scope, entry, cause byte |
//! | field `7` location challenges | count (at most 16), then per place: 8 bytes, varint of seconds |
//! | field `8` assurance | count, then per transmitter: 8 bytes of its id, entry, text of the level (at most 128 bytes) |
//! | field `9` claims | count (at most 32), then per claim: text of the name (1 to 256 bytes), entry, text of the value (at most 512 bytes) |
//! | field `10` opt-out | count, then per transmitter: 8 bytes of its id, entry, opt-out byte |
//! | entry | varint of the event time in microseconds, varint of the SET's `iat` in seconds |
//! | scope | count of members, members, `unseenMember` byte |
//! | member | kind byte, count of keys, then per key: name space byte, 16 bytes |
//! | text | varint of its length in bytes, UTF-8 |
//! | count, varint | unsigned LEB128 in as few bytes as possible, at most 64 bits |
//!
//! Transmitters, scopes, members, keys, places and claims are strictly ascending. The numbers of causes, levels, kinds and
//! name spaces are those of [`Named`].

use alloc::vec::Vec;

use super::claim::{ClaimName, ClaimValue};
use super::key::StateKey;
use super::names::Named;
use super::record::{
    AssuranceLevel, Cause, CutOffScope, Entry, LocationChallenge, Member, Record, TransmitterId,
};
use crate::time::{EventTime, UnixTime};

const VERSION: u8 = 1;

const CUT_OFF: u8 = 1;
const MFA_ENABLED: u8 = 2;
const STATUS: u8 = 3;
const RISK: u8 = 4;
const COMPLIANCE: u8 = 5;
const SCOPED: u8 = 6;
const LOCATION_CHALLENGES: u8 = 7;
const ASSURANCE: u8 = 8;
const CLAIMS: u8 = 9;
const OPT_OUT: u8 = 10;

/// Record bytes that cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("record bytes cannot be read at byte {at}: {kind}")]
pub struct RecordError {
    /// Byte offset behind what was read last.
    pub at: usize,
    /// What is wrong there.
    pub kind: RecordErrorKind,
}

/// What is wrong with record bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordErrorKind {
    /// The bytes end too early.
    #[error("they end too early")]
    Truncated,
    /// Not a version that this engine writes.
    #[error("version {0} is not known")]
    Version(u8),
    /// A field that this version does not have.
    #[error("field {0} is not known")]
    UnknownField(u8),
    /// A number that stands for no value.
    #[error("value {0} is not known")]
    UnknownValue(u8),
    /// Repeated, or not in ascending order.
    #[error("not in ascending order")]
    Order,
    /// A field or list that should be absent because it is empty.
    #[error("an empty list")]
    Empty,
    /// A varint with more bytes than it needs.
    #[error("a varint is longer than needed")]
    Overlong,
    /// A varint of more than 64 bits, or a count that the remaining bytes or the field cannot hold.
    #[error("a number is too large")]
    TooLarge,
    /// Bytes that are not UTF-8, or a name without any.
    #[error("not a text")]
    Text,
}

impl Record {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(32);
        out.push(VERSION);
        if let Some(entry) = self.cut_off {
            out.push(CUT_OFF);
            put_valued(&mut out, entry);
        }
        if let Some(entry) = self.mfa_enabled {
            out.push(MFA_ENABLED);
            put_valued(&mut out, entry);
        }
        put_by_transmitter(&mut out, STATUS, &self.status);
        put_by_transmitter(&mut out, RISK, &self.risk);
        put_by_transmitter(&mut out, COMPLIANCE, &self.compliance);
        if !self.scoped.is_empty() {
            out.push(SCOPED);
            put_count(&mut out, self.scoped.len());
            for (scope, entry) in &self.scoped {
                put_scope(&mut out, scope);
                put_valued(&mut out, *entry);
            }
        }
        if !self.location_challenges.is_empty() {
            out.push(LOCATION_CHALLENGES);
            put_count(&mut out, self.location_challenges.len());
            for challenge in &self.location_challenges {
                out.extend_from_slice(&challenge.place);
                put_varint(&mut out, challenge.given.as_secs());
            }
        }
        self.put_texts(&mut out);
        put_by_transmitter(&mut out, OPT_OUT, &self.opt_out);
        out
    }

    fn put_texts(&self, out: &mut Vec<u8>) {
        if !self.assurance.is_empty() {
            out.push(ASSURANCE);
            put_count(out, self.assurance.len());
            for (transmitter, entry) in &self.assurance {
                out.extend_from_slice(&transmitter.0);
                put_entry(out, entry);
                put_text(out, entry.value.as_str());
            }
        }
        if !self.claims.is_empty() {
            out.push(CLAIMS);
            put_count(out, self.claims.len());
            for (name, entry) in &self.claims {
                put_text(out, name.as_str());
                put_entry(out, entry);
                put_text(out, entry.value.as_str());
            }
        }
    }

    /// Reads what [`Record::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`RecordError`] for every other text; a record that cannot be read denies the request that needs it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut record = Self::default();
        read_fields(bytes, |field, reader| reader.field(field, &mut record))?;
        Ok(record)
    }

    /// As [`Record::from_bytes`] for those who want to know only whether it succeeds, and whether the record is empty.
    pub(super) fn check(bytes: &[u8]) -> Result<bool, RecordError> {
        let mut is_empty = true;
        read_fields(bytes, |field, reader| {
            is_empty = false;
            match field {
                // Most records hold nothing else: spare them the making of a record.
                CUT_OFF => reader.valued::<Cause>().map(drop),
                _ => reader.field(field, &mut Self::default()),
            }
        })?;
        Ok(is_empty)
    }
}

/// Calls `read` with the tag of each field; the reader stands behind it.
fn read_fields(
    bytes: &[u8],
    mut read: impl FnMut(u8, &mut Reader<'_>) -> Result<(), RecordError>,
) -> Result<(), RecordError> {
    let mut reader = Reader {
        rest: bytes,
        length: bytes.len(),
    };
    match reader.byte()? {
        VERSION => {}
        version => return Err(reader.error(RecordErrorKind::Version(version))),
    }
    let mut last = 0;
    while !reader.rest.is_empty() {
        let field = reader.byte()?;
        read(field, &mut reader)?;
        if field <= last {
            return Err(reader.error(RecordErrorKind::Order));
        }
        last = field;
    }
    Ok(())
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = (value & 0x7f).to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    put_varint(out, u64::try_from(count).unwrap_or(u64::MAX));
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_entry<T>(out: &mut Vec<u8>, entry: &Entry<T>) {
    put_varint(out, entry.at.as_micros());
    put_varint(out, entry.issued.as_secs());
}

fn put_valued<T: Named>(out: &mut Vec<u8>, entry: Entry<T>) {
    put_entry(out, &entry);
    out.push(entry.value.number());
}

fn put_by_transmitter<T: Named>(
    out: &mut Vec<u8>,
    field: u8,
    entries: &[(TransmitterId, Entry<T>)],
) {
    if entries.is_empty() {
        return;
    }
    out.push(field);
    put_count(out, entries.len());
    for (transmitter, entry) in entries {
        out.extend_from_slice(&transmitter.0);
        put_valued(out, *entry);
    }
}

fn put_scope(out: &mut Vec<u8>, scope: &CutOffScope) {
    put_count(out, scope.members.len());
    for member in &scope.members {
        out.push(Named::number(member.kind));
        put_count(out, member.keys.len());
        for (name_space, key) in &member.keys {
            out.push(Named::number(*name_space));
            out.extend_from_slice(&key.to_bytes());
        }
    }
    out.push(scope.unseen.number());
}

/// Bytes that are still to be read.
struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    #[cold]
    fn error(&self, kind: RecordErrorKind) -> RecordError {
        RecordError {
            at: self.length.saturating_sub(self.rest.len()),
            kind,
        }
    }

    fn field(&mut self, field: u8, record: &mut Record) -> Result<(), RecordError> {
        match field {
            CUT_OFF => record.cut_off = Some(self.valued()?),
            MFA_ENABLED => record.mfa_enabled = Some(self.valued()?),
            STATUS => record.status = self.by_transmitter()?,
            RISK => record.risk = self.by_transmitter()?,
            COMPLIANCE => record.compliance = self.by_transmitter()?,
            SCOPED => record.scoped = self.scoped()?,
            LOCATION_CHALLENGES => record.location_challenges = self.challenges()?,
            ASSURANCE => record.assurance = self.assurance()?,
            CLAIMS => record.claims = self.claims()?,
            OPT_OUT => record.opt_out = self.by_transmitter()?,
            unknown => return Err(self.error(RecordErrorKind::UnknownField(unknown))),
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, RecordError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let Some((array, rest)) = self.rest.split_first_chunk() else {
            return Err(self.error(RecordErrorKind::Truncated));
        };
        self.rest = rest;
        Ok(*array)
    }

    fn varint(&mut self) -> Result<u64, RecordError> {
        // The times of events take eight bytes: one load instead of a loop.
        let Some(chunk) = self.rest.first_chunk() else {
            return self.varint_by_bytes();
        };
        let word = u64::from_le_bytes(*chunk);
        let stops = !word & 0x8080_8080_8080_8080;
        if stops == 0 {
            return self.varint_by_bytes();
        }
        let stop = stops.trailing_zeros();
        let (length, is_long) = (stop.div_ceil(8), stop > 8);
        let word = word & u64::MAX.wrapping_shr(63_u32.wrapping_sub(stop));
        // Close the gaps that the continuation bits leave: pairs, fours, eights.
        let word = word & 0x7f7f_7f7f_7f7f_7f7f;
        let word = (word & 0x007f_007f_007f_007f) | ((word & 0x7f00_7f00_7f00_7f00) >> 1);
        let word = (word & 0x0000_3fff_0000_3fff) | ((word & 0x3fff_0000_3fff_0000) >> 2);
        let value = (word & 0x0000_0000_0fff_ffff) | ((word & 0x0fff_ffff_0000_0000) >> 4);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.rest = self.rest.get(length..).unwrap_or_default();
        if is_long && value.checked_shr(7_u32.saturating_mul(stop / 8)) == Some(0) {
            return Err(self.error(RecordErrorKind::Overlong));
        }
        Ok(value)
    }

    /// A number of nine or ten bytes, or one near the end.
    fn varint_by_bytes(&mut self) -> Result<u64, RecordError> {
        let (mut value, mut shift) = (0, 0_u32);
        while let Some((byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte holds the last of 64 bits, and is the last.
            if shift == 63 && *byte > 1 {
                return Err(self.error(RecordErrorKind::TooLarge));
            }
            value |= bits.wrapping_shl(shift);
            if *byte == 0 && shift > 0 {
                return Err(self.error(RecordErrorKind::Overlong));
            }
            if *byte < 0x80 {
                return Ok(value);
            }
            shift = shift.wrapping_add(7);
        }
        Err(self.error(RecordErrorKind::Truncated))
    }

    /// A text of at most `longest` bytes.
    fn text(&mut self, longest: usize) -> Result<&'a str, RecordError> {
        let length = self.varint()?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > longest {
            return Err(self.error(RecordErrorKind::TooLarge));
        }
        let Some((text, rest)) = self.rest.split_at_checked(length) else {
            return Err(self.error(RecordErrorKind::Truncated));
        };
        self.rest = rest;
        core::str::from_utf8(text).map_err(|_| self.error(RecordErrorKind::Text))
    }

    fn named<T: Named>(&mut self) -> Result<T, RecordError> {
        let number = self.byte()?;
        T::from_number(number).ok_or_else(|| self.error(RecordErrorKind::UnknownValue(number)))
    }

    fn entry<T>(&mut self, value: T) -> Result<Entry<T>, RecordError> {
        Ok(Entry {
            at: EventTime::from_micros(self.varint()?),
            issued: UnixTime::from_secs(self.varint()?),
            value,
        })
    }

    fn valued<T: Named>(&mut self) -> Result<Entry<T>, RecordError> {
        let Entry { at, issued, .. } = self.entry(())?;
        let value = self.named()?;
        Ok(Entry { at, issued, value })
    }

    /// The number of elements that follow, each of at least `smallest` bytes.
    fn count(&mut self, smallest: usize) -> Result<usize, RecordError> {
        let count = self.varint()?;
        let most = self.rest.len().checked_div(smallest).unwrap_or(0);
        match usize::try_from(count) {
            Ok(0) => Err(self.error(RecordErrorKind::Empty)),
            Ok(count) if count <= most => Ok(count),
            _ => Err(self.error(RecordErrorKind::TooLarge)),
        }
    }

    /// A list of at least one element, strictly ascending by `name`.
    fn list<T, N: Ord + ?Sized>(
        &mut self,
        smallest: usize,
        mut element: impl FnMut(&mut Self) -> Result<T, RecordError>,
        name: impl Fn(&T) -> &N,
    ) -> Result<Vec<T>, RecordError> {
        let count = self.count(smallest)?;
        let mut list: Vec<T> = Vec::with_capacity(count);
        for _ in 0..count {
            let next = element(self)?;
            if list.last().is_some_and(|last| name(last) >= name(&next)) {
                return Err(self.error(RecordErrorKind::Order));
            }
            list.push(next);
        }
        Ok(list)
    }

    /// [`Self::list`], which may be empty where it is part of something that is there all the same.
    fn list_or_none<T, N: Ord + ?Sized>(
        &mut self,
        smallest: usize,
        element: impl FnMut(&mut Self) -> Result<T, RecordError>,
        name: impl Fn(&T) -> &N,
    ) -> Result<Vec<T>, RecordError> {
        match self.rest.split_first() {
            Some((0, rest)) => {
                self.rest = rest;
                Ok(Vec::new())
            }
            _ => self.list(smallest, element, name),
        }
    }

    fn by_transmitter<T: Named>(&mut self) -> Result<Vec<(TransmitterId, Entry<T>)>, RecordError> {
        let element = |reader: &mut Self| Ok((TransmitterId(reader.array()?), reader.valued()?));
        self.list(11, element, |(transmitter, _)| transmitter)
    }

    fn scoped<T: Named>(&mut self) -> Result<Vec<(CutOffScope, Entry<T>)>, RecordError> {
        let element = |reader: &mut Self| Ok((reader.scope()?, reader.valued()?));
        let scoped = self.list(5, element, |(scope, _)| scope)?;
        self.at_most(Record::MOST_SCOPES, scoped)
    }

    fn assurance(&mut self) -> Result<Vec<(TransmitterId, Entry<AssuranceLevel>)>, RecordError> {
        let element = |reader: &mut Self| {
            let transmitter = TransmitterId(reader.array()?);
            let Entry { at, issued, .. } = reader.entry(())?;
            let text = reader.text(AssuranceLevel::LONGEST)?;
            let value = AssuranceLevel::new(text);
            let value = value.ok_or_else(|| reader.error(RecordErrorKind::TooLarge))?;
            Ok((transmitter, Entry { at, issued, value }))
        };
        self.list(11, element, |(transmitter, _)| transmitter)
    }

    fn claims(&mut self) -> Result<Vec<(ClaimName, Entry<ClaimValue>)>, RecordError> {
        let element = |reader: &mut Self| {
            let name = ClaimName::new(reader.text(ClaimName::LONGEST)?);
            let name = name.map_err(|_| reader.error(RecordErrorKind::Text))?;
            let Entry { at, issued, .. } = reader.entry(())?;
            let value = ClaimValue::from_text(reader.text(ClaimValue::LONGEST)?.into());
            Ok((name, Entry { at, issued, value }))
        };
        let claims = self.list(5, element, |(name, _)| name)?;
        self.at_most(Record::MOST_CLAIMS, claims)
    }

    fn at_most<T>(&self, most: usize, list: Vec<T>) -> Result<Vec<T>, RecordError> {
        if list.len() > most {
            return Err(self.error(RecordErrorKind::TooLarge));
        }
        Ok(list)
    }

    fn scope(&mut self) -> Result<CutOffScope, RecordError> {
        let members = self.list_or_none(2, Self::member, |member: &Member| &member.kind)?;
        let unseen = self.named()?;
        Ok(CutOffScope { members, unseen })
    }

    fn member(&mut self) -> Result<Member, RecordError> {
        let kind = self.named()?;
        let key = |reader: &mut Self| Ok((reader.named()?, StateKey::from_bytes(reader.array()?)));
        let keys = self.list_or_none(17, key, |key| key)?;
        Ok(Member { kind, keys })
    }

    fn challenges(&mut self) -> Result<Vec<LocationChallenge>, RecordError> {
        let element = |reader: &mut Self| {
            Ok(LocationChallenge {
                place: reader.array()?,
                given: UnixTime::from_secs(reader.varint()?),
            })
        };
        let challenges = self.list(9, element, |challenge: &LocationChallenge| &challenge.place)?;
        self.at_most(LocationChallenge::MOST, challenges)
    }
}

#[cfg(test)]
mod tests;
