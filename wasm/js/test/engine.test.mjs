import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { CaeError, ConfigurationError, MemoryStore, createEngine, parseChallenge } from "cae";

import { AUDIENCE, ISSUER, TRANSMITTER, World, asking, makeKey } from "./world.mjs";

test("a token passes until an event says otherwise, and then is challenged", async () => {
  for (const algorithm of ["ES256", "EdDSA", "RS256", "PS256"]) {
    const world = await World.make(algorithm);
    const engine = await createEngine(world.configuration());
    const store = new MemoryStore();
    const token = await world.token("Adele");
    for (let turn = 0; turn < 3; turn += 1) {
      const passed = await engine.authorize(asking(token), { store });
      assert.equal(passed.outcome, "allow", passed.reasons.join());
      assert.deepEqual(passed.presenter, { issuer: ISSUER, subject: "Adele", client: "app", capable: true });
      assert.equal(passed.identityHeaders()["x-cae-subject"], "Adele");
    }
    const heard = [];
    engine.onChanges((changes) => heard.push(...changes));
    const received = await engine.readEvent(await world.set("Adele"), { store });
    assert.equal(received.kind, "accepted");
    assert.equal(received.transmitter, TRANSMITTER);
    assert.equal(heard.length, 1);
    const refused = await engine.authorize(asking(token), { store });
    assert.equal(refused.status, 401);
    const { access_token } = JSON.parse(parseChallenge(refused.response()).claims);
    assert.ok(Number(access_token.nbf.value) > 0);
    assert.equal(refused.response().headers.get("cache-control"), "no-store");
    assert.equal((await engine.authorize(asking(await world.token("bruno")), { store })).outcome, "allow");
    assert.equal(engine.faults, 0);
  }
});

test("what is no valid token never passes", async () => {
  const world = await World.make();
  const engine = await createEngine(world.configuration());
  const store = new MemoryStore();
  const token = await world.token("adele");
  const stranger = await World.make();
  const [head, body, signature] = token.split(".");
  const wrong = [
    undefined,
    "",
    "Bearer",
    `Basic ${token}`,
    `Bearer ${token}x`,
    `Bearer ${head}.${body}.`,
    `Bearer ${head}.${body}.${"A".repeat(signature.length)}`,
    `Bearer ${token}, Bearer ${token}`,
    `Bearer ${token} ${token}`,
    `DPoP ${token}`,
    `Bearer ${await stranger.token("adele")}`,
    `Bearer ${await world.token("adele", { aud: "api://other" })}`,
    `Bearer ${await world.token("adele", { exp: 1 })}`,
    `Bearer ${"a".repeat(70_000)}`,
  ];
  for (const authorization of wrong) {
    const headers = new Headers(authorization === undefined ? {} : { authorization });
    const answer = await engine.authorize({ headers, url: "/orders", method: "GET" }, { store });
    assert.notEqual(answer.outcome, "allow", authorization?.slice(0, 60));
    assert.equal(answer.isAllowed, false);
    assert.ok(answer.response().status >= 400);
  }
  // A token that was seen with a wrong signature passes with the right one, and the other way round.
  for (const [text, outcome] of [[token, "allow"], [`${head}.${body}.${"A".repeat(signature.length)}`, "deny"], [token, "allow"]]) {
    assert.equal((await engine.authorize(asking(text), { store })).outcome, outcome);
  }
});

test("a store that does not answer refuses, whatever is wrong with it", async () => {
  const world = await World.make();
  const problems = [];
  const engine = await createEngine(world.configuration(), { storeTimeout: 50, onProblem: (problem) => problems.push(problem) });
  const token = await world.token("adele");
  const stores = [
    { get: () => Promise.reject(new Error("down")) },
    { get: () => new Promise(() => {}) },
    { get: () => { throw new Error("at once"); } },
    { get: async () => [] },
    { get: async () => undefined },
    { get: async (keys) => keys.map(() => undefined) },
    { get: async (keys) => keys.map(() => "no bytes") },
    { get: async (keys) => keys.map(() => Uint8Array.of(0xff)) },
  ];
  for (const store of stores) {
    const answer = await engine.authorize(asking(token), { store });
    assert.equal(answer.outcome, "deny");
    assert.equal(answer.status, 503);
  }
  assert.equal(problems.filter((problem) => problem instanceof CaeError && problem.code === "store").length, stores.length - 1);
  assert.equal((await engine.authorize(asking(token), { store: new MemoryStore() })).outcome, "allow");
});

test("a faulty configuration is refused with every fault and its place", async () => {
  const world = await World.make();
  const configuration = { ...world.configuration(), issuers: [{ issuer: "http://x" }], more: 1 };
  await assert.rejects(createEngine(configuration), (error) => {
    assert.ok(error instanceof ConfigurationError && error.code === "configuration");
    assert.ok(error.faults.length > 1);
    assert.ok(error.faults.some((fault) => fault.at === "/more"), error.message);
    return true;
  });
  await assert.rejects(createEngine("no JSON"), ConfigurationError);
});

test("keys are fetched once, again when one is unknown, and not for every forgery", async () => {
  const world = await World.make();
  const configuration = world.configuration({ issuer: { jwks: undefined, jwksUri: `${ISSUER}/keys` } });
  let keys = [world.issuer.jwk];
  let fetched = 0;
  let now = Math.floor(Date.now() / 1000);
  const fetch = async (url) => {
    assert.equal(url, `${ISSUER}/keys`);
    fetched += 1;
    return Response.json({ keys });
  };
  const engine = await createEngine(configuration, { fetch, now: () => now });
  const store = new MemoryStore();
  const token = await world.token("adele");
  const answers = await Promise.all([1, 2, 3].map(() => engine.authorize(asking(token), { store })));
  assert.deepEqual(answers.map((answer) => answer.outcome), ["allow", "allow", "allow"]);
  assert.equal(fetched, 1);
  const forged = await makeKey("unknown");
  const claims = { iss: ISSUER, sub: "x", aud: AUDIENCE, client_id: "a", jti: "1", iat: now, exp: now + 60 };
  for (let turn = 0; turn < 20; turn += 1) {
    const answer = await engine.authorize(asking(await forged.sign({ typ: "at+jwt" }, { ...claims, jti: `${turn}` })), { store });
    assert.equal(answer.outcome, "deny");
  }
  assert.equal(fetched, 1);
  keys = [forged.jwk];
  now += 40;
  assert.equal((await engine.authorize(asking(await forged.sign({ typ: "at+jwt" }, claims)), { store })).outcome, "allow");
  assert.equal(fetched, 2);
  assert.equal((await engine.authorize(asking(token), { store })).outcome, "deny", "its key is gone");
});

test("an engine that traps is replaced, and its request answered as configured", async () => {
  const world = await World.make();
  const module = await withMemory(60);
  for (const [onError, outcome, status] of [["deny", "deny", 503], ["allow", "allow", 200]]) {
    const engine = await createEngine(world.configuration({ settings: { onError } }), { module });
    const store = new MemoryStore();
    const token = await world.token("adele");
    assert.equal((await engine.authorize(asking(token), { store })).outcome, "allow");
    // Many tokens of fifty kilobytes are more than it can hold.
    const groups = Array.from({ length: 2_500 }, (_, number) => `group-${number}`);
    let fault;
    for (let turn = 0; turn < 400 && fault === undefined; turn += 1) {
      const answer = await engine.authorize(asking(await world.token(`user-${turn}`, { groups })), { store });
      if (engine.faults > 0) fault = answer;
    }
    assert.deepEqual([fault.outcome, fault.status, fault.reasons], [outcome, status, ["engine_fault"]]);
    assert.equal((await engine.authorize(asking(token), { store })).outcome, "allow", "a new instance");
    assert.equal(engine.faults, 1);
  }
});

/** The engine with at most so many pages of memory. */
async function withMemory(pages) {
  const bytes = await readFile(new URL(import.meta.resolve("cae/engine.wasm")));
  for (let place = 8; place < bytes.length; ) {
    const id = bytes[place];
    let length = 0;
    let shift = 0;
    let body = place + 1;
    for (; ; body += 1, shift += 7) {
      length |= (bytes[body] & 127) << shift;
      if (bytes[body] < 128) break;
    }
    body += 1;
    if (id === 5) {
      // One memory without a bound, of less than 128 pages.
      assert.deepEqual([length, bytes[body], bytes[body + 1]], [3, 1, 0]);
      const bounded = [5, 4, 1, 1, bytes[body + 2], pages];
      return WebAssembly.compile(Buffer.concat([bytes.subarray(0, place), Buffer.from(bounded), bytes.subarray(body + length)]));
    }
    place = body + length;
  }
  throw new Error("a module without a memory");
}

test("explanations come from the larger module and change nothing", async () => {
  const world = await World.make();
  const engine = await createEngine(world.configuration());
  const store = new MemoryStore();
  const token = await world.token("adele");
  const explained = await engine.explain(asking(token), { store });
  assert.equal(explained.outcome, "allow");
  assert.ok(Array.isArray(explained.evaluation.checks), JSON.stringify(explained.evaluation).slice(0, 300));
  const whatIf = await engine.whatIf({ policies: [{ name: "p", text: "[]" }] });
  assert.equal(typeof whatIf.describe(), "string");
  await assert.rejects(engine.whatIf({ policies: [{ name: "p", text: "no JSON" }] }), ConfigurationError);
});
