// Everything in the address: compressed, after the name of the view, where no server ever sees it.

import { story } from "./conversation/story.svelte.ts";
import type { NamedText } from "./engine/types.ts";
import { route, type View } from "./route.svelte.ts";
import { workspace, type Contents, type PolicySet } from "./workspace.svelte.ts";

/** What a link holds; the first version of it. */
interface Shared {
  v: 1;
  scenario?: string;
  contents?: Contents;
}

/** A link that unpacks to more than this many bytes was not made by hand. */
const MOST_BYTES = 32 << 20;

async function transformed(
  bytes: Uint8Array<ArrayBuffer>,
  by: CompressionStream | DecompressionStream,
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(by).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) {
      await reader.cancel();
      throw new RangeError("too large");
    }
    parts.push(value);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export async function pack(value: Shared): Promise<string> {
  const bytes = await transformed(
    new TextEncoder().encode(JSON.stringify(value)),
    new CompressionStream("deflate-raw"),
    MOST_BYTES,
  );
  let binary = "";
  for (let at = 0; at < bytes.length; at += 32_768) binary += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export async function unpack(text: string): Promise<Shared | undefined> {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
    const json = new TextDecoder("utf-8", { fatal: true }).decode(
      await transformed(bytes, new DecompressionStream("deflate-raw"), MOST_BYTES),
    );
    return checked(JSON.parse(json));
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string";
const optional = (value: unknown): boolean => value === undefined || isText(value);
const isNamedText = (value: unknown): value is NamedText =>
  isRecord(value) && isText(value["name"]) && isText(value["text"]);
const isPolicySet = (value: unknown): value is PolicySet =>
  isRecord(value) &&
  isText(value["name"]) &&
  Array.isArray(value["policies"]) &&
  value["policies"].every(isNamedText) &&
  optional(value["namedLocations"]) &&
  optional(value["applicationGroups"]);

/** A link comes from anybody: what does not have the shape is not used. */
function checked(value: unknown): Shared | undefined {
  if (!isRecord(value) || value["v"] !== 1 || !optional(value["scenario"])) return undefined;
  const { contents } = value;
  if (contents === undefined) return value as unknown as Shared;
  const isFine =
    isRecord(contents) &&
    isPolicySet(contents["after"]) &&
    (contents["before"] === undefined || isPolicySet(contents["before"])) &&
    (contents["signIns"] === undefined || isNamedText(contents["signIns"])) &&
    isRecord(contents["names"]) &&
    Object.values(contents["names"]).every(isText) &&
    optional(contents["configuration"]);
  return isFine ? (value as unknown as Shared) : undefined;
}

/** Shows what a link holds. `false` if it cannot be read. */
export async function openShared(text: string): Promise<boolean> {
  const shared = await unpack(text);
  // The address is plain again: what is changed from now on is not in the link.
  history.replaceState(null, "", `#${route.view}`);
  route.shared = undefined;
  if (shared === undefined) return false;
  if (shared.contents !== undefined) workspace.fill(shared.contents);
  if (shared.scenario !== undefined) await story.open(shared.scenario, "everything");
  return true;
}

/** Puts everything into the address. Whether it could be copied too. */
export async function shareLink(view: View): Promise<boolean> {
  const shared: Shared = {
    v: 1,
    ...(story.text === "" ? {} : { scenario: story.text }),
    ...(workspace.after.policies.length === 0 ? {} : { contents: workspace.contents }),
  };
  history.replaceState(null, "", `#${view}/${await pack(shared)}`);
  try {
    await navigator.clipboard.writeText(location.href);
    return true;
  } catch {
    return false;
  }
}
