import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";

import { MemoryStore, cached, createEngine } from "cae";
import { RedisStore } from "cae/redis";
import { RemoteStore } from "cae/remote";
import Redis from "ioredis";
import { createClient } from "redis";

import { temporary } from "./packed.mjs";
import { cae, freePort, listening, program, start, stop, without, withoutCae } from "./process.mjs";
import { World } from "./world.mjs";
import { conformsReadOnly, conformsReadWrite } from "./stores.mjs";

const ending = [];
after(async () => {
  for (const end of ending.reverse()) await end();
});

test("memory", async () => {
  const store = new MemoryStore();
  await conformsReadWrite(() => store);
});

test("a cache is late by what it says, and by nothing for what goes through it", async () => {
  const origin = new MemoryStore();
  await conformsReadOnly(origin, cached(origin, { seconds: 0.3 }), 0.3);
  const through = cached(new MemoryStore(), { seconds: 60 });
  await conformsReadWrite(() => through);
  // It asks once.
  let asked = 0;
  const counting = { get: async (keys) => ((asked += keys.length), keys.map(() => null)) };
  const reader = cached(counting, { seconds: 60, most: 2 });
  assert.equal("merge" in reader, false);
  await reader.get(["a", "b"]);
  await reader.get(["a", "b"]);
  assert.equal(asked, 2);
  await reader.get(["c"]);
  await reader.get(["c", "b", "a"]);
  assert.equal(asked, 4, "of two answers the older one went");
  // A clock that is set back makes nothing keep longer.
  const clock = Date.now;
  try {
    Date.now = () => clock() - 3_600_000;
    await reader.get(["a"]);
  } finally {
    Date.now = clock;
  }
  assert.equal(asked, 5);
  // What is not an answer is not kept.
  await assert.rejects(cached({ get: async () => [] }, { seconds: 60 }).get(["a"]), TypeError);
});

test("redis", { skip: without("redis-server") }, async () => {
  const port = await freePort();
  const server = start(program("redis-server"), ["--port", String(port), "--save", "", "--bind", "127.0.0.1"], { stdio: "ignore" });
  ending.push(() => stop(server));
  await listening(port);
  const clients = [];
  const node = async () => {
    const client = await createClient({ url: `redis://127.0.0.1:${port}` }).connect();
    clients.push(() => client.close());
    return new RedisStore(client, { prefix: "{node}:" });
  };
  await conformsReadWrite(node);
  const io = async () => {
    const client = new Redis(port, "127.0.0.1");
    clients.push(() => client.quit());
    return new RedisStore(client);
  };
  await conformsReadWrite(io);
  for (const close of clients) await close();
  await stop(server);
  const lost = new Redis(port, "127.0.0.1", { retryStrategy: () => null, maxRetriesPerRequest: 0, lazyConnect: true });
  lost.on("error", () => {});
  await assert.rejects(new RedisStore(lost).get(["a"]));
});

test("cae serve", { skip: withoutCae }, async () => {
  const folder = temporary();
  const world = await World.make();
  const [authorization, signals, administration] = [await freePort(), await freePort(), await freePort()];
  await writeFile(join(folder, "engine.json"), JSON.stringify(world.configuration()));
  await writeFile(join(folder, "token"), "a-token-for-the-edge\n");
  await writeFile(
    join(folder, "cae.toml"),
    `engine = "engine.json"
[store]
recordsTokenFile = "token"
[listen]
authorization = "127.0.0.1:${authorization}"
signals = "127.0.0.1:${signals}"
administration = "127.0.0.1:${administration}"
[[transmitter]]
name = "own"
issuer = "https://ssf.example"
`,
  );
  const service = start(cae, ["serve", "--engine", "native", "--config", join(folder, "cae.toml")], { stdio: "ignore" });
  ending.push(() => stop(service));
  await listening(administration);
  const url = `http://127.0.0.1:${administration}`;
  await conformsReadWrite(() => new RemoteStore({ url, token: "a-token-for-the-edge" }));
  // More than the service takes at once.
  const claims = Object.fromEntries(Array.from({ length: 32 }, (_, place) => [`claim-${place}`, "x".repeat(500)]));
  const change = { event_timestamp: Math.floor(Date.now() / 1000), claims };
  const uri = "https://schemas.openid.net/secevent/caep/event-type/token-claims-change";
  const sets = await Promise.all(Array.from({ length: 60 }, (_, user) => world.set(`user-${user}`, undefined, { events: { [uri]: change } })));
  const engine = await createEngine(world.configuration());
  const received = await engine.readEvents(sets, { store: new RemoteStore({ url, token: "a-token-for-the-edge" }) });
  assert.ok(received.every(({ kind }) => kind === "accepted"), JSON.stringify(received[0]));
  await assert.rejects(new RemoteStore({ url, token: "another" }).get(["0".repeat(32)]), { code: "remote" });
  await stop(service);
  await assert.rejects(new RemoteStore({ url, token: "a-token-for-the-edge" }).get(["0".repeat(32)]), { code: "remote" });
});
