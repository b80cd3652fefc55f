#!/usr/bin/env node
// `cae-compile ENGINE.json ENGINE.wasm`: an engine with its configuration in it, for a worker.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";

import { compileEngine } from "./compile/engine.js";
import { ConfigurationError } from "./errors.js";

const [file, target, ...rest] = process.argv.slice(2);
if (file === undefined || target === undefined || rest.length > 0 || file.startsWith("-")) {
  console.error("Usage: cae-compile ENGINE.json ENGINE.wasm\n\nExit status: 0 it is written, 1 the configuration cannot be used, 2 anything else.");
  process.exit(2);
}
const own = (name: string): Promise<Uint8Array> => readFile(new URL(`./wasm/${name}.wasm`, import.meta.url));
try {
  const [configuration, engine, prepared] = await Promise.all([readFile(file, "utf8"), own("engine"), own("prepared")]);
  const module = compileEngine(configuration, { engine, prepared });
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, module);
  console.log(`${target}: ${module.length} bytes, ${gzipSync(module, { level: 9 }).length} gzipped`);
} catch (error) {
  console.error(error instanceof ConfigurationError ? error.message : `${file}: ${(error as Error).message}`);
  process.exit(error instanceof ConfigurationError ? 1 : 2);
}
