/**
 * For Hono.
 *
 * @module cae/hono
 */

import type { Context, MiddlewareHandler } from "hono";

import type { Authorization } from "../authorization.js";
import { type EngineSource, EngineHolder, type Protection, decide, unavailable } from "./protect.js";

export type { EngineSource, Protection };

/** What the middleware leaves in the context. */
export interface CaeVariables {
  /** What was decided on the request. */
  cae: Authorization;
}

/** What Hono's middleware says of each request besides what it finds out itself. */
export type HonoProtection = Omit<Protection<Request>, "clientIp"> & {
  /**
   * Address of the client. Hono runs everywhere and tells nobody where a request comes from: `getConnInfo` of the adapter
   * that it runs on does, say.
   */
  readonly clientIp: (request: Request, context: Context) => string | undefined;
};

/** Middleware for Hono. `c.get("cae")` is what was decided; server-sent events end with the token. */
export function protect(engine: EngineSource, protection: HonoProtection): MiddlewareHandler<{ Variables: CaeVariables }> {
  const holder = new EngineHolder(engine, protection.onProblem);
  return async (context, next) => {
    const request = context.req.raw;
    const decided = await decide(holder, protection, request, () => protection.clientIp(request, context));
    if (decided === undefined) return unavailable();
    const { authorization, lasting } = decided;
    if (!authorization.isAllowed) return authorization.response();
    context.set("cae", authorization);
    await next();
    const response = context.res;
    const ending = lasting(response);
    if (ending !== response) context.res = ending;
    return undefined;
  };
}
