/** One record to merge into the state. */
export interface Change {
  /** 32 lower-case hexadecimal digits. */
  readonly key: string;
  /** Canonical record bytes. */
  readonly record: Uint8Array;
}

/** Records, or `null` where there is none. */
export type Answers = (Uint8Array | null)[];

/** Where the records of events are read. */
export interface ReadStore {
  /**
   * One answer for each key, in the order of the keys; `null` says that there is no record. What is at hand may be given
   * at once, which spares the request a timer.
   *
   * Rejects if the store does not answer: "no record" and "no answer" are different facts, and the second refuses.
   */
  get(keys: readonly string[]): Promise<Answers> | Answers;
}

/** Where the records of events are kept. */
export interface Store extends ReadStore {
  /**
   * Merges records into those that are there, by the join of the engine, so that no update is ever lost. A key may come
   * several times.
   *
   * Resolves once all of them are durable and seen by every `get` that begins afterwards; only then may an event be
   * acknowledged. Rejects if that is not certain; merging again does no harm.
   */
  merge(changes: readonly Change[]): Promise<void>;
}
