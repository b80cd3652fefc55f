// Reading and changing one place of a JSON document.

import type { Json, JsonObject } from "../engine/types.ts";

export type Path = readonly (string | number)[];

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function valueAt(value: Json | undefined, path: Path): Json | undefined {
  let at = value;
  for (const part of path) {
    if (Array.isArray(at) && typeof part === "number") at = at[part];
    else if (isObject(at) && typeof part === "string" && Object.hasOwn(at, part)) at = at[part];
    else return undefined;
  }
  return at;
}

/** The document with another value at that place; `undefined` takes it away, and objects that are empty then. */
export function withValue(value: Json | undefined, path: Path, next: Json | undefined): Json | undefined {
  const [part, ...rest] = path;
  if (part === undefined) return next;
  if (typeof part === "number") {
    const list = Array.isArray(value) ? value : [];
    const changed = withValue(list[part], rest, next);
    return changed === undefined ? list.toSpliced(part, 1) : list.with(part, changed);
  }
  const object = isObject(value) ? value : {};
  const changed = withValue(object[part], rest, next);
  const { [part]: _, ...others } = object;
  // A member that was there keeps its place.
  if (changed !== undefined)
    return Object.hasOwn(object, part) ? { ...object, [part]: changed } : { ...others, [part]: changed };
  return Object.keys(others).length === 0 && rest.length === 0 && path.length > 0 && Object.keys(object).length > 0
    ? undefined
    : others;
}

/** SPEC: RFC 6901. */
export const pointerParts = (pointer: string): string[] =>
  pointer === ""
    ? []
    : pointer
        .slice(1)
        .split("/")
        .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
