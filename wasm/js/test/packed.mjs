// The package as npm would publish it, in a project of its own.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const packageFolder = fileURLToPath(new URL("..", import.meta.url));

/** A folder that is removed when the process ends. */
export function temporary() {
  const folder = mkdtempSync(join(tmpdir(), "cae-js-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Packs, and unpacks into `node_modules/cae` of a project that begins with the files of a folder. */
export function project(from) {
  const folder = temporary();
  if (from !== undefined) cpSync(from, folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: packageFolder });
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  mkdirSync(join(folder, "node_modules/cae"), { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", "node_modules/cae"], { cwd: folder });
  return folder;
}

/** A program of the packages that the tests use. */
export const tool = (name) => join(packageFolder, "node_modules/.bin", name);
