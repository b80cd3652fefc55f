// Completion from a JSON Schema: names of members, and values where the schema knows them.

import type { Completion, CompletionContext, CompletionResult, CompletionSource } from "@codemirror/autocomplete";
import { syntaxTree } from "@codemirror/language";
import type { EditorState } from "@codemirror/state";
import type { SyntaxNode } from "@lezer/common";

import type { Json, JsonObject } from "../engine/types.ts";
import { isObject } from "./paths.ts";
import { nameOf, pathTo } from "./places.ts";

/** No schema of ours refers deeper. */
const DEPTH = 12;

/** Every alternative of a schema, with references followed. */
function alternatives(root: JsonObject, schema: Json | undefined, depth = 0): JsonObject[] {
  if (!isObject(schema) || depth > DEPTH) return [];
  const reference = schema["$ref"];
  const referred =
    typeof reference === "string" && reference.startsWith("#/$defs/")
      ? alternatives(root, (root["$defs"] as JsonObject | undefined)?.[reference.slice(8)], depth + 1)
      : [];
  const choices = ["anyOf", "oneOf", "allOf"]
    .flatMap((name) => (Array.isArray(schema[name]) ? schema[name] : []))
    .flatMap((choice) => alternatives(root, choice, depth + 1));
  return [schema, ...referred, ...choices];
}

/** The schemas of what stands at a path; `known` tells alternatives apart by their constants. */
function schemasAt(root: JsonObject, path: (string | number)[], document: Json | undefined): JsonObject[] {
  let schemas = alternatives(root, root);
  let value = document;
  for (const part of path) {
    schemas = fitting(schemas, value).flatMap((schema) => {
      const properties = isObject(schema["properties"]) ? schema["properties"] : {};
      if (typeof part === "number") return alternatives(root, schema["items"]);
      return alternatives(root, Object.hasOwn(properties, part) ? properties[part] : schema["additionalProperties"]);
    });
    value =
      Array.isArray(value) && typeof part === "number"
        ? value[part]
        : isObject(value) && typeof part === "string"
          ? value[part]
          : undefined;
  }
  return fitting(schemas, value);
}

/** Without the alternatives that say otherwise than the value does. */
function fitting(schemas: JsonObject[], value: Json | undefined): JsonObject[] {
  if (!isObject(value)) return schemas;
  return schemas.filter((schema) => {
    const properties = isObject(schema["properties"]) ? Object.entries(schema["properties"]) : [];
    return properties.every(
      ([name, property]) =>
        !isObject(property) || !("const" in property) || !(name in value) || property["const"] === value[name],
    );
  });
}

const described = (schema: Json | undefined): string =>
  isObject(schema) && typeof schema["description"] === "string" ? schema["description"] : "";

function members(root: JsonObject, schemas: JsonObject[], present: Set<string>): Completion[] {
  const found = new Map<string, Completion>();
  for (const schema of schemas) {
    for (const [name, property] of Object.entries(isObject(schema["properties"]) ? schema["properties"] : {})) {
      if (present.has(name) || found.has(name)) continue;
      const info = [property, ...alternatives(root, property)].map(described).find(Boolean);
      found.set(name, {
        label: JSON.stringify(name),
        apply: `${JSON.stringify(name)}: `,
        type: "property",
        ...(info ? { info } : {}),
      });
    }
  }
  return [...found.values()];
}

function values(schemas: JsonObject[]): Completion[] {
  const found = new Set<string>();
  for (const schema of schemas) {
    const known = [
      ...(Array.isArray(schema["enum"]) ? schema["enum"] : []),
      ...("const" in schema ? [schema["const"] ?? null] : []),
      ...(Array.isArray(schema["examples"]) ? schema["examples"] : []),
    ];
    if (schema["type"] === "boolean") known.push(true, false);
    for (const value of known) found.add(JSON.stringify(value));
  }
  return [...found].map((label) => ({ label, type: "enum" }));
}

function parsed(state: EditorState): Json | undefined {
  try {
    return JSON.parse(state.doc.toString()) as Json;
  } catch {
    return undefined;
  }
}

/** The members of an object that stand there, with the values that are texts: enough to tell alternatives apart. */
function shallow(state: EditorState, object: SyntaxNode): JsonObject {
  const found: JsonObject = {};
  for (const property of object.getChildren("Property")) {
    const text = property.getChild("String");
    try {
      found[nameOf(state, property)] = text === null ? null : (JSON.parse(state.sliceDoc(text.from, text.to)) as Json);
    } catch {
      // Half a text says nothing yet.
    }
  }
  return found;
}

export function completions(root: JsonObject): CompletionSource {
  return ({ state, pos, explicit }: CompletionContext): CompletionResult | null => {
    const word = /"?[\w@.$-]*$/.exec(state.sliceDoc(Math.max(0, pos - 80), pos))?.[0] ?? "";
    if (word === "" && !explicit) return null;
    const from = pos - word.length;
    let node: SyntaxNode = syntaxTree(state).resolveInner(pos, -1);
    const inName = node.name === "PropertyName";
    const after = /[{,[:]\s*$/.exec(state.sliceDoc(0, from))?.[0]?.[0];
    while (node.parent !== null && !["Object", "Array", "Property"].includes(node.name)) node = node.parent;
    // What was typed stands in place of the text up to the end of the word, a closing quote among it.
    const rest = /^[\w@.$-]*"?/.exec(state.sliceDoc(pos, pos + 80))?.[0] ?? "";
    const to = pos + rest.length;
    const property = node.name === "Property" && !inName && after === ":";
    if (property || node.name === "Array") {
      const path = property ? pathTo(state, node) : [...pathTo(state, node), 0];
      const options = values(schemasAt(root, path, parsed(state)));
      return options.length === 0 ? null : { from, to, options };
    }
    const object = node.name === "Object" ? node : node.parent;
    if (object === null || object.name !== "Object") return null;
    const here = shallow(state, object);
    const schemas = fitting(schemasAt(root, pathTo(state, object), parsed(state)), here);
    const options = members(root, schemas, new Set(Object.keys(here)));
    return options.length === 0 ? null : { from, to, options };
  };
}
