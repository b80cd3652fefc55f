import { merger } from "../loading.js";
import { byKey } from "./changes.js";
import type { Answers, Change, Store } from "./store.js";

/** Records in this process: for one process, and for tests. They are gone when it ends. */
export class MemoryStore implements Store {
  readonly #records = new Map<string, Uint8Array>();

  get(keys: readonly string[]): Answers {
    return keys.map((key) => this.#records.get(key) ?? null);
  }

  async merge(changes: readonly Change[]): Promise<void> {
    const join = await merger();
    const merged = [...byKey(changes, join)].map(([key, record]) => [key, join(this.#records.get(key) ?? record, record)] as const);
    for (const [key, record] of merged) this.#records.set(key, record);
  }
}
