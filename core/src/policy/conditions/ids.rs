//! Lists of ids in a policy.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use crate::policy::document::{Notes, is_guid};
use crate::policy::logic::Truth;

/// A list of ids in a policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdList {
    /// All entries in lower case, sorted; odd ones too, because a fact may equal one as text.
    pub(crate) ids: Vec<Box<str>>,
    /// An entry that is no id: a placeholder or a name, which may mean anybody (row 10).
    pub(crate) odd: bool,
    /// An entry that is an id.
    proper: bool,
}

impl IdList {
    /// Adds an entry of the list at `path`.
    pub(crate) fn push(&mut self, entry: &str, path: &str, notes: &mut Notes) {
        if is_guid(entry) {
            self.proper = true;
        } else {
            self.odd = true;
            notes.warnings.push(format!(
                "{path}: `{entry}` is a placeholder or a name, not an id; it may mean anybody"
            ));
        }
        let id = entry.to_ascii_lowercase().into_boxed_str();
        if let Err(position) = self.ids.binary_search(&id) {
            self.ids.insert(position, id);
        }
    }

    /// Adds an entry that is no text at all.
    pub(crate) fn push_odd(&mut self, path: &str, notes: &mut Notes) {
        self.odd = true;
        notes.not_understood(path);
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.ids
            .binary_search_by(|listed| (**listed).cmp(id))
            .is_ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty() && !self.odd
    }

    /// Whether one of the facts is listed (row 10).
    pub(crate) fn truth(&self, facts: Option<&[impl AsRef<str>]>) -> Truth {
        match facts {
            _ if self.is_empty() => Truth::False,
            None => Truth::Unknown,
            Some(facts) if facts.iter().any(|fact| self.contains(fact.as_ref())) => Truth::True,
            Some(facts) if self.odd && !facts.is_empty() => Truth::Unknown,
            Some(_) => Truth::False,
        }
    }

    /// Whether some fact makes it true.
    pub(crate) fn can_be_true(&self) -> bool {
        self.proper
    }
}
