//! `cae state clear`.

use std::path::PathBuf;

use cae_core::json::{self, Value};
use cae_core::state::names::Named as _;
use cae_core::state::record::Cause;
use cae_core::state::selection::Selected;
use cae_core::state::{Record, RecordView, StateKey};
use cae_core::time::UnixTime;
use serde::Serialize;

use super::{Subject, configuration, existing, selected, time};
use crate::cli::Exit;
use crate::cli::output::Output;
use crate::cli::problem::{Problem, note, warn};
use crate::text::{date, member};

/// Give everything that is known about a subject its neutral value
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(in crate::cli) struct Arguments {
    /// The subject (below)
    #[arg(value_name = "SUBJECT")]
    subject: String,
    /// The engine configuration, which knows the issuers and the transmitters
    #[arg(long, value_name = "ENGINE.json")]
    config: PathBuf,
    /// The file that `cae decide --state` writes
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    #[command(flatten)]
    whose: Subject,
    /// Clear as at this time, in seconds since 1970: what happened later stays [default: now]
    #[arg(long, value_name = "SECONDS")]
    at: Option<u64>,
}

const HELP: &str = "\
A subject is user:ID, email:ADDRESS, phone:NUMBER, device:ID, session:ID, token:ID,
application:ID, tenant:ID or a subject identifier as JSON (RFC 9493, SSF 1.0). An
identifier without a kind is a user's, an opaque one also a session's. A complex
subject of several members stands for the cut-offs of all of them together; what
holds for one of them alone is cleared under its own name.

It is a change like any other: nothing is deleted, every field gets its neutral value
at that time, and so an older event that is still under way changes nothing any more.
Each record that was cleared is one line on standard error; with --json it is one
object on standard output, before and after.

Exit status: 0 cleared; 2 the subject or a file cannot be used.

Examples:
  cae state clear user:adele --config engine.json --state cae.state
  cae state clear device:7b1f --issuer https://idp.example --config engine.json \\
      --state cae.state
  cae state clear '{\"format\":\"iss_sub\",\"iss\":\"https://idp.example\",\"sub\":\"adele\"}' \\
      --config engine.json --state cae.state --json";

/// What became of one record.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cleared<'a> {
    key: StateKey,
    scope: &'a str,
    kind: &'static str,
    name_space: &'static str,
    at: u64,
    /// Fields that were known and are neutral now.
    cleared: Vec<String>,
    /// Fields that are not.
    kept: Vec<String>,
    before: Value,
    after: Value,
}

pub(super) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let configuration = configuration(&arguments.config)?;
    let at = time(arguments.at);
    let issuer = arguments.whose.issuer.as_deref();
    let selected = selected(&arguments.subject, Some(&configuration), issuer)?;
    let path = &arguments.state;
    let file = existing(path)?;
    let (mut table, held) = file.load().map_err(|error| Problem::file(path, error))?;
    let mut all = Vec::new();
    for one in &selected {
        let before = table.get(&one.key).unwrap_or_default();
        let neutral = one.cleared(&before, at, &configuration);
        table.merge(&one.key, &neutral);
        let after = table.get(&one.key).unwrap_or_default();
        all.push(cleared(one, at, &neutral, [&before, &after])?);
    }
    let saved = file.save(&table, held.iter());
    saved.map_err(|error| Problem::file(path, format_args!("cannot be written: {error}")))?;
    // Told once it is on the disk.
    for cleared in &all {
        tell(cleared);
        if out.json() {
            out.line(json::to_text(cleared));
        }
    }
    Ok(Exit::Done)
}

fn cleared<'a>(
    one: &'a Selected,
    at: UnixTime,
    neutral: &Record,
    [before, after]: [&Record; 2],
) -> Result<Cleared<'a>, Problem> {
    let view = |record| serde_json::to_value(RecordView(record)).map_err(Problem::new);
    let (was, is, should_be) = (view(before)?, view(after)?, view(neutral)?);
    let is_lifted = |field: &str| match field {
        // Of a complex subject nothing else is meant.
        "scoped" if !one.remaining.is_empty() => true,
        // Their names are the events' own: the cleared cut-off stands for their neutral values.
        "scoped" => after
            .scoped
            .iter()
            .all(|(_, entry)| entry.value == Cause::Cleared || after.is_cleared(entry)),
        "claims" => (after.claims.iter()).all(|(_, entry)| after.is_cleared(entry)),
        field => member(&is, field) == member(&should_be, field),
    };
    let is_meant = |field: &&String| {
        // What has no neutral value passes within the hour.
        *field != "locationChallenges" && (one.remaining.is_empty() || *field == "scoped")
    };
    let known = was
        .as_object()
        .into_iter()
        .flatten()
        .map(|(field, _)| field);
    let (lifted, kept): (Vec<&String>, Vec<_>) =
        known.filter(is_meant).partition(|field| is_lifted(field));
    Ok(Cleared {
        key: one.key,
        scope: &one.scope,
        kind: one.kind.name(),
        name_space: one.name_space.name(),
        at: at.as_secs(),
        cleared: lifted.into_iter().cloned().collect(),
        kept: kept.into_iter().cloned().collect(),
        before: was,
        after: is,
    })
}

fn tell(cleared: &Cleared<'_>) {
    let Cleared {
        key,
        scope,
        kind,
        at,
        ..
    } = cleared;
    let what = if cleared.cleared.is_empty() {
        "nothing that was known".to_owned()
    } else {
        cleared.cleared.join(", ")
    };
    note(format_args!(
        "{}: cleared {what} of the {kind} with the key {key} of {scope}",
        date(*at)
    ));
    if !cleared.kept.is_empty() {
        warn(format_args!(
            "{} of the {kind} with the key {key} of {scope} says more: later than that, or by a transmitter that is not \
             configured",
            cleared.kept.join(", ")
        ));
    }
}
