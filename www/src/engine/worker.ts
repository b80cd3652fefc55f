// The engine, away from the page: the only file that knows the WebAssembly module.

import init, {
  WhatIf,
  checkPolicies,
  checkScenario,
  configurationSchema,
  Engine,
  matchLocations,
  runScenario,
  scenarioSchema,
} from "#simulator/simulator.js";
import module from "#simulator/simulator_bg.wasm?url";

import { tellStories } from "../conversation/stories.ts";
import type { Answer } from "./engine.ts";
import { text } from "../text.ts";
import type {
  Calls,
  Checked,
  Checks,
  Explanation,
  Fault,
  Json,
  JsonObject,
  Line,
  PolicyAnswer,
  SignIn,
  State,
  Tenant,
  WhatIfAnswer,
} from "./types.ts";
import { dimensions } from "./sign-ins.ts";

/** What the last what-if was about, for explanations and the report. */
let current: { both: WhatIf; after: WhatIf; before: WhatIf | undefined; lines: string[] } | undefined;

const parsedLines = <T>(text: string): T[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);

const run = (scenario: string): Line[] => parsedLines<Line>(runScenario(scenario)).slice(0, -1);

/** Sign-ins of one call, so that an answer is never larger than a few megabytes. */
const CHUNK = 500;

function whatIf(after: Tenant, before: Tenant | undefined, signIns: string | undefined): WhatIfAnswer {
  const begun = performance.now();
  const both = before === undefined ? new WhatIf(after) : new WhatIf(after, before);
  const made =
    signIns === undefined
      ? (JSON.parse(both.representatives()) as { lines: string } & NonNullable<WhatIfAnswer["made"]>)
      : undefined;
  const lines = (signIns ?? made?.lines ?? "").split("\n");
  const answer: WhatIfAnswer = { ...JSON.parse(both.describe()), signIns: [], faulty: [], milliseconds: 0 };
  for (let first = 0; first < lines.length; first += CHUNK) {
    const chunk = lines.slice(first, first + CHUNK);
    const results = parsedLines<
      { id: Json; after: State; before?: State; change?: SignIn["change"] } | { line: number; error: string }
    >(both.results(chunk.join("\n"), first + 1));
    let at = 0;
    chunk.forEach((line, offset) => {
      if (line.replace(/^\uFEFF/, "").trim() === "") return;
      const result = results[at++];
      if (result === undefined) return;
      if ("error" in result) answer.faulty.push(result);
      else
        answer.signIns.push({
          ...result,
          line: first + offset + 1,
          id: String(result.id ?? ""),
          ...dimensions(line, made !== undefined),
        });
    });
  }
  answer.milliseconds = performance.now() - begun;
  if (made !== undefined)
    answer.made = {
      signIns: made.signIns,
      people: made.people,
      targets: made.targets,
      places: made.places,
      thinned: made.thinned,
    };
  for (const old of new Set([current?.both, current?.after, current?.before])) old?.free();
  current = {
    both,
    after: before === undefined ? both : new WhatIf(after),
    before: before === undefined ? undefined : new WhatIf(before),
    lines,
  };
  return answer;
}

function explained(of: WhatIf, line: string): Explanation {
  return JSON.parse(of.evaluate(line, 1, true).lines) as Explanation;
}

/** The policies of a tenant with nothing but their condition on locations, asked about one address. */
function hitPolicies(tenant: Tenant, address: string): (PolicyAnswer & { byNetwork: boolean })[] {
  const byNetwork: boolean[] = [];
  const bare = tenant.policies.map(({ name, text }) => {
    const document = JSON.parse(text) as Json;
    const list = (
      Array.isArray(document)
        ? document
        : isObject(document) && Array.isArray(document["value"])
          ? document["value"]
          : [document]
    ) as JsonObject[];
    const only = list.map((policy) => {
      const conditions = isObject(policy["conditions"]) ? policy["conditions"] : {};
      const locations = conditions["locations"];
      byNetwork.push(isObject(locations));
      return {
        ...policy,
        conditions: {
          users: { includeUsers: ["All"] },
          applications: { includeApplications: ["All"] },
          clientAppTypes: ["all"],
          ...(locations === undefined ? {} : { locations }),
        },
      };
    });
    return { name, text: JSON.stringify(only) };
  });
  const one = new WhatIf({ ...tenant, policies: bare });
  const signIn = {
    signInIdentity: { "@odata.type": "#microsoft.graph.userSignIn", userId: "anybody" },
    signInContext: { "@odata.type": "#microsoft.graph.applicationContext", includeApplications: ["anything"] },
    signInConditions: { ipAddress: address, clientAppType: "browser" },
    memberOf: [],
    roles: [],
    userType: "member",
    satisfied: [],
  };
  const answer = explained(one, JSON.stringify(signIn));
  one.free();
  return answer.policies.map((policy, index) => ({ ...policy, byNetwork: byNetwork[index] ?? false }));
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const faultsOf = (attempt: () => void): Fault[] => {
  try {
    attempt();
    return [];
  } catch (error) {
    const faults = (error as { faults?: Fault[] }).faults;
    if (faults === undefined) throw error;
    return faults;
  }
};

function checkedPolicies(tenant: Tenant): Checks {
  const { policies, warnings, faults } = JSON.parse(
    checkPolicies(tenant.policies, tenant.namedLocations, tenant.applicationGroups),
  ) as Checked;
  const ofPolicies = policies.flatMap((policy) => {
    const name = policy.displayName ?? policy.id ?? String(policy.index + 1);
    return [
      ...policy.warnings.map((warning) => `${name}: ${warning}`),
      ...(policy.notUnderstood.length > 0 ? [text.editor.notUnderstood(name, policy.notUnderstood)] : []),
    ];
  });
  return { faults, warnings: [...warnings, ...ofPolicies] };
}

const calls: Calls = {
  run,
  stories: (scenario) => tellStories(scenario, run),
  whatIf,
  explain(line) {
    const text = current?.lines[line - 1];
    if (current === undefined || text === undefined) throw new TypeError("no such sign-in");
    const answer = { signIn: JSON.parse(text) as JsonObject, after: explained(current.after, text) };
    return current.before === undefined ? answer : { ...answer, before: explained(current.before, text) };
  },
  report(states, names) {
    if (current === undefined) throw new TypeError("nothing is compared");
    return current.both.report(
      current.lines.join("\n"),
      states.before,
      states.after,
      states.signIns,
      JSON.stringify(names),
    );
  },
  checkPolicies: (tenant) =>
    JSON.parse(checkPolicies(tenant.policies, tenant.namedLocations, tenant.applicationGroups)),
  matchLocations: (namedLocations, addresses) => JSON.parse(matchLocations(namedLocations, addresses)),
  hitPolicies,
  check(kind, documentText, tenant) {
    switch (kind) {
      case "policies":
        return checkedPolicies({ ...tenant, policies: [{ name: "policies", text: documentText }] });
      case "namedLocations":
        return JSON.parse(matchLocations(documentText, [])) as Checks;
      case "scenario":
        return { faults: faultsOf(() => checkScenario(documentText)), warnings: [] };
      case "configuration":
        return { faults: faultsOf(() => new Engine(documentText, 0n).free()), warnings: [] };
    }
  },
  schemas: () => ({ configuration: JSON.parse(configurationSchema()), scenario: JSON.parse(scenarioSchema()) }),
};

const ready = init({ module_or_path: module });

self.onmessage = async ({
  data: { id, name, given },
}: MessageEvent<{ id: number; name: keyof Calls; given: never[] }>) => {
  let answer: Answer;
  try {
    await ready;
    answer = { id, value: (calls[name] as (...given: never[]) => unknown)(...given) };
  } catch (error) {
    const { message, faults } = error as { message?: string; faults?: Fault[] };
    answer = { id, error: message ?? String(error), faults: faults ?? [] };
  }
  self.postMessage(answer);
};
