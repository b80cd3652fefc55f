import { compile } from "./fetch.js";

/** Fetches the module from beside the script. */
export const load = (): Promise<WebAssembly.Module> => compile(new URL("../wasm/engine.wasm", import.meta.url));
