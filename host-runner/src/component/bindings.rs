//! Bindings of `wasm/wit/cae.wit`.

#![expect(
    clippy::pedantic,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    reason = "generated"
)]

wasmtime::component::bindgen!({
    path: "../wasm/wit",
    world: "cae",
    ownership: Borrowing { duplicate_if_necessary: true },
});
