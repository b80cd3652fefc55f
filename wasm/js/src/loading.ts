import { load as loadEngine } from "#engine";
import { load as loadTools } from "#tools";

import { CaeError } from "./errors.js";
import type { CompiledModule, ModuleSource } from "./module.js";
import { instantiate as instantiateEngine } from "./wasm/engine.js";
import { instantiate as instantiateTools } from "./wasm/tools.js";

/** One instance of the module at the edge. */
export type EngineModule = ReturnType<typeof instantiateEngine>;
/** One instance of the module with everything. */
export type ToolsModule = ReturnType<typeof instantiateTools>;
/** One instance of either. */
export type DecidingModule = Pick<EngineModule, "Engine" | "mergeRecords">;

/** A module that is loaded when it is first needed, and once; what failed is tried again by who comes next. */
class Lazy<M> {
  #loading: Promise<() => M> | undefined;

  constructor(
    /** Loads the one that suits this runtime, which need not be the one that may be given. */
    private readonly load: () => Promise<() => M>,
    private readonly instantiate: (module: CompiledModule) => M,
  ) {}

  /**
   * Makes instances, each of which fails alone; of what is given, if the module is loaded another way. What needs an
   * instance and is given nothing, such as a store, takes the first that was.
   */
  async factory(given?: ModuleSource): Promise<() => M> {
    if (isModule(given)) {
      const make = (): M => this.instantiate(given);
      this.#loading ??= Promise.resolve(make);
      return make;
    }
    try {
      this.#loading ??= given === undefined ? this.load() : this.#loaded(given);
      return await this.#loading;
    } catch (cause) {
      this.#loading = undefined;
      throw cause instanceof CaeError ? cause : new CaeError("engine.load", "the engine could not be loaded", { cause });
    }
  }

  async #loaded(load: () => Promise<CompiledModule>): Promise<() => M> {
    const module = await load();
    return () => this.instantiate(module);
  }
}

export const engineModule = new Lazy<DecidingModule>(loadEngine, instantiateEngine);
export const toolsModule = new Lazy<ToolsModule>(loadTools, instantiateTools);

export function isModule(value: unknown): value is CompiledModule {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Module]";
}

/** Makes instances of a compiled engine, which reads no other configuration, but merges records for everybody. */
export function compiledFactory(module: CompiledModule): () => EngineModule {
  compiledOnce ??= module;
  return () => instantiateEngine(module);
}

let compiledOnce: CompiledModule | undefined;
let merging: Promise<Merge> | undefined;

/** Merges two records. */
export type Merge = (a: Uint8Array, b: Uint8Array) => Uint8Array;

/**
 * The join of two records, for stores.
 *
 * It throws on bytes that are no record.
 */
export function merger(given?: ModuleSource): Promise<Merge> {
  merging ??= makeMerger(given).catch((error: unknown) => {
    merging = undefined;
    throw error;
  });
  return merging;
}

async function makeMerger(given?: ModuleSource): Promise<Merge> {
  const known = given ?? compiledOnce;
  const make: () => DecidingModule = isModule(known) ? () => instantiateEngine(known) : await engineModule.factory(known);
  let module = make();
  return (a, b) => {
    let merged: Uint8Array | undefined;
    try {
      merged = module.mergeRecords(a, b);
    } catch (cause) {
      module = make();
      throw new CaeError("engine.fault", "the engine could not merge two records", { cause });
    }
    if (merged === undefined) throw new CaeError("store", "what is stored, or is to be merged, is no record");
    return merged;
  };
}
