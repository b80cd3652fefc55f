import type { Authorization } from "../authorization.js";
import { type EngineSource, EngineHolder, type Protection, unavailable } from "./protect.js";

/** What of Hono's context is used. */
export interface HonoContext {
  readonly req: { readonly raw: Request };
  set(key: "cae", authorization: Authorization): void;
}

/**
 * Middleware for Hono. `c.get("cae")` is what was decided.
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
    let authorization: Authorization;
    try {
      authorization = await (await holder.get()).authorize(request, {
        store: protection.store,
        clientIp: protection.clientIp(request, context),
        country: protection.country?.(request),
        ...protection.more?.(request),
      });
    } catch {
      return unavailable();
    }
    if (!authorization.isAllowed) return authorization.response();
    context.set("cae", authorization);
    await next();
    return undefined;
  };
}
