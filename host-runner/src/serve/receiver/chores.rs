//! What has to be done for a stream beside receiving: subjects are added to it, and it is verified on a schedule.
//!
//! Nothing of it keeps events waiting: what fails is told, and tried again later.

use std::time::{Duration, Instant};

use super::super::settings::Transmitter;
use super::super::ssf::{Metadata, Peer, SsfError, Stream};
use super::Receiver;
use crate::component::random;

/// When something is tried again that was refused.
const ASK_AGAIN: Duration = Duration::from_secs(60);
/// Most subjects that are added between two polls.
const PART: usize = 20;

/// A stream that is followed, and what has to be done for it.
pub(super) struct Chores {
    metadata: Metadata,
    stream: Option<Stream>,
    verification: Verification,
    subjects: Subjects,
}

impl Chores {
    pub(super) fn new(metadata: Metadata, stream: Option<Stream>, settings: &Transmitter) -> Self {
        let count = stream.as_ref().map_or(0, |_| settings.subjects.len());
        Self {
            verification: Verification::new(settings, stream.as_ref()),
            subjects: Subjects {
                added: 0,
                all: count,
                due: None,
            },
            metadata,
            stream,
        }
    }

    pub(super) const fn stream(&self) -> Option<&Stream> {
        self.stream.as_ref()
    }

    /// How long until something is due.
    pub(super) fn wait(&self) -> Duration {
        self.verification.wait().min(self.subjects.wait())
    }

    /// What went wrong the last time.
    pub(super) fn problem(&self) -> Option<String> {
        self.verification.problem.clone()
    }
}

/// How far the subjects are added to the stream.
struct Subjects {
    added: usize,
    all: usize,
    /// Before that the transmitter wants to hear of no more.
    due: Option<Instant>,
}

impl Subjects {
    /// How long until the next one may be added.
    fn wait(&self) -> Duration {
        if self.added >= self.all {
            return Duration::MAX;
        }
        let left = |due: Instant| due.saturating_duration_since(Instant::now());
        self.due.map_or(Duration::ZERO, left)
    }
}

/// When a verification is due.
struct Verification {
    every: Duration,
    next: Option<Instant>,
    /// Why it could not be asked for the last time.
    problem: Option<String>,
}

impl Verification {
    fn new(settings: &Transmitter, stream: Option<&Stream>) -> Self {
        let least = stream.and_then(|stream| stream.min_verification_interval);
        let every = settings.verify_every.unwrap_or(Duration::MAX);
        Self {
            every: every.max(Duration::from_secs(least.unwrap_or(0))),
            next: settings.verify_every.map(|_| Instant::now()),
            problem: None,
        }
    }

    fn wait(&self) -> Duration {
        let next = self
            .next
            .map(|next| next.saturating_duration_since(Instant::now()));
        next.unwrap_or(Duration::MAX)
    }

    fn later(&mut self, at_least: Duration) {
        self.next = Instant::now().checked_add(self.every.max(at_least));
    }
}

impl Receiver {
    /// What has to be done beside receiving, if it is due.
    pub(super) fn do_chores(&self, peer: &mut Peer<'_>, chores: &mut Chores) {
        let Chores {
            metadata,
            stream,
            verification,
            subjects,
        } = chores;
        self.add_subjects(peer, metadata, stream.as_ref(), subjects);
        self.verify(peer, metadata, verification);
    }

    /// Asks for events about the subjects that are configured and not yet added; a transmitter may send none about anybody
    /// else. Whatever it answers, events about the others come all the same.
    fn add_subjects(
        &self,
        peer: &mut Peer<'_>,
        metadata: &Metadata,
        stream: Option<&Stream>,
        subjects: &mut Subjects,
    ) {
        let Transmitter {
            name,
            subjects: all,
            ..
        } = &self.watched.settings;
        let Some(stream) = stream else { return };
        for _ in 0..PART {
            let number = subjects.added;
            let Some(subject) = all.get(number).filter(|_| subjects.wait().is_zero()) else {
                return;
            };
            match peer.add_subject(metadata, &stream.id, subject) {
                Ok(()) => subjects.added = number.saturating_add(1),
                // Not known there, or not allowed: the next one may be.
                Err(error @ SsfError::Status(400 | 403 | 404, _)) => {
                    self.service
                        .tell(&format!("{name}: `subjects`, number {number}: {error}"));
                    subjects.added = number.saturating_add(1);
                }
                Err(error) => {
                    let after = match &error {
                        SsfError::Status(429, after) => *after,
                        _ => None,
                    };
                    self.service
                        .tell(&format!("{name}: `subjects`, number {number}: {error}"));
                    subjects.due = Instant::now().checked_add(after.unwrap_or(ASK_AGAIN));
                }
            }
        }
    }

    fn verify(&self, peer: &mut Peer<'_>, metadata: &Metadata, verification: &mut Verification) {
        let stream = self.watched.lock().stream.clone();
        let (true, Some(stream)) = (verification.wait().is_zero(), stream) else {
            return;
        };
        if metadata.verification_endpoint.is_none() {
            verification.next = None;
            return;
        }
        let state = format!("{:016x}{:016x}", random(), random());
        self.watched.expect(&state);
        match peer.verify(metadata, &stream, &state) {
            Ok(()) => {
                verification.later(Duration::ZERO);
                verification.problem = None;
            }
            // Too often for this transmitter.
            Err(SsfError::Status(429, after)) => {
                verification.later(after.unwrap_or(ASK_AGAIN));
            }
            // Events come all the same: without a verification the stream only looks older than it is.
            Err(error) => {
                let problem = format!("verification: {error}");
                self.service
                    .tell(&format!("{}: {problem}", self.watched.settings.name));
                self.watched.lock().problem = Some(problem.clone());
                verification.later(ASK_AGAIN);
                verification.problem = Some(problem);
            }
        }
    }
}
