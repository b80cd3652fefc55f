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

/** Most bytes of the records of one question: in hexadecimal half of what `cae serve` takes at once. */
const MOST_BYTES = 256 << 10;

/** A list in parts that one question can hold. */
export function parted<T>(list: readonly T[], bytesOf: (one: T) => number = () => 0): T[][] {
  const parts: T[][] = [];
  let bytes = 0;
  for (const one of list) {
    const last = parts.at(-1);
    bytes += bytesOf(one);
    if (last !== undefined && last.length < MOST && bytes <= MOST_BYTES) {
      last.push(one);
    } else {
      parts.push([one]);
      bytes = bytesOf(one);
    }
  }
  return parts;
}
