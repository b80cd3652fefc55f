// What holds for the whole page: no request, no network needed, no barrier, small and quick.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";

import { parse } from "svelte/compiler";

import { folder, inBrowser, visit, visitStory, workspace } from "./browser.mjs";

const browser = inBrowser();
const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = {
  conversation: (page) => page.getByRole("listitem").filter({ hasText: "200 served" }).first(),
  "what-if": (page) => page.getByText("16 sign-ins against 6 policies"),
  networks: (page) => page.locator(".bar.hit").first(),
  editor: (page) => page.getByText("The engine finds no fault."),
};

async function axe(page, where) {
  // Injected by the driver, past the content security policy of the page, as a browser extension would be.
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] },
    }),
  );
  assert.ok(passes.length > 10, where);
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`),
    [],
  );
}

for (const colorScheme of ["light", "dark"]) {
  test(`no barrier in any view, ${colorScheme}`, async (t) => {
    const { page, quiet } = await visit(browser, t, { colorScheme });
    for (const [view, there] of Object.entries(VIEWS)) {
      await page
        .getByRole("link", {
          name: { conversation: "Conversation", "what-if": "What if", networks: "Networks", editor: "Editor" }[view],
        })
        .click();
      await there(page).waitFor();
      await axe(page, `${view}, ${colorScheme}`);
    }
    // What is not there at first.
    await page.getByRole("textbox", { name: "JSON" }).click();
    await page.locator(".cm-content").waitFor();
    await axe(page, "code editor");
    await page.getByRole("tab", { name: "Scenario" }).click();
    await VIEWS.editor(page).waitFor();
    await axe(page, "scenario form");
    await page.getByRole("link", { name: "What if" }).click();
    await page
      .getByRole("button", { name: /^Robot, Orders/ })
      .first()
      .click();
    await page.getByRole("dialog").getByText("Applied").first().waitFor();
    await axe(page, "explanation");
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Conversation" }).click();
    await page.getByRole("list", { name: "Messages" }).getByRole("button").filter({ hasText: "401" }).click();
    await page.getByRole("dialog").getByRole("tab", { name: "Header" }).click();
    await axe(page, "details");
    quiet();
  });
}

test("a small screen and a large one: nothing sticks out, and everything can be done", async (t) => {
  for (const [width, height] of [
    [360, 740],
    [2_560, 1_300],
  ]) {
    const { page, quiet } = await visit(browser, t, { viewport: { width, height }, hasTouch: width < 500 });
    for (const [view, there] of Object.entries(VIEWS)) {
      await page.evaluate((view) => (location.hash = view), view);
      await there(page).waitFor();
      assert.ok(
        (await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0,
        `${view} at ${width}`,
      );
      // WCAG 2.2, 2.5.8: what is pressed is 24 pixels large at least.
      const small = await page.evaluate(() =>
        [...document.querySelectorAll("button, select, a[href], [role=slider], [role=tab]")]
          .filter((element) => element.checkVisibility())
          .map((element) => [element.getBoundingClientRect(), element.textContent.trim()])
          .filter(([{ width, height, bottom }]) => bottom > 0 && (width < 24 || height < 24))
          .map(([, name]) => name),
      );
      assert.deepEqual(small, [], `${view} at ${width}`);
    }
    if (width < 500) {
      await page.evaluate(() => (location.hash = "conversation"));
      await page.getByRole("button", { name: "Revoke all sessions" }).tap();
      await page.getByRole("button", { name: "Call the API" }).tap();
      await page
        .getByRole("list", { name: "Messages" })
        .getByRole("button")
        .filter({ hasText: "session_revoked" })
        .nth(1)
        .waitFor();
      await page.getByRole("list", { name: "Messages" }).getByRole("button").last().tap();
      const box = await page.getByRole("dialog").boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= width);
    }
    quiet();
  }
});

test("colours as somebody chose them, and again on the next visit", async (t) => {
  const { page, quiet } = await visitStory(browser, t);
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.getByLabel("Colours").selectOption("Dark");
  const dark = await background();
  assert.notEqual(dark, light);
  await page.reload();
  await page.getByRole("listitem").filter({ hasText: "200 served" }).first().waitFor();
  assert.equal(await background(), dark);
  await page.getByLabel("Colours").selectOption("As the system");
  assert.equal(await background(), light);
  quiet();
});

test("no request once the page is idle, and every view works with the network cut", async (t) => {
  const { page, context, quiet, complaints } = await visitStory(browser, t, { keepWorkers: true });
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(async () => {
    const [name] = (await caches.keys()).filter((name) => name.startsWith("simulator-"));
    return name !== undefined && (await (await caches.open(name)).keys()).length > 30;
  });
  // A visit later, when the service worker is in charge from the beginning.
  await page.reload();
  await VIEWS.conversation(page).waitFor();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const requests = [];
  const fromNetwork = (request) => requests.push(request.url());
  await context.setOffline(true);
  context.on("request", (request) => {
    if (request.serviceWorker() !== null) fromNetwork(request);
  });
  for (const [view, there] of Object.entries(VIEWS)) {
    await page.evaluate((view) => (location.hash = view), view);
    await there(page).waitFor();
  }
  await page.getByRole("textbox", { name: "JSON" }).click();
  await page.locator(".cm-content").waitFor();
  assert.deepEqual(requests, []);
  await page.reload();
  await VIEWS.editor(page).waitFor();
  await context.setOffline(false);
  // Everything is loaded: whatever is done now, nothing is asked of anybody.
  const asked = [];
  context.on("request", (request) => asked.push(request.url()));
  await page.evaluate(() => (location.hash = "conversation"));
  await VIEWS.conversation(page).waitFor();
  await page.getByRole("button", { name: "Disable the account" }).click();
  await page
    .getByRole("list", { name: "Messages" })
    .getByRole("button")
    .filter({ hasText: "account changes" })
    .nth(1)
    .waitFor();
  await page.evaluate(() => (location.hash = "what-if"));
  await VIEWS["what-if"](page).waitFor();
  await page.waitForTimeout(1_000);
  const files = new Set(
    await page.evaluate(async () => {
      const [name] = (await caches.keys()).filter((name) => name.startsWith("simulator-"));
      return (await (await caches.open(name)).keys()).map(({ url }) => url);
    }),
  );
  assert.deepEqual(
    asked.filter((url) => !files.has(url) && !url.startsWith("blob:")),
    [],
  );
  // The browser says of a page without a network that it could not be fetched; the page went on regardless.
  const offline = complaints.filter((complaint) => complaint.includes("ERR_INTERNET_DISCONNECTED"));
  complaints.splice(0, complaints.length, ...complaints.filter((complaint) => !offline.includes(complaint)));
  quiet();
});

test("a page that asks anybody else is found out", async (t) => {
  // The proof above is able to fail: the browser refuses, and the test sees it.
  const { page, complaints } = await visitStory(browser, t);
  await page.evaluate(() => fetch("https://elsewhere.example/").catch(() => undefined));
  assert.ok(
    complaints.some((complaint) => complaint.includes("Content Security Policy") || complaint.includes("elsewhere")),
    complaints.join(),
  );
  // Text does not become code. (What the driver itself evaluates is exempt, so a timer does it.)
  await page.evaluate(() => void setTimeout("globalThis.evaluated = true", 0));
  await page.waitForTimeout(200);
  assert.equal(await page.evaluate(() => globalThis.evaluated), undefined);
});

test("the first load is small", async () => {
  const site = `${workspace}target/cae/www/`;
  const page = await readFile(`${site}index.html`, "utf8");
  const first = [...page.matchAll(/(?:src|href)="\.?\/?(assets\/[^"]+)"/g)].map(([, name]) => name);
  assert.ok(first.length >= 2, page);
  let size = gzipSync(page).length;
  for (const name of first) size += gzipSync(await readFile(site + name)).length;
  assert.ok(size < 400 << 10, `${size} bytes`);
  // What is loaded later does not slip into the first load.
  assert.ok(size < 150 << 10, `${size} bytes`);
});

test("every word stands in one file", async () => {
  const files = (await readdir(`${folder}src`, { recursive: true })).filter((name) => name.endsWith(".svelte"));
  assert.ok(files.length > 15);
  const spoken = new Set(["aria-label", "title", "placeholder", "alt", "label", "description"]);
  const found = [];
  for (const name of files) {
    const source = await readFile(`${folder}src/${name}`, "utf8");
    const walk = (node) => {
      if (node === null || typeof node !== "object") return;
      if (node.type === "Text" && /\p{L}{2}/u.test(node.data)) found.push(`${name}: ${node.data.trim()}`);
      if (node.type === "Attribute") {
        if (spoken.has(node.name) && Array.isArray(node.value))
          node.value.filter(({ type }) => type === "Text").forEach(walk);
        else if (node.value !== true)
          [node.value]
            .flat()
            .filter((part) => part.type === "ExpressionTag")
            .forEach(walk);
        return;
      }
      for (const [key, value] of Object.entries(node))
        if (!["css", "instance", "module", "metadata"].includes(key))
          (Array.isArray(value) ? value : [value]).forEach(walk);
    };
    walk(parse(source, { modern: true }).fragment);
  }
  assert.deepEqual(found, []);
});
