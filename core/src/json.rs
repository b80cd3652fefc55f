//! Strict JSON reading: bounded size and depth, no repeated members, no NUL, UTF-8 only.
//!
//! RFC 7515 §4 and RFC 7519 §4 let a parser choose between two members of one name; two parsers that choose
//! differently disagree about who is signed in, so repeated names are refused everywhere.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
pub use serde_json::{Map, Value};

/// Bounds that hold before the text is parsed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Largest accepted text, in bytes.
    pub bytes: usize,
    /// Deepest accepted nesting of arrays and objects.
    pub depth: usize,
}

impl Limits {
    /// 64 KiB: no real access token comes near it.
    pub const TOKEN: Self = Self {
        bytes: 64 << 10,
        depth: 32,
    };
    /// 1 MiB, for security event tokens.
    pub const EVENT: Self = Self {
        bytes: 1 << 20,
        depth: 32,
    };
    /// 64 MiB, for configuration, policies and scenarios, which come from the operator.
    pub const DOCUMENT: Self = Self {
        bytes: 64 << 20,
        depth: 32,
    };
}

/// The text was not accepted as JSON.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Larger than [`Limits::bytes`].
    #[error("{found} bytes of JSON are more than the limit of {limit}")]
    TooLarge {
        /// Size of the text in bytes.
        found: usize,
        /// The bound in force.
        limit: usize,
    },
    /// Nested deeper than [`Limits::depth`].
    #[error("JSON at byte {at} is nested deeper than {limit} levels")]
    TooDeep {
        /// Byte offset of the bracket that goes too deep.
        at: usize,
        /// The bound in force.
        limit: usize,
    },
    /// Not JSON, or JSON that this engine refuses (repeated members, NUL, invalid UTF-8).
    #[error("line {line} column {column}: {what}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// What is wrong; names members, never quotes values.
        what: String,
    },
}

/// Reads one JSON text within `limits`.
///
/// # Errors
/// [`JsonError`] if the text is too large, too deep, not JSON, or repeats a member name.
pub fn parse(text: &[u8], limits: Limits) -> Result<Value, JsonError> {
    if text.len() > limits.bytes {
        return Err(JsonError::TooLarge {
            found: text.len(),
            limit: limits.bytes,
        });
    }
    check_depth(text, limits.depth)?;
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict.deserialize(&mut reader).map_err(syntax)?;
    reader.end().map_err(syntax)?;
    Ok(value)
}

/// The canonical text of a value: members sorted by name, no white space.
#[must_use]
pub fn canonical(value: &Value) -> String {
    to_text(value)
}

/// The canonical text of any serialisable answer of the engine: struct order, sorted maps.
#[must_use]
pub fn to_text<T: serde::Serialize>(answer: &T) -> String {
    // Answers hold what JSON has, with names that are strings; serialising those into a `String` cannot fail.
    serde_json::to_string(answer).unwrap_or_default()
}

/// An object with these members.
pub(crate) fn object(members: Vec<(&str, Value)>) -> Value {
    let mut object = Map::new();
    for (name, value) in members {
        object.insert(name.into(), value);
    }
    Value::Object(object)
}

/// Brackets outside strings, counted before the recursive reader sees them.
fn check_depth(text: &[u8], limit: usize) -> Result<(), JsonError> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.iter().enumerate() {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => in_string = false,
            (true, _) => {}
            (false, b'"') => in_string = true,
            (false, b'[' | b'{') => {
                depth = depth.saturating_add(1);
                if depth > limit {
                    return Err(JsonError::TooDeep { at, limit });
                }
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            (false, _) => {}
        }
    }
    Ok(())
}

fn syntax(error: serde_json::Error) -> JsonError {
    let (line, column) = (error.line(), error.column());
    let mut what = alloc::format!("{error}");
    if let Some(end) = what.rfind(" at line ") {
        what.truncate(end);
    }
    JsonError::Syntax { line, column, what }
}

/// Builds a [`Value`] and refuses what a tolerant reader would let pass.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.visit_string(value.into())
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        no_nul(&value)?;
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(Strict)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            no_nul(&name)?;
            if map.contains_key(&name) {
                let shown = short(&name);
                return Err(A::Error::custom(format_args!("repeated member `{shown}`")));
            }
            let value = members.next_value_seed(Strict)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

/// A name of the sender's choice, as far as it helps: in ASCII on one line, cut where it grows long.
fn short(name: &str) -> String {
    const SHOWN: usize = 40;
    name.chars()
        .take(SHOWN)
        .flat_map(char::escape_default)
        .collect()
}

fn no_nul<E: serde::de::Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') {
        Err(E::custom("NUL in a string"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    const SMALL: Limits = Limits {
        bytes: 64,
        depth: 3,
    };

    #[test]
    fn reads_what_is_strict() {
        let value = parse(br#" {"b":[1,-2,1.5],"a":"\u00e9"} "#, SMALL).unwrap();
        assert_eq!(canonical(&value), r#"{"a":"é","b":[1,-2,1.5]}"#);
    }

    #[test]
    fn refuses_what_two_parsers_could_read_differently() {
        for (text, what) in [
            (&br#"{"a":1,"a":2}"#[..], "repeated member `a`"),
            (br#"{"x":{"a":1,"\u0061":2}}"#, "repeated member `a`"),
            (br#""\u0000""#, "NUL"),
            (br#""\ud800 x""#, "hex escape"),
            (b"\"\xff\"", "invalid unicode"),
            (b"\xef\xbb\xbf{}", "expected value"),
            (b"{} {}", "trailing characters"),
            (b"NaN", "expected"),
            (b"", "EOF"),
        ] {
            let error = parse(text, SMALL).unwrap_err().to_string();
            assert!(error.contains(what), "{error} should name {what}");
        }
    }

    #[test]
    fn a_repeated_name_is_quoted_on_one_short_line() {
        let name = alloc::format!(r"line\n{}", "x".repeat(500));
        let text = alloc::format!(r#"{{"{name}":1,"{name}":2}}"#);
        let error = parse(text.as_bytes(), Limits::EVENT)
            .unwrap_err()
            .to_string();
        assert!(error.len() < 200 && !error.contains('\n'), "{error}");
    }

    #[test]
    fn bounds_come_before_parsing() {
        assert_eq!(
            parse(b"[[[[]]]]", SMALL),
            Err(JsonError::TooDeep { at: 3, limit: 3 })
        );
        assert!(
            parse(br#"["[[[["]"#, SMALL).is_ok(),
            "brackets in strings do not nest"
        );
        assert_eq!(
            parse(&[b' '; 65], SMALL),
            Err(JsonError::TooLarge {
                found: 65,
                limit: 64
            })
        );
    }
}
