import { type Authorization, undecided } from "./authorization.js";
import type { Engine } from "./engine.js";
import type { LiveOptions } from "./live.js";
import { readRecords } from "./stores/reading.js";
import type { ReadStore } from "./stores/store.js";
import { toHex } from "./bytes.js";

/** Connections are decided on again at least so often, in milliseconds, whatever their records say. */
const LONGEST = 300_000;
/** Most records of one question to the store. */
const MOST = 1_024;
/** How long the store may take, in milliseconds. */
const PATIENCE = 1_000;

interface Connection {
  readonly again: () => Promise<Authorization>;
  readonly end: (authorization: Authorization) => void;
  records: readonly string[];
  /** Its records as they were before the last decision; at first nothing, so that it is decided on once more. */
  seen: string | undefined;
  /** When it is decided on in any case, in milliseconds. */
  revisit: number;
}

/**
 * Open connections of this process, decided on again when a record changed that they rest on, when `revisitAt` comes,
 * and when the store does not answer.
 *
 * What this engine merges is heard of at once; what others write is looked for in one question for all connections.
 */
export class Connections {
  readonly #open = new Set<Connection>();
  readonly #milliseconds: number;
  #stop: (() => void) | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly store: ReadStore,
    { milliseconds = 500 }: LiveOptions = {},
  ) {
    this.#milliseconds = milliseconds;
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Watches a connection that was allowed, and calls `end` once it may no longer go on; then, and when the returned
   * function was called, that is over.
   *
   * @param again Decides on it again.
   */
  watch(first: Authorization, again: () => Promise<Authorization>, end: (authorization: Authorization) => void): () => void {
    const connection: Connection = { again, end, records: first.records, seen: undefined, revisit: 0 };
    this.#open.add(connection);
    this.#stop ??= this.#start();
    return () => this.#forget(connection);
  }

  #start(): () => void {
    const unsubscribe = this.engine.onChanges((changes) => {
      const keys = new Set(changes.map(({ key }) => key));
      for (const connection of this.#open) {
        if (connection.records.some((key) => keys.has(key))) void this.#decide(connection, undefined);
      }
    });
    let timer: ReturnType<typeof setTimeout>;
    let isOver = false;
    const round = async (): Promise<void> => {
      await this.#look();
      if (!isOver) timer = setTimeout(round, this.#milliseconds);
    };
    timer = setTimeout(round, this.#milliseconds);
    return () => {
      isOver = true;
      clearTimeout(timer);
      unsubscribe();
    };
  }

  #forget(connection: Connection): void {
    this.#open.delete(connection);
    if (this.#open.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Finds what changed, and decides on it. */
  async #look(): Promise<void> {
    const connections = [...this.#open];
    const records = await this.#read([...new Set(connections.flatMap((it) => it.records))]);
    const decided = connections.map((connection) => {
      const now = connection.records.map((key) => records.get(key));
      const seen = now.includes("failed") ? undefined : now.join();
      const isAsBefore = seen !== undefined && seen === connection.seen;
      return isAsBefore && Date.now() < connection.revisit ? undefined : this.#decide(connection, seen);
    });
    await Promise.all(decided);
  }

  async #read(keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (let from = 0; from < keys.length; from += MOST) {
      const part = keys.slice(from, from + MOST);
      // That the store is silent is told by the decision that follows.
      const answers = await readRecords(this.store, part, PATIENCE, () => undefined);
      part.forEach((key, place) => {
        const answer = answers[place]!;
        found.set(key, answer instanceof Uint8Array ? toHex(answer) : (answer ?? ""));
      });
    }
    return found;
  }

  async #decide(connection: Connection, seen: string | undefined): Promise<void> {
    const authorization = await connection.again().catch(undecided);
    if (!this.#open.has(connection)) return;
    if (authorization.isAllowed) {
      connection.records = authorization.records;
      connection.seen = seen;
      connection.revisit = Math.min(Date.now() + LONGEST, (authorization.revisitAt ?? Infinity) * 1000);
    } else {
      this.#forget(connection);
      connection.end(authorization);
    }
  }
}

const all = new WeakMap<Engine, WeakMap<ReadStore, Connections>>();

/** @internal All connections that rest on the same records are watched together. */
export function connectionsOf(engine: Engine, store: ReadStore): Connections {
  const ofEngine = all.get(engine) ?? new WeakMap<ReadStore, Connections>();
  all.set(engine, ofEngine);
  const found = ofEngine.get(store) ?? new Connections(engine, store);
  ofEngine.set(store, found);
  return found;
}
