//! What-if in wasmtime: one instance for each worker.

use std::fmt;
use std::sync::Arc;

use cae_core::policy::what_if::{Batch, Description, Representatives};
use serde::de::DeserializeOwned;
use wasmtime::Store;
use wasmtime::component::ResourceAny;

use super::bindings::exports::cae::engine::evaluation::{GuestWhatIf, Tenant as GuestTenant};
use super::{EngineComponent, EngineError, Guest, Instance, Time};
use crate::what_if::{Tenant, Tenants};

/// A tenant inside an instance. After an error it must not be used again.
pub struct WasmWhatIf {
    component: Arc<EngineComponent>,
    tenants: Arc<Tenants>,
    instance: Instance,
    what_if: ResourceAny,
}

impl fmt::Debug for WasmWhatIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmWhatIf").finish_non_exhaustive()
    }
}

impl WasmWhatIf {
    /// An instance of `component` with these tenants.
    ///
    /// # Errors
    /// [`EngineError::Configuration`] with every fault, or the guest failed.
    pub fn new(
        component: Arc<EngineComponent>,
        tenants: Arc<Tenants>,
    ) -> Result<Self, EngineError> {
        let mut instance = Instance::new(&component)?;
        let current = tenants.tenant.policies();
        let tenant = guest(&tenants.tenant, &current);
        let policies = tenants.before.as_ref().map(|before| before.policies());
        let before = tenants.before.as_ref().zip(policies.as_ref());
        let before = before.map(|(before, policies)| guest(before, policies));
        let what_if = instance
            .call(Time::Unbounded, |exports, store| {
                let guest = exports.cae_engine_evaluation().what_if();
                guest.call_create(store, tenant, before)
            })?
            .map_err(EngineError::Configuration)?;
        Ok(Self {
            component,
            tenants,
            instance,
            what_if,
        })
    }

    /// Another instance with the same tenants, for another worker.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn another(&self) -> Result<Self, EngineError> {
        Self::new(Arc::clone(&self.component), Arc::clone(&self.tenants))
    }

    pub(crate) fn describe(&mut self) -> Result<Description, EngineError> {
        let text = self.call(Time::Unbounded, |guest, store, what_if| {
            guest.call_describe(store, what_if)
        })?;
        read(&text)
    }

    pub(crate) fn representatives(&mut self) -> Result<Representatives, EngineError> {
        let text = self.call(Time::Unbounded, |guest, store, what_if| {
            guest.call_representatives(store, what_if)
        })?;
        read(&text)
    }

    pub(crate) fn evaluate(
        &mut self,
        lines: &[u8],
        first_line: u64,
        write: bool,
    ) -> Result<Batch, EngineError> {
        let batch = self.call(Time::Bounded, |guest, store, what_if| {
            guest.call_evaluate(store, what_if, lines, first_line, write)
        })?;
        Ok(Batch {
            counts: read(&batch.counts)?,
            lines: batch.lines,
        })
    }

    fn call<T>(
        &mut self,
        time: Time,
        call: impl FnOnce(&GuestWhatIf<'_>, &mut Store<Guest>, ResourceAny) -> wasmtime::Result<T>,
    ) -> Result<T, EngineError> {
        let what_if = self.what_if;
        self.instance.call(time, |exports, store| {
            call(&exports.cae_engine_evaluation().what_if(), store, what_if)
        })
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, EngineError> {
    serde_json::from_str(text).map_err(|error| EngineError::Answer(error.to_string()))
}

fn guest<'a>(tenant: &'a Tenant, policies: &'a [(&'a str, &'a str)]) -> GuestTenant<'a> {
    GuestTenant {
        policies,
        named_locations: tenant.named_locations.as_deref(),
        application_groups: tenant.application_groups.as_deref(),
    }
}
