//! What crosses to JavaScript, declared in TypeScript: `types.d.ts`.
//!
//! No integer above 2^53, no free-keyed map; what may be absent is left out; unions are told apart by `kind`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

#[wasm_bindgen]
extern "C" {
    /// An `Error` that carries the faults of a configuration.
    #[wasm_bindgen(js_name = Error, extends = js_sys::Error)]
    pub(super) type ConfigurationError;

    #[wasm_bindgen(constructor, js_class = "Error")]
    pub(super) fn new(message: &str) -> ConfigurationError;

    #[wasm_bindgen(method, setter, structural)]
    pub(super) fn set_faults(this: &ConfigurationError, faults: JsValue);
}
