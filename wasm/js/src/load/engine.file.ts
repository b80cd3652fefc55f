import { readFile } from "node:fs/promises";

/** Reads the module from the file beside. */
export const load = async (): Promise<WebAssembly.Module> =>
  WebAssembly.compile(await readFile(new URL("../wasm/engine.wasm", import.meta.url)));
