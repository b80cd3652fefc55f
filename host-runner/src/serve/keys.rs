//! Keys of issuers and transmitters: fetched from their `jwksUri`, kept, and fetched again in time.
//!
//! Each source has a thread. A token with an unknown key id makes it fetch at once, but never more often than every
//! half minute, whatever is sent; what was fetched last stays until something better comes, also over a restart.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cae_core::configuration::Configuration;
use tokio::sync::watch;

use super::client::{Client, PATIENCE};
use ureq::http::{Method, StatusCode};

/// The shortest time between two fetches that unknown key ids ask for.
const GAP: Duration = Duration::from_secs(30);
/// How long fetched keys are used without a look whether there are others.
const FRESH: Duration = Duration::from_secs(3_600);
/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What happens to fetched keys.
pub(crate) type Took = Arc<dyn Fn(&str, &str) -> Result<(), String> + Send + Sync>;

/// All sources.
#[derive(Debug, Default)]
pub(crate) struct Keys(Vec<Arc<Source>>);

#[derive(Debug)]
struct Source {
    issuer: String,
    uri: String,
    state: Mutex<State>,
    wake: Condvar,
    /// How many fetches have ended.
    ended: watch::Sender<u64>,
    stopped: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    jwks: Option<String>,
    wanted: bool,
    /// When somebody needed a key that was not there.
    asked: Option<Instant>,
    /// When the last fetch ended.
    tried: Option<Instant>,
    failure: Option<String>,
    failures: u32,
}

/// How one source is.
#[derive(Clone, Debug)]
pub(crate) struct KeyHealth {
    pub(crate) issuer: String,
    pub(crate) has_keys: bool,
    pub(crate) failure: Option<String>,
}

impl Keys {
    /// Starts fetching for every issuer and transmitter with a `jwksUri`. `kept` are the keys of an earlier time.
    pub(crate) fn start(
        configuration: &Configuration,
        client: &Client,
        kept: &[(String, String)],
        took: &Took,
    ) -> std::io::Result<Self> {
        let issuers = configuration
            .issuers
            .iter()
            .map(|it| (&it.issuer, &it.jwks_uri));
        let transmitters = configuration
            .transmitters
            .iter()
            .map(|it| (&it.issuer, &it.jwks_uri));
        let mut sources: Vec<Arc<Source>> = Vec::new();
        for (issuer, uri) in issuers.chain(transmitters) {
            let Some(uri) = uri else { continue };
            if sources.iter().any(|source| source.issuer == *issuer) {
                continue;
            }
            let kept = kept.iter().find(|(known, _)| known == issuer);
            let source = Arc::new(Source {
                issuer: issuer.clone(),
                uri: uri.clone(),
                state: Mutex::new(State {
                    jwks: kept.map(|(_, jwks)| jwks.clone()),
                    wanted: true,
                    ..State::default()
                }),
                wake: Condvar::new(),
                ended: watch::Sender::new(0),
                stopped: AtomicBool::new(false),
            });
            if let Some((issuer, jwks)) = kept {
                // Keys that do not fit any more are fetched anew, which says what is wrong.
                let _ = took(issuer, jwks);
            }
            let (fetching, client, took) = (Arc::clone(&source), client.clone(), Arc::clone(took));
            thread::Builder::new()
                .name("keys".to_owned())
                .spawn(move || fetching.run(&client, &took))?;
            sources.push(source);
        }
        Ok(Self(sources))
    }

    /// Asks for the keys of an issuer, and waits for them for a while. Says whether a fetch ended in that time.
    pub(crate) async fn want(&self, issuer: &str, patience: Duration) -> bool {
        let Some(source) = self.0.iter().find(|source| source.issuer == issuer) else {
            return false;
        };
        let mut ended = source.ended.subscribe();
        if !source.lock().is_wanted() {
            return false;
        }
        source.wake.notify_one();
        tokio::time::timeout(patience, ended.changed())
            .await
            .is_ok()
    }

    /// The same for a thread that may wait.
    pub(crate) fn want_blocking(&self, issuer: &str, patience: Duration) -> bool {
        let Some(source) = self.0.iter().find(|source| source.issuer == issuer) else {
            return false;
        };
        let before = *source.ended.borrow();
        let deadline = Instant::now().checked_add(patience);
        if !source.lock().is_wanted() {
            return false;
        }
        source.wake.notify_one();
        while deadline.is_some_and(|deadline| Instant::now() < deadline) {
            if *source.ended.borrow() != before {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// What was fetched last.
    pub(crate) fn current(&self) -> Vec<(String, String)> {
        let keys =
            |source: &Arc<Source>| Some((source.issuer.clone(), source.lock().jwks.clone()?));
        self.0.iter().filter_map(keys).collect()
    }

    /// How the sources are.
    pub(crate) fn health(&self) -> Vec<KeyHealth> {
        let health = |source: &Arc<Source>| {
            let state = source.lock();
            KeyHealth {
                issuer: source.issuer.clone(),
                has_keys: state.jwks.is_some(),
                failure: state.failure.clone(),
            }
        };
        self.0.iter().map(health).collect()
    }

    /// Ends all threads.
    pub(crate) fn stop(&self) {
        for source in &self.0 {
            source.stopped.store(true, Ordering::Relaxed);
            source.wake.notify_one();
        }
    }
}

impl Source {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, client: &Client, took: &Took) {
        loop {
            let mut state = self.lock();
            while !self.stopped.load(Ordering::Relaxed) {
                let pause = state.pause();
                if state.wanted || pause.is_zero() {
                    break;
                }
                let waited = self.wake.wait_timeout(state, pause);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            if self.stopped.load(Ordering::Relaxed) {
                return;
            }
            drop(state);
            let fetched = self.fetch(client).and_then(|jwks| {
                took(&self.issuer, &jwks)?;
                Ok(jwks)
            });
            let mut state = self.lock();
            state.tried = Some(Instant::now());
            state.wanted = false;
            match fetched {
                Ok(jwks) => {
                    state.jwks = Some(jwks);
                    state.failure = None;
                    state.failures = 0;
                }
                Err(failure) => {
                    state.failure = Some(failure);
                    state.failures = state.failures.saturating_add(1);
                }
            }
            drop(state);
            self.ended
                .send_modify(|ended| *ended = ended.wrapping_add(1));
        }
    }

    fn fetch(&self, client: &Client) -> Result<String, String> {
        let reply = client
            .send(Method::GET, &self.uri, None, None, PATIENCE)
            .map_err(|error| error.to_string())?;
        if reply.status != StatusCode::OK {
            return Err(format!("answers {}", reply.status.as_u16()));
        }
        reply.json().ok_or("answers no JSON")?;
        String::from_utf8(reply.body).map_err(|_| "answers no text".to_owned())
    }
}

impl State {
    /// Notes that somebody needs the keys, unless somebody needed them a moment ago; says whether they are on their way.
    fn is_wanted(&mut self) -> bool {
        if self.wanted {
            return true;
        }
        if self.asked.is_some_and(|asked| asked.elapsed() < GAP) {
            return false;
        }
        self.asked = Some(Instant::now());
        self.wanted = true;
        true
    }

    /// How long until the next fetch that nobody asks for.
    fn pause(&self) -> Duration {
        let Some(tried) = self.tried else {
            return Duration::ZERO;
        };
        let pause = match self.failures {
            0 => FRESH,
            failures => {
                let seconds = 2_u64.saturating_pow(failures.min(16));
                Duration::from_secs(seconds).min(LONGEST_PAUSE)
            }
        };
        pause.saturating_sub(tried.elapsed())
    }
}
