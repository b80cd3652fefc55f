import { readFile } from "node:fs/promises";

import { instantiate } from "../wasm/tools.js";

/** Reads the module from the file beside. */
export async function load(): Promise<() => ReturnType<typeof instantiate>> {
  const module = await WebAssembly.compile(await readFile(new URL("../wasm/tools.wasm", import.meta.url)));
  return () => instantiate(module);
}
