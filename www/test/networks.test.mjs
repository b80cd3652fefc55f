// The network view, driven as a person would.

import assert from "node:assert/strict";
import { test } from "node:test";

import { choose, inBrowser, visit } from "./browser.mjs";

const browser = inBrowser();
const space = (page, version) =>
  page.getByRole("group", { name: `Named locations in the IPv${version} address space, not to scale` });

test("an address lights up the ranges and the policies that it hits", async (t) => {
  const { page, quiet } = await visit(browser, t, { hash: "networks" });
  const address = page.getByLabel("Address, or several");
  const hits = page.getByRole("heading", { name: /^Policies that/ }).locator("xpath=..");
  await space(page, 4).locator(".bar.hit").filter({ hasText: "203.0.113.0/24" }).waitFor();
  assert.equal(await space(page, 6).locator(".bar.hit").count(), 0);
  await hits.getByText("Apply from every network").waitFor();

  await address.fill("2001:db8:7::1");
  await space(page, 6).locator(".bar.hit").filter({ hasText: "2001:db8:7::/48" }).waitFor();
  assert.equal(await space(page, 4).locator(".bar.hit").count(), 0);

  await address.fill("192.0.2.1");
  await page.getByRole("status").getByText("Abroad: cannot be told").waitFor();
  assert.equal(await page.locator(".bar.hit").count(), 0);

  await address.fill("203.0.113.9 8.8.8.8 nonsense");
  await page.getByRole("status").getByText("nonsense", { exact: true }).waitFor();
  assert.equal(await page.getByRole("status").locator("p").count(), 3);

  // A baseline with several networks: who is on the guest network is blocked because of it.
  await page.getByRole("link", { name: "What if" }).click();
  await choose(page, /^Examples/, "Baseline: regulated company");
  await page.getByText(/against 7 policies/).waitFor();
  await page.getByRole("link", { name: "Networks" }).click();
  await page.getByLabel("Address, or several").fill("198.51.100.130");
  await space(page, 4).locator(".location.lit").filter({ hasText: "Guest network" }).waitFor();
  const because = hits.getByRole("heading", { name: /^Hit because of this network/ });
  await because.waitFor();
  const names = await because.locator("xpath=following-sibling::ul[1]").innerText();
  assert.match(names, /R-02 Nobody signs in on the guest network/);
  assert.match(names, /R-01 Orders open only from our networks/);
  await page.getByLabel("Address, or several").fill("203.0.113.7");
  await hits
    .getByRole("heading", { name: /^Not hit/ })
    .locator("xpath=following-sibling::ul[1]")
    .getByText("R-02")
    .waitFor();
  quiet();
});

test("what is wrong with locations is said, and a thousand ranges are drawn", async (t) => {
  const { page, quiet } = await visit(browser, t, { hash: "what-if" });
  await page.getByText("16 sign-ins against 6 policies").waitFor();
  const give = (value) =>
    page
      .locator("input[type=file]")
      .first()
      .setInputFiles([
        { name: "locations.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(value)) },
      ]);
  const location = (ranges) => ({
    value: [
      {
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        id: "b5f0c2a1-4d3e-4f2a-8b1c-0d9e8f7a6b5c",
        displayName: "Many",
        isTrusted: true,
        ipRanges: ranges.map((cidrAddress) => ({ cidrAddress })),
      },
    ],
  });
  await give(location(["300.1.2.3/99"]));
  await page.getByText(/against 6 policies/).waitFor();
  await page.getByRole("link", { name: "Networks" }).click();
  await page.getByText("range `300.1.2.3/99` cannot be read; the location may match any address").waitFor();
  await page.getByRole("link", { name: "What if" }).click();
  await give(location(Array.from({ length: 1_000 }, (_, index) => `10.${index >> 8}.${index & 255}.0/25`)));
  await page.getByRole("link", { name: "Networks" }).click();
  await page.getByLabel("Address, or several").fill("10.1.2.3");
  await space(page, 4).locator(".bar.hit").filter({ hasText: "10.1.2.0/25" }).waitFor();
  assert.equal(await space(page, 4).locator(".bar").count(), 1_000);
  quiet();
});
