//! Bindings.
#[cfg(feature = "component")]
mod component;
