//! The contract of `cae what-if`: how a line is read, what a sign-in comes to, what changes between two states.

mod changes;
mod coverage;
mod lines;
mod outcomes;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Value, json};

use super::{Batch, Export, WhatIf};

const ALL: &str =
    r#""users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}"#;

/// A policy for everybody and everything, but for these conditions, with these other members.
fn policy(id: &str, conditions: &str, members: &str) -> Value {
    let text = alloc::format!(
        r#"{{"id": "{id}", "displayName": "{id}", "state": "enabled", "conditions": {{{ALL}}}}}"#
    );
    let mut policy: Value = serde_json::from_str(&text).unwrap();
    let given: Value = serde_json::from_str(&alloc::format!("{{{conditions}}}")).unwrap();
    for (name, value) in given.as_object().unwrap() {
        policy["conditions"][name] = value.clone();
    }
    let given: Value = serde_json::from_str(&alloc::format!("{{{members}}}")).unwrap();
    for (name, value) in given.as_object().unwrap() {
        policy[name] = value.clone();
    }
    policy
}

fn control(name: &str) -> String {
    alloc::format!(r#""grantControls": {{"operator": "OR", "builtInControls": ["{name}"]}}"#)
}

fn compile(policies: &[Value], locations: Option<&Value>) -> WhatIf {
    let policies = Value::from(policies).to_string();
    let locations = locations.map(Value::to_string);
    let export = Export {
        policies: &[("policies.json", &policies)],
        named_locations: locations.as_deref(),
        ..Export::default()
    };
    WhatIf::new(&export, None).unwrap()
}

/// Two states of a tenant without named locations.
fn compare(before: &[Value], after: &[Value]) -> WhatIf {
    let texts = [before, after].map(|policies| Value::from(policies).to_string());
    let [before, after] = &texts;
    let files = [
        [("before.json", before.as_str())],
        [("after.json", after.as_str())],
    ];
    let [before, after] = files.each_ref().map(|policies| Export {
        policies,
        ..Export::default()
    });
    WhatIf::new(&after, Some(&before)).unwrap()
}

/// A member who asks for an application, with these members besides.
fn sign_in(members: &str) -> Value {
    let mut line = json!({
        "id": "s", "userType": "member", "memberOf": [], "roles": [],
        "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": "adele"},
        "signInContext": {"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": ["orders"]},
        "signInConditions": {}
    });
    let given: Value = serde_json::from_str(&alloc::format!("{{{members}}}")).unwrap();
    for (name, value) in given.as_object().unwrap() {
        line[name] = value.clone();
    }
    line
}

fn evaluate(what_if: &WhatIf, sign_ins: &[Value]) -> Batch {
    let lines: Vec<String> = sign_ins
        .iter()
        .map(alloc::string::ToString::to_string)
        .collect();
    what_if.evaluate(lines.join("\n").as_bytes(), 1, true)
}

fn answers(batch: &Batch) -> Vec<Value> {
    batch
        .lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn answer(policies: &[Value], sign_in: &Value) -> Value {
    let batch = evaluate(&compile(policies, None), core::slice::from_ref(sign_in));
    answers(&batch).remove(0)
}
