// The module as Node loads it.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

const { Engine, WhatIf, decodeEvent, matchLocations, mergeRecords, parseChallenge, version } = createRequire(import.meta.url)(
  "../../target/cae/js/nodejs/cae.js",
);

const configuration = JSON.stringify({
  resource: { audiences: ["api://orders"] },
  issuers: [{ issuer: "https://login.example/realm", claims: "keycloak", algorithms: ["RS256"], jwks: { keys: [] }, challenge: "oauth" }],
  transmitters: [],
});
const now = 1_800_000_000;
const engine = () => new Engine(configuration, 7n);

test("a faulty configuration throws, with every fault", () => {
  assert.throws(
    () => new Engine("no JSON", 7n),
    (error) => {
      assert.ok(error instanceof Error);
      assert.equal(error.name, "ConfigurationError");
      assert.ok(error.faults.length > 0);
      for (const fault of error.faults) {
        assert.deepEqual(Object.keys(fault).sort(), ["at", "code", "message"]);
      }
      return true;
    },
  );
});

test("what is no token is refused with a challenge-free 401", () => {
  const begun = engine().begin("no token", now);
  assert.equal(begun.kind, "refused");
  assert.equal(begun.verdict.outcome, "deny");
  assert.equal(begun.verdict.status, 401);
  assert.match(begun.verdict.wwwAuthenticate, /^Bearer .*error="invalid_token"/);
  assert.ok(begun.verdict.reasons.length > 0);
  assert.deepEqual(begun.verdict.changes, []);
});

test("a handle that the engine never gave is stale, whatever it looks like", () => {
  for (const handle of [0.5, -1, NaN, Infinity, 2 ** 53, 2 ** 60, 123_456_789]) {
    const decided = engine().decide(handle, now, "192.0.2.1", undefined, undefined, true, []);
    assert.deepEqual(decided, { kind: "stale" }, String(handle));
  }
});

test("a time that is none throws and decides nothing", () => {
  for (const time of [NaN, -1, Infinity, 2 ** 53]) {
    assert.throws(() => engine().begin("no token", time), TypeError, String(time));
    assert.throws(() => engine().decide(1, time, undefined, undefined, undefined, true, []), TypeError);
  }
  assert.equal(engine().begin("no token", now + 0.75).kind, "refused");
});

test("an argument of the wrong shape throws and decides nothing", () => {
  const wrong = [{ detail: "everything" }, { facts: { memberOf: "group" } }, { signalAge: { "https://ssf.example": 1 } }, "more"];
  for (const more of wrong) {
    assert.throws(() => engine().decide(1, now, undefined, undefined, undefined, true, [], more), TypeError);
  }
  assert.throws(() => engine().readEvent("set", now, "yes"), TypeError);
});

test("a member that is undefined is absent", () => {
  const more = { scheme: undefined, confirmed: undefined, facts: undefined, signalAge: undefined, detail: undefined };
  const facts = { memberOf: undefined, deviceCompliant: undefined };
  for (const said of [undefined, {}, more, { facts }]) {
    assert.deepEqual(engine().decide(1, now, undefined, undefined, undefined, true, [], said), { kind: "stale" });
  }
});

test("a security event token that cannot be read is rejected with its code", () => {
  const reading = engine().readEvent("no SET", now);
  assert.equal(reading.kind, "rejected");
  assert.equal(reading.code, "invalid_request");
  assert.ok(reading.description.length > 0);
  JSON.parse(reading.json);
});

test("records that cannot be read have no merge", () => {
  assert.equal(mergeRecords(Uint8Array.of(0xff), Uint8Array.of(0xfe)), undefined);
});

test("keys of an unknown issuer are a fault, a configuration that fits is none", () => {
  const one = engine();
  const faults = one.setKeys("https://stranger.example", '{"keys":[]}');
  assert.ok(faults.length > 0 && faults[0].message.length > 0);
  assert.deepEqual(one.reconfigure(configuration), []);
});

test("the tools answer without an engine", () => {
  JSON.parse(parseChallenge('Bearer error="insufficient_claims"'));
  JSON.parse(decodeEvent("no SET", false, now));
  JSON.parse(matchLocations("[]", ["192.0.2.1"]));
  assert.match(version(), /^\d+\.\d+\.\d+$/);
});

const policy = (state) => ({
  name: "policy.json",
  text: JSON.stringify({
    id: "p",
    displayName: "Second factor",
    state,
    conditions: { users: { includeUsers: ["All"] }, applications: { includeApplications: ["All"] } },
    grantControls: { operator: "OR", builtInControls: ["mfa"] },
  }),
});
const signIns = [1, 2]
  .map((id) =>
    JSON.stringify({
      id,
      signInIdentity: { "@odata.type": "#microsoft.graph.userSignIn", userId: "adele" },
      signInContext: { "@odata.type": "#microsoft.graph.applicationContext" },
      satisfied: id === 1 ? [] : ["mfa"],
    }),
  )
  .join("\n");

test("what-if evaluates sign-ins, and tells whose access changes", () => {
  const batch = new WhatIf({ policies: [policy("enabled")] }).evaluate(signIns, 1, true);
  const results = batch.lines.trim().split("\n").map((line) => JSON.parse(line).result);
  assert.deepEqual(results, ["challenge", "grant"]);
  const compared = new WhatIf({ policies: [policy("enabled")] }, { policies: [policy("disabled")] });
  assert.equal(JSON.parse(compared.describe()).compared.length, 1);
  assert.ok(JSON.parse(compared.representatives()));
  const changed = compared.evaluate(signIns, 1, true).lines.trim().split("\n");
  assert.deepEqual(changed.map((line) => JSON.parse(line).id), [1]);
});

test("what-if names every fault, and refuses what has another shape", () => {
  assert.throws(
    () => new WhatIf({ policies: [{ name: "a.json", text: "{" }, { name: "b.json", text: "[" }] }),
    (error) => error.name === "ConfigurationError" && error.faults.length === 2,
  );
  assert.throws(() => new WhatIf([]), TypeError);
  assert.throws(() => new WhatIf({ policies: [policy("enabled")] }).evaluate("", -1, true), TypeError);
});

test("a token that the engine does not know is not outdated", () => {
  assert.equal(engine().outdatedTokens(now), 0);
});
