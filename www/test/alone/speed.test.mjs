// How quickly the page is there: Lighthouse on every view, and a slow processor.
//
// How fast it is depends on what else the machine does, so that a test only says it; `npm run speed` insists.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";

import lighthouse from "lighthouse";
import { chromium } from "playwright-core";
import { preview } from "vite";

import { EXECUTABLE, folder, inBrowser } from "../browser.mjs";

const INSISTS = process.env.CAE_INSIST_ON_SPEED === "1";
const LEAST = { performance: INSISTS ? 95 : 0, accessibility: 95, "best-practices": 95 };
/** The best of so many counts. */
const ATTEMPTS = 5;
const CATEGORIES = Object.keys(LEAST);

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const seen = inBrowser();
let server;
let browser;
let port;
before(async () => {
  port = await freePort();
  server = await preview({ root: folder, logLevel: "silent", preview: { port: 0, host: "127.0.0.1" } });
  browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: ["--no-sandbox", "--disable-gpu", `--remote-debugging-port=${port}`],
  });
});
after(async () => {
  await browser?.close();
  await new Promise((done) => server?.httpServer.close(done));
});

for (const view of ["conversation", "what-if", "networks", "editor"]) {
  test(`Lighthouse, ${view}`, async (t) => {
    const best = Object.fromEntries(CATEGORIES.map((name) => [name, 0]));
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const { lhr } = await lighthouse(`${server.resolvedUrls.local[0]}#${view}`, {
        port,
        output: "json",
        logLevel: "silent",
        onlyCategories: CATEGORIES,
      });
      for (const name of CATEGORIES)
        best[name] = Math.max(best[name], Math.round(100 * (lhr.categories[name].score ?? 0)));
      const failing = Object.values(lhr.audits)
        .filter(({ score, scoreDisplayMode }) => scoreDisplayMode === "binary" && score === 0)
        .map(({ id }) => id);
      t.diagnostic(`${JSON.stringify(best)} ${failing.join(", ")}`);
      if (CATEGORIES.every((name) => best[name] >= LEAST[name])) break;
    }
    for (const name of CATEGORIES) assert.ok(best[name] >= LEAST[name], `${name}: ${best[name]}`);
  });
}

test("interactive within 1.5 seconds on a processor that is four times slower", async (t) => {
  let best = Infinity;
  for (let attempt = 0; attempt < ATTEMPTS && best > 1_500; attempt += 1) {
    const context = await seen.browser.newContext({ viewport: { width: 1_280, height: 900 }, serviceWorkers: "block" });
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    await page.addInitScript(() => {
      // Something can be pressed, and the page has a moment to answer.
      const look = () => {
        const button = [...document.querySelectorAll("button")].find(
          (button) => !button.disabled && button.textContent.includes("Share"),
        );
        if (button === undefined) requestAnimationFrame(look);
        else setTimeout(() => (globalThis.interactive = performance.now()), 0);
      };
      look();
    });
    await page.goto(seen.address);
    await page.waitForFunction(() => globalThis.interactive !== undefined);
    best = Math.min(best, await page.evaluate(() => globalThis.interactive));
    await context.close();
  }
  t.diagnostic(`${Math.round(best)} ms`);
  if (INSISTS) assert.ok(best <= 1_500, `${best} ms`);
});
