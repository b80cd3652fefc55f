//! The exports of `wit/cae.wit`: each body turns its arguments into the engine's values, calls it, and turns the
//! answer back.

mod convert;

use std::cell::RefCell;

use bindings::exports::cae::engine::{conversation, evaluation, tools};
use cae_core::engine::{Conversation as _, Engine, Handle};
use cae_core::json;
use cae_core::policy::what_if::{Export, WhatIf};
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
/// INVARIANT (one borrow at a time): without imports nothing can call back in during a call, so the cell is never
/// borrowed twice.
struct EngineCell(RefCell<Engine>);

impl conversation::Guest for Component {
    type Engine = EngineCell;
}

impl conversation::GuestEngine for EngineCell {
    fn create(configuration: String, seed: u64) -> Result<conversation::Engine, String> {
        Engine::new(&configuration, seed)
            .map(|engine| conversation::Engine::new(Self(RefCell::new(engine))))
            .map_err(|found| faults(&found))
    }

    fn begin(&self, token: String, now: u64, detail: conversation::Detail) -> conversation::Begun {
        let mut engine = self.0.borrow_mut();
        reached(engine.begin(&token, UnixTime::from_secs(now), detail.into())).into()
    }

    fn decide(
        &self,
        handle: u64,
        request: conversation::Request,
        answers: conversation::Answers,
        detail: conversation::Detail,
    ) -> conversation::Decided {
        let mut engine = self.0.borrow_mut();
        let decided = convert::with_request(&request, |request| {
            convert::with_answers(&answers, |answers| {
                engine.decide(Handle(handle), request, answers, detail.into())
            })
        });
        reached(decided).into()
    }

    fn read_event(
        &self,
        set: String,
        received_at: u64,
        signature: conversation::SignatureAnswer,
    ) -> conversation::EventReading {
        let mut engine = self.0.borrow_mut();
        reached(engine.read_event(&set, UnixTime::from_secs(received_at), signature.into())).into()
    }

    fn merge(&self, a: Vec<u8>, b: Vec<u8>) -> Option<Vec<u8>> {
        reached(self.0.borrow_mut().merge(&a, &b))
    }

    fn set_keys(&self, issuer: String, jwks: String) -> String {
        reached(self.0.borrow_mut().set_keys(&issuer, &jwks))
    }

    fn reconfigure(&self, configuration: String) -> String {
        reached(self.0.borrow_mut().reconfigure(&configuration))
    }

    fn sign_in(&self, request: String) -> String {
        reached(self.0.borrow_mut().sign_in(&request))
    }

    fn inspect_token(&self, token: String, now: u64) -> String {
        let mut engine = self.0.borrow_mut();
        reached(engine.inspect_token(&token, UnixTime::from_secs(now)))
    }
}

impl evaluation::Guest for Component {
    type WhatIf = WhatIf;
}

impl evaluation::GuestWhatIf for WhatIf {
    fn create(
        tenant: evaluation::Tenant,
        before: Option<evaluation::Tenant>,
    ) -> Result<evaluation::WhatIf, String> {
        let policies = named_texts(&tenant.policies);
        let older = before.as_ref().map(|tenant| named_texts(&tenant.policies));
        let before = before.as_ref().zip(older.as_ref());
        let before = before.map(|(tenant, policies)| Export {
            policies,
            named_locations: tenant.named_locations.as_deref(),
        });
        let export = Export {
            policies: &policies,
            named_locations: tenant.named_locations.as_deref(),
        };
        Self::new(&export, before.as_ref()).map(evaluation::WhatIf::new)
    }

    fn describe(&self) -> String {
        json::to_text(&Self::describe(self))
    }

    fn representatives(&self) -> String {
        json::to_text(&Self::representatives(self))
    }

    fn evaluate(&self, lines: Vec<u8>, first_line: u64, write: bool) -> evaluation::Batch {
        let batch = Self::evaluate(self, &lines, first_line, write);
        evaluation::Batch {
            counts: json::to_text(&batch.counts),
            lines: batch.lines,
        }
    }
}

impl tools::Guest for Component {
    fn parse_challenge(header: String) -> String {
        cae_core::tools::parse_challenge(&header)
    }

    fn check_policies(policies: Vec<(String, String)>, named_locations: Option<String>) -> String {
        cae_core::tools::check_policies(&named_texts(&policies), named_locations.as_deref())
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
