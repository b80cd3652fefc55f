import { instantiate } from "../wasm/tools.js";
import { compile } from "./fetch.js";

/** Fetches the module from beside the script. */
export async function load(): Promise<() => ReturnType<typeof instantiate>> {
  const module = await compile(new URL("../wasm/tools.wasm", import.meta.url));
  return () => instantiate(module);
}
