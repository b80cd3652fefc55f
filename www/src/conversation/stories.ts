// The same story told three ways: with continuous access evaluation, without it, and with short-lived tokens instead.
// Every token, refusal and lifetime is the engine's; what is counted here is how long access lasts that should have ended.

import type { Line, Stories, Story } from "../engine/types.ts";
import { readScenario, withTimes, writeScenario, type Scenario, type Step } from "./scenario.ts";

type Run = (scenario: string) => Line[];

/** A working day: how long clients go on asking for tokens at least. */
const DAY = 8 * 3_600;
/** The shortest lifetime that Microsoft Entra's token lifetime policies allow, in seconds. */
export const SHORT = 600;
/** No story needs more refreshes. */
const MOST = 200;

export function tellStories(text: string, run: Run): Stories {
  const read = readScenario(text);
  if (read === undefined) throw new TypeError("not a scenario");
  const scenario = withTimes(read);
  const lines = run(writeScenario(scenario));
  const horizon = Math.max(DAY, ...lines.map((line) => line.elapsed));
  return {
    horizon,
    stories: [
      continuous(scenario, lines, run, horizon),
      tokensOnly(scenario, run, horizon, "plain"),
      tokensOnly(scenario, run, horizon, "short"),
    ],
  };
}

/** The changes after which access that was given before should end, by position in the timeline. */
function changes(scenario: Scenario): number[] {
  const endsAccess = (step: Step) => {
    switch (step.step) {
      case "accountChange":
        return step["change"] !== "enabled" && !(step["change"] === "riskLevel" && step["level"] !== "high");
      case "event":
        return JSON.stringify(step["claims"] ?? {}).includes('"not-compliant"');
      case "networkChange":
        return true;
      default:
        return false;
    }
  };
  return scenario.timeline.flatMap((step, index) => (endsAccess(step) ? [index] : []));
}

const at = (step: Step | undefined): number => Number(step?.["at"] ?? 0);
const number = (value: unknown): number => (typeof value === "number" ? value : 0);

/** The last token that was issued until then, `undefined` if there is none that is still good. */
function tokenAt(lines: Line[], time: number, start: number): { expires: number } | undefined {
  const issued = lines.filter(
    (line) =>
      (line.kind === "signIn" || line.kind === "clientRetry") && line.token !== undefined && line.elapsed <= time,
  );
  const expires = number(issued.at(-1)?.token?.claims["exp"]) - start;
  return issued.length > 0 && expires > time ? { expires } : undefined;
}

/** Asks the resource again at moments at which the answer may have changed: until it refuses, access is at risk. */
function continuous(scenario: Scenario, lines: Line[], run: Run, horizon: number): Story {
  const risks = [];
  for (const index of changes(scenario)) {
    const step = scenario.timeline[index];
    const from = at(step);
    const token = tokenAt(lines, from, scenario.start);
    if (step === undefined || token === undefined) continue;
    const arrivals = lines
      .filter((line) => line.kind === "delivery" && line.elapsed >= from)
      .map((line) => line.elapsed);
    const moments = [...new Set([from, ...arrivals, token.expires])].sort((a, b) => a - b);
    const until = moments.find((moment) => isRefused(scenario, index, moment, run)) ?? token.expires;
    // A change that never stops a request takes no access away.
    if (until > from && until < token.expires) risks.push({ from, until });
    else if (until === token.expires && step.step !== "networkChange")
      risks.push({ from, until: Math.min(until, horizon) });
  }
  const asked = lines.filter(
    (line) => line.kind === "signIn" || (line.kind === "clientRetry" && line.issuerRequest !== undefined),
  );
  const prompts = scenario.timeline.filter(
    (step) => (step.step === "signIn" && step["interactive"] !== false) || step["interactive"] === true,
  ).length;
  return { kind: "continuous", ...count(risks), requests: asked.length, prompts };
}

const count = (risks: Story["risks"]) => ({
  risks,
  riskSeconds: risks.reduce((sum, { from, until }) => sum + until - from, 0),
});

/** Whether a request right after `moment` is refused, with what had happened until the change and the events since. */
function isRefused(scenario: Scenario, change: number, moment: number, run: Run): boolean {
  const asks = scenario.timeline.findLast(
    (step, index) => index < change && (step.step === "signIn" || step.step === "request"),
  );
  if (asks === undefined) return true;
  const before = scenario.timeline.slice(0, change + 1);
  const sameMoment = scenario.timeline.slice(change + 1).filter((step) => step.step === "event" && at(step) <= moment);
  const probe: Step = { step: "request", at: moment + 1, user: asks["user"] ?? null, client: asks["client"] ?? null };
  if (probe["user"] === null) delete probe["user"];
  const timeline = [...before, ...sameMoment, probe].map(({ expect: _, ...step }) => step as Step);
  const lines = run(writeScenario({ ...scenario, timeline }));
  return lines.findLast((line) => line.kind === "request")?.evaluation?.decision !== "allow";
}

/** Nobody tells the resource anything: a token is good until it expires, and only then is the issuer asked again. */
function tokensOnly(scenario: Scenario, run: Run, horizon: number, kind: "plain" | "short"): Story {
  const clients = Object.fromEntries(
    Object.entries(scenario.clients ?? {}).map(([name, client]) => [
      name,
      { ...client, capabilities: [], handlesChallenges: false },
    ]),
  );
  const facts = kind === "short" ? { lifetimePolicy: SHORT } : {};
  const isKept = (step: Step) => ["signIn", "accountChange", "networkChange"].includes(step.step);
  const bare = (step: Step): Step => {
    const { expect: _, ...rest } = step;
    return rest.step === "signIn"
      ? ({ ...rest, facts: { ...(typeof rest["facts"] === "object" ? rest["facts"] : {}), ...facts } } as Step)
      : (rest as Step);
  };
  let timeline = scenario.timeline.filter(isKept).map(bare);
  let lines: Line[] = [];
  // What was asked of the issuer because a token had expired, by time.
  const refreshes: number[] = [];
  let prompts = timeline.filter((step) => step.step === "signIn" && step["interactive"] !== false).length;
  for (let round = 0; round < MOST; round += 1) {
    lines = run(writeScenario({ ...scenario, clients, timeline }));
    const next = nextStep(timeline, lines, scenario.start, facts);
    if (next === undefined || at(next) > horizon) break;
    refreshes.push(at(next));
    if (next["interactive"] === true) prompts += 1;
    const later = timeline.findIndex((step) => at(step) > at(next));
    timeline = later < 0 ? [...timeline, next] : timeline.toSpliced(later, 0, next);
  }
  const risks = changes(scenario).flatMap((index) => {
    const from = at(scenario.timeline[index]);
    const token = tokenAt(lines, from, scenario.start);
    const refused = scenario.timeline[index]?.step !== "networkChange" || isStopped(lines, from);
    return token === undefined || !refused ? [] : [{ from, until: Math.min(token.expires, horizon) }];
  });
  return { kind, ...count(risks), requests: lines.filter((line) => line.kind === "signIn").length, prompts };
}

/** Whether the issuer refuses after that moment before anything else happens. */
const isStopped = (lines: Line[], from: number): boolean => {
  const next = lines.find((line) => line.kind === "signIn" && line.elapsed > from);
  return next !== undefined && next.token === undefined;
};

/** What a client does that nobody wrote down: a refresh when its token expires, a prompt when that was refused. */
function nextStep(timeline: Step[], lines: Line[], start: number, facts: object): Step | undefined {
  const asked = lines.filter((line) => line.kind === "signIn");
  for (const [index, line] of asked.entries()) {
    const next = answerTo(line, timeline[line.step], start, facts);
    const following = asked[index + 1];
    if (next !== undefined && (following === undefined || following.elapsed > at(next))) return next;
  }
  return undefined;
}

function answerTo(line: Line, asked: Step | undefined, start: number, facts: object): Step | undefined {
  if (asked === undefined) return undefined;
  const again = {
    step: "signIn",
    user: asked["user"] ?? null,
    client: asked["client"] ?? null,
    facts: { ...facts },
  } as Step;
  if (again["user"] === null) delete again["user"];
  if (line.token === undefined) {
    const prompts = asked["interactive"] === false && line.issuerAnswer?.result === "interactionRequired";
    return prompts ? { ...again, at: line.elapsed, interactive: true } : undefined;
  }
  return { ...again, at: Math.max(number(line.token.claims["exp"]) - start, line.elapsed), interactive: false };
}
