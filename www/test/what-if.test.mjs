// The what-if view, driven as a person would.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { choose, inBrowser, visit, workspace } from "./browser.mjs";

const browser = inBrowser();
const example = (name) => readFile(`${workspace}examples/what-if/${name}`, "utf8");
const file = (name, text) => ({ name, mimeType: "application/json", buffer: Buffer.from(text) });
const give = (page, files) => page.locator("input[type=file]").first().setInputFiles(files);
const matrix = (page) => page.getByRole("region", { name: "Matrix of people by applications and networks" });

async function visitExample(t, options) {
  const visited = await visit(browser, t, { hash: "what-if", ...options });
  await visited.page.getByText("16 sign-ins against 6 policies").waitFor();
  return visited;
}

test("a cell says which policies applied, which were ruled out and what was unknown", async (t) => {
  const { page, quiet } = await visitExample(t);
  await matrix(page).getByRole("button", { name: "Robot, Orders, 203.0.113.7 DE: blocked, before: granted" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Policies: after.json").waitFor();
  await dialog.getByText("Compared with: before.json").waitFor();
  const applied = dialog.getByRole("listitem").filter({ hasText: "Nobody uses legacy authentication" });
  assert.match(await applied.nth(0).innerText(), /not satisfied/);
  assert.match(await applied.nth(1).innerText(), /by users/);
  await page.keyboard.press("Escape");
  await matrix(page)
    .getByRole("button", { name: /^not said, Orders/ })
    .click();
  await dialog.getByText("Cannot be told").first().waitFor();
  await dialog
    .getByText(/not told: .*users/)
    .first()
    .waitFor();
  quiet();
});

test("filters leave what was asked for", async (t) => {
  const { page, quiet } = await visitExample(t);
  const rows = () => matrix(page).locator("tbody th").allInnerTexts();
  assert.equal((await rows()).length, 7);
  await page.getByRole("button", { name: "Blocked 3", exact: true }).click();
  assert.deepEqual(await rows(), ["Adele", "Robot"]);
  await page.getByRole("button", { name: "Blocked 3", exact: true }).click();
  await page.getByRole("searchbox").fill("birg");
  assert.deepEqual(await rows(), ["Birgit"]);
  await page.getByRole("button", { name: "Clear filters" }).click();
  await choose(page, /^Application/, "Ledger");
  assert.deepEqual(await rows(), ["Birgit"]);
  await page.getByRole("button", { name: "Clear filters" }).click();
  await choose(page, /^Network/, "192.0.2.77 BR");
  assert.deepEqual(await rows(), ["Adele", "Break glass"]);
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.getByRole("button", { name: "Newly blocked 3" }).click();
  assert.deepEqual(await rows(), ["Adele", "Robot"]);
  await page.getByRole("searchbox").fill("nobody at all");
  await page.getByText("No sign-in is left").waitFor();
  quiet();
});

test("files are told apart by what is in them, and two sets are compared", async (t) => {
  const { page, quiet } = await visitExample(t);
  await choose(page, /^Examples/, "Baseline: zero trust");
  await page.getByText(/against 9 policies/).waitFor();
  await page.getByText(/made up from what the policies name/).waitFor();
  await give(page, [
    file("one.json", await example("before.json")),
    file("two.json", await example("named-locations.json")),
    file("three.txt", await example("sign-ins.jsonl")),
  ]);
  await page.getByText("Found: policies, named locations, sign-ins.").waitFor();
  await page.getByText("16 sign-ins against 6 policies").waitFor();
  assert.equal(await page.getByRole("heading", { name: "Whose access changes" }).count(), 0);
  await page.getByRole("radio", { name: "Compared with" }).check();
  await give(page, [file("after.json", await example("after.json"))]);
  await page.getByText("13 of 16 sign-ins change.").waitFor();
  await page.getByRole("button", { name: "Swap" }).click();
  await page.getByText("13 of 16 sign-ins change.").waitFor();
  await page.getByRole("button", { name: "Compare with nothing" }).click();
  await page.getByRole("heading", { name: "Whose access changes" }).waitFor({ state: "detached" });
  // An engine configuration brings the policies of its issuers.
  await page.getByRole("radio", { name: "Policies" }).check();
  await give(page, [file("ENGINE.json", await readFile(`${workspace}examples/ENGINE.json`, "utf8"))]);
  await page.getByText(/against 2 policies/).waitFor();
  // A scenario is told in the conversation.
  await give(page, [file("scenario.json", await readFile(`${workspace}tests/scenarios/keycloak.json`, "utf8"))]);
  await page.getByText(/a scenario, now told in the conversation/).waitFor();
  await page.getByRole("link", { name: "Conversation" }).click();
  await page.getByRole("heading", { name: "Keycloak", exact: false }).first().waitFor();
  quiet();
});

test("a folder is dropped", async (t) => {
  const { page, quiet } = await visitExample(t);
  const policies = await example("before.json");
  const dropped = await page.evaluateHandle(
    ({ policies }) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([policies], "dropped.json", { type: "application/json" }));
      return transfer;
    },
    { policies },
  );
  const zone = page.getByRole("group", { name: "Drop files or a folder here" });
  await zone.dispatchEvent("dragover", { dataTransfer: dropped });
  await zone.dispatchEvent("drop", { dataTransfer: dropped });
  await page.getByText("Found: policies.").waitFor();
  await page.getByText("dropped.json").waitFor();
  await page.locator("input[webkitdirectory]").setInputFiles(`${workspace}examples/policies`);
  await page.getByText(/against 2 policies/).waitFor();
  quiet();
});

test("200 policies and 2,000 sign-ins in under a second, and the page is never blocked", async (t) => {
  const { page, quiet } = await visitExample(t);
  const id = (number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  const policies = Array.from({ length: 200 }, (_, index) => ({
    id: id(index),
    displayName: `Policy ${index}`,
    state: "enabled",
    conditions: {
      clientAppTypes: ["all"],
      users: index % 3 === 0 ? { includeUsers: ["All"] } : { includeGroups: [id(5_000 + (index % 40))] },
      applications: { includeApplications: index % 4 === 0 ? ["All"] : [id(7_000 + (index % 20))] },
      ...(index % 5 === 0 ? { locations: { includeLocations: ["All"], excludeLocations: ["AllTrusted"] } } : {}),
      ...(index % 7 === 0 ? { signInRiskLevels: ["high"] } : {}),
    },
    grantControls: { operator: "OR", builtInControls: [index % 50 === 49 ? "block" : "mfa"] },
  }));
  const lines = Array.from({ length: 2_000 }, (_, index) =>
    JSON.stringify({
      id: `sign-in ${index}`,
      signInIdentity: { "@odata.type": "#microsoft.graph.userSignIn", userId: id(10_000 + (index % 400)) },
      signInContext: {
        "@odata.type": "#microsoft.graph.applicationContext",
        includeApplications: [id(7_000 + (index % 20))],
      },
      signInConditions: {
        ipAddress: `203.0.113.${index % 250}`,
        clientAppType: "browser",
        signInRiskLevel: index % 11 === 0 ? "high" : "none",
      },
      memberOf: [id(5_000 + (index % 40))],
      roles: [],
      userType: "member",
      satisfied: index % 2 === 0 ? ["mfa"] : [],
    }),
  );
  await page.evaluate(() => {
    globalThis.longest = 0;
    let last = performance.now();
    const tick = () => {
      const now = performance.now();
      globalThis.longest = Math.max(globalThis.longest, now - last);
      last = now;
      globalThis.ticking = setTimeout(tick, 0);
    };
    tick();
    new PerformanceObserver((list) =>
      list.getEntries().forEach((entry) => (globalThis.longest = Math.max(globalThis.longest, entry.duration))),
    ).observe({ entryTypes: ["longtask"] });
  });
  await page.getByRole("button", { name: "Compare with nothing" }).click();
  await give(page, [file("policies.json", JSON.stringify(policies)), file("sign-ins.jsonl", lines.join("\n"))]);
  const said = await page.getByText(/2,000 sign-ins against 200 policies in/).innerText();
  const milliseconds = Number(/in ([\d,]+) ms/.exec(said)[1].replace(",", ""));
  t.diagnostic(`${milliseconds} ms`);
  assert.ok(milliseconds < 1_000, said);
  const longest = await page.evaluate(() => globalThis.longest);
  t.diagnostic(`longest pause of the page ${Math.round(longest)} ms`);
  assert.ok(longest < 500, `the page stood still for ${longest} ms`);
  await page.getByRole("button", { name: /Show more people/ }).click();
  quiet();
});

test("the matrix by keyboard", async (t) => {
  const { page, quiet } = await visitExample(t);
  const first = matrix(page).locator("button[tabindex='0']");
  assert.equal(await first.count(), 1);
  await first.focus();
  await page.keyboard.press("ArrowDown");
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label"));
  const below = await focused();
  assert.match(below, /192\.0\.2\.20|203/);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  const there = await focused();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.waitForFunction((there) => document.activeElement.getAttribute("aria-label") === there, there);
  assert.equal(await matrix(page).locator("button[tabindex='0']").count(), 1);
  quiet();
});

test("bad files are named, and what they hold stays text", async (t) => {
  const { page, quiet } = await visitExample(t);
  const noise = Buffer.alloc(10 << 20);
  for (let at = 0; at < noise.length; at += 1) noise[at] = (at * 2_654_435_761) >>> 24;
  await give(page, [{ name: "noise.json", mimeType: "application/json", buffer: noise }]);
  await page.getByText("noise.json is not text").waitFor();
  const large = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(25 << 20)], "large.json"));
    return transfer;
  });
  await page.getByRole("group", { name: "Drop files or a folder here" }).dispatchEvent("drop", { dataTransfer: large });
  await page.getByText("large.json is larger than 24 MB and was not read").waitFor();
  await give(page, [
    file("cut.json", '{"value": [{"conditions":'),
    file("shape.json", '{"a": [1, 2]}'),
    file("null.json", "null"),
    file("number.json", "7"),
    file("empty.json", ""),
  ]);
  await page.getByText(/cut\.json is not JSON/).waitFor();
  for (const name of ["shape", "null", "number"])
    await page.getByText(`${name}.json holds nothing that is known here`, { exact: false }).waitFor();
  await page.getByText(/empty\.json is not JSON/).waitFor();
  // What was there is still there.
  await page.getByText("16 sign-ins against 6 policies").waitFor();
  // Wrong shapes within a policy are the engine's to name, with its codes and pointers.
  await give(page, [
    file("wrong.json", JSON.stringify({ value: [{ id: 7, displayName: ["x"], state: {}, conditions: "all" }] })),
  ]);
  await page
    .getByRole("alert")
    .or(page.getByText(/against 1 policy/))
    .first()
    .waitFor();
  const hostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>\u202E\u0007'"&`;
  await give(page, [
    file(
      `${"<b>"}.json`,
      JSON.stringify({
        value: [
          {
            id: hostile,
            displayName: hostile,
            state: "enabled",
            conditions: {
              clientAppTypes: ["all"],
              users: { includeUsers: [hostile] },
              applications: { includeApplications: [hostile] },
            },
            grantControls: { operator: "OR", builtInControls: ["mfa"] },
          },
        ],
      }),
    ),
  ]);
  await page.getByText(/sign-ins against 1 policy/).waitFor();
  await matrix(page).getByRole("button").first().click();
  await page.getByRole("dialog").getByText("onerror", { exact: false }).first().waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("main img, main script, [role=dialog] img").count(), 0);
  assert.match(await page.title(), /Policy simulator/);
  const deep = `${"[".repeat(5_000)}${"]".repeat(5_000)}`;
  await give(page, [file("deep.json", `{"value": [{"conditions": ${deep}}]}`)]);
  await page.getByRole("alert").waitFor();
  quiet();
});
