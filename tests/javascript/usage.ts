// Compiled, never run: a host in TypeScript that handles every case, and mistakes that must not compile.

import { Engine, checkPolicies, matchLocations, version } from "../../target/cae/js/nodejs/cae.js";
import type {
  Change,
  ConfigurationError,
  Fault,
  Needs,
  RecordAnswer,
  SignatureNeed,
  Verdict,
} from "../../target/cae/js/nodejs/cae.js";

interface Store {
  get(key: string): Promise<RecordAnswer>;
  merge(changes: readonly Change[]): Promise<void>;
}

interface Host {
  store: Store;
  verify(need: SignatureNeed, token: string): Promise<boolean>;
  fetchKeys(issuer: string): Promise<string>;
}

export function start(configuration: string): Engine | readonly Fault[] {
  try {
    return new Engine(configuration, 7n);
  } catch (error) {
    return (error as ConfigurationError).faults;
  }
}

export async function authorize(engine: Engine, host: Host, token: string, now: number, ip: string): Promise<Verdict> {
  const begun = engine.begin(token, now, "decision");
  switch (begun.kind) {
    case "refused":
      return begun.verdict;
    case "needs":
      return decide(engine, host, token, begun.handle, begun.needs, now, ip);
  }
}

async function decide(
  engine: Engine,
  host: Host,
  token: string,
  handle: number,
  needs: Needs,
  now: number,
  ip: string,
): Promise<Verdict> {
  const signature = needs.signature && (await host.verify(needs.signature, token));
  const records = await Promise.all(needs.records.map((key) => host.store.get(key)));
  const decided = engine.decide(handle, now, ip, undefined, "/orders", signature, records, {
    facts: { memberOf: ["group"], userType: "guest", deviceCompliant: true },
    signalAge: [{ issuer: "https://ssf.example", seconds: 12 }],
    detail: "decision",
  });
  switch (decided.kind) {
    case "stale":
      return authorize(engine, host, token, now, ip);
    case "verdict":
      await host.store.merge(decided.verdict.changes);
      return decided.verdict;
  }
}

export async function receive(engine: Engine, host: Host, set: string, receivedAt: number): Promise<string> {
  const reading = engine.readEvent(set, receivedAt);
  switch (reading.kind) {
    case "needsSignature": {
      const valid = await host.verify(reading.signature, set);
      return engine.readEvent(set, receivedAt, valid ? "valid" : "invalid").kind;
    }
    case "needsKey": {
      const faults = engine.setKeys(reading.key.issuer, await host.fetchKeys(reading.key.issuer));
      return faults.map((fault) => `${fault.at} ${fault.code} ${fault.message}`).join("\n");
    }
    case "accepted":
      await host.store.merge(reading.changes);
      return reading.jti;
    case "rejected":
      return reading.code;
  }
}

export function tools(): string[] {
  const located: string = matchLocations("[]", ["192.0.2.1"]);
  return [checkPolicies([{ name: "policy.json", text: "{}" }]), located, version()];
}

export function mistakes(engine: Engine): void {
  // @ts-expect-error a forgotten answer is not "no record"
  engine.decide(1, 0, undefined, undefined, undefined, true, [undefined]);
  // @ts-expect-error the answer is one of three
  engine.readEvent("", 0, "yes");
  // @ts-expect-error the seed is 64 bits wide
  new Engine("{}", 7);
  const decided = engine.decide(1, 0, undefined, undefined, undefined, true, []);
  // @ts-expect-error a stale handle has no verdict
  decided.verdict;
}
