// Policies to begin with: two states of a small company, and three baselines in the style of those that are public.

import type { Json, JsonObject } from "../engine/types.ts";
import type { text } from "../text.ts";
import type { Contents, PolicySet } from "../workspace.svelte.ts";

export interface Example {
  name: keyof typeof text.examples;
  load(): Promise<Contents>;
}

type Raw = Promise<{ default: string }>;
const set = (name: string, policies: string, namedLocations: string): PolicySet => ({
  name,
  policies: [{ name, text: policies }],
  namedLocations,
});
const names = async (): Promise<Record<string, string>> => (await import("./names.json")).default;

function baseline(name: Example["name"], load: () => Raw): Example {
  return {
    name,
    async load() {
      const { policies, namedLocations } = JSON.parse((await load()).default) as {
        policies: Json;
        namedLocations: JsonObject[];
      };
      return {
        after: set(
          `${name}.json`,
          JSON.stringify({ value: policies }, null, 2),
          JSON.stringify({ value: namedLocations }, null, 2),
        ),
        names: await names(),
      };
    },
  };
}

export const EXAMPLES: [Example, ...Example[]] = [
  {
    name: "company",
    async load() {
      const [before, after, locations, signIns] = await Promise.all([
        import("../../../examples/what-if/before.json?raw"),
        import("../../../examples/what-if/after.json?raw"),
        import("../../../examples/what-if/named-locations.json?raw"),
        import("../../../examples/what-if/sign-ins.jsonl?raw"),
      ]);
      return {
        after: set("after.json", after.default, locations.default),
        before: set("before.json", before.default, locations.default),
        signIns: { name: "sign-ins.jsonl", text: signIns.default },
        names: await names(),
      };
    },
  },
  baseline("smallBusiness", () => import("./baseline-small-business.json?raw")),
  baseline("zeroTrust", () => import("./baseline-zero-trust.json?raw")),
  baseline("regulated", () => import("./baseline-regulated.json?raw")),
];
