// What the tests have in common: the built page, served as it would be, in a real Chromium.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";
import { preview } from "vite";

export const folder = fileURLToPath(new URL("..", import.meta.url));
export const workspace = fileURLToPath(new URL("../..", import.meta.url));
export const EXECUTABLE = process.env.CAE_CHROMIUM ?? "/usr/bin/chromium";
/** The command line, where it is built. */
export const CAE = process.env.CAE_BINARY ?? `${workspace}target/debug/cae`;
/** Large enough for a slow machine that does other things as well. */
const PATIENCE = 20_000;

/** Serves the page and starts the browser for the tests of one file. */
export function inBrowser() {
  const context = { browser: undefined, server: undefined, address: "" };
  before(async () => {
    context.server = await preview({ root: folder, logLevel: "silent", preview: { port: 0, host: "127.0.0.1" } });
    context.address = context.server.resolvedUrls.local[0];
    context.browser = await chromium.launch({
      executablePath: EXECUTABLE,
      args: ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb", "--font-render-hinting=none"],
    });
  });
  after(async () => {
    await context.browser?.close();
    await new Promise((done) => context.server?.httpServer.close(done));
  });
  return context;
}

/**
 * Opens the page in a browser that knows nothing of earlier ones, and fails the test if the page complains: errors,
 * warnings of the content security policy, or a request to anybody else.
 */
export async function visit({ browser, address }, t, { hash = "", keepWorkers = false, ...options } = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    colorScheme: "light",
    reducedMotion: "reduce",
    acceptDownloads: true,
    locale: "en-GB",
    serviceWorkers: keepWorkers ? "allow" : "block",
    ...options,
  });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    // Where a test wants no service worker, the test driver is what says so.
    if (["error", "warning"].includes(message.type()) && !message.text().includes("blocked by Playwright"))
      complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (!["blob:", "data:"].includes(protocol) && origin !== new URL(address).origin)
      complaints.push(`request to ${origin}`);
  });
  t.after(() => context.close());
  await page.goto(address + (hash === "" ? "" : `#${hash}`));
  return { page, context, complaints, quiet: () => assert.deepEqual(complaints, []) };
}

/** The page with its first story told. */
export async function visitStory(browser, t, options) {
  const visited = await visit(browser, t, options);
  await visited.page.getByRole("listitem").filter({ hasText: "200 served" }).first().waitFor();
  return visited;
}

/** Chooses an option of a list of ours. */
export async function choose(page, label, option) {
  await page
    .getByRole("button", { name: label })
    .or(page.getByRole("combobox", { name: label }))
    .first()
    .click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

/** What a button gives to download, as text. */
export async function downloaded(page, item) {
  await page.getByRole("button", { name: "Export" }).click();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: item }).click()]);
  const chunks = [];
  for await (const chunk of await file.createReadStream()) chunks.push(chunk);
  return { name: file.suggestedFilename(), text: Buffer.concat(chunks).toString("utf8") };
}
