//! Bindings of `wasm/wit/cae.wit`.

#![expect(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::pedantic,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    reason = "generated; the unsafe parts are wasmtime's proof that lifted and lowered types have the layout of the WIT"
)]

wasmtime::component::bindgen!({
    path: "../wasm/wit",
    world: "cae",
    ownership: Borrowing { duplicate_if_necessary: true },
});
