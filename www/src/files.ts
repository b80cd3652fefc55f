// What was dropped or chosen: read with bounds, told apart by what is in it, never by its name alone.

import type { Json, JsonObject, NamedText } from "./engine/types.ts";
import { text } from "./text.ts";

/** Most bytes of one file. */
export const MOST_BYTES = 24 << 20;
/** Most files at a time. */
const MOST_FILES = 3_000;

export interface Found {
  policies: NamedText[];
  namedLocations: JsonObject[];
  names: Record<string, string>;
  applicationGroups?: Json;
  signIns?: NamedText;
  scenario?: string;
  configuration?: string;
  problems: string[];
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isList = (value: Json | undefined): value is Json[] => Array.isArray(value);

/** Graph writes lists as arrays or as `{"value": [..]}`; one thing is a list of one. */
export function listOf(document: Json): Json[] {
  if (isList(document)) return document;
  if (isObject(document) && isList(document["value"])) return document["value"];
  return [document];
}

export async function readFiles(files: File[]): Promise<Found> {
  const found: Found = { policies: [], namedLocations: [], names: {}, problems: [] };
  for (const file of files.slice(0, MOST_FILES)) {
    if (file.size > MOST_BYTES)
      found.problems.push(text.files.tooLarge(file.name, text.files.megabytes(MOST_BYTES >> 20)));
    else readText(file.name, new Uint8Array(await file.arrayBuffer()), found);
  }
  if (files.length > MOST_FILES) found.problems.push(text.files.tooMany(MOST_FILES));
  return found;
}

function readText(name: string, bytes: Uint8Array, found: Found): void {
  let content: string;
  try {
    content = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    found.problems.push(text.files.binary(name));
    return;
  }
  let document: Json;
  try {
    document = JSON.parse(content) as Json;
  } catch (error) {
    if (isLines(content)) addSignIns(name, content, found);
    else found.problems.push(text.files.noJson(name, shortened(error)));
    return;
  }
  if (!sort(name, content, document, found)) found.problems.push(text.files.unknown(name));
}

/** What a parser says may quote what it read. */
const shortened = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 120);

const isSignIn = (value: Json | undefined): boolean =>
  isObject(value) && ("signInIdentity" in value || "signInContext" in value || "signInConditions" in value);

function isLines(content: string): boolean {
  const first = content.split("\n", 20).find((line) => line.trim() !== "");
  try {
    return first !== undefined && isSignIn(JSON.parse(first) as Json);
  } catch {
    return false;
  }
}

function addSignIns(name: string, lines: string, found: Found): void {
  const known = found.signIns;
  found.signIns =
    known === undefined ? { name, text: lines } : { name: `${known.name}, ${name}`, text: `${known.text}\n${lines}` };
}

function sort(name: string, content: string, document: Json, found: Found): boolean {
  if (isObject(document) && isList(document["timeline"])) {
    found.scenario = content;
    if (isObject(document["engine"])) addConfiguration(name, document["engine"], found);
    return true;
  }
  if (isObject(document) && isList(document["issuers"])) {
    found.configuration = content;
    addConfiguration(name, document, found);
    return true;
  }
  // A shape of our own: what the page itself takes away.
  if (isObject(document) && (isList(document["policies"]) || isObject(document["policies"]))) {
    addConfiguration(name, document, found);
    return true;
  }
  const items = listOf(document).filter(isObject);
  const first = items[0];
  if (first === undefined) return false;
  if (items.some(isSignIn)) addSignIns(name, items.map((item) => JSON.stringify(item)).join("\n"), found);
  else if (items.some(isLocation)) found.namedLocations.push(...items);
  else if (items.some(isPolicy)) found.policies.push({ name, text: content });
  else if (items.every((item) => typeof item["id"] === "string" && typeof item["displayName"] === "string"))
    addNames(items, found);
  else return false;
  return true;
}

const isLocation = (item: JsonObject): boolean =>
  /namedlocation/i.test(String(item["@odata.type"] ?? "")) || "ipRanges" in item || "countriesAndRegions" in item;
const isPolicy = (item: JsonObject): boolean =>
  "conditions" in item || "grantControls" in item || "sessionControls" in item;

function addNames(items: JsonObject[], found: Found): void {
  for (const item of items) {
    for (const id of [item["id"], item["appId"], item["roleTemplateId"]]) {
      if (typeof id === "string") found.names[id.toLowerCase()] = String(item["displayName"]);
    }
  }
}

/** The policies and named locations of an engine configuration, its issuers' among them. */
function addConfiguration(name: string, configuration: JsonObject, found: Found): void {
  const issuers = isList(configuration["issuers"]) ? configuration["issuers"].filter(isObject) : [];
  for (const [index, part] of [configuration, ...issuers].entries()) {
    const policies = part["policies"];
    const label = index === 0 ? name : `${name}, ${String(part["issuer"] ?? index)}`;
    if (policies !== undefined && listOf(policies).length > 0)
      found.policies.push({ name: label, text: JSON.stringify(listOf(policies), null, 2) });
    const locations = part["namedLocations"];
    if (locations !== undefined) found.namedLocations.push(...listOf(locations).filter(isObject));
  }
  const settings = configuration["settings"];
  if (isObject(settings) && settings["applicationGroups"] !== undefined)
    found.applicationGroups = settings["applicationGroups"];
}

/** The files of a drop, those in folders too. */
export async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry?.())
    .filter((entry) => entry !== null && entry !== undefined);
  if (entries.length === 0) return [...transfer.files];
  const files: File[] = [];
  for (const entry of entries) await collect(entry, files);
  return files;
}

async function collect(entry: FileSystemEntry, into: File[]): Promise<void> {
  if (into.length > MOST_FILES) return;
  if (entry.isFile) {
    into.push(await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const one of some) await collect(one, into);
  }
}
