// The stories to begin with: one of our own, and the flows that the tests of the engine run.

import type { text } from "../text.ts";

export type StoryName = Exclude<keyof typeof text.conversation.stories, "own">;

interface Known {
  name: StoryName;
  load(): Promise<string>;
}

type Loaded = Promise<{ default: string }>;
const read = (name: StoryName, load: () => Loaded): Known => ({ name, load: async () => (await load()).default });

export const STORIES: [Known, ...Known[]] = [
  read("lostLaptop", () => import("../examples/lost-laptop.json?raw")),
  read("revocation", () => import("../../../tests/scenarios/user-revocation.json?raw")),
  read("conditionChange", () => import("../../../tests/scenarios/condition-change.json?raw")),
  read("disabled", () => import("../../../tests/scenarios/critical-event-account-disabled.json?raw")),
  read("highRisk", () => import("../../../tests/scenarios/critical-event-high-risk.json?raw")),
  read("splitTunnel", () => import("../../../tests/scenarios/split-tunnel-and-thief.json?raw")),
  read("outOfOrder", () => import("../../../tests/scenarios/late-twice-out-of-order.json?raw")),
  read("withoutCapability", () => import("../../../tests/scenarios/client-without-cp1.json?raw")),
  read("keycloak", () => import("../../../tests/scenarios/keycloak.json?raw")),
];
