//! One transmitter: its stream is found or made, polled or waited for, and looked after.
//!
//! Each has a thread of its own, so that a slow one keeps nobody else waiting. What fails is tried again, later and
//! later, with a random part so that not everybody comes back at once.

mod chores;

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use self::chores::Chores;
use super::secret;
use super::service::Service;
use super::settings::Delivery;
use super::ssf::{Metadata, Peer, Poll, SsfError, Stream};
use super::store::NotKept;
use super::watched::Watched;
use crate::clock;
use crate::component::random;
use crate::entra::schedule::pause;

/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A stop that sleepers hear.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    stopped: Mutex<bool>,
    wake: Condvar,
}

impl Stop {
    pub(crate) fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.wake.notify_all();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits; says whether to stop.
    pub(crate) fn sleep(&self, time: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .wake
            .wait_timeout_while(stopped, time, |stopped| !*stopped);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The thread of one transmitter.
pub(crate) struct Receiver {
    pub(crate) service: Arc<Service>,
    pub(crate) watched: Arc<Watched>,
    pub(crate) stop: Arc<Stop>,
}

impl Receiver {
    /// Starts the thread, if there is anything for it to do.
    pub(crate) fn start(self) -> std::io::Result<()> {
        let settings = &self.watched.settings;
        let polls = matches!(settings.delivery, Delivery::Poll { .. });
        if !polls && !settings.manage && settings.verify_every.is_none() {
            return Ok(());
        }
        let name = format!("stream:{}", settings.name);
        thread::Builder::new()
            .name(name)
            .spawn(move || self.run())
            .map(drop)
    }

    fn run(&self) {
        let mut failures = 0_u32;
        while !self.stop.is_stopped() {
            let began = Instant::now();
            let Err(error) = self.follow(&mut failures) else {
                return;
            };
            // What went well for a while is no series of failures.
            if began.elapsed() > LONGEST_PAUSE {
                failures = 0;
            }
            if self.wait_after(&error, &mut failures) {
                return;
            }
        }
    }

    /// Tells what went wrong and waits, the longer the more often it did, and as long as the transmitter asks for. Says whether
    /// to stop.
    fn wait_after(&self, error: &SsfError, failures: &mut u32) -> bool {
        *failures = failures.saturating_add(1);
        self.watched.lock().problem = Some(error.to_string());
        self.service
            .tell(&format!("{}: {error}", self.watched.settings.name));
        let asked = match error {
            SsfError::Status(_, after) => after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        self.stop.sleep(pause(*failures, random()).max(asked))
    }

    /// Follows the stream until the service stops or something fails.
    fn follow(&self, failures: &mut u32) -> Result<(), SsfError> {
        let client = self.service.client();
        let settings = &self.watched.settings;
        let mut peer = Peer::new(&client, settings);
        let needs_metadata = settings.manage || settings.verify_every.is_some();
        let metadata = if needs_metadata {
            peer.discover()?
        } else {
            Metadata::default()
        };
        let stream = if settings.manage {
            Some(self.find_or_create(&mut peer, &metadata)?)
        } else {
            None
        };
        if let Some(stream) = &stream {
            self.watched.lock().stream = Some(stream.id.clone());
            self.revive(&mut peer, &metadata, stream)?;
            if settings.subjects.is_empty() && metadata.default_subjects.as_deref() == Some("NONE")
            {
                self.service.tell(&format!(
                    "{}: it sends events only about subjects that were added to the stream: add them there, or as `subjects`",
                    settings.name
                ));
            }
        }
        self.watched.lock().problem = None;
        let mut chores = Chores::new(metadata, stream, settings);
        match &settings.delivery {
            Delivery::Poll {
                uri,
                interval,
                most,
            } => {
                let endpoint = chores.stream().and_then(|stream| stream.endpoint.clone());
                let endpoint = uri.clone().or(endpoint).ok_or_else(|| {
                    SsfError::Answer("the stream names no `endpoint_url` to poll".to_owned())
                })?;
                self.poll(
                    &mut peer,
                    &endpoint,
                    (*interval, *most),
                    &mut chores,
                    failures,
                )
            }
            Delivery::Push { .. } => loop {
                self.do_chores(&mut peer, &mut chores);
                if self.stop.sleep(chores.wait().min(Duration::from_secs(60))) {
                    return Ok(());
                }
                *failures = 0;
            },
        }
    }

    /// The stream that is there already, or a new one. Who made it does not matter.
    fn find_or_create(&self, peer: &mut Peer<'_>, metadata: &Metadata) -> Result<Stream, SsfError> {
        let token = match &self.watched.settings.delivery {
            Delivery::Push {
                token: Some(file), ..
            } => Some(secret(file).map_err(SsfError::Unreachable)?),
            _ => None,
        };
        let mut streams = peer.streams(metadata)?;
        if streams.is_empty() {
            match peer.create(metadata, token.as_deref()) {
                Ok(stream) => return Ok(stream),
                // Somebody was faster, or the transmitter allows one and hides it from the list.
                Err(SsfError::Status(409, _)) => streams = peer.streams(metadata)?,
                Err(error) => return Err(error),
            }
        }
        let position = streams
            .iter()
            .position(|stream| peer.fits(stream))
            .unwrap_or(0);
        if position >= streams.len() {
            return Err(SsfError::Answer(
                "the transmitter says that there is a stream, and shows none".to_owned(),
            ));
        }
        let stream = streams.swap_remove(position);
        if peer.fits(&stream) {
            return Ok(stream);
        }
        peer.update(metadata, &stream, token.as_deref())
    }

    /// A stream that was paused because nobody came gets going again.
    fn revive(
        &self,
        peer: &mut Peer<'_>,
        metadata: &Metadata,
        stream: &Stream,
    ) -> Result<(), SsfError> {
        if metadata.status_endpoint.is_none() {
            return Ok(());
        }
        let (mut status, _) = peer.status(metadata, &stream.id)?;
        if status == "paused" {
            // Who paused it may not want it back: then it stays so, and signals are stale.
            if let Ok((now, _)) = peer.set_status(metadata, &stream.id, "enabled") {
                status = now;
            }
        }
        self.watched.lock().status = Some(status);
        Ok(())
    }

    fn poll(
        &self,
        peer: &mut Peer<'_>,
        endpoint: &str,
        (interval, most): (Duration, u64),
        chores: &mut Chores,
        failures: &mut u32,
    ) -> Result<(), SsfError> {
        let mut acknowledged: Vec<String> = Vec::new();
        let mut rejected: Vec<(String, &'static str, String)> = Vec::new();
        while !self.stop.is_stopped() {
            self.do_chores(peer, chores);
            let began = Instant::now();
            let answer = peer.poll(
                endpoint,
                &Poll {
                    most,
                    // What is due soon would otherwise wait for the end of the long poll.
                    at_once: chores.wait() < Duration::from_secs(30),
                    acknowledged: &acknowledged,
                    rejected: &rejected,
                },
            );
            let polled = match answer {
                // Too often, or not now: the stream is the same as before.
                Err(error @ SsfError::Status(429 | 503, _)) => {
                    if self.wait_after(&error, failures) {
                        break;
                    }
                    continue;
                }
                answer => answer?,
            };
            *failures = 0;
            acknowledged.clear();
            rejected.clear();
            self.watched.is_alive(clock::now());
            self.watched.lock().problem = chores.problem();
            let kept_all = self.take(polled, &mut acknowledged, &mut rejected);
            // An answer that came at once, without anything of use, says that this transmitter does not keep a poll open,
            // whatever it says of `moreAvailable`. After an event there may be more, so that is not read at all.
            let waits = acknowledged.is_empty() && began.elapsed() < Duration::from_secs(1);
            let pause = if kept_all {
                interval
            } else {
                interval.max(Duration::from_secs(5))
            };
            if (waits || !kept_all) && self.stop.sleep(pause) {
                break;
            }
        }
        if !acknowledged.is_empty() || !rejected.is_empty() {
            let last = Poll {
                most: 0,
                at_once: true,
                acknowledged: &acknowledged,
                rejected: &rejected,
            };
            peer.poll(endpoint, &last)?;
        }
        Ok(())
    }

    /// Stores SETs and says which to acknowledge and which to report; whether all of them could be stored.
    fn take(
        &self,
        sets: Vec<(String, String)>,
        acknowledged: &mut Vec<String>,
        rejected: &mut Vec<(String, &'static str, String)>,
    ) -> bool {
        let now = clock::now();
        let (mut names, mut events) = (Vec::new(), Vec::new());
        for (name, set) in sets {
            match self.service.read_polled(&self.watched, &set, now) {
                Ok(event) if event.jti == name => {
                    names.push(name);
                    events.push(event);
                }
                Ok(_) => {
                    let what = "the SET has another `jti` than its name in `sets`".to_owned();
                    rejected.push((name, "invalid_request", what));
                }
                Err(Some(event)) => rejected.push((name, event.code, event.description)),
                // No answer from the engine: it comes again.
                Err(None) => {}
            }
        }
        let mut kept_all = true;
        let kept = self.service.keep_polled(&self.watched, events, now);
        for (name, kept) in names.into_iter().zip(kept) {
            match kept {
                Ok(_) => acknowledged.push(name),
                Err(NotKept::Busy | NotKept::Failing) => kept_all = false,
            }
        }
        kept_all
    }
}
