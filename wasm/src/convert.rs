//! What both bindings need on the way between their own types and the engine's.

use std::convert::Infallible;

use cae_core::configuration::Faults;

/// The answer of a call that cannot fail to reach the engine: it runs in this very module.
pub(crate) fn reached<T>(answer: Result<T, Infallible>) -> T {
    match answer {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

/// Borrows a list of texts.
pub(crate) fn texts(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// The faults of a configuration as a JSON list.
pub(crate) fn faults(faults: &Faults) -> String {
    cae_core::json::to_text(&faults.0)
}
