//! `cae event list`.

use cae_core::signal::list;
use cae_core::signal::vocabulary::{EventType, event_types};

use crate::cli::Exit;
use crate::cli::output::Output;
use crate::cli::problem::Problem;
use crate::text::{FAINT, STRONG, wrap};

/// List every event type that is understood, and what it does to tokens
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(in crate::cli) struct Arguments {
    /// Only types whose name or URI holds this text
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// Print the table of the documentation, in Markdown
    #[arg(long, conflicts_with = "text")]
    markdown: bool,
}

const HELP: &str = "\
The engine reads events by this table. What one event does under your configuration,
`cae event decode` says; `cae event make` makes one of any type.

Exit status: 0; 1 no type holds the text.

Examples:
  cae event list
  cae event list risk --json";

pub(super) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    if arguments.markdown {
        out.line(list::markdown().trim_end());
        return Ok(Exit::Done);
    }
    let wanted = |row: &EventType| {
        let text = arguments.text.as_deref().unwrap_or_default();
        let text = text.to_lowercase();
        row.uri.to_lowercase().contains(&text)
            || row.vocabulary.name().to_lowercase().contains(&text)
    };
    let rows = event_types().zip(list::lines());
    let rows: Vec<(&EventType, String)> = rows.filter(|(row, _)| wanted(row)).collect();
    if rows.is_empty() {
        return Ok(Exit::Negative);
    }
    if out.json() {
        rows.iter().for_each(|(_, line)| out.line(line));
    } else {
        print(rows.iter().map(|(row, _)| *row), out);
    }
    Ok(Exit::Done)
}

/// Vocabulary by vocabulary: names in one column, effects in the rest of the page.
fn print<'r>(rows: impl Iterator<Item = &'r EventType>, out: &mut Output) {
    const GAP: usize = 2;
    let rows: Vec<&EventType> = rows.collect();
    let widths = rows.iter().map(|row| row.name.chars().count());
    let names = widths.max().unwrap_or_default().saturating_add(GAP).min(32);
    let width = out.width().saturating_sub(names).max(20);
    let mut last = None;
    for row in rows {
        if last != Some((row.vocabulary, row.legacy)) {
            if last.is_some() {
                out.line("");
            }
            let legacy = match row.legacy {
                true => ", only from `legacy` transmitters",
                false => "",
            };
            out.line(format_args!(
                "{STRONG}{}{STRONG:#} {FAINT}{}{legacy}{FAINT:#}",
                row.vocabulary.name(),
                row.vocabulary.document(),
            ));
            last = Some((row.vocabulary, row.legacy));
        }
        let mut name = row.name;
        // A name that is longer than its column has a line of its own.
        if name.chars().count().saturating_add(GAP) > names {
            out.line(name);
            name = "";
        }
        for line in wrap(row.effect, width) {
            out.line(format_args!("{name:names$}{line}"));
            name = "";
        }
    }
}
