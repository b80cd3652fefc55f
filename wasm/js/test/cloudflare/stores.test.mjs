import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Miniflare } from "miniflare";

import { changesOf, conformsReadOnly, conformsReadWrite } from "../stores.mjs";
import { temporary } from "../packed.mjs";
import { World } from "../world.mjs";
import { until } from "../process.mjs";
import { bundle, run } from "./edge.mjs";

/** A worker that lends out its stores, and one that guards by a store that fails. */
const lending = `
  import { CaeRecords, DurableObjectStore, KvStore } from "cae/cloudflare";
  import engine from "../build/engine.wasm";
  const hex = (record) => record === null ? null : Array.from(record, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const bytes = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
  const stores = {};
  export default {
    async fetch(request, env) {
      const { shards, cached, keys, changes } = await request.json();
      const records = (stores[shards] ??= new DurableObjectStore(env.CAE_RECORDS, shards));
      const store = cached ? new KvStore(env.CAE_CACHE, records) : records;
      try {
        if (keys) return Response.json((await store.get(keys)).map(hex));
        await store.merge(changes.map(({ key, record }) => ({ key, record: bytes(record) })));
        return new Response(null, { status: 204 });
      } catch (error) {
        return new Response(String(error), { status: 500 });
      }
    },
  };
  export class Records extends CaeRecords { engine() { return engine; } }
  export class Connections {}`;

const withoutCache = lending.replace(
  "class Records extends CaeRecords {",
  `class Records extends CaeRecords {
    constructor(state, env) {
      super(state, { ...env, CAE_CACHE: { put: () => Promise.reject(new Error("429 Too Many Requests")) } });
    }`,
);

let world;
let modules;
let failingCache;
before(async () => {
  world = await World.make();
  ({ modules } = bundle(world.configuration(), { "src/worker.js": lending }));
  ({ modules: failingCache } = bundle(world.configuration(), { "src/worker.js": withoutCache }));
});

const running = [];
after(async () => {
  for (const worker of running) await worker.dispose();
});

/** A store of the worker, seen from here. */
function client(worker, more = {}) {
  const ask = async (question) => {
    const answer = await worker.dispatchFetch("https://api.example/", { method: "POST", body: JSON.stringify({ ...more, ...question }) });
    if (!answer.ok) throw new Error(await answer.text());
    return answer;
  };
  return {
    get: async (keys) => (await (await ask({ keys })).json()).map((it) => (it === null ? null : new Uint8Array(Buffer.from(it, "hex")))),
    merge: async (changes) => void (await ask({ changes: changes.map(({ key, record }) => ({ key, record: Buffer.from(record).toString("hex") })) })),
  };
}

test("Durable Objects", async () => {
  const worker = run(modules, { kvNamespaces: ["CAE_CACHE"] });
  running.push(worker);
  await conformsReadWrite(() => client(worker, { shards: 16 }));
  // With another number of shards records would be there and not be found: it is refused.
  await assert.rejects(client(worker, { shards: 32 }).get(["0".repeat(32)]), /the records lie in 16 shards, not in 32/);
  // More than one question to an object holds.
  const many = Array.from({ length: 20_000 }, (_, place) => place.toString(16).padStart(8, "0").padEnd(32, "0"));
  assert.deepEqual(await client(worker, { shards: 16 }).get(many.slice(1)), many.slice(1).map(() => null));
  for (const key of ["", "x", "F".repeat(32), "0".repeat(33)]) await assert.rejects(client(worker, { shards: 16 }).get([key]));
});

test("an answer is given again for a while, and a merge waits until nobody does", async () => {
  const [[{ record }]] = await changesOf(1);
  // Two workers, so that neither knows what the other merges. The objects are of the first.
  const objects = (scriptName) => ({
    CAE_RECORDS: { className: "Records", useSQLite: true, scriptName },
    CAE_CONNECTIONS: { className: "Connections", useSQLite: true, scriptName },
  });
  const workers = ["writes", "reads"].map((name) => ({ name, modules, compatibilityDate: "2026-04-01", durableObjects: objects("writes") }));
  const persist = join(temporary(), "state");
  const start = async () => {
    const both = new Miniflare({ durableObjectsPersist: persist, workers });
    const second = await both.getWorker("reads");
    const reader = { dispatchFetch: (url, init) => second.fetch(url, init) };
    return { writer: client(both, { shards: 16 }), reader: client(reader, { shards: 16 }), both };
  };
  const { writer, reader, both } = await start();
  const keyOf = (turn) => turn.toString(16).padStart(32, "0");
  const took = async (work) => {
    const began = performance.now();
    await work;
    return performance.now() - began;
  };
  let isGivenAgain = false;
  for (let turn = 0; turn < 10; turn += 1) {
    const key = keyOf(turn);
    assert.deepEqual(await reader.get([key]), [null]);
    let isMerged = false;
    const merging = writer.merge([{ key, record }]).then(() => (isMerged = true));
    await new Promise((resolve) => setTimeout(resolve, 200));
    while (!isMerged) {
      const [late] = await reader.get([key]);
      const [there] = await writer.get([key]);
      if (late === null && there !== null) isGivenAgain = true;
    }
    await merging;
    assert.notEqual((await reader.get([key]))[0], null, "what is merged is seen");
  }
  assert.ok(isGivenAgain, "no answer was given again");
  // Nobody asked for a record: nobody is waited for.
  await until("a merge that need not wait", async () => (await took(writer.merge([{ key: keyOf(100), record }]))) < 400);
  // An object that starts anew does not know what the one before it lent.
  await both.dispose();
  const anew = await start();
  running.push(anew.both);
  assert.ok((await took(anew.writer.merge([{ key: keyOf(200), record }]))) >= 400);
});

test("Workers KV, which the objects fill", async () => {
  const worker = run(modules, { kvNamespaces: ["CAE_CACHE"] });
  running.push(worker);
  const [records, cached] = [client(worker, { shards: 16 }), client(worker, { shards: 16, cached: true })];
  // What KV is late by cannot be seen here: its stand-in on this machine is at once what it will be.
  await conformsReadOnly(records, cached, 60);
  const cache = await worker.getKVNamespace("CAE_CACHE");
  const { keys } = await cache.list();
  assert.ok(keys.length > 0);
  for (const { expiration } of keys) assert.ok(expiration <= Date.now() / 1000 + 3_600, "a record that nobody renews is forgotten");
  // A record that is late is answered, one that is not there is asked of the objects, and is there from then on.
  const [{ name }] = keys;
  const [record] = await records.get([name]);
  await cache.delete(name);
  assert.deepEqual(await cached.get([name]), [record]);
  await until("the cache is told", async () => (await cache.get(name)) !== null);
  // That there is no record is held as well, until there is one.
  const none = "5".repeat(32);
  assert.deepEqual(await cached.get([none]), [null]);
  await until("the cache is told", async () => (await cache.get(none)) !== null);
  assert.deepEqual(await cached.get([none]), [null]);
  await records.merge([{ key: none, record }]);
  await until("the cache is told", async () => (await cached.get([none]))[0] !== null);
  await cache.put(name, "%%%");
  await assert.rejects(cached.get([name]), /no record/);
});

test("a cache that cannot be told is told again, by the object that comes after too", async () => {
  const persist = join(temporary(), "state");
  const first = run(failingCache, { persist, kvNamespaces: ["CAE_CACHE"] });
  const [[{ record }]] = await changesOf(1);
  const key = "6".repeat(32);
  await client(first, { shards: 16 }).merge([{ key, record }]);
  assert.deepEqual((await (await first.getKVNamespace("CAE_CACHE")).list()).keys, []);
  await first.dispose();
  // The same records, and a cache that takes them; nothing is asked of it.
  const second = run(modules, { persist, kvNamespaces: ["CAE_CACHE"] });
  running.push(second);
  await second.ready;
  await client(second, { shards: 16 }).get([key]);
  const cache = await second.getKVNamespace("CAE_CACHE");
  await until("the cache is told", async () => (await cache.get(key)) !== null);
});

test("a store that fails refuses, and so does an engine that cannot be made", async () => {
  const failing = `
    import { guard } from "cae/cloudflare";
    import engine from "../build/engine.wasm";
    import { transmitters } from "../engine.json";
    const down = { get: () => Promise.reject(new Error("down")), merge: () => Promise.reject(new Error("down")) };
    const pushes = { main: { transmitter: transmitters[0].issuer } };
    export default guard((env) => ({ configuration: env.BROKEN ? "no JSON" : engine, store: down, pushes }));
    export class Records {}
    export class Connections {}`;
  const bundled = bundle(world.configuration(), { "src/worker.js": failing });
  const origin = () => assert.fail("nothing comes to the origin");
  for (const bindings of [{}, { BROKEN: "1" }]) {
    const worker = run(bundled.modules, { bindings, origin });
    running.push(worker);
    for (const path of ["/orders", "/"]) {
      const headers = { authorization: `Bearer ${await world.token("adele")}` };
      const answer = await worker.dispatchFetch(`https://api.example${path}`, { headers });
      assert.equal(answer.status, 503);
      assert.equal(answer.headers.get("cache-control"), "no-store");
    }
    const pushed = await worker.dispatchFetch("https://api.example/.cae/events/main", {
      method: "POST",
      body: await world.set("adele"),
      headers: { "content-type": "application/secevent+jwt" },
    });
    assert.equal(pushed.status, 503);
  }
});
