//! One worker's engine: an instance that is made again when a call fails.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;

use cae_core::decision::{Answers, Request};
use cae_core::engine::{
    Begun, Conversation, Decided, Detail, EventQuestion, EventReading, Handle, SignatureAnswer,
};
use cae_core::time::UnixTime;
use wasmtime::Store;
use wasmtime::component::ResourceAny;

use super::bindings::exports::cae::engine::conversation::{self as wit, GuestEngine};
use super::{EngineComponent, EngineError, Guest, Instance, Time, convert};

/// The engine in wasmtime. Belongs to one thread.
pub struct WasmEngine {
    component: Arc<EngineComponent>,
    configuration: String,
    /// Key sets that were handed over since the configuration, for the next instance.
    keys: BTreeMap<String, String>,
    /// Boxed: it is taken out for every call, so that a call that fails leaves none behind.
    running: Option<Box<Running>>,
    /// Whether the configuration asks for the path of requests.
    reads_path: bool,
    /// Room for the records of one call, kept for the next one.
    records: Vec<u8>,
}

struct Running {
    instance: Instance,
    engine: ResourceAny,
    /// Hides handles: one of another instance, which died, means nothing here and is `stale`.
    mask: u64,
}

impl fmt::Debug for WasmEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmEngine")
            .field("component", &self.component)
            .field("running", &self.running.is_some())
            .finish_non_exhaustive()
    }
}

impl WasmEngine {
    /// An instance of `component` with `configuration`.
    ///
    /// # Errors
    /// [`EngineError::Configuration`] with every fault, or the guest failed.
    pub fn new(component: Arc<EngineComponent>, configuration: &str) -> Result<Self, EngineError> {
        let running = Running::start(&component, configuration)?;
        let mut engine = Self {
            component,
            configuration: configuration.to_owned(),
            keys: BTreeMap::new(),
            running: Some(Box::new(running)),
            reads_path: true,
            records: Vec::new(),
        };
        engine.ask_what_is_read()?;
        Ok(engine)
    }

    /// Runs one call; an instance whose call failed is discarded.
    pub(super) fn call<T>(
        &mut self,
        time: Time,
        call: impl FnOnce(&GuestEngine<'_>, &mut Store<Guest>, ResourceAny, u64) -> wasmtime::Result<T>,
    ) -> Result<T, EngineError> {
        let mut running = match self.running.take() {
            Some(running) => running,
            None => Box::new(self.restart()?),
        };
        let Running { engine, mask, .. } = *running;
        let answer = running.instance.call(time, |exports, store| {
            call(
                &exports.cae_engine_conversation().engine(),
                store,
                engine,
                mask,
            )
        })?;
        self.running = Some(running);
        Ok(answer)
    }

    /// `decide` for most requests: see `cae.wit`.
    fn decide_known(
        &mut self,
        handle: Handle,
        request: wit::PlainRequest<'_>,
        records: &[u8],
    ) -> Result<Decided, EngineError> {
        let (known, verdict) = self.call(Time::Bounded, |guest, store, engine, mask| {
            let handle = handle.0 ^ mask;
            let known = guest.call_decide_known(&mut *store, engine, handle, request, records)?;
            let verdict = match known {
                wit::KnownDecided::Verdict => guest.call_take_verdict(store, engine)?,
                wit::KnownDecided::Allowed(_) | wit::KnownDecided::Stale => None,
            };
            Ok((known, verdict))
        })?;
        match (known, verdict) {
            (wit::KnownDecided::Allowed(allowed), _) => Ok(convert::allowed(allowed)),
            (wit::KnownDecided::Stale, _) => Ok(Decided::Stale),
            (wit::KnownDecided::Verdict, Some(verdict)) => {
                Ok(Decided::Verdict(convert::verdict(verdict)))
            }
            (wit::KnownDecided::Verdict, None) => Err(EngineError::Answer(
                "a verdict that is not there".to_owned(),
            )),
        }
    }

    fn ask_what_is_read(&mut self) -> Result<(), EngineError> {
        self.reads_path = self.call(Time::Bounded, |guest, store, engine, _| {
            guest.call_reads_path(store, engine)
        })?;
        Ok(())
    }

    fn restart(&self) -> Result<Running, EngineError> {
        let mut running = Running::start(&self.component, &self.configuration)?;
        for (issuer, jwks) in &self.keys {
            let engine = running.engine;
            running.instance.call(Time::Unbounded, |exports, store| {
                exports
                    .cae_engine_conversation()
                    .engine()
                    .call_set_keys(store, engine, issuer, jwks)
            })?;
        }
        Ok(running)
    }
}

impl Running {
    fn start(component: &EngineComponent, configuration: &str) -> Result<Self, EngineError> {
        let mut instance = Instance::new(component)?;
        let engine = instance
            .call(Time::Unbounded, |exports, store| {
                let engine = exports.cae_engine_conversation().engine();
                engine.call_create(store, configuration, random())
            })?
            .map_err(EngineError::Configuration)?;
        Ok(Self {
            instance,
            engine,
            mask: random(),
        })
    }
}

/// No fault, as `set_keys` and `reconfigure` say it.
const TOOK: &str = "[]";

impl Conversation for WasmEngine {
    type Error = EngineError;

    fn begin(&mut self, token: &str, now: UnixTime, detail: Detail) -> Result<Begun, EngineError> {
        let detail = convert::detail(detail);
        let (begun, mask) = self.call(Time::Bounded, |guest, store, engine, mask| {
            let begun = guest.call_begin(store, engine, token, now.as_secs(), detail)?;
            Ok((begun, mask))
        })?;
        convert::begun(begun, mask)
    }

    fn decide(
        &mut self,
        handle: Handle,
        request: &Request<'_>,
        answers: &Answers<'_>,
        detail: Detail,
    ) -> Result<Decided, EngineError> {
        let mut records = std::mem::take(&mut self.records);
        let known = convert::plain(request, answers, detail, &mut records).map(|mut request| {
            request.path = request.path.filter(|_| self.reads_path);
            self.decide_known(handle, request, &records)
        });
        self.records = records;
        if let Some(decided) = known {
            return decided;
        }
        let records = convert::records(answers.records);
        let answers = convert::answers(answers, &records);
        let request = convert::request(request);
        let detail = convert::detail(detail);
        let decided = self.call(Time::Bounded, |guest, store, engine, mask| {
            guest.call_decide(store, engine, handle.0 ^ mask, request, answers, detail)
        })?;
        Ok(convert::decided(decided))
    }

    fn read_event(
        &mut self,
        set: &str,
        received_at: UnixTime,
        signature: SignatureAnswer,
    ) -> Result<EventReading, EngineError> {
        let signature = convert::signature_answer(signature);
        let reading = self.call(Time::Bounded, |guest, store, engine, _| {
            guest.call_read_event(store, engine, set, received_at.as_secs(), signature)
        })?;
        convert::event_reading(reading)
    }

    fn merge(&mut self, a: &[u8], b: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        self.call(Time::Bounded, |guest, store, engine, _| {
            guest.call_merge(store, engine, a, b)
        })
    }

    fn set_keys(&mut self, issuer: &str, jwks: &str) -> Result<String, EngineError> {
        let faults = self.call(Time::Unbounded, |guest, store, engine, _| {
            guest.call_set_keys(store, engine, issuer, jwks)
        })?;
        if faults == TOOK {
            self.keys.insert(issuer.to_owned(), jwks.to_owned());
        }
        Ok(faults)
    }

    fn reconfigure(&mut self, configuration: &str) -> Result<String, EngineError> {
        let faults = self.call(Time::Unbounded, |guest, store, engine, _| {
            guest.call_reconfigure(store, engine, configuration)
        })?;
        if faults == TOOK {
            configuration.clone_into(&mut self.configuration);
            self.keys.clear();
            self.ask_what_is_read()?;
        }
        Ok(faults)
    }

    fn outdated_tokens(&mut self, now: UnixTime) -> Result<u32, EngineError> {
        self.call(Time::Unbounded, |guest, store, engine, _| {
            guest.call_outdated_tokens(store, engine, now.as_secs())
        })
    }

    fn sign_in(&mut self, request: &str) -> Result<String, EngineError> {
        self.call(Time::Bounded, |guest, store, engine, _| {
            guest.call_sign_in(store, engine, request)
        })
    }

    fn explain_event(&mut self, question: &EventQuestion<'_>) -> Result<String, EngineError> {
        self.call(Time::Bounded, |guest, store, engine, _| {
            guest.call_explain_event(
                store,
                engine,
                question.text,
                question.unsigned,
                question.received_at.as_secs(),
                convert::signature_answer(question.signature),
                question.against,
            )
        })
    }

    fn inspect_token(&mut self, token: &str, now: UnixTime) -> Result<String, EngineError> {
        self.call(Time::Bounded, |guest, store, engine, _| {
            guest.call_inspect_token(store, engine, token, now.as_secs())
        })
    }
}

/// A number that an attacker cannot foresee; the standard library seeds its hash maps with it.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
