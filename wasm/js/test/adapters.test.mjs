// Every adapter in its real runtime, behind real HTTP.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { after, before, test } from "node:test";

import { MemoryStore, createEngine } from "cae";
import { parseChallenge } from "cae/client";
import { protectListener } from "cae/node";
import WebSocket from "ws";

import { installed, tool } from "./packed.mjs";
import { freePort, listening, start, stop, until } from "./process.mjs";
import { World, blockedOutside, seconds } from "./world.mjs";

const OFFICE = "127.0.0.1";

let world;
let folder;
before(async () => {
  world = await World.make();
  const location = { id: "b5f0c2a1-4d3e-4f2a-8b1c-0d9e8f7a6b5c", displayName: "Office", isTrusted: true };
  const policy = blockedOutside(location.id);
  const range = { "@odata.type": "#microsoft.graph.iPv4CidrRange", cidrAddress: `${OFFICE}/32` };
  const namedLocations = [{ "@odata.type": "#microsoft.graph.ipNamedLocation", ...location, ipRanges: [range] }];
  const configuration = world.configuration({ issuer: { policies: [policy], namedLocations }, settings: { clockSkewSeconds: 0 } });
  const servers = readdirSync(new URL("adapters", import.meta.url));
  folder = installed(
    {
      ...Object.fromEntries(servers.map((name) => [name, new URL(`adapters/${name}`, import.meta.url)])),
      "engine.json": JSON.stringify(configuration),
      "faulty.json": JSON.stringify({ ...configuration, more: 1 }),
    },
    { packages: ["express", "express4", "hono", "@hono/node-server", "ws"] },
  );
});

const running = [];
after(async () => {
  for (const server of running) await stop(server);
});

const RUNTIMES = {
  node: [process.execPath],
  deno: [tool("deno"), "run", "--no-remote", "--allow-read", "--allow-net=127.0.0.1", "--allow-env"],
  bun: [tool("bun")],
};

async function serve([command, ...parameters], script, more = {}) {
  const port = await freePort();
  const server = start(command, [...parameters, script, String(port), "engine.json"], { cwd: folder, env: { ...process.env, ...more } });
  server.stdout.resume();
  running.push(server);
  await listening(port);
  return `http://127.0.0.1:${port}`;
}

const bearer = (token, more = {}) => ({ headers: { authorization: `Bearer ${token}`, ...more } });

async function push(url, set) {
  const headers = { "content-type": "application/secevent+jwt", authorization: "Bearer secret" };
  return fetch(`${url}/push`, { method: "POST", headers, body: set });
}

/** Two tokens in one request, which `fetch` cannot say. */
function twice(url, tokens) {
  return new Promise((resolve, reject) => {
    const headers = tokens.map((token) => ["authorization", `Bearer ${token}`]);
    const request = httpRequest(url, { headers: ["host", new URL(url).host, ...headers.flat()] }, (response) => resolve(response.statusCode));
    request.on("error", reject).end();
  });
}

/** Reads server-sent events until they end. */
async function eventsOf(response) {
  const text = await response.text();
  return { at: performance.now(), ticks: text.split("data: tick").length - 1, error: /event: error\ndata: (.*)\n\n$/.exec(text)?.[1] };
}

/** What every adapter has to do. */
async function guards(url) {
  const nobody = await fetch(`${url}/orders`);
  assert.deepEqual([nobody.status, nobody.headers.get("www-authenticate"), nobody.headers.get("cache-control")], [401, "Bearer", "no-store"]);
  const adele = await world.token("Ádele");
  const bruno = await world.token("bruno");
  const first = await fetch(`${url}/orders?x=1`, bearer(adele));
  assert.deepEqual([first.status, await first.json()], [200, { served: 1, subject: "Ádele" }]);
  assert.notEqual(await twice(`${url}/orders`, [adele, adele]), 200);

  // Without an engine, and without a store, nothing gets through to the application.
  for (const path of ["broken", "silent"]) {
    const refused = await fetch(`${url}/${path}`, bearer(adele));
    assert.deepEqual([refused.status, await refused.text(), refused.headers.get("cache-control")], [503, "", "no-store"], path);
  }

  // The client is who connects; what is said of it is believed where proxies are said to be.
  const elsewhere = (path, said) => fetch(url + path, bearer(adele, { "x-forwarded-for": said }));
  assert.equal((await elsewhere("/orders", "203.0.113.7")).status, 200);
  assert.equal((await elsewhere("/proxied", "203.0.113.7")).status, 403);
  assert.equal((await elsewhere("/proxied", `${OFFICE}, 203.0.113.7`)).status, 403, "the client's own word");
  assert.equal((await elsewhere("/proxied", `203.0.113.7, ${OFFICE}`)).status, 200);
  assert.equal((await elsewhere("/proxied", "unknown")).status, 503, "an address that nobody can tell");

  const stream = await fetch(`${url}/stream`, bearer(adele));
  const another = await fetch(`${url}/stream`, bearer(bruno));
  assert.equal(stream.status, 200);
  const ended = eventsOf(stream);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const began = performance.now();
  assert.equal((await push(url, await world.set("Ádele"))).status, 202);
  const { at, ticks, error } = await ended;
  assert.ok(at - began < 1_000, `${at - began} ms`);
  assert.ok(ticks > 2, `${ticks} events`);
  assert.deepEqual([JSON.parse(error).status, typeof parseChallenge(JSON.parse(error).wwwAuthenticate).claims], [401, "string"]);
  const refused = await fetch(`${url}/orders`, bearer(adele));
  assert.equal(refused.status, 401);
  assert.ok(Number(JSON.parse(parseChallenge(refused).claims).access_token.nbf.value) > 0);
  assert.equal((await fetch(`${url}/orders`, bearer(bruno))).status, 200);
  await another.body.cancel();
  assert.equal((await push(url, "no SET")).status, 400);
}

for (const [name, runtime, script, more] of [
  ["node", RUNTIMES.node, "node.mjs"],
  ["express", RUNTIMES.node, "express.mjs"],
  ["express 4", RUNTIMES.node, "express.mjs", { EXPRESS: "express4" }],
  ["hono on node", RUNTIMES.node, "hono.mjs"],
  ["deno", RUNTIMES.deno, "deno.mjs"],
  ["hono on deno", RUNTIMES.deno, "hono.mjs"],
  ["bun", RUNTIMES.bun, "bun.mjs"],
  ["hono on bun", RUNTIMES.bun, "hono.mjs"],
]) {
  test(name, async () => {
    await guards(await serve(runtime, script, more));
    // A configuration with a fault ends the program before it listens, and names its place.
    const [command, ...parameters] = runtime;
    const faulty = spawnSync(command, [...parameters, script, "1", "faulty.json"], { cwd: folder, encoding: "utf8" });
    assert.notEqual(faulty.status, 0);
    assert.match(faulty.stderr, /\/more: /);
  });
}

test("an engine that cannot be made is told of when the server is made, and not with the first request", async () => {
  const problems = [];
  const faulty = createEngine({ ...world.configuration(), more: 1 });
  const listener = protectListener(faulty, { store: new MemoryStore(), onProblem: (problem) => problems.push(problem) }, () => {
    throw new Error("nothing gets here");
  });
  await until("the problem", () => problems.length > 0);
  assert.match(problems[0].message, /^\/more: /);
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  assert.equal((await fetch(`http://127.0.0.1:${server.address().port}/`, bearer(await world.token("adele")))).status, 503);
  server.close();
});

test("express and node: a client that comes past the proxies is itself", async () => {
  for (const script of ["node.mjs", "express.mjs"]) {
    const url = await serve(RUNTIMES.node, script);
    const token = await world.token("adele");
    const answer = await fetch(`${url}/past-proxies`, bearer(token, { "x-forwarded-for": "203.0.113.7" }));
    assert.equal(answer.status, 200, script);
  }
});

/** A WebSocket, with what it heard. */
async function open(url, token) {
  const socket = new WebSocket(url.replace("http:", "ws:"), bearer(token));
  const heard = [];
  socket.on("message", (message) => heard.push(String(message)));
  const closed = new Promise((resolve) => socket.on("close", (code, reason) => resolve({ code, reason: String(reason), at: performance.now() })));
  const answer = await new Promise((resolve) => {
    socket.on("open", () => resolve(undefined));
    socket.on("unexpected-response", (_, response) => resolve(response));
    socket.on("error", () => undefined);
  });
  return { socket, heard, closed, answer };
}

test("a WebSocket is closed with the challenge once an event refuses its token, and no other", async () => {
  const url = await serve(RUNTIMES.node, "node.mjs");
  const adele = await open(`${url}/live`, await world.token("adele"));
  const bruno = await open(`${url}/live`, await world.token("bruno"));
  adele.socket.send("hello");
  await until("an answer", () => adele.heard.length === 1);
  const began = performance.now();
  await push(url, await world.set("adele"));
  const { code, reason, at } = await adele.closed;
  assert.ok(at - began < 1_000, `${at - began} ms`);
  assert.equal(code, 3000);
  const claims = JSON.parse(Buffer.from(/^claims=(.*)$/.exec(reason)[1], "base64"));
  assert.ok(Number(claims.access_token.nbf.value) > 0);
  bruno.socket.send("still there");
  await until("an answer", () => bruno.heard.length === 1);
  assert.deepEqual(bruno.heard, ["2 still there"]);
  // Whoever opens it again with the same token has the whole challenge in the answer.
  const refused = await open(`${url}/live`, await world.token("adele"));
  assert.equal(refused.answer.statusCode, 401);
  assert.match(refused.answer.headers["www-authenticate"], /insufficient_claims/);
  const later = await until("a later token opens it", async () => {
    const opened = await open(`${url}/live`, await world.token("adele", { iat: seconds() }));
    return opened.answer === undefined && opened;
  });
  for (const path of ["broken", "silent"]) {
    const { answer } = await open(`${url}/${path}`, await world.token("bruno"));
    assert.deepEqual([answer.statusCode, answer.headers["cache-control"]], [503, "no-store"], path);
  }
  bruno.socket.close();
  later.socket.close();
});

test("a WebSocket of a client that does not let go is cut off, and nothing that it says is heard", async () => {
  const url = await serve(RUNTIMES.node, "node.mjs");
  const { socket, closed, heard } = await open(`${url}/live`, await world.token("chen"));
  socket.send("hello");
  await until("an answer", () => heard.length === 1);
  // It reads nothing any more, so it does not see that it is closed, and sends on.
  socket.pause();
  const began = performance.now();
  await push(url, await world.set("chen"));
  const sending = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send("more"), 20);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  clearInterval(sending);
  socket.resume();
  const { at } = await closed;
  assert.ok(at - began < 4_000);
  const witness = await open(`${url}/live`, await world.token("witness"));
  witness.socket.send("how many");
  const count = Number((await until("an answer", () => witness.heard[0])).split(" ")[0]);
  assert.ok(count < 2 + 1_000 / 20, `${count} messages were heard`);
  witness.socket.close();
});

test("WebSockets and streams end with their token", async () => {
  const url = await serve(RUNTIMES.node, "node.mjs");
  const exp = seconds() + 2;
  const token = await world.token("dora", { exp });
  const { closed } = await open(`${url}/live`, token);
  const ended = fetch(`${url}/middleware`, bearer(token)).then(eventsOf);
  const { code } = await closed;
  const late = Date.now() / 1000 - exp;
  assert.equal(code, 3000);
  assert.ok(late >= -0.1 && late < 1, `${late} s after its end`);
  assert.equal(JSON.parse((await ended).error).status, 401);
});

test("what is no stream of events breaks off", async () => {
  const url = await serve(RUNTIMES.node, "node.mjs");
  const response = await fetch(`${url}/download`, bearer(await world.token("erin")));
  const read = response.text();
  const began = performance.now();
  const [, refused] = await Promise.all([push(url, await world.set("erin")), assert.rejects(read).then(() => performance.now())]);
  assert.ok(refused - began < 1_000);
});
