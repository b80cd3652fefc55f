import type { CompiledModule } from "./module.js";
import type { Configuration } from "./wasm/configuration.js";

export type { Configuration };

/** What the conversation reads of a configuration that was accepted. */
export interface Settings {
  readonly onError: "allow" | "deny";
  readonly keySources: readonly (readonly [issuer: string, uri: string])[];
  /** Whether a decision depends on the path of the request. */
  readonly readsPath: boolean;
  /** Whether one may depend on the country that it comes from. */
  readonly readsCountry: boolean;
  /** Whether some policy asks something of the application, which it is told with every answer. */
  readonly hasSessionControls: boolean;
}

/** The section of a compiled engine's module that holds its settings, as JSON. */
export const SETTINGS = "cae.settings";

/** The settings of a compiled engine; `undefined` if the module is none. */
export function settingsIn(module: CompiledModule): Settings | undefined {
  const [section] = WebAssembly.Module.customSections(module as WebAssembly.Module, SETTINGS);
  return section && (JSON.parse(new TextDecoder().decode(section)) as Settings);
}

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Session controls that are enforced at the issuer or by the engine. */
const ENFORCED = new Set(["signInFrequency", "continuousAccessEvaluation"]);

/** Reads a configuration (JSON) that the engine accepted. */
export function settingsOf(configuration: string): Settings {
  const read: unknown = JSON.parse(configuration);
  const { issuers, transmitters = [], settings = {} } = read as {
    issuers: { issuer: string; jwksUri?: string }[];
    transmitters?: { issuer: string; jwksUri?: string }[];
    settings?: { onError?: string; countryAtResource?: boolean; requiredScopes?: object; requiredAuthenticationContexts?: object };
  };
  const { onError, countryAtResource = false, requiredScopes = {}, requiredAuthenticationContexts = {} } = settings;
  return {
    onError: onError === "allow" ? "allow" : "deny",
    keySources: [...transmitters, ...issuers].flatMap(({ issuer, jwksUri }) => (jwksUri === undefined ? [] : [[issuer, jwksUri] as const])),
    readsPath: Object.keys({ ...requiredScopes, ...requiredAuthenticationContexts }).length > 0,
    readsCountry: countryAtResource,
    hasSessionControls: holdsSessionControls(read as Json),
  };
}

function holdsSessionControls(value: Json): boolean {
  if (Array.isArray(value)) return value.some(holdsSessionControls);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([name, member]) => {
    const isControls = name === "sessionControls" && typeof member === "object" && member !== null;
    if (isControls && Object.entries(member).some(([control, it]) => it !== null && !ENFORCED.has(control))) return true;
    return holdsSessionControls(member);
  });
}
