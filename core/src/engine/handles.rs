//! The bounded table of tokens that an engine knows.
//!
//! A token whose signature was valid keeps its handle, so that a repeated token costs neither parsing nor a
//! signature check. Until then it has one of a few pending slots, which are evicted first: a flood of forged tokens
//! never pushes out a verified one.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::hash::BuildHasher as _;

use foldhash::quality::FixedState;
use hashbrown::HashTable;

use super::Handle;
use crate::policy::Candidates;
use crate::token::AccessToken;

/// Most tokens known at a time.
const CAPACITY: usize = 16_384;
/// Most bytes of all tokens together. What is kept of a token is a few times its text, for one with many groups about
/// four times: this stays below the memory limit of an instance (256 MiB in the host runner).
const BYTES: usize = 24 << 20;
/// Most tokens whose signature is not known yet.
const PENDING: usize = 256;
/// Most bytes of those together: whoever forges them chooses what they hold.
const PENDING_BYTES: usize = 1 << 20;

/// A token that was read.
#[derive(Debug)]
pub(super) struct Entry {
    /// The compact token; compared in full, so that a hash collision never lends out another's handle.
    pub(super) token: Box<str>,
    /// Its claims.
    pub(super) access_token: AccessToken,
    /// Policies that its facts do not rule out.
    pub(super) candidates: Candidates,
    /// The key that its signature was, or is to be, checked with; `None` if no key fits.
    pub(super) key_id: Option<String>,
    /// Configuration epoch in which all of this was read.
    pub(super) epoch: u64,
    /// Whether the signature is known to verify with that key.
    pub(super) verified: bool,
}

#[derive(Debug)]
struct Slot {
    serial: u64,
    hash: u64,
    used: bool,
    entry: Entry,
}

/// A token that may yet turn out to be forged.
#[derive(Debug)]
struct Pending {
    handle: Handle,
    bytes: usize,
}

/// Entries by handle and by token.
#[derive(Debug)]
pub(super) struct Handles {
    slots: Vec<Option<Slot>>,
    vacant: Vec<usize>,
    by_token: HashTable<usize>,
    pending: VecDeque<Pending>,
    bytes: usize,
    hand: usize,
    serial: u64,
    hasher: FixedState,
}

impl Handles {
    /// An empty table; `seed` keeps an attacker from choosing tokens that collide.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            slots: Vec::new(),
            vacant: Vec::new(),
            by_token: HashTable::new(),
            pending: VecDeque::new(),
            bytes: 0,
            hand: 0,
            serial: 0,
            hasher: FixedState::with_seed(seed),
        }
    }

    /// The handle of a token that is known.
    pub(super) fn find(&self, token: &str) -> Option<Handle> {
        let hash = self.hasher.hash_one(token);
        let index = self.by_token.find(hash, |index| {
            self.slots
                .get(*index)
                .and_then(Option::as_ref)
                .is_some_and(|slot| slot.hash == hash && same_secret(&slot.entry.token, token))
        })?;
        let slot = self.slots.get(*index)?.as_ref()?;
        Some(handle_of(slot.serial, *index))
    }

    /// The entry of a handle; a handle of an evicted or removed token has none.
    pub(super) fn get_mut(&mut self, handle: Handle) -> Option<&mut Entry> {
        let (serial, index) = parts_of(handle);
        let slot = self
            .slots
            .get_mut(index)?
            .as_mut()
            .filter(|slot| slot.serial == serial)?;
        slot.used = true;
        Some(&mut slot.entry)
    }

    /// The handles of the tokens whose signature is known to verify.
    pub(super) fn verified(&self) -> Vec<Handle> {
        let slots = self.slots.iter().enumerate();
        slots
            .filter_map(|(index, slot)| Some((index, slot.as_ref()?)))
            .filter(|(_, slot)| slot.entry.verified)
            .map(|(index, slot)| handle_of(slot.serial, index))
            .collect()
    }

    /// Keeps a token; makes room by evicting a pending one first, else a verified one that was not used lately.
    pub(super) fn insert(&mut self, entry: Entry) -> Handle {
        let bytes = entry.token.len();
        while !entry.verified && self.is_pending_full(bytes) && self.evict_pending() {}
        while self.is_full(bytes) && (self.evict_pending() || self.evict_unused()) {}
        let index = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len().saturating_sub(1)
        });
        self.serial = self.serial.wrapping_add(1);
        let (serial, hash) = (self.serial, self.hasher.hash_one(&*entry.token));
        let handle = handle_of(serial, index);
        if !entry.verified {
            self.pending.push_back(Pending { handle, bytes });
        }
        self.bytes = self.bytes.saturating_add(bytes);
        let slots = &self.slots;
        self.by_token.insert_unique(hash, index, |index| {
            slots
                .get(*index)
                .and_then(Option::as_ref)
                .map_or(0, |slot| slot.hash)
        });
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Some(Slot {
                serial,
                hash,
                used: true,
                entry,
            });
        }
        handle
    }

    /// Notes that the signature verified: from now on the token is evicted last.
    pub(super) fn mark_verified(&mut self, handle: Handle) {
        if let Some(entry) = self.get_mut(handle) {
            entry.verified = true;
        }
        self.pending.retain(|pending| pending.handle != handle);
    }

    /// Forgets a token.
    pub(super) fn remove(&mut self, handle: Handle) {
        self.pending.retain(|pending| pending.handle != handle);
        self.vacate(handle);
    }

    /// Whether another token of this size has no room, whatever it is.
    fn is_full(&self, bytes: usize) -> bool {
        let slots = self.vacant.is_empty() && self.slots.len() >= CAPACITY;
        slots || self.bytes.saturating_add(bytes) > BYTES
    }

    /// Whether another token of this size has no room among those that may be forged.
    fn is_pending_full(&self, bytes: usize) -> bool {
        let held = self.pending.iter().map(|pending| pending.bytes);
        self.pending.len() >= PENDING || held.fold(bytes, usize::saturating_add) > PENDING_BYTES
    }

    fn evict_pending(&mut self) -> bool {
        let Some(Pending { handle, .. }) = self.pending.pop_front() else {
            return false;
        };
        self.vacate(handle);
        true
    }

    /// The clock algorithm: the first token that was not used since the hand last passed. False if there is none.
    fn evict_unused(&mut self) -> bool {
        // Two rounds at most: the first one clears every mark.
        for _ in 0..self.slots.len().saturating_mul(2) {
            let index = self.hand;
            self.hand = self
                .hand
                .wrapping_add(1)
                .checked_rem(self.slots.len())
                .unwrap_or(0);
            match self.slots.get_mut(index) {
                Some(Some(slot)) if slot.used => slot.used = false,
                Some(Some(slot)) => {
                    let handle = handle_of(slot.serial, index);
                    self.vacate(handle);
                    return true;
                }
                _ => {}
            }
        }
        false
    }

    fn vacate(&mut self, handle: Handle) {
        let (serial, index) = parts_of(handle);
        let Some(slot) = self.slots.get_mut(index) else {
            return;
        };
        if let Some(Slot { hash, entry, .. }) = slot.take_if(|slot| slot.serial == serial) {
            self.bytes = self.bytes.saturating_sub(entry.token.len());
            if let Ok(found) = self.by_token.find_entry(hash, |other| *other == index) {
                found.remove();
            }
            self.vacant.push(index);
        }
    }
}

/// A serial number that is never used twice, and the slot: below 2^53 for more than 10^11 tokens, as JavaScript
/// numbers need it.
fn handle_of(serial: u64, index: usize) -> Handle {
    let index = u64::try_from(index).unwrap_or(0);
    Handle(serial.wrapping_mul(CAPACITY_BITS).wrapping_add(index))
}

fn parts_of(Handle(handle): Handle) -> (u64, usize) {
    let serial = handle.checked_div(CAPACITY_BITS).unwrap_or(0);
    let index = handle.checked_rem(CAPACITY_BITS).unwrap_or(0);
    (serial, usize::try_from(index).unwrap_or(usize::MAX))
}

/// [`CAPACITY`] as the factor between serial numbers.
const CAPACITY_BITS: u64 = 16_384;

/// Equality of secrets, in a time that depends on their lengths only; eight bytes at a time, because WebAssembly has
/// no wider ones.
pub(crate) fn same_secret(a: &str, b: &str) -> bool {
    let (a_words, a_rest) = a.as_bytes().as_chunks();
    let (b_words, b_rest) = b.as_bytes().as_chunks();
    let words = (a_words.iter().zip(b_words)).fold(0, |all, (x, y)| {
        all | (u64::from_ne_bytes(*x) ^ u64::from_ne_bytes(*y))
    });
    let rest = (a_rest.iter().zip(b_rest)).fold(0, |all, (x, y)| all | (x ^ y));
    a.len() == b.len() && core::hint::black_box(words | u64::from(rest)) == 0
}
