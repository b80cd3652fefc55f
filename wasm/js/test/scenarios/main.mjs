// Replays the transcripts of a folder in Node, Deno or Bun: `main.mjs FOLDER`. Prints what was compared as JSON.

import { readFile, readdir } from "node:fs/promises";

import { instantiate as instantiateEngine } from "./node_modules/cae/dist/wasm/engine.js";
import { instantiate as instantiateTools } from "./node_modules/cae/dist/wasm/tools.js";
import { replay } from "./replay.mjs";

const compile = async (name) => WebAssembly.compile(await readFile(new URL(`node_modules/cae/dist/wasm/${name}.wasm`, import.meta.url)));
const modules = {
  engine: { module: await compile("engine"), instantiate: instantiateEngine },
  tools: { module: await compile("tools"), instantiate: instantiateTools },
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
