//! The writer: jobs in, one transaction, one wait for the disk, answers out.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::Instant;

use cae_core::engine::{AcceptedEvent, Change};
use cae_core::json;
use cae_core::state::retention::RetentionLimits;
use cae_core::state::{Record, StateKey, StateTable};
use cae_core::time::UnixTime;
use tokio::sync::mpsc;

use super::super::database::{Database, DatabaseProblem, Log, Writing, put_record};
use super::cleaning::clean;
use super::entry::Entry;
use super::refusal::{Refusal, refuse};
use super::{
    Alarms, Compaction, Health, Job, Kept, LogBounds, MOST, NotKept, Notes, REOPEN, Reply,
};
use crate::clock;
use crate::session::{HeldEvent, Intake, records_of};
use crate::state_file::{held_event, held_line};

pub(super) struct Writer {
    /// Gone while it cannot be opened.
    pub(super) database: Option<Database>,
    pub(super) reopen: Box<dyn Fn() -> Result<Database, DatabaseProblem> + Send>,
    pub(super) table: Arc<RwLock<StateTable>>,
    pub(super) health: Arc<Mutex<Health>>,
    pub(super) intakes: BTreeMap<String, Intake>,
    /// Numbers of the log entries of the events that wait, by transmitter, in the order of `intakes`.
    pub(super) held: BTreeMap<String, Vec<u64>>,
    pub(super) bounds: LogBounds,
    pub(super) alarms: Alarms,
    pub(super) compaction: Compaction,
    /// When the size of the file was looked at.
    pub(super) looked_at: Instant,
}

/// What a transaction is going to change, beside the database.
#[derive(Default)]
struct Staged {
    records: HashMap<StateKey, Record>,
    /// Records from which something is forgotten on disk; in memory that happens at once, at the end.
    forgotten: Vec<(StateKey, Record)>,
    clean: Option<(UnixTime, RetentionLimits)>,
    answers: Vec<Answer>,
    held: Vec<(String, u64, HeldEvent)>,
    released: Vec<String>,
    again: Option<Job>,
}

enum Answer {
    Event(Reply<Kept>, Kept),
    Changes(Option<Reply<()>>),
    /// The notes whose names begin so.
    Notes(Reply<Notes>, String),
    Count(Option<Reply<usize>>, usize),
}

impl Writer {
    /// Takes up the events that waited when the process before ended.
    pub(super) fn load(&mut self) -> Result<(), DatabaseProblem> {
        let held = match &self.database {
            Some(database) => database.held()?,
            None => Vec::new(),
        };
        for (number, line) in held {
            let line = String::from_utf8_lossy(&line);
            if let Ok(event) = held_event(&line) {
                self.hold(number, event);
            }
        }
        let log = match &self.database {
            Some(database) => database.begin()?.log()?.len()?,
            None => 0,
        };
        let mut health = self.health();
        health.log_entries = log;
        drop(health);
        self.tell_held();
        Ok(())
    }

    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        while let Some(first) = queue.blocking_recv() {
            let mut jobs = vec![first];
            while jobs.len() < MOST
                && let Ok(job) = queue.try_recv()
            {
                jobs.push(job);
            }
            let closing = jobs.iter().any(|job| matches!(job, Job::Close));
            let mut next = self.write(jobs);
            // Cleaning goes on in parts; whatever came in the meantime is written with them.
            while let Some(job) = next {
                let mut jobs = vec![job];
                while jobs.len() < MOST
                    && let Ok(job) = queue.try_recv()
                {
                    jobs.push(job);
                }
                next = self.write(jobs);
            }
            if closing {
                return;
            }
        }
    }

    /// Writes jobs; gives back one that has to go on.
    fn write(&mut self, jobs: Vec<Job>) -> Option<Job> {
        let began = Instant::now();
        let mut unsaved = Vec::new();
        let mut refused = Vec::new();
        let written = self.transaction(jobs, &mut unsaved, &mut refused);
        match written {
            Ok(staged) => {
                let mut health = self.health();
                health.failing = None;
                health.commits = health.commits.saturating_add(1);
                health.commit_seconds += began.elapsed().as_secs_f64();
                drop(health);
                let again = self.take_effect(staged);
                self.compact_if_spare();
                again
            }
            Err(problem) => {
                self.fail(&problem, unsaved, refused);
                None
            }
        }
    }

    fn transaction(
        &mut self,
        jobs: Vec<Job>,
        unsaved: &mut Vec<Change>,
        refused: &mut Vec<Refusal>,
    ) -> Result<Staged, DatabaseProblem> {
        // What has to be told if this fails is put aside first: the jobs are used up on the way.
        let mut failed = None;
        let writing = match self.begin() {
            Ok(writing) => Some(writing),
            Err(problem) => {
                failed = Some(problem);
                None
            }
        };
        let mut staged = Staged::default();
        for job in jobs {
            match &writing {
                Some(writing) if failed.is_none() => {
                    if let Err(problem) = self.stage(job, writing, &mut staged, unsaved) {
                        failed = Some(problem);
                    }
                }
                _ => refuse(job, unsaved, refused),
            }
        }
        let committed = match (failed, writing) {
            (Some(problem), _) => Err(problem),
            (None, Some(writing)) => self
                .finish(&writing, &mut staged)
                .and_then(|()| writing.commit()),
            (None, None) => Ok(()),
        };
        match committed {
            Ok(()) => Ok(staged),
            Err(problem) => {
                for answer in staged.answers {
                    refused.push(match answer {
                        Answer::Event(reply, _) => Refusal::Event(reply),
                        Answer::Changes(reply) => Refusal::Changes(reply),
                        Answer::Notes(reply, _) => Refusal::Notes(reply),
                        Answer::Count(reply, _) => Refusal::Count(reply),
                    });
                }
                Err(problem)
            }
        }
    }

    fn begin(&mut self) -> Result<Writing, DatabaseProblem> {
        if self.database.is_none() {
            self.database = Some((self.reopen)()?);
        }
        match &self.database {
            Some(database) => database.begin(),
            None => Err(redb::Error::PreviousIo.into()),
        }
    }

    fn stage(
        &mut self,
        job: Job,
        writing: &Writing,
        staged: &mut Staged,
        unsaved: &mut Vec<Change>,
    ) -> Result<(), DatabaseProblem> {
        match job {
            Job::Event {
                event,
                received_at,
                reply,
            } => {
                let kept = self.stage_event(event, received_at, &mut writing.log()?, staged);
                // An answer for whoever waits, whether or not the rest goes well.
                let (kept, failed) = match kept {
                    Ok(kept) => (kept, None),
                    Err(problem) => (Kept::Repeated, Some(problem)),
                };
                staged.answers.push(Answer::Event(reply, kept));
                failed.map_or(Ok(()), Err)
            }
            Job::Rejected {
                transmitter,
                event,
                received_at,
            } => {
                let entry = Entry::rejected(transmitter, &event, received_at);
                writing.log()?.add(json::to_text(&entry).as_bytes(), None)?;
                Ok(())
            }
            Job::Changes { changes, reply } => {
                staged.answers.push(Answer::Changes(reply));
                self.stage_changes(&changes, staged);
                unsaved.extend(changes);
                Ok(())
            }
            Job::Note { name, value, reply } => {
                staged.answers.push(Answer::Changes(reply));
                writing.put_note(&name, &value)
            }
            Job::Notes { kind, reply } => {
                staged.answers.push(Answer::Notes(reply, kind));
                Ok(())
            }
            Job::Release { transmitter, reply } => {
                let released = self.stage_release(&transmitter, &mut writing.log()?, staged);
                let count = *released.as_ref().unwrap_or(&0);
                staged.answers.push(Answer::Count(Some(reply), count));
                released.map(drop)
            }
            Job::Clean {
                now,
                limits,
                after,
                reply,
                gone,
            } => {
                let part = clean(writing, now, &limits, after, &mut staged.forgotten)
                    .and_then(|part| Ok((part, self.trim(&mut writing.log()?, now)?)));
                match part {
                    Ok(((last, more), _)) => {
                        let gone = gone.saturating_add(more);
                        match last {
                            Some(last) => {
                                staged.again = Some(Job::Clean {
                                    now,
                                    limits,
                                    after: Some(last),
                                    reply,
                                    gone,
                                });
                            }
                            None => {
                                staged.clean = Some((now, limits));
                                staged.answers.push(Answer::Count(reply, gone));
                            }
                        }
                        Ok(())
                    }
                    Err(problem) => {
                        staged.answers.push(Answer::Count(reply, 0));
                        Err(problem)
                    }
                }
            }
            Job::Brakes(brakes) => {
                for (transmitter, brake) in brakes {
                    self.intakes
                        .entry(transmitter)
                        .or_default()
                        .set_brake(brake);
                }
                Ok(())
            }
            Job::Close => Ok(()),
        }
    }

    fn stage_event(
        &mut self,
        event: AcceptedEvent,
        received_at: UnixTime,
        log: &mut Log<'_>,
        staged: &mut Staged,
    ) -> Result<Kept, DatabaseProblem> {
        if log.knows(&event.transmitter, &event.jti)? {
            return Ok(Kept::Repeated);
        }
        let Ok(records) = records_of::<()>(&event.changes) else {
            // The engine left its contract: nothing of this can be in force, so it is not acknowledged.
            return Err(
                redb::Error::Corrupted("a change holds no readable record".to_owned()).into(),
            );
        };
        let intake = self.intakes.entry(event.transmitter.clone()).or_default();
        let passage = intake.admit(&event, &records, received_at);
        if let Some(alarm) = &passage.alarm {
            (self.alarms)(alarm);
        }
        let verdict = if passage.hold { "held" } else { "applied" };
        let entry = Entry::accepted(&event, verdict, received_at);
        let delivery = Some((event.transmitter.as_str(), event.jti.as_str()));
        let number = log.add(json::to_text(&entry).as_bytes(), delivery)?;
        if passage.hold {
            let held = HeldEvent {
                transmitter: event.transmitter,
                jti: event.jti,
                changes: event.changes,
            };
            let line = held_line(&held).map_err(redb::Error::Io)?;
            log.hold(number, line.as_bytes())?;
            staged.held.push((held.transmitter.clone(), number, held));
            return Ok(Kept::Held);
        }
        self.stage_records(&event.changes, &records, staged);
        Ok(Kept::Applied)
    }

    fn stage_changes(&self, changes: &[Change], staged: &mut Staged) {
        if let Ok(records) = records_of::<()>(changes) {
            self.stage_records(changes, &records, staged);
        }
    }

    fn stage_records(&self, changes: &[Change], records: &[Record], staged: &mut Staged) {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        for (change, record) in changes.iter().zip(records) {
            let known = staged
                .records
                .entry(change.key)
                .or_insert_with(|| table.get(&change.key).unwrap_or_default());
            known.merge(record);
        }
    }

    fn stage_release(
        &mut self,
        transmitter: &str,
        log: &mut Log<'_>,
        staged: &mut Staged,
    ) -> Result<usize, DatabaseProblem> {
        let Some(intake) = self.intakes.get(transmitter) else {
            return Ok(0);
        };
        let events = intake.held();
        for event in events {
            self.stage_changes(&event.changes, staged);
        }
        for number in self.held.get(transmitter).into_iter().flatten() {
            log.release(*number)?;
        }
        let count = events.len();
        if count > 0 {
            let entry = Entry {
                at: clock::now().as_secs(),
                transmitter: Some(transmitter.to_owned()),
                jti: None,
                verdict: "released".to_owned(),
                err: None,
                event_types: Vec::new(),
                keys: Vec::new(),
            };
            log.add(json::to_text(&entry).as_bytes(), None)?;
            staged.released.push(transmitter.to_owned());
        }
        Ok(count)
    }

    /// Writes the records once each, and keeps the log within its bounds.
    fn finish(&self, writing: &Writing, staged: &mut Staged) -> Result<(), DatabaseProblem> {
        let mut records = writing.records()?;
        for (key, record) in &staged.records {
            put_record(&mut records, key, record)?;
        }
        for (key, record) in &staged.forgotten {
            if !staged.records.contains_key(key) {
                put_record(&mut records, key, record)?;
            }
        }
        drop(records);
        self.trim(&mut writing.log()?, clock::now())?;
        Ok(())
    }

    fn trim(&self, log: &mut Log<'_>, now: UnixTime) -> Result<(), DatabaseProblem> {
        let oldest = now.as_secs().saturating_sub(self.bounds.age.as_secs());
        let mut length = log.len()?;
        // Twice as many as one batch adds: the log shrinks faster than it grows.
        for _ in 0..MOST.saturating_mul(2) {
            let is_old = |_, line: &[u8]| {
                length > self.bounds.entries
                    || serde_json::from_slice::<Entry>(line).is_ok_and(|entry| entry.at < oldest)
            };
            let delivery = |line: &[u8]| {
                let entry: Entry = serde_json::from_slice(line).ok()?;
                let accepted = ["applied", "held"].contains(&entry.verdict.as_str());
                Some((entry.transmitter?, entry.jti?)).filter(|_| accepted)
            };
            if !log.forget_first(is_old, delivery)? {
                break;
            }
            length = length.saturating_sub(1);
        }
        self.health().log_entries = length;
        Ok(())
    }

    /// It is on disk: now it is in force, and whoever waits may go on.
    fn take_effect(&mut self, staged: Staged) -> Option<Job> {
        if !staged.records.is_empty() || staged.clean.is_some() {
            let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
            for (key, record) in &staged.records {
                table.merge(key, record);
            }
            if let Some((now, limits)) = &staged.clean {
                table.clean(*now, limits);
            }
        }
        let is_held = !staged.held.is_empty() || !staged.released.is_empty();
        for (_, number, event) in staged.held {
            self.hold(number, event);
        }
        for transmitter in staged.released {
            if let Some(intake) = self.intakes.get_mut(&transmitter) {
                intake.release();
            }
            self.held.remove(&transmitter);
        }
        if is_held {
            self.tell_held();
        }
        // Before anybody goes on: whoever then looks sees it.
        let is_event = |answer: &Answer| matches!(answer, Answer::Event(..));
        if staged.answers.iter().any(is_event) {
            self.tell_unmatchable();
        }
        for answer in staged.answers {
            match answer {
                Answer::Event(reply, kept) => {
                    let _ = reply.send(Ok(kept));
                }
                Answer::Changes(reply) => {
                    let _ = reply.map(|reply| reply.send(Ok(())));
                }
                Answer::Notes(reply, kind) => {
                    let _ = reply.send(self.notes(&kind));
                }
                Answer::Count(reply, count) => {
                    let _ = reply.map(|reply| reply.send(Ok(count)));
                }
            }
        }
        staged.again
    }

    /// The notes whose names begin so, with their whole names.
    fn notes(&self, kind: &str) -> Result<Notes, NotKept> {
        let database = self.database.as_ref().ok_or(NotKept::Failing)?;
        let notes = database.notes(kind).map_err(|_| NotKept::Failing)?;
        let whole = |(name, value): (String, Vec<u8>)| (format!("{kind}{name}"), value);
        Ok(notes.into_iter().map(whole).collect())
    }

    /// Nothing is acknowledged; what decisions have to remember is in force all the same, in this process.
    fn fail(&mut self, problem: &DatabaseProblem, unsaved: Vec<Change>, refused: Vec<Refusal>) {
        {
            let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
            for change in &unsaved {
                let _ = table.merge_bytes(&change.key, &change.record);
            }
        }
        let mut health = self.health();
        let since = health.failing.take().map(|(_, since)| since);
        let since = since.unwrap_or_else(clock::now);
        health.failing = Some((problem.to_string(), since));
        let count = u64::try_from(unsaved.len()).unwrap_or(u64::MAX);
        health.unsaved = health.unsaved.saturating_add(count);
        drop(health);
        for refusal in refused {
            refusal.send();
        }
        // After a fault redb takes nothing more before the file is opened again.
        self.database = None;
        match (self.reopen)() {
            Ok(database) => self.database = Some(database),
            Err(_) => thread::sleep(REOPEN),
        }
    }

    fn hold(&mut self, number: u64, event: HeldEvent) {
        let transmitter = event.transmitter.clone();
        self.held
            .entry(transmitter.clone())
            .or_default()
            .push(number);
        self.intakes.entry(transmitter).or_default().hold(event);
    }

    fn tell_held(&self) {
        let held = self
            .held
            .iter()
            .map(|(name, held)| (name.clone(), held.len()));
        self.health().held = held.collect();
    }

    fn tell_unmatchable(&self) {
        let mut health = self.health();
        for (transmitter, intake) in &self.intakes {
            for (kind, count) in intake.unmatchable() {
                health
                    .unmatchable
                    .insert((transmitter.clone(), kind.to_owned()), count);
            }
        }
    }

    fn compact_if_spare(&mut self) {
        let Compaction {
            every,
            spare: least,
        } = self.compaction;
        if self.looked_at.elapsed() < every {
            return;
        }
        self.looked_at = Instant::now();
        let Some(database) = &mut self.database else {
            return;
        };
        let sizes = database.begin().and_then(|writing| writing.sizes());
        if sizes.is_ok_and(|(used, spare)| spare > least.max(used)) {
            // It only saves space: a fault shows at the next transaction.
            let _ = database.compact();
        }
    }

    fn health(&self) -> std::sync::MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
