//! `cae state`: what is known, and what an operator changes about it.

mod clear;
mod database;
mod inspect;

use std::path::{Path, PathBuf};

use cae_core::configuration::Configuration;
use cae_core::state::retention::RetentionLimits;
use cae_core::state::selection::{Scopes, Selected, select};
use cae_core::time::UnixTime;
use serde::Serialize;

use super::output::Output;
use super::problem::{Problem, note};
use super::{Exit, input};
use crate::clock;
use crate::session::HeldEvent;
use crate::state_file::StateFile;
use crate::text::date;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    Clear(clear::Arguments),
    Inspect(inspect::Arguments),
    /// Write what the database of the service knows to a file
    #[command(after_help = database::EXPORT_HELP)]
    Export(database::Arguments),
    /// Merge what a file knows into the database of the service
    #[command(after_help = database::IMPORT_HELP)]
    Import(database::Arguments),
    /// Apply the events of a transmitter that its brake holds back, with their own times
    #[command(after_help = RELEASE_HELP)]
    Release {
        /// The issuer URL of the transmitter
        #[arg(value_name = "TRANSMITTER")]
        transmitter: String,
        /// The file that `cae decide --state` writes
        #[arg(long, value_name = "FILE")]
        state: PathBuf,
    },
    /// Forget what can no longer change a decision
    #[command(after_help = CLEAN_HELP)]
    Clean {
        /// The engine configuration: it says how long tokens live and standing state holds
        #[arg(long, value_name = "ENGINE.json")]
        config: PathBuf,
        /// The file that `cae decide --state` writes
        #[arg(long, value_name = "FILE")]
        state: PathBuf,
        /// Forget as at this time, in seconds since 1970 [default: now]
        #[arg(long, value_name = "SECONDS")]
        at: Option<u64>,
    },
}

const RELEASE_HELP: &str = "\
Events wait where a `brake` with `hold` was exceeded (`cae decide --help`). Once they
are released, the next ones pass until the brake is exceeded again.

Exit status: 0 released; 1 no event of this transmitter waits; 2 the file cannot be used.

Example:
  cae state release https://ssf.example --state cae.state";

const CLEAN_HELP: &str = "\
Cut-offs go once every token that they refuse is too old, risk levels and compliance
after the transmitter's standingStateMaxAgeSeconds, neutral values after 30 days.
Whatever is asked later than the given time is decided as before.

Exit status: 0 cleaned; 2 a file cannot be used.

Example:
  cae state clean --config engine.json --state cae.state";

/// Which subject, and whose.
#[derive(clap::Args, Debug)]
pub(super) struct Subject {
    /// The issuer whose subject it is, by its URL or its scope (for Entra the tenant id), where several are configured
    #[arg(long, value_name = "ISSUER")]
    issuer: Option<String>,
}

pub(super) fn run(command: &Command, out: &mut Output) -> Result<Exit, Problem> {
    match command {
        Command::Clear(arguments) => clear::run(arguments, out),
        Command::Inspect(arguments) => inspect::run(arguments, out),
        Command::Export(arguments) => database::export(arguments),
        Command::Import(arguments) => database::import(arguments),
        Command::Release { transmitter, state } => release(transmitter, state, out),
        Command::Clean { config, state, at } => clean(config, state, time(*at), out),
    }
}

fn release(transmitter: &str, path: &Path, out: &mut Output) -> Result<Exit, Problem> {
    /// The answer as JSON.
    #[derive(Serialize)]
    struct Released<'a> {
        transmitter: &'a str,
        released: usize,
    }
    let file = existing(path)?;
    let (mut table, held) = file.load().map_err(|error| Problem::file(path, error))?;
    let (released, kept): (Vec<_>, Vec<_>) =
        (held.into_iter()).partition(|event: &HeldEvent| event.transmitter == transmitter);
    for change in released.iter().flat_map(|event| &event.changes) {
        let merged = table.merge_bytes(&change.key, &change.record);
        merged.map_err(|error| Problem::file(path, error))?;
    }
    let count = released.len();
    if count > 0 {
        let saved = file.save(&table, kept.iter());
        saved.map_err(|error| Problem::file(path, format_args!("cannot be written: {error}")))?;
    }
    note(format_args!("{transmitter}: {count} events released"));
    if out.json() {
        out.line(cae_core::json::to_text(&Released {
            transmitter,
            released: count,
        }));
    }
    Ok(if count > 0 {
        Exit::Done
    } else {
        Exit::Negative
    })
}

fn clean(config: &Path, path: &Path, at: UnixTime, out: &mut Output) -> Result<Exit, Problem> {
    /// The answer as JSON.
    #[derive(Serialize)]
    struct Cleaned {
        forgotten: usize,
        records: usize,
    }
    let limits = RetentionLimits::of(&configuration(config)?);
    let file = existing(path)?;
    let (mut table, held) = file.load().map_err(|error| Problem::file(path, error))?;
    let forgotten = table.clean(at, &limits);
    let saved = file.save(&table, held.iter());
    saved.map_err(|error| Problem::file(path, format_args!("cannot be written: {error}")))?;
    let records = table.len();
    note(format_args!(
        "{}: {forgotten} records forgotten as at {}, {records} kept",
        super::problem::name(path),
        date(at.as_secs())
    ));
    if out.json() {
        out.line(cae_core::json::to_text(&Cleaned { forgotten, records }));
    }
    Ok(Exit::Done)
}

/// The file, if it is there: an operator who misspelt its name does not begin a new one.
fn existing(path: &Path) -> Result<StateFile, Problem> {
    std::fs::metadata(path).map_err(|error| Problem::file(path, error))?;
    StateFile::open(path).map_err(|error| Problem::file(path, error))
}

fn configuration(path: &Path) -> Result<Configuration, Problem> {
    Configuration::read(&input::document(path)?)
        .map_err(|faults| Problem::core_faults(path, &faults))
}

fn time(at: Option<u64>) -> UnixTime {
    at.map_or_else(clock::now, UnixTime::from_secs)
}

/// The records that a subject stands for.
fn selected(
    subject: &str,
    configuration: Option<&Configuration>,
    issuer: Option<&str>,
) -> Result<Vec<Selected>, Problem> {
    let scopes = match configuration {
        Some(configuration) => Scopes::Configured(configuration, issuer),
        None => Scopes::Given(issuer),
    };
    select(subject, scopes).map_err(Problem::new)
}
