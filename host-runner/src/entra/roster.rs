//! Who is known: users by their ids, with one byte each, in parts that are kept on disk one by one.

use std::collections::HashMap;
use std::fmt;

use cae_core::token::issuer_match::is_guid;

/// An id of the directory (RFC 9562): what 36 characters say in 16 bytes.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Guid(pub(crate) [u8; 16]);

impl Guid {
    /// Reads one, in any case.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if !is_guid(text) {
            return None;
        }
        let digits: String = text.chars().filter(|digit| *digit != '-').collect();
        let number = u128::from_str_radix(&digits, 16).ok()?;
        Some(Self(number.to_be_bytes()))
    }
}

/// In lower case.
impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (byte, position) in self.0.iter().zip(0_u8..) {
            if matches!(position, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What kind of user somebody is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Member,
    Guest,
}

const MEMBER: u8 = 1;
const GUEST: u8 = 2;
/// Bytes of one user on disk.
const ENTRY: usize = 17;

/// The users of a tenant.
#[derive(Debug)]
pub(crate) struct Roster {
    users: HashMap<Guid, User>,
    /// Counts the times that everything is read.
    round: u8,
    most: usize,
    /// Whether there were more users than are remembered.
    overflowed: bool,
    /// Parts (by the first byte of ids) that are not on disk as they are.
    changed: [bool; 256],
    /// Counts changes of who is here and what kind of user they are.
    generation: u64,
}

#[derive(Clone, Copy, Debug)]
struct User {
    kind: u8,
    round: u8,
}

impl Roster {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            users: HashMap::new(),
            round: 0,
            most,
            overflowed: false,
            changed: [false; 256],
            generation: 0,
        }
    }

    /// Everything is read from now on.
    pub(crate) fn begin(&mut self) {
        self.round = self.round.wrapping_add(1);
        self.overflowed = false;
    }

    /// Somebody is there.
    pub(crate) fn see(&mut self, guid: Guid, kind: Option<Kind>) {
        let kind = kind.map(|kind| match kind {
            Kind::Member => MEMBER,
            Kind::Guest => GUEST,
        });
        if let Some(user) = self.users.get_mut(&guid) {
            user.round = self.round;
            let Some(kind) = kind.filter(|kind| *kind != user.kind) else {
                return;
            };
            user.kind = kind;
        } else if self.users.len() < self.most {
            let user = User {
                kind: kind.unwrap_or(0),
                round: self.round,
            };
            self.users.insert(guid, user);
        } else {
            self.overflowed = true;
            return;
        }
        self.touch(guid);
    }

    pub(crate) fn remove(&mut self, guid: Guid) {
        if self.users.remove(&guid).is_some() {
            self.touch(guid);
        }
    }

    /// Whoever did not come since [`Roster::begin`].
    pub(crate) fn missing(&self) -> Vec<Guid> {
        let missing = self
            .users
            .iter()
            .filter(|(_, user)| user.round != self.round);
        missing.map(|(guid, _)| *guid).collect()
    }

    pub(crate) fn forget(&mut self, guids: &[Guid]) {
        for guid in guids {
            self.remove(*guid);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether everybody is in it.
    pub(crate) const fn is_whole(&self) -> bool {
        !self.overflowed
    }

    /// Changes whenever somebody comes, goes, or becomes another kind of user.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Guid, Option<Kind>)> {
        self.users.iter().map(|(guid, user)| {
            let kind = match user.kind {
                MEMBER => Some(Kind::Member),
                GUEST => Some(Kind::Guest),
                _ => None,
            };
            (*guid, kind)
        })
    }

    /// The parts that have to be kept, each with its number, until [`Roster::is_kept`] says so.
    pub(crate) fn changed(&self) -> Vec<(u8, Vec<u8>)> {
        if !self.changed.contains(&true) {
            return Vec::new();
        }
        let numbers = (0..=u8::MAX)
            .zip(self.changed)
            .filter(|(_, changed)| *changed);
        let mut parts: HashMap<u8, Vec<u8>> =
            numbers.map(|(number, _)| (number, Vec::new())).collect();
        for (guid, user) in &self.users {
            if let Some(part) = parts.get_mut(&first(*guid)) {
                part.extend(guid.0);
                part.push(user.kind);
            }
        }
        parts.into_iter().collect()
    }

    /// A part is on disk as it is.
    pub(crate) fn is_kept(&mut self, number: u8) {
        if let Some(changed) = self.changed.get_mut(usize::from(number)) {
            *changed = false;
        }
    }

    /// Takes up a part that was kept.
    pub(crate) fn restore(&mut self, part: &[u8]) {
        for entry in part.chunks_exact(ENTRY) {
            let (Some(guid), Some(kind)) = (entry.first_chunk::<16>(), entry.last()) else {
                continue;
            };
            if self.users.len() < self.most {
                let user = User {
                    kind: *kind,
                    round: self.round,
                };
                self.users.insert(Guid(*guid), user);
            }
        }
        self.generation = self.generation.wrapping_add(1);
    }

    fn touch(&mut self, guid: Guid) {
        if let Some(changed) = self.changed.get_mut(usize::from(first(guid))) {
            *changed = true;
        }
        self.generation = self.generation.wrapping_add(1);
    }
}

const fn first(guid: Guid) -> u8 {
    let Guid([first, ..]) = guid;
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guid(number: u8) -> Guid {
        Guid::read(&format!("{number:02x}111111-2222-3333-4444-55555555555A")).unwrap()
    }

    #[test]
    fn ids_are_written_as_they_are_read() {
        assert_eq!(guid(7).to_string(), "07111111-2222-3333-4444-55555555555a");
        for bad in [
            "",
            "07111111222233334444555555555555",
            "07111111-2222-3333-4444-55555555555g",
        ] {
            assert_eq!(Guid::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn who_does_not_come_again_is_missing() {
        let mut roster = Roster::new(10);
        roster.begin();
        roster.see(guid(1), Some(Kind::Guest));
        roster.see(guid(2), None);
        assert!(roster.missing().is_empty());
        roster.begin();
        roster.see(guid(2), None);
        assert_eq!(roster.missing(), [guid(1)]);
        roster.forget(&[guid(1)]);
        assert_eq!(roster.len(), 1);
    }

    #[test]
    fn parts_that_changed_are_kept_and_taken_up() {
        let mut roster = Roster::new(10);
        roster.see(guid(1), Some(Kind::Guest));
        roster.see(guid(2), Some(Kind::Member));
        let parts = roster.changed();
        assert_eq!(parts.len(), 2);
        roster.is_kept(1);
        assert_eq!(roster.changed().len(), 1, "the other one is not kept yet");
        roster.is_kept(2);
        assert!(roster.changed().is_empty());
        roster.see(guid(2), Some(Kind::Member));
        assert!(roster.changed().is_empty(), "nothing changed");
        let mut again = Roster::new(10);
        parts.iter().for_each(|(_, part)| again.restore(part));
        let mut users: Vec<_> = again.iter().collect();
        users.sort_by_key(|(guid, _)| *guid);
        assert_eq!(
            users,
            [(guid(1), Some(Kind::Guest)), (guid(2), Some(Kind::Member))]
        );
        again.remove(guid(1));
        assert_eq!(
            again.changed(),
            [(1, Vec::new())],
            "an empty part is kept too"
        );
    }

    #[test]
    fn more_than_are_remembered_is_said() {
        let mut roster = Roster::new(1);
        roster.see(guid(1), None);
        assert!(roster.is_whole());
        roster.see(guid(2), None);
        assert!(!roster.is_whole());
        assert_eq!(roster.len(), 1);
    }
}
