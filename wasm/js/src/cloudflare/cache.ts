import { fromBase64 } from "../bytes.js";
import { CaeError } from "../errors.js";
import type { ReadStore } from "../stores/store.js";
import { type DurableObjectStore, NO_RECORD } from "./records.js";

/** How the cache is read. */
export interface KvOptions {
  /** For how many seconds Cloudflare may answer from close by; at least 30, and 60 unless said otherwise. */
  readonly cacheTtl?: number;
}

/**
 * Records in Workers KV, which the Durable Objects fill: read close by, and stale by as much as KV is, a minute or more.
 *
 * What KV does not hold is asked of the objects, and they have it held from then on; so it holds, too, that there is no
 * record.
 */
export class KvStore implements ReadStore {
  constructor(
    private readonly namespace: KVNamespace,
    private readonly origin: DurableObjectStore,
    private readonly options: KvOptions = {},
  ) {}

  async get(keys: readonly string[]): Promise<(Uint8Array | null)[]> {
    const cacheTtl = this.options.cacheTtl ?? 60;
    const texts = await Promise.all(keys.map((key) => this.namespace.get(key, { type: "text", cacheTtl })));
    const missing = keys.filter((_, place) => texts[place] === null);
    const fetched = missing.length > 0 ? await this.origin.getForCache(missing) : [];
    let place = 0;
    return texts.map((text) => (text === null ? (fetched[place++] ?? null) : recordOf(text)));
  }
}

function recordOf(text: string): Uint8Array | null {
  if (text === NO_RECORD) return null;
  const bytes = fromBase64(text);
  if (bytes === undefined) throw new CaeError("store", "what is stored is no record");
  return bytes;
}
