//! A tree over the hexadecimal digits of the keys, with packed pages as its leaves.
//!
//! Keys are digests, so their digits are evenly spread and the tree is balanced without doing anything for it. It
//! grows page by page: there is never a second copy of the whole, as there is when a hash map doubles. Keys that
//! somebody made to collide in their first digits cost one level for each digit, of which there are 32.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::page::{Entries, Page};
use crate::state::key::StateKey;

/// Bytes from which on a page is split, some thirty records: small enough to be searched from its beginning.
const FULL: usize = 1_024;

/// Bytes up to which the pages of a branch become one again; far below [`FULL`], so that they do not go to and fro.
const SCANT: usize = 256;

/// Hexadecimal digits of a key.
const DIGITS: usize = 32;

/// The records whose keys begin with the same digits.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Page(Page),
    /// By the next digit.
    Branch(Box<[Self; 16]>),
}

impl Default for Node {
    fn default() -> Self {
        Self::Page(Page::default())
    }
}

impl Node {
    /// The tree of records that are packed in the order of their keys and agree in the digits before `depth`.
    pub(super) fn of_packed(packed: &Entries<'_>, depth: usize) -> Self {
        if packed.len() <= FULL || depth >= DIGITS || packed.clone().nth(1).is_none() {
            return Self::Page(packed.to_page());
        }
        let mut branch: Box<[Self; 16]> = Box::default();
        let mut rest = packed.clone();
        while let Some((first, _)) = rest.clone().next() {
            let run = rest.take_run(|key| digit(key, depth) == digit(&first, depth));
            if let Some(node) = branch.get_mut(digit(&first, depth)) {
                *node = Self::of_packed(&run, depth.saturating_add(1));
            }
        }
        Self::Branch(branch)
    }

    pub(super) fn get(&self, key: &StateKey) -> Option<&[u8]> {
        let (mut node, mut depth) = (self, 0);
        loop {
            match node {
                Self::Page(page) => return page.get(key),
                Self::Branch(branch) => node = branch.get(digit(key, depth))?,
            }
            depth = depth.saturating_add(1);
        }
    }

    /// Puts a record in its place, instead of the one that is there.
    pub(super) fn put(&mut self, key: &StateKey, record: &[u8]) {
        self.change_page(key, |page| page.put(key, record));
    }

    /// Changes the page that a key belongs to.
    fn change_page(&mut self, key: &StateKey, change: impl FnOnce(&mut Page)) {
        let (mut node, mut depth) = (self, 0);
        while let Self::Branch(branch) = node {
            let Some(next) = branch.get_mut(digit(key, depth)) else {
                return;
            };
            (node, depth) = (next, depth.saturating_add(1));
        }
        if let Self::Page(page) = node {
            change(page);
            node.split(depth);
        }
    }

    /// Replaces every record by what `change` makes of it, and forgets those of which it leaves nothing. `change`
    /// gets the canonical bytes and writes the new ones into the empty buffer, or nothing to forget the record.
    pub(super) fn rewrite(&mut self, change: &mut impl FnMut(&[u8], &mut Vec<u8>)) {
        match self {
            Self::Page(page) => {
                let mut kept = Page::with_capacity(page.len());
                let mut record = Vec::new();
                let mut same = true;
                for (key, bytes) in page.iter() {
                    record.clear();
                    change(bytes, &mut record);
                    same &= record == bytes;
                    if !record.is_empty() {
                        kept.push(&key, &record);
                    }
                }
                if !same {
                    *page = kept;
                }
                page.shrink();
            }
            Self::Branch(branch) => {
                branch.iter_mut().for_each(|node| node.rewrite(change));
                self.join();
            }
        }
    }

    /// Bytes that the allocator was asked for.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Page(page) => page.capacity(),
            Self::Branch(branch) => {
                let below = branch.iter().map(Self::heap_bytes);
                below.fold(mem::size_of_val(&**branch), usize::saturating_add)
            }
        }
    }

    pub(super) fn iter(&self) -> Walk<'_> {
        Walk {
            nodes: Vec::from([core::slice::from_ref(self).iter()]),
            page: Entries::default(),
        }
    }

    /// Makes a branch of a page that is full, again and again while one digit tells nothing apart.
    fn split(&mut self, depth: usize) {
        let Self::Page(page) = self else { return };
        // A single record may be longer than a page.
        if page.len() <= FULL || depth >= DIGITS || !page.is_shared() {
            return;
        }
        let mut pages: [Page; 16] = Default::default();
        for (key, record) in page.iter() {
            if let Some(page) = pages.get_mut(digit(&key, depth)) {
                page.push(&key, record);
            }
        }
        pages.iter_mut().for_each(Page::shrink);
        let mut branch = Box::new(pages.map(Self::Page));
        for node in &mut *branch {
            node.split(depth.saturating_add(1));
        }
        *self = Self::Branch(branch);
    }

    /// Makes a page of a branch that hardly holds anything.
    pub(super) fn join(&mut self) {
        let Self::Branch(branch) = self else { return };
        let mut bytes = 0_usize;
        for node in &**branch {
            match node {
                Self::Page(page) => bytes = bytes.saturating_add(page.len()),
                Self::Branch(_) => return,
            }
        }
        if bytes > SCANT {
            return;
        }
        let mut page = Page::default();
        self.iter()
            .for_each(|(key, record)| page.push(&key, record));
        page.shrink();
        *self = Self::Page(page);
    }
}

/// The hexadecimal digit of `key` at `depth`.
pub(super) fn digit(key: &StateKey, depth: usize) -> usize {
    let byte = key.to_bytes().get(depth / 2).copied().unwrap_or_default();
    usize::from(if depth.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 0x0f
    })
}

/// All records in the order of their keys.
#[derive(Clone, Debug)]
pub(in crate::state) struct Walk<'a> {
    nodes: Vec<core::slice::Iter<'a, Node>>,
    page: Entries<'a>,
}

impl<'a> Iterator for Walk<'a> {
    type Item = (StateKey, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.page.next() {
                return Some(entry);
            }
            match self.nodes.last_mut()?.next() {
                None => drop(self.nodes.pop()),
                Some(Node::Page(page)) => self.page = page.iter(),
                Some(Node::Branch(branch)) => self.nodes.push(branch.iter()),
            }
        }
    }
}
