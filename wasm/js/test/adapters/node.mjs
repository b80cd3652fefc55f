import { createServer } from "node:http";

import { behindProxies, endWithToken, fromFetch, protect, protectListener, protectUpgrade, closeWithToken } from "cae/node";
import { WebSocketServer } from "ws";

import { PORT, answer, broken, engine, receive, silent, store } from "./served.mjs";

const write = (_, response, authorization) => response.end(answer(authorization));
const stream = (request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  // It goes on writing, whatever happens.
  const timer = setInterval(() => response.write("data: tick\n\n"), 50);
  response.on("close", () => clearInterval(timer));
  endWithToken(request, response, { events: true });
};
const download = (request, response) => {
  response.writeHead(200, { "content-type": "application/octet-stream" });
  const timer = setInterval(() => response.write("more"), 50);
  response.on("close", () => clearInterval(timer));
  endWithToken(request, response);
};
const asMiddleware = protect(engine, { store });
const routes = {
  "/orders": protectListener(engine, { store }, write),
  "/middleware": (request, response) => asMiddleware(request, response, () => stream(request, response)),
  "/broken": protectListener(broken, { store }, write),
  "/silent": protectListener(engine, { store: silent }, write),
  "/proxied": protectListener(engine, { store, clientIp: behindProxies({ count: 1, from: ["127.0.0.0/8"] }) }, write),
  "/past-proxies": protectListener(engine, { store, clientIp: behindProxies({ count: 1, from: ["10.0.0.0/8", "::1"] }) }, write),
  "/stream": protectListener(engine, { store }, stream),
  "/download": protectListener(engine, { store }, download),
  "/push": fromFetch(receive),
};
const server = createServer((request, response) => routes[request.url.split("?")[0]](request, response));

const sockets = new WebSocketServer({ noServer: true });
let heard = 0;
const accept = (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on("message", (message) => {
      heard += 1;
      webSocket.send(`${heard} ${message}`);
    });
    closeWithToken(request, webSocket);
  });
};
const upgrades = {
  "/live": protectUpgrade(engine, { store }, accept),
  "/broken": protectUpgrade(broken, { store }, accept),
  "/silent": protectUpgrade(engine, { store: silent }, accept),
};
server.on("upgrade", (request, socket, head) => upgrades[request.url](request, socket, head));
server.listen(PORT, "127.0.0.1");
