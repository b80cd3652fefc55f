//! The engine as WebAssembly, from one crate in two builds: a component without imports (feature `component`), and a
//! module for JavaScript hosts (feature `js`). Bindings only: every answer is `cae_core`'s.
//!
//! Neither build checks signatures: the host does, with its own cryptography, when the engine asks.

#[cfg(all(feature = "component", feature = "js"))]
compile_error!(
    "build `component` and `js` separately: what wasm-bindgen imports cannot become a component"
);

#[cfg(feature = "component")]
mod component;
#[cfg(any(feature = "component", feature = "js"))]
mod convert;
#[cfg(feature = "js")]
pub mod js;
