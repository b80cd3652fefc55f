// What can be taken away and passed on.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { CAE, choose, downloaded, inBrowser, visit, visitStory, workspace } from "./browser.mjs";

const browser = inBrowser();
const withoutCae = existsSync(CAE) ? false : `${CAE} is not built`;
const messages = (page) => page.getByRole("list", { name: "Messages" }).getByRole("button");

async function cae(t, arguments_, files = {}) {
  const folder = await mkdtemp(join(tmpdir(), "simulator-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const { status, stdout, stderr } = spawnSync(CAE, arguments_, { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 });
  return { status, stdout, stderr, folder };
}

test("a scenario file that `cae replay` runs with the same result", { skip: withoutCae }, async (t) => {
  const { page, quiet } = await visitStory(browser, t);
  await page.getByRole("button", { name: "Delay it by 5 minutes" }).click();
  await page.getByRole("button", { name: "Walk out of the office" }).click();
  await page.getByRole("button", { name: "Call the API" }).click();
  await messages(page).filter({ hasText: "policy_location" }).waitFor();
  await page.getByRole("slider", { name: "Timeline" }).press("End");
  await messages(page).last().filter({ hasText: "arrives" }).waitFor();
  const { name, text } = await downloaded(page, "Scenario file, for cae replay");
  assert.equal(name, "scenario.json");
  const { status, stdout, stderr } = await cae(t, ["replay", "--json", "scenario.json"], { "scenario.json": text });
  assert.equal(status, 0, stderr + stdout);
  // Every expectation is one that the page put there, and what the command line says is what the page shows.
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.ok(lines.flatMap(({ expectations }) => expectations).length >= 10);
  assert.ok(lines.every(({ expectations }) => expectations.every(({ holds }) => holds)));
  const said = lines.filter(({ kind }) => kind === "request").map(({ evaluation }) => `${evaluation.status}`);
  const shown = (await messages(page).allInnerTexts())
    .map((label) => /\b(200|401|403) /.exec(label)?.[1])
    .filter(Boolean);
  assert.deepEqual(shown, said);
  quiet();
});

test("the timeline and the matrix as pictures", async (t) => {
  const { page, context, quiet } = await visitStory(browser, t);
  const timeline = await downloaded(page, "Picture of the timeline (SVG)");
  await page.getByRole("link", { name: "What if" }).click();
  await page.getByText("16 sign-ins against 6 policies").waitFor();
  const matrix = await downloaded(page, "Picture of the matrix (SVG)");
  const blank = await context.newPage();
  for (const [{ text }, words] of [
    [timeline, ["claims challenge", "Resource server", "00:05:10"]],
    [matrix, ["Adele", "Orders", "192.0.2.77 BR"]],
  ]) {
    // In a page without a content security policy: there the style of a picture counts.
    const faults = await blank.evaluate((text) => {
      const read = new DOMParser().parseFromString(text, "image/svg+xml");
      return [...read.querySelectorAll("parsererror, script, foreignObject, image, a")].map(
        (element) => element.tagName,
      );
    }, text);
    assert.deepEqual(faults, []);
    for (const word of words) assert.ok(text.includes(word), word);
  }
  quiet();
});

test("the report is that of the command line, byte for byte", { skip: withoutCae }, async (t) => {
  const { page, quiet } = await visit(browser, t, { hash: "what-if" });
  await page.getByText("16 sign-ins against 6 policies").waitFor();
  const { name, text } = await downloaded(page, "Report of what changes (HTML)");
  assert.equal(name, "report.html");
  assert.match(text, /<svg[^]*<svg/);
  const what = `${workspace}examples/what-if/`;
  const names = await readFile(new URL("../src/examples/names.json", import.meta.url), "utf8");
  const objects = JSON.stringify(Object.entries(JSON.parse(names)).map(([id, displayName]) => ({ id, displayName })));
  const { folder, status, stderr } = await cae(
    t,
    [
      "what-if",
      "--diff",
      `${what}before.json`,
      `${what}after.json`,
      "--named-locations",
      `${what}named-locations.json`,
      "--sign-ins",
      `${what}sign-ins.jsonl`,
      "--names",
      "names.json",
      "--html",
      "report.html",
    ],
    { "names.json": objects },
  );
  assert.equal(status, 0, stderr);
  const theirs = await readFile(join(folder, "report.html"), "utf8");
  // The command line names files with their folders.
  assert.equal(text, theirs.replaceAll(what, ""));

  // Made-up sign-ins say so in both.
  await page.getByRole("button", { name: "Make them up" }).click();
  await page.getByText(/made up from what the policies name/).waitFor();
  const made = await downloaded(page, "Report of what changes (HTML)");
  const again = await cae(
    t,
    [
      "what-if",
      "--diff",
      `${what}before.json`,
      `${what}after.json`,
      "--named-locations",
      `${what}named-locations.json`,
      "--names",
      "names.json",
      "--html",
      "report.html",
    ],
    { "names.json": objects },
  );
  assert.equal(made.text, (await readFile(join(again.folder, "report.html"), "utf8")).replaceAll(what, ""));
  quiet();
});

test("a link holds everything", async (t) => {
  const { page, context, quiet } = await visitStory(browser, t, { permissions: ["clipboard-read", "clipboard-write"] });
  await page.getByRole("button", { name: "Disable the account" }).click();
  await page.getByRole("slider", { name: "Timeline" }).press("End");
  await page.getByRole("link", { name: "What if" }).click();
  await choose(page, /^Examples/, "Baseline: regulated company");
  await page.getByText(/against 7 policies/).waitFor();
  await page.getByRole("button", { name: "Share" }).click();
  await page.getByText("The link is copied").waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(link, page.url());
  assert.match(link, /#what-if\/[\w-]+$/);
  assert.ok(link.length < 8_000, `${link.length} characters`);
  const other = await context.newPage();
  await other.goto(link);
  await other.getByText(/against 7 policies/).waitFor();
  await other.getByRole("link", { name: "Conversation" }).click();
  await messages(other).filter({ hasText: "the account of adele is disabled" }).waitFor();
  quiet();
});

test("broken and hostile links say so", async (t) => {
  const { page, quiet } = await visit(browser, t, { hash: "conversation/AAAA" });
  await page.getByText("This link cannot be read").waitFor();
  await messages(page).first().waitFor();
  const pack = (value) =>
    page.evaluate(
      async (text) => {
        const bytes = new Uint8Array(
          await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"))).arrayBuffer(),
        );
        return btoa(String.fromCharCode(...bytes))
          .replaceAll("+", "-")
          .replaceAll("/", "_")
          .replaceAll("=", "");
      },
      typeof value === "string" ? value : JSON.stringify(value),
    );
  for (const bad of [
    { v: 2 },
    { v: 1, scenario: 7 },
    { v: 1, contents: { after: { name: "x", policies: "y" }, names: {} } },
    "not json",
    " ".repeat(33 << 20),
  ]) {
    const packed = await pack(bad);
    await page.evaluate((packed) => (location.hash = `#conversation/${packed}`), packed);
    await page.waitForFunction(() => location.hash === "#conversation");
    await page.getByText("This link cannot be read").waitFor();
  }
  // What has the shape but is no scenario is the engine's to refuse.
  const refused = await pack({ v: 1, scenario: '{"title": "<img src=x onerror=alert(1)>", "timeline": []}' });
  await page.evaluate((packed) => (location.hash = `#conversation/${packed}`), refused);
  await page.getByRole("alert").getByText("configuration.missing_member").first().waitFor();
  assert.equal(await page.locator("main img").count(), 0);
  quiet();
});
