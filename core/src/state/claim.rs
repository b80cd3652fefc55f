//! Claims that changed, in the form in which tokens are held against them.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use crate::json::{Map, Value, canonical};

/// The name of a claim, as tokens write it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ClaimName(String);

/// The value of a claim as comparable text: what differs only in the way in which issuers write it is the same.
///
/// Canonical JSON, in which an array is a set (sorted, without repeats) and a set of one is that one value, as issuers
/// write `groups`, `roles` and `aud` either way; a whole number has no fraction. Text longer than
/// [`ClaimValue::LONGEST`] is its SHA-256, which compares as well. Ordered as text, larger is stricter.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct ClaimValue(String);

/// The text is too long, or empty.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotAName;

impl ClaimName {
    /// Longest name that is kept, in bytes. No claim that tokens carry comes near it.
    pub const LONGEST: usize = 256;

    /// The claim with this name.
    ///
    /// # Errors
    /// [`NotAName`] if the name is empty or longer than [`ClaimName::LONGEST`].
    pub fn new(name: &str) -> Result<Self, NotAName> {
        if name.is_empty() || name.len() > Self::LONGEST {
            return Err(NotAName);
        }
        Ok(Self(name.to_string()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ClaimValue {
    /// Longest text that is kept as it is, in bytes.
    pub const LONGEST: usize = 512;

    /// The comparable text of the value of the claim `name`.
    ///
    /// `scope` and `scp` are lists in one string (RFC 8693 §4.2).
    #[must_use]
    pub fn of(name: &str, value: &Value) -> Self {
        let text = match value {
            Value::String(text) if matches!(name, "scope" | "scp") => {
                let scopes = text.split(' ').filter(|scope| !scope.is_empty());
                let scopes = scopes.map(|scope| canonical(&scope.into())).collect();
                set(scopes)
            }
            value => comparable(value),
        };
        Self::from_text(text)
    }

    /// The value whose text this is.
    pub(super) fn from_text(text: String) -> Self {
        if text.len() > Self::LONGEST {
            let digest = Sha256::digest(text);
            let digits = digest.iter().map(|byte| format!("{byte:02x}"));
            return Self(format!("sha256:{}", digits.collect::<String>()));
        }
        Self(text)
    }

    /// The text; empty for the neutral value, which no claim has.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn comparable(value: &Value) -> String {
    match value {
        Value::Array(elements) => set(elements.iter().map(comparable).collect()),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                let name = canonical(&Value::String(name.clone()));
                format!("{name}:{}", comparable(value))
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Number(number) => {
            let text = number.to_string();
            match text.strip_suffix(".0") {
                Some(whole) => whole.to_string(),
                None => text,
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => canonical(value),
    }
}

/// The text of a set; of one element, that of the element.
fn set(mut elements: Vec<String>) -> String {
    elements.sort_unstable();
    elements.dedup();
    match elements.as_slice() {
        [only] => only.clone(),
        several => format!("[{}]", several.join(",")),
    }
}

/// Whether the claims of a token show the value.
pub(crate) fn shows(claims: &Value, name: &ClaimName, value: &ClaimValue) -> bool {
    let claims = claims.as_object();
    let shown = claims.and_then(|claims: &Map<String, Value>| claims.get(name.as_str()));
    shown.is_some_and(|shown| ClaimValue::of(name.as_str(), shown) == *value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_compared_as_issuers_mean_them() {
        for (name, a, b, same) in [
            ("role", json!("ro-admin"), json!("ro-admin"), true),
            ("role", json!("ro-admin"), json!("RO-admin"), false),
            ("groups", json!(["a", "b"]), json!(["b", "a", "b"]), true),
            ("groups", json!(["a"]), json!("a"), true),
            ("groups", json!(["a"]), json!(["a", "b"]), false),
            ("groups", json!([]), json!(["a"]), false),
            ("level", json!(2), json!(2.0), true),
            ("level", json!(2), json!("2"), false),
            ("trusted_network", json!(false), json!(false), true),
            ("trusted_network", json!(false), json!("false"), false),
            ("scope", json!("read write"), json!("write  read"), true),
            ("scp", json!("read"), json!(["read"]), true),
            ("scp", json!("read write"), json!(["write", "read"]), true),
            ("note", json!("read write"), json!("write read"), false),
            (
                "x",
                json!({"a": [1, 2], "b": null}),
                json!({"b": null, "a": [2, 1]}),
                true,
            ),
            ("x", json!({"a": 1}), json!({"a": 1, "b": 1}), false),
            (
                "x",
                json!("a".repeat(9_999)),
                json!("a".repeat(9_999)),
                true,
            ),
            (
                "x",
                json!("a".repeat(9_999)),
                json!("a".repeat(9_998)),
                false,
            ),
        ] {
            let (of_a, of_b) = (ClaimValue::of(name, &a), ClaimValue::of(name, &b));
            assert_eq!(of_a == of_b, same, "{name}: {a} and {b}");
            assert!(
                of_a.as_str().len() <= ClaimValue::LONGEST,
                "{name} is bounded"
            );
            assert!(
                !of_a.as_str().is_empty(),
                "the empty text is the neutral value"
            );
        }
    }

    #[test]
    fn a_name_is_bounded() {
        assert!(ClaimName::new(&"n".repeat(ClaimName::LONGEST)).is_ok());
        assert_eq!(
            ClaimName::new(&"n".repeat(ClaimName::LONGEST + 1)),
            Err(NotAName)
        );
        assert_eq!(ClaimName::new(""), Err(NotAName));
    }
}
