//! Which policy of one export is which of another, and what about it is new.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::json::{Map, Value, canonical};
use crate::policy::document::{configured, is_configured, text};

/// What became of a document.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum DocumentChange {
    /// It has no counterpart before.
    Added,
    /// It has no counterpart afterwards.
    Removed,
    /// It says something else.
    Changed,
    /// It says the same.
    Unchanged,
}

/// A policy or named location, before and after.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentPair {
    /// Its id as written, afterwards if it is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its position among those of its export, where it has no id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Its name, afterwards if it is still there.
    pub display_name: Option<String>,
    /// What became of it.
    pub change: DocumentChange,
    /// The members that say something else, as dotted paths.
    pub members: Vec<String>,
    /// `state` before, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_before: Option<String>,
    /// `state` afterwards, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_after: Option<String>,
}

/// Positions of one document before and after; at least one of them.
pub(super) type Positions = (Option<usize>, Option<usize>);

type Document = Map<String, Value>;

/// Pairs documents: by id, then by name, since the same baseline has other ids in every tenant.
///
/// In the order of `after`, then those that are gone.
pub(super) fn pair(before: &[Document], after: &[Document]) -> Vec<Positions> {
    let mut partner: Vec<Option<usize>> = after.iter().map(|_| None).collect();
    let mut taken = BTreeSet::new();
    for name in ["id", "displayName"] {
        for (found, document) in partner.iter_mut().zip(after) {
            if found.is_some() {
                continue;
            }
            let matches = |other: &Document| match (text(other, name), text(document, name)) {
                (Some(other), Some(own)) => other.eq_ignore_ascii_case(own),
                _ => false,
            };
            let mut same = before
                .iter()
                .enumerate()
                .filter(|(index, other)| !taken.contains(index) && matches(other));
            // Two of one name may be either: then neither is the counterpart.
            let (first, second) = (same.next(), same.next());
            if let (Some((index, _)), None) = (first, second) {
                taken.insert(index);
                *found = Some(index);
            }
        }
    }
    let gone = (0..before.len())
        .filter(|index| !taken.contains(index))
        .map(|index| (Some(index), None))
        .collect::<Vec<_>>();
    let kept = partner.into_iter().enumerate();
    kept.map(|(index, before)| (before, Some(index)))
        .chain(gone)
        .collect()
}

/// What became of a pair.
pub(super) fn describe(
    (before_at, after_at): Positions,
    before: &[Document],
    after: &[Document],
) -> DocumentPair {
    let old = before_at.and_then(|index| before.get(index));
    let new = after_at.and_then(|index| after.get(index));
    let own = |name| {
        new.or(old)
            .and_then(|document| text(document, name))
            .map(String::from)
    };
    let members = match (old, new) {
        (Some(old), Some(new)) => changed_members(old, new),
        _ => Vec::new(),
    };
    let change = match (old, new) {
        (None, _) => DocumentChange::Added,
        (_, None) => DocumentChange::Removed,
        _ if members.is_empty() => DocumentChange::Unchanged,
        _ => DocumentChange::Changed,
    };
    let state =
        |document: Option<&Document>| document.and_then(|d| text(d, "state")).map(String::from);
    let id = own("id");
    DocumentPair {
        index: if id.is_none() {
            after_at.or(before_at)
        } else {
            None
        },
        id,
        display_name: own("displayName"),
        change,
        members,
        state_before: state(old),
        state_after: state(new),
    }
}

/// Members that identify or date a document, and say nothing about access.
const NOT_COMPARED: [&str; 5] = [
    "id",
    "createdDateTime",
    "modifiedDateTime",
    "deletedDateTime",
    "templateId",
];

/// The members that differ, conditions and controls each by their own name.
fn changed_members(old: &Document, new: &Document) -> Vec<String> {
    let mut changed = Vec::new();
    for name in names(old, new) {
        if NOT_COMPARED.contains(&name) {
            continue;
        }
        match (old.get(name), new.get(name)) {
            (Some(Value::Object(old)), Some(Value::Object(new)))
                if matches!(name, "conditions" | "grantControls" | "sessionControls") =>
            {
                changed.extend(
                    names(old, new)
                        .into_iter()
                        .filter(|inner| said(old.get(*inner)) != said(new.get(*inner)))
                        .map(|inner| format!("{name}.{inner}")),
                );
            }
            (old, new) if said(old) != said(new) => changed.push(name.into()),
            _ => {}
        }
    }
    changed
}

fn names<'a>(old: &'a Document, new: &'a Document) -> BTreeSet<&'a str> {
    configured(old)
        .chain(configured(new))
        .map(|(name, _)| name)
        .collect()
}

/// What a value says: without what is not configured, and lists without order.
pub(super) fn said(value: Option<&Value>) -> Option<Value> {
    let value = value.filter(|value| is_configured(value))?;
    Some(match value {
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().filter_map(|entry| said(Some(entry))).collect();
            list.sort_by_cached_key(canonical);
            Value::Array(list)
        }
        Value::Object(members) => Value::Object(
            configured(members)
                .filter_map(|(name, value)| Some((name.into(), said(Some(value))?)))
                .collect(),
        ),
        other => other.clone(),
    })
}
