//! What all listeners share: the engines in force, what is known, keys, transmitters, and who is told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use cae_core::decision::Request;
use cae_core::engine::{AcceptedEvent, Detail, EventReading, RejectedEvent, Verdict};
use cae_core::time::UnixTime;

use super::client::Client;
use super::decision_log::{DecisionLog, Line};
use super::engines::{Decision, Engines, Identity, Prove};
use super::keys::Keys;
use super::metrics::Metrics;
use super::proof::Proofs;
use super::settings::Settings;
use super::store::{Kept, NotKept, Store};
use super::watched::Watched;
use crate::clock;
use crate::entra::tenant::Tenant;

/// How long a transmitter's SET may wait for its key.
const KEY_WAIT: Duration = Duration::from_secs(5);

/// The service.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) settings: ArcSwap<Settings>,
    pub(crate) engines: ArcSwap<Engines>,
    pub(crate) store: Store,
    pub(crate) keys: ArcSwapOption<Keys>,
    pub(crate) transmitters: ArcSwap<Vec<Arc<Watched>>>,
    pub(crate) metrics: Metrics,
    pub(crate) proofs: Proofs,
    pub(crate) log: ArcSwapOption<DecisionLog>,
    pub(crate) stopping: AtomicBool,
    pub(crate) client: ArcSwap<Client>,
    pub(crate) loaded: Mutex<Loaded>,
    pub(crate) turn: AtomicU64,
    /// The tenant that is read.
    pub(crate) entra: ArcSwapOption<Tenant>,
}

/// How the configuration in force came about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) at: u64,
    /// What is wrong with the files as they are now.
    pub(crate) faults: Vec<String>,
    pub(crate) reloads: u64,
    pub(crate) failed_reloads: u64,
}

/// What a request came to.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) verdict: Verdict,
    pub(crate) identity: Option<Arc<Identity>>,
    pub(crate) session_controls: Vec<String>,
}

/// What became of a SET.
#[derive(Debug)]
pub(crate) enum Received {
    Kept,
    Rejected(RejectedEvent),
    /// It could not be kept: it has to come again.
    Unavailable,
}

impl Service {
    /// Decides a request, stores what has to be remembered, counts and writes it down.
    pub(crate) async fn decide(
        &self,
        token: &str,
        request: &Request<'_>,
        prove: Prove<'_>,
        detail: Detail,
    ) -> Decided {
        let began = Instant::now();
        let mut fetched = false;
        let (verdict, identity, session_controls) = loop {
            match self.decide_now(token, request, prove, fetched, detail) {
                Decision::Made {
                    verdict,
                    identity,
                    session_controls,
                } => break (verdict, identity, session_controls),
                Decision::Key(issuer) => {
                    let patience = self.settings.load().authorization.key_wait;
                    if let Some(keys) = self.keys.load_full() {
                        keys.want(&issuer, patience).await;
                    }
                    fetched = true;
                }
            }
        };
        if !verdict.changes.is_empty() {
            self.store.remember(verdict.changes.clone()).await;
        }
        self.metrics.decided(&verdict, began.elapsed());
        if let Some(log) = &*self.log.load() {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            log.write(&Line {
                verdict: &verdict,
                identity: identity.as_deref(),
                address: request.client_ip,
                path: request.path,
                now: request.now,
                turn,
            });
        }
        Decided {
            verdict,
            identity,
            session_controls,
        }
    }

    fn decide_now(
        &self,
        token: &str,
        request: &Request<'_>,
        prove: Prove<'_>,
        key_is_unknown: bool,
        detail: Detail,
    ) -> Decision {
        let engines = self.engines.load();
        let decide = |request: &Request<'_>| {
            self.store
                .read(|state| engines.decide(token, request, state, prove, key_is_unknown, detail))
        };
        if !engines.reads_signal_age() && detail == Detail::None || !request.signal_age.is_empty() {
            return decide(request);
        }
        let transmitters = self.transmitters.load();
        let age = |it: &'_ Arc<Watched>| (it.settings.issuer.clone(), it.age(request.now));
        let ages: Vec<(String, u64)> = transmitters.iter().map(age).collect();
        let signal_age: Vec<(&str, u64)> =
            ages.iter().map(|(it, age)| (it.as_str(), *age)).collect();
        decide(&Request {
            signal_age: &signal_age,
            ..*request
        })
    }

    /// Takes a SET that a transmitter sent.
    pub(crate) async fn receive(&self, from: Option<&Watched>, set: &str) -> Received {
        let now = clock::now();
        let mut fetched = false;
        let event = loop {
            match self.read(from, set, now, fetched) {
                Reading::Event(event) => break event,
                Reading::Rejected(event) => return self.rejected(from, event, now),
                Reading::Failed => return Received::Unavailable,
                Reading::Key(issuer) => {
                    if let Some(keys) = self.keys.load_full() {
                        keys.want(&issuer, KEY_WAIT).await;
                    }
                    fetched = true;
                }
            }
        };
        let transmitter = event.transmitter.clone();
        match self.store.keep(event, now).await {
            Ok(kept) => {
                self.metrics.event(&transmitter, kept_word(kept));
                Received::Kept
            }
            Err(_) => {
                self.metrics.event(&transmitter, "unavailable");
                Received::Unavailable
            }
        }
    }

    /// Reads a SET that was fetched.
    ///
    /// # Errors
    /// What is wrong with it; nothing if the engine gave no answer.
    pub(crate) fn read_polled(
        &self,
        from: &Watched,
        set: &str,
        now: UnixTime,
    ) -> Result<AcceptedEvent, Option<RejectedEvent>> {
        let mut fetched = false;
        loop {
            match self.read(Some(from), set, now, fetched) {
                Reading::Event(event) => return Ok(event),
                Reading::Rejected(event) => {
                    self.rejected(Some(from), event.clone(), now);
                    return Err(Some(event));
                }
                Reading::Failed => return Err(None),
                Reading::Key(issuer) => {
                    if let Some(keys) = self.keys.load_full() {
                        keys.want_blocking(&issuer, KEY_WAIT);
                    }
                    fetched = true;
                }
            }
        }
    }

    /// Keeps SETs that were fetched.
    pub(crate) fn keep_polled(
        &self,
        from: &Watched,
        events: Vec<AcceptedEvent>,
        now: UnixTime,
    ) -> Vec<Result<Kept, NotKept>> {
        let kept = self.store.keep_all(events, now);
        for kept in &kept {
            let word = kept.as_ref().map_or("unavailable", |kept| kept_word(*kept));
            self.metrics.event(&from.settings.issuer, word);
        }
        kept
    }

    fn read(&self, from: Option<&Watched>, set: &str, now: UnixTime, fetched: bool) -> Reading {
        let reading = self.engines.load().read_event(set, now, fetched);
        let event = match reading {
            Ok(EventReading::Accepted(event)) => event,
            Ok(EventReading::Rejected(event)) => return Reading::Rejected(event),
            Ok(EventReading::NeedsKey(need)) => return Reading::Key(need.issuer),
            Ok(EventReading::NeedsSignature(_)) | Err(_) => return Reading::Failed,
        };
        if let Some(from) = from {
            // SPEC: `ssf.md` §1.2 row 3: a configured transmitter for this endpoint.
            if event.transmitter != from.settings.issuer {
                return Reading::Rejected(RejectedEvent {
                    code: "invalid_issuer",
                    description: "another transmitter sends to this endpoint".to_owned(),
                    json: String::new(),
                });
            }
            if let Err(rejected) = from.observe(&event, now) {
                return Reading::Rejected(rejected);
            }
        } else if let Some(watched) = self.watched(&event.transmitter) {
            watched.is_alive(now);
        }
        Reading::Event(event)
    }

    fn rejected(&self, from: Option<&Watched>, event: RejectedEvent, now: UnixTime) -> Received {
        let issuer = from.map(|from| from.settings.issuer.as_str());
        self.metrics.event(issuer.unwrap_or("unknown"), "rejected");
        self.store.note_rejected(issuer, event.clone(), now);
        Received::Rejected(event)
    }

    /// A transmitter by its issuer URL.
    fn watched(&self, issuer: &str) -> Option<Arc<Watched>> {
        let transmitters = self.transmitters.load();
        transmitters
            .iter()
            .find(|it| it.settings.issuer == issuer)
            .cloned()
    }

    /// A transmitter by its name.
    pub(crate) fn named(&self, name: &str) -> Option<Arc<Watched>> {
        let transmitters = self.transmitters.load();
        transmitters
            .iter()
            .find(|it| it.settings.name == name)
            .cloned()
    }

    pub(crate) fn client(&self) -> Client {
        Client::clone(&self.client.load())
    }

    pub(crate) fn loaded(&self) -> Loaded {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.clone()
    }

    /// One line for the operator.
    pub(crate) fn tell(&self, what: &str) {
        super::tell("warning", what);
    }

    /// Ages of the signals, by name.
    pub(crate) fn signal_ages(&self, now: UnixTime) -> BTreeMap<String, u64> {
        let transmitters = self.transmitters.load();
        let age = |it: &Arc<Watched>| (it.settings.name.clone(), it.age(now));
        transmitters.iter().map(age).collect()
    }
}

enum Reading {
    Event(AcceptedEvent),
    Rejected(RejectedEvent),
    Key(String),
    Failed,
}

const fn kept_word(kept: Kept) -> &'static str {
    match kept {
        Kept::Applied => "applied",
        Kept::Held => "held",
        Kept::Repeated => "repeated",
    }
}
