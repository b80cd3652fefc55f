import { compile } from "./fetch.js";

/** Fetches the module from beside the script. */
export const load = (): Promise<WebAssembly.Module> => compile(new URL("../wasm/tools.wasm", import.meta.url));
