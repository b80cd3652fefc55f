// Hono on Node, on Deno and on Bun.

import { addressBehind } from "cae";
import { protect } from "cae/hono";
import { Hono } from "hono";

import { PORT, answer, broken, engine, events, receive, silent, store } from "./served.mjs";

const serving = {
  node: async () => {
    const [{ serve }, { getConnInfo }] = await Promise.all([import("@hono/node-server"), import("@hono/node-server/conninfo")]);
    return { getConnInfo, listen: (fetch) => serve({ fetch, port: PORT, hostname: "127.0.0.1" }) };
  },
  deno: async () => {
    const { getConnInfo } = await import("hono/deno");
    return { getConnInfo, listen: (fetch) => Deno.serve({ port: PORT, hostname: "127.0.0.1", onListen() {} }, fetch) };
  },
  bun: async () => {
    const { getConnInfo } = await import("hono/bun");
    return { getConnInfo, listen: (fetch) => Bun.serve({ port: PORT, hostname: "127.0.0.1", fetch: (request, server) => fetch(request, { server }) }) };
  },
};
const runtime = typeof Deno !== "undefined" ? "deno" : typeof Bun !== "undefined" ? "bun" : "node";
const { getConnInfo, listen } = await serving[runtime]();

const clientIp = (_, c) => getConnInfo(c).remote.address;
const write = (c) => c.body(answer(c.get("cae")));
const application = new Hono();
application.post("/push", (c) => receive(c.req.raw));
application.get("/orders", protect(engine, { store, clientIp }), write);
application.get("/broken", protect(broken, { store, clientIp }), write);
application.get("/silent", protect(engine, { store: silent, clientIp }), write);
application.get("/proxied", protect(engine, { store, clientIp: (request) => addressBehind(1, request.headers.get("x-forwarded-for")) }), write);
application.get("/stream", protect(engine, { store, clientIp }), () => events());
listen(application.fetch);
