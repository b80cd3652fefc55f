// The code editor: loaded when somebody begins to write. It lives in a shadow root, where its styles are style sheets
// that were constructed, which the content security policy allows; styles written into the page are not.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  syntaxHighlighting,
} from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { Annotation, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

import { ask } from "../engine/engine.ts";
import type { DocumentKind, Fault, JsonObject } from "../engine/types.ts";
import { completions } from "./completion.ts";
import { GRAPH } from "./graph-schema.ts";
import { rangeAt } from "./places.ts";

export interface CodeEditor {
  setText(text: string): void;
  setFaults(faults: Fault[]): void;
  reveal(pointer: string): void;
  focus(at: number): void;
  close(): void;
}

interface Options {
  kind: DocumentKind;
  text: string;
  label: string;
  onchange(text: string): void;
}

/** Marks what did not come from the keyboard. */
const fromOutside = Annotation.define<boolean>();

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent)" },
  { tag: tags.string, color: "var(--grant)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--challenge)" },
]);

const look = EditorView.theme({
  "&": {
    border: "1px solid var(--edge)",
    borderRadius: "8px",
    backgroundColor: "var(--raised)",
    color: "var(--ink)",
    fontSize: "0.85rem",
    height: "min(34rem, 60vh)",
  },
  "&.cm-focused": { outline: "3px solid var(--accent)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--soft)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent) 10%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--accent) 28%, transparent)",
  },
  ".cm-tooltip": {
    backgroundColor: "var(--paper)",
    color: "var(--ink)",
    border: "1px solid var(--edge)",
    borderRadius: "8px",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent)", color: "var(--on-accent)" },
  // What the library draws are images in data addresses, which the content security policy forbids.
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--block)" },
  ".cm-lint-marker-error": {
    content: "normal",
    width: "0.7em",
    height: "0.7em",
    borderRadius: "50%",
    background: "var(--block)",
    marginTop: "0.3em",
  },
  ".cm-diagnostic": { fontFamily: "system-ui, sans-serif", padding: "0.4rem 0.6rem" },
});

async function schemaOf(kind: DocumentKind): Promise<JsonObject> {
  if (kind === "policies" || kind === "namedLocations") return GRAPH[kind];
  return (await ask("schemas"))[kind];
}

export async function openEditor(host: HTMLElement, { kind, text, label, onchange }: Options): Promise<CodeEditor> {
  const schema = await schemaOf(kind);
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        foldGutter(),
        lintGutter(),
        drawSelection(),
        highlightActiveLine(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        json(),
        syntaxHighlighting(colours),
        look,
        autocompletion({ override: [completions(schema)], icons: false }),
        keymap.of([
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...foldKeymap,
          ...lintKeymap,
          ...defaultKeymap,
          indentWithTab,
        ]),
        EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !update.transactions.some((transaction) => transaction.annotation(fromOutside)))
            onchange(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    setText(next) {
      const known = view.state.doc.toString();
      if (next === known) return;
      // Only what differs is replaced, so that the cursor stays where it is.
      let from = 0;
      while (from < known.length && from < next.length && known[from] === next[from]) from += 1;
      let end = 0;
      while (
        end < known.length - from &&
        end < next.length - from &&
        known[known.length - 1 - end] === next[next.length - 1 - end]
      )
        end += 1;
      view.dispatch({
        changes: { from, to: known.length - end, insert: next.slice(from, next.length - end) },
        annotations: fromOutside.of(true),
      });
    },
    setFaults(faults) {
      const diagnostics = faults.map((fault): Diagnostic => ({
        ...rangeAt(view.state, fault.at),
        severity: "error",
        message: `${fault.message} (${fault.code})`,
      }));
      view.dispatch(
        setDiagnostics(
          view.state,
          diagnostics.sort((a, b) => a.from - b.from),
        ),
      );
    },
    reveal(pointer) {
      const { from, to } = rangeAt(view.state, pointer);
      view.dispatch({
        selection: { anchor: from, head: to },
        effects: EditorView.scrollIntoView(from, { y: "center" }),
      });
      view.focus();
    },
    focus(at) {
      view.dispatch({ selection: { anchor: Math.min(at, view.state.doc.length) } });
      view.focus();
    },
    close: () => view.destroy(),
  };
}
