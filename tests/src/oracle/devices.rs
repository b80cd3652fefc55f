//! Condition `devices`: what a rule says of a device (rows 2, 9, 15, 16).

use serde_json::Value;

use super::reading::{has_only, is_configured, list_fact, same};
use super::rule::{Comparison, Literal, Operator, Rule, parse};
use super::truth::Truth::{self, False, True, Unknown};

/// The application id of Intune, which makes extension attributes usable (row 16).
const INTUNE: &str = "0000000a-0000-0000-c000-000000000000";

/// What a rule compares: an attribute is text, a collection, null, or not known.
#[derive(Clone, PartialEq)]
enum Attribute {
    Text(String),
    Collection(Vec<String>),
    Null,
    NotKnown,
}

/// Rows 9 and 15: the filter includes or excludes; whatever is not understood makes the whole condition unknown.
pub(super) fn devices(conditions: &Value, sign_in: &Value) -> Truth {
    let devices = &conditions["devices"];
    if !is_configured(devices) {
        return True;
    }
    let filter = &devices["deviceFilter"];
    if !has_only(devices, &["deviceFilter"]) || !has_only(filter, &["mode", "rule"]) {
        return Unknown;
    }
    let Some(rule) = filter["rule"].as_str().and_then(parse) else {
        return Unknown;
    };
    let device = &sign_in["signInConditions"]["deviceInfo"];
    let matches = holds(&rule, device);
    match filter["mode"].as_str().unwrap_or_default() {
        mode if same(mode, "include") => matches,
        mode if same(mode, "exclude") => matches.negated(),
        _ => Unknown,
    }
}

fn holds(rule: &Rule, device: &Value) -> Truth {
    match rule {
        Rule::Or(one, other) => holds(one, device).or(holds(other, device)),
        Rule::And(one, other) => holds(one, device).and(holds(other, device)),
        Rule::Not(inner) => holds(inner, device).negated(),
        Rule::Compare(comparison) => compare(comparison, device),
    }
}

/// Row 15; row 16 for the attributes that only some devices may use.
fn compare(comparison: &Comparison, device: &Value) -> Truth {
    let attribute = attribute(&comparison.property, device);
    if !comparison.property.starts_with("extensionattribute") {
        return judge(comparison, &attribute);
    }
    let usable = judge(comparison, &attribute);
    let not_usable = judge(comparison, &Attribute::Null);
    match extension_attributes_are_usable(device) {
        True => usable,
        False => not_usable,
        Unknown => Truth::unanimous([usable, not_usable]),
    }
}

/// Row 16: compliant, hybrid joined or managed by Intune.
fn extension_attributes_are_usable(device: &Value) -> Truth {
    let is = |property: &str, text: &str| match attribute(property, device) {
        Attribute::Text(value) => Truth::of(same(&value, text)),
        Attribute::NotKnown => Unknown,
        _ => False,
    };
    is("iscompliant", "true")
        .or(is("trusttype", "ServerAD"))
        .or(is("mdmappid", INTUNE))
}

/// Row 15: a negative operator is exactly the negation of its positive one.
fn judge(comparison: &Comparison, attribute: &Attribute) -> Truth {
    let positive = match attribute {
        Attribute::NotKnown => Unknown,
        Attribute::Null => Truth::of(comparison.literal == Literal::Null),
        Attribute::Text(text) => Truth::of(text_matches(comparison, text)),
        Attribute::Collection(elements) => Truth::of(match &comparison.literal {
            Literal::Text(wanted) => elements.iter().any(|element| same(element, wanted)),
            _ => false,
        }),
    };
    if comparison.negative {
        positive.negated()
    } else {
        positive
    }
}

fn text_matches(comparison: &Comparison, text: &str) -> bool {
    let text = text.to_lowercase();
    match (&comparison.literal, comparison.operator) {
        (Literal::Null, _) => false,
        (Literal::List(wanted), _) => wanted.iter().any(|wanted| same(wanted, &text)),
        (Literal::Text(wanted), operator) => {
            let wanted = wanted.to_lowercase();
            match operator {
                Operator::Equals | Operator::In => text == wanted,
                Operator::StartsWith => text.starts_with(&wanted),
                Operator::EndsWith => text.ends_with(&wanted),
                Operator::Contains => text.contains(&wanted),
            }
        }
    }
}

/// Row 2: absent or null is not known; `""` is null; `deviceId: ""` is an unregistered device, of which every attribute
/// is null. `property` is in lower case.
fn attribute(property: &str, device: &Value) -> Attribute {
    if device["deviceId"] == "" {
        return Attribute::Null;
    }
    match (&device[fact_name(property)], property) {
        (Value::String(text), _) if text.is_empty() => Attribute::Null,
        (Value::Bool(compliant), "iscompliant") => Attribute::Text(compliant.to_string()),
        (given, "physicalids" | "systemlabels") => {
            list_fact(given).map_or(Attribute::NotKnown, Attribute::Collection)
        }
        (Value::String(text), property) if property != "iscompliant" => {
            Attribute::Text(text.clone())
        }
        _ => Attribute::NotKnown,
    }
}

/// The member of `deviceInfo` that a property reads; the two differ in one name (row 15).
fn fact_name(property: &str) -> String {
    const NAMES: [&str; 14] = [
        "deviceId",
        "displayName",
        "enrollmentProfileName",
        "isCompliant",
        "manufacturer",
        "mdmAppId",
        "model",
        "operatingSystem",
        "operatingSystemVersion",
        "ownership",
        "physicalIds",
        "profileType",
        "systemLabels",
        "trustType",
    ];
    if property == "deviceownership" {
        return "ownership".to_owned();
    }
    let named = NAMES
        .iter()
        .find(|name| same(name, property))
        .map(|name| (*name).to_owned());
    named.unwrap_or_else(|| property.replace("extensionattribute", "extensionAttribute"))
}
