/**
 * Records in Redis.
 *
 * @module cae/redis
 */

import { fromBase64, toBase64 } from "../bytes.js";
import { CaeError } from "../errors.js";
import { merger } from "../loading.js";
import { byKey } from "./changes.js";
import type { Change, Store } from "./store.js";

/** A client of the package `redis`, or of `ioredis`. */
export type RedisClient =
  | { sendCommand(parts: string[]): Promise<unknown> }
  | { call(command: string, ...parts: string[]): Promise<unknown> };

/** How records are kept in Redis. */
export interface RedisOptions {
  /** Before every key; `{cae}:` unless said otherwise. The braces keep all records of a cluster on one of its nodes. */
  readonly prefix?: string;
}

/**
 * Writes all records, if each is still what it was when it was read: `KEYS` with, for each, what was read (empty for
 * nothing) and what is to be there.
 */
const SCRIPT = `
for place, key in ipairs(KEYS) do
  if (redis.call('GET', key) or '') ~= ARGV[place] then return 0 end
end
for place, key in ipairs(KEYS) do redis.call('SET', key, ARGV[#KEYS + place]) end
return 1`;

/** How often a merge is tried against others that write the same records. */
const TRIES = 100;

/** Records in Redis, as base64. Give it `appendfsync always`: an event is acknowledged once Redis took it. */
export class RedisStore implements Store {
  readonly #prefix: string;

  constructor(
    private readonly client: RedisClient,
    options: RedisOptions = {},
  ) {
    this.#prefix = options.prefix ?? "{cae}:";
  }

  async get(keys: readonly string[]): Promise<(Uint8Array | null)[]> {
    return (await this.#texts(keys)).map((text) => (text === "" ? null : bytesOf(text)));
  }

  async merge(changes: readonly Change[]): Promise<void> {
    const join = await merger();
    const joined = byKey(changes, join);
    const keys = [...joined.keys()];
    if (keys.length === 0) return;
    for (let turn = 0; turn < TRIES; turn += 1) {
      const known = await this.#texts(keys);
      const wanted = keys.map((key, place) => {
        const record = joined.get(key)!;
        return toBase64(known[place] === "" ? record : join(bytesOf(known[place]!), record));
      });
      const names = keys.map((key) => this.#prefix + key);
      if (Number(await this.#send("EVAL", SCRIPT, String(keys.length), ...names, ...known, ...wanted)) === 1) return;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(turn, 20)));
    }
    throw new CaeError("store", "others write the same records again and again");
  }

  async #texts(keys: readonly string[]): Promise<string[]> {
    if (keys.length === 0) return [];
    const texts = await this.#send("MGET", ...keys.map((key) => this.#prefix + key));
    if (!Array.isArray(texts) || texts.length !== keys.length) throw new CaeError("store", "Redis gave no answer for each key");
    return texts.map((text: unknown) => (text === null ? "" : String(text)));
  }

  #send(...parts: [string, ...string[]]): Promise<unknown> {
    if ("sendCommand" in this.client && !("call" in this.client)) return this.client.sendCommand(parts);
    const [command, ...rest] = parts;
    return (this.client as { call(command: string, ...parts: string[]): Promise<unknown> }).call(command, ...rest);
  }
}

function bytesOf(text: string): Uint8Array {
  const bytes = fromBase64(text);
  if (bytes === undefined) throw new CaeError("store", "what is stored is no record");
  return bytes;
}
