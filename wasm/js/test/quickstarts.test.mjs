// What the pages in docs/javascript show is run as it stands there.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";

import { transform } from "esbuild";

import { browser, site, titleOf, withoutChromium } from "./browser.mjs";
import { installed, temporary, tool } from "./packed.mjs";
import { Issuer, cae, freePort, listening, start, stop, without, withoutCae } from "./process.mjs";

const docs = new URL("../../../docs/javascript/", import.meta.url);
const read = (page) => readFileSync(new URL(page, docs), "utf8");

/** The blocks of a page that have a name behind their language. */
function named(page) {
  const blocks = {};
  for (const [, name, text] of read(page).matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)) {
    assert.equal(blocks[name], undefined, `${page}: ${name} twice`);
    blocks[name] = text;
  }
  return blocks;
}

/** The pages mean these two. */
const [ISSUER, SERVER] = ["8190", "3000"];

describe("quick starts", { skip: withoutCae || without("curl"), concurrency: 2 }, () => {
  let issuer;
  before(async () => (issuer = await Issuer.start()));
  after(() => issuer?.stop());

  /** Runs the server of a page, and gives what stands in its place. */
  async function served(page, packages, use) {
    const blocks = named(page);
    const port = String(await freePort());
    const here = (text) => text.replaceAll(`:${ISSUER}`, `:${new URL(issuer.url).port}`).replaceAll(SERVER, port);
    const { run, "try.sh": tries, ...files } = blocks;
    const folder = installed(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, here(text)])), { packages });
    // `cae issuer do` finds the issuer where the page says it is.
    const bin = join(temporary(), "cae");
    writeFileSync(bin, `#!/bin/sh\n'${cae}' "$@" --at ${issuer.url} && sleep 0.5\n`);
    chmodSync(bin, 0o755);
    const env = { ...process.env, PATH: [join(bin, ".."), join(tool("tsc"), ".."), process.env.PATH].join(delimiter) };
    const shell = (script) => execFileSync("sh", ["-euc", script], { cwd: folder, env, encoding: "utf8", stdio: "pipe" });
    assert.match(shell("node_modules/.bin/cae-check engine.json"), /can be used/);
    const server = start("sh", ["-euc", `exec ${run}`], { cwd: folder, env });
    server.stdout.resume();
    try {
      await listening(port);
      await use({ shell, tries: here(tries), folder, here });
    } finally {
      await stop(server);
    }
  }

  for (const [page, packages] of [
    ["node.md", []],
    ["express.md", ["express"]],
    ["hono.md", ["hono", "@hono/node-server"]],
    ["deno.md", []],
    ["bun.md", []],
  ]) {
    test(page, () =>
      served(page, packages, async ({ shell, tries }) => {
        const said = shell(tries.replaceAll("adele", page.replace(".md", "")));
        const [, before, after] = said.split("HTTP/1.1 ");
        assert.match(before ?? "", /^200 .*\{"subject":"\w+"\}/s, said);
        assert.match(after ?? "", /^401 .*insufficient_claims.*claims="/s, said);
      }));
  }

  test("clients.md", () =>
    served("node.md", [], async ({ shell, tries, folder, here }) => {
      writeFileSync(join(folder, "fetch.mjs"), here(named("clients.md")["fetch.mjs"]));
      shell(tries);
      assert.equal(shell("node fetch.mjs"), "200\n");
    }));
});

describe("bundlers.md", { skip: withoutChromium }, () => {
  let chromium;
  before(async () => (chromium = await browser()));
  after(() => chromium?.close());

  const { policy, ...files } = named("bundlers.md");

  async function shows(folder) {
    const { url, close } = await site(folder, policy.trim());
    const page = await chromium.newPage();
    try {
      assert.equal(await titleOf(page, `${url}/index.html`, /^policies: /), "policies: 0");
    } finally {
      await page.close();
      close();
    }
  }

  for (const [name, command] of [
    ["vite", [tool("vite"), "build", "--logLevel", "error"]],
    ["webpack", [process.execPath, "build-webpack.mjs"]],
    ["esbuild", [process.execPath, "esbuild.mjs"]],
  ]) {
    test(name, async () => {
      const runner = `import webpack from "webpack"; import configuration from "./webpack.config.js";
        webpack(configuration, (error, stats) => { if (error || stats.hasErrors()) { console.error(error ?? stats.toString()); process.exit(1); } });`;
      const folder = installed({ ...files, "build-webpack.mjs": runner }, { packages: ["vite", "webpack", "esbuild"] });
      const [program, ...parameters] = command;
      execFileSync(program, parameters, { cwd: folder, stdio: "pipe" });
      if (name !== "vite") writeFileSync(join(folder, "out/index.html"), files["index.html"]);
      await shows(join(folder, "out"));
    });
  }
});

test("links lead somewhere, JSON is JSON, scripts are scripts, and what they import is there", async () => {
  const pages = readdirSync(docs).filter((name) => name.endsWith(".md"));
  assert.ok(pages.length >= 10);
  const anchors = (text) => [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => title.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-"));
  for (const page of pages) {
    const text = read(page);
    for (const [, target, anchor] of text.matchAll(/\]\(([^)#:]*)(?:#([^)]*))?\)/g)) {
      const there = target === "" ? text : readFileSync(new URL(target, docs), "utf8");
      if (anchor !== undefined) assert.ok(anchors(there).includes(anchor), `${page}: #${anchor}`);
    }
    for (const [, json] of text.matchAll(/^```json(?: [^\n]*)?\n(.*?)^```$/gms)) JSON.parse(json);
    for (const [, script] of text.matchAll(/^```js(?: [^\n]*)?\n(.*?)^```$/gms)) {
      await transform(script);
      for (const [, names, entry] of script.matchAll(/import \{([^}]*)\} from "(cae[^"]*)"/g)) {
        // Its module is for workerd alone.
        if (entry === "cae/cloudflare") continue;
        const exported = await import(entry);
        for (const name of names.split(",")) assert.ok(name.trim() in exported, `${page}: ${entry} has no ${name}`);
      }
    }
  }
});
