//! Policies that nobody exported: parts of others, other letters, misspelt members, placeholders, nothing.

use serde_json::{Value, json};

use super::{Material, Random};

const PARTS: [&str; 15] = [
    "/conditions/users",
    "/conditions/applications",
    "/conditions/clientApplications",
    "/conditions/clientAppTypes",
    "/conditions/platforms",
    "/conditions/locations",
    "/conditions/devices",
    "/conditions/signInRiskLevels",
    "/conditions/userRiskLevels",
    "/conditions/servicePrincipalRiskLevels",
    "/conditions/insiderRiskLevels",
    "/conditions/authenticationFlows",
    "/conditions/times",
    "/grantControls",
    "/sessionControls",
];

/// One small change.
pub(super) fn mutate(random: &mut Random, policy: &mut Value, material: &Material) {
    match random.below(16) {
        0..=6 => graft(random, policy, material),
        7 => policy["state"] = state(random),
        8 => change_text(random, policy, other_letters),
        9 => change_text(random, policy, |random, _| placeholder(random)),
        10 => misspell(random, policy),
        11 => add_member(random, policy),
        12 => empty(random, policy),
        13 => shape_list(random, policy),
        14 => remove(random, policy),
        _ => add_entry(random, policy),
    }
}

/// A part of another policy in place of its own.
fn graft(random: &mut Random, policy: &mut Value, material: &Material) {
    let part = *random.pick(&PARTS);
    let donors: Vec<&Value> = material
        .policies
        .iter()
        .filter_map(|donor| donor.pointer(part))
        .filter(|donated| !donated.is_null() && **donated != json!([]))
        .collect();
    if donors.is_empty() {
        return;
    }
    let donated = (*random.pick(&donors)).clone();
    let (parent, name) = part.rsplit_once('/').unwrap_or_default();
    if let Some(Value::Object(members)) = policy.pointer_mut(parent) {
        members.insert(name.to_owned(), donated);
    }
}

fn state(random: &mut Random) -> Value {
    let states = [
        "enabled",
        "enabled",
        "enabled",
        "ENABLED",
        "disabled",
        "enabledForReportingButNotEnforced",
        "enabledForReportingButNotEnforced",
        "partiallyEnabled",
        "unknownFutureValue",
    ];
    json!(random.pick(&states))
}

/// Where in a policy something stands: JSON pointers to what `wanted` accepts, names and annotations left out.
fn places(policy: &Value, wanted: fn(&Value) -> bool) -> Vec<String> {
    fn walk(node: &Value, path: &str, wanted: fn(&Value) -> bool, found: &mut Vec<String>) {
        // A list in place of `conditions` itself is refused when a document is read.
        let is_refused = node.is_array() && path.rfind('/') == Some(0);
        if wanted(node) && !is_refused {
            found.push(path.to_owned());
        }
        match node {
            Value::Object(members) => {
                for (key, member) in members
                    .iter()
                    .filter(|(key, _)| !key.contains(['@', '#', '~', '/']))
                {
                    walk(member, &format!("{path}/{key}"), wanted, found);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    walk(item, &format!("{path}/{index}"), wanted, found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for part in ["conditions", "grantControls", "sessionControls"] {
        walk(&policy[part], &format!("/{part}"), wanted, &mut found);
    }
    found
}

/// A random place of one kind, to be changed.
fn any_place<'p>(
    random: &mut Random,
    policy: &'p mut Value,
    wanted: fn(&Value) -> bool,
) -> Option<&'p mut Value> {
    let places = places(policy, wanted);
    if places.is_empty() {
        return None;
    }
    let place: &String = random.pick(&places);
    policy.pointer_mut(place)
}

fn change_text(random: &mut Random, policy: &mut Value, change: fn(&mut Random, &str) -> String) {
    if let Some(place) = any_place(random, policy, Value::is_string) {
        let changed = change(random, place.as_str().unwrap_or_default());
        *place = json!(changed);
    }
}

pub(super) fn other_letters(random: &mut Random, text: &str) -> String {
    if random.one_in(2) {
        text.to_uppercase()
    } else {
        text.to_lowercase()
    }
}

fn placeholder(random: &mut Random) -> String {
    let placeholders = [
        "<Group>",
        "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
        "%X%",
        "Jane Example",
        "unknownFutureValue",
        "Office 365",
    ];
    (*random.pick(&placeholders)).to_owned()
}

fn misspell(random: &mut Random, policy: &mut Value) {
    let place = if random.one_in(4) {
        Some(policy)
    } else {
        any_place(random, policy, Value::is_object)
    };
    let Some(Value::Object(members)) = place else {
        return;
    };
    let keys: Vec<String> = members.keys().cloned().collect();
    if keys.is_empty() {
        return;
    }
    let key = random.pick(&keys).clone();
    if let Some(member) = members.remove(&key) {
        let misspelt = if random.one_in(2) {
            key.to_uppercase()
        } else {
            format!("{key}s")
        };
        members.insert(misspelt, member);
    }
}

fn add_member(random: &mut Random, policy: &mut Value) {
    let values = [
        json!("x"),
        json!(["x"]),
        json!({"x": 1}),
        json!(true),
        json!(null),
        json!([]),
        json!({"@odata.type": "x"}),
    ];
    let names = [
        "unheardOf",
        "unheardOf",
        "@odata.unheardOf",
        "#microsoft.graph.unheardOf",
    ];
    if let Some(Value::Object(members)) = any_place(random, policy, Value::is_object) {
        members.insert(
            (*random.pick(&names)).to_owned(),
            random.pick(&values).clone(),
        );
    }
}

fn empty(random: &mut Random, policy: &mut Value) {
    let no_object = [json!(null), json!([]), json!({}), json!({"x": null})];
    let no_list = [json!(null), json!([]), json!({}), json!(""), json!([""])];
    if let Some(place) = any_place(random, policy, |node| node.is_array() || node.is_object()) {
        *place = if place.is_object() {
            random.pick(&no_object)
        } else {
            random.pick(&no_list)
        }
        .clone();
    }
}

/// A string in place of an array of one, or the other way round.
fn shape_list(random: &mut Random, policy: &mut Value) {
    let is_list = |node: &Value| {
        node.as_array()
            .is_some_and(|items| items.len() == 1 && items[0].is_string())
    };
    if let Some(place) = any_place(random, policy, is_list) {
        *place = place[0].take();
    }
}

fn remove(random: &mut Random, policy: &mut Value) {
    if let Some(Value::Object(members)) = any_place(random, policy, Value::is_object) {
        let keys: Vec<String> = members.keys().cloned().collect();
        if !keys.is_empty() {
            members.remove(random.pick(&keys));
        }
    }
}

fn add_entry(random: &mut Random, policy: &mut Value) {
    let entries = [
        "All",
        "None",
        "all",
        "none",
        "<Group>",
        "",
        "a1000000-0000-4000-8000-000000000001",
    ];
    let is_list_of_texts = |node: &Value| {
        node.as_array()
            .is_some_and(|items| items.iter().all(Value::is_string))
    };
    if let Some(Value::Array(items)) = any_place(random, policy, is_list_of_texts) {
        items.push(json!(random.pick(&entries)));
    }
}
