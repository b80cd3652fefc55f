import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

import { text } from "./src/text.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What the page may do: its own files and nothing else; `wasm-unsafe-eval` lets it compile the engine. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'";

/** Puts the words of `text.ts` where the page says `%text.name%`. */
const words: Plugin = {
  name: "words",
  transformIndexHtml: (html) =>
    html.replace("%policy%", POLICY).replaceAll(/%text\.(\w+)%/g, (_, name: keyof typeof text.page) => text.page[name]),
};

/** Writes the service worker with the list of what it keeps; its name changes when any of it does. */
const precache: Plugin = {
  name: "precache",
  apply: "build",
  generateBundle(_, bundle) {
    const files = Object.keys(bundle)
      .filter((name) => !name.endsWith(".map"))
      .sort();
    const hash = createHash("sha256");
    for (const name of files) {
      const file = bundle[name];
      if (file !== undefined) hash.update(name).update(file.type === "chunk" ? file.code : file.source);
    }
    const source = readFileSync(here("src/service-worker.js"), "utf8")
      .replace("%version%", hash.digest("hex").slice(0, 16))
      .replace("[/* files */]", JSON.stringify(["./", "icon.svg", ...files.filter((name) => name !== "index.html")]));
    this.emitFile({ type: "asset", fileName: "service-worker.js", source });
  },
};

export default defineConfig({
  // Relative, so that the page works below any path.
  base: "./",
  plugins: [svelte(), words, precache],
  resolve: { alias: { "#simulator": here("../target/cae/js/simulator") } },
  worker: { format: "es" },
  build: {
    outDir: here("../target/cae/www"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    // Inline data would need a wider content security policy.
    assetsInlineLimit: 0,
  },
  preview: {
    headers: {
      "Content-Security-Policy": `${POLICY}; frame-ancestors 'none'`,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
    },
  },
  server: { fs: { allow: [here("..")] } },
});
