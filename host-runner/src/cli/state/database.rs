//! `cae state export` and `import`: between the database of the service and the files of all other commands.

use std::path::{Path, PathBuf};

use cae_core::state::Record;

use super::existing;
use crate::cli::Exit;
use crate::cli::problem::{Problem, note};
use crate::serve::database::{Database, DatabaseProblem, put_record};
use crate::state_file::{StateFile, held_event, held_line};

/// Where from, and where to.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Arguments {
    /// The database of `cae serve`
    #[arg(long, value_name = "cae.redb")]
    store: PathBuf,
    /// The file that the other commands read and write
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
}

pub(super) const EXPORT_HELP: &str = "\
The service has to be stopped; of one that runs, GET /v1/state/snapshot on the
administration listener gives the same file.

Exit status: 0 written; 2 a file cannot be used.

Example:
  cae state export --store cae.redb --state cae.state";

pub(super) const IMPORT_HELP: &str = "\
What is known in both is merged: nothing is forgotten. The service has to be stopped.

Exit status: 0 written; 2 a file cannot be used.

Example:
  cae state import --store cae.redb --state cae.state";

pub(super) fn export(arguments: &Arguments) -> Result<Exit, Problem> {
    let store = arguments.store.as_path();
    // An operator who misspelt its name does not begin a new one.
    std::fs::metadata(store).map_err(|error| Problem::file(store, error))?;
    let of_store = |error: DatabaseProblem| Problem::file(store, error);
    let database = Database::open(store).map_err(of_store)?;
    let table = database.records().map_err(of_store)?;
    let held = database.held().map_err(of_store)?;
    let held = held
        .iter()
        .filter_map(|(_, line)| held_event(std::str::from_utf8(line).ok()?).ok());
    let held: Vec<_> = held.collect();
    let file = StateFile::open(&arguments.state)
        .map_err(|error| Problem::file(&arguments.state, error))?;
    let saved = file.save(&table, held.iter());
    saved.map_err(|error| {
        Problem::file(&arguments.state, format_args!("cannot be written: {error}"))
    })?;
    tell(&arguments.state, table.len(), held.len());
    Ok(Exit::Done)
}

pub(super) fn import(arguments: &Arguments) -> Result<Exit, Problem> {
    let store = arguments.store.as_path();
    let of_store = |error: DatabaseProblem| Problem::file(store, error);
    let file = existing(&arguments.state)?;
    let loaded = file.load();
    let (given, held) = loaded.map_err(|error| Problem::file(&arguments.state, error))?;
    let database = Database::open(store).map_err(of_store)?;
    let known = database.records().map_err(of_store)?;
    let writing = database.begin().map_err(of_store)?;
    {
        let mut records = writing.records().map_err(of_store)?;
        for (key, record) in given.iter() {
            let before = known.get(&key).unwrap_or_default();
            let merged = Record::merged(before, &record);
            put_record(&mut records, &key, &merged).map_err(of_store)?;
        }
    }
    for event in &held {
        let line = held_line(event).map_err(|error| Problem::file(&arguments.state, error))?;
        let mut log = writing.log().map_err(of_store)?;
        if log
            .knows(&event.transmitter, &event.jti)
            .map_err(of_store)?
        {
            continue;
        }
        let delivery = Some((event.transmitter.as_str(), event.jti.as_str()));
        let number = log.add(b"{}", delivery).map_err(of_store)?;
        log.hold(number, line.as_bytes()).map_err(of_store)?;
    }
    writing.commit().map_err(of_store)?;
    tell(store, given.len(), held.len());
    Ok(Exit::Done)
}

fn tell(file: &Path, records: usize, held: usize) {
    note(format_args!(
        "{}: {records} records and {held} events that wait are written",
        file.display()
    ));
}
