//! The engine, native or in WebAssembly, behind one type.

use std::sync::Arc;

use cae_core::Engine;
use cae_core::decision::{Answers, Request};
use cae_core::engine::{
    Begun, Conversation, Decided, Detail, EventQuestion, EventReading, Handle, SignatureAnswer,
};
use cae_core::json;
use cae_core::policy::what_if::Export;
use cae_core::time::UnixTime;
use cae_core::tools;

use crate::component::{EngineComponent, EngineError, WasmEngine, WasmTools, random};

/// How to run the engine.
#[derive(Clone, Debug)]
pub enum Runtime {
    /// The core, linked into this program: for comparison.
    Native,
    /// The component, in wasmtime.
    Wasm(Arc<EngineComponent>),
}

impl Runtime {
    /// An engine for one worker.
    ///
    /// # Errors
    /// [`EngineError::Configuration`] with every fault, or the engine could not be started.
    pub fn engine(&self, configuration: &str) -> Result<AnyEngine, EngineError> {
        match self {
            Self::Native => match Engine::new(configuration, random()) {
                Ok(engine) => Ok(AnyEngine::Native(Box::new(engine))),
                Err(faults) => Err(EngineError::Configuration(json::to_text(&faults.0))),
            },
            Self::Wasm(component) => WasmEngine::new(Arc::clone(component), configuration)
                .map(|engine| AnyEngine::Wasm(Box::new(engine))),
        }
    }

    /// The stateless tools.
    #[must_use]
    pub fn tools(&self) -> Box<dyn Tools> {
        match self {
            Self::Native => Box::new(NativeTools),
            Self::Wasm(component) => Box::new(WasmTools::new(Arc::clone(component))),
        }
    }
}

/// An engine, however it runs.
#[derive(Debug)]
pub enum AnyEngine {
    /// Linked into this program.
    Native(Box<Engine>),
    /// In wasmtime.
    Wasm(Box<WasmEngine>),
}

/// Calls `$method` of whichever engine it is; the native one cannot fail.
macro_rules! forward {
    ($self:ident.$method:ident($($argument:ident),*)) => {
        match $self {
            AnyEngine::Native(engine) => {
                let Ok(answer) = engine.$method($($argument),*);
                Ok(answer)
            }
            AnyEngine::Wasm(engine) => engine.$method($($argument),*),
        }
    };
}

impl Conversation for AnyEngine {
    type Error = EngineError;

    fn begin(&mut self, token: &str, now: UnixTime, detail: Detail) -> Result<Begun, EngineError> {
        forward!(self.begin(token, now, detail))
    }

    fn decide(
        &mut self,
        handle: Handle,
        request: &Request<'_>,
        answers: &Answers<'_>,
        detail: Detail,
    ) -> Result<Decided, EngineError> {
        forward!(self.decide(handle, request, answers, detail))
    }

    fn read_event(
        &mut self,
        set: &str,
        received_at: UnixTime,
        signature: SignatureAnswer,
    ) -> Result<EventReading, EngineError> {
        forward!(self.read_event(set, received_at, signature))
    }

    fn merge(&mut self, a: &[u8], b: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        forward!(self.merge(a, b))
    }

    fn set_keys(&mut self, issuer: &str, jwks: &str) -> Result<String, EngineError> {
        forward!(self.set_keys(issuer, jwks))
    }

    fn reconfigure(&mut self, configuration: &str) -> Result<String, EngineError> {
        forward!(self.reconfigure(configuration))
    }

    fn outdated_tokens(&mut self, now: UnixTime) -> Result<u32, EngineError> {
        forward!(self.outdated_tokens(now))
    }

    fn sign_in(&mut self, request: &str) -> Result<String, EngineError> {
        forward!(self.sign_in(request))
    }

    fn explain_event(&mut self, question: &EventQuestion<'_>) -> Result<String, EngineError> {
        forward!(self.explain_event(question))
    }

    fn inspect_token(&mut self, token: &str, now: UnixTime) -> Result<String, EngineError> {
        forward!(self.inspect_token(token, now))
    }
}

/// What the command line offers without an engine configuration. Answers are canonical JSON.
///
/// Every method fails only if the engine could not be reached; what is wrong with the input is in the answer.
#[expect(clippy::missing_errors_doc, reason = "said once for all methods above")]
pub trait Tools {
    /// Decodes the value of a `WWW-Authenticate` header.
    fn parse_challenge(&self, header: &str) -> Result<String, EngineError>;

    /// Reads Microsoft Graph policies.
    fn check_policies(&self, export: &Export<'_>) -> Result<String, EngineError>;

    /// The named locations that each address lies in.
    fn match_locations(
        &self,
        named_locations: &str,
        addresses: &[&str],
    ) -> Result<String, EngineError>;

    /// Reads a security event token; signature, issuer and audience stay unchecked.
    fn decode_event(
        &self,
        text: &str,
        unsigned: bool,
        received_at: UnixTime,
    ) -> Result<String, EngineError>;

    /// Decodes an access token without a configuration.
    fn inspect_token(&self, token: &str, now: UnixTime) -> Result<String, EngineError>;

    /// The JSON Schema of an engine configuration.
    fn configuration_schema(&self) -> Result<String, EngineError>;
}

/// The tools of the core, linked into this program.
#[derive(Clone, Copy, Debug)]
struct NativeTools;

impl Tools for NativeTools {
    fn parse_challenge(&self, header: &str) -> Result<String, EngineError> {
        Ok(tools::parse_challenge(header))
    }

    fn check_policies(&self, export: &Export<'_>) -> Result<String, EngineError> {
        Ok(tools::check_policies(export))
    }

    fn match_locations(
        &self,
        named_locations: &str,
        addresses: &[&str],
    ) -> Result<String, EngineError> {
        Ok(tools::match_locations(named_locations, addresses))
    }

    fn decode_event(
        &self,
        text: &str,
        unsigned: bool,
        received_at: UnixTime,
    ) -> Result<String, EngineError> {
        Ok(tools::decode_event(text, unsigned, received_at))
    }

    fn inspect_token(&self, token: &str, now: UnixTime) -> Result<String, EngineError> {
        Ok(tools::inspect_token(token, now))
    }

    fn configuration_schema(&self) -> Result<String, EngineError> {
        Ok(tools::configuration_schema().to_owned())
    }
}
