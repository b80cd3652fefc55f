// What a form is made of, and the values that several of them offer.

import type { JsonObject } from "../../engine/types.ts";
import type { text } from "../../text.ts";
import type { Path } from "../paths.ts";

export type FieldName = keyof typeof text.editor.fields;

export interface Field {
  name: FieldName;
  path: Path;
  /** `list`: one a line; `choices`: any of the options; `json`: whatever it holds. */
  kind: "text" | "number" | "long" | "flag" | "choice" | "choices" | "list" | "json";
  options?: readonly string[] | "namedLocations" | "users" | "clients" | "transmitters" | "issuers" | "devices";
  /** Only of items that say so there. */
  when?: { path: Path; is: readonly string[] };
}

export interface Section {
  name: keyof typeof text.editor.sections;
  fields: Field[];
}

/** A list of things that each have a form. */
export interface Group {
  name: keyof typeof text.editor.groups;
  /** Where the list stands; an object of named things if `named`. */
  path: Path;
  named: boolean;
  title: Path;
  sections: Section[];
  /** What a new one begins with, by its kind. */
  templates: { name: keyof typeof text.editor.templates; value: () => JsonObject }[];
}

export interface Form {
  sections: Section[];
  groups: Group[];
}

export const field = (
  name: FieldName,
  path: Path,
  kind: Field["kind"],
  options?: Field["options"],
  when?: Field["when"],
): Field => ({
  name,
  path,
  kind,
  ...(options === undefined ? {} : { options }),
  ...(when === undefined ? {} : { when }),
});

export const RISKS = ["low", "medium", "high", "none"];
export const PLATFORMS = ["all", "android", "iOS", "windows", "windowsPhone", "macOS", "linux"];
export const CLIENT_TYPES = ["all", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"];
export const CONTROLS = [
  "block",
  "mfa",
  "compliantDevice",
  "domainJoinedDevice",
  "approvedApplication",
  "compliantApplication",
  "passwordChange",
];

/** SPEC: RFC 9562 section 5.4. `crypto.randomUUID` is only there in secure contexts; a page of one's own network is none. */
export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hexadecimal = [...bytes].map((byte, index) => {
    const marked = index === 6 ? (byte & 0x0f) | 0x40 : index === 8 ? (byte & 0x3f) | 0x80 : byte;
    return marked.toString(16).padStart(2, "0");
  });
  return hexadecimal.join("").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
