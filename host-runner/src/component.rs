//! The engine as a WebAssembly component in wasmtime.
//!
//! [`EngineComponent`] is compiled once per process. Each worker thread has one long-lived [`WasmEngine`]. A call
//! that traps, runs out of time or out of memory costs the instance and nothing else: the next call makes a new
//! one and gives it the same configuration.

mod artefact;
mod bindings;
mod convert;
mod engine;
mod tools;
mod what_if;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Linker;
use wasmtime::{Config, Engine, EngineWeak, ResourceLimiter, Store, Trap};

pub use artefact::Artefact;
pub use engine::WasmEngine;
pub(crate) use engine::random;
pub use tools::WasmTools;
pub use what_if::WasmWhatIf;

/// Bounds of one instance.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bounds {
    /// Longest call. Defaults to 100 ms, a thousand times what a decision takes. Reading a configuration is not
    /// bounded: it comes from the operator and may hold thousands of policies.
    pub deadline: Duration,
    /// Most linear memory, in bytes. Defaults to 256 MiB.
    pub memory: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            deadline: Duration::from_millis(100),
            memory: 256 << 20,
        }
    }
}

impl Bounds {
    /// Bounds for batch work, where nobody waits for one answer and a busy machine is no fault of the guest: 10 s.
    #[must_use]
    pub fn batch() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            ..Self::default()
        }
    }
}

/// Why the engine gave no answer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EngineError {
    /// There is no component, or it cannot be run.
    Start(String),
    /// The configuration is not valid: a JSON list of `{"at", "code", "message"}`.
    Configuration(String),
    /// The guest trapped.
    Trap(String),
    /// The guest took longer than its deadline.
    Deadline(Duration),
    /// The guest wanted more memory than it may have, in bytes.
    Memory(usize),
    /// The guest answered what its contract does not allow.
    Answer(String),
}

impl EngineError {
    /// A stable name of the kind of error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Start(_) => "engine.start",
            Self::Configuration(_) => "engine.configuration",
            Self::Trap(_) => "engine.trap",
            Self::Deadline(_) => "engine.deadline",
            Self::Memory(_) => "engine.memory",
            Self::Answer(_) => "engine.answer",
        }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(what) => f.write_str(what),
            Self::Configuration(faults) => write!(f, "the configuration is not valid: {faults}"),
            Self::Trap(what) => write!(f, "the engine trapped: {what}"),
            Self::Deadline(after) => {
                write!(f, "the engine was stopped after {} ms", after.as_millis())
            }
            Self::Memory(limit) => write!(f, "the engine needs more than {limit} bytes of memory"),
            Self::Answer(what) => {
                write!(f, "the engine gave an answer outside its contract: {what}")
            }
        }
    }
}

impl std::error::Error for EngineError {}

/// A compiled component, ready to be instantiated by any number of workers.
pub struct EngineComponent {
    instances: bindings::CaePre<Guest>,
    bounds: Bounds,
}

impl fmt::Debug for EngineComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineComponent")
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

impl EngineComponent {
    /// Compiles `artefact` and starts the clock that ends calls past their deadline.
    ///
    /// # Errors
    /// [`EngineError::Start`] if it is not an engine component, has imports, or no thread can be started.
    pub fn load(artefact: &Artefact, bounds: Bounds) -> Result<Arc<Self>, EngineError> {
        let start = |error: wasmtime::Error| {
            EngineError::Start(format!("the component does not fit: {error:#}"))
        };
        let mut config = Config::new();
        config.epoch_interruption(true);
        let engine = Engine::new(&config).map_err(start)?;
        let component = artefact.compile(&engine)?;
        // An empty linker: a component with imports is refused here.
        let instances = Linker::new(&engine)
            .instantiate_pre(&component)
            .and_then(bindings::CaePre::new)
            .map_err(start)?;
        start_ticking(engine.weak(), bounds.deadline).map_err(|error| {
            EngineError::Start(format!("no thread for the deadline clock: {error}"))
        })?;
        Ok(Arc::new(Self { instances, bounds }))
    }
}

/// Ticks per deadline: the precision with which a call is ended.
const TICKS: u32 = 10;

fn start_ticking(engine: EngineWeak, deadline: Duration) -> std::io::Result<()> {
    let tick = deadline.checked_div(TICKS).unwrap_or_default();
    let tick = tick.max(Duration::from_millis(1));
    let ticker = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(tick);
        }
    };
    std::thread::Builder::new()
        .name("epoch".to_owned())
        .spawn(ticker)
        .map(drop)
}

/// One instance with its memory.
struct Instance {
    store: Store<Guest>,
    exports: bindings::Cae,
    bounds: Bounds,
}

/// How long a call may take.
#[derive(Clone, Copy)]
enum Time {
    /// The deadline of [`Bounds`].
    Bounded,
    /// As long as it takes.
    Unbounded,
}

impl Instance {
    fn new(component: &EngineComponent) -> Result<Self, EngineError> {
        let bounds = component.bounds;
        let guest = Guest {
            memory: bounds.memory,
            refused: false,
        };
        let mut store = Store::new(component.instances.engine(), guest);
        store.limiter(|guest| guest);
        store.set_epoch_deadline(Time::Unbounded.ticks());
        let exports = component
            .instances
            .instantiate(&mut store)
            .map_err(|error| fault(&error, &store, bounds))?;
        Ok(Self {
            store,
            exports,
            bounds,
        })
    }

    /// Runs one call of the guest. After an error the instance must not be used again.
    fn call<T>(
        &mut self,
        time: Time,
        call: impl FnOnce(&bindings::Cae, &mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, EngineError> {
        self.store.data_mut().refused = false;
        self.store.set_epoch_deadline(time.ticks());
        call(&self.exports, &mut self.store)
            .map_err(|error| fault(&error, &self.store, self.bounds))
    }
}

impl Time {
    /// In ticks of the clock. One more than the deadline holds, because the running tick is already part gone.
    fn ticks(self) -> u64 {
        match self {
            Self::Bounded => u64::from(TICKS).saturating_add(1),
            Self::Unbounded => u64::MAX / 2,
        }
    }
}

fn fault(error: &wasmtime::Error, store: &Store<Guest>, bounds: Bounds) -> EngineError {
    if store.data().refused {
        return EngineError::Memory(bounds.memory);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => EngineError::Deadline(bounds.deadline),
        Some(trap) => EngineError::Trap(trap.to_string()),
        // No trap: the component was built for another version of the interface.
        None => EngineError::Start(format!(
            "the component does not fit this program ({}): build both anew with `cargo xtask build --component` \
             and `cargo build`",
            error.root_cause()
        )),
    }
}

/// What the host keeps per instance: how much memory it may have, and whether it asked for more.
struct Guest {
    memory: usize,
    refused: bool,
}

impl ResourceLimiter for Guest {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.refused |= desired > self.memory;
        Ok(desired <= self.memory)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE)
    }
}

/// Most table elements. A table holds the functions that are called through pointers; it never grows.
const MAX_TABLE: usize = 1 << 16;

#[cfg(test)]
mod tests;
