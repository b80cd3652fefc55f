import { Bounded } from "../bounded.js";
import type { Answers, Change, ReadStore, Store } from "./store.js";

/** How answers are kept. */
export interface CacheOptions {
  /** For how many seconds an answer is given again: an event elsewhere counts that much later. */
  readonly seconds: number;
  /** Most answers that are kept; 10,000 unless said otherwise. */
  readonly most?: number;
}

interface Kept {
  readonly record: Uint8Array | null;
  readonly until: number;
}

/** What is kept of the answers to a question. */
type Known = (Uint8Array | null | undefined)[];

const isComplete = (known: Known): known is Answers => !known.includes(undefined);

/**
 * Answers of a store that is far away, also that there is no record, kept for a while. What is merged through it counts
 * at once.
 */
export function cached<S extends ReadStore>(store: S, { seconds, most = 10_000 }: CacheOptions): S extends Store ? Store : ReadStore {
  const kept = new Bounded<string, Kept>(most);
  const period = seconds * 1000;
  let merges = 0;

  function given(key: string, now: number): Uint8Array | null | undefined {
    const it = kept.get(key);
    // A clock that was set back would keep it for longer.
    return it !== undefined && now < it.until && it.until <= now + period ? it.record : undefined;
  }

  function get(keys: readonly string[]): Promise<Answers> | Answers {
    const now = Date.now();
    const known: Known = keys.map((key) => given(key, now));
    return isComplete(known) ? known : complete(known, keys, now);
  }

  async function complete(known: Known, keys: readonly string[], now: number): Promise<Answers> {
    const missing = keys.filter((_, place) => known[place] === undefined);
    const before = merges;
    const fetched = await store.get(missing);
    if (fetched.length !== missing.length) throw new TypeError("the store gave no answer for each key");
    // What was asked before something was merged may be older than that.
    if (before === merges) missing.forEach((key, place) => kept.set(key, { record: fetched[place] ?? null, until: now + period }));
    let place = 0;
    return known.map((it) => (it !== undefined ? it : (fetched[place++] ?? null)));
  }

  async function merge(changes: readonly Change[]): Promise<void> {
    const forget = (): void => {
      merges += 1;
      for (const { key } of changes) kept.delete(key);
    };
    forget();
    try {
      await (store as unknown as Store).merge(changes);
    } finally {
      forget();
    }
  }

  return ("merge" in store ? { get, merge } : { get }) as S extends Store ? Store : ReadStore;
}
