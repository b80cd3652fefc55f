import { merger } from "../loading.js";
import type { Answers, Change, Store } from "./store.js";

/** Records in this process: for one process, and for tests. They are gone when it ends. */
export class MemoryStore implements Store {
  readonly #records = new Map<string, Uint8Array>();

  get(keys: readonly string[]): Answers {
    return keys.map((key) => this.#records.get(key) ?? null);
  }

  async merge(changes: readonly Change[]): Promise<void> {
    const merge = await merger();
    const merged = changes.map(({ key, record }) => {
      const known = this.#records.get(key);
      // A record merged with itself: what is no record is found out before it is kept.
      return [key, merge(known ?? record, record)] as const;
    });
    for (const [key, record] of merged) this.#records.set(key, record);
  }
}
