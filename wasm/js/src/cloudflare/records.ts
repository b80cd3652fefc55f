import { DurableObject } from "cloudflare:workers";

import { toBase64 } from "../bytes.js";
import { CaeError } from "../errors.js";
import { merger } from "../loading.js";
import type { Change, Store } from "../stores/store.js";

/** Bindings of a worker that keeps records. */
export interface RecordsEnv {
  readonly CAE_RECORDS: DurableObjectNamespace<CaeRecords>;
  /** Where connections wait for changes, if there are any. */
  readonly CAE_CONNECTIONS?: DurableObjectNamespace<Watcher>;
  /** Filled with every record, for reading close by. */
  readonly CAE_CACHE?: KVNamespace;
}

/** Who waits for changes of records. */
export interface Watcher extends Rpc.DurableObjectBranded {
  recordsChanged(keys: readonly string[]): Promise<void>;
}

/** Most records of one question. */
const MOST = 1_024;
/** Most bytes of one record: far above what the engine bounds it to. */
const MOST_BYTES = 64 << 10;
const KEY = /^[0-9a-f]{32}$/;

/**
 * One shard of the records, in SQLite: the only one that writes them, one change after the other, and durable before it
 * answers.
 */
export class CaeRecords extends DurableObject<RecordsEnv> {
  readonly #sql: SqlStorage;

  constructor(state: DurableObjectState, env: RecordsEnv) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS watchers (key TEXT, watcher TEXT, PRIMARY KEY (key, watcher)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS shards (count INTEGER NOT NULL);
    `);
  }

  /** One record for each key, `null` where there is none. */
  async get(shards: number, keys: readonly string[]): Promise<(Uint8Array | null)[]> {
    this.#check(shards, keys);
    return keys.map((key) => this.#read(key));
  }

  /** Merges all of the changes or none. */
  async merge(shards: number, changes: readonly Change[]): Promise<void> {
    this.#check(shards, changes.map(({ key }) => key));
    const join = await merger();
    const changed = new Map<string, Uint8Array>();
    this.ctx.storage.transactionSync(() => {
      for (const { key, record } of changes) {
        if (!(record instanceof Uint8Array) || record.byteLength > MOST_BYTES) throw new CaeError("argument", "no record");
        const merged = join(this.#read(key) ?? record, record);
        this.#sql.exec("INSERT INTO records VALUES (?1, ?2) ON CONFLICT DO UPDATE SET record = ?2", key, merged.slice().buffer);
        changed.set(key, merged);
      }
    });
    await this.ctx.storage.sync();
    await this.#tell(changed);
  }

  /** Tells a watcher of every change of these records from now on. */
  async watch(shards: number, keys: readonly string[], watcher: string): Promise<void> {
    this.#check(shards, keys);
    for (const key of keys) this.#sql.exec("INSERT OR IGNORE INTO watchers VALUES (?, ?)", key, watcher);
  }

  /** Ends that. */
  async unwatch(shards: number, keys: readonly string[], watcher: string): Promise<void> {
    this.#check(shards, keys);
    for (const key of keys) this.#sql.exec("DELETE FROM watchers WHERE key = ? AND watcher = ?", key, watcher);
  }

  #read(key: string): Uint8Array | null {
    const [row] = this.#sql.exec<{ record: ArrayBuffer }>("SELECT record FROM records WHERE key = ?", key);
    return row === undefined ? null : new Uint8Array(row.record);
  }

  /**
   * With another number of shards a key is another shard's: records would be there and not be found. Whoever asks with
   * another number than the first is refused.
   */
  #check(shards: number, keys: readonly string[]): void {
    const [first] = this.#sql.exec<{ count: number }>("SELECT count FROM shards");
    if (first === undefined) this.#sql.exec("INSERT INTO shards VALUES (?)", shards);
    else if (first.count !== shards) throw new CaeError("argument", `the records lie in ${first.count} shards, not in ${shards}`);
    if (keys.length > MOST || !keys.every((key) => KEY.test(key))) throw new CaeError("argument", "no keys of records");
  }

  /** What fails here is no loss: the cache is stale for as long as it may be, and connections look again by themselves. */
  async #tell(changed: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { CAE_CACHE: cache, CAE_CONNECTIONS: connections } = this.env;
    const telling: Promise<void>[] = [];
    const watchers = new Map<string, string[]>();
    for (const [key, record] of changed) {
      if (cache !== undefined) telling.push(cache.put(key, toBase64(record)));
      for (const { watcher } of this.#sql.exec<{ watcher: string }>("SELECT watcher FROM watchers WHERE key = ?", key)) {
        watchers.set(watcher, [...(watchers.get(watcher) ?? []), key]);
      }
    }
    if (connections !== undefined) {
      for (const [watcher, keys] of watchers) {
        telling.push(connections.get(connections.idFromString(watcher)).recordsChanged(keys));
      }
    }
    await Promise.allSettled(telling);
  }
}

/** Records in Durable Objects: what one worker merges, every later question of any other sees. */
export class DurableObjectStore implements Store {
  /** @param shards How many objects hold them. Chosen once: with another number they refuse to answer. */
  constructor(
    private readonly namespace: DurableObjectNamespace<CaeRecords>,
    private readonly shards = 16,
  ) {}

  async get(keys: readonly string[]): Promise<(Uint8Array | null)[]> {
    const found = new Map<string, Uint8Array | null>();
    await this.#each(keys, (key) => key, async (shard, part) => {
      const records = await shard.get(this.shards, part);
      part.forEach((key, place) => found.set(key, records[place] ?? null));
    });
    return keys.map((key) => found.get(key) ?? null);
  }

  async merge(changes: readonly Change[]): Promise<void> {
    await this.#each(changes, ({ key }) => key, (shard, part) => shard.merge(this.shards, part));
  }

  /** Has a watcher told of changes. */
  async watch(keys: readonly string[], watcher: string): Promise<void> {
    await this.#each(keys, (key) => key, (shard, part) => shard.watch(this.shards, part, watcher));
  }

  async unwatch(keys: readonly string[], watcher: string): Promise<void> {
    await this.#each(keys, (key) => key, (shard, part) => shard.unwatch(this.shards, part, watcher));
  }

  async #each<T>(list: readonly T[], keyOf: (one: T) => string, ask: (shard: DurableObjectStub<CaeRecords>, part: T[]) => Promise<void>): Promise<void> {
    const parts = new Map<number, T[]>();
    for (const one of list) {
      const shard = Number.parseInt(keyOf(one).slice(0, 8), 16) % this.shards;
      parts.set(shard, [...(parts.get(shard) ?? []), one]);
    }
    const named = (shard: number): DurableObjectStub<CaeRecords> => this.namespace.get(this.namespace.idFromName(`records-${shard}`));
    await Promise.all([...parts].map(([shard, part]) => ask(named(shard), part)));
  }
}
