//! One thread reads, all processors evaluate, and the answers come back in the order of the lines.
//!
//! Chunk k goes to worker k modulo their number, and its answer is awaited from there: so the order needs no buffer,
//! and the channels bound how much is in memory.

use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use cae_core::policy::what_if::Batch;

use super::super::problem::Problem;
use super::chunks::{Chunk, Chunks};
use crate::component::EngineError;
use crate::what_if::WhatIfEngine;

/// What is evaluated, and how.
pub(super) struct Work<'a> {
    pub(super) engine: WhatIfEngine,
    pub(super) threads: usize,
    /// Whether the answer to each line is wanted.
    pub(super) write: bool,
    /// Most lines of one chunk.
    pub(super) lines: usize,
    /// The name of the input, for problems.
    pub(super) file: &'a Path,
}

/// How many chunks wait before and behind each worker.
const WAITING: usize = 2;

enum Failure {
    Read(io::Error),
    Engine(EngineError),
}

/// A worker, and the answers that come from it.
struct Worker {
    chunks: SyncSender<Result<Chunk, Failure>>,
    batches: Receiver<Result<Batch, Failure>>,
}

impl Work<'_> {
    /// Evaluates a stream. `take` gets the batches in order, and says whether to go on; `idle` is called when the next
    /// one is not there yet.
    pub(super) fn run(
        self,
        input: impl Read + Send + 'static,
        mut take: impl FnMut(Batch) -> bool,
        mut idle: impl FnMut(),
    ) -> Result<(), Problem> {
        let mut workers = Vec::new();
        for _ in 1..self.threads {
            workers.push(start(self.engine.another()?, self.write)?);
        }
        workers.push(start(self.engine, self.write)?);
        let (chunks, batches): (Vec<_>, Vec<_>) = workers
            .into_iter()
            .map(|worker| (worker.chunks, worker.batches))
            .unzip();
        let lines = self.lines;
        let reader = thread::Builder::new()
            .name("reader".to_owned())
            .spawn(move || read(Chunks::new(input, lines), &chunks))
            .map_err(no_thread)?;
        let mut taken = 0_usize;
        for batches in batches.iter().cycle() {
            let batch = match batches.try_recv() {
                Ok(batch) => Some(batch),
                Err(TryRecvError::Empty) => {
                    idle();
                    batches.recv().ok()
                }
                Err(TryRecvError::Disconnected) => None,
            };
            match batch {
                // No worker has more once the one whose turn it is has none.
                None => break,
                Some(Err(Failure::Read(error))) => return Err(Problem::file(self.file, error)),
                Some(Err(Failure::Engine(error))) => return Err(error.into()),
                Some(Ok(batch)) => {
                    if !take(batch) {
                        // The reader may wait for input that never comes: it ends with the process.
                        return Ok(());
                    }
                }
            }
            taken = taken.saturating_add(1);
        }
        // Whatever ended early must not pass for the end of the input.
        match reader.join() {
            Ok(sent) if sent == taken => Ok(()),
            _ => Err(Problem::new("a worker stopped before the end of the input")),
        }
    }
}

fn no_thread(error: io::Error) -> Problem {
    Problem::new(format_args!("no thread for the work: {error}"))
}

/// Hands out the chunks; how many.
fn read(mut input: Chunks<impl Read>, workers: &[SyncSender<Result<Chunk, Failure>>]) -> usize {
    let mut sent = 0_usize;
    for worker in workers.iter().cycle() {
        let chunk = match input.next() {
            Ok(Some(chunk)) => Ok(chunk),
            Ok(None) => break,
            Err(error) => Err(Failure::Read(error)),
        };
        let failed = chunk.is_err();
        if worker.send(chunk).is_err() || failed {
            break;
        }
        sent = sent.saturating_add(1);
    }
    sent
}

fn start(mut engine: WhatIfEngine, write: bool) -> Result<Worker, Problem> {
    let (chunks, from) = sync_channel::<Result<Chunk, Failure>>(WAITING);
    let (to, batches) = sync_channel(WAITING);
    let work = move || {
        for chunk in from {
            let batch = chunk.and_then(|chunk| {
                let batch = engine.evaluate(&chunk.bytes, chunk.first_line, write);
                batch.map_err(Failure::Engine)
            });
            let failed = batch.is_err();
            if to.send(batch).is_err() || failed {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("what-if".to_owned())
        .spawn(work)
        .map_err(no_thread)?;
    Ok(Worker { chunks, batches })
}
