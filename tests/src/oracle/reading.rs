//! How the Graph JSON of a policy is read, and how its lists are compared with facts: rows 6 to 11.

use serde_json::Value;

use super::truth::Truth::{self, False, True, Unknown};

/// Row 6: keys that say something about the document, not about the policy.
pub(super) fn is_annotation(key: &str) -> bool {
    key.contains('@') || key.starts_with('#')
}

/// Row 6: null, `""`, `[]`, `{}` and whatever holds nothing else are not configured; numbers and booleans are.
pub(super) fn is_configured(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(is_configured),
        Value::Object(members) => members
            .iter()
            .any(|(key, member)| !is_annotation(key) && is_configured(member)),
    }
}

/// Row 9: no configured member outside those of the reference. What is no object at all is not understood either.
pub(super) fn has_only(value: &Value, members: &[&str]) -> bool {
    match value {
        Value::Object(object) => object.iter().all(|(key, member)| {
            is_annotation(key) || members.contains(&key.as_str()) || !is_configured(member)
        }),
        other => !is_configured(other),
    }
}

/// Row 7: the entries of a list, where a string stands for an array of one. An entry that is no string is text that
/// nothing equals: neither an id nor a keyword nor a value of an enumeration.
pub(super) fn entries(value: &Value) -> Vec<String> {
    let one = |entry: &Value| match entry {
        Value::String(text) => text.clone(),
        odd => odd.to_string(),
    };
    match value {
        Value::Array(items) => items
            .iter()
            .filter(|item| is_configured(item))
            .map(one)
            .collect(),
        other if is_configured(other) => vec![one(other)],
        _ => Vec::new(),
    }
}

/// Row 8: a flags value is a comma-separated string, spaces trimmed; an array of such strings is accepted.
pub(super) fn flags(value: &Value) -> Vec<String> {
    entries(value)
        .iter()
        .flat_map(|entry| entry.split(','))
        .map(|flag| flag.trim().to_owned())
        .filter(|flag| !flag.is_empty())
        .collect()
}

/// Row 7: ids, keywords, enumeration values and controls compare case-insensitively.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

pub(super) fn holds(list: &[String], text: &str) -> bool {
    list.iter().any(|entry| same(entry, text))
}

/// The entries of a list of ids that are none of its keywords.
pub(super) fn without(list: &[String], keywords: &[&str]) -> Vec<String> {
    let is_keyword = |entry: &String| keywords.iter().any(|keyword| same(entry, keyword));
    list.iter()
        .filter(|entry| !is_keyword(entry))
        .cloned()
        .collect()
}

/// Row 7: the last dotted part of an `@odata.type`.
pub(super) fn type_name(value: &Value) -> Option<&str> {
    value["@odata.type"].as_str()?.rsplit('.').next()
}

/// Row 10: 8-4-4-4-12 hexadecimal digits, no braces.
pub(super) fn is_guid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && parts
            .iter()
            .all(|part| part.chars().all(|digit| digit.is_ascii_hexdigit()))
}

/// Row 10: a list of ids (keywords taken out) against the ids that are known; `None` is not known.
pub(super) fn match_ids(list: &[String], known: Option<&[String]>) -> Truth {
    let Some(known) = known else {
        return if list.is_empty() { False } else { Unknown };
    };
    if list.iter().any(|entry| holds(known, entry)) {
        True
    } else if !known.is_empty() && list.iter().any(|entry| !is_guid(entry)) {
        Unknown
    } else {
        False
    }
}

/// Row 11: a list of enumeration values against the fact. A value that the enumeration does not have may be the fact.
pub(super) fn match_values(list: &[String], enumeration: &[&str], fact: Option<&str>) -> Truth {
    let understood = |value: &String| enumeration.iter().any(|member| same(member, value));
    if list.is_empty() {
        return False;
    }
    let Some(fact) = fact else { return Unknown };
    if list
        .iter()
        .any(|value| understood(value) && same(value, fact))
    {
        True
    } else if list.iter().all(understood) {
        False
    } else {
        Unknown
    }
}

/// Row 3: a fact of an enumeration; absent, null, `unknownFutureValue` or any other string is unknown.
pub(super) fn enumeration_fact<'e>(fact: &Value, enumeration: &[&'e str]) -> Option<&'e str> {
    let text = fact.as_str()?;
    enumeration
        .iter()
        .copied()
        .find(|member| same(member, text))
}

/// Row 2: a fact that is a list of ids; absent or null is unknown, `[]` is known to be empty.
pub(super) fn list_fact(fact: &Value) -> Option<Vec<String>> {
    match fact {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}
