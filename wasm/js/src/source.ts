import { type Configuration, type Settings, settingsIn, settingsOf } from "./configuration.js";
import { CaeError, fromBindings } from "./errors.js";
import { type EngineModule, compiledFactory, engineModule, isModule } from "./loading.js";
import type { CompiledModule, ModuleSource } from "./module.js";

export type Instance = InstanceType<EngineModule["Engine"]>;

/** Where the instances of an engine come from: one that trapped is replaced by another. */
export interface Source {
  /** Of a configuration that was accepted: asked once an instance started. */
  readonly settings: () => Settings;
  /** Absent where the configuration was compiled into the module. */
  readonly configuration: string | undefined;
  readonly start: () => Instance;
}

/** From a configuration, or from a module that `cae-compile` made of one. */
export async function sourceOf(given: Configuration | string | CompiledModule, module?: ModuleSource): Promise<Source> {
  if (isModule(given)) return compiled(given);
  const configuration = typeof given === "string" ? given : JSON.stringify(given);
  const make = await engineModule.factory(module);
  return { configuration, settings: () => settingsOf(configuration), start: () => start(make, configuration) };
}

function compiled(module: CompiledModule): Source {
  const settings = settingsIn(module);
  if (settings === undefined) throw new CaeError("argument", "the module is not one that cae-compile made");
  const make = compiledFactory(module);
  const take = (): Instance => {
    const instance = loaded(make).prepared(seed());
    if (instance === undefined) throw new CaeError("engine.load", "the module holds no engine");
    return instance;
  };
  return { configuration: undefined, settings: () => settings, start: take };
}

/** Makes an instance that reads its configuration. */
export function start(make: () => Pick<EngineModule, "Engine">, configuration: string): Instance {
  const module = loaded(make);
  try {
    return new module.Engine(configuration, seed());
  } catch (error) {
    throw fromBindings(error);
  }
}

function loaded<M>(make: () => M): M {
  try {
    return make();
  } catch (cause) {
    throw new CaeError("engine.load", "the engine could not be started", { cause });
  }
}

const seed = (): bigint => crypto.getRandomValues(new BigUint64Array(1))[0]!;
