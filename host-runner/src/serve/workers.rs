//! Threads that answer requests, each with a runtime of its own.
//!
//! A decision takes microseconds, and waking another thread as long again: what arrives on a connection is answered by
//! the thread that the connection was given to, and by no other.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::watch;

/// Threads to give connections to.
#[derive(Debug)]
pub(crate) struct Workers {
    first: Worker,
    others: Box<[Worker]>,
    /// Whoever drops it ends them all.
    _running: watch::Sender<()>,
}

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    /// Held once by every connection that the worker has.
    connections: Arc<()>,
}

impl Workers {
    /// Starts so many threads.
    ///
    /// # Errors
    /// The system gives none.
    pub(crate) fn start(name: &str, number: usize) -> io::Result<Self> {
        let (running, ended) = watch::channel(());
        let start = || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let handle = runtime.handle().clone();
            let mut ended = ended.clone();
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || {
                    // Nothing is ever sent: it changes when the other end is gone.
                    let _ = runtime.block_on(ended.changed());
                    runtime.shutdown_timeout(Duration::ZERO);
                })?;
            Ok(Worker {
                runtime: handle,
                connections: Arc::new(()),
            })
        };
        let first = start()?;
        let others: io::Result<Box<[_]>> = (1..number).map(|_| start()).collect();
        Ok(Self {
            first,
            others: others?,
            _running: running,
        })
    }

    /// The runtime of the first thread.
    pub(crate) const fn first(&self) -> &Handle {
        &self.first.runtime
    }

    /// Gives a connection to the thread that has the fewest.
    pub(crate) fn give(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let held = |worker: &Worker| Arc::strong_count(&worker.connections);
        let fewer = |a, b| if held(b) < held(a) { b } else { a };
        let worker = self.others.iter().fold(&self.first, fewer);
        let connections = Arc::clone(&worker.connections);
        worker.runtime.spawn(async move {
            connection.await;
            drop(connections);
        });
    }
}
