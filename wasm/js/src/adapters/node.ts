/**
 * For `node:http`, and what works like it.
 *
 * @module cae/node
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { BlockList, isIPv6 } from "node:net";
import type { Duplex } from "node:stream";

import type { Authorization } from "../authorization.js";
import { addressBehind } from "../forwarded.js";
import { Guard, headerOf, passedOf } from "./node-guard.js";
import type { EngineSource, Protection } from "./protect.js";

export type { EngineSource, Protection };
export { fromFetch } from "./node-fetch.js";
export { type ClosableWebSocket, type Ending, closeWithToken, endWithToken } from "./node-live.js";

/** What was decided on a request that passed. */
export const authorizationOf = (request: IncomingMessage): Authorization => passedOf(request).authorization;

/**
 * Middleware for `node:http`, Connect and Express: calls `next` only for what may pass, and answers the rest.
 *
 * The client is who is at the other end of the connection, unless `protection.clientIp` says otherwise.
 */
export function protect<R extends IncomingMessage>(
  engine: EngineSource,
  protection: Protection<R>,
): (request: R, response: ServerResponse, next: () => void) => Promise<void> {
  const guard = new Guard(engine, protection);
  return async (request, response, next) => {
    const refusal = await guard.refusalOf(request);
    if (refusal === undefined) next();
    else response.writeHead(refusal.status, { ...refusal.headers, "content-length": "0" }).end();
  };
}

/** A listener for `createServer` of `node:http` that hands on only what may pass. */
export function protectListener(
  engine: EngineSource,
  protection: Protection<IncomingMessage>,
  listener: (request: IncomingMessage, response: ServerResponse, authorization: Authorization) => void,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const middleware = protect(engine, protection);
  return (request, response) => middleware(request, response, () => listener(request, response, authorizationOf(request)));
}

/**
 * A listener for the event `upgrade` of a server, such as for WebSockets: hands on only what may pass, and answers the
 * rest.
 */
export function protectUpgrade(
  engine: EngineSource,
  protection: Protection<IncomingMessage>,
  listener: (request: IncomingMessage, socket: Duplex, head: Buffer, authorization: Authorization) => void,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void> {
  const guard = new Guard(engine, protection);
  return async (request, socket, head) => {
    // Whoever hangs up meanwhile is nobody's fault.
    const ignore = (): void => undefined;
    socket.on("error", ignore);
    const refusal = await guard.refusalOf(request);
    if (refusal === undefined) {
      socket.off("error", ignore);
      listener(request, socket, head, authorizationOf(request));
    } else {
      const headers = { ...refusal.headers, connection: "close", "content-length": "0" };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.end(`HTTP/1.1 ${refusal.status} Refused\r\n${lines.join("")}\r\n`);
    }
  };
}

/** Proxies of your own that stand before this server. */
export interface TrustedProxies {
  /** How many of them a request goes through. */
  readonly count: number;
  /** Where they connect from: addresses and ranges (`10.0.0.0/8`). */
  readonly from: readonly string[];
}

/**
 * The address of the client from `X-Forwarded-For`, for `clientIp` of {@link Protection}.
 *
 * The header is believed only of a connection that comes from one of the proxies. Whoever connects from elsewhere is
 * the client.
 */
export function behindProxies({ count, from }: TrustedProxies): (request: IncomingMessage) => string | undefined {
  const proxies = new BlockList();
  for (const range of from) {
    const [address = "", bits] = range.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (bits === undefined) proxies.addAddress(address, family);
    else proxies.addSubnet(address, Number(bits), family);
  }
  // A number that is none is said here, and not with the first request.
  addressBehind(count, null);
  return (request) => {
    const peer = request.socket.remoteAddress;
    if (peer === undefined || !proxies.check(peer, isIPv6(peer) ? "ipv6" : "ipv4")) return peer;
    return addressBehind(count, headerOf(request, "x-forwarded-for"));
  };
}
