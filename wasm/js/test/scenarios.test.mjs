// All scenarios give the output of the native run, in every runtime: through both modules call by call, and through the
// package. The suites in Rust leave what the native engine was asked and answered in target/cae/transcripts.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { browser, site, titleOf, withoutChromium } from "./browser.mjs";
import { installed, tool } from "./packed.mjs";
import { cae, withoutCae } from "./process.mjs";

const root = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const scenarios = readdirSync(root("tests/scenarios")).map((name) => name.replace(/\.json$/, ""));
const transcript = (name) => root(`target/cae/transcripts/${name}.jsonl`);
const without = !existsSync(transcript(scenarios[0])) && "the tests in Rust did not run: cargo test --test scenarios";
if (without && process.env.CAE_REQUIRE_ARTEFACTS) throw new Error(without);

describe("scenarios", { skip: without }, () => {
  let folder;
  before(() => {
    const scripts = ["main", "page", "replay"].map((name) => [name === "page" ? "src/page.mjs" : `${name}.mjs`, new URL(`scenarios/${name}.mjs`, import.meta.url)]);
    folder = installed(Object.fromEntries(scripts));
    mkdirSync(join(folder, "out/transcripts"), { recursive: true });
    for (const name of scenarios) cpSync(transcript(name), join(folder, `out/transcripts/${name}.jsonl`));
  });

  /** Nothing differs, and nothing was left out. */
  function isWhole(compared, withCompiled) {
    for (const name of scenarios) {
      const calls = linesOf(readFileSync(transcript(name), "utf8")).filter(({ call }) => call !== "create");
      const atIssuer = calls.filter(({ call }) => ["explainEvent", "signIn", "inspectToken"].includes(call));
      const decided = calls.filter(({ answer }) => ["refused", "verdict", "accepted", "rejected"].includes(answer?.kind));
      const all = { engine: calls.length - atIssuer.length, tools: calls.length, package: decided.length, ...(withCompiled ? { compiled: decided.length } : {}) };
      assert.deepEqual(compared[`${name}.jsonl`], all, name);
    }
    assert.equal(Object.keys(compared).length, scenarios.length);
  }

  for (const [name, command] of [
    ["node", [process.execPath, "main.mjs"]],
    ["deno", [tool("deno"), "run", "--no-remote", "--allow-read", "main.mjs"]],
    ["bun", [tool("bun"), "main.mjs"]],
  ]) {
    test(name, () => {
      const [program, ...parameters] = command;
      isWhole(JSON.parse(execFileSync(program, [...parameters, "out/transcripts"], { cwd: folder, encoding: "utf8", maxBuffer: 1 << 24 })), true);
    });
  }

  test("chromium", { skip: withoutChromium }, async () => {
    await build({ entryPoints: [join(folder, "src/page.mjs")], bundle: true, format: "esm", target: "es2022", outdir: join(folder, "out/js"), logLevel: "error" });
    cpSync(join(folder, "node_modules/cae/dist/wasm"), join(folder, "out/wasm"), { recursive: true });
    writeFileSync(join(folder, "out/transcripts.json"), JSON.stringify(scenarios.map((name) => `${name}.jsonl`)));
    writeFileSync(join(folder, "out/index.html"), '<!doctype html><title>…</title><script type="module" src="/js/page.js"></script>');
    const chromium = await browser();
    const { url, close } = await site(join(folder, "out"));
    try {
      const page = await chromium.newPage();
      await titleOf(page, `${url}/index.html`);
      isWhole(await page.evaluate(() => globalThis.compared), false);
    } finally {
      await chromium.close();
      close();
    }
  });

  // The transcripts are those of this binary: what it says of each request is what was compared.
  test("cae replay --engine native", { skip: withoutCae }, () => {
    for (const name of scenarios) {
      const lines = execFileSync(cae, ["replay", root(`tests/scenarios/${name}.json`), "--json", "--engine", "native"], { encoding: "utf8", maxBuffer: 1 << 26 });
      const said = linesOf(lines).filter(({ kind }) => kind === "request").map(({ evaluation }) => JSON.stringify(evaluation));
      const compared = linesOf(readFileSync(transcript(name), "utf8")).flatMap(({ answer }) => answer?.verdict?.json ?? []);
      assert.deepEqual(compared.map((json) => JSON.stringify(JSON.parse(json))), said, name);
    }
  });
});

const linesOf = (text) => text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
