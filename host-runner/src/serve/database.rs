//! The database: one redb file with everything that must survive the process.
//!
//! | table | key | value |
//! |---|---|---|
//! | `records` | 16 bytes of a state key | canonical bytes of the record |
//! | `log` | number | one line of JSON: what became of a SET, in the order in which they came |
//! | `seen` | digest of transmitter and `jti` | number of its entry in `log` |
//! | `held` | number of the entry in `log` | one line of JSON: an event that waits for an operator |
//! | `notes` | name | streams, fetched keys, fingerprints of policies, the version of the layout |

use std::fmt;
use std::path::Path;

use cae_core::state::{Record, StateKey, StateTable};
use redb::{
    Database as Redb, DatabaseError, ReadableDatabase as _, ReadableTable as _, Table,
    TableDefinition, WriteTransaction,
};

use crate::digest::sha256;

const RECORDS: TableDefinition<'_, [u8; 16], &[u8]> = TableDefinition::new("records");
const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");
const SEEN: TableDefinition<'_, [u8; 16], u64> = TableDefinition::new("seen");
const HELD: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("held");
const NOTES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("notes");

/// The version of the layout that this program reads and writes.
const VERSION: &[u8] = b"1";
/// Pages that redb keeps in memory. Records are held in memory as it is: this is for writing.
const CACHE: usize = 8 << 20;

/// Why the database cannot be used.
#[derive(Debug)]
pub(crate) enum DatabaseProblem {
    /// Another process has it.
    Taken,
    /// Written by a later version of this program.
    Version(String),
    /// What is under this key is no record.
    Record(StateKey),
    Redb(Box<redb::Error>),
}

impl fmt::Display for DatabaseProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken => f.write_str("another process has this database open: stop it first"),
            Self::Version(found) => write!(
                f,
                "the database has layout {found}, this program reads layout 1: use the program that wrote it"
            ),
            Self::Record(key) => write!(
                f,
                "the record under {key} cannot be read: the database is damaged; restore a copy (`cae state import`)"
            ),
            Self::Redb(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DatabaseProblem {}

impl<E: Into<redb::Error>> From<E> for DatabaseProblem {
    fn from(error: E) -> Self {
        Self::Redb(Box::new(error.into()))
    }
}

type Result<T> = std::result::Result<T, DatabaseProblem>;

/// An open database.
#[derive(Debug)]
pub(crate) struct Database(Redb);

impl Database {
    /// Opens the file, which is made if there is none, and mends it if the process before was killed.
    pub(crate) fn open(file: &Path) -> Result<Self> {
        let opened = Redb::builder().set_cache_size(CACHE).create(file);
        let database = opened.map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => DatabaseProblem::Taken,
            other => other.into(),
        })?;
        Self::prepare(database)
    }

    /// The same on any storage.
    #[cfg(test)]
    pub(super) fn on(storage: impl redb::StorageBackend) -> Result<Self> {
        Self::prepare(Redb::builder().create_with_backend(storage)?)
    }

    fn prepare(database: Redb) -> Result<Self> {
        let writing = Writing::begin(&database)?;
        {
            writing.0.open_table(RECORDS)?;
            writing.0.open_table(SEEN)?;
            writing.0.open_table(HELD)?;
            writing.0.open_table(LOG)?;
            let mut notes = writing.0.open_table(NOTES)?;
            let version = notes.get("version")?.map(|found| found.value().to_vec());
            match version {
                None => drop(notes.insert("version", VERSION)?),
                Some(found) if found == VERSION => {}
                Some(found) => {
                    let found = String::from_utf8_lossy(&found).into_owned();
                    return Err(DatabaseProblem::Version(found));
                }
            }
        }
        writing.commit()?;
        Ok(Self(database))
    }

    /// All records.
    pub(crate) fn records(&self) -> Result<StateTable> {
        let mut table = StateTable::default();
        let reading = self.0.begin_read()?;
        for entry in reading.open_table(RECORDS)?.iter()? {
            let (key, record) = entry?;
            let key = StateKey::from_bytes(key.value());
            table
                .merge_bytes(&key, record.value())
                .map_err(|_| DatabaseProblem::Record(key))?;
        }
        Ok(table)
    }

    /// The events that wait for an operator, with their numbers.
    pub(crate) fn held(&self) -> Result<Vec<(u64, Vec<u8>)>> {
        let reading = self.0.begin_read()?;
        let held = reading.open_table(HELD)?;
        let mut lines = Vec::new();
        for entry in held.iter()? {
            let (number, line) = entry?;
            lines.push((number.value(), line.value().to_vec()));
        }
        Ok(lines)
    }

    /// The notes whose names begin so, without that beginning.
    pub(crate) fn notes(&self, kind: &str) -> Result<Vec<(String, Vec<u8>)>> {
        let reading = self.0.begin_read()?;
        let notes = reading.open_table(NOTES)?;
        let mut found = Vec::new();
        for entry in notes.range(kind..)? {
            let (name, value) = entry?;
            let Some(name) = name.value().strip_prefix(kind) else {
                break;
            };
            found.push((name.to_owned(), value.value().to_vec()));
        }
        Ok(found)
    }

    /// Begins to write; nothing holds before [`Writing::commit`].
    pub(crate) fn begin(&self) -> Result<Writing> {
        Writing::begin(&self.0)
    }

    /// Gives back space that nothing uses. Takes a while; says whether anything moved.
    pub(crate) fn compact(&mut self) -> Result<bool> {
        Ok(self.0.compact()?)
    }
}

/// A transaction: all of it, on disk once it is committed, or nothing.
pub(crate) struct Writing(WriteTransaction);

impl Writing {
    fn begin(database: &Redb) -> Result<Self> {
        Ok(Self(database.begin_write()?))
    }

    pub(crate) fn records(&self) -> Result<Table<'_, [u8; 16], &'static [u8]>> {
        Ok(self.0.open_table(RECORDS)?)
    }

    pub(crate) fn log(&self) -> Result<Log<'_>> {
        Ok(Log {
            log: self.0.open_table(LOG)?,
            seen: self.0.open_table(SEEN)?,
            held: self.0.open_table(HELD)?,
        })
    }

    pub(crate) fn put_note(&self, name: &str, value: &[u8]) -> Result<()> {
        self.0.open_table(NOTES)?.insert(name, value)?;
        Ok(())
    }

    /// Bytes in use, and bytes that the file holds beside them.
    pub(crate) fn sizes(&self) -> Result<(u64, u64)> {
        let stats = self.0.stats()?;
        let used = stats
            .stored_bytes()
            .saturating_add(stats.metadata_bytes())
            .saturating_add(stats.fragmented_bytes());
        let page = u64::try_from(stats.page_size()).unwrap_or(u64::MAX);
        let file = stats.allocated_pages().saturating_mul(page);
        Ok((used, file.saturating_sub(used)))
    }

    /// Makes everything hold: it is on disk when this returns.
    pub(crate) fn commit(self) -> Result<()> {
        Ok(self.0.commit()?)
    }
}

/// The log of SETs while it is written.
pub(crate) struct Log<'t> {
    log: Table<'t, u64, &'static [u8]>,
    seen: Table<'t, [u8; 16], u64>,
    held: Table<'t, u64, &'static [u8]>,
}

impl Log<'_> {
    /// Whether this SET has an entry.
    pub(crate) fn knows(&self, transmitter: &str, jti: &str) -> Result<bool> {
        Ok(self.seen.get(delivery(transmitter, jti))?.is_some())
    }

    /// The number of the next entry.
    pub(crate) fn next(&self) -> Result<u64> {
        let last = self.log.last()?.map(|(number, _)| number.value());
        Ok(last.map_or(0, |last| last.saturating_add(1)))
    }

    /// Adds an entry. `remembered` are transmitter and `jti` of a SET that is dropped when it comes again.
    pub(crate) fn add(&mut self, line: &[u8], remembered: Option<(&str, &str)>) -> Result<u64> {
        let number = self.next()?;
        self.log.insert(number, line)?;
        if let Some((transmitter, jti)) = remembered {
            self.seen.insert(delivery(transmitter, jti), number)?;
        }
        Ok(number)
    }

    pub(crate) fn hold(&mut self, number: u64, line: &[u8]) -> Result<()> {
        self.held.insert(number, line)?;
        Ok(())
    }

    pub(crate) fn release(&mut self, number: u64) -> Result<()> {
        self.held.remove(number)?;
        Ok(())
    }

    /// Forgets the oldest entry if `is_old` says so of its number and its line; `delivery_of` finds the SET that it was
    /// about. Says whether it went.
    pub(crate) fn forget_first(
        &mut self,
        is_old: impl FnOnce(u64, &[u8]) -> bool,
        delivery_of: impl FnOnce(&[u8]) -> Option<(String, String)>,
    ) -> Result<bool> {
        let Some((number, line)) = self
            .log
            .first()?
            .map(|(number, line)| (number.value(), line.value().to_vec()))
        else {
            return Ok(false);
        };
        if !is_old(number, &line) {
            return Ok(false);
        }
        if let Some((transmitter, jti)) = delivery_of(&line) {
            self.seen.remove(delivery(&transmitter, &jti))?;
        }
        self.log.remove(number)?;
        Ok(true)
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> Result<u64> {
        let first = self.log.first()?.map(|(number, _)| number.value());
        let next = self.next()?;
        Ok(first.map_or(0, |first| next.saturating_sub(first)))
    }
}

/// Writes what a record became.
pub(crate) fn put_record(
    records: &mut Table<'_, [u8; 16], &'static [u8]>,
    key: &StateKey,
    record: &Record,
) -> Result<()> {
    if record.is_empty() {
        records.remove(key.to_bytes())?;
    } else {
        records.insert(key.to_bytes(), record.to_bytes().as_slice())?;
    }
    Ok(())
}

fn delivery(transmitter: &str, jti: &str) -> [u8; 16] {
    let mut half = [0; 16];
    let digest = sha256(&[transmitter.as_bytes(), jti.as_bytes()]);
    for (to, from) in half.iter_mut().zip(digest) {
        *to = from;
    }
    half
}
