//! Session controls: which are in effect (row 5) and their merge (row 27).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::reading::{is_annotation, is_configured, same};

/// Row 5: configured, and not switched off.
pub(super) fn in_effect(policy: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let members = policy["sessionControls"].as_object();
    members.into_iter().flatten().filter(|(name, control)| {
        let is_off = control["isEnabled"] == false
            || (name.as_str() == "disableResilienceDefaults" && **control == false);
        !is_annotation(name) && is_configured(control) && !is_off
    })
}

/// Row 27: the merge over the enforced policies.
pub(super) fn merged(policies: &[&Value]) -> Value {
    let controls = |name: &str| -> Vec<&Value> {
        let all = policies.iter().flat_map(|policy| in_effect(policy));
        all.filter(|(found, _)| *found == name)
            .map(|(_, control)| control)
            .collect()
    };
    let names: BTreeSet<&String> = policies
        .iter()
        .flat_map(|policy| in_effect(policy))
        .map(|(name, _)| name)
        .collect();
    let merge = |name: &String| match name.as_str() {
        "signInFrequency" => sign_in_frequency(&controls(name)),
        "persistentBrowser" => persistent_browser(&controls(name)),
        "cloudAppSecurity" => cloud_app_security(&controls(name)),
        "continuousAccessEvaluation" => continuous_access_evaluation(&controls(name)),
        _ => json!(true),
    };
    Value::Object(
        names
            .into_iter()
            .map(|name| (name.clone(), merge(name)))
            .collect(),
    )
}

/// Graph's spelling of a value that it knows, otherwise the value as written (row 7).
fn spelt(value: &Value, known: &[&str]) -> String {
    let written = value.as_str().unwrap_or_default();
    let graph = known.iter().find(|name| same(name, written));
    (*graph.unwrap_or(&written)).to_owned()
}

/// Row 27: per authentication type `everyTime` or the smallest number of hours. Both factors unless it says otherwise.
fn sign_in_frequency(controls: &[&Value]) -> Value {
    let mut merged: Map<String, Value> = Map::new();
    for control in controls {
        let types = [
            "primaryAndSecondaryAuthentication",
            "secondaryAuthentication",
        ];
        let is_secondary = spelt(&control["authenticationType"], &types) == types[1];
        let kind = types[usize::from(is_secondary)].to_owned();
        let frequency = hours(control).map_or(json!("everyTime"), Value::from);
        let known = merged.entry(kind).or_insert_with(|| frequency.clone());
        if frequency == "everyTime" || frequency.as_u64() < known.as_u64() {
            *known = frequency;
        }
    }
    Value::Object(merged)
}

/// A time-based frequency in hours; `None` is every time, and so is one that cannot be read.
fn hours(control: &Value) -> Option<u64> {
    let is_every_time = control["frequencyInterval"]
        .as_str()
        .is_some_and(|interval| same(interval, "everyTime"));
    let unit = match control["type"].as_str()? {
        unit if same(unit, "hours") => 1,
        unit if same(unit, "days") => 24,
        _ => return None,
    };
    let value = control["value"]
        .as_u64()
        .filter(|value| *value > 0 && !is_every_time)?;
    value.checked_mul(unit)
}

/// Row 27: `never` beats `always`. A mode that is neither keeps no browser signed in.
fn persistent_browser(controls: &[&Value]) -> Value {
    let is_always = |control: &&Value| {
        control["mode"]
            .as_str()
            .is_some_and(|mode| same(mode, "always"))
    };
    json!(if controls.iter().all(is_always) {
        "always"
    } else {
        "never"
    })
}

/// Row 27: sorted list of types.
fn cloud_app_security(controls: &[&Value]) -> Value {
    let known = ["mcasConfigured", "monitorOnly", "blockDownloads"];
    let types: BTreeSet<String> = controls
        .iter()
        .map(|control| spelt(&control["cloudAppSecurityType"], &known))
        .filter(|kind| !kind.is_empty())
        .collect();
    json!(types)
}

/// Row 27: `conflict` if `disabled` meets another mode, else `strictLocation` beats the rest.
fn continuous_access_evaluation(controls: &[&Value]) -> Value {
    let known = ["strictEnforcement", "disabled", "strictLocation"];
    let modes: BTreeSet<String> = controls
        .iter()
        .map(|control| spelt(&control["mode"], &known))
        .collect();
    if modes.contains("disabled") && modes.len() > 1 {
        json!("conflict")
    } else if modes.contains("strictLocation") {
        json!("strictLocation")
    } else {
        json!(modes.first())
    }
}
