import { type Fetch, textFrom } from "./http.js";

/** The shortest time between two fetches that unknown key ids ask for, in seconds. */
const GAP = 30;
/** How long fetched keys are used without a look whether there are others, in seconds. */
const FRESH = 3_600;
/** How long a fetch may take, in milliseconds. */
const PATIENCE = 5_000;

interface Source {
  readonly uri: string;
  jwks?: string;
  /** When the last fetch ended, and began that succeeded; in seconds. */
  tried: number;
  fetched: number;
  fetching?: Promise<boolean>;
}

/**
 * Keys of issuers and transmitters, from their `jwksUri`. An unknown key id makes them be fetched at once, but never more
 * often than every half minute, whatever is sent; what was fetched last stays until something better comes.
 */
export class Keys {
  readonly #sources = new Map<string, Source>();

  constructor(
    sources: Iterable<readonly [issuer: string, uri: string]>,
    private readonly fetch: Fetch,
    /** Hands keys to the engine; what is wrong with them. */
    private readonly took: (issuer: string, jwks: string) => readonly unknown[],
  ) {
    for (const [issuer, uri] of sources) this.#sources.set(issuer, { uri, tried: -Infinity, fetched: -Infinity });
  }

  /** What was fetched last, for an engine that knows none of it. */
  *current(): Iterable<[issuer: string, jwks: string]> {
    for (const [issuer, { jwks }] of this.#sources) if (jwks !== undefined) yield [issuer, jwks];
  }

  /** Notes keys that came another way. */
  put(issuer: string, jwks: string): void {
    const source = this.#sources.get(issuer);
    if (source === undefined) this.#sources.set(issuer, { uri: "", jwks, tried: Infinity, fetched: Infinity });
    else source.jwks = jwks;
  }

  /** Asks for the keys of an issuer because one is missing; whether there are new ones. */
  async want(issuer: string, now: number): Promise<boolean> {
    const source = this.#sources.get(issuer);
    if (source === undefined) return false;
    if (source.fetching === undefined && now - source.tried < GAP) return false;
    return this.#fetch(issuer, source, now);
  }

  /** Looks for other keys where they were fetched too long ago. Nobody has to wait for it. */
  async refresh(now: number): Promise<void> {
    const old = [...this.#sources].filter(([, it]) => now - it.fetched >= FRESH && now - it.tried >= GAP);
    await Promise.all(old.map(([issuer, source]) => this.#fetch(issuer, source, now)));
  }

  async #fetch(issuer: string, source: Source, now: number): Promise<boolean> {
    source.fetching ??= (async () => {
      try {
        const jwks = await textFrom(this.fetch, source.uri, PATIENCE);
        if (this.took(issuer, jwks).length > 0) return false;
        source.jwks = jwks;
        source.fetched = now;
        return true;
      } catch {
        return false;
      } finally {
        source.tried = now;
        delete source.fetching;
      }
    })();
    return source.fetching;
  }
}
