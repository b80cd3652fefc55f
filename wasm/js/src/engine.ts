import { Bounded } from "./bounded.js";
import type { Configuration, Settings } from "./configuration.js";
import { CaeError, ConfigurationError, fromBindings } from "./errors.js";
import type { Fetch } from "./http.js";
import { Keys } from "./keys.js";
import { toolsModule } from "./loading.js";
import type { CompiledModule, ModuleSource } from "./module.js";
import { type Presented, Proofs, prove } from "./proof.js";
import { type AsksFor, type Credential, credentialOf, pathOf } from "./request.js";
import { Signatures } from "./signature.js";
import { type Instance, type Source, sourceOf, start } from "./source.js";
import type { Change, ReadStore, Store } from "./stores/store.js";
import { readRecords } from "./stores/reading.js";
import { Authorization, faultVerdict } from "./authorization.js";
import type { DirectoryFacts, MoreAboutRequest, Needs, Presenter, RecordAnswer, SignalAge, SignatureAnswer, Verdict } from "./wasm/engine.js";
import type { Tenant, WhatIf } from "./wasm/tools.js";

/** Most tokens that the engine is asked about without handing over their text. */
const MOST_TOKENS = 4_096;
/** The longest token that is remembered so. */
const MOST_LETTERS = 8 << 10;

/** How an engine is made. */
export interface EngineOptions {
  /** `cae/engine.wasm`, or how it is loaded, once: for a runtime or bundler that this package does not know. */
  readonly module?: ModuleSource;
  /**
   * `cae/tools.wasm`, likewise, and for workers at Cloudflare that explain or ask what if. It is six times the size of what
   * decides, so that no worker has it unless it says so.
   */
  readonly toolsModule?: ModuleSource;
  /** How keys are fetched; `fetch` unless said otherwise. */
  readonly fetch?: Fetch;
  /** Milliseconds that a store may take; 1,000 unless said otherwise. */
  readonly storeTimeout?: number;
  /** Seconds since the epoch; the clock of this machine unless said otherwise. */
  readonly now?: () => number;
  /** Hears of everything that went wrong without an answer to tell it: a fault, a store that is silent. */
  readonly onProblem?: (problem: CaeError) => void;
}

/** What is said about a request besides what it says itself. */
export interface AuthorizeOptions {
  /** Where the records of events are read; one that merges also takes what a decision says to remember. */
  readonly store: ReadStore | Store;
  /** Address of the client, from a source that it cannot choose. */
  readonly clientIp?: string | undefined;
  /** Its country, likewise (ISO 3166-1). */
  readonly country?: string | undefined;
  /** The path that routes are told apart by; that of the request unless said otherwise. */
  readonly path?: string;
  /** Method and URL that DPoP proofs name; those of the request unless said otherwise. */
  readonly method?: string;
  readonly url?: string;
  /** What {@link Authorization.confirmed} was when a connection was opened, for deciding on it again. */
  readonly confirmed?: string | undefined;
  /** SHA-256 thumbprint (base64url) of the client certificate that was verified (RFC 8705). */
  readonly certificate?: string;
  /** Directory facts, used where the token does not say. */
  readonly facts?: DirectoryFacts;
  /** Seconds since the last sign of life of each transmitter. */
  readonly signalAge?: readonly SignalAge[];
  /** Seconds since the epoch; the clock of the engine unless said otherwise. */
  readonly now?: number;
}

/** How a security event token is read. */
export interface ReadEventOptions {
  readonly store: Store;
  /** Issuer URL of the one transmitter that it may come from; any that is configured unless said otherwise. */
  readonly transmitter?: string;
}

/** What a security event token came to. */
export type Received =
  /** Merged: it may be acknowledged. */
  | { readonly kind: "accepted"; readonly transmitter: string; readonly jti: string; readonly evaluation: unknown }
  /** The state stays as it is. `code`: RFC 8935 section 2.4 or SSF 1.0 section 11. */
  | { readonly kind: "rejected"; readonly code: string; readonly description: string; readonly evaluation: unknown };

/** A token that an instance knows by its handle. */
interface Known {
  readonly handle: number;
  readonly needs: Needs;
  readonly presenter: Presenter | undefined;
}

/**
 * Makes an engine from a configuration (`ENGINE.json`), or from the module that `cae-compile` made of one.
 *
 * Rejects with a {@link ConfigurationError} that lists every fault, or with code `engine.load`.
 */
export async function createEngine(
  configuration: Configuration | string | CompiledModule,
  options: EngineOptions = {},
): Promise<Engine> {
  return new Engine(await sourceOf(configuration, options.module), options);
}

/** Decides requests and reads events. Every decision is the engine's; this asks what it wants to know. */
export class Engine {
  #instance: Instance;
  #explaining: Promise<Instance> | undefined;
  readonly #known = new Bounded<string, Known>(MOST_TOKENS);
  readonly #signatures = new Signatures();
  readonly #proofs = new Proofs();
  readonly #keys: Keys;
  readonly #settings: Settings;
  readonly #listeners = new Set<(changes: readonly Change[]) => void>();
  #faults = 0;

  /** @internal */
  constructor(
    private readonly source: Source,
    private readonly options: EngineOptions,
  ) {
    this.#instance = source.start();
    this.#settings = source.settings();
    const fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#keys = new Keys(this.#settings.keySources, fetch, (issuer, jwks) => {
      this.#explaining = undefined;
      return this.#instance.setKeys(issuer, jwks);
    });
  }

  /** Whether its configuration is in its module, so that it cannot explain. */
  get isCompiled(): boolean {
    return this.source.configuration === undefined;
  }

  /** @internal Whether a decision may depend on the country that a request comes from. */
  get readsCountry(): boolean {
    return this.#settings.readsCountry;
  }

  /** Calls that the engine gave no answer to; each made a new instance. */
  get faults(): number {
    return this.#faults;
  }

  /**
   * Decides one request; never rejects. Whatever fails on the way is answered by `settings.onError`: refused, unless the
   * configuration says otherwise.
   */
  async authorize(request: AsksFor, options: AuthorizeOptions): Promise<Authorization> {
    const detail = this.#settings.hasSessionControls ? "decision" : "none";
    try {
      return await this.#converse(credentialOf(request), request, options, detail, () => this.#instance, this.#known);
    } catch (cause) {
      return this.#fault(cause);
    }
  }

  /**
   * The same with its reasons: every check and every policy, in `evaluation`. It loads the larger module, and nothing is
   * remembered. A compiled engine cannot.
   */
  async explain(request: AsksFor, options: AuthorizeOptions): Promise<Authorization> {
    const instance = await this.#explainer();
    const known = new Bounded<string, Known>(1);
    const { store, ...rest } = options;
    const reading: ReadStore = { get: (keys) => store.get(keys) };
    return this.#converse(credentialOf(request), request, { ...rest, store: reading }, "explain", () => instance, known);
  }

  /** What-if over the policies of a tenant, and of an earlier state of it. It loads the larger module. */
  async whatIf(tenant: Tenant, before?: Tenant): Promise<WhatIf> {
    const tools = (await toolsModule.factory(this.options.toolsModule))();
    try {
      return new tools.WhatIf(tenant, before);
    } catch (error) {
      throw fromBindings(error);
    }
  }

  /**
   * Reads a security event token, or a logout token, and merges what it changes. Once it resolves as `accepted` the
   * changes are in the store, and the event may be acknowledged; it rejects if that is not certain.
   */
  async readEvent(set: string, options: ReadEventOptions): Promise<Received> {
    const [received] = await this.readEvents([set], options);
    return received!;
  }

  /**
   * The same of several, with what all of them change merged at once. If the engine gives no answer to one, the others take
   * effect, and it rejects all the same.
   */
  async readEvents(sets: readonly string[], options: ReadEventOptions): Promise<Received[]> {
    const all: Received[] = [];
    const changed: Change[] = [];
    const failures: unknown[] = [];
    for (const set of sets) {
      try {
        const { received, changes } = await this.#readEvent(set, options);
        all.push(received);
        changed.push(...changes);
      } catch (error) {
        failures.push(error);
      }
    }
    await this.#merge(options.store, changed);
    if (failures.length > 0) throw failures[0];
    return all;
  }

  async #readEvent(set: string, { transmitter }: ReadEventOptions): Promise<{ received: Received; changes: readonly Change[] }> {
    const now = this.now();
    let answer: SignatureAnswer | undefined;
    // The key, then the signature.
    for (let turn = 0; turn < 3; turn += 1) {
      const reading = this.#call((instance) => instance.readEvent(set, now, answer));
      switch (reading.kind) {
        case "needsSignature":
          answer = (await this.#signatures.check(set, reading.signature)) ? "valid" : "invalid";
          break;
        case "needsKey":
          answer = (await this.#keys.want(reading.key.issuer, now)) ? undefined : "keyUnknown";
          break;
        case "accepted":
          // SPEC: `ssf.md` section 1.2 row 3: a configured transmitter for this endpoint.
          if (transmitter !== undefined && reading.transmitter !== transmitter) return { received: fromAnother(), changes: [] };
          return {
            received: { kind: "accepted", transmitter: reading.transmitter, jti: reading.jti, evaluation: JSON.parse(reading.json) },
            changes: reading.changes,
          };
        case "rejected":
          return {
            received: { kind: "rejected", code: reading.code, description: reading.description, evaluation: JSON.parse(reading.json) },
            changes: [],
          };
      }
    }
    throw new CaeError("engine.fault", "the event needs more than a key and a signature");
  }

  /** Replaces the key set (RFC 7517) of an issuer or transmitter. */
  setKeys(issuer: string, jwks: string): void {
    const faults = this.#call((instance) => instance.setKeys(issuer, jwks));
    if (faults.length > 0) throw new ConfigurationError(faults);
    this.#keys.put(issuer, jwks);
    this.#explaining = undefined;
  }

  /** Looks for other keys where they were fetched long ago: from a timer, or after an answer was sent. */
  async refreshKeys(): Promise<void> {
    await this.#keys.refresh(this.now());
  }

  /** Hears of records that were merged through this engine. Returns what ends it. */
  onChanges(listener: (changes: readonly Change[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @internal Seconds since the epoch. */
  now(): number {
    return Math.floor(this.options.now?.() ?? Date.now() / 1000);
  }

  async #converse(
    credential: Credential,
    request: AsksFor,
    options: AuthorizeOptions,
    detail: "none" | "decision" | "explain",
    current: () => Instance,
    tokens: Bounded<string, Known>,
  ): Promise<Authorization> {
    const { token, scheme } = credential;
    const now = options.now ?? this.now();
    let hasAsked = false;
    // A handle goes stale when keys change between the two calls, and is another's once the instance was replaced.
    for (let turn = 0; turn < 4; turn += 1) {
      const instance = current();
      let known = tokens.get(token);
      if (known === undefined) {
        const begun = instance.begin(token, now, detail);
        if (begun.kind === "refused") return new Authorization(begun.verdict, undefined, []);
        if (begun.needs.key !== undefined && !hasAsked) {
          hasAsked = true;
          await this.#keys.want(begun.needs.key.issuer, now);
          continue;
        }
        known = { handle: begun.handle, needs: begun.needs, presenter: undefined };
      }
      const { needs } = known;
      const signature = needs.signature && (await this.#signatures.check(token, needs.signature));
      // Nobody gets a store to work by tokens of his own making: the engine refuses them whatever the records are.
      const isVerified = signature !== false && needs.key === undefined;
      const [records, confirmed] = await Promise.all([
        isVerified ? this.#read(options.store, needs.records) : needs.records.map((): RecordAnswer => "failed"),
        isVerified && needs.proof ? this.#prove(needs.proof.method, credential, request, options, now) : undefined,
      ]);
      if (instance !== current()) continue;
      const path = this.#settings.readsPath || detail === "explain" ? (options.path ?? pathOf(request.url)) : undefined;
      const more = moreAbout({ scheme, confirmed, facts: options.facts, signalAge: options.signalAge, detail });
      const decided = instance.decide(known.handle, now, options.clientIp, options.country, path, signature, records, more);
      if (decided.kind === "stale") {
        tokens.delete(token);
        continue;
      }
      const { verdict } = decided;
      const presenter = known.presenter ?? instance.presenter(known.handle);
      if (signature === true && token.length <= MOST_LETTERS) {
        const { signature: _, ...later } = needs;
        tokens.set(token, { handle: known.handle, needs: later, presenter });
      }
      await this.#remember(options.store, verdict);
      return new Authorization(verdict, presenter, needs.records, confirmed);
    }
    throw new CaeError("engine.fault", "the token is still stale after it began again");
  }

  #read(store: ReadStore, keys: readonly string[]): Promise<RecordAnswer[]> {
    return readRecords(store, keys, this.options.storeTimeout ?? 1_000, (problem) => this.#tell(problem));
  }

  async #prove(method: string, credential: Credential, request: AsksFor, options: AuthorizeOptions, now: number): Promise<string | undefined> {
    if (options.confirmed !== undefined) return options.confirmed;
    if (method === "x5t#S256") return options.certificate;
    // SPEC: RFC 9449 section 7.2: what is bound to a key is refused as a bearer token, with a proof beside it too.
    if (method !== "jkt" || credential.scheme !== "DPoP") return undefined;
    const presented: Presented = {
      token: credential.token,
      proof: request.headers.get("dpop"),
      method: options.method ?? request.method,
      url: options.url ?? request.url,
      now,
    };
    return prove(presented, this.#proofs);
  }

  /** Remembers what a decision said to remember. A store that does not take it changes nothing for the client. */
  async #remember(store: ReadStore, { changes }: Verdict): Promise<void> {
    if (changes.length === 0 || !("merge" in store)) return;
    try {
      await this.#merge(store as Store, changes);
    } catch (error) {
      this.#tell(error as CaeError);
    }
  }

  async #merge(store: Store, changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    try {
      await store.merge(changes);
    } catch (cause) {
      throw new CaeError("store", "the store did not take the changes", { cause });
    }
    for (const listener of this.#listeners) listener(changes);
  }

  #call<T>(call: (instance: Instance) => T): T {
    try {
      return call(this.#instance);
    } catch (cause) {
      this.#fault(cause);
      throw new CaeError("engine.fault", "the engine gave no answer", { cause });
    }
  }

  #fault(cause: unknown): Authorization {
    // A `TypeError` is a wrong argument, which never passes: the instance is as it was.
    const isArgument = cause instanceof TypeError;
    if (!isArgument) {
      this.#faults += 1;
      this.#known.clear();
      try {
        this.#instance = this.source.start();
        for (const [issuer, jwks] of this.#keys.current()) this.#instance.setKeys(issuer, jwks);
      } catch (error) {
        // There is no memory for another one, say: what is left gives no answer, and the next request tries again.
        this.#tell(error as CaeError);
      }
    }
    this.#tell(cause instanceof CaeError ? cause : new CaeError("engine.fault", "the engine gave no answer", { cause }));
    return new Authorization(faultVerdict(isArgument ? "deny" : this.#settings.onError), undefined, []);
  }

  #tell(problem: CaeError): void {
    this.options.onProblem?.(problem);
  }

  async #explainer(): Promise<Instance> {
    const { configuration } = this.source;
    if (configuration === undefined) throw new CaeError("argument", "a compiled engine does not explain: make one of its configuration");
    this.#explaining ??= (async () => {
      const instance = start(await toolsModule.factory(this.options.toolsModule), configuration);
      for (const [issuer, jwks] of this.#keys.current()) instance.setKeys(issuer, jwks);
      return instance;
    })();
    try {
      return await this.#explaining;
    } catch (error) {
      this.#explaining = undefined;
      throw error;
    }
  }
}

/** Nothing where there is nothing to say, as for most requests: reading an object takes longer than deciding. */
function moreAbout(more: { [Name in keyof MoreAboutRequest]: MoreAboutRequest[Name] | undefined }): MoreAboutRequest | undefined {
  const { scheme, confirmed, facts, signalAge, detail } = more;
  const isPlain = (scheme ?? confirmed ?? facts ?? signalAge) === undefined && detail === "none";
  return isPlain ? undefined : (more as MoreAboutRequest);
}

const fromAnother = (): Received => ({
  kind: "rejected",
  code: "invalid_issuer",
  description: "another transmitter sends to this endpoint",
  evaluation: undefined,
});
