// What the engine answers, as far as the page looks into it.

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

/** One thing that is wrong in a document: the codes and pointers of the command line. */
export interface Fault {
  file?: string;
  at: string;
  code: string;
  message: string;
}

export interface Lane {
  role: "administrator" | "user" | "client" | "issuer" | "transmitter" | "resource";
  name?: string;
}

export interface Signed {
  compact: string;
  header: JsonObject;
  claims: JsonObject;
}

/** One exchange of messages of a run; times in seconds. */
export interface Line {
  step: number;
  time: number;
  elapsed: number;
  kind:
    | "signIn"
    | "clientRetry"
    | "request"
    | "event"
    | "delivery"
    | "accountChange"
    | "policyChange"
    | "stateClear"
    | "networkChange"
    | "keyRotation"
    | "advance";
  from: Lane;
  to: Lane;
  summary: string;
  note?: string;
  token?: Signed & { name: string | null };
  event?: Signed & { issued: number; delivery: number | null };
  request?: JsonObject;
  evaluation?: Evaluation;
  wwwAuthenticate?: string;
  claimsRequest?: Json;
  issuerRequest?: JsonObject;
  issuerAnswer?: JsonObject & { result?: string; lifetimeSeconds?: number | null; code?: string | null };
  eventReading?: JsonObject;
  faults?: Fault[];
  expectations: { key: string; expected: Json; found: Json; holds: boolean }[];
}

export interface Evaluation extends JsonObject {
  decision: "allow" | "challenge" | "deny";
  status: number;
  reasons: JsonObject[];
}

export interface NamedText {
  name: string;
  text: string;
}

/** The policies of a tenant and what they refer to. */
export interface Tenant {
  policies: NamedText[];
  namedLocations?: string | undefined;
  applicationGroups?: string | undefined;
}

export type Result = "grant" | "challenge" | "block";
export const CHANGES = [
  "newBlocks",
  "newGrants",
  "liftedBlocks",
  "newChallenges",
  "changedRequirements",
  "changedSession",
  "changedCertainty",
] as const;
export type Change = (typeof CHANGES)[number];

export interface State {
  result: Result;
  unmet: string[];
  uncertain: boolean;
}

/** One sign-in of a what-if. */
export interface SignIn {
  /** Number of its line, from 1. */
  line: number;
  id: string;
  person: string;
  application: string;
  network: string;
  /** What the three are called, of a sign-in that was made from the policies. */
  labels?: [string, string, string];
  after: State;
  before?: State;
  change?: Change;
}

export interface PolicyName {
  id: string | null;
  displayName: string | null;
  state: string;
  notUnderstood: string[];
}

export interface DocumentPair {
  id: string | null;
  displayName: string | null;
  change: "added" | "removed" | "changed" | "unchanged";
  members: string[];
}

export interface WhatIfAnswer {
  signIns: SignIn[];
  faulty: { line: number; error: string }[];
  policies: PolicyName[];
  compared: DocumentPair[];
  /** How the sign-ins were made, if nobody gave any. */
  made?: { signIns: number; people: number; targets: number; places: number; thinned: boolean };
  milliseconds: number;
}

export interface PolicyAnswer {
  id?: string;
  index?: number;
  displayName: string | null;
  applies: "yes" | "no" | "undetermined";
  analysisReasons: string[];
  unknown: string[];
  result: string;
}

/** One sign-in with every policy. */
export interface Explanation {
  result: Result;
  unmet: string[];
  policies: PolicyAnswer[];
  sessionControls: JsonObject;
}

export interface Explained {
  signIn: JsonObject;
  after: Explanation;
  before?: Explanation;
}

export interface CheckedPolicy {
  file: string;
  index: number;
  id: string | null;
  displayName: string | null;
  state: string;
  enforcedAtResource: string[];
  onlyAtIssuer: string[];
  notUnderstood: string[];
  warnings: string[];
}

export interface Checked {
  ok: boolean;
  policies: CheckedPolicy[];
  warnings: string[];
  faults: Fault[];
}

/** What is wrong with a document, and what is likely not meant. */
export interface Checks {
  faults: Fault[];
  warnings: string[];
}

/** Time at risk and effort of one way of doing it. */
export interface Story {
  kind: "continuous" | "plain" | "short";
  /** Seconds from the start: from a change until the old access ends. */
  risks: { from: number; until: number }[];
  riskSeconds: number;
  requests: number;
  prompts: number;
}
export interface Stories {
  /** Seconds that are looked at. */
  horizon: number;
  stories: Story[];
}

/** What the worker can be asked. */
export interface Calls {
  run(scenario: string): Line[];
  stories(scenario: string): Stories;
  whatIf(after: Tenant, before: Tenant | undefined, signIns: string | undefined): WhatIfAnswer;
  explain(line: number): Explained;
  report(states: { before: string; after: string; signIns: string | null }, names: Record<string, string>): string;
  checkPolicies(tenant: Tenant): Checked;
  matchLocations(namedLocations: string, addresses: string[]): Json;
  /** `byNetwork`: whether the policy has a condition on the network at all. */
  hitPolicies(tenant: Tenant, address: string): (PolicyAnswer & { byNetwork: boolean })[];
  check(kind: DocumentKind, documentText: string, tenant: Tenant): Checks;
  schemas(): { configuration: JsonObject; scenario: JsonObject };
}

export type DocumentKind = "policies" | "namedLocations" | "scenario" | "configuration";
