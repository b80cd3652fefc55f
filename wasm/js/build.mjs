// Makes the package: the modules with their glue, then TypeScript. `cargo xtask build --js` comes before.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

import { compile } from "json-schema-to-typescript";

const here = (path) => new URL(path, import.meta.url);
const built = (path) => new URL(`../../target/cae/js/${path}`, import.meta.url);

for (const folder of ["src/wasm", "dist"]) rmSync(here(folder), { recursive: true, force: true });
mkdirSync(here("src/wasm"), { recursive: true });

cpSync(built("engine/prepared_bg.wasm"), here("src/wasm/prepared.wasm"));
for (const [name, folder, stem] of [
  ["engine", "engine", "engine"],
  ["tools", "web", "cae"],
]) {
  cpSync(built(`${folder}/${stem}_bg.wasm`), here(`src/wasm/${name}.wasm`));
  writeFileSync(here(`src/wasm/${name}-bindings.d.ts`), types(readFileSync(built(`${folder}/${stem}.d.ts`), "utf8")));
  writeFileSync(here(`src/wasm/${name}.js`), factory(readFileSync(built(`${folder}/${stem}.js`), "utf8")));
  writeFileSync(here(`src/wasm/${name}.d.ts`), declaration(`./${name}-bindings.js`));
}
const { configurationSchema } = createRequire(import.meta.url)(built("nodejs/cae.js").pathname);
const schema = { ...JSON.parse(configurationSchema()), title: "Configuration" };
writeFileSync(here("src/wasm/configuration.d.ts"), await compile(schema, "Configuration", { bannerComment: "", format: false, ignoreMinAndMaxItems: true }));

cpSync(here("src/wasm"), here("dist/wasm"), { recursive: true });

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
for (const project of ["tsconfig.json", "tsconfig.cloudflare.json"]) {
  const { status } = spawnSync(process.execPath, [tsc, "--project", project], { cwd: here("."), stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * wasm-bindgen's module holds one instance, for ever. One that trapped has to be replaced, so the same text becomes a
 * function that makes an instance with everything around it.
 */
function factory(glue) {
  const end = glue.indexOf("\nasync function __wbg_load(");
  const begin = glue.indexOf("\n/**");
  if (end < 0 || begin < 0) throw new Error("wasm-bindgen writes other modules than this script knows");
  const body = glue.slice(begin, end);
  const names = [...body.matchAll(/^export (?:class|function) (\w+)/gm)].map(([, name]) => name);
  return [
    "// Made by build.mjs from what wasm-bindgen wrote.",
    "export function instantiate(module) {",
    body.replaceAll(/^export /gm, ""),
    "__wbg_finalize_init(new WebAssembly.Instance(module, __wbg_get_imports()), module);",
    `return { ${names.join(", ")}, exports: wasm };`,
    "}",
    "",
  ].join("\n");
}

/**
 * Its types without those of loading, which is done elsewhere, and without what the libraries of some projects do not
 * declare: they have to compile in every project, also where `skipLibCheck` is off.
 */
function types(declarations) {
  const end = declarations.indexOf("\nexport type InitInput =");
  if (end < 0) throw new Error("wasm-bindgen writes other declarations than this script knows");
  return declarations.slice(0, end).replaceAll(/^ *\[Symbol\.dispose\]\(\): void;\n/gm, "");
}

function declaration(bindings) {
  return [
    `export type * from "${bindings}";`,
    'import type { CompiledModule } from "../module.js";',
    "/** What the instance holds: its memory with its allocator, and its table of values of JavaScript. */",
    "export interface Exports { readonly memory: { readonly buffer: ArrayBuffer }; readonly __wbindgen_externrefs: { readonly length: number }; __wbindgen_malloc(size: number, align: number): number; __wbindgen_free(place: number, size: number, align: number): void }",
    `export declare function instantiate(module: CompiledModule): typeof import("${bindings}") & { readonly exports: Exports };`,
    "",
  ].join("\n");
}
