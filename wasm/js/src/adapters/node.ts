import type { IncomingMessage, ServerResponse } from "node:http";

import type { Authorization } from "../authorization.js";
import { type EngineSource, EngineHolder, type Protection } from "./protect.js";

const decisions = new WeakMap<IncomingMessage, Authorization>();

/** What was decided on a request that passed. */
export function authorizationOf(request: IncomingMessage): Authorization {
  const authorization = decisions.get(request);
  if (authorization === undefined) throw new TypeError("the request did not pass `protect`");
  return authorization;
}

/**
 * Middleware for `node:http`, Connect and Express: calls `next` only for what may pass, and answers the rest.
 *
 * The client is who is at the other end of the connection, unless `protection.clientIp` says otherwise.
 */
export function protect<R extends IncomingMessage>(
  engine: EngineSource,
  protection: Protection<R>,
): (request: R, response: ServerResponse, next: () => void) => Promise<void> {
  const holder = new EngineHolder(engine);
  return async (request, response, next) => {
    let authorization: Authorization;
    try {
      authorization = await authorize(holder, protection, request);
    } catch {
      response.writeHead(503, { "cache-control": "no-store" }).end();
      return;
    }
    if (authorization.isAllowed) {
      decisions.set(request, authorization);
      next();
    } else {
      response.writeHead(authorization.status, authorization.refusalHeaders()).end();
    }
  };
}

/** @internal */
export async function authorize<R extends IncomingMessage>(holder: EngineHolder, protection: Protection<R>, request: R): Promise<Authorization> {
  const engine = await holder.get();
  const { protocol, originalUrl } = request as { protocol?: string; originalUrl?: string };
  const target = originalUrl ?? request.url ?? "";
  const isTls = protocol === undefined ? "encrypted" in request.socket : protocol === "https";
  const asked = {
    // Node would keep the first of two tokens: all of them together are none.
    headers: { get: (name: string) => request.headersDistinct[name]?.join(", ") ?? null },
    url: target,
    ...(request.method === undefined ? {} : { method: request.method }),
  };
  return engine.authorize(asked, {
    store: protection.store,
    clientIp: protection.clientIp === undefined ? request.socket.remoteAddress : protection.clientIp(request),
    country: protection.country?.(request),
    url: `${isTls ? "https" : "http"}://${request.headers.host ?? ""}${target}`,
    ...protection.more?.(request),
  });
}
