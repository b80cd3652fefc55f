import { addressBehind } from "cae";
import { protect } from "cae/bun";

import { PORT, answer, broken, engine, events, receive, silent, store } from "./served.mjs";

const write = (_, authorization) => new Response(answer(authorization));
const clientIp = (request) => addressBehind(1, request.headers.get("x-forwarded-for"));
const routes = {
  "/orders": protect(engine, { store }, write),
  "/broken": protect(broken, { store }, write),
  "/silent": protect(engine, { store: silent }, write),
  "/proxied": protect(engine, { store, clientIp }, write),
  "/stream": protect(engine, { store }, () => events()),
  "/push": receive,
};
Bun.serve({ port: PORT, hostname: "127.0.0.1", fetch: (request, server) => routes[new URL(request.url).pathname](request, server) });
