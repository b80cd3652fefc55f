//! Settings from the environment: `CAE__LISTEN__AUTHORIZATION=0.0.0.0:8180` is `listen.authorization`.
//!
//! Two underscores go one level down, one stands before a capital: `CAE__STORE__LOG_DAYS` is `store.logDays`. A number is
//! the place in a list. A value that is JSON counts as that, anything else as text.

use cae_core::configuration::read::{BAD_VALUE, child};
use cae_core::configuration::{Fault, Faults};
use cae_core::json::{self, Limits, Map, Value};

const PREFIX: &str = "CAE__";

/// Puts what the variables say into the document, in the order of their names.
pub(super) fn apply(
    document: &mut Value,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<(), Faults> {
    let mut given: Vec<(String, String)> = variables
        .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value)))
        .collect();
    given.sort();
    let mut faults = Vec::new();
    for (name, text) in given {
        let value = match json::parse(text.as_bytes(), Limits::DOCUMENT) {
            Ok(value) => value,
            Err(_) => Value::String(text),
        };
        let path: Vec<String> = name.split("__").map(member).collect();
        if let Err(at) = put(document, &path, value) {
            faults.push(Fault {
                at,
                code: BAD_VALUE,
                message: format!(
                    "the environment variable {PREFIX}{name} names a place that is not there"
                ),
            });
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Faults(faults))
    }
}

/// `LOG_DAYS` is `logDays`.
fn member(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_ascii_lowercase();
    words.fold(first, |mut text, word| {
        let lower = word.to_ascii_lowercase();
        let mut letters = lower.chars();
        text.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        text.push_str(letters.as_str());
        text
    })
}

fn put(document: &mut Value, path: &[String], value: Value) -> Result<(), String> {
    let mut place = document;
    let mut at = String::new();
    for name in path {
        at = child(&at, name);
        place = match place {
            Value::Array(list) => {
                let end = list.len();
                let index: usize = name.parse().map_err(|_| at.clone())?;
                if index == end {
                    list.push(Value::Object(Map::new()));
                }
                list.get_mut(index).ok_or_else(|| at.clone())?
            }
            Value::Object(members) => members
                .entry(name.clone())
                .or_insert_with(|| Value::Object(Map::new())),
            _ => return Err(at),
        };
    }
    *place = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn variables_replace_and_add() {
        let mut document = json!({"store": {"file": "a"}, "transmitter": [{"name": "one"}]});
        let variables = [
            ("CAE__STORE__FILE", "b"),
            ("CAE__STORE__LOG_DAYS", "7"),
            ("CAE__TRANSMITTER__0__NAME", "two"),
            ("CAE__TRANSMITTER__1__NAME", "three"),
            ("CAE__LISTEN__AUTHORIZATION", "127.0.0.1:1"),
            (
                "CAE__ENGINE__SETTINGS__REQUIRED_SCOPES",
                r#"{"/admin":["x"]}"#,
            ),
            ("CAE_COMPONENT", "not a setting"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        apply(&mut document, variables.into_iter()).unwrap();
        assert_eq!(
            document,
            json!({
                "store": {"file": "b", "logDays": 7},
                "transmitter": [{"name": "two"}, {"name": "three"}],
                "listen": {"authorization": "127.0.0.1:1"},
                "engine": {"settings": {"requiredScopes": {"/admin": ["x"]}}},
            })
        );
    }

    #[test]
    fn a_variable_that_leads_nowhere_is_a_fault() {
        let mut document = json!({"store": 7, "transmitter": []});
        let variables = ["CAE__STORE__FILE", "CAE__TRANSMITTER__3__NAME"];
        let variables = variables.map(|name| (name.to_owned(), "x".to_owned()));
        let faults = apply(&mut document, variables.into_iter()).unwrap_err().0;
        let places: Vec<&str> = faults.iter().map(|fault| fault.at.as_str()).collect();
        assert_eq!(places, ["/store/file", "/transmitter/3"]);
    }
}
