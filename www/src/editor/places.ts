// Between places in the text and places in the document.

import { ensureSyntaxTree, syntaxTree } from "@codemirror/language";
import type { EditorState } from "@codemirror/state";
import type { SyntaxNode } from "@lezer/common";

import { pointerParts } from "./paths.ts";

/** Milliseconds that reading the whole text may take. */
const PATIENCE = 500;
const VALUES = new Set(["Object", "Array", "String", "Number", "True", "False", "Null"]);

const valueOf = (node: SyntaxNode | null): SyntaxNode | null => {
  for (let child = node?.firstChild ?? null; child !== null; child = child.nextSibling)
    if (VALUES.has(child.name)) return child;
  return null;
};

const childrenOf = (node: SyntaxNode, name: (name: string) => boolean): SyntaxNode[] => {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) if (name(child.name)) found.push(child);
  return found;
};

export function nameOf(state: EditorState, property: SyntaxNode): string {
  const name = property.getChild("PropertyName");
  if (name === null) return "";
  try {
    return String(JSON.parse(state.sliceDoc(name.from, name.to)));
  } catch {
    return "";
  }
}

/** The text that a JSON pointer names, or as near to it as there is something. */
export function rangeAt(state: EditorState, pointer: string): { from: number; to: number } {
  const tree = ensureSyntaxTree(state, state.doc.length, PATIENCE) ?? syntaxTree(state);
  let node = valueOf(tree.topNode);
  let range = { from: 0, to: Math.min(1, state.doc.length) };
  if (node !== null && pointer !== "") range = { from: node.from, to: Math.min(node.to, node.from + 1) };
  for (const part of pointerParts(pointer)) {
    if (node === null) break;
    if (node.name === "Array") {
      node = childrenOf(node, (name) => VALUES.has(name))[Number(part)] ?? null;
      if (node !== null) range = { from: node.from, to: node.to };
    } else {
      const property: SyntaxNode | undefined = childrenOf(node, (name) => name === "Property").find(
        (one) => nameOf(state, one) === part,
      );
      const name = property?.getChild("PropertyName");
      node = property === undefined ? null : valueOf(property);
      if (name) range = { from: name.from, to: node !== null && node.to - node.from < 200 ? node.to : name.to };
    }
  }
  return range;
}

/** The members and positions that lead to a node. */
export function pathTo(state: EditorState, node: SyntaxNode): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at: SyntaxNode | null = node; at !== null; at = at.parent) {
    const parent: SyntaxNode | null = at.parent;
    if (at.name === "Property") path.unshift(nameOf(state, at));
    else if (parent?.name === "Array" && VALUES.has(at.name))
      path.unshift(childrenOf(parent, (name) => VALUES.has(name)).findIndex((one) => one.from === at?.from));
  }
  return path;
}
