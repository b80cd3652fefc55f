// What a program for the web says: it has no types of Node.

import { type Authorization, type Configuration, type ReadStore, MemoryStore, cached, createEngine } from "cae";
import { fetchWithClaims, parseChallenge } from "cae/client";
import { type CaeVariables, protect } from "cae/hono";
import { RemoteStore } from "cae/remote";
import { Hono } from "hono";

const configuration: Configuration = {
  resource: { audiences: ["api://orders"] },
  issuers: [{ issuer: "https://login.example", claims: "keycloak", jwksUri: "https://login.example/keys" }],
};
// @ts-expect-error what no configuration has
const wrong: Configuration = { ...configuration, resources: {} };
const engine = await createEngine(configuration, { module: () => WebAssembly.compileStreaming(fetch("/engine.wasm")) });
const store: ReadStore = cached(new RemoteStore({ url: "https://cae.internal:8182", token: "t" }), { seconds: 1 });
const authorization: Authorization = await engine.authorize(new Request("/orders"), { store, clientIp: undefined });
const claims: string | undefined = parseChallenge(authorization.response())?.claims;
const send: typeof fetch = fetchWithClaims(async (wanted) => wanted ?? "token");
console.log(wrong, claims, await send("/orders"));

const hono = new Hono<{ Variables: CaeVariables }>();
hono.use(protect(engine, { store: new MemoryStore(), clientIp: (_, c) => c.req.header("cf-connecting-ip") }));
hono.get("/", (c) => c.text(c.get("cae").presenter?.subject ?? ""));
