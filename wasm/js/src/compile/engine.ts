/**
 * Engines with their configuration in their module.
 *
 * @module cae/compile
 */

import { type Configuration, SETTINGS, settingsOf } from "../configuration.js";
import { CaeError, fromBindings } from "../errors.js";
import { type Exports, instantiate } from "../wasm/engine.js";
import { withMemory } from "./snapshot.js";

/** The two modules that a compiled engine is made of. */
export interface Modules {
  /** `cae/engine.wasm`: reads the configuration. */
  readonly engine: Uint8Array;
  /** `cae/prepared.wasm`: the same without what reads one, to run in the memory of the first. */
  readonly prepared: Uint8Array;
}

/**
 * Makes the module of an engine that has its configuration in it: it starts in a moment, and is smaller than one that can
 * read any. `createEngine` takes it, compiled, in place of a configuration.
 *
 * Throws a `ConfigurationError` that lists every fault.
 */
export function compileEngine(configuration: Configuration | string, { engine, prepared }: Modules): Uint8Array {
  const text = typeof configuration === "string" ? configuration : JSON.stringify(configuration);
  const { prepare, exports } = instantiate(new WebAssembly.Module(engine.slice()));
  const { memory, __wbindgen_externrefs: references } = exports;
  const held = references.length;
  try {
    prepare(text);
  } catch (error) {
    throw fromBindings(error);
  }
  wipeFreeMemory(exports);
  if (references.length !== held) throw new CaeError("engine.fault", "the engine holds on to a value that no module can begin with");
  const settings = new TextEncoder().encode(JSON.stringify(settingsOf(text)));
  return withMemory(prepared, new Uint8Array(memory.buffer), SETTINGS, settings);
}

/** Sizes of the blocks in which free memory is taken, in bytes. */
const LARGE = [65_536, 16_384, 4_096, 1_024];
const SMALL = [256, 64, 32];

/**
 * Takes all of the free memory and gives it back, which a module that prepares wipes. What its allocator noted between
 * blocks that are free by now would be half of the data otherwise.
 */
function wipeFreeMemory(exports: Exports): void {
  takeAndGive(exports, [...LARGE, ...SMALL]);
  // Small blocks leave notes of their own.
  takeAndGive(exports, LARGE);
}

function takeAndGive({ memory, __wbindgen_malloc: take, __wbindgen_free: give }: Exports, sizes: readonly number[]): void {
  const taken: (readonly [place: number, size: number])[] = [];
  for (const size of sizes) {
    const before = memory.buffer.byteLength;
    // A memory that grows has no free block of this size any more.
    while (memory.buffer.byteLength === before) taken.push([take(size, 4), size]);
  }
  for (const [place, size] of taken) give(place, size, 4);
}
