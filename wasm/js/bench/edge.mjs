// `npm run bench`: how large the package is at the edge, how soon it is there, and what it costs.
//
// A worker's clock stands still while it computes, so what it costs is read from outside: the processor time of the
// process, before and after.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { gzipSync } from "node:zlib";

import { createEngine, MemoryStore } from "cae";

import { bundle, compressed, run } from "../test/cloudflare/edge.mjs";
import { ADDRESS, median, subject } from "./subject.mjs";

const say = (what, figure, aim = "") => console.log(`${what.padEnd(66)} ${figure.padStart(16)}   ${aim}`);
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} KB`;

/** Nanoseconds of processor time that a process took: of the threads that it has. */
const processorTime = (pid) =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]))
    .reduce((sum, one) => sum + one, 0);

const workerd = () => {
  const ids = execFileSync("pgrep", ["--parent", String(process.pid), "workerd"], { encoding: "utf8" }).trim().split("\n");
  return Number(ids.at(-1));
};

function size(modules) {
  const wasm = modules.filter(({ type }) => type === "CompiledWasm");
  say("WebAssembly module, gzipped", kilobytes(compressed(wasm)), "at most 110 KB");
  say("worker with it, gzipped", kilobytes(compressed(modules)), "at most 150 KB");
  say("  of which scripts, gzipped", kilobytes(compressed(modules.filter((it) => !wasm.includes(it)))));
}

/** Instantiating and configuring, between two answers from outside: only those move a worker's clock. */
async function coldStart(configuration) {
  const worker = `
    import { createEngine } from "cae";
    import engine from "../build/engine.wasm";
    const tick = () => fetch("http://origin.example/");
    export default {
      async fetch() {
        await tick();
        const began = Date.now();
        for (let turn = 0; turn < 5; turn += 1) await tick();
        const ticks = Date.now() - began;
        const configured = Date.now();
        await createEngine(engine);
        for (let turn = 0; turn < 5; turn += 1) await tick();
        return Response.json(Date.now() - configured - ticks);
      },
    };
    export class Records {}
    export class Connections {}`;
  const { modules } = bundle(configuration, { "src/worker.js": worker });
  const took = [];
  for (let turn = 0; turn < 11; turn += 1) {
    const fresh = run(modules, { origin: () => new Response(null, { status: 204 }) });
    await fresh.ready;
    took.push(await (await fresh.dispatchFetch("https://api.example/")).json());
    await fresh.dispose();
  }
  say("cold start in workerd: instantiate and configure, 50 policies", `${median(took)} ms`, "under 5 ms");
}

/** A token that is known, its record in hand: the engine alone, and all that the package does around it. */
async function decision() {
  const { configuration, token } = await subject({ policies: 100, locations: 25 });
  const store = new MemoryStore();
  const engine = await createEngine(configuration);
  const headers = new Headers({ authorization: `Bearer ${token}` });
  const asked = { headers, url: "https://api.example/orders", method: "GET" };
  const first = await engine.authorize(asked, { store, clientIp: ADDRESS });
  if (!first.isAllowed) throw new Error(`the token is refused: ${first.reasons}`);
  // The module of servers, and that of workers and browsers.
  const [server, edge] = [await known("tools", configuration, token), await known("engine", configuration, token)];
  const [alone, small, whole] = [[], [], []];
  for (let turn = 0; turn < 9; turn += 1) {
    alone.push(nanoseconds(200_000, server));
    small.push(nanoseconds(200_000, edge));
    const began = process.cpuUsage();
    for (let count = 0; count < 20_000; count += 1) await engine.authorize(asked, { store, clientIp: ADDRESS });
    whole.push(nanosecondsSince(began) / 20_000);
  }
  say("decision on a known token in Node: 100 policies, 5,000 ranges", `${(median(alone) / 1000).toFixed(2)} µs`, "under 1.5 µs");
  say("  the same by the module for the edge", `${(median(small) / 1000).toFixed(2)} µs`);
  say("  authorize() around it, with a store in memory", `${(median(whole) / 1000).toFixed(2)} µs`);
}

/** Of processor time, each. */
function nanoseconds(count, what) {
  const began = process.cpuUsage();
  for (let turn = 0; turn < count; turn += 1) what();
  return nanosecondsSince(began) / count;
}

function nanosecondsSince(began) {
  const { user, system } = process.cpuUsage(began);
  return (user + system) * 1000;
}

/** Decides on a token that the engine knows, asked as the package asks: no route of the configuration needs the path. */
async function known(name, configuration, token) {
  const { instantiate } = await import(`../dist/wasm/${name}.js`);
  const module = await WebAssembly.compile(readFileSync(new URL(`../dist/wasm/${name}.wasm`, import.meta.url)));
  const instance = new (instantiate(module).Engine)(JSON.stringify(configuration), 1n);
  const now = Math.floor(Date.now() / 1000);
  const { handle, needs } = instance.begin(token, now, "none");
  const records = needs.records.map(() => null);
  const decide = (signature) => instance.decide(handle, now, ADDRESS, undefined, undefined, signature, records, undefined);
  decide(true);
  if (decide().verdict?.outcome !== "allow") throw new Error("the token is refused");
  return () => decide();
}

/** Requests of a turn. */
const REQUESTS = 800;

/** Processor time of a request through the guard, beside a worker that hands everything on. */
async function perRequest() {
  const { configuration, token } = await subject({ policies: 100, locations: 25 });
  const forwarding = `
    export default { fetch: (request, env) => fetch(new URL(new URL(request.url).pathname, env.ORIGIN), request) };
    export class Records {}
    export class Connections {}`;
  const anew = `
    import { CaeRecords, DurableObjectStore, guard } from "cae/cloudflare";
    import engine from "../build/engine.wasm";
    export default guard((env) => {
      const store = new DurableObjectStore(env.CAE_RECORDS);
      return {
        configuration: engine,
        store,
        reader: { get: (keys) => store.getNow(keys) },
        forward: (request) => fetch(new URL(new URL(request.url).pathname, env.ORIGIN), request),
      };
    });
    export class Records extends CaeRecords { engine() { return engine; } }
    export class Connections {}`;
  const origin = createServer((_, response) => response.end("served")).listen(0, "127.0.0.1");
  await once(origin, "listening");
  const bindings = { ORIGIN: `http://127.0.0.1:${origin.address().port}` };
  const kinds = [["forwards", { "src/worker.js": forwarding }], ["guarded", {}], ["asks", { "src/worker.js": anew }]];
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const running = [];
  for (const [name, more] of kinds) {
    const { modules } = bundle(configuration, more);
    const worker = run(modules, { bindings, outboundService: undefined });
    const url = await worker.ready;
    running.push({ name, worker, url, pid: workerd(), took: [] });
  }
  const load = (url, count) => {
    const headers = { authorization: `Bearer ${token}`, "cf-connecting-ip": ADDRESS };
    const one = () =>
      new Promise((resolve, reject) => {
        request(new URL("/orders", url), { agent, headers }, (response) => {
          if (response.statusCode !== 200) reject(new Error(`answered ${response.statusCode}`));
          response.resume().on("end", resolve);
        })
          .on("error", reject)
          .end();
      });
    return Promise.all(Array.from({ length: 8 }, async () => {
      for (let turn = 0; turn < count / 8; turn += 1) await one();
    }));
  };
  try {
    for (const { url } of running) await load(url, 2_000);
    // In short turns, so that what else the machine does falls on all of them.
    for (let turn = 0; turn < 60; turn += 1) {
      for (const { url, pid, took } of running) {
        const before = processorTime(pid);
        await load(url, REQUESTS);
        took.push(processorTime(pid) - before);
      }
    }
    const [forwards, ...guards] = running;
    say("processor time a request in workerd, of a worker that only forwards", `${(median(forwards.took) / REQUESTS / 1000).toFixed(0)} µs`);
    for (const { name, took } of guards) {
      const ratios = took.map((it, turn) => it / forwards.took[turn]);
      const [what, aim] =
        name === "guarded" ? ["  guarded", "at most 1.25"] : ["  guarded, all records asked for each time", ""];
      say(what, `${median(ratios).toFixed(2)} times`, aim);
    }
  } finally {
    for (const { worker } of running) await worker.dispose();
    origin.close();
    agent.destroy();
  }
}

const { modules } = bundle((await subject({ policies: 50, locations: 5 })).configuration);
size(modules);
await coldStart((await subject({ policies: 50, locations: 5 })).configuration);
await decision();
await perRequest();
