// The tarball, installed into fresh projects of each kind, on the real runtimes.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

import { build as viteBuild } from "vite";
import { build as esbuildBuild } from "esbuild";

import { STRICT, browser, site, titleOf, withoutChromium } from "./browser.mjs";
import { installed, packed, tool } from "./packed.mjs";

const here = (path) => new URL(path, import.meta.url);
const files = {
  "world.mjs": here("world.mjs"),
  "src/check.mjs": here("runtimes/check.mjs"),
  "src/main.mjs": here("runtimes/main.mjs"),
  "src/page.mjs": here("runtimes/page.mjs"),
  "index.html": '<!doctype html><title>…</title><script type="module" src="/src/page.mjs"></script>',
};
const runAsync = promisify(execFile);
const run = (command, parameters, cwd) => execFileSync(command, parameters, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

test("the tarball holds what is published, and nothing else", () => {
  const names = run("tar", ["-tzf", packed()]).trim().split("\n").map((name) => name.replace("package/", ""));
  assert.ok(names.includes("README.md") && names.includes("package.json"));
  for (const name of names) assert.match(name, /^(dist\/|README\.md$|package\.json$|LICENSE)/);
  const { exports, dependencies } = JSON.parse(readFileSync(here("../package.json"), "utf8"));
  assert.equal(dependencies, undefined, "nothing at run time");
  for (const entry of Object.values(exports).flatMap((it) => (typeof it === "string" ? [it] : Object.values(it)))) {
    assert.ok(names.includes(entry.replace("./", "")), entry);
  }
});

test("node", () => {
  const folder = installed(files);
  assert.equal(run(process.execPath, ["src/main.mjs"], folder), "passed\n");
  assert.deepEqual(readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith(".")), ["cae"], "it alone");
  const code = 'import("cae").then(({ createEngine }) => createEngine("{}")).catch((error) => console.log(error.name, error.code))';
  assert.equal(run(process.execPath, ["-e", code], folder), "ConfigurationError configuration\n");
  rmSync(join(folder, "node_modules/cae/dist/wasm/tools.wasm"));
  assert.equal(run(process.execPath, ["-e", code], folder), "CaeError engine.load\n");
});

test("deno", () => {
  const folder = installed(files);
  // It reads its own files and needs nothing else.
  assert.equal(run(tool("deno"), ["run", "--no-remote", "--allow-read", "src/main.mjs"], folder), "passed\n");
});

test("bun", () => {
  const folder = installed(files, { install: [tool("bun"), "add", packed()] });
  assert.equal(run(tool("bun"), ["src/main.mjs"], folder), "passed\n");
});

test("a faulty configuration fails the build, with the place of every fault", () => {
  const folder = installed({ "engine.json": '{"resource":{"audiences":[]},"issuers":[{"issuer":"http://x"}],"more":1}' });
  const check = join(folder, "node_modules/.bin/cae-check");
  assert.throws(
    () => run(check, ["engine.json"], folder),
    ({ status, stderr }) => status === 1 && /^\/more: .* \[.*\]$/m.test(stderr) && /^\/issuers\/0/m.test(stderr),
  );
  for (const wrong of [[], ["nothing.json"], ["a", "b"], ["--help"]]) assert.throws(() => run(check, wrong, folder), { status: 2 });
});

describe("chromium, under a strict content security policy", { skip: withoutChromium }, () => {
  let chromium;
  before(async () => (chromium = await browser()));
  after(() => chromium?.close());

  async function passes(folder, path = "/index.html", policy = STRICT) {
    const { url, close } = await site(folder, policy);
    const page = await chromium.newPage();
    try {
      const loaded = [];
      page.on("request", (request) => loaded.push(new URL(request.url()).pathname));
      assert.equal(await titleOf(page, url + path), "passed");
      assert.equal(loaded.filter((name) => name.endsWith(".wasm")).length, 2, `each module once: ${loaded.join(" ")}`);
    } finally {
      await page.close();
      close();
    }
  }

  const markup = (script) => `<!doctype html><title>…</title><script type="module" src="${script}"></script>`;

  test("vite", async () => {
    const folder = installed(files);
    await viteBuild({ root: folder, logLevel: "error", build: { target: "es2022", assetsInlineLimit: 0 } });
    await passes(join(folder, "dist"));
  });

  test("esbuild", async () => {
    const folder = installed({ ...files, "out/index.html": markup("/js/page.js") });
    // It leaves the addresses of assets as they are: `../wasm` beside the folder of the script.
    const bundle = { entryPoints: [join(folder, "src/page.mjs")], bundle: true, format: "esm", outdir: join(folder, "out/js"), platform: "browser" };
    await esbuildBuild({ ...bundle, target: "es2022", logLevel: "error" });
    run("cp", ["-r", "node_modules/cae/dist/wasm", "out/wasm"], folder);
    await passes(join(folder, "out"));
  });

  test("without a bundler, by an import map", async () => {
    const dist = "/node_modules/cae/dist";
    const imports = {
      cae: `${dist}/index.js`,
      "cae/client": `${dist}/client.js`,
      "cae/live": `${dist}/live.js`,
      "cae/remote": `${dist}/stores/remote.js`,
      "cae/redis": `${dist}/stores/redis.js`,
      "#engine": `${dist}/load/engine.fetch.js`,
      "#tools": `${dist}/load/tools.fetch.js`,
    };
    const map = JSON.stringify({ imports });
    const html = `<!doctype html><title>…</title><script type="importmap">${map}</script><script type="module" src="/src/page.mjs"></script>`;
    const hash = createHash("sha256").update(map).digest("base64");
    await passes(installed({ ...files, "index.html": html }), "/index.html", STRICT.replace("'self'", `'self' 'sha256-${hash}'`));
  });
});

describe("types", { concurrency: 2 }, () => {
  const options = { strict: true, skipLibCheck: false, noEmit: true, exactOptionalPropertyTypes: true, target: "es2022" };
  const nodenext = { module: "nodenext", moduleResolution: "nodenext", lib: ["es2023"], types: ["node"] };
  const bundler = { module: "esnext", moduleResolution: "bundler", lib: ["es2023", "dom", "dom.iterable"], types: [] };

  for (const [name, file, more, used] of [
    ["moduleResolution nodenext", "usage.ts", nodenext, ["@types/node", "@types/express", "@types/ws", "express", "hono", "ws"]],
    ["moduleResolution bundler", "usage-web.ts", bundler, ["hono"]],
    ["clients of Redis", "usage-redis.ts", { ...nodenext, skipLibCheck: true }, ["@types/node", "redis", "ioredis"]],
  ]) {
    test(name, async () => {
      const tsconfig = JSON.stringify({ compilerOptions: { ...options, ...more }, files: [file] });
      const folder = installed({ [file]: here(`runtimes/${file}`), "tsconfig.json": tsconfig }, { packages: used });
      await runAsync(tool("tsc"), ["--project", "."], { cwd: folder });
    });
  }

  test("deno check", async () => {
    const folder = installed({ "usage.ts": here("runtimes/usage-deno.ts") });
    await runAsync(tool("deno"), ["check", "--no-remote", "usage.ts"], { cwd: folder });
  });
});
