//! A table from records that come in the order of their keys, as they stand in a snapshot.

use alloc::boxed::Box;
use core::mem;

use super::StateTable;
use super::page::Page;
use super::tree::{Node, digit};
use crate::state::key::StateKey;

/// Collects records and makes each part of the tree once, with pages that are neither split nor grown.
#[derive(Clone, Debug, Default)]
pub(in crate::state) struct Sorted {
    /// The finished parts, by the first digit of their keys.
    parts: Box<[Node; 16]>,
    /// The records of the part that is under way.
    part: Page,
    last: Option<StateKey>,
    count: usize,
}

impl Sorted {
    /// How many records there are.
    pub(in crate::state) const fn len(&self) -> usize {
        self.count
    }

    /// The key that was added last.
    pub(in crate::state) const fn last(&self) -> Option<StateKey> {
        self.last
    }

    /// Adds the canonical bytes of a record that is not empty, under a key that is larger than all others.
    pub(in crate::state) fn push(&mut self, key: &StateKey, record: &[u8]) {
        if self
            .last
            .is_some_and(|last| digit(&last, 0) != digit(key, 0))
        {
            self.finish_part();
        }
        self.part.push(key, record);
        self.last = Some(*key);
        self.count = self.count.saturating_add(1);
    }

    /// The table.
    pub(in crate::state) fn finish(mut self) -> StateTable {
        self.finish_part();
        let mut records = Node::Branch(mem::take(&mut self.parts));
        records.join();
        StateTable {
            records,
            count: self.count,
        }
    }

    fn finish_part(&mut self) {
        let Some(last) = self.last else { return };
        if let Some(part) = self.parts.get_mut(digit(&last, 0)) {
            *part = Node::of_packed(&self.part.iter(), 1);
        }
        self.part.clear();
    }
}
