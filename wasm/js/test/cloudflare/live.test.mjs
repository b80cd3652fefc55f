import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Response as MiniflareResponse, WebSocketPair } from "miniflare";

import { World, seconds } from "../world.mjs";
import { until } from "../process.mjs";
import { bundle, run } from "./edge.mjs";

let world;
let proxied;
let own;
let late;
before(async () => {
  world = await World.make();
  const configuration = world.configuration({ settings: { clockSkewSeconds: 0 } });
  ({ modules: proxied } = bundle(configuration));
  // An application that lives in the object: nothing keeps it awake.
  const worker = `
    import { CaeConnections, CaeRecords, DurableObjectStore, guard } from "cae/cloudflare";
    import engine from "../build/engine.wasm";
    import { transmitters } from "../engine.json";
    // Between an answer of the store and the decision the test may do something.
    const meanwhile = async (answers) => {
      const known = await answers;
      await fetch("http://meanwhile.example/");
      return known;
    };
    class Slow extends DurableObjectStore {
      get(keys) { return meanwhile(super.get(keys)); }
      getNow(keys) { return meanwhile(super.getNow(keys)); }
    }
    const records = (env) => new Slow(env.CAE_RECORDS);
    const pushes = { main: { transmitter: transmitters[0].issuer } };
    const settings = (env) => ({
      configuration: engine,
      engine: { storeTimeout: 10_000 },
      store: records(env),
      connections: env.CAE_CONNECTIONS,
      pushes,
    });
    export default guard(settings);
    export class Records extends CaeRecords { engine() { return engine; } }
    let woken = 0;
    export class Connections extends CaeConnections {
      constructor(state, env) { super(state, env); woken += 1; }
      settings(env) { return settings(env); }
      records(env) { return records(env); }
      async upstream() { return undefined; }
      async webSocketMessage(socket, message) { socket.send(woken + " " + message); }
    }`;
  ({ modules: own } = bundle(configuration, { "src/worker.js": worker }));
  const reader = "store: records(env), reader: { get: (keys) => keys.map(() => null) },";
  const lateWorker = worker.replace("store: records(env),", reader);
  assert.notEqual(lateWorker, worker);
  ({ modules: late } = bundle(configuration, { "src/worker.js": lateWorker }));
});

/** What happens between an answer of the store and the decision that it is for; and once. */
let meanwhile;
const running = [];
after(async () => {
  for (const worker of running) await worker.dispose();
});

const upstreams = [];
const origin = async (request) => {
  if (new URL(request.url).hostname === "meanwhile.example") {
    await meanwhile?.();
    return new MiniflareResponse(null, { status: 204 });
  }
  if (new URL(request.url).pathname === "/slow") await meanwhile?.();
  if (request.headers.get("upgrade") !== "websocket") return new MiniflareResponse("served");
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  const subject = request.headers.get("x-cae-subject");
  server.addEventListener("message", ({ data }) => server.send(`${subject}: ${data}`));
  server.addEventListener("close", ({ code }) => upstreams.push([subject, code]));
  return new MiniflareResponse(null, { status: 101, webSocket: client });
};

async function start(modules) {
  const worker = run(modules, { bindings: { PUSH_TOKEN: "secret", ORIGIN: "http://origin.example" }, origin });
  running.push(worker);
  await worker.ready;
  return worker;
}

class Socket {
  #messages = [];
  #waiting = [];

  static async open(worker, token, path = "/live") {
    const response = await worker.dispatchFetch(`https://api.example${path}`, {
      headers: { authorization: `Bearer ${token}`, upgrade: "websocket" },
    });
    if (response.webSocket === null) return response;
    return new Socket(response.webSocket);
  }

  constructor(socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason, at: performance.now() })));
    socket.addEventListener("message", ({ data }) => {
      const waiting = this.#waiting.shift();
      if (waiting) waiting(data);
      else this.#messages.push(data);
    });
    socket.accept();
  }

  async ask(text) {
    this.socket.send(text);
    return this.#messages.shift() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }
}

const push = async (worker, set) => {
  const answer = await worker.dispatchFetch("https://api.example/.cae/events/main", {
    method: "POST",
    body: set,
    headers: { "content-type": "application/secevent+jwt", authorization: "Bearer secret" },
  });
  assert.equal(answer.status, 202);
};

test("a WebSocket is closed with the challenge once an event refuses its token, and no other", async () => {
  const worker = await start(proxied);
  const adele = await Socket.open(worker, await world.token("adele"));
  const another = await Socket.open(worker, await world.token("adele"));
  const bruno = await Socket.open(worker, await world.token("bruno"));
  assert.equal(await adele.ask("hello"), "adele: hello");
  assert.equal(await another.ask("hello"), "adele: hello");
  assert.equal(await bruno.ask("hello"), "bruno: hello");
  const began = performance.now();
  await push(worker, await world.set("adele"));
  for (const socket of [adele, another]) {
    const { code, reason, at } = await socket.closed;
    assert.ok(at - began < 1_000, `${at - began} ms`);
    assert.equal(code, 3000);
    const claims = JSON.parse(Buffer.from(/^claims=(.*)$/.exec(reason)[1], "base64"));
    assert.ok(Number(claims.access_token.nbf.value) > 0);
  }
  assert.equal(await bruno.ask("still there"), "bruno: still there");
  assert.deepEqual(upstreams.splice(0), [["adele", 1008], ["adele", 1008]], "the origin is told too");
  // Whoever opens it again with the same token hears the whole challenge; a later one passes.
  const refused = await Socket.open(worker, await world.token("adele"));
  assert.equal(refused.status, 401);
  assert.match(refused.headers.get("www-authenticate"), /insufficient_claims/);
  const later = await Socket.open(worker, await world.token("adele", { iat: seconds() + 1 }));
  if (later instanceof Socket) assert.equal(await later.ask("back"), "adele: back");
  // What a client closes is closed at the origin.
  bruno.socket.close(1000, "bye");
  await until("the close at the origin", () => upstreams.length > 0);
  assert.deepEqual(upstreams, [["bruno", 1000]]);
});

test("a WebSocket ends with its token", async () => {
  const worker = await start(proxied);
  const exp = seconds() + 3;
  const socket = await Socket.open(worker, await world.token("chen", { exp }));
  assert.equal(await socket.ask("hello"), "chen: hello");
  const { code } = await socket.closed;
  const late = Date.now() / 1000 - exp;
  assert.equal(code, 3000);
  assert.ok(late >= -1 && late < 2, `${late} s after its end`);
});

test("a WebSocket is closed by what the records say, also where requests read what is late", { timeout: 60_000 }, async () => {
  const worker = await start(late);
  const socket = await Socket.open(worker, await world.token("fay"));
  assert.equal(await socket.ask("hello"), "1 hello");
  const began = performance.now();
  await push(worker, await world.set("fay"));
  const { code, at } = await socket.closed;
  assert.equal(code, 3000);
  assert.ok(at - began < 1_000, `${at - began} ms`);
});

test("a WebSocket whose object sleeps is closed all the same", async () => {
  const worker = await start(own);
  const socket = await Socket.open(worker, await world.token("dora"));
  assert.equal(await socket.ask("hello"), "1 hello");
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  assert.equal(await socket.ask("awake"), "2 awake", "the object was asleep");
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  const began = performance.now();
  await push(worker, await world.set("dora"));
  const { code, at } = await socket.closed;
  assert.equal(code, 3000);
  assert.ok(at - began < 1_000, `${at - began} ms`);
});

test("a WebSocket that opens while the event comes is not opened", async () => {
  for (const [modules, path, turns] of [[proxied, "/slow", [0]], [own, "/live", [0, 1, 2]]]) {
    // For the worker itself, for the object, and once more when changes are told.
    for (const turn of turns) {
      const worker = await start(modules);
      const [token, set] = [await world.token("emil"), await world.set("emil")];
      let count = 0;
      meanwhile = async () => {
        if (count++ === turn) await push(worker, set);
      };
      try {
        const answer = await Socket.open(worker, token, path);
        assert.ok(count > turn);
        assert.equal(answer.status, 401, `${path}, at turn ${turn}`);
        assert.match(answer.headers.get("www-authenticate"), /insufficient_claims/);
      } finally {
        meanwhile = undefined;
      }
    }
  }
});
