//! Faults in what the operator wrote: all of them, each with its place.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use super::read::one_line;

/// One thing that is wrong, where, and how to mend it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, serde::Serialize)]
pub struct Fault {
    /// JSON pointer (RFC 6901) to the offending value; empty for the whole document.
    pub at: String,
    /// Stable code, such as `configuration.unknown_member`.
    pub code: &'static str,
    /// What is wrong and how to mend it, in one line.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() {
            f.write_str("/")?;
        }
        // A member name may hold a line break; the report is one line a fault.
        self.at
            .chars()
            .flat_map(one_line)
            .try_for_each(|character| f.write_char(character))?;
        write!(f, ": {} [{}]", self.message, self.code)
    }
}

/// Every fault of a document, in document order of discovery; never empty inside an `Err`.
#[derive(Clone, Debug, Default, Eq, PartialEq, thiserror::Error)]
#[error("{} fault(s), the first at {}", .0.len(), .0.first().map_or("/", |fault| fault.at.as_str()))]
pub struct Faults(pub Vec<Fault>);
