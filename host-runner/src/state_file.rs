//! Event state in a file: a snapshot, and beside it the events that wait for an operator.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};

use cae_core::engine::Change;
use cae_core::state::{SnapshotError, SnapshotReader, SnapshotWriter, StateKey, StateTable};
use serde::{Deserialize, Serialize};

use crate::encoding::{hexadecimal, hexadecimal_of};
use crate::session::HeldEvent;

/// A file that only one process changes at a time. The snapshot is replaced as a whole or not at all, so that it may be
/// read at any moment.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    /// `PATH.held`: lines of JSON, absent while no event waits.
    held: PathBuf,
    /// `PATH.lock`, locked as long as this lives.
    _lock: File,
}

/// Why a file cannot be used.
#[derive(Debug)]
pub enum StateFileError {
    /// It cannot be read or written.
    Io(io::Error),
    /// Its contents are no snapshot.
    Snapshot(SnapshotError),
    /// A line of the events that wait cannot be read.
    Held {
        /// Which line, counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// Another process changes it.
    Locked,
}

/// A line of the events that wait.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct HeldLine {
    transmitter: String,
    jti: String,
    changes: Vec<HeldChange>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct HeldChange {
    key: String,
    /// Canonical record bytes in hexadecimal.
    record: String,
}

impl StateFile {
    /// Takes the file for this process; it need not exist yet.
    ///
    /// # Errors
    /// [`StateFileError`] if another process has it, or its folder cannot be written to.
    pub fn open(path: &Path) -> Result<Self, StateFileError> {
        // A link is followed, so that the file behind it is replaced and not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(beside(&path, ".lock"))
            .map_err(StateFileError::Io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StateFileError::Locked),
            // Where the file system knows no locks, whoever starts two processes has to take care.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(StateFileError::Io(error)),
        }
        Ok(Self {
            held: beside(&path, ".held"),
            path,
            _lock: lock,
        })
    }

    /// What was saved last; nothing if nothing was.
    ///
    /// # Errors
    /// [`StateFileError`] if a file exists and cannot be used.
    pub fn load(&self) -> Result<(StateTable, Vec<HeldEvent>), StateFileError> {
        let table = match read(&self.path) {
            Err(StateFileError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                StateTable::default()
            }
            table => table?,
        };
        Ok((table, read_held(&self.path)?))
    }

    /// Saves both. If the machine stops in between, some events that wait were applied as well: releasing them again
    /// changes nothing.
    ///
    /// # Errors
    /// The files cannot be written; what was saved before is still there.
    pub fn save<'h>(
        &self,
        table: &StateTable,
        held: impl Iterator<Item = &'h HeldEvent>,
    ) -> io::Result<()> {
        let lines: Vec<String> = held.map(held_line).collect::<Result<_, _>>()?;
        // What begins to wait is written before the state, what no longer waits is taken away after it.
        if !lines.is_empty() {
            replace(&self.held, |file| {
                lines.iter().try_for_each(|line| writeln!(file, "{line}"))
            })?;
        }
        replace(&self.path, |file| {
            SnapshotWriter::new(table).try_for_each(|chunk| file.write_all(&chunk))
        })?;
        if lines.is_empty() && self.held.exists() {
            fs::remove_file(&self.held)?;
        }
        Ok(())
    }
}

/// The snapshot in a file, read in pieces.
///
/// # Errors
/// [`StateFileError`] if it cannot be read or used.
pub fn read(path: &Path) -> Result<StateTable, StateFileError> {
    let mut file = File::open(path).map_err(StateFileError::Io)?;
    let mut reader = SnapshotReader::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return reader.finish().map_err(StateFileError::Snapshot),
            Ok(length) => reader
                .push(chunk.get(..length).unwrap_or_default())
                .map_err(StateFileError::Snapshot)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(StateFileError::Io(error)),
        }
    }
}

/// The events that wait beside the snapshot in a file.
///
/// # Errors
/// [`StateFileError`] if there are some that cannot be read.
pub fn read_held(path: &Path) -> Result<Vec<HeldEvent>, StateFileError> {
    let text = match fs::read_to_string(beside(path, ".held")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(StateFileError::Io)?,
    };
    let read = |(index, line): (usize, &str)| {
        held_event(line).map_err(|what| StateFileError::Held {
            line: index.saturating_add(1),
            what,
        })
    };
    text.lines().enumerate().map(read).collect()
}

/// Writes a file beside `path` and puts it in its place once all of it is on the disk.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let temporary = beside(path, &format!(".new-{}", std::process::id()));
    let written = (|| {
        let mut file = BufWriter::with_capacity(1 << 17, File::create(&temporary)?);
        write(&mut file)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        if let Ok(before) = fs::metadata(path) {
            file.set_permissions(before.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        // The error that matters is the one that came first.
        drop(fs::remove_file(&temporary));
    }
    written?;
    sync_folder(path)
}

/// The new name is on the disk as well.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Folders cannot be opened here; renaming writes through.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

pub(crate) fn held_line(event: &HeldEvent) -> io::Result<String> {
    let change = |change: &Change| HeldChange {
        key: change.key.to_string(),
        record: hexadecimal_of(&change.record),
    };
    Ok(serde_json::to_string(&HeldLine {
        transmitter: event.transmitter.clone(),
        jti: event.jti.clone(),
        changes: event.changes.iter().map(change).collect(),
    })?)
}

pub(crate) fn held_event(line: &str) -> Result<HeldEvent, String> {
    let line: HeldLine = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let change = |change: &HeldChange| {
        let key: StateKey = (change.key.parse())
            .map_err(|error: cae_core::state::key::InvalidStateKey| error.to_string())?;
        let record = hexadecimal(&change.record).ok_or("a record is hexadecimal digits")?;
        cae_core::state::Record::from_bytes(&record).map_err(|error| error.to_string())?;
        Ok::<_, String>(Change { key, record })
    };
    Ok(HeldEvent {
        changes: line.changes.iter().map(change).collect::<Result<_, _>>()?,
        transmitter: line.transmitter,
        jti: line.jti,
    })
}

impl std::fmt::Display for StateFileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Snapshot(error) => error.fmt(f),
            Self::Held { line, what } => write!(
                f,
                "line {line} of the events that wait beside it: {what}; put a copy of them in their place, or remove \
                 the file and have the transmitter send its events again"
            ),
            Self::Locked => {
                f.write_str("another cae changes it just now: wait until that has ended")
            }
        }
    }
}

impl std::error::Error for StateFileError {}
