//! What is known: in memory for decisions, on disk before anybody is told that it is kept.
//!
//! One thread writes. It takes whatever waits in its queue, writes all of it in one transaction, waits for the disk once,
//! and only then merges it into what decisions read and lets those who wait go on: a SET is acknowledged when it is on
//! disk and in force, and many of them share one wait. If the disk fails, nothing is acknowledged and decisions go on.

mod batch;
mod cleaning;
mod entry;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use cae_core::configuration::transmitter::Brake;
use cae_core::engine::{AcceptedEvent, Change, RejectedEvent};
use cae_core::state::StateTable;
use cae_core::state::retention::RetentionLimits;
use cae_core::time::UnixTime;
use tokio::sync::{mpsc, oneshot};

use super::database::{Database, DatabaseProblem};
use crate::session::BrakeAlarm;
use batch::Writer;

/// Jobs that may wait. Beyond that transmitters are told to come back later.
const QUEUE: usize = 8_192;
/// Most jobs of one transaction.
const MOST: usize = 1_024;
/// How long a decision waits for what it says to remember.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the writer waits before it opens a database that failed again.
const REOPEN: Duration = Duration::from_secs(1);

/// What became of an accepted SET.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kept {
    /// On disk and in force.
    Applied,
    /// On disk; it waits for an operator, because the brake of its transmitter holds.
    Held,
    /// It came before.
    Repeated,
}

/// Why something was not kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NotKept {
    /// Too much waits already.
    Busy,
    /// The disk does not take it.
    Failing,
}

type Reply<T> = oneshot::Sender<Result<T, NotKept>>;

/// What the writer is asked to do.
enum Job {
    Event {
        event: AcceptedEvent,
        received_at: UnixTime,
        reply: Reply<Kept>,
    },
    Rejected {
        transmitter: Option<String>,
        event: RejectedEvent,
        received_at: UnixTime,
    },
    Changes {
        changes: Vec<Change>,
        reply: Option<Reply<()>>,
    },
    Note {
        name: String,
        value: Vec<u8>,
        reply: Option<Reply<()>>,
    },
    Notes {
        kind: String,
        reply: Reply<Notes>,
    },
    Release {
        transmitter: String,
        reply: Reply<usize>,
    },
    Clean {
        now: UnixTime,
        limits: RetentionLimits,
        after: Option<[u8; 16]>,
        reply: Option<Reply<usize>>,
        gone: usize,
    },
    Brakes(Vec<(String, Brake)>),
    Close,
}

/// What the log keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogBounds {
    pub(crate) age: Duration,
    pub(crate) entries: u64,
}

/// When the file is made smaller.
#[derive(Clone, Copy, Debug)]
struct Compaction {
    /// How often it is looked at.
    every: Duration,
    /// So many bytes have to be free, and more than are used.
    spare: u64,
}

const COMPACTION: Compaction = Compaction {
    every: Duration::from_secs(3_600),
    spare: 64 << 20,
};

/// How the store is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    /// Why the disk takes nothing, and since when.
    pub(crate) failing: Option<(String, UnixTime)>,
    /// How many changes are in force without being on disk.
    pub(crate) unsaved: u64,
    /// Entries of the log.
    pub(crate) log_entries: u64,
    /// How many events wait for an operator, by transmitter.
    pub(crate) held: BTreeMap<String, usize>,
    /// How many events named a kind of key that no token can show, by transmitter and kind.
    pub(crate) unmatchable: BTreeMap<(String, String), u64>,
    /// Commits, and how long they took together.
    pub(crate) commits: u64,
    pub(crate) commit_seconds: f64,
}

/// Names and values of what was noted.
pub(crate) type Notes = Vec<(String, Vec<u8>)>;

/// Hears what an operator should know.
pub(crate) type Alarms = Box<dyn Fn(&BrakeAlarm) + Send>;

/// What is known.
#[derive(Debug)]
pub(crate) struct Store {
    table: Arc<RwLock<StateTable>>,
    health: Arc<Mutex<Health>>,
    jobs: mpsc::Sender<Job>,
    file: PathBuf,
    writer: Mutex<Option<thread::JoinHandle<()>>>,
}

impl Store {
    /// Opens the database, and starts the thread that writes to it.
    pub(crate) fn open(
        file: &Path,
        bounds: LogBounds,
        alarms: Alarms,
    ) -> Result<(Self, Notes), DatabaseProblem> {
        let database = Database::open(file)?;
        let notes = database.notes("")?;
        let opener = file.to_owned();
        let reopen = move || Database::open(&opener);
        let store = Self::on(
            database,
            Box::new(reopen),
            file,
            (bounds, COMPACTION),
            alarms,
        )?;
        Ok((store, notes))
    }

    fn on(
        database: Database,
        reopen: Box<dyn Fn() -> Result<Database, DatabaseProblem> + Send>,
        file: &Path,
        (bounds, compaction): (LogBounds, Compaction),
        alarms: Alarms,
    ) -> Result<Self, DatabaseProblem> {
        let table = Arc::new(RwLock::new(database.records()?));
        let health = Arc::new(Mutex::new(Health::default()));
        let mut writer = Writer {
            database: Some(database),
            reopen,
            table: Arc::clone(&table),
            health: Arc::clone(&health),
            intakes: BTreeMap::new(),
            held: BTreeMap::new(),
            bounds,
            compaction,
            alarms,
            looked_at: Instant::now(),
        };
        writer.load()?;
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run(queue))
            .map_err(redb::Error::Io)?;
        Ok(Self {
            table,
            health,
            jobs,
            file: file.to_owned(),
            writer: Mutex::new(Some(thread)),
        })
    }

    /// Looks into what is known.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&StateTable) -> T) -> T {
        // A merge that panicked left the table as it was, or merged: both are states that hold.
        look(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How the store is.
    pub(crate) fn health(&self) -> Health {
        let health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.clone()
    }

    /// The file, for people.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Keeps an event; once this returns it is on disk and in force.
    pub(crate) async fn keep(
        &self,
        event: AcceptedEvent,
        received_at: UnixTime,
    ) -> Result<Kept, NotKept> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Event {
            event,
            received_at,
            reply,
        };
        self.jobs.try_send(job).map_err(|_| NotKept::Busy)?;
        answer.await.unwrap_or(Err(NotKept::Failing))
    }

    /// The same for a thread that may wait: several at once, so that they share one wait for the disk.
    pub(crate) fn keep_all(
        &self,
        events: Vec<AcceptedEvent>,
        received_at: UnixTime,
    ) -> Vec<Result<Kept, NotKept>> {
        let asked: Vec<_> = events
            .into_iter()
            .map(|event| {
                let (reply, answer) = oneshot::channel();
                let job = Job::Event {
                    event,
                    received_at,
                    reply,
                };
                self.jobs.blocking_send(job).ok().map(|()| answer)
            })
            .collect();
        let answer = |asked: Option<oneshot::Receiver<Result<Kept, NotKept>>>| {
            let answer = asked.and_then(|answer| answer.blocking_recv().ok());
            answer.unwrap_or(Err(NotKept::Failing))
        };
        asked.into_iter().map(answer).collect()
    }

    /// Notes a SET that was rejected, if there is room for it.
    pub(crate) fn note_rejected(
        &self,
        transmitter: Option<&str>,
        event: RejectedEvent,
        received_at: UnixTime,
    ) {
        let job = Job::Rejected {
            transmitter: transmitter.map(str::to_owned),
            event,
            received_at,
        };
        let _ = self.jobs.try_send(job);
    }

    /// Remembers what a decision said to remember; once this returns it is in force, and on disk if the disk takes it. A disk
    /// that takes its time keeps no client waiting: what was decided is answered all the same, it only may be decided again.
    pub(crate) async fn remember(&self, changes: Vec<Change>) {
        let (reply, answer) = oneshot::channel();
        let job = Job::Changes {
            changes,
            reply: Some(reply),
        };
        let remembered = async {
            if self.jobs.send(job).await.is_ok() {
                let _ = answer.await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, remembered).await;
    }

    /// Merges records; once this returns they are on disk and in force.
    pub(crate) async fn merge(&self, changes: Vec<Change>) -> Result<(), NotKept> {
        let (reply, answer) = oneshot::channel();
        let reply = Some(reply);
        let job = Job::Changes { changes, reply };
        self.jobs.try_send(job).map_err(|_| NotKept::Busy)?;
        answer.await.unwrap_or(Err(NotKept::Failing))
    }

    /// The same for a thread that may wait.
    pub(crate) fn change(&self, changes: Vec<Change>) -> Result<(), NotKept> {
        let (reply, answer) = oneshot::channel();
        let reply = Some(reply);
        let job = Job::Changes { changes, reply };
        self.jobs.blocking_send(job).map_err(|_| NotKept::Failing)?;
        answer.blocking_recv().unwrap_or(Err(NotKept::Failing))
    }

    /// Watches how many subjects these transmitters touch, from now on.
    pub(crate) fn set_brakes(&self, brakes: Vec<(String, Brake)>) {
        let _ = self.jobs.try_send(Job::Brakes(brakes));
    }

    /// Keeps a note under a name.
    pub(crate) fn put_note(&self, name: String, value: Vec<u8>) {
        let job = Job::Note {
            name,
            value,
            reply: None,
        };
        let _ = self.jobs.try_send(job);
    }

    /// The same for a thread that may wait; says whether it is on disk.
    pub(crate) fn keep_note(&self, name: String, value: Vec<u8>) -> Result<(), NotKept> {
        let (reply, answer) = oneshot::channel();
        let reply = Some(reply);
        let job = Job::Note { name, value, reply };
        self.jobs.blocking_send(job).map_err(|_| NotKept::Failing)?;
        answer.blocking_recv().unwrap_or(Err(NotKept::Failing))
    }

    /// The notes whose names begin so, with their whole names, for a thread that may wait.
    pub(crate) fn notes(&self, kind: &str) -> Result<Notes, NotKept> {
        let (reply, answer) = oneshot::channel();
        let kind = kind.to_owned();
        let job = Job::Notes { kind, reply };
        self.jobs.blocking_send(job).map_err(|_| NotKept::Failing)?;
        answer.blocking_recv().unwrap_or(Err(NotKept::Failing))
    }

    /// Applies the events of a transmitter that wait; says how many they were.
    pub(crate) async fn release(&self, transmitter: String) -> Result<usize, NotKept> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Release { transmitter, reply };
        self.jobs.try_send(job).map_err(|_| NotKept::Busy)?;
        answer.await.unwrap_or(Err(NotKept::Failing))
    }

    /// Forgets what can no longer change a decision, a part at a time between other work; says how many records went.
    pub(crate) async fn clean(
        &self,
        now: UnixTime,
        limits: RetentionLimits,
    ) -> Result<usize, NotKept> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Clean {
            now,
            limits,
            after: None,
            reply: Some(reply),
            gone: 0,
        };
        self.jobs.send(job).await.map_err(|_| NotKept::Failing)?;
        answer.await.unwrap_or(Err(NotKept::Failing))
    }

    /// Lets the writer finish what waits. Nothing can be kept afterwards.
    pub(crate) fn close(&self) {
        let writer = &self.writer;
        let thread = writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && self.jobs.blocking_send(Job::Close).is_ok()
        {
            let _ = thread.join();
        }
    }
}
