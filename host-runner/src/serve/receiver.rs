//! One transmitter: its stream is found or made, polled or waited for, verified, and watched.
//!
//! Each has a thread of its own, so that a slow one keeps nobody else waiting. What fails is tried again, later and
//! later, with a random part so that not everybody comes back at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cae_core::engine::{AcceptedEvent, RejectedEvent};
use cae_core::json::Value;
use cae_core::time::UnixTime;

use super::secret;
use super::service::Service;
use super::settings::{Delivery, Transmitter};
use super::ssf::{Metadata, Peer, Poll, SsfError, Stream};
use super::store::NotKept;
use crate::clock;
use crate::component::random;
use crate::text::{elements, member, word};

/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// When a verification is asked for again that was refused.
const ASK_AGAIN: Duration = Duration::from_secs(60);
/// Verification events that are still waited for.
const EXPECTED: usize = 8;

/// What is known about one transmitter, for decisions and for operators.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) settings: Transmitter,
    /// The last sign of life, in seconds since the epoch; 0 is none.
    alive: AtomicU64,
    state: Mutex<Condition>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Condition {
    pub(crate) stream: Option<String>,
    /// As the transmitter says: `enabled`, `paused`, `disabled`.
    pub(crate) status: Option<String>,
    /// Why the last attempt failed.
    pub(crate) problem: Option<String>,
    expected: Vec<String>,
}

impl Watched {
    pub(crate) fn new(settings: Transmitter, alive: u64) -> Self {
        Self {
            settings,
            alive: AtomicU64::new(alive),
            state: Mutex::default(),
        }
    }

    /// How long ago the last sign of life was, in seconds. A stream that is paused or disabled is as old as can be.
    pub(crate) fn age(&self, now: UnixTime) -> u64 {
        if self.is_halted() {
            return NEVER;
        }
        match self.alive.load(Ordering::Relaxed) {
            0 => NEVER,
            alive => now.as_secs().saturating_sub(alive),
        }
    }

    /// Whether the transmitter said that it sends nothing.
    pub(crate) fn is_halted(&self) -> bool {
        matches!(self.lock().status.as_deref(), Some("paused" | "disabled"))
    }

    pub(crate) fn alive(&self) -> u64 {
        self.alive.load(Ordering::Relaxed)
    }

    pub(crate) fn condition(&self) -> Condition {
        self.lock().clone()
    }

    pub(crate) fn is_alive(&self, now: UnixTime) {
        self.alive.fetch_max(now.as_secs(), Ordering::Relaxed);
    }

    /// Looks at an accepted event: it is a sign of life, and may say something about the stream itself.
    ///
    /// # Errors
    /// It answers a verification that nobody asked for (SSF §8.1.4.1).
    pub(crate) fn observe(
        &self,
        event: &AcceptedEvent,
        now: UnixTime,
    ) -> Result<(), RejectedEvent> {
        // Most events say nothing about the stream.
        if event.json.contains("/event-type/verification") || event.json.contains("stream-updated")
        {
            let reading: Value = serde_json::from_str(&event.json).unwrap_or_default();
            let mut types = elements(&reading, "eventTypes").filter_map(Value::as_str);
            let body = member(&reading, "event");
            match types.next() {
                Some(uri) if uri.ends_with("/event-type/verification") => {
                    self.verified(word(body, "state"))?;
                }
                Some(uri) if uri.ends_with("/event-type/stream-updated") => {
                    self.lock().status = word(body, "status").map(str::to_owned);
                }
                _ => {}
            }
        }
        self.is_alive(now);
        Ok(())
    }

    fn verified(&self, state: Option<&str>) -> Result<(), RejectedEvent> {
        // Without one it is unsolicited, which the transmitter may do.
        let Some(state) = state else { return Ok(()) };
        let mut condition = self.lock();
        let Some(position) = condition.expected.iter().position(|it| it == state) else {
            return Err(RejectedEvent {
                code: "invalid_state",
                description: "nobody asked for a verification with this `state`".to_owned(),
                json: String::new(),
            });
        };
        condition.expected.drain(..=position);
        Ok(())
    }

    fn expect(&self, state: &str) {
        let mut condition = self.lock();
        if condition.expected.len() >= EXPECTED {
            condition.expected.remove(0);
        }
        condition.expected.push(state.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, Condition> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Older than any bound.
const NEVER: u64 = u64::MAX >> 1;

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
            failures = failures.saturating_add(1);
            self.watched.lock().problem = Some(error.to_string());
            self.service
                .tell(&format!("{}: {error}", self.watched.settings.name));
            let asked = match error {
                SsfError::Status(_, after) => after,
                _ => None,
            };
            if self
                .stop
                .sleep(pause(failures).max(asked.unwrap_or_default()))
            {
                return;
            }
        }
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
            self.add_subjects(&mut peer, &metadata, stream)?;
        }
        self.watched.lock().problem = None;
        let mut verification = Verification::new(settings, stream.as_ref());
        match &settings.delivery {
            Delivery::Poll {
                uri,
                interval,
                most,
            } => {
                let endpoint = stream.as_ref().and_then(|stream| stream.endpoint.clone());
                let endpoint = uri.clone().or(endpoint).ok_or_else(|| {
                    SsfError::Answer("the stream names no `endpoint_url` to poll".to_owned())
                })?;
                self.poll(
                    &mut peer,
                    &metadata,
                    &endpoint,
                    (*interval, *most),
                    &mut verification,
                    failures,
                )
            }
            Delivery::Push { .. } => loop {
                let wait = verification.wait();
                if self.stop.sleep(wait.min(Duration::from_secs(60))) {
                    return Ok(());
                }
                self.verify(&mut peer, &metadata, &mut verification);
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

    /// Asks for events about the subjects that are configured; a transmitter may send none about anybody else.
    fn add_subjects(
        &self,
        peer: &mut Peer<'_>,
        metadata: &Metadata,
        stream: &Stream,
    ) -> Result<(), SsfError> {
        let Transmitter { name, subjects, .. } = &self.watched.settings;
        if subjects.is_empty() && metadata.default_subjects.as_deref() == Some("NONE") {
            self.service.tell(&format!(
                "{name}: it sends events only about subjects that were added to the stream: add them there, or as `subjects`"
            ));
        }
        for (position, subject) in subjects.iter().enumerate() {
            match peer.add_subject(metadata, &stream.id, subject) {
                Ok(()) => {}
                // Not known there, or not allowed: that is no reason to go without the others.
                Err(error @ SsfError::Status(400 | 403 | 404, _)) => {
                    self.service
                        .tell(&format!("{name}: `subjects`, number {position}: {error}"));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn poll(
        &self,
        peer: &mut Peer<'_>,
        metadata: &Metadata,
        endpoint: &str,
        (interval, most): (Duration, u64),
        verification: &mut Verification,
        failures: &mut u32,
    ) -> Result<(), SsfError> {
        let mut acknowledged: Vec<String> = Vec::new();
        let mut rejected: Vec<(String, &'static str, String)> = Vec::new();
        while !self.stop.is_stopped() {
            self.verify(peer, metadata, verification);
            let began = Instant::now();
            let polled = peer.poll(
                endpoint,
                &Poll {
                    most,
                    // A verification that is due soon would otherwise wait for the end of the long poll.
                    at_once: verification.wait() < Duration::from_secs(30),
                    acknowledged: &acknowledged,
                    rejected: &rejected,
                },
            )?;
            *failures = 0;
            acknowledged.clear();
            rejected.clear();
            self.watched.is_alive(clock::now());
            self.watched.lock().problem = verification.problem.clone();
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

/// Twice as long each time, up to five minutes, of which the last half is random.
fn pause(failures: u32) -> Duration {
    let whole = Duration::from_secs(2_u64.saturating_pow(failures.min(16))).min(LONGEST_PAUSE);
    let half = whole.checked_div(2).unwrap_or(whole);
    let millis = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).max(1);
    half.saturating_add(Duration::from_millis(
        random().checked_rem(millis).unwrap_or(0),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        for failures in 1..40 {
            let pause = pause(failures);
            assert!(
                pause >= Duration::from_secs(1) && pause <= LONGEST_PAUSE,
                "{failures}: {pause:?}"
            );
        }
        assert!(pause(20) >= LONGEST_PAUSE / 2);
    }

    #[test]
    fn a_verification_that_nobody_asked_for_is_rejected() {
        let settings = Transmitter {
            name: "t".to_owned(),
            issuer: "https://t.example".to_owned(),
            delivery: Delivery::Push {
                token: None,
                uri: None,
            },
            metadata: None,
            credentials: None,
            manage: false,
            events_requested: Vec::new(),
            subjects: Vec::new(),
            verify_every: None,
        };
        let watched = Watched::new(settings, 0);
        let now = UnixTime::from_secs(1_000);
        let event = |uri: &str, body: &str| AcceptedEvent {
            transmitter: "https://t.example".to_owned(),
            jti: "1".to_owned(),
            changes: Vec::new(),
            json: format!(
                r#"{{"eventTypes":["https://schemas.openid.net/secevent/ssf/event-type/{uri}"],"event":{body}}}"#
            ),
        };
        assert_eq!(watched.age(now), NEVER);
        assert!(
            watched
                .observe(&event("verification", r#"{"state":"a"}"#), now)
                .is_err()
        );
        assert_eq!(watched.age(now), NEVER, "no sign of life");
        watched.expect("a");
        watched
            .observe(&event("verification", r#"{"state":"a"}"#), now)
            .unwrap();
        assert!(
            watched
                .observe(&event("verification", r#"{"state":"a"}"#), now)
                .is_err(),
            "once"
        );
        watched.observe(&event("verification", "{}"), now).unwrap();
        assert_eq!(watched.age(UnixTime::from_secs(1_007)), 7);
        watched
            .observe(&event("stream-updated", r#"{"status":"paused"}"#), now)
            .unwrap();
        assert_eq!(watched.age(now), NEVER);
        watched
            .observe(&event("stream-updated", r#"{"status":"enabled"}"#), now)
            .unwrap();
        assert_eq!(watched.age(now), 0);
    }
}
