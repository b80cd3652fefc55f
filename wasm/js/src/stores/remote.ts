/**
 * Records of a running `cae serve`.
 *
 * @module cae/remote
 */

import { fromHex, toHex } from "../bytes.js";
import { CaeError } from "../errors.js";
import { type Fetch, textFrom } from "../http.js";
import { parted } from "./changes.js";
import type { Change, Store } from "./store.js";

/** Where the records are. */
export interface RemoteOptions {
  /** Origin of the administration listener of `cae serve`, such as `https://cae.internal:8182`. */
  readonly url: string;
  /** What stands in the file `store.recordsTokenFile`. */
  readonly token: string;
  readonly fetch?: Fetch;
  /** Milliseconds that a question may take; 5,000 unless said otherwise. */
  readonly timeout?: number;
}

/** The records of a running `cae serve`, which receives the events. */
export class RemoteStore implements Store {
  readonly #fetch: Fetch;

  constructor(private readonly options: RemoteOptions) {
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  }

  async get(keys: readonly string[]): Promise<(Uint8Array | null)[]> {
    const parts = await Promise.all(parted(keys).map((part) => this.#get(part)));
    return parts.flat();
  }

  async merge(changes: readonly Change[]): Promise<void> {
    for (const part of parted(changes, ({ record }) => record.byteLength)) {
      await this.#ask("/v1/records/merge", { changes: part.map(({ key, record }) => ({ key, record: toHex(record) })) });
    }
  }

  async #get(keys: readonly string[]): Promise<(Uint8Array | null)[]> {
    const { records } = JSON.parse(await this.#ask("/v1/records", { keys })) as { records: unknown };
    if (!Array.isArray(records) || records.length !== keys.length) throw unreadable();
    return records.map((record: unknown) => {
      if (record === null) return null;
      const bytes = typeof record === "string" ? fromHex(record) : undefined;
      if (bytes === undefined) throw unreadable();
      return bytes;
    });
  }

  #ask(path: string, question: unknown): Promise<string> {
    const headers = { authorization: `Bearer ${this.options.token}`, "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify(question) };
    return textFrom(this.#fetch, new URL(path, this.options.url).href, this.options.timeout ?? 5_000, init);
  }
}

const unreadable = (): CaeError => new CaeError("store", "the answer holds no record for each key");
