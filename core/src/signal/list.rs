//! The table of event types, for people and for scripts: what `cae event list` prints and the documentation shows.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::Write as _;

use serde::Serialize;

use super::vocabulary::{COMMON_MEMBERS, EventType, Member, Shape, Vocabulary, event_types};
use crate::json::{self, Limits, Value};
use crate::state::names::Named as _;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    name: &'a str,
    uri: &'a str,
    vocabulary: &'a str,
    document: &'a str,
    section: &'a str,
    legacy: bool,
    about: Vec<&'a str>,
    members: Vec<MemberLine>,
    effect: &'a str,
    outcome: Vec<&'a str>,
    example: Value,
}

#[derive(Serialize)]
struct MemberLine {
    name: &'static str,
    required: bool,
    holds: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    values: &'static [&'static str],
}

/// One line of canonical JSON for each event type.
pub fn lines() -> impl Iterator<Item = String> {
    event_types().map(|row| {
        json::to_text(&Line {
            name: row.name,
            uri: row.uri,
            vocabulary: row.vocabulary.name(),
            document: row.vocabulary.document(),
            section: row.section,
            legacy: row.legacy,
            about: row.about.iter().map(|kind| kind.name()).collect(),
            members: row
                .members
                .iter()
                .chain(COMMON_MEMBERS)
                .map(member)
                .collect(),
            effect: row.effect,
            outcome: row.outcome.lines().collect(),
            example: json::parse(row.example.as_bytes(), Limits::EVENT).unwrap_or_default(),
        })
    })
}

fn member(member: &Member) -> MemberLine {
    let (holds, values): (_, &[&str]) = match member.shape {
        Shape::Text => ("text", &[]),
        Shape::OneOf(values) => ("one of", values),
        Shape::Open(values) => ("text, such as", values),
        Shape::Texts => ("list of texts", &[]),
        Shape::Languages => ("texts by language", &[]),
        Shape::Members => ("object", &[]),
        Shape::Time => ("NumericDate", &[]),
        Shape::Absent => ("nothing: it must be absent", &[]),
    };
    MemberLine {
        name: member.name,
        required: member.required,
        holds,
        values,
    }
}

/// The documentation of all event types in Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(INTRODUCTION);
    let mut vocabularies: Vec<Vocabulary> = event_types().map(|row| row.vocabulary).collect();
    vocabularies.dedup();
    for vocabulary in vocabularies {
        section(&mut page, vocabulary);
    }
    page
}

const INTRODUCTION: &str = "\
# Event types

Written by `cae event list --markdown` from the table by which the engine reads events; a test compares the two. What
an event does to whom under your configuration, `cae event decode` says in sentences; `cae event make` makes one.

\"Refused\" means: a token issued before the event is challenged, so that its client fetches a new one; a newer one is
refused (403) only where the table says so. Every event may have `event_timestamp`, `initiating_entity`, `reason_admin`
and `reason_user`. Types marked *legacy* take effect only from transmitters that are configured with `legacy`.
";

fn section(page: &mut String, vocabulary: Vocabulary) {
    let rows = || event_types().filter(|row| row.vocabulary == vocabulary);
    // Writing into a string cannot fail.
    let mut write = |line: &str| {
        let _ = writeln!(page, "{line}");
    };
    write("");
    write(&format!("## {}", vocabulary.name()));
    write("");
    write(&format!("{}.", vocabulary.document()));
    write("");
    write("| event type | section | about | members | effect | example comes to |");
    write("|---|---|---|---|---|---|");
    // Older names of one thing stand in one row.
    let mut grouped: Vec<(&EventType, Vec<&EventType>)> = Vec::new();
    for row in rows() {
        let same = |(first, _): &&mut (&EventType, Vec<&EventType>)| {
            first.name == row.name && first.effect == row.effect && first.legacy == row.legacy
        };
        match grouped.iter_mut().find(same) {
            Some((_, others)) => others.push(row),
            None => grouped.push((row, Vec::new())),
        }
    }
    for (row, others) in &grouped {
        let mut names = alloc::vec![format!("`{}`", row.name)];
        if row.legacy {
            names.push("*legacy*".to_string());
        }
        names.extend(others.iter().map(|other| format!("`{}`", other.uri)));
        let about: Vec<&str> = row.about.iter().map(|kind| kind.name()).collect();
        let members: Vec<String> = (row.members.iter())
            .filter(|member| member.shape != Shape::Absent)
            .map(described)
            .collect();
        let outcome: Vec<&str> = row.outcome.lines().collect();
        write(&format!(
            "| {} | {} | {} | {} | {} | {} |",
            names.join(" "),
            row.section,
            or_dash(about.join(", ")),
            or_dash(members.join(", ")),
            one_line(row.effect),
            outcome.join("; "),
        ));
    }
    write("");
    let mut bases: BTreeMap<&str, ()> = BTreeMap::new();
    for row in rows() {
        bases.insert(row.uri.strip_suffix(row.name).unwrap_or(row.uri), ());
    }
    let bases: Vec<String> = bases.keys().map(|base| format!("`{base}`")).collect();
    write(&format!("Names begin with {}.", bases.join(" or ")));
}

/// A member with what it holds; optional ones in brackets.
fn described(described: &Member) -> String {
    let MemberLine {
        name,
        required,
        values,
        ..
    } = member(described);
    let values = match (described.shape, values) {
        (Shape::OneOf(_), values) => format!(": {}", values.join(" ")),
        _ => String::new(),
    };
    match required {
        true => format!("`{name}`{values}"),
        false => format!("[`{name}`{values}]"),
    }
}

fn or_dash(text: String) -> String {
    if text.is_empty() {
        "–".to_string()
    } else {
        text
    }
}

/// Rows are written over several lines of source; a bar would end the cell.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_listed_once_in_both_forms() {
        let page = markdown();
        let lines: Vec<Value> = lines()
            .map(|line| serde_json::from_str(&line).unwrap())
            .collect();
        assert_eq!(lines.len(), event_types().count());
        for (row, line) in event_types().zip(&lines) {
            assert_eq!(line["uri"], row.uri);
            assert!(line["example"].is_object(), "{}", row.uri);
            assert!(page.contains(&format!("`{}`", row.name)), "{}", row.uri);
        }
        // Bars only where cells end.
        for line in page.lines().filter(|line| line.starts_with('|')) {
            assert_eq!(line.replace("\\|", "").matches('|').count(), 7, "{line}");
        }
    }
}
