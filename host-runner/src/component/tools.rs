//! The stateless tools of the component.

use std::sync::Arc;

use cae_core::policy::what_if::Export;
use cae_core::time::UnixTime;
use wasmtime::Store;

use super::bindings::exports::cae::engine::tools::Guest as GuestTools;
use super::{EngineComponent, EngineError, Guest, Instance, Time};
use crate::engine::Tools;

/// The tools in wasmtime. Each call has its own instance, so that one cannot see what another was given.
#[derive(Clone, Debug)]
pub struct WasmTools {
    component: Arc<EngineComponent>,
}

impl WasmTools {
    /// The tools of `component`.
    #[must_use]
    pub fn new(component: Arc<EngineComponent>) -> Self {
        Self { component }
    }

    fn call(
        &self,
        call: impl FnOnce(&GuestTools, &mut Store<Guest>) -> wasmtime::Result<String>,
    ) -> Result<String, EngineError> {
        Instance::new(&self.component)?.call(Time::Bounded, |exports, store| {
            call(exports.cae_engine_tools(), store)
        })
    }
}

impl Tools for WasmTools {
    fn parse_challenge(&self, header: &str) -> Result<String, EngineError> {
        self.call(|tools, store| tools.call_parse_challenge(store, header))
    }

    fn check_policies(&self, export: &Export<'_>) -> Result<String, EngineError> {
        let (locations, groups) = (export.named_locations, export.application_groups);
        self.call(|tools, store| {
            tools.call_check_policies(store, export.policies, locations, groups)
        })
    }

    fn match_locations(
        &self,
        named_locations: &str,
        addresses: &[&str],
    ) -> Result<String, EngineError> {
        self.call(|tools, store| tools.call_match_locations(store, named_locations, addresses))
    }

    fn decode_event(
        &self,
        text: &str,
        unsigned: bool,
        received_at: UnixTime,
    ) -> Result<String, EngineError> {
        self.call(|tools, store| {
            tools.call_decode_event(store, text, unsigned, received_at.as_secs())
        })
    }

    fn inspect_token(&self, token: &str, now: UnixTime) -> Result<String, EngineError> {
        self.call(|tools, store| tools.call_inspect_token(store, token, now.as_secs()))
    }

    fn configuration_schema(&self) -> Result<String, EngineError> {
        self.call(|tools, store| tools.call_configuration_schema(store))
    }
}
