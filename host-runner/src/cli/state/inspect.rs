//! `cae state inspect`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cae_core::json::{self, Value};
use cae_core::state::names::Named as _;
use cae_core::state::selection::Selected;
use cae_core::state::{Record, RecordView, StateKey, StateTable};
use serde::Serialize;

use super::{Subject, configuration, selected};
use crate::cli::Exit;
use crate::cli::output::Output;
use crate::cli::problem::{self, Problem};
use crate::state_file::{read, read_held};
use crate::text::{FAINT, Pretty, STRONG, Table, one_line};

/// Show what is known about a subject, or how much is known at all
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(in crate::cli) struct Arguments {
    /// A subject (below), or a state key as `cae decide --explain` shows it; without one, counts and sizes
    #[arg(value_name = "SUBJECT")]
    subject: Option<String>,
    /// The file that `cae decide --state` writes
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// The engine configuration, which knows the issuers
    #[arg(long, value_name = "ENGINE.json")]
    config: Option<PathBuf>,
    #[command(flatten)]
    whose: Subject,
    /// Every record, in the order of the keys
    #[arg(long, conflicts_with = "subject")]
    all: bool,
}

const HELP: &str = "\
A subject is user:ID, email:ADDRESS, phone:NUMBER, device:ID, session:ID, token:ID,
application:ID, tenant:ID or a subject identifier as JSON (RFC 9493, SSF 1.0).
Records are kept under digests, so a subject is found only together with its issuer:
by --config, or by --issuer with the issuer's scope.

Exit status: 0 shown; 1 nothing is known about the subject; 2 the subject or a file
cannot be used.

Examples:
  cae state inspect --state cae.state
  cae state inspect user:adele --state cae.state --config engine.json
  cae state inspect '{\"format\":\"email\",\"email\":\"adele@example.com\"}' \\
      --state cae.state --issuer https://idp.example --json";

pub(super) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let path = &arguments.state;
    let table = read(path).map_err(|error| Problem::file(path, error))?;
    if arguments.all {
        for (key, record) in table.iter() {
            if !out.open() {
                break;
            }
            show(&Known::new(key, None, &record), out)?;
        }
        return Ok(Exit::Done);
    }
    match &arguments.subject {
        Some(subject) => inspect(subject, arguments, &table, out),
        None => summarise(path, &table, out),
    }
}

/// A record, and what its key stands for as far as that was said.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Known<'a> {
    key: StateKey,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_space: Option<&'static str>,
    record: RecordView<'a>,
}

impl<'a> Known<'a> {
    fn new(key: StateKey, selected: Option<&'a Selected>, record: &'a Record) -> Self {
        Self {
            key,
            scope: selected.map(|selected| selected.scope.as_str()),
            kind: selected.map(|selected| selected.kind.name()),
            name_space: selected.map(|selected| selected.name_space.name()),
            record: RecordView(record),
        }
    }
}

fn inspect(
    subject: &str,
    arguments: &Arguments,
    table: &StateTable,
    out: &mut Output,
) -> Result<Exit, Problem> {
    if let Ok(key) = subject.parse::<StateKey>() {
        let Some(record) = table.get(&key) else {
            return Ok(Exit::Negative);
        };
        show(&Known::new(key, None, &record), out)?;
        return Ok(Exit::Done);
    }
    let configuration = arguments.config.as_deref().map(configuration).transpose()?;
    let selected = selected(
        subject,
        configuration.as_ref(),
        arguments.whose.issuer.as_deref(),
    )?;
    let mut exit = Exit::Negative;
    for one in &selected {
        if let Some(record) = table.get(&one.key) {
            exit = Exit::Done;
            show(&Known::new(one.key, Some(one), &record), out)?;
        }
    }
    Ok(exit)
}

fn show(known: &Known<'_>, out: &mut Output) -> Result<(), Problem> {
    if out.json() {
        out.line(json::to_text(known));
        return Ok(());
    }
    let record: Value = serde_json::to_value(known.record).map_err(Problem::new)?;
    let whose = match (known.kind, known.scope) {
        (Some(kind), Some(scope)) => format!("  {kind} of {scope}"),
        _ => String::new(),
    };
    out.line(format_args!(
        "{STRONG}{}{STRONG:#}{}",
        known.key,
        one_line(&whose)
    ));
    let width = out.width();
    out.line(Pretty {
        value: &record,
        width,
        indent: 0,
    });
    Ok(())
}

/// How much is known.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    records: usize,
    /// Records that say something in this field.
    fields: BTreeMap<String, usize>,
    /// Canonical bytes of all records.
    record_bytes: u64,
    snapshot_bytes: u64,
    /// Bytes on the heap when it is in use.
    memory_bytes: usize,
    /// Events that wait for an operator, by transmitter.
    held: BTreeMap<String, usize>,
}

fn summarise(path: &Path, table: &StateTable, out: &mut Output) -> Result<Exit, Problem> {
    let mut summary = Summary {
        records: table.len(),
        fields: BTreeMap::new(),
        record_bytes: 0,
        snapshot_bytes: std::fs::metadata(path).map_or(0, |file| file.len()),
        memory_bytes: table.heap_bytes(),
        held: BTreeMap::new(),
    };
    for (_, bytes) in table.iter_bytes() {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        summary.record_bytes = summary.record_bytes.saturating_add(length);
    }
    for (_, record) in table.iter() {
        let view = serde_json::to_value(RecordView(&record)).map_err(Problem::new)?;
        for (field, _) in view.as_object().into_iter().flatten() {
            add(&mut summary.fields, field);
        }
    }
    for event in read_held(path).map_err(|error| Problem::file(path, error))? {
        add(&mut summary.held, &event.transmitter);
    }
    if out.json() {
        out.line(json::to_text(&summary));
        return Ok(Exit::Done);
    }
    let row = |name: &str, value: String| vec![(name.to_owned(), STRONG), (value, FAINT)];
    let mut rows = vec![row("records", summary.records.to_string())];
    let counts = |counts: &BTreeMap<String, usize>, prefix: &str| {
        let count =
            |(name, count): (&String, &usize)| row(&format!("{prefix}{name}"), count.to_string());
        counts.iter().map(count).collect::<Vec<_>>()
    };
    rows.extend(counts(&summary.fields, "  with "));
    rows.extend([
        row("bytes of records", summary.record_bytes.to_string()),
        row("bytes of the snapshot", summary.snapshot_bytes.to_string()),
        row("bytes in memory", summary.memory_bytes.to_string()),
    ]);
    rows.extend(counts(&summary.held, "events held of "));
    out.line(format_args!(
        "{STRONG}{}{STRONG:#}",
        one_line(&problem::name(path))
    ));
    out.line(Table {
        headings: &["what", "how many"],
        rows,
    });
    Ok(Exit::Done)
}

fn add(counts: &mut BTreeMap<String, usize>, name: &str) {
    let count = counts.entry(name.to_owned()).or_default();
    *count = count.saturating_add(1);
}
