//! Reading JSON that people write: typed, with defaults, every fault kept with its place.
//!
//! A [`Node`] is one value with its JSON pointer; an [`ObjectReader`] is an object whose member names are known.
//! Neither ever stops: a fault is noted, the default takes its place and reading goes on, so that one run names
//! everything that is wrong. Whoever reads a document returns its result only if no fault was noted.
//!
//! ```
//! use cae_core::configuration::read::Node;
//! use cae_core::json::{self, Limits};
//!
//! let document = json::parse(br#"{"retries": 70, "verbos": true}"#, Limits::DOCUMENT)?;
//! let mut faults = Vec::new();
//! let mut object = Node::root(&document, &mut faults).object(&["retries", "verbose"]);
//! let retries = object.integer("retries", 0..=10, 3);
//! let verbose = object.flag("verbose", false);
//!
//! assert_eq!((retries, verbose), (3, false));
//! assert_eq!(faults[0].to_string(),
//!     "/verbos: unknown member `verbos`; did you mean `verbose`? [configuration.unknown_member]");
//! assert_eq!(faults[1].to_string(), "/retries: 70 is outside 0 to 10 [configuration.out_of_range]");
//! # Ok::<(), json::JsonError>(())
//! ```

pub(crate) mod nearest;

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::fault::Fault;
use crate::json::{Map, Value};
pub(crate) use nearest::nearest;

/// Not JSON at all, or JSON that the strict reader refuses.
pub const MALFORMED: &str = "configuration.malformed";
/// A member name that means nothing here.
pub const UNKNOWN_MEMBER: &str = "configuration.unknown_member";
/// A member without which the rest has no meaning.
pub const MISSING_MEMBER: &str = "configuration.missing_member";
/// A value of another JSON type.
pub const WRONG_TYPE: &str = "configuration.wrong_type";
/// A string outside its enumeration.
pub const NOT_ALLOWED: &str = "configuration.not_allowed";
/// A number outside its bounds.
pub const OUT_OF_RANGE: &str = "configuration.out_of_range";
/// A value of the right type that cannot be used.
pub const BAD_VALUE: &str = "configuration.bad_value";
/// The same thing twice.
pub const DUPLICATE: &str = "configuration.duplicate";
/// A name that nothing else in the document bears.
pub const NOT_FOUND: &str = "configuration.not_found";

/// An enumeration with names on the wire.
pub trait Choice: Copy + 'static {
    /// Every allowed name and what it stands for, in the order in which faults list them.
    const NAMES: &'static [(&'static str, Self)];
}

/// One value, where it stands, and where faults about it go.
#[derive(Debug)]
pub struct Node<'v, 'f> {
    value: &'v Value,
    at: String,
    faults: &'f mut Vec<Fault>,
}

impl<'v, 'f> Node<'v, 'f> {
    /// The root of a document.
    pub const fn root(value: &'v Value, faults: &'f mut Vec<Fault>) -> Self {
        Self::at(value, String::new(), faults)
    }

    /// A value that stands at the JSON pointer `at`.
    pub const fn at(value: &'v Value, at: String, faults: &'f mut Vec<Fault>) -> Self {
        Self { value, at, faults }
    }

    /// The value as it stands in the document.
    #[must_use]
    pub const fn value(&self) -> &'v Value {
        self.value
    }

    /// The JSON pointer (RFC 6901) to the value.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.at
    }

    /// The list that faults go to, for a reader of another kind.
    pub const fn faults(&mut self) -> &mut Vec<Fault> {
        self.faults
    }

    /// Notes a fault of this value.
    pub fn fault(&mut self, code: &'static str, message: impl Into<String>) {
        self.faults.push(Fault {
            at: self.at.clone(),
            code,
            message: message.into(),
        });
    }

    /// `true` or `false`.
    pub fn flag(&mut self) -> Option<bool> {
        self.typed("true or false", Value::as_bool)
    }

    /// Any string, the empty one too.
    pub fn string(&mut self) -> Option<&'v str> {
        self.typed("a string", Value::as_str)
    }

    /// A whole number within bounds.
    pub fn integer(&mut self, bounds: RangeInclusive<u64>) -> Option<u64> {
        let number = self.typed("a number", |value| value.as_number())?;
        let (low, high) = (bounds.start(), bounds.end());
        let found = number.as_u64().filter(|found| bounds.contains(found));
        if found.is_none() {
            let message = format!("{number} is outside {low} to {high}");
            self.fault(OUT_OF_RANGE, message);
        }
        found
    }

    /// One of the names of an enumeration; compared exactly.
    pub fn choice<T: Choice>(&mut self) -> Option<T> {
        let name = self.string()?;
        let found = T::NAMES.iter().find(|(known, _)| *known == name);
        if found.is_none() {
            let allowed = T::NAMES.iter().map(|(name, _)| *name);
            let message = format!("{} is not one of {}", quoted(name), listed(allowed));
            self.fault(NOT_ALLOWED, message);
        }
        found.map(|(_, choice)| *choice)
    }

    /// A string that `read` accepts; `expected` says in a fault what that would be.
    ///
    /// The fault does not repeat the string: it may be a secret that was pasted into the wrong place.
    pub fn parse<T>(
        &mut self,
        expected: &str,
        read: impl FnOnce(&'v str) -> Option<T>,
    ) -> Option<T> {
        let found = read(self.string()?);
        if found.is_none() {
            self.fault(BAD_VALUE, format!("is not {expected}"));
        }
        found
    }

    /// The elements of an array, in order, without those that `read` gives up on.
    pub fn elements<T>(&mut self, mut read: impl FnMut(Node<'v, '_>) -> Option<T>) -> Vec<T> {
        let elements = self.typed("an array", Value::as_array);
        let places = elements.into_iter().flatten().enumerate();
        places
            .filter_map(|(index, value)| {
                read(Node::at(value, format!("{}/{index}", self.at), self.faults))
            })
            .collect()
    }

    /// Notes a fault if the value is an empty array; `advice` says what to do instead.
    pub fn refuse_empty(&mut self, advice: &str) {
        if self.value.as_array().is_some_and(Vec::is_empty) {
            self.fault(MISSING_MEMBER, format!("is empty; {advice}"));
        }
    }

    /// As [`Node::elements`], where a single value may stand for an array of one.
    pub fn one_or_more<T>(&mut self, mut read: impl FnMut(Node<'v, '_>) -> Option<T>) -> Vec<T> {
        if self.value.is_array() {
            return self.elements(read);
        }
        let only = Node::at(self.value, self.at.clone(), self.faults);
        read(only).into_iter().collect()
    }

    /// The members of an object whose names are data, without those that `read` gives up on.
    pub fn members<T>(
        &mut self,
        mut read: impl FnMut(&'v str, Node<'v, '_>) -> Option<T>,
    ) -> Vec<T> {
        let members = self.typed("an object", Value::as_object);
        members
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| {
                let at = child(&self.at, name);
                read(name, Node::at(value, at, self.faults))
            })
            .collect()
    }

    /// A table from names to strings.
    pub fn string_table(&mut self) -> BTreeMap<String, String> {
        let entries = self.members(|name, mut node| {
            let text = node.string()?;
            Some((name.to_owned(), text.to_owned()))
        });
        entries.into_iter().collect()
    }

    /// The object whose members are `keys`; every other member is a fault.
    #[must_use]
    pub fn object(mut self, keys: &[&str]) -> ObjectReader<'v, 'f> {
        let members = self.typed("an object", Value::as_object);
        for name in members.into_iter().flat_map(Map::keys) {
            if !keys.contains(&name.as_str()) {
                self.faults.push(Fault {
                    at: child(&self.at, name),
                    code: UNKNOWN_MEMBER,
                    message: format!("unknown member {}; {}", quoted(name), advice(name, keys)),
                });
            }
        }
        ObjectReader {
            members,
            at: self.at,
            faults: self.faults,
        }
    }

    fn typed<T>(&mut self, expected: &str, read: impl FnOnce(&'v Value) -> Option<T>) -> Option<T> {
        let found = read(self.value);
        if found.is_none() {
            let message = format!("expected {expected}, found {}", type_name(self.value));
            self.fault(WRONG_TYPE, message);
        }
        found
    }
}

/// An object whose member names are known.
#[derive(Debug)]
pub struct ObjectReader<'v, 'f> {
    /// `None` where the document has no such object; then every member is absent and none is missed.
    members: Option<&'v Map<String, Value>>,
    at: String,
    faults: &'f mut Vec<Fault>,
}

impl<'v> ObjectReader<'v, '_> {
    /// The JSON pointer to the object.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.at
    }

    /// The JSON pointer to a member, whether or not it is there.
    #[must_use]
    pub fn pointer_to(&self, key: &str) -> String {
        child(&self.at, key)
    }

    /// Whether the document gives this member.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.members
            .is_some_and(|members| members.contains_key(key))
    }

    /// Notes a fault of a member, whether or not it is there.
    pub fn fault(&mut self, key: &str, code: &'static str, message: impl Into<String>) {
        self.faults.push(Fault {
            at: child(&self.at, key),
            code,
            message: message.into(),
        });
    }

    /// A member that may be absent.
    pub fn get(&mut self, key: &str) -> Option<Node<'v, '_>> {
        let value = self.members?.get(key)?;
        Some(Node::at(value, child(&self.at, key), self.faults))
    }

    /// A member that must be there; `what` says in the fault what to write.
    pub fn require(&mut self, key: &str, what: &str) -> Option<Node<'v, '_>> {
        if self.members.is_some() && !self.has(key) {
            let message = format!("{} is missing; give {what}", quoted(key));
            self.fault(key, MISSING_MEMBER, message);
        }
        self.get(key)
    }

    /// A member that is an object itself; absent, all its members are.
    pub fn object(&mut self, key: &str, keys: &[&str]) -> ObjectReader<'v, '_> {
        match self.members.and_then(|members| members.get(key)) {
            Some(value) => Node::at(value, child(&self.at, key), self.faults).object(keys),
            None => ObjectReader {
                members: None,
                at: child(&self.at, key),
                faults: self.faults,
            },
        }
    }

    /// A flag, or its default.
    pub fn flag(&mut self, key: &str, default: bool) -> bool {
        let given = self.get(key).and_then(|mut node| node.flag());
        given.unwrap_or(default)
    }

    /// A whole number within bounds, or its default.
    pub fn integer(&mut self, key: &str, bounds: RangeInclusive<u64>, default: u64) -> u64 {
        let given = self.get(key).and_then(|mut node| node.integer(bounds));
        given.unwrap_or(default)
    }

    /// A name of an enumeration, or its default.
    pub fn choice<T: Choice>(&mut self, key: &str, default: T) -> T {
        let given = self.get(key).and_then(|mut node| node.choice());
        given.unwrap_or(default)
    }

    /// A string that `read` accepts (see [`Node::parse`]), if the member is there.
    pub fn parse<T>(
        &mut self,
        key: &str,
        expected: &str,
        read: impl FnOnce(&'v str) -> Option<T>,
    ) -> Option<T> {
        self.get(key)?.parse(expected, read)
    }

    /// An array of strings that `read` accepts; a repeated one is a fault. Absent is `None`.
    pub fn list<T: PartialEq>(
        &mut self,
        key: &str,
        expected: &str,
        read: impl Fn(&'v str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut node = self.get(key)?;
        let mut list = Vec::new();
        node.elements(|mut element| {
            let item = element.parse(expected, &read)?;
            if list.contains(&item) {
                element.fault(DUPLICATE, "is listed before; remove one of the two");
            } else {
                list.push(item);
            }
            Some(())
        });
        Some(list)
    }
}

/// The JSON pointer to a member (RFC 6901 §3).
#[must_use]
pub fn child(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Text of the document inside a message: one line, not longer than it helps.
#[must_use]
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 80;
    let shown: String = text.chars().take(SHOWN).flat_map(one_line).collect();
    let rest = if text.chars().nth(SHOWN).is_some() {
        "…"
    } else {
        ""
    };
    format!("`{shown}{rest}`")
}

/// A character as it may stand in a one-line message: control characters are escaped.
pub(super) fn one_line(character: char) -> impl Iterator<Item = char> {
    let (plain, escaped) = if character.is_control() {
        (None, Some(character.escape_default()))
    } else {
        (Some(character), None)
    };
    plain.into_iter().chain(escaped.into_iter().flatten())
}

/// `a, b or c`.
fn listed(names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<_> = names.collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

fn advice(name: &str, keys: &[&str]) -> String {
    match nearest(name, keys) {
        Some(key) => format!("did you mean `{key}`?"),
        None => format!("known here: {}", keys.join(", ")),
    }
}

const fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
