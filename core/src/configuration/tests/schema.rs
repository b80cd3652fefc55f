//! The schema and the reader are two statements of one contract; neither may say what the other does not.

use super::*;

/// An object of the configuration: where the schema describes it, which keys the reader knows, where one stands.
pub(super) struct Section {
    pub(super) schema: &'static str,
    pub(super) keys: Vec<&'static str>,
    pub(super) at: &'static str,
}

pub(super) fn sections() -> Vec<Section> {
    use super::super::{KEYS, RESOURCE_KEYS, issuer, settings, transmitter};
    let section = |schema, keys: &[&'static str], at| Section {
        schema,
        keys: keys.to_vec(),
        at,
    };
    use settings::reading as s;
    vec![
        section("", KEYS, ""),
        section("/properties/resource", RESOURCE_KEYS, "/resource"),
        section("/$defs/issuer", issuer::reading::KEYS, "/issuers/0"),
        section(
            "/$defs/claims",
            &issuer::reading::claims_keys(),
            "/issuers/0/claims",
        ),
        section(
            "/$defs/transmitter",
            transmitter::reading::KEYS,
            "/transmitters/0",
        ),
        section(
            "/$defs/transmitter/properties/brake",
            transmitter::reading::BRAKE_KEYS,
            "/transmitters/0/brake",
        ),
        section("/$defs/settings", s::KEYS, "/settings"),
        section(
            "/$defs/settings/properties/maxTokenAgeSeconds",
            s::TOKEN_AGE_KEYS,
            "/settings/maxTokenAgeSeconds",
        ),
        section(
            "/$defs/settings/properties/limits",
            s::LIMITS_KEYS,
            "/settings/limits",
        ),
        section(
            "/$defs/applicationGroup",
            s::APPLICATION_GROUP_KEYS,
            "/settings/applicationGroups/office365",
        ),
    ]
}

fn schema() -> Value {
    json::parse(super::super::schema().as_bytes(), Limits::DOCUMENT).unwrap()
}

/// The example, with every section there.
fn with_all_sections() -> Value {
    let mut document = example();
    document["issuers"][0]["claims"] = json!({"preset": "entra-v2"});
    document["transmitters"][0]["brake"] = json!({"subjectsPerMinute": 5});
    document["settings"]["maxTokenAgeSeconds"] = json!({});
    document["settings"]["limits"] = json!({});
    document["settings"]["applicationGroups"] = json!({"office365": {}});
    document
}

fn set(document: &Value, at: &str, key: &str, value: Value) -> Value {
    let mut document = document.clone();
    document.pointer_mut(at).unwrap()[key] = value;
    document
}

/// Calls `check` with every property of every section: section, key, its schema.
fn for_each_property(mut check: impl FnMut(&Section, &str, &Value)) {
    let schema = schema();
    for section in sections() {
        let properties = schema
            .pointer(&format!("{}/properties", section.schema))
            .unwrap();
        for (key, property) in properties.as_object().unwrap() {
            check(&section, key, property);
        }
    }
}

/// Whether the reader objects to `value` for `key`, there or within, and in which words.
fn objection(section: &Section, key: &str, value: Value) -> Option<String> {
    let document = set(&with_all_sections(), section.at, key, value);
    let at = format!("{}/{key}", section.at);
    let faults = Configuration::compile(&document).err()?.0;
    let mut here = faults.into_iter().filter(|fault| fault.at.starts_with(&at));
    here.next().map(|fault| fault.message)
}

#[test]
fn the_schema_and_the_reader_know_the_same_keys() {
    let schema = schema();
    for section in sections() {
        let object = schema.pointer(section.schema).unwrap();
        let described: BTreeSet<_> = object["properties"].as_object().unwrap().keys().collect();
        let known: BTreeSet<_> = section.keys.iter().map(ToString::to_string).collect();
        assert_eq!(described, known.iter().collect(), "{}", section.schema);
        assert_eq!(
            known.len(),
            section.keys.len(),
            "{} repeats a key",
            section.schema
        );
        assert_eq!(
            object["additionalProperties"],
            json!(false),
            "{}",
            section.schema
        );
    }
    let claims = issuer::reading::claims_keys();
    for key in issuer::reading::RULE_KEYS {
        assert!(
            issuer::reading::KEYS.contains(key) && claims.contains(key),
            "{key}"
        );
    }
}

#[test]
fn every_key_is_described_and_its_type_is_checked() {
    for_each_property(|section, key, property| {
        let at = format!("{}/{key}", section.at);
        let is_reference = property.get("$ref").is_some();
        assert!(
            is_reference || property["description"].is_string(),
            "{at} has no description"
        );
        // Neither flag, whole number, text, list nor object.
        assert!(
            objection(section, key, json!(1.5)).is_some(),
            "{at} is not read"
        );
    });
}

#[test]
fn enumerations_are_the_same() {
    let mut count = 0;
    for_each_property(|section, key, property| {
        let Some(allowed) = property["enum"].as_array() else {
            return;
        };
        let names: Vec<_> = allowed.iter().filter_map(Value::as_str).collect();
        for name in &names {
            assert_eq!(objection(section, key, json!(name)), None, "{key}: {name}");
        }
        let (last, rest) = names.split_last().unwrap();
        let expected = format!("`no such` is not one of {} or {last}", rest.join(", "));
        assert_eq!(
            objection(section, key, json!("no such")),
            Some(expected),
            "{key}"
        );
        count += 1;
    });
    assert!(count >= 9, "only {count} enumerations");
}

#[test]
fn bounds_are_the_same() {
    let mut count = 0;
    for_each_property(|section, key, property| {
        let (Some(low), Some(high)) = (property["minimum"].as_i64(), property["maximum"].as_i64())
        else {
            return;
        };
        for (value, accepted) in [
            (low, true),
            (high, true),
            (low - 1, false),
            (high + 1, false),
        ] {
            let objection = objection(section, key, json!(value));
            assert_eq!(
                objection.is_none(),
                accepted,
                "{key}: {value}: {objection:?}"
            );
        }
        count += 1;
    });
    assert!(count >= 12, "only {count} numbers");
}

#[test]
fn defaults_are_the_same() {
    let mut given = with_all_sections();
    for at in ["/settings", "/transmitters/0", "/issuers/0"] {
        let object = given.pointer_mut(at).unwrap().as_object_mut().unwrap();
        object.retain(|key, value| {
            value.is_object() || ["issuer", "audience", "speaksFor"].contains(&key.as_str())
        });
    }
    // An emptied default group would differ from the table that it replaces.
    given["settings"]
        .as_object_mut()
        .unwrap()
        .remove("applicationGroups");
    let mut spelt_out = given.clone();
    let mut count = 0;
    for_each_property(|section, key, property| {
        let Some(default) = property.get("default") else {
            return;
        };
        let Some(object) = spelt_out
            .pointer_mut(section.at)
            .and_then(Value::as_object_mut)
        else {
            return;
        };
        if !object.contains_key(key) {
            object.insert(key.into(), default.clone());
            count += 1;
        }
    });
    assert!(count >= 30, "only {count} defaults");
    // Notes quote places, which are the same; everything else is the compiled form.
    assert_eq!(
        format!("{:#?}", read(&spelt_out)),
        format!("{:#?}", read(&given))
    );
}

#[test]
fn examples_read() {
    let schema = schema();
    for example in schema["examples"].as_array().unwrap() {
        read(example);
    }
    let mut count = 0;
    for_each_property(|section, key, property| {
        for example in property["examples"].as_array().into_iter().flatten() {
            let objection = objection(section, key, example.clone());
            // Other issuers and a placeholder stand in some of them.
            if key != "speaksFor" {
                assert_eq!(objection, None, "{key}: {example}");
            }
            count += 1;
        }
    });
    assert!(count >= 10, "only {count} examples");
}
