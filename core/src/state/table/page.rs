//! Records packed into one allocation.

use alloc::vec::Vec;

use crate::state::key::StateKey;

/// The records of one range of keys, one behind the other: key, length as a varint, canonical bytes.
///
/// INVARIANT (pages sorted): keys are strictly ascending.
#[derive(Clone, Debug, Default)]
pub(super) struct Page(Vec<u8>);

/// Bytes of a key.
const KEY: usize = 16;

/// Most bytes of a length.
const LONGEST_VARINT: usize = 10;

/// Where a key stands, or would stand, in a page.
struct Place {
    /// Where its entry begins.
    at: usize,
    /// How long its entry is; zero if there is none.
    length: usize,
}

impl Page {
    /// An empty page that takes `bytes` without growing.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Bytes in use.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Bytes that the allocator was asked for.
    pub(super) const fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Whether it holds more than one record.
    pub(super) fn is_shared(&self) -> bool {
        self.iter().nth(1).is_some()
    }

    pub(super) fn get(&self, key: &StateKey) -> Option<&[u8]> {
        let mut entries = self.iter();
        let (_, record) = entries
            .find(|(known, _)| known >= key)
            .filter(|(known, _)| known == key)?;
        Some(record)
    }

    /// Puts a record in its place, instead of the one that is there.
    pub(super) fn put(&mut self, key: &StateKey, record: &[u8]) {
        let Place { at, length } = self.place(key);
        let before = self.0.len();
        self.make_room(
            KEY.saturating_add(LONGEST_VARINT)
                .saturating_add(record.len()),
        );
        self.push(key, record);
        // Behind everything else, then turned into its place.
        let new = self.0.len().saturating_sub(before);
        if let Some(from) = self.0.get_mut(at..) {
            from.rotate_right(new);
        }
        if length > 0 {
            let old = at.saturating_add(new);
            drop(self.0.drain(old..old.saturating_add(length)));
        }
    }

    /// Adds a record whose key is larger than all others.
    pub(super) fn push(&mut self, key: &StateKey, record: &[u8]) {
        let (count, digits) = varint(record.len());
        self.0.extend_from_slice(&key.to_bytes());
        self.0
            .extend_from_slice(count.get(..digits).unwrap_or_default());
        self.0.extend_from_slice(record);
    }

    /// Gives back what is not needed.
    pub(super) fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// Forgets everything and keeps the room for as much.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn iter(&self) -> Entries<'_> {
        Entries { rest: &self.0 }
    }

    fn place(&self, key: &StateKey) -> Place {
        let mut entries = self.iter();
        let mut before = entries.rest.len();
        while let Some((known, _)) = entries.next() {
            let at = self.0.len().saturating_sub(before);
            let after = entries.rest.len();
            if known == *key {
                return Place {
                    at,
                    length: before.saturating_sub(after),
                };
            }
            if known > *key {
                return Place { at, length: 0 };
            }
            before = after;
        }
        Place {
            at: self.0.len(),
            length: 0,
        }
    }

    /// Grows in small steps: doubling would leave a quarter of all pages empty, and a page is soon copied.
    fn make_room(&mut self, more: usize) {
        const STEP: usize = 64;
        if self.0.capacity().saturating_sub(self.0.len()) < more {
            let capacity = self
                .0
                .len()
                .saturating_add(more)
                .checked_next_multiple_of(STEP);
            self.0
                .reserve_exact(capacity.unwrap_or(usize::MAX).saturating_sub(self.0.len()));
        }
    }
}

/// The records of a page in the order of their keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries<'a> {
    rest: &'a [u8],
}

impl Entries<'_> {
    /// Bytes of what is left.
    pub(super) const fn len(&self) -> usize {
        self.rest.len()
    }

    /// A page of what is left.
    pub(super) fn to_page(&self) -> Page {
        Page(self.rest.into())
    }

    /// Takes the records at the beginning whose keys are `alike`.
    pub(super) fn take_run(&mut self, alike: impl Fn(&StateKey) -> bool) -> Self {
        let (all, mut ahead) = (self.rest, self.clone());
        while let Some((key, _)) = ahead.next() {
            if !alike(&key) {
                break;
            }
            self.rest = ahead.rest;
        }
        let length = all.len().saturating_sub(self.rest.len());
        Self {
            rest: all.get(..length).unwrap_or_default(),
        }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (StateKey, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, rest) = self.rest.split_first_chunk()?;
        let (length, rest) = read_varint(rest)?;
        let (record, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some((StateKey::from_bytes(*key), record))
    }
}

/// A length as an unsigned LEB128 number, and how many bytes of it count.
pub(in crate::state) fn varint(mut length: usize) -> ([u8; LONGEST_VARINT], usize) {
    let mut bytes = [0; LONGEST_VARINT];
    let mut digits = 0_usize;
    for byte in &mut bytes {
        let [low, ..] = (length & 0x7f).to_le_bytes();
        length >>= 7;
        digits = digits.saturating_add(1);
        *byte = low;
        if length == 0 {
            break;
        }
        *byte |= 0x80;
    }
    (bytes, digits)
}

/// The length that `bytes` begin with, and what follows it; `None` if they end too early or it is too large.
pub(in crate::state) fn read_varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    let (mut length, mut rest) = (usize::from(first & 0x7f), rest);
    for place in 1_u32.. {
        let (byte, after) = rest.split_first()?;
        rest = after;
        let bits = usize::from(byte & 0x7f);
        let shifted = bits.checked_shl(place.checked_mul(7)?)?;
        if shifted.checked_shr(place.checked_mul(7)?)? != bits {
            return None;
        }
        length |= shifted;
        if *byte < 0x80 {
            // As many bytes as needed, no more: one length, one text.
            return (*byte != 0).then_some((length, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_page_is_a_sorted_map(
            puts in proptest::collection::vec((0..20_u8, proptest::collection::vec(any::<u8>(), 0..300)), 0..40),
        ) {
            let (mut page, mut map) = (Page::default(), BTreeMap::new());
            for (n, record) in puts {
                let key = StateKey::from_bytes([n; 16]);
                page.put(&key, &record);
                map.insert(key, record);
            }
            prop_assert!(page.iter().eq(map.iter().map(|(key, record)| (*key, record.as_slice()))));
            for n in 0..20 {
                let key = StateKey::from_bytes([n; 16]);
                prop_assert_eq!(page.get(&key), map.get(&key).map(Vec::as_slice));
            }
            let mut pushed = Page::default();
            map.iter().for_each(|(key, record)| pushed.push(key, record));
            prop_assert_eq!(pushed.0, page.0);
        }

        #[test]
        fn lengths_lead_back_to_themselves(length in any::<usize>(), shift in 0..64_u32) {
            let length = length >> shift;
            let (bytes, digits) = varint(length);
            prop_assert_eq!(read_varint(&bytes[..digits]), Some((length, &[][..])));
            for cut in 0..digits {
                prop_assert_eq!(read_varint(&bytes[..cut]), None);
            }
        }
    }

    #[test]
    fn a_length_has_one_text() {
        assert_eq!(read_varint(b"\x80\x00"), None);
        assert_eq!(read_varint(b"\x81\x00"), None);
        assert_eq!(read_varint(&[0xff; 11]), None);
        assert_eq!(
            read_varint(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
            None
        );
    }
}
