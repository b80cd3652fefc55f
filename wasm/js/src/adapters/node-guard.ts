// Decides on requests of `node:http`.

import type { IncomingMessage } from "node:http";

import type { Authorization } from "../authorization.js";
import { type Connections, connectionsOf } from "../connections.js";
import type { AuthorizeOptions } from "../engine.js";
import type { AsksFor } from "../request.js";
import { type EngineSource, EngineHolder, type Protection } from "./protect.js";

/** A request that passed, with what is needed to decide on it again. */
interface Passed {
  readonly authorization: Authorization;
  readonly again: () => Promise<Authorization>;
  readonly connections: Connections;
}

const passed = new WeakMap<IncomingMessage, Passed>();

export function passedOf(request: IncomingMessage): Passed {
  const found = passed.get(request);
  if (found === undefined) throw new TypeError("the request did not pass `protect`");
  return found;
}

/** What refused requests are told. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Decides by an engine that may still have to be made. */
export class Guard<R extends IncomingMessage> {
  readonly #holder: EngineHolder;

  constructor(
    engine: EngineSource,
    private readonly protection: Protection<R>,
  ) {
    this.#holder = new EngineHolder(engine, protection.onProblem);
  }

  /** Decides on a request, and notes it if it may pass. */
  async refusalOf(request: R): Promise<Refusal | undefined> {
    try {
      const engine = await this.#holder.get();
      const { store } = this.protection;
      const asked = askedBy(request);
      const options = optionsOf(request, this.protection);
      const authorization = await engine.authorize(asked, options);
      if (!authorization.isAllowed) return { status: authorization.status, headers: authorization.refusalHeaders() };
      const { confirmed } = authorization;
      const again = (): Promise<Authorization> => engine.authorize(asked, { ...options, confirmed });
      passed.set(request, { authorization, again, connections: connectionsOf(engine, store) });
      return undefined;
    } catch (problem) {
      this.#holder.tell(problem);
      return { status: 503, headers: { "cache-control": "no-store" } };
    }
  }
}

const targetOf = (request: IncomingMessage): string => (request as { originalUrl?: string }).originalUrl ?? request.url ?? "";

/** What the request says itself, also after its connection is gone. */
function askedBy(request: IncomingMessage): AsksFor {
  const known = new Map(["authorization", "dpop"].map((name) => [name, headerOf(request, name)]));
  return {
    headers: { get: (name) => known.get(name) ?? null },
    url: targetOf(request),
    ...(request.method === undefined ? {} : { method: request.method }),
  };
}

/** Node would keep the first of two tokens: all of them together are none. */
export function headerOf(request: IncomingMessage, name: string): string | null {
  const values = request.rawHeaders.filter((_, place, all) => place % 2 === 1 && all[place - 1]!.toLowerCase() === name);
  return values.length === 0 ? null : values.join(", ");
}

function optionsOf<R extends IncomingMessage>(request: R, protection: Protection<R>): AuthorizeOptions {
  const { protocol } = request as { protocol?: string };
  const isTls = protocol === undefined ? "encrypted" in request.socket : protocol === "https";
  return {
    store: protection.store,
    clientIp: protection.clientIp === undefined ? request.socket.remoteAddress : protection.clientIp(request),
    country: protection.country?.(request),
    url: `${isTls ? "https" : "http"}://${request.headers.host ?? ""}${targetOf(request)}`,
    ...protection.more?.(request),
  };
}
