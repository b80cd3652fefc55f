// Replays the transcripts of a folder in Node, Deno or Bun: `main.mjs FOLDER`. Prints what was compared as JSON.

import { readFile, readdir } from "node:fs/promises";

import { compileEngine } from "cae/compile";

import { instantiate as instantiateEngine } from "./node_modules/cae/dist/wasm/engine.js";
import { instantiate as instantiateTools } from "./node_modules/cae/dist/wasm/tools.js";
import { replay } from "./replay.mjs";

const bytesOf = (name) => readFile(new URL(`node_modules/cae/dist/wasm/${name}.wasm`, import.meta.url));
const compile = async (name) => WebAssembly.compile(await bytesOf(name));
const parts = { engine: await bytesOf("engine"), prepared: await bytesOf("prepared") };
const modules = {
  engine: { module: await compile("engine"), instantiate: instantiateEngine },
  tools: { module: await compile("tools"), instantiate: instantiateTools },
  compiled: (configuration) => WebAssembly.compile(compileEngine(configuration, parts)),
};
const folder = process.argv.at(-1);
const compared = {};
for (const name of await readdir(folder)) {
  try {
    compared[name] = await replay(await readFile(`${folder}/${name}`, "utf8"), modules);
  } catch (error) {
    compared[name] = String(error);
  }
}
console.log(JSON.stringify(compared));
