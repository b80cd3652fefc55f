import assert from "node:assert/strict";
import { test } from "node:test";

import { Connections, MemoryStore, addressBehind, createEngine } from "cae";
import { closeCode, closeReason, errorEvent, streamWhileAllowed, whileAllowed } from "cae/live";

import { World, asking, seconds } from "./world.mjs";

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A store that counts its questions, and fails as long as it is told to. */
class Counting {
  inner = new MemoryStore();
  questions = 0;
  isDown = false;

  async get(keys) {
    this.questions += 1;
    if (this.isDown) throw new Error("down");
    return this.inner.get(keys);
  }

  merge(changes) {
    return this.inner.merge(changes);
  }
}

async function opened({ settings = {}, milliseconds = 100 } = {}) {
  const world = await World.make();
  const configuration = world.configuration({ settings: { clockSkewSeconds: 0, ...settings } });
  const [engine, elsewhere] = await Promise.all([createEngine(configuration, { storeTimeout: 200 }), createEngine(configuration)]);
  const store = new Counting();
  const connections = new Connections(engine, store, { milliseconds });
  const open = async (user, more) => {
    const request = asking(await world.token(user, more));
    const again = () => engine.authorize(request, { store });
    const first = await again();
    assert.equal(first.outcome, "allow");
    const connection = {};
    connection.ended = new Promise((resolve) => {
      connection.close = connections.watch(first, again, (refused) => resolve({ refused, at: performance.now() }));
    });
    return connection;
  };
  return { world, engine, elsewhere, store, connections, open };
}

test("an event that another process merged ends the connection, and no other", async () => {
  const { world, elsewhere, store, connections, open } = await opened();
  const adele = await open("adele");
  const bruno = await open("bruno");
  await wait(250);
  const began = performance.now();
  await elsewhere.readEvent(await world.set("adele"), { store });
  const { refused, at } = await adele.ended;
  assert.ok(at - began < 1_000, `${at - began} ms`);
  assert.equal(closeCode(refused), 3000);
  assert.match(closeReason(refused), /^claims=/);
  assert.equal(connections.size, 1);
  bruno.close();
  assert.equal(connections.size, 0);
  const { questions } = store;
  await wait(300);
  assert.equal(store.questions, questions, "nobody asks for what is closed");
});

test("an event that this engine merged ends the connection at once", async () => {
  const { world, engine, store, open } = await opened({ milliseconds: 60_000 });
  const adele = await open("adele");
  await engine.readEvent(await world.set("adele"), { store });
  const outcome = await Promise.race([adele.ended, wait(1_000).then(() => "open")]);
  assert.equal(outcome.refused?.status, 401);
});

test("what changed before the first look is found", async () => {
  const { world, elsewhere, store, open } = await opened();
  const request = await open("adele");
  // Between the decision that opened it and the first look at its records.
  await elsewhere.readEvent(await world.set("adele"), { store });
  assert.equal((await request.ended).refused.status, 401);
});

test("many connections are one question", async () => {
  const { store, open } = await opened();
  const all = await Promise.all(Array.from({ length: 40 }, (_, number) => open(`user-${number}`)));
  await wait(350);
  store.questions = 0;
  await wait(1_000);
  assert.ok(store.questions >= 5 && store.questions <= 11, `${store.questions} questions`);
  for (const { close } of all) close();
});

test("connections end with their token", async () => {
  const { open } = await opened();
  const exp = seconds() + 2;
  const adele = await open("adele", { exp });
  const { refused } = await adele.ended;
  const late = Date.now() / 1000 - exp;
  assert.ok(late > -0.1 && late < 1, `${late} s`);
  assert.equal(refused.outcome, "deny");
});

test("a store that is silent ends connections with a code that says: later", async () => {
  const { store, open } = await opened();
  const adele = await open("adele");
  await wait(250);
  store.isDown = true;
  const { refused } = await adele.ended;
  assert.deepEqual([closeCode(refused), closeReason(refused)], [1013, refused.reasons[0]]);
  assert.equal(JSON.parse(errorEvent(refused).match(/data: (.*)/)[1]).status, 503);
});

test("a decision that cannot be made is a refusal", async () => {
  const { engine, store } = await opened();
  const first = { records: [], isAllowed: true };
  const failing = () => Promise.reject(new Error("no decision"));
  const end = new Promise((resolve) => new Connections(engine, store, { milliseconds: 20 }).watch(first, failing, resolve));
  const alone = new Promise((resolve) => whileAllowed(failing, resolve, { milliseconds: 20 }));
  for (const refused of [await end, await alone]) assert.deepEqual([refused.status, closeCode(refused)], [503, 1013]);
});

test("claims that do not fit into a close are left to the next answer", () => {
  const refusal = (claims) => ({ status: 401, challenge: `Bearer error="insufficient_claims", claims="${claims}"`, reasons: ["session_revoked"] });
  assert.equal(closeReason(refusal("x".repeat(116))), `claims=${"x".repeat(116)}`);
  assert.equal(closeReason(refusal("x".repeat(117))), "session_revoked");
  assert.ok(new TextEncoder().encode(closeReason({ ...refusal("x".repeat(200)), reasons: ["y".repeat(200)] })).length <= 123);
});

test("a stream that its reader leaves is asked about no more", async () => {
  let asked = 0;
  let cancelled = false;
  const body = new ReadableStream({ cancel: () => void (cancelled = true) });
  const again = async () => ((asked += 1), { isAllowed: true });
  const stream = streamWhileAllowed(new Response(body, { headers: { "content-type": "text/event-stream" } }), again, { milliseconds: 20 });
  await wait(100);
  await stream.body.cancel();
  const before = asked;
  assert.ok(before > 1 && cancelled);
  await wait(100);
  assert.equal(asked, before);
});

test("the address behind proxies is counted from the right, and nothing else is read", () => {
  for (const [proxies, header, expected] of [
    [1, "192.0.2.1", "192.0.2.1"],
    [1, "198.51.100.1, 192.0.2.1", "192.0.2.1"],
    [2, "198.51.100.1, 192.0.2.1", "198.51.100.1"],
    [1, " 192.0.2.1:443 ", "192.0.2.1"],
    [1, "[2001:db8::1]:443", "2001:db8::1"],
    [1, "[2001:db8::1]", "2001:db8::1"],
    [1, "2001:db8::1", "2001:db8::1"],
    [1, "::ffff:192.0.2.1", "::ffff:192.0.2.1"],
    [3, "198.51.100.1, 192.0.2.1", undefined],
    [1, "192.0.2.1, unknown", undefined],
    [1, "192.0.2.1, _hidden", undefined],
    [1, "192.0.2.1,", undefined],
    [1, "192.0.2.1 192.0.2.2", undefined],
    [1, "[192.0.2.1", undefined],
    [1, `${"192.0.2.1, ".repeat(2_000)}192.0.2.2`, undefined],
    [1, "", undefined],
    [1, null, undefined],
    [1, undefined, undefined],
  ]) {
    assert.equal(addressBehind(proxies, header), expected, `${proxies} of ${header?.slice(0, 60)}`);
  }
  for (const proxies of [0, -1, 1.5, NaN, "1"]) assert.throws(() => addressBehind(proxies, "192.0.2.1"), TypeError);
});
