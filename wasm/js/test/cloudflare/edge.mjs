// The template, bundled as `wrangler deploy` bundles it, in workerd.

import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { Miniflare } from "miniflare";

import { project, tool } from "../packed.mjs";

const template = fileURLToPath(new URL("../../../edge/cloudflare", import.meta.url));

/** Bundles the template with a configuration; `more` are files that are put in its place. */
export function bundle(configuration, more = {}) {
  const folder = project(template);
  writeFileSync(join(folder, "engine.json"), JSON.stringify(configuration));
  for (const [name, text] of Object.entries(more)) writeFileSync(join(folder, name), text);
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: folder, CI: "true" };
  execFileSync(tool("wrangler"), ["deploy", "--dry-run", "--outdir", "out"], { cwd: folder, env, stdio: "pipe" });
  const out = join(folder, "out");
  const files = readdirSync(out).filter((name) => /\.(js|wasm)$/.test(name));
  const modules = files
    .sort((a, b) => Number(b === "worker.js") - Number(a === "worker.js"))
    .map((name) => ({
      type: name.endsWith(".wasm") ? "CompiledWasm" : "ESModule",
      path: name,
      contents: readFileSync(join(out, name)),
    }));
  return { folder, modules };
}

/** Bytes of a bundle after compression. */
export const compressed = (modules) => modules.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0);

/** Runs a bundle in workerd. */
export function run(modules, { bindings = {}, persist, origin, ...more } = {}) {
  return new Miniflare({
    modules,
    compatibilityDate: "2026-04-01",
    durableObjects: {
      CAE_RECORDS: { className: "Records", useSQLite: true },
      CAE_CONNECTIONS: { className: "Connections", useSQLite: true },
    },
    ...(persist === undefined ? {} : { durableObjectsPersist: persist }),
    bindings,
    outboundService: origin,
    ...more,
  });
}
