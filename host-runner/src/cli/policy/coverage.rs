//! What the policies leave open together, for people.

use anstyle::Style;
use cae_core::json::Value;
use serde::Deserialize;

use super::super::output::Output;
use super::super::problem::Problem;
use crate::text::{ASKS, BAD, FAINT, GOOD, STRONG, wrap};

/// As the engine writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Coverage {
    enabled: usize,
    untouched: Untouched,
    gaps: Vec<Gap>,
    conflicts: Vec<Conflict>,
    never_applies: Vec<Never>,
    never_definite: Vec<Never>,
}

#[derive(Deserialize)]
struct Untouched {
    people: Vec<Person>,
    targets: Vec<String>,
    networks: Vec<String>,
}

#[derive(Deserialize)]
struct Person {
    who: String,
    excluded: bool,
}

#[derive(Deserialize)]
struct Gap {
    people: Vec<String>,
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    networks: Vec<String>,
}

#[derive(Deserialize)]
struct Conflict {
    policies: [String; 2],
    what: String,
}

#[derive(Deserialize)]
struct Never {
    policy: String,
    conditions: Vec<String>,
    why: String,
}

/// How many names a line holds before it says how many more there are.
const NAMED: usize = 8;
const LABEL: usize = 20;

pub(super) fn print(coverage: &Value, out: &mut Output) -> Result<(), Problem> {
    let coverage = Coverage::deserialize(coverage).map_err(Problem::new)?;
    let heading = match coverage.enabled {
        1 => "Coverage of 1 enabled policy".to_owned(),
        number => format!("Coverage of {number} enabled policies"),
    };
    out.line(format_args!("\n{STRONG}{heading}{STRONG:#}"));
    let people = |excluded: bool| {
        let people = coverage.untouched.people.iter();
        people
            .filter(|person| person.excluded == excluded)
            .map(|person| person.who.as_str())
            .collect::<Vec<_>>()
    };
    let texts = |texts: &'_ [String]| names(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    let mut quiet = true;
    for (label, words, style) in [
        ("no policy touches", names(&people(false)), BAD),
        ("always excluded", names(&people(true)), ASKS),
        ("untouched targets", texts(&coverage.untouched.targets), BAD),
        (
            "untouched networks",
            texts(&coverage.untouched.networks),
            BAD,
        ),
    ] {
        quiet &= words.is_empty();
        part(out, label, &words, style);
    }
    for gap in &coverage.gaps {
        quiet = false;
        let mut words = texts(&gap.people);
        if !gap.targets.is_empty() {
            words = format!("{words}: not for {}", texts(&gap.targets));
        }
        if !gap.networks.is_empty() {
            words = format!("{words}: not from {}", texts(&gap.networks));
        }
        part(out, "gap", &words, ASKS);
    }
    for conflict in &coverage.conflicts {
        quiet = false;
        let words = format!("{}: {}", conflict.policies.join(" / "), conflict.what);
        part(out, "conflict", &words, BAD);
    }
    for (label, rows, style) in [
        ("can never apply", &coverage.never_applies, BAD),
        ("never for certain", &coverage.never_definite, ASKS),
    ] {
        for row in rows {
            quiet = false;
            let words = format!(
                "{}: {} ({})",
                row.policy,
                row.why,
                row.conditions.join(", ")
            );
            part(out, label, &words, style);
        }
    }
    if quiet {
        let words = "everybody, every application and every network is touched; no conflicts";
        part(out, "", words, GOOD);
    }
    Ok(())
}

fn names(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMED).copied().collect();
    let more = names.len().saturating_sub(shown.len());
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn part(out: &mut Output, label: &str, words: &str, style: Style) {
    let lines = wrap(words, out.width().saturating_sub(LABEL).saturating_sub(2));
    for (n, line) in lines.into_iter().enumerate() {
        let label = if n == 0 { label } else { "" };
        out.line(format_args!(
            "  {FAINT}{label:LABEL$}{FAINT:#}{style}{line}{style:#}"
        ));
    }
}
