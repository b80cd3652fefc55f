// What every view looks like, in both themes and on a small screen: compared with pictures that somebody has looked at.
// `CAE_UPDATE_SCREENSHOTS=1` writes them anew.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";

import pixelmatch from "pixelmatch";
import { PNG } from "pngjs";

import { folder, inBrowser, visit } from "./browser.mjs";

const browser = inBrowser();
const UPDATE = process.env.CAE_UPDATE_SCREENSHOTS === "1";
const PICTURES = `${folder}test/screenshots/`;
/** Share of pixels that may differ: edges of letters do between machines. */
const TOLERANCE = 0.01;

const VIEWS = {
  conversation: (page) => page.locator("[data-story=short] td").first(),
  "what-if": (page) => page.getByText("16 sign-ins against 6 policies"),
  networks: (page) => page.locator(".bar.hit").first(),
  editor: (page) => page.getByText("The engine finds no fault."),
};

/** Half as large: less to keep, and a hair's breadth is no difference. */
function halved(png) {
  const half = new PNG({ width: png.width >> 1, height: png.height >> 1 });
  for (let y = 0; y < half.height; y += 1) {
    for (let x = 0; x < half.width; x += 1) {
      for (let channel = 0; channel < 4; channel += 1) {
        const at = (dx, dy) => png.data[((2 * y + dy) * png.width + 2 * x + dx) * 4 + channel];
        half.data[(y * half.width + x) * 4 + channel] = (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1)) >> 2;
      }
    }
  }
  return half;
}

async function picture(page, view) {
  await page.evaluate((view) => (location.hash = view), view);
  await VIEWS[view](page).waitFor();
  // One font everywhere; every Debian with a browser has it.
  await page.evaluate(() => {
    document.body.style.fontFamily = '"DejaVu Sans"';
    document.documentElement.style.setProperty("--mono", '"DejaVu Sans Mono"');
    document.activeElement?.blur();
    scrollTo(0, 0);
  });
  await page.waitForTimeout(150);
  // How long the engine took is another number each time.
  const screenshot = await page.screenshot({
    animations: "disabled",
    caret: "hide",
    mask: [page.getByText(/sign-ins against/)],
  });
  return halved(PNG.sync.read(screenshot));
}

function difference(one, other) {
  if (one.width !== other.width || one.height !== other.height) return 1;
  return (
    pixelmatch(one.data, other.data, undefined, one.width, one.height, { threshold: 0.15 }) / (one.width * one.height)
  );
}

const known = async (name) => PNG.sync.read(await readFile(`${PICTURES}${name}.png`));

for (const [size, colorScheme] of [
  ["large", "light"],
  ["large", "dark"],
  ["small", "light"],
  ["small", "dark"],
]) {
  test(`every view, ${size}, ${colorScheme}`, async (t) => {
    const viewport = size === "large" ? { width: 1_280, height: 1_000 } : { width: 360, height: 800 };
    const { page, quiet } = await visit(browser, t, { viewport, colorScheme });
    const different = [];
    for (const view of Object.keys(VIEWS)) {
      const name = `${view}-${size}-${colorScheme}`;
      const now = await picture(page, view);
      if (UPDATE) {
        await mkdir(PICTURES, { recursive: true });
        await writeFile(`${PICTURES}${name}.png`, PNG.sync.write(now));
        continue;
      }
      const differs = difference(now, await known(name));
      t.diagnostic(`${name}: ${(100 * differs).toFixed(2)} %`);
      if (differs > TOLERANCE) {
        different.push(`${name}: ${(100 * differs).toFixed(1)} % of the pixels`);
        await mkdir(`${folder}../target/cae/screenshots`, { recursive: true });
        await writeFile(`${folder}../target/cae/screenshots/${name}.png`, PNG.sync.write(now));
      }
    }
    assert.deepEqual(different, [], "what was seen is in target/cae/screenshots");
    quiet();
  });
}

test("a picture that differs is noticed", { skip: UPDATE }, async (t) => {
  const { page } = await visit(browser, t, { viewport: { width: 1_280, height: 1_000 } });
  for (const [what, change] of [
    ["a card that is gone", () => (document.querySelector(".card").style.visibility = "hidden")],
    ["another colour", () => document.documentElement.style.setProperty("--page", "#fde68a")],
    ["everything a little lower", () => (document.querySelector("main").style.paddingTop = "80px")],
    ["the other theme", () => (document.documentElement.dataset.theme = "dark")],
  ]) {
    await page.evaluate(() => location.reload());
    await page.waitForTimeout(300);
    await picture(page, "what-if");
    await page.evaluate(change);
    const differs = difference(await picture(page, "what-if"), await known("what-if-large-light"));
    t.diagnostic(`${what}: ${(100 * differs).toFixed(1)} %`);
    assert.ok(differs > TOLERANCE, `${what}: ${differs}`);
  }
});
