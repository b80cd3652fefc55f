// The package as npm would publish it, in a project of its own.

import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const packageFolder = fileURLToPath(new URL("..", import.meta.url));

const folders = [];
process.on("exit", () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A folder that is removed when the process ends. */
export function temporary() {
  const folder = mkdtempSync(join(tmpdir(), "cae-js-"));
  folders.push(folder);
  return folder;
}

let tarball;

/** The tarball that would be published; it is packed once. */
export function packed() {
  if (tarball === undefined) {
    const folder = temporary();
    execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: packageFolder });
    tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")));
  }
  return tarball;
}

/** Packs, and unpacks into `node_modules/cae` of a project that begins with the files of a folder. */
export function project(from) {
  const folder = temporary();
  if (from !== undefined) cpSync(from, folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
  mkdirSync(join(folder, "node_modules/cae"), { recursive: true });
  execFileSync("tar", ["-xzf", packed(), "--strip-components=1", "-C", "node_modules/cae"], { cwd: folder });
  const { bin } = JSON.parse(readFileSync(join(folder, "node_modules/cae/package.json"), "utf8"));
  mkdirSync(join(folder, "node_modules/.bin"));
  for (const [name, path] of Object.entries(bin)) {
    chmodSync(join(folder, "node_modules/cae", path), 0o755);
    symlinkSync(join("../cae", path), join(folder, "node_modules/.bin", name));
  }
  return folder;
}

/**
 * A fresh project in which the tarball was installed, with these files of its own: text, or where to copy it from.
 * `packages` are those of the tests' own that it uses besides.
 */
export function installed(files = {}, { packages = [], install = ["npm", "install", "--offline", "--no-audit", "--no-fund", packed()] } = {}) {
  const folder = temporary();
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "project", version: "1.0.0", private: true, type: "module" }));
  const [command, ...parameters] = install;
  execFileSync(command, parameters, { cwd: folder, stdio: "pipe" });
  for (const name of packages) {
    mkdirSync(join(folder, "node_modules", dirname(name)), { recursive: true });
    symlinkSync(join(packageFolder, "node_modules", name), join(folder, "node_modules", name));
  }
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    if (content instanceof URL) cpSync(content, join(folder, name));
    else writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** A program of the packages that the tests use. */
export const tool = (name) => join(packageFolder, "node_modules/.bin", name);
