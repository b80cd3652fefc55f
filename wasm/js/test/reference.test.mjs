// The reference of the API is that of these types.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { packageFolder, temporary, tool } from "./packed.mjs";

const committed = fileURLToPath(new URL("../../../docs/javascript/api", import.meta.url));
const pages = (folder) => Object.fromEntries(files(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]));
const files = (folder) => readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".md")).sort();

test("docs/javascript/api is of this source", () => {
  const folder = temporary();
  execFileSync(tool("typedoc"), ["--out", folder], { cwd: packageFolder, stdio: "pipe" });
  const stale = "npm run docs";
  assert.deepEqual(files(committed), files(folder), stale);
  for (const [name, text] of Object.entries(pages(folder))) assert.equal(pages(committed)[name], text, `${name}: ${stale}`);
});
