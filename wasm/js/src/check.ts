#!/usr/bin/env node
// `cae-check ENGINE.json`: what is wrong with a configuration, before it is deployed.

import { readFile } from "node:fs/promises";

import { createEngine } from "./engine.js";
import { ConfigurationError } from "./errors.js";

const [file, ...rest] = process.argv.slice(2);
if (file === undefined || rest.length > 0 || file.startsWith("-")) {
  console.error("Usage: cae-check ENGINE.json\n\nExit status: 0 it can be used, 1 it cannot, 2 it cannot be read.");
  process.exit(2);
}
try {
  await createEngine(await readFile(file, "utf8"));
  console.log(`${file}: can be used`);
} catch (error) {
  if (!(error instanceof ConfigurationError)) {
    console.error(`${file}: ${(error as Error).message}`);
    process.exit(2);
  }
  console.error(error.message);
  process.exit(1);
}
