// Addresses as numbers, for the picture only: which location an address lies in is the engine's answer.

import { listOf } from "../files.ts";
import type { Json, JsonObject } from "../engine/types.ts";

export interface Address {
  version: 4 | 6;
  value: bigint;
  text: string;
}

export interface Range {
  version: 4 | 6;
  first: bigint;
  last: bigint;
  text: string;
}

export interface Location {
  /** Its id, as the engine names it. */
  key: string;
  name: string;
  trusted: boolean;
  ranges: Range[];
  countries: string[];
}

export function parseAddress(text: string): Address | undefined {
  const four = parseFour(text);
  if (four !== undefined) return { version: 4, value: four, text };
  const six = parseSix(text);
  return six === undefined ? undefined : { version: 6, value: six, text };
}

function parseFour(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n);
}

/** SPEC: RFC 4291 section 2.2. */
function parseSix(text: string): bigint | undefined {
  if (!text.includes(":") || text.includes(":::")) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":").flatMap(group)));
  if (groups.some((half) => half.includes(undefined))) return undefined;
  const [head = [], tail = []] = groups as bigint[][];
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = [...head, ...Array<bigint>(halves.length === 1 ? 0 : missing).fill(0n), ...tail];
  return all.reduce((value, part) => value * 65_536n + part, 0n);
}

/** One group, or the two of an IPv4 address at the end. */
function group(text: string): (bigint | undefined)[] {
  const four = parseFour(text);
  if (four !== undefined) return [four >> 16n, four & 0xffffn];
  return [/^[\da-f]{1,4}$/i.test(text) ? BigInt(`0x${text}`) : undefined];
}

export const BITS = { 4: 32n, 6: 128n } as const;

function parseRange(text: string): Range | undefined {
  const [base = "", length] = text.trim().split("/");
  const address = parseAddress(base);
  if (address === undefined) return undefined;
  const bits = BITS[address.version];
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? BigInt(length) : -1n;
  if (prefix < 0n || prefix > bits) return undefined;
  const size = 1n << (bits - prefix);
  const first = (address.value / size) * size;
  return { version: address.version, first, last: first + size - 1n, text: text.trim() };
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const texts = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];

/** The named locations of a Graph export; what cannot be read is left to the engine to name. */
export function rangesOf(document: string | undefined): Location[] {
  let read: Json;
  try {
    read = JSON.parse(document ?? "[]") as Json;
  } catch {
    return [];
  }
  return listOf(read)
    .filter(isObject)
    .map((item, index) => {
      const name =
        typeof item["displayName"] === "string"
          ? item["displayName"]
          : typeof item["id"] === "string"
            ? item["id"]
            : String(index + 1);
      const ranges = Array.isArray(item["ipRanges"]) ? item["ipRanges"].filter(isObject) : [];
      const written = ranges.map((range) => range["cidrAddress"]).filter((range) => typeof range === "string");
      return {
        key: typeof item["id"] === "string" ? item["id"] : name,
        name,
        trusted: item["isTrusted"] === true,
        ranges: written.map(parseRange).filter((range) => range !== undefined),
        countries: texts(item["countriesAndRegions"]),
      };
    });
}

/** An address as text. */
export function show(version: 4 | 6, value: bigint): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join(".");
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  ).join(":");
  // SPEC: RFC 5952 section 4.2: the longest run of zeros is left out, the first of equal ones.
  const runs = [...groups.matchAll(/(?:^|:)(0(?::0)+)(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length);
  const run = runs[0];
  if (run === undefined) return groups;
  const before = groups.slice(0, run.index);
  return `${before}::${groups.slice((run.index ?? 0) + run[0].length).replace(/^:/, "")}`;
}
