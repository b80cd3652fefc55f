//! Lists that are filtered by time: risk and the audit log.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::delta::encoded;
use super::error;
use crate::server::Said;

/// A page of a list under `$filter`, `$skiptoken` and `$top`.
/// <https://learn.microsoft.com/graph/api/riskyuser-list>, <https://learn.microsoft.com/graph/api/directoryaudit-list>
pub(super) fn list(
    all: &[Value],
    url: &str,
    path: &str,
    parameters: &BTreeMap<String, String>,
    page: usize,
) -> Said {
    let text = |name: &str| parameters.get(name).cloned().unwrap_or_default();
    let filter = text("$filter");
    let mut found = Vec::new();
    for one in all {
        match holds(&filter, one) {
            Some(true) => found.push(one.clone()),
            Some(false) => {}
            None => return error(400, "BadRequest"),
        }
    }
    let from: usize = text("$skiptoken").parse().unwrap_or(0);
    let rest = found.get(from..).unwrap_or_default();
    let value: Vec<Value> = rest.iter().take(page).cloned().collect();
    let mut body =
        json!({"@odata.context": format!("{url}/v1.0/$metadata#{path}"), "value": value});
    if rest.len() > page {
        body["@odata.nextLink"] = json!(format!(
            "{url}/v1.0/{path}?$filter={}&$skiptoken={}",
            encoded(&filter),
            from + page
        ));
    }
    Said::json(&body)
}

/// `A and (B or C)`, or without parentheses, where `and` binds closer than `or`; `None` if something is not understood, which Graph refuses.
fn holds(filter: &str, object: &Value) -> Option<bool> {
    if filter.is_empty() {
        return Some(true);
    }
    if let Some((first, inner)) = filter.split_once(" and (") {
        let inner = inner.strip_suffix(')')?;
        return Some(holds(first, object)? && holds(inner, object)?);
    }
    let mut any = false;
    for part in filter.split(" or ") {
        let mut all = true;
        for clause in part.split(" and ") {
            let clause = clause.trim();
            let mut words = clause.splitn(3, ' ');
            let (name, operator, value) = (words.next()?, words.next()?, words.next()?);
            let quoted = value
                .strip_prefix('\'')
                .and_then(|it| it.strip_suffix('\''));
            let is_date = name.ends_with("DateTime");
            // A date stands without quotes, a text within.
            if is_date == quoted.is_some() {
                return None;
            }
            let found = object.get(name)?.as_str().unwrap_or_default();
            let value = quoted.unwrap_or(value);
            all &= match operator {
                "eq" => found == value,
                "ge" => seconds(found) >= seconds(value),
                "gt" => seconds(found) > seconds(value),
                _ => return None,
            };
        }
        any |= all;
    }
    Some(any)
}

/// Dates of one form compare as text once their fractions have one length.
fn seconds(date: &str) -> String {
    let date = date.trim_end_matches('Z');
    let (whole, fraction) = date.split_once('.').unwrap_or((date, ""));
    format!("{whole}.{fraction:0<7}")
}
