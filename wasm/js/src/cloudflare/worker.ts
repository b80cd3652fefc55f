import { unavailable } from "../adapters/protect.js";
import { IDENTITY_HEADERS, type Authorization } from "../authorization.js";
import type { Configuration } from "../configuration.js";
import { type AuthorizeOptions, type Engine, type EngineOptions, createEngine } from "../engine.js";
import { streamWhileAllowed } from "../live.js";
import { type PollOptions, poll, receiveLogout, receivePush } from "../receiver.js";
import { type AsksFor, pathOf } from "../request.js";
import type { ReadStore, Store } from "../stores/store.js";

/** A transmitter that pushes to `/.cae/events/NAME`. */
export interface Push {
  /** Its issuer URL, as in the configuration. */
  readonly transmitter: string;
  /** The bearer token that it has to present. */
  readonly token?: string;
}

/** What is said about a request besides what it says itself. */
export type Facts = Omit<AuthorizeOptions, "store">;

/** How a worker guards an origin. */
export interface GuardSettings {
  /** A module that `cae-compile` made; or `ENGINE.json`, with `cae/engine.wasm` as `engine.module`. */
  readonly configuration: Configuration | string | WebAssembly.Module;
  readonly engine?: EngineOptions;
  /** Where events are merged. */
  readonly store: Store;
  /** Where requests read; `store` unless said otherwise. */
  readonly reader?: ReadStore;
  /** Transmitters that push, by the last part of their path. */
  readonly pushes?: Readonly<Record<string, Push>>;
  /** Streams that the cron trigger polls. */
  readonly polls?: readonly Omit<PollOptions, "store">[];
  /**
   * Hands a request on that may pass; to the origin of the route, by `fetch`, unless said otherwise. It has the identity
   * headers, and no `cf`.
   */
  readonly forward?: (request: Request) => Promise<Response>;
  /** Where WebSockets are kept, so that they end with their token: a class that extends `CaeConnections`. */
  readonly connections?: DurableObjectNamespace;
  /** Anything else that the engine may be told of a request. */
  readonly more?: (request: Request) => Omit<Facts, "clientIp" | "country">;
}

/** Where transmitters send to: below it nothing goes to the origin. */
const OWN = "/.cae/";

/** A worker that guards an origin, receives events, and polls from its cron trigger. */
export interface Guard<Env> {
  fetch(request: Request, env: Env, context: Pick<ExecutionContext, "waitUntil">): Promise<Response>;
  scheduled(controller: unknown, env: Env): Promise<void>;
}

/**
 * The default export of a worker. `settings` says what it needs from its bindings.
 *
 * Whatever fails answers 503 or refuses; nothing is handed on that was not allowed.
 */
export function guard<Env extends object>(settings: (env: Env) => GuardSettings): Guard<Env> {
  const held = new Held(settings);
  return {
    async fetch(request, env, context) {
      let made: Made;
      let authorization: Authorization;
      try {
        made = await held.of(env);
        const path = pathOf(request.url);
        if (path?.startsWith(OWN)) return await receive(made, request, path.slice(OWN.length));
        authorization = await made.authorize(request, made.facts(request));
        context.waitUntil(made.engine.refreshKeys());
      } catch (error) {
        console.error(String(error));
        return unavailable();
      }
      if (!authorization.isAllowed) return authorization.response();
      return handOn(made, request, authorization);
    },
    async scheduled(_, env) {
      const { engine, settings } = await held.of(env);
      const polled = (settings.polls ?? []).map((stream) => poll(engine, { ...stream, store: settings.store }));
      const failed = (await Promise.allSettled(polled)).flatMap((it) => (it.status === "rejected" ? [it.reason as Error] : []));
      // Cloudflare shows it as a failed run; what was not acknowledged comes again.
      if (failed.length > 0) throw new AggregateError(failed, failed.map((error) => error.message).join("; "));
    },
  };
}

/** An engine with what it is asked by. */
export interface Made {
  readonly engine: Engine;
  readonly settings: GuardSettings;
  facts(request: Request): Facts;
  authorize(request: AsksFor, facts: Facts): Promise<Authorization>;
}

/** One engine for a worker, made by its first request; one that could not be made is made again by the next. */
export class Held<Env extends object> {
  readonly #made = new WeakMap<Env, Promise<Made>>();

  constructor(private readonly settings: (env: Env) => GuardSettings) {}

  async of(env: Env): Promise<Made> {
    let made = this.#made.get(env);
    if (made === undefined) {
      made = this.#make(env);
      this.#made.set(env, made);
      made.catch(() => this.#made.delete(env));
    }
    return made;
  }

  async #make(env: Env): Promise<Made> {
    const settings = this.settings(env);
    const onProblem = (problem: Error): void => console.error(String(problem));
    const engine = await createEngine(settings.configuration, { onProblem, ...settings.engine });
    const facts = (request: Request): Facts => ({
      clientIp: request.headers.get("cf-connecting-ip") ?? undefined,
      country: engine.readsCountry ? countryOf(request) : undefined,
      ...settings.more?.(request),
    });
    const store = reading(settings);
    const authorize = (request: AsksFor, facts: Facts): Promise<Authorization> => engine.authorize(request, { ...facts, store });
    return { engine, settings, facts, authorize };
  }
}

/** Reads from where requests read, and merges where events are merged. */
function reading({ store, reader = store }: GuardSettings): Store {
  return { get: (keys) => reader.get(keys), merge: (changes) => store.merge(changes) };
}

/** Where `cf` is read it is parsed, which takes longer than deciding. */
function countryOf(request: Request): string | undefined {
  const country = request.cf?.["country"];
  return typeof country === "string" ? country : undefined;
}

async function receive({ engine, settings }: Made, request: Request, path: string): Promise<Response> {
  if (path === "backchannel-logout") return receiveLogout(engine, request, settings);
  const name = /^events\/([^/]+)$/.exec(path)?.[1];
  const push = name !== undefined && Object.hasOwn(settings.pushes ?? {}, name) ? settings.pushes?.[name] : undefined;
  if (push === undefined) return new Response(null, { status: 404 });
  return receivePush(engine, request, { store: settings.store, ...push });
}

async function handOn(made: Made, request: Request, authorization: Authorization): Promise<Response> {
  const identified = withIdentity(request, authorization);
  const { connections, forward = fetch } = made.settings;
  if (request.headers.get("upgrade")?.toLowerCase() === "websocket" && connections !== undefined) {
    // One object holds all connections of a user: it alone waits for changes of that user's records.
    return connections.get(connections.idFromName(authorization.records[0] ?? "")).fetch(request);
  }
  const response = await forward(identified);
  // What says its length is an answer; what does not may go on for as long as it likes.
  if (response.headers.has("content-length")) return response;
  const facts = { ...made.facts(request), confirmed: authorization.confirmed };
  return streamWhileAllowed(response, () => made.authorize(request, facts));
}

/** The request as the origin gets it: who asks is said by this worker alone. Without `cf`, as {@link countryOf} says. */
export function withIdentity(request: Request, authorization: Authorization): Request {
  const headers = new Headers(request.headers);
  const identity = authorization.identityHeaders();
  for (const name of IDENTITY_HEADERS) headers.set(name, identity[name]);
  const { url, method, body, redirect, signal } = request;
  return new Request(url, { method, headers, body, redirect, signal });
}
