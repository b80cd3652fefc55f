import { CaeError } from "../errors.js";

/** Which engine a worker carries, it says itself: one with its configuration in it is smaller and starts sooner. */
export const load = (): Promise<never> =>
  Promise.reject(
    new CaeError("engine.load", "in a worker, hand over an engine that cae-compile made, or `cae/engine.wasm` as `module` of createEngine"),
  );
