// A scenario file, as far as the page changes it.

import type { Json, JsonObject } from "../engine/types.ts";

export interface Step extends JsonObject {
  step: string;
}

export interface User extends JsonObject {
  issuer: string;
  objectId: string;
}

export interface Scenario {
  $schema?: string;
  title: string;
  description: string;
  seed?: number;
  start: number;
  issuers: Record<string, JsonObject & { issuer: string }>;
  transmitters?: Record<string, JsonObject & { issuer: string }>;
  devices?: Record<string, JsonObject & { id: string }>;
  users?: Record<string, User>;
  clients?: Record<string, JsonObject & { applicationId: string }>;
  engine: JsonObject;
  timeline: Step[];
}

/** Reads a scenario far enough to be changed here; the engine reads it strictly before it runs. */
export function readScenario(json: string): Scenario | undefined {
  try {
    const read = JSON.parse(json) as Partial<Scenario> | null;
    const usable =
      typeof read === "object" &&
      read !== null &&
      Array.isArray(read.timeline) &&
      typeof read.start === "number" &&
      isMap(read.issuers) &&
      isMap(read.engine);
    return usable ? (read as Scenario) : undefined;
  } catch {
    return undefined;
  }
}

const isMap = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

export const writeScenario = (scenario: Scenario): string => `${JSON.stringify(scenario, null, 2)}\n`;

const seconds = (value: Json | undefined): number => (typeof value === "number" ? value : 0);

/** When each step happens, in seconds from the start. */
export function times(scenario: Scenario): number[] {
  let time = 0;
  return scenario.timeline.map((step) => (time = "at" in step ? seconds(step["at"]) : time + seconds(step["after"])));
}

/** The same scenario with the time of every step counted from the start. */
export function withTimes(scenario: Scenario): Scenario {
  const at = times(scenario);
  const timeline = scenario.timeline.map((step, index) => {
    const { after: _, ...rest } = step;
    return { ...rest, at: at[index] ?? 0 } as Step;
  });
  return { ...scenario, timeline };
}
