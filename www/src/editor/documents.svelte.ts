// The documents that can be edited, each with what the engine says about it and with what it was before.

import { story } from "../conversation/story.svelte.ts";
import { ask } from "../engine/engine.ts";
import type { Checks, DocumentKind, Fault, Json } from "../engine/types.ts";
import { listOf } from "../files.ts";
import { text as words } from "../text.ts";
import { workspace } from "../workspace.svelte.ts";

/** Changes that follow each other faster than this, in milliseconds, are undone together. */
const TOGETHER = 700;
/** How long the engine waits for the next key. */
const PAUSE = 250;
const DEPTH = 200;

export class Document {
  #text = $state.raw("");
  faults = $state.raw<Fault[]>([]);
  warnings = $state.raw<string[]>([]);
  /** Whether the faults are those of what stands there now. */
  checked = $state(false);
  #past = $state.raw<string[]>([]);
  #future = $state.raw<string[]>([]);
  #changed = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly kind: DocumentKind,
    readonly use: (text: string) => void,
  ) {}

  get text(): string {
    return this.#text;
  }
  get canUndo(): boolean {
    return this.#past.length > 0;
  }
  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  /** What stands there as a value; `undefined` if it is not JSON. */
  readonly value = $derived.by<Json | undefined>(() => {
    try {
      return JSON.parse(this.#text) as Json;
    } catch {
      return undefined;
    }
  });

  /** Begins anew. */
  open(text: string): void {
    this.#past = [];
    this.#future = [];
    this.#set(text, false);
  }

  edit(text: string): void {
    if (text === this.#text) return;
    const now = Date.now();
    if (now - this.#changed > TOGETHER || this.#past.length === 0)
      this.#past = [...this.#past.slice(1 - DEPTH), this.#text];
    this.#changed = now;
    this.#future = [];
    this.#set(text, true);
  }

  /** A change that a form made, undone by itself. */
  write(value: Json): void {
    this.#changed = 0;
    this.edit(`${JSON.stringify(value, null, 2)}\n`);
    this.#changed = 0;
  }

  undo(): void {
    const text = this.#past.at(-1);
    if (text === undefined) return;
    this.#past = this.#past.slice(0, -1);
    this.#future = [this.#text, ...this.#future];
    this.#changed = 0;
    this.#set(text, true);
  }

  redo(): void {
    const [text, ...rest] = this.#future;
    if (text === undefined) return;
    this.#future = rest;
    this.#past = [...this.#past, this.#text];
    this.#changed = 0;
    this.#set(text, true);
  }

  #set(text: string, uses: boolean): void {
    this.#text = text;
    this.checked = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#check(uses), PAUSE);
  }

  async #check(uses: boolean): Promise<void> {
    const text = this.#text;
    const { faults, warnings } = await ask("check", this.kind, text, workspace.after).catch(
      (error: unknown): Checks => ({
        faults: [{ at: "", code: words.editor.engineFault, message: String(error) }],
        warnings: [],
      }),
    );
    if (text !== this.#text) return;
    this.faults = faults;
    this.warnings = warnings;
    this.checked = true;
    if (uses && faults.length === 0) this.use(text);
  }
}

const pretty = (value: Json): string => `${JSON.stringify(value, null, 2)}\n`;

/** All files of policies as one document. */
function policiesText(): string {
  const [only, ...others] = workspace.after.policies;
  try {
    const items = workspace.after.policies.flatMap(({ text }) => listOf(JSON.parse(text) as Json));
    return pretty({ value: items });
  } catch {
    return others.length === 0 ? (only?.text ?? "") : "";
  }
}

function namedLocationsText(): string {
  const text = workspace.after.namedLocations ?? '{"value": []}';
  try {
    return pretty(JSON.parse(text) as Json);
  } catch {
    return text;
  }
}

export const documents: Record<DocumentKind, Document> = {
  policies: new Document(
    "policies",
    (text) => (workspace.after = { ...workspace.after, policies: [{ name: "policies.json", text }] }),
  ),
  namedLocations: new Document(
    "namedLocations",
    (text) => (workspace.after = { ...workspace.after, namedLocations: text }),
  ),
  scenario: new Document("scenario", (text) => void story.open(text, "everything")),
  configuration: new Document("configuration", (text) => (workspace.configuration = text)),
};

/** Fills the documents with what the other views show. */
export async function openDocuments(): Promise<void> {
  await workspace.begin();
  documents.policies.open(policiesText());
  documents.namedLocations.open(namedLocationsText());
  documents.scenario.open(story.text === "" ? (await import("../examples/lost-laptop.json?raw")).default : story.text);
  documents.configuration.open(workspace.configuration ?? (await import("../../../examples/ENGINE.json?raw")).default);
}
