import type { Authorization } from "../authorization.js";
import { type EngineSource, EngineHolder, type Protection, decide, unavailable } from "./protect.js";

/** For `new Hono<{ Variables: CaeVariables }>()`. */
export interface CaeVariables {
  /** What was decided on the request. */
  cae: Authorization;
}

/** What of Hono's context is used. */
export interface HonoContext {
  readonly req: { readonly raw: Request };
  res: Response;
  set(key: "cae", authorization: Authorization): void;
}

/**
 * Middleware for Hono. `c.get("cae")` is what was decided; server-sent events end with the token.
 *
 * Hono runs everywhere and tells nobody where a request comes from: `clientIp` has to say it, by `getConnInfo` of the
 * adapter that it runs on, say.
 */
export function protect<C extends HonoContext>(
  engine: EngineSource,
  protection: Omit<Protection<Request>, "clientIp"> & { readonly clientIp: (request: Request, context: C) => string | undefined },
): (context: C, next: () => Promise<void>) => Promise<Response | undefined> {
  const holder = new EngineHolder(engine);
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
