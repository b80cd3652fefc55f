import { instantiate } from "../wasm/engine.js";
import { compile } from "./fetch.js";

/** Fetches the module from beside the script. */
export async function load(): Promise<() => ReturnType<typeof instantiate>> {
  const module = await compile(new URL("../wasm/engine.wasm", import.meta.url));
  return () => instantiate(module);
}
