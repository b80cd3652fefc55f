//! The shape of Graph JSON: lists of objects, and what counts as configured.
//!
//! Only what is not a policy or location at all is a [`Fault`]; every other oddity is kept, so that the
//! policy that holds it becomes undetermined instead of disappearing.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::configuration::Fault;
use crate::json::{Map, Value};

/// One object of a list, with its JSON pointer.
pub(crate) struct Item<'a> {
    pub(crate) at: String,
    pub(crate) members: &'a Map<String, Value>,
}

/// The objects of a document: one object, an array of them, or a Graph list (`{"value": [..]}`).
pub(crate) fn items<'a>(document: &'a Value, at: &str, faults: &mut Vec<Fault>) -> Vec<Item<'a>> {
    let (list, at) = match document {
        Value::Object(members) => match members.get("value") {
            Some(list) => {
                // The rest of the list is on other pages: to go on without them would drop policies silently.
                if members.get("@odata.nextLink").is_some_and(is_configured) {
                    faults.push(Fault {
                        at: format!("{at}/@odata.nextLink"),
                        code: "policy.incomplete_list",
                        message: "the list continues on another page; export all pages and join their `value`"
                            .into(),
                    });
                }
                (list, format!("{at}/value"))
            }
            None => {
                return Vec::from([Item {
                    at: at.into(),
                    members,
                }]);
            }
        },
        list => (list, at.into()),
    };
    match list {
        Value::Null => Vec::new(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .filter_map(|(index, item)| {
                let at = format!("{at}/{index}");
                let members = object(item, &at, faults)?;
                Some(Item { at, members })
            })
            .collect(),
        other => {
            faults.push(not_an_object(
                other,
                &at,
                "an object, an array of objects or {\"value\": [..]}",
            ));
            Vec::new()
        }
    }
}

/// A member that must be an object if it is configured.
pub(crate) fn object_member<'a>(
    item: &Item<'a>,
    name: &str,
    faults: &mut Vec<Fault>,
) -> Option<&'a Map<String, Value>> {
    let value = item
        .members
        .get(name)
        .filter(|value| is_configured(value))?;
    object(value, &format!("{}/{name}", item.at), faults)
}

fn object<'a>(
    value: &'a Value,
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<&'a Map<String, Value>> {
    let members = value.as_object();
    if members.is_none() {
        faults.push(not_an_object(value, at, "an object"));
    }
    members
}

fn not_an_object(value: &Value, at: &str, expected: &str) -> Fault {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    Fault {
        at: at.into(),
        code: "policy.not_an_object",
        message: format!("expected {expected} as Graph exports it, found {found}"),
    }
}

/// Whether a value says anything: null, `""`, `[]`, `{}` and what holds nothing else do not (row 6).
pub(crate) fn is_configured(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => list.iter().any(is_configured),
        Value::Object(members) => configured(members).next().is_some(),
    }
}

/// The configured members of an object, without annotations (names with `@`, or that start with `#`).
pub(crate) fn configured(members: &Map<String, Value>) -> impl Iterator<Item = (&str, &Value)> {
    members
        .iter()
        .filter(|(name, value)| {
            !name.contains('@') && !name.starts_with('#') && is_configured(value)
        })
        .map(|(name, value)| (name.as_str(), value))
}

/// One configured entry of a list; `Err` holds an entry that is no text.
pub(crate) type Entry<'a> = Result<&'a str, &'a Value>;

/// The configured entries of a list; a value where a list belongs is a list of one (row 7).
pub(crate) fn entries(value: Option<&Value>) -> impl Iterator<Item = Entry<'_>> {
    let list = match value {
        Some(Value::Array(list)) => list.as_slice(),
        Some(other) => core::slice::from_ref(other),
        None => &[],
    };
    list.iter()
        .filter(|entry| is_configured(entry))
        .map(|entry| match entry {
            Value::String(text) => Ok(text.as_str()),
            other => Err(other),
        })
}

/// A non-empty text member.
pub(crate) fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// Whether text has the form 8-4-4-4-12 of hexadecimal digits, without braces.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(position, byte)| match position {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
}

/// The last dotted part of an `@odata.type`, such as `ipNamedLocation` of `#microsoft.graph.ipNamedLocation`.
pub(crate) fn type_name(odata_type: &str) -> &str {
    odata_type.rsplit(['.', '#']).next().unwrap_or(odata_type)
}

/// What reading a policy has to say besides the policy itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Notes {
    /// Members that this engine does not understand, as dotted paths.
    pub(crate) not_understood: Vec<String>,
    /// Placeholders, names in place of ids, references to nothing.
    pub(crate) warnings: Vec<String>,
}

impl Notes {
    /// Notes a member or value as not understood.
    pub(crate) fn not_understood(&mut self, path: impl Into<String>) {
        self.not_understood.push(path.into());
    }

    /// Notes every configured member besides `known`; whether there was one.
    pub(crate) fn unknown_members(
        &mut self,
        path: &str,
        members: &Map<String, Value>,
        known: &[&str],
    ) -> bool {
        let before = self.not_understood.len();
        self.not_understood.extend(
            configured(members)
                .filter(|(name, _)| !known.contains(name))
                .map(|(name, _)| format!("{path}.{name}")),
        );
        self.not_understood.len() > before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, parse};

    fn value(text: &str) -> Value {
        parse(text.as_bytes(), Limits::DOCUMENT).unwrap()
    }

    #[test]
    fn what_says_nothing_is_not_configured() {
        for text in [
            "null",
            "\"\"",
            "[]",
            "{}",
            "[[],{}]",
            r##"{"a":{"b":[null,""]},"x@odata.type":"t","@odata.id":"i","#a":{"t":"u"}}"##,
        ] {
            assert!(!is_configured(&value(text)), "{text}");
        }
        for text in ["0", "false", "\"x\"", r#"{"a":[[false]]}"#] {
            assert!(is_configured(&value(text)), "{text}");
        }
    }

    #[test]
    fn documents_are_one_object_an_array_or_a_list() {
        for (text, pointers, codes) in [
            (r#"{"id":"a"}"#, &["/p"][..], &[][..]),
            (r#"[{"id":"a"},{}]"#, &["/p/0", "/p/1"], &[]),
            (r#"{"value":[{"id":"a"}]}"#, &["/p/value/0"], &[]),
            ("null", &[], &[]),
            ("3", &[], &["policy.not_an_object"]),
            (
                r#"[1,{},"x"]"#,
                &["/p/1"],
                &["policy.not_an_object", "policy.not_an_object"],
            ),
            (
                r#"{"value":[{}],"@odata.nextLink":"u"}"#,
                &["/p/value/0"],
                &["policy.incomplete_list"],
            ),
            (r#"{"value":"x"}"#, &[], &["policy.not_an_object"]),
        ] {
            let (document, mut faults) = (value(text), Vec::new());
            let found: Vec<String> = items(&document, "/p", &mut faults)
                .into_iter()
                .map(|item| item.at)
                .collect();
            assert_eq!(found, pointers, "{text}");
            let found: Vec<&str> = faults.iter().map(|fault| fault.code).collect();
            assert_eq!(found, codes, "{text}");
        }
    }

    #[test]
    fn ids() {
        assert!(is_guid("00000002-0000-0FF1-ce00-000000000000"));
        for text in [
            "",
            "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
            "{00000002-0000-0ff1-ce00-000000000000}",
            "00000002-0000-0ff1-ce00-00000000000",
        ] {
            assert!(!is_guid(text), "{text}");
        }
    }
}
