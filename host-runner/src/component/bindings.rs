//! Bindings of `wasm/wit/cae.wit`.

wasmtime::component::bindgen!({
    path: "../wasm/wit",
    world: "cae",
    ownership: Borrowing { duplicate_if_necessary: true },
});
