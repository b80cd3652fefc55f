//! Objects of a sign-in, read strictly: every member is known, and of the right type.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::configuration::read::nearest::nearest;
use crate::json::{Map, Value};

/// One object; empty if it is absent or `null`, which is "nothing known" (`policy-semantics.md` row 2).
#[derive(Clone, Copy)]
pub(super) struct Members<'a> {
    values: Option<&'a Map<String, Value>>,
    /// JSON pointer.
    at: &'static str,
}

impl<'a> Members<'a> {
    /// Opens an object whose members are all among `known`; annotations (names with `@`, or that start with `#`) are
    /// left alone.
    pub(super) fn open(
        value: Option<&'a Value>,
        at: &'static str,
        known: &[&str],
    ) -> Result<Self, String> {
        let values = match value {
            None | Some(Value::Null) => None,
            Some(Value::Object(values)) => Some(values),
            Some(_) => return Err(fault(at, "", "an object")),
        };
        let strange = values
            .into_iter()
            .flat_map(Map::keys)
            .find(|name| !is_annotation(name) && !known.contains(&name.as_str()));
        match strange {
            None => Ok(Self { values, at }),
            Some(name) => Err(unknown_member(at, name, known)),
        }
    }

    /// A member; `null` is as good as absent.
    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.values?.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(self, name: &str) -> Result<Option<&'a str>, String> {
        self.typed(name, "a string", Value::as_str)
    }

    pub(super) fn flag(self, name: &str) -> Result<Option<bool>, String> {
        self.typed(name, "true or false", Value::as_bool)
    }

    /// A list of strings, in lower case: ids compare without regard to case (row 7).
    pub(super) fn texts(self, name: &str) -> Result<Option<Vec<String>>, String> {
        self.typed(name, "an array of strings", |value| {
            let texts = value.as_array()?.iter();
            texts
                .map(|text| text.as_str().map(str::to_ascii_lowercase))
                .collect()
        })
    }

    /// The last dotted part of `@odata.type`, in lower case; empty if there is none.
    pub(super) fn type_name(self) -> Result<String, String> {
        let name = self.text("@odata.type")?.unwrap_or_default();
        Ok(crate::policy::document::type_name(name).to_ascii_lowercase())
    }

    fn typed<T>(
        self,
        name: &str,
        expected: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => read(value)
                .map(Some)
                .ok_or_else(|| fault(self.at, name, expected)),
        }
    }
}

/// The complaint about a member of the wrong type.
pub(super) fn fault(at: &str, name: &str, expected: &str) -> String {
    let separator = if name.is_empty() && !at.is_empty() {
        ""
    } else {
        "/"
    };
    format!("{at}{separator}{name}: must be {expected}")
}

fn unknown_member(at: &str, name: &str, known: &[&str]) -> String {
    const SHOWN: usize = 40;
    let shown: String = name.chars().take(SHOWN).collect();
    match nearest(name, known) {
        Some(meant) => format!("{at}/{shown}: no such member; did you mean `{meant}`?"),
        None => format!("{at}/{shown}: no such member of a sign-in"),
    }
}

fn is_annotation(name: &str) -> bool {
    name.contains('@') || name.starts_with('#')
}
