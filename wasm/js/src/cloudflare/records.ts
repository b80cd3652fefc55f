import { DurableObject } from "cloudflare:workers";

import { toBase64 } from "../bytes.js";
import { CaeError } from "../errors.js";
import { merger } from "../loading.js";
import { cached } from "../stores/cached.js";
import { MOST, parted } from "../stores/changes.js";
import type { Answers, Change, Store } from "../stores/store.js";

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

/** Whom the cache is in the list of those that are told. */
const CACHE = "cache";
/** What the cache holds where there is no record. */
export const NO_RECORD = "-";
/**
 * After so many seconds the cache forgets a record by itself: a record that it could not be told of is answered no longer
 * than this.
 */
const CACHED_SECONDS = 3_600;
/** Whoever could not be told is told again after so many milliseconds, and after twice as many each time, */
const AGAIN = 1_000;
/** but not after more than so many. */
const LATEST = 60_000;
/** Most bytes of one record: far above what the engine bounds it to. */
const MOST_BYTES = 64 << 10;
const KEY = /^[0-9a-f]{32}$/;

/** For how many milliseconds a worker may give an answer again: under a second with the half between two looks at a stream. */
const LEASE = 300;
/** How long the object waits for that: clocks differ, and the object's stands still while it is busy. */
const LEASE_END = LEASE + 200;

/** What is asked for: an answer for this once, one to be given again for a while, or one to fill the cache with. */
export type ReadPurpose = "once" | "lease" | "cache";

/** A change that somebody has to be told of. */
type Owed = { change: number; key: string };

/**
 * One shard of the records, in SQLite: the only one that writes them, one change after the other, and durable before it
 * answers.
 *
 * It gives its answers to workers on a lease (Gray and Cheriton, https://doi.org/10.1145/74850.74870): they need not ask
 * again until it ends, and a merge resolves once the leases of what was there before have ended.
 */
export abstract class CaeRecords extends DurableObject<RecordsEnv> {
  readonly #sql: SqlStorage;
  /** In how many shards the records lie, once somebody asked. */
  #shards: number | undefined;
  /** When the lease of each record ends, the first before all others. */
  readonly #leases = new Map<string, number>();
  /** When any lease ends that was given before this object was started. */
  readonly #earlierLeases = Date.now() + LEASE_END;
  /** Who is being told. */
  readonly #telling = new Set<string>();
  #failures = 0;

  constructor(state: DurableObjectState, env: RecordsEnv) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS watchers (key TEXT, watcher TEXT, PRIMARY KEY (key, watcher)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS shards (count INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS untold (
        change INTEGER PRIMARY KEY AUTOINCREMENT, recipient TEXT, key TEXT, UNIQUE (recipient, key) ON CONFLICT REPLACE);
    `);
  }

  /** What merges records: the module of the worker's engine. */
  protected abstract engine(): WebAssembly.Module;

  /** One record for each key, `null` where there is none; has the cache filled with what it asked for in vain. */
  async get(shards: number, keys: readonly string[], purpose: ReadPurpose = "once"): Promise<Answers> {
    this.#check(shards, keys);
    if (purpose === "lease") this.#lease(keys);
    if (purpose === "cache" && this.env.CAE_CACHE !== undefined) {
      for (const key of keys) this.#owe(CACHE, key);
      await this.#tell();
    }
    return keys.map((key) => this.#read(key));
  }

  /** Merges all of the changes or none, and resolves once no worker holds what was there before. */
  async merge(shards: number, changes: readonly Change[]): Promise<void> {
    const keys = changes.map(({ key }) => key);
    this.#check(shards, keys);
    const join = await merger(this.engine());
    this.ctx.storage.transactionSync(() => {
      for (const { key, record } of changes) {
        if (!(record instanceof Uint8Array) || record.byteLength > MOST_BYTES) throw new CaeError("argument", "no record");
        const merged = join(this.#read(key) ?? record, record);
        this.#sql.exec("INSERT INTO records VALUES (?1, ?2) ON CONFLICT DO UPDATE SET record = ?2", key, merged.slice().buffer);
        if (this.env.CAE_CACHE !== undefined) this.#owe(CACHE, key);
        if (this.env.CAE_CONNECTIONS === undefined) continue;
        for (const { watcher } of this.#sql.exec<{ watcher: string }>("SELECT watcher FROM watchers WHERE key = ?", key)) {
          this.#owe(watcher, key);
        }
      }
    });
    const end = Math.max(this.#earlierLeases, ...keys.map((key) => this.#leases.get(key) ?? 0));
    await this.#tell();
    await this.ctx.storage.sync();
    // All of it rather than what is left: that would be as wrong as the clock.
    if (Date.now() < end) await scheduler.wait(LEASE_END);
  }

  /** Tells those that could not be told, or that an object owed when it ended. */
  override async alarm(): Promise<void> {
    await this.#tell();
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

  #lease(keys: readonly string[]): void {
    const now = Date.now();
    for (const key of keys) {
      this.#leases.delete(key);
      this.#leases.set(key, now + LEASE_END);
    }
    for (const [key, end] of this.#leases) {
      if (now < end) break;
      this.#leases.delete(key);
    }
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
    this.#shards ??= this.#firstShards(shards);
    if (this.#shards !== shards) throw new CaeError("argument", `the records lie in ${this.#shards} shards, not in ${shards}`);
    if (keys.length > MOST || !keys.every((key) => KEY.test(key))) throw new CaeError("argument", "no keys of records");
  }

  #firstShards(asked: number): number {
    const [first] = this.#sql.exec<{ count: number }>("SELECT count FROM shards");
    if (first !== undefined) return first.count;
    this.#sql.exec("INSERT INTO shards VALUES (?)", asked);
    return asked;
  }

  #owe(recipient: string, key: string): void {
    this.#sql.exec("INSERT INTO untold (recipient, key) VALUES (?, ?)", recipient, key);
  }

  /**
   * Begins to tell whoever has to be told; nobody waits for that. What could not be told, or was not before this object
   * ended, the alarm tells: it is set as durably as what is owed.
   */
  async #tell(): Promise<void> {
    const owed = [...this.#sql.exec<{ recipient: string }>("SELECT DISTINCT recipient FROM untold")];
    if (owed.length === 0) return;
    await this.ctx.storage.setAlarm(Date.now() + Math.min(AGAIN * 2 ** this.#failures, LATEST));
    for (const { recipient } of owed) {
      if (this.#telling.has(recipient)) continue;
      this.#telling.add(recipient);
      this.ctx.waitUntil(this.#tellOne(recipient));
    }
  }

  /** One after the other, and always of the record as it is then, so that no older one comes last. */
  async #tellOne(recipient: string): Promise<void> {
    try {
      for (;;) {
        const owed = [...this.#sql.exec<Owed>("SELECT change, key FROM untold WHERE recipient = ? LIMIT 32", recipient)];
        if (owed.length === 0) break;
        const keys = owed.map(({ key }) => key);
        if (recipient === CACHE) await Promise.all(keys.map((key) => this.#cache(key)));
        else await this.#watcher(recipient)?.recordsChanged(keys);
        for (const { change } of owed) this.#sql.exec("DELETE FROM untold WHERE change = ?", change);
      }
      this.#failures = 0;
    } catch {
      this.#failures += 1;
    } finally {
      this.#telling.delete(recipient);
    }
  }

  async #cache(key: string): Promise<void> {
    const record = this.#read(key);
    const text = record === null ? NO_RECORD : toBase64(record);
    await this.env.CAE_CACHE?.put(key, text, { expirationTtl: CACHED_SECONDS });
  }

  #watcher(id: string): DurableObjectStub<Watcher> | undefined {
    const { CAE_CONNECTIONS: connections } = this.env;
    return connections?.get(connections.idFromString(id));
  }
}

/**
 * Records in Durable Objects: what one worker merged, every later question of any other sees.
 *
 * An answer is given again for 0.3 s without asking. The object that gave it knows, and lets a merge wait until then.
 */
export class DurableObjectStore implements Store {
  readonly #ids: DurableObjectId[] = [];
  readonly #near = cached(
    { get: (keys) => this.#get(keys, "lease"), merge: (changes: readonly Change[]) => this.#merge(changes) },
    { seconds: LEASE / 1000 },
  );

  /** @param shards How many objects hold them. Chosen once: with another number they refuse to answer. */
  constructor(
    private readonly namespace: DurableObjectNamespace<CaeRecords>,
    private readonly shards = 16,
  ) {}

  get(keys: readonly string[]): Promise<Answers> | Answers {
    return this.#near.get(keys);
  }

  /** The same, asked of the objects each time: for whoever was just told of a change. */
  getNow(keys: readonly string[]): Promise<Answers> {
    return this.#get(keys, "once");
  }

  /** The same, of keys that the cache did not hold: it holds them afterwards. */
  getForCache(keys: readonly string[]): Promise<Answers> {
    return this.#get(keys, "cache");
  }

  merge(changes: readonly Change[]): Promise<void> {
    return this.#near.merge(changes);
  }

  async #get(keys: readonly string[], purpose: ReadPurpose): Promise<Answers> {
    const found = new Map<string, Uint8Array | null>();
    await this.#each(keys, (key) => key, async (shard, part) => {
      const records = await shard.get(this.shards, part, purpose);
      part.forEach((key, place) => found.set(key, records[place] ?? null));
    });
    return keys.map((key) => found.get(key) ?? null);
  }

  #merge(changes: readonly Change[]): Promise<void> {
    return this.#each(changes, ({ key }) => key, (shard, part) => shard.merge(this.shards, part));
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
    const asking = [...parts].flatMap(([shard, its]) => parted(its).map((part) => ask(this.namespace.get(this.#idOf(shard)), part)));
    await Promise.all(asking);
  }

  #idOf(shard: number): DurableObjectId {
    return (this.#ids[shard] ??= this.namespace.idFromName(`records-${shard}`));
  }
}
