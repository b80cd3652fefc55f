import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Response as MiniflareResponse, WebSocketPair } from "miniflare";

import { World, seconds } from "../world.mjs";
import { bundle, run } from "./edge.mjs";

let world;
let proxied;
let own;
before(async () => {
  world = await World.make();
  const configuration = world.configuration({ settings: { clockSkewSeconds: 0 } });
  ({ modules: proxied } = bundle(configuration));
  // An application that lives in the object: nothing keeps it awake.
  const worker = `
    import { CaeConnections, CaeRecords, DurableObjectStore, guard } from "cae/cloudflare";
    import configuration from "../engine.json";
    const records = (env) => new DurableObjectStore(env.CAE_RECORDS);
    const pushes = { main: { transmitter: configuration.transmitters[0].issuer } };
    const settings = (env) => ({ configuration, store: records(env), connections: env.CAE_CONNECTIONS, pushes });
    export default guard(settings);
    export class Records extends CaeRecords {}
    let woken = 0;
    export class Connections extends CaeConnections {
      constructor(state, env) { super(state, env); woken += 1; }
      settings(env) { return settings(env); }
      records(env) { return records(env); }
      async upstream() { return undefined; }
      async webSocketMessage(socket, message) { socket.send(woken + " " + message); }
    }`;
  ({ modules: own } = bundle(configuration, { "src/worker.js": worker }));
});

const running = [];
after(async () => {
  for (const worker of running) await worker.dispose();
});

const upstreams = [];
const origin = async (request) => {
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

  static async open(worker, token) {
    const response = await worker.dispatchFetch("https://api.example/live", {
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
  for (let turn = 0; turn < 100 && upstreams.length === 0; turn += 1) await new Promise((resolve) => setTimeout(resolve, 20));
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
