// What the servers of all adapters have in common. `node server.mjs PORT ENGINE.json`

import { readFileSync } from "node:fs";

import { MemoryStore, createEngine, receivePush } from "cae";

const [port, file] = process.argv.slice(-2);
const configuration = readFileSync(file, "utf8");

export const PORT = Number(port);
/** A faulty configuration ends the program before it listens. */
export const engine = await createEngine(configuration, { storeTimeout: 100 });
export const store = new MemoryStore();

/** An engine that cannot be loaded: its module is an empty one. */
const module = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
export const broken = () => createEngine(configuration, { module });
/** A store that does not answer. */
export const silent = { get: () => new Promise(() => {}) };

const [{ issuer: transmitter }] = JSON.parse(configuration).transmitters;
export const receive = (request) => receivePush(engine, request, { store, transmitter, token: "secret" });

let served = 0;
/** What the application answers. */
export const answer = (authorization) => {
  served += 1;
  return JSON.stringify({ served, subject: authorization.presenter.subject });
};

/** Server-sent events without an end, for runtimes with the Fetch API. */
export function events() {
  const encoder = new TextEncoder();
  let timer;
  const body = new ReadableStream({
    start(controller) {
      timer = setInterval(() => controller.enqueue(encoder.encode("data: tick\n\n")), 50);
    },
    cancel: () => clearInterval(timer),
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
