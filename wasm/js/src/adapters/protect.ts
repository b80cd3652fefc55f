import type { Authorization } from "../authorization.js";
import type { AuthorizeOptions, Engine } from "../engine.js";

/** An engine, or one that is being made. */
export type EngineSource = Engine | Promise<Engine> | (() => Promise<Engine>);

/** What an adapter says of each request besides what it finds out itself. */
export type Protection<R> = Pick<AuthorizeOptions, "store"> & {
  /** Address of the client, where a proxy that you trust stands before this server. */
  readonly clientIp?: (request: R) => string | undefined;
  readonly country?: (request: R) => string | undefined;
  /** Anything else that the engine may be told of a request. */
  readonly more?: (request: R) => Omit<AuthorizeOptions, "store" | "clientIp" | "country">;
};

/** The engine; one that could not be made is made again, and meanwhile nothing passes. */
export class EngineHolder {
  #engine: Promise<Engine> | undefined;

  constructor(private readonly source: EngineSource) {
    if (source instanceof Promise) source.catch(() => undefined);
  }

  async get(): Promise<Engine> {
    if (typeof this.source !== "function") return this.source;
    this.#engine ??= this.source();
    try {
      return await this.#engine;
    } catch (error) {
      this.#engine = undefined;
      throw error;
    }
  }
}

/** Answers a request that carries a token, or hands it on with what was decided. */
export type Handler<C extends unknown[]> = (request: Request, authorization: Authorization, ...context: C) => Response | Promise<Response>;

/** A server that hands on only what may pass. `address` says where a request comes from. */
export function protectFetch<C extends unknown[]>(
  engine: EngineSource,
  protection: Protection<Request>,
  address: (request: Request, ...context: C) => string | undefined,
  handler: Handler<C>,
): (request: Request, ...context: C) => Promise<Response> {
  const holder = new EngineHolder(engine);
  return async (request, ...context) => {
    let authorization: Authorization;
    try {
      authorization = await (await holder.get()).authorize(request, {
        store: protection.store,
        clientIp: protection.clientIp === undefined ? address(request, ...context) : protection.clientIp(request),
        country: protection.country?.(request),
        ...protection.more?.(request),
      });
    } catch {
      return unavailable();
    }
    return authorization.isAllowed ? handler(request, authorization, ...context) : authorization.response();
  };
}

/** The answer where there is no engine: nothing passes. */
export const unavailable = (): Response => new Response(null, { status: 503, headers: { "cache-control": "no-store" } });
