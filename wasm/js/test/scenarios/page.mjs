// Replays the transcripts beside the page in a browser; `globalThis.compared` is what came of each.

import { instantiate as instantiateEngine } from "../node_modules/cae/dist/wasm/engine.js";
import { instantiate as instantiateTools } from "../node_modules/cae/dist/wasm/tools.js";
import { replay } from "../replay.mjs";

const compile = (name) => WebAssembly.compileStreaming(fetch(`/wasm/${name}.wasm`));
const modules = {
  engine: { module: await compile("engine"), instantiate: instantiateEngine },
  tools: { module: await compile("tools"), instantiate: instantiateTools },
};
globalThis.compared = {};
for (const name of await (await fetch("/transcripts.json")).json()) {
  try {
    globalThis.compared[name] = await replay(await (await fetch(`/transcripts/${name}`)).text(), modules);
  } catch (error) {
    globalThis.compared[name] = String(error);
  }
}
document.title = "passed";
