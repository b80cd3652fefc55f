import type { Merge } from "../loading.js";
import type { Change } from "./store.js";

/** Changes by their keys, those of one key merged. Throws if one of them is no record. */
export function byKey(changes: readonly Change[], join: Merge): Map<string, Uint8Array> {
  const joined = new Map<string, Uint8Array>();
  for (const { key, record } of changes) joined.set(key, join(joined.get(key) ?? record, record));
  return joined;
}

/** Most records of one question. */
export const MOST = 1_024;

/** A list in parts that one question can hold. */
export function parted<T>(list: readonly T[]): T[][] {
  const parts = [];
  for (let from = 0; from < list.length; from += MOST) parts.push(list.slice(from, from + MOST));
  return parts;
}
