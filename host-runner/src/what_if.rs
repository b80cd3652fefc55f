//! What-if, native or in WebAssembly, and the files that it is asked about.

use std::sync::Arc;

use cae_core::policy::what_if::{Batch, Description, Export, Representatives, WhatIf};

use crate::component::{EngineError, WasmWhatIf};
use crate::engine::Runtime;

/// The files of an export.
#[derive(Clone, Debug, Default)]
pub struct Tenant {
    /// Name and text of each file with policies.
    pub files: Vec<(String, String)>,
    /// Text of the named locations.
    pub named_locations: Option<String>,
    /// Text of `settings.applicationGroups`.
    pub application_groups: Option<String>,
}

/// A tenant, and an earlier state of it if two are compared.
#[derive(Clone, Debug, Default)]
pub struct Tenants {
    /// Now, or as planned.
    pub tenant: Tenant,
    /// Before.
    pub before: Option<Tenant>,
}

impl Tenant {
    pub(crate) fn policies(&self) -> Vec<(&str, &str)> {
        let files = self.files.iter();
        files
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect()
    }

    /// Lent to the engine, with [`policies`](Self::policies).
    pub(crate) fn export<'a>(&'a self, policies: &'a [(&'a str, &'a str)]) -> Export<'a> {
        Export {
            policies,
            named_locations: self.named_locations.as_deref(),
            application_groups: self.application_groups.as_deref(),
        }
    }
}

/// What-if for one worker.
#[derive(Debug)]
pub enum WhatIfEngine {
    /// Linked into this program; workers share it.
    Native(Arc<WhatIf>),
    /// In wasmtime.
    Wasm(Box<WasmWhatIf>),
}

impl WhatIfEngine {
    /// Compiles the tenants.
    ///
    /// # Errors
    /// [`EngineError::Configuration`] with every fault, or the engine could not be started.
    pub fn new(runtime: &Runtime, tenants: Tenants) -> Result<Self, EngineError> {
        match runtime {
            Runtime::Native => {
                let policies = tenants.tenant.policies();
                let older = tenants.before.as_ref().map(Tenant::policies);
                let before = tenants.before.as_ref().zip(older.as_ref());
                let before = before.map(|(before, policies)| before.export(policies));
                WhatIf::new(&tenants.tenant.export(&policies), before.as_ref())
                    .map(|what_if| Self::Native(Arc::new(what_if)))
                    .map_err(EngineError::Configuration)
            }
            Runtime::Wasm(component) => WasmWhatIf::new(Arc::clone(component), Arc::new(tenants))
                .map(|what_if| Self::Wasm(Box::new(what_if))),
        }
    }

    /// The same for another worker.
    ///
    /// # Errors
    /// The engine could not be started.
    pub fn another(&self) -> Result<Self, EngineError> {
        match self {
            Self::Native(what_if) => Ok(Self::Native(Arc::clone(what_if))),
            Self::Wasm(what_if) => Ok(Self::Wasm(Box::new(what_if.another()?))),
        }
    }

    /// The policies and, of a comparison, what became of each.
    ///
    /// # Errors
    /// The engine failed.
    pub fn describe(&mut self) -> Result<Description, EngineError> {
        match self {
            Self::Native(what_if) => Ok(what_if.describe()),
            Self::Wasm(what_if) => what_if.describe(),
        }
    }

    /// Sign-ins made from the policies.
    ///
    /// # Errors
    /// The engine failed.
    pub fn representatives(&mut self) -> Result<Representatives, EngineError> {
        match self {
            Self::Native(what_if) => Ok(what_if.representatives()),
            Self::Wasm(what_if) => what_if.representatives(),
        }
    }

    /// Evaluates lines, of which the first has the number `first_line`.
    ///
    /// # Errors
    /// The engine failed.
    pub fn evaluate(
        &mut self,
        lines: &[u8],
        first_line: u64,
        write: bool,
    ) -> Result<Batch, EngineError> {
        match self {
            Self::Native(what_if) => Ok(what_if.evaluate(lines, first_line, write)),
            Self::Wasm(what_if) => what_if.evaluate(lines, first_line, write),
        }
    }
}
