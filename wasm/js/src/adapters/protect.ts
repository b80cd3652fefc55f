import type { Authorization } from "../authorization.js";
import { connectionsOf } from "../connections.js";
import type { AuthorizeOptions, Engine } from "../engine.js";
import { streamUntil } from "../live.js";

/** An engine, or one that is being made. */
export type EngineSource = Engine | Promise<Engine> | (() => Promise<Engine>);

/** What an adapter says of each request besides what it finds out itself. */
export type Protection<R> = Pick<AuthorizeOptions, "store"> & {
  /** Address of the client, where a proxy that you trust stands before this server. */
  readonly clientIp?: (request: R) => string | undefined;
  readonly country?: (request: R) => string | undefined;
  /** Hears why nothing could be decided, such as an engine that cannot be made; `console.error` unless said otherwise. */
  readonly onProblem?: (problem: unknown) => void;
  /** Anything else that the engine may be told of a request. */
  readonly more?: (request: R) => Omit<AuthorizeOptions, "store" | "clientIp" | "country">;
};

/** The engine; one that could not be made is made again, and meanwhile nothing passes. */
export class EngineHolder {
  #engine: Promise<Engine> | undefined;

  constructor(
    private readonly source: EngineSource,
    /** Told of everything that kept a request from being decided. */
    readonly tell: (problem: unknown) => void = console.error,
  ) {
    // At once, and not with the first request.
    if (source instanceof Promise) source.catch(tell);
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

/** What was decided on a request of the Fetch API. */
export interface Decided {
  readonly authorization: Authorization;
  /** The response as long as it may go on: server-sent events end with the token. */
  readonly lasting: (response: Response) => Response;
}

/** Decides on a request; `undefined` if there is no engine. */
export async function decide(
  holder: EngineHolder,
  protection: Omit<Protection<Request>, "clientIp">,
  request: Request,
  clientIp: () => string | undefined,
): Promise<Decided | undefined> {
  try {
    const engine = await holder.get();
    const options = {
      store: protection.store,
      clientIp: clientIp(),
      country: protection.country?.(request),
      ...protection.more?.(request),
    };
    const authorization = await engine.authorize(request, options);
    const { confirmed } = authorization;
    const lasting = (response: Response): Response => {
      const isStream = (response.headers.get("content-type") ?? "").startsWith("text/event-stream");
      if (!isStream) return response;
      const again = (): Promise<Authorization> => engine.authorize(request, { ...options, confirmed });
      return streamUntil(response, (end) => connectionsOf(engine, options.store).watch(authorization, again, end));
    };
    return { authorization, lasting };
  } catch (problem) {
    holder.tell(problem);
    return undefined;
  }
}

/** Answers a request that carries a token, with what was decided. */
export type Handler<C extends unknown[]> = (request: Request, authorization: Authorization, ...context: C) => Response | Promise<Response>;

/** A server that hands on only what may pass. `address` says where a request comes from. */
export function protectFetch<C extends unknown[]>(
  engine: EngineSource,
  protection: Protection<Request>,
  address: (request: Request, ...context: C) => string | undefined,
  handler: Handler<C>,
): (request: Request, ...context: C) => Promise<Response> {
  const holder = new EngineHolder(engine, protection.onProblem);
  return async (request, ...context) => {
    const { clientIp = () => address(request, ...context) } = protection;
    const decided = await decide(holder, protection, request, () => clientIp(request));
    if (decided === undefined) return unavailable();
    const { authorization, lasting } = decided;
    return authorization.isAllowed ? lasting(await handler(request, authorization, ...context)) : authorization.response();
  };
}

/** The answer where there is no engine: nothing passes. */
export const unavailable = (): Response => new Response(null, { status: 503, headers: { "cache-control": "no-store" } });
