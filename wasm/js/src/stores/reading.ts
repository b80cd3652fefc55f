import { CaeError } from "../errors.js";
import type { RecordAnswer } from "../wasm/engine.js";
import type { ReadStore } from "./store.js";

/**
 * Asks a store for records. One that rejects, is late or answers something else has not answered, which is told to the
 * engine as that: it never means "no record".
 */
export async function readRecords(
  store: ReadStore,
  keys: readonly string[],
  milliseconds: number,
  tell: (problem: CaeError) => void,
): Promise<RecordAnswer[]> {
  if (keys.length === 0) return [];
  try {
    const asked = store.get(keys);
    const answers: unknown = Array.isArray(asked) ? asked : await inTime(asked, milliseconds);
    if (Array.isArray(answers) && answers.length === keys.length && answers.every(isAnswer)) return answers;
    throw new TypeError("the store gave no answer for each key");
  } catch (cause) {
    tell(new CaeError("store", "the store did not answer", { cause }));
    return keys.map(() => "failed");
  }
}

const isAnswer = (answer: unknown): answer is Uint8Array | null => answer === null || answer instanceof Uint8Array;

/** Rejects if something takes too long. */
export async function inTime<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer!: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CaeError("store", `no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
