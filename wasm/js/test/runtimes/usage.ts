// What a program in TypeScript says; it is compiled and never run.

import { createServer } from "node:http";

import {
  type Authorization,
  type Configuration,
  type ReadStore,
  type Store,
  CaeError,
  ConfigurationError,
  Connections,
  MemoryStore,
  addressBehind,
  cached,
  createEngine,
  poll,
  receiveLogout,
  receivePush,
} from "cae";
import { protect as protectBun } from "cae/bun";
import { fetchWithClaims, parseChallenge } from "cae/client";
import { protect as protectDeno } from "cae/deno";
import { authorizationOf as authorizationOfExpress, protect as protectExpress } from "cae/express";
import { type CaeVariables, protect as protectHono } from "cae/hono";
import { closeCode, closeReason, streamWhileAllowed } from "cae/live";
import { authorizationOf, behindProxies, closeWithToken, endWithToken, protect, protectListener, protectUpgrade } from "cae/node";
import { RemoteStore } from "cae/remote";
import express from "express";
import { Hono } from "hono";
import { WebSocketServer } from "ws";

const configuration: Configuration = {
  resource: { audiences: ["api://orders"] },
  issuers: [{ issuer: "https://login.example", claims: "keycloak", jwksUri: "https://login.example/keys" }],
};
// @ts-expect-error what no configuration has
const wrong: Configuration = { ...configuration, resources: {} };

const engine = await createEngine(configuration, { storeTimeout: 500, onProblem: (problem: CaeError) => console.error(problem.code) });
const store: Store = new MemoryStore();
const stores: readonly ReadStore[] = [
  store,
  cached(store, { seconds: 1 }),
  new RemoteStore({ url: "https://cae.internal:8182", token: "t" }),
  { get: async (keys) => keys.map(() => null) },
];
// @ts-expect-error no store takes events that does not merge
await engine.readEvent("…", { store: stores[3] });

const authorization: Authorization = await engine.authorize(new Request("https://api.example/"), { store, clientIp: "192.0.2.1" });
const outcome: "allow" | "challenge" | "deny" = authorization.outcome;
const subject: string | undefined = authorization.presenter?.subject;
const status: number = authorization.isAllowed ? 200 : authorization.response().status;
const received = await engine.readEvent("…", { store });
const code: string | undefined = received.kind === "rejected" ? received.code : undefined;
const lines: string = (await engine.whatIf({ policies: [{ name: "p", text: "[]" }] })).evaluate("", 1, true).lines;
console.log(wrong, outcome, subject, status, code, lines, addressBehind(1, "192.0.2.1"));
try {
  engine.setKeys("https://login.example", "{}");
} catch (error) {
  if (error instanceof ConfigurationError) console.log(error.faults.map(({ at, message }) => `${at}: ${message}`));
}

await receivePush(engine, new Request("https://api.example/"), { store, transmitter: "https://login.example", token: "t" });
await receiveLogout(engine, new Request("https://api.example/"), { store });
console.log((await poll(engine, { store, transmitter: "https://login.example", endpoint: "https://login.example/poll" })).hasMore);

const claims: string | undefined = parseChallenge(new Response(null, { status: 401 }))?.claims;
const send: typeof fetch = fetchWithClaims(async (wanted) => wanted ?? claims ?? "token");
console.log(await send("https://api.example/"), closeCode(authorization), closeReason(authorization));
console.log(streamWhileAllowed(new Response(), async () => authorization));
new Connections(engine, store).watch(authorization, async () => authorization, (refused) => console.log(refused.status))();

const clientIp = behindProxies({ count: 1, from: ["10.0.0.0/8"] });
const server = createServer(protectListener(engine, { store, clientIp }, (request, response, { presenter }) => {
  endWithToken(request, response);
  response.end(presenter?.subject ?? authorizationOf(request).status);
}));
const sockets = new WebSocketServer({ noServer: true });
server.on("upgrade", protectUpgrade(engine, { store }, (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (webSocket) => closeWithToken(request, webSocket));
}));
const middleware = protect(() => createEngine(configuration), { store, country: () => "DE" });
createServer((request, response) => middleware(request, response, () => response.end("served")));

const application = express();
application.use(protectExpress(engine, { store }));
application.get("/", (request, response) => void response.json(authorizationOfExpress(request).reasons));

const hono = new Hono<{ Variables: CaeVariables }>();
hono.use(protectHono(engine, { store, clientIp: (_, c) => c.req.header("cf-connecting-ip") }));
hono.get("/", (c) => c.text(c.get("cae").presenter?.subject ?? ""));

protectDeno(engine, { store }, (request, { presenter }, info) => new Response(`${request.url} ${presenter?.subject} ${info.remoteAddr.hostname}`));
protectBun(engine, { store }, (request, { presenter }, server) => new Response(`${presenter?.subject} ${server.requestIP(request)?.address}`));
