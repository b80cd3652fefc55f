import module from "../wasm/engine.wasm";

/** The module, compiled when the worker was uploaded. */
export const load = (): Promise<WebAssembly.Module> => Promise.resolve(module);
