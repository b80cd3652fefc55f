//! The exports of `wit/cae.wit`: each body turns its arguments into the engine's values, calls it, and turns the
//! answer back.

mod convert;
mod evaluation;

use std::cell::{Cell, RefCell};

use bindings::exports::cae::engine::{conversation, tools};
use cae_core::decision::Outcome;
use cae_core::engine::{
    Conversation as _, Decided, Detail, Engine, EventQuestion, Handle, Verdict,
};
use cae_core::policy::what_if::Export;
use cae_core::time::UnixTime;

use crate::convert::{faults, reached, texts};

#[expect(
    unsafe_code,
    reason = "generated: reads arguments from, and writes answers to, the memory that the canonical ABI laid out"
)]
mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "cae" });
    export!(Component with_types_in self);

    use super::Component;
}

/// The implementation of the world.
struct Component;

/// An engine behind a shared reference, as the bindings hand it out.
///
/// INVARIANT (one borrow at a time): without imports nothing can call back in during a call, so the cells are never
/// borrowed twice.
struct EngineCell {
    engine: RefCell<Engine>,
    /// What `take_verdict` is asked for next.
    verdict: Cell<Option<Box<Verdict>>>,
}

impl conversation::Guest for Component {
    type Engine = EngineCell;
}

impl conversation::GuestEngine for EngineCell {
    fn create(configuration: String, seed: u64) -> Result<conversation::Engine, String> {
        Engine::new(&configuration, seed)
            .map(|engine| {
                conversation::Engine::new(Self {
                    engine: RefCell::new(engine),
                    verdict: Cell::new(None),
                })
            })
            .map_err(|found| faults(&found))
    }

    fn begin(&self, token: String, now: u64, detail: conversation::Detail) -> conversation::Begun {
        let mut engine = self.engine.borrow_mut();
        reached(engine.begin(&token, UnixTime::from_secs(now), detail.into())).into()
    }

    fn decide(
        &self,
        handle: u64,
        request: conversation::Request,
        answers: conversation::Answers,
        detail: conversation::Detail,
    ) -> conversation::Decided {
        let mut engine = self.engine.borrow_mut();
        let decided = convert::with_request(&request, |request| {
            convert::with_answers(&answers, |answers| {
                engine.decide(Handle(handle), request, answers, detail.into())
            })
        });
        reached(decided).into()
    }

    fn decide_known(
        &self,
        handle: u64,
        request: conversation::PlainRequest,
        records: Vec<u8>,
    ) -> conversation::KnownDecided {
        let mut engine = self.engine.borrow_mut();
        let decided = convert::with_plain(&request, &records, |request, address, answers| {
            engine.decide_at(Handle(handle), request, address, answers, Detail::None)
        });
        match decided {
            Decided::Stale => conversation::KnownDecided::Stale,
            Decided::Verdict(verdict) if is_plain(&verdict) => {
                conversation::KnownDecided::Allowed(verdict.into())
            }
            Decided::Verdict(verdict) => {
                self.verdict.set(Some(Box::new(verdict)));
                conversation::KnownDecided::Verdict
            }
        }
    }

    fn reads_path(&self) -> bool {
        let engine = self.engine.borrow();
        engine.configuration().settings.reads_path()
    }

    fn take_verdict(&self) -> Option<conversation::Verdict> {
        self.verdict.take().map(|verdict| (*verdict).into())
    }

    fn read_event(
        &self,
        set: String,
        received_at: u64,
        signature: conversation::SignatureAnswer,
    ) -> conversation::EventReading {
        let mut engine = self.engine.borrow_mut();
        reached(engine.read_event(&set, UnixTime::from_secs(received_at), signature.into())).into()
    }

    fn explain_event(
        &self,
        text: String,
        unsigned: bool,
        received_at: u64,
        signature: conversation::SignatureAnswer,
        against: Option<String>,
    ) -> String {
        let question = EventQuestion {
            text: &text,
            unsigned,
            received_at: UnixTime::from_secs(received_at),
            signature: signature.into(),
            against: against.as_deref(),
        };
        reached(self.engine.borrow_mut().explain_event(&question))
    }

    fn merge(&self, a: Vec<u8>, b: Vec<u8>) -> Option<Vec<u8>> {
        reached(self.engine.borrow_mut().merge(&a, &b))
    }

    fn set_keys(&self, issuer: String, jwks: String) -> String {
        reached(self.engine.borrow_mut().set_keys(&issuer, &jwks))
    }

    fn reconfigure(&self, configuration: String) -> String {
        reached(self.engine.borrow_mut().reconfigure(&configuration))
    }

    fn outdated_tokens(&self, now: u64) -> u32 {
        reached(
            self.engine
                .borrow_mut()
                .outdated_tokens(UnixTime::from_secs(now)),
        )
    }

    fn sign_in(&self, request: String) -> String {
        reached(self.engine.borrow_mut().sign_in(&request))
    }

    fn inspect_token(&self, token: String, now: u64) -> String {
        let mut engine = self.engine.borrow_mut();
        reached(engine.inspect_token(&token, UnixTime::from_secs(now)))
    }
}

/// Whether `allowed` says all that the verdict says.
fn is_plain(verdict: &Verdict) -> bool {
    let Verdict {
        outcome,
        status,
        www_authenticate,
        reasons,
        changes,
        json,
        revisit_at: _,
        may_reuse_without_events: _,
    } = verdict;
    *outcome == Outcome::Allow
        && *status == 200
        && www_authenticate.is_none()
        && reasons.is_empty()
        && changes.is_empty()
        && json.is_none()
}

impl tools::Guest for Component {
    fn parse_challenge(header: String) -> String {
        cae_core::tools::parse_challenge(&header)
    }

    fn check_policies(
        policies: Vec<(String, String)>,
        named_locations: Option<String>,
        application_groups: Option<String>,
    ) -> String {
        cae_core::tools::check_policies(&Export {
            policies: &named_texts(&policies),
            named_locations: named_locations.as_deref(),
            application_groups: application_groups.as_deref(),
        })
    }

    fn match_locations(named_locations: String, addresses: Vec<String>) -> String {
        cae_core::tools::match_locations(&named_locations, &texts(&addresses))
    }

    fn decode_event(text: String, unsigned: bool, received_at: u64) -> String {
        cae_core::tools::decode_event(&text, unsigned, UnixTime::from_secs(received_at))
    }

    fn inspect_token(token: String, now: u64) -> String {
        cae_core::tools::inspect_token(&token, UnixTime::from_secs(now))
    }

    fn configuration_schema() -> String {
        cae_core::tools::configuration_schema().to_owned()
    }

    fn version() -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }
}

/// Borrows the files of a folder.
fn named_texts(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect()
}
