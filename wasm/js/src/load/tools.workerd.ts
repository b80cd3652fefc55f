import { CaeError } from "../errors.js";

/** A worker would carry the larger module with every upload: one that explains brings it itself. */
export const load = (): Promise<never> =>
  Promise.reject(new CaeError("engine.load", "in a worker, hand over `cae/tools.wasm` as `toolsModule` of createEngine"));
