import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Response as MiniflareResponse } from "miniflare";

import { TRANSMITTER, World, blockedOutside, seconds } from "../world.mjs";
import { temporary } from "../packed.mjs";
import { until } from "../process.mjs";
import { bundle, run } from "./edge.mjs";

let world;
let modules;
let folder;
before(async () => {
  world = await World.make();
  ({ modules, folder } = bundle(world.configurationWithLogout()));
});

const running = [];
after(async () => {
  for (const worker of running) await worker.dispose();
});

/** What the origin was asked. */
let asked = [];
const origin = async (request) => {
  asked.push([request.method, new URL(request.url).pathname, Object.fromEntries(request.headers)]);
  const { pathname } = new URL(request.url);
  if (pathname === "/feed" || pathname === "/export") {
    const stream = new ReadableStream({
      async start(controller) {
        for (let turn = 0; turn < 100; turn += 1) {
          controller.enqueue(new TextEncoder().encode(`data: ${turn}\n\n`));
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        controller.close();
      },
    });
    return new MiniflareResponse(stream, { headers: { "content-type": pathname === "/feed" ? "text/event-stream" : "text/csv" } });
  }
  return new MiniflareResponse("served", { headers: { "x-origin": "yes" } });
};

async function start(options = {}) {
  const worker = run(modules, { bindings: { PUSH_TOKEN: "secret", ORIGIN: "http://origin.example" }, origin, ...options });
  running.push(worker);
  await worker.ready;
  asked = [];
  return worker;
}

const get = (worker, token, more = {}, path = "/orders?x=1") =>
  worker.dispatchFetch(`https://api.example${path}`, { headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...more } });

const push = (worker, set, token = "secret", name = "main") =>
  worker.dispatchFetch(`https://api.example/.cae/events/${name}`, {
    method: "POST",
    body: set,
    headers: { "content-type": "application/secevent+jwt", authorization: `Bearer ${token}` },
  });

test("it hands on what may pass, says who asks, and the very next request after an event is challenged", async () => {
  const worker = await start();
  const nobody = await get(worker);
  assert.deepEqual([nobody.status, nobody.headers.get("www-authenticate"), nobody.headers.get("cache-control")], [401, "Bearer", "no-store"]);
  const token = await world.token("Adele");
  const forged = { "x-cae-subject": "root", "x-cae-tenant": "evil", "X-Cae-Session-Controls": "none" };
  const served = await get(worker, token, forged);
  assert.deepEqual([served.status, await served.text(), served.headers.get("x-origin")], [200, "served", "yes"]);
  const [[method, path, headers]] = asked;
  assert.deepEqual([method, path], ["GET", "/orders"]);
  assert.deepEqual(
    ["x-cae-subject", "x-cae-tenant", "x-cae-client", "x-cae-session-controls"].map((name) => headers[name] ?? ""),
    ["Adele", "", "app", ""],
  );
  assert.equal((await push(worker, await world.set("Adele"))).status, 202);
  const refused = await get(worker, token);
  assert.equal(refused.status, 401);
  assert.match(refused.headers.get("www-authenticate"), /error="insufficient_claims".*claims="/);
  assert.equal((await get(worker, await world.token("bruno"))).status, 200);
  assert.equal(asked.length, 2, "nothing that was refused came to the origin");
});

test("a body goes on as it came, with its length or without", async () => {
  const server = createServer(async (request, response) => {
    const { method, headers, url } = request;
    const { length } = Buffer.concat(await request.toArray());
    response.end(JSON.stringify({ method, url, length, said: headers["content-length"], coding: headers["transfer-encoding"] }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const worker = await start({ bindings: { ORIGIN: `http://127.0.0.1:${server.address().port}` }, origin: undefined });
    const url = new URL("/orders?x=1", await worker.ready);
    const headers = { authorization: `Bearer ${await world.token("Adele")}` };
    const body = "a".repeat(100_000);
    const whole = await fetch(url, { method: "PUT", headers, body });
    assert.deepEqual(await whole.json(), { method: "PUT", url: "/orders?x=1", length: 100_000, said: "100000" });
    const pieces = new Blob([body]).stream();
    const streamed = await fetch(url, { method: "POST", headers, body: pieces, duplex: "half" });
    assert.deepEqual(await streamed.json(), { method: "POST", url: "/orders?x=1", length: 100_000, coding: "chunked" });
  } finally {
    server.close();
  }
});

test("policies hear from which country Cloudflare says a request comes", async () => {
  const home = "d7a8bc2e-7a27-4d44-bf1d-6f4c5ad2a3c1";
  const namedLocations = [
    { "@odata.type": "#microsoft.graph.countryNamedLocation", id: home, displayName: "home", countriesAndRegions: ["DE"] },
  ];
  const [tenant, application, issued] = ["9d8f0d1c-58a3-4a6e-8f0a-2f1f0b6f7a11", "8f3c0a1b-6f6e-4f7a-9f3c-2c3d4e5f5b1b", seconds() - 60];
  const issuer = `https://login.microsoftonline.com/${tenant}/v2.0`;
  const configuration = world.configuration({
    issuer: { issuer, claims: "entra-v2", policies: [blockedOutside(home)], namedLocations },
    transmitter: { speaksFor: [issuer] },
    settings: { countryAtResource: true },
  });
  configuration.resource = { audiences: [application], applicationId: application };
  const claims = { iss: issuer, tid: tenant, ver: "2.0", aud: application, oid: home, sub: "s", azp: home, scp: "read", uti: "u", acct: 0, xms_cc: ["cp1"], xms_ssm: "1" };
  const token = await world.issuer.sign({ typ: "JWT" }, { ...claims, iat: issued, nbf: issued, exp: issued + 3_600 });
  const worker = run(bundle(configuration).modules, { bindings: { ORIGIN: "http://origin.example" }, origin });
  running.push(worker);
  // What a client writes itself counts for nothing.
  const headers = { authorization: `Bearer ${token}`, "cf-connecting-ip": "198.51.100.7", "cf-ipcountry": "DE" };
  const from = async (country) => (await worker.dispatchFetch("https://api.example/", { headers, cf: { country } })).status;
  assert.equal(await from("DE"), 200);
  assert.notEqual(await from("FR"), 200);
});

test("what transmitters send is checked, and nothing below /.cae/ comes to the origin", async () => {
  const worker = await start();
  const set = await world.set("chen");
  assert.equal((await push(worker, set, "wrong")).status, 401);
  assert.equal((await push(worker, set, "secret", "other")).status, 404);
  assert.equal((await push(worker, set, "secret", "constructor")).status, 404);
  assert.equal((await push(worker, "no SET")).status, 400);
  assert.equal((await push(worker, "x".repeat(1_100_000))).status, 413);
  assert.equal((await get(worker, await world.token("chen"), {}, "/.cae/anything")).status, 404);
  assert.equal(asked.length, 0);
});

test("what was acknowledged survives a restart", async () => {
  const persist = join(temporary(), "state");
  const first = await start({ persist });
  const token = await world.token("dora");
  assert.equal((await get(first, token)).status, 200);
  assert.equal((await push(first, await world.set("dora"))).status, 202);
  await first.dispose();
  running.splice(running.indexOf(first), 1);
  const second = await start({ persist });
  assert.equal((await get(second, token)).status, 401);
});

test("hostile requests are answered and let nothing through", async () => {
  const worker = await start();
  const token = await world.token("adele");
  const wrong = [`Bearer ${"a".repeat(100_000)}`, `Bearer ${token}, Bearer ${token}`, `Bearer ${token} x`, "Bearer \u00e9", `DPoP ${token}`];
  for (const authorization of wrong) {
    const answer = await worker.dispatchFetch("https://api.example/", { headers: { authorization } }).catch((error) => ({ status: 599, error }));
    assert.ok(answer.status >= 400, authorization.slice(0, 30));
  }
  assert.equal(asked.length, 0);
});

test("a poll by the cron trigger takes what waits", async () => {
  const waiting = new Map([["e-1", await world.set("erin")], ["e-2", await world.set("finn")]]);
  const polled = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const { ack, maxEvents } = JSON.parse(body);
    assert.equal(request.headers.authorization, "Bearer p");
    for (const name of ack) waiting.delete(name);
    const sets = Object.fromEntries([...waiting].slice(0, Math.min(maxEvents, 1)));
    response.setHeader("content-type", "application/json").end(JSON.stringify({ sets, moreAvailable: waiting.size > 1 }));
  }).listen(0, "127.0.0.1");
  await once(polled, "listening");
  try {
    const endpoint = `http://127.0.0.1:${polled.address().port}/poll`;
    const worker = await start({
      bindings: { POLL_ENDPOINT: endpoint, POLL_TOKEN: "p", ORIGIN: "http://origin.example" },
      origin: (request) => (request.url === endpoint ? fetch(request.url, { method: "POST", headers: request.headers, body: request.body, duplex: "half" }).then(async (it) => new MiniflareResponse(await it.text(), { status: it.status })) : origin(request)),
    });
    const token = await world.token("finn");
    assert.equal((await get(worker, token)).status, 200);
    const fetcher = await worker.getWorker();
    const { outcome } = await fetcher.scheduled({ cron: "* * * * *" });
    assert.equal(outcome, "ok");
    assert.equal(waiting.size, 0);
    assert.equal((await get(worker, token)).status, 401);
  } finally {
    polled.close();
  }
});

test("a stream of events ends with the challenge within a second", async () => {
  const worker = await start();
  const response = await get(worker, await world.token("gina"), {}, "/feed");
  assert.equal(response.status, 200);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value;
  assert.match(text, /^data: 0/);
  const set = await world.set("gina");
  const began = performance.now();
  assert.equal((await push(worker, set)).status, 202);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
  }
  const took = performance.now() - began;
  assert.ok(took < 1_000, `${took} ms`);
  assert.match(text, /event: error\ndata: \{"status":401,.*insufficient_claims/);
  assert.ok(!text.includes("data: 99"));
});

test("any other stream breaks off within a second", async () => {
  const worker = await start();
  const response = await get(worker, await world.token("hugo"), {}, "/export");
  assert.deepEqual([response.status, response.headers.get("content-type")], [200, "text/csv"]);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value;
  const set = await world.set("hugo");
  const began = performance.now();
  assert.equal((await push(worker, set)).status, 202);
  // workerd ends what broke off as if it were whole (a last chunk, then it closes), so that it just ends here.
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
  const took = performance.now() - began;
  assert.ok(took < 1_000, `${took} ms`);
  assert.ok(text.includes("data: 0") && !text.includes("data: 99") && !text.includes("error"), text);
});

test("a logout ends the session's tokens, and no other's", async () => {
  const worker = await start();
  const [ended, other] = [await world.token("ivo", { sid: "s-1" }), await world.token("ivo", { sid: "s-2" })];
  for (const token of [ended, other]) assert.equal((await get(worker, token)).status, 200);
  const logout = (logout_token) =>
    worker.dispatchFetch("https://api.example/.cae/backchannel-logout", { method: "POST", body: new URLSearchParams({ logout_token }) });
  assert.equal((await logout("no token")).status, 400);
  assert.equal((await logout(await world.logout("ivo", "s-1"))).status, 200);
  assert.equal((await get(worker, ended)).status, 401);
  assert.equal((await get(worker, other)).status, 200);
});

test("a template with a faulty configuration is not deployed: the place is named", async () => {
  const check = (text) => {
    writeFileSync(join(folder, "engine.json"), text);
    return spawnSync(process.execPath, ["node_modules/cae/dist/check.js", "engine.json"], { cwd: folder, encoding: "utf8" });
  };
  const good = JSON.stringify(world.configuration());
  assert.equal(check(good).status, 0);
  const faulty = check(good.replace('"audiences"', '"audience"'));
  assert.equal(faulty.status, 1);
  assert.match(faulty.stderr, /\/resource/);
});

const root = new URL("../../../../", import.meta.url);
const page = readFileSync(new URL("docs/javascript/cloudflare.md", root), "utf8");

test("the page shows the template as it is", () => {
  const shown = [...page.matchAll(/<!-- (\S+) -->\n```\w+\n([^]*?)```/g)];
  assert.deepEqual(shown.map(([, name]) => name), ["wasm/edge/cloudflare/src/worker.js", "wasm/edge/cloudflare/wrangler.jsonc"]);
  for (const [, name, text] of shown) assert.equal(text, readFileSync(new URL(name, root), "utf8"), name);
});

test("what the page shows besides works with the template", async () => {
  const [, cached, reading] = [...page.matchAll(/```js\n([^]*?)```/g)].map(([, text]) => text);
  const template = readFileSync(new URL("wasm/edge/cloudflare/src/worker.js", root), "utf8");
  const near = template.replace("store: records(env),", "store: records(env), reader: reader(env),");
  const own = template.replace('import engine from "../build/engine.wasm";', "").replace("guard(settings)", "guard(reading)");
  const configuration = world.configuration();
  for (const [text, options] of [
    [`${cached}${near}`, { kvNamespaces: ["CAE_CACHE"] }],
    [`${reading}${own}`, { CONFIGURATION: JSON.stringify(configuration) }],
  ]) {
    const { CONFIGURATION = "", ...more } = options;
    const { modules } = bundle(configuration, { "src/worker.js": text });
    const worker = run(modules, { bindings: { PUSH_TOKEN: "secret", ORIGIN: "http://origin.example", CONFIGURATION }, origin, ...more });
    running.push(worker);
    const token = await world.token("jana");
    assert.equal((await get(worker, token)).status, 200);
    assert.equal((await push(worker, await world.set("jana"))).status, 202);
    await until("the challenge", async () => (await get(worker, token)).status === 401);
  }
});
