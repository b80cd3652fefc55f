// What can happen next in a story: each action adds steps to the scenario. What comes of them is the engine's affair.

import type { JsonObject } from "../engine/types.ts";
import { times, type Scenario, type Step } from "./scenario.ts";

export const ACTIONS = [
  "signIn",
  "request",
  "retry",
  "retryInteractive",
  "revoke",
  "disable",
  "password",
  "mfa",
  "risk",
  "device",
  "leave",
  "comeBack",
] as const;
export type Action = (typeof ACTIONS)[number];

/** How the next event travels. */
export interface Delivery {
  /** Seconds from the event to its arrival. */
  delay: number;
  twice: boolean;
}

const CAEP = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC = "https://schemas.openid.net/secevent/risc/event-type/";

/** Who acts: the first user and the first client that signs users in. */
export function actors(scenario: Scenario): { user: string; client: string } | undefined {
  const user = Object.keys(scenario.users ?? {})[0];
  const client = Object.entries(scenario.clients ?? {}).find(([, client]) => !("application" in client))?.[0];
  return user === undefined || client === undefined ? undefined : { user, client };
}

/** Whether an action makes sense in this scenario: events need a transmitter, devices a device. */
export function isPossible(scenario: Scenario, action: Action): boolean {
  if (actors(scenario) === undefined) return false;
  const tells = Object.keys(scenario.transmitters ?? {}).length > 0;
  switch (action) {
    case "signIn":
    case "request":
    case "retry":
    case "retryInteractive":
    case "leave":
    case "comeBack":
      return true;
    case "device":
      return tells && deviceOf(scenario) !== undefined;
    default:
      return tells;
  }
}

function deviceOf(scenario: Scenario): string | undefined {
  const user = scenario.users?.[actors(scenario)?.user ?? ""];
  const name = user?.["device"];
  return typeof name === "string" ? scenario.devices?.[name]?.id : undefined;
}

/** Where somebody is who is in no office: an address for documentation (RFC 5737). */
const AWAY = "192.0.2.44";

/** Adds an action `pause` seconds after the last step. */
export function act(scenario: Scenario, action: Action, pause: number, delivery: Delivery): Scenario {
  const who = actors(scenario);
  if (who === undefined) return scenario;
  const at = (times(scenario).at(-1) ?? -pause) + pause;
  const steps = stepsOf(scenario, action, { ...who, at, delivery });
  return { ...scenario, timeline: [...scenario.timeline, ...steps] };
}

interface Circumstances {
  user: string;
  client: string;
  at: number;
  delivery: Delivery;
}

function stepsOf(scenario: Scenario, action: Action, { user, client, at, delivery }: Circumstances): Step[] {
  const event = (type: string, claims: JsonObject, complex = false) =>
    eventStep(scenario, user, at, delivery, type, claims, complex);
  const change = (change: string, more: JsonObject = {}): Step => ({
    step: "accountChange",
    at,
    user,
    change,
    ...more,
  });
  const now = { event_timestamp: scenario.start + at };
  switch (action) {
    case "signIn":
      return [{ step: "signIn", at, user, client }];
    case "request":
      return [{ step: "request", at, user, client }];
    case "retry":
      return [{ step: "clientRetry", at, user, client }];
    case "retryInteractive":
      return [{ step: "clientRetry", at, user, client, interactive: true }];
    case "revoke":
      return [change("sessionsRevoked"), event(`${CAEP}session-revoked`, { ...now, initiating_entity: "admin" })];
    case "disable":
      return [change("disabled"), event(`${RISC}account-disabled`, {})];
    case "password":
      return [
        change("passwordResetByUser"),
        event(`${CAEP}credential-change`, { credential_type: "password", change_type: "update", ...now }),
      ];
    case "mfa":
      return [
        change("mfaEnabled"),
        event(`${CAEP}credential-change`, {
          credential_type: "app",
          change_type: "create",
          friendly_name: "Authenticator",
          ...now,
        }),
      ];
    case "risk":
      return [
        change("riskLevel", { level: "high" }),
        event(`${CAEP}risk-level-change`, {
          principal: "USER",
          current_level: "HIGH",
          previous_level: "LOW",
          risk_reason: "Leaked credentials",
          ...now,
        }),
      ];
    case "device":
      return [
        event(
          `${CAEP}device-compliance-change`,
          { previous_status: "compliant", current_status: "not-compliant", initiating_entity: "policy", ...now },
          true,
        ),
      ];
    case "leave":
      return [{ step: "networkChange", at, user, network: { issuerSees: AWAY, resourceSees: AWAY } }];
    case "comeBack":
      return [{ step: "networkChange", at, user, network: home(scenario, user) }];
  }
}

const home = (scenario: Scenario, user: string): JsonObject => {
  const network = scenario.users?.[user]?.["network"];
  return typeof network === "object" && network !== null && !Array.isArray(network) ? network : {};
};

function eventStep(
  scenario: Scenario,
  user: string,
  at: number,
  delivery: Delivery,
  type: string,
  claims: JsonObject,
  complex: boolean,
): Step {
  const account = scenario.users?.[user];
  const iss = scenario.issuers[account?.issuer ?? ""]?.issuer ?? "";
  const subject = { format: "iss_sub", iss, sub: account?.objectId ?? "" };
  const device = deviceOf(scenario);
  const step: Step = {
    step: "event",
    at,
    transmitter: Object.keys(scenario.transmitters ?? {})[0] ?? "",
    claims: {
      events: { [type]: claims },
      sub_id:
        complex && device !== undefined
          ? { format: "complex", device: { format: "iss_sub", iss, sub: device }, user: subject }
          : subject,
    },
  };
  if (delivery.delay === 0 && !delivery.twice) return step;
  const deliveries = [{ after: delivery.delay }, ...(delivery.twice ? [{ after: delivery.delay + 60 }] : [])];
  return { ...step, deliveries };
}

/** The last event of a story, `undefined` if there is none. */
export const lastEvent = (scenario: Scenario): number | undefined => {
  const index = scenario.timeline.findLastIndex((step) => step.step === "event");
  return index < 0 ? undefined : index;
};

function deliveriesOf(step: Step): { after: number }[] {
  const given = step["deliveries"];
  return Array.isArray(given) ? (given as { after: number }[]) : [{ after: 0 }];
}

const replaceEvent = (
  scenario: Scenario,
  deliveries: (known: { after: number }[]) => { after: number }[],
): Scenario => {
  const index = lastEvent(scenario);
  if (index === undefined) return scenario;
  const timeline = scenario.timeline.map((step, position) => {
    if (position !== index) return step;
    const { expect: _, ...rest } = step;
    return { ...rest, deliveries: deliveries(deliveriesOf(step)) } as Step;
  });
  return { ...scenario, timeline };
};

/** Makes the last event arrive later. */
export const delayLastEvent = (scenario: Scenario, seconds: number): Scenario =>
  replaceEvent(scenario, (known) => known.map(({ after, ...rest }) => ({ ...rest, after: (after ?? 0) + seconds })));

/** Makes the last event arrive once more. */
export const duplicateLastEvent = (scenario: Scenario): Scenario =>
  replaceEvent(scenario, (known) => [...known, { after: Math.max(...known.map(({ after }) => after ?? 0)) + 30 }]);
