// The editor, driven as a person would.

import assert from "node:assert/strict";
import { test } from "node:test";

import { choose, inBrowser, visit } from "./browser.mjs";

const browser = inBrowser();
const code = (page) => page.locator(".code").getByRole("textbox", { name: "JSON" });
const form = (page) => page.getByRole("heading", { name: "Form", exact: true }).locator("xpath=..");

async function visitEditor(t, options) {
  const visited = await visit(browser, t, { hash: "editor", ...options });
  await visited.page.getByText("The engine finds no fault.").waitFor();
  return visited;
}

/** Clicks into the text, so that the code editor takes the place of the plain field. */
async function begin(page) {
  await code(page).click();
  await page.locator(".cm-content").waitFor();
}

async function replace(page, text) {
  await begin(page);
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(text);
}

test("faults are those of the engine, at their place", async (t) => {
  const { page, quiet } = await visitEditor(t);
  await replace(
    page,
    '{"value": [{"id": "p", "displayName": "P", "state": "on", "conditions": {"users": {"includeUsers": ["All"]}}, "grantControls": "mfa"}]}',
  );
  const alert = page.getByRole("alert").or(page.getByText("The engine finds no fault."));
  await alert.first().waitFor();
  await replace(page, '{"value": [');
  await page.getByRole("alert").getByText("policy.malformed").waitFor();
  await page.locator(".cm-lintRange-error").first().waitFor();
  await page.getByText("The text is not JSON at the moment").waitFor();

  await page.getByRole("tab", { name: "ENGINE.json" }).click();
  await page.getByText("The engine finds no fault.").waitFor();
  await replace(
    page,
    '{"issuers": [{"issuer": "https://a.example", "claims": "rfc9068", "algorithms": ["none"], "challenge": "oauth", "jwks": {"keys": []}}], "settngs": {}}',
  );
  const fault = page.getByRole("alert").getByRole("listitem").filter({ hasText: "/settngs" });
  await fault.getByText("configuration.unknown_member").waitFor();
  await page.getByRole("alert").getByText("/issuers/0/algorithms/0").first().waitFor();
  await fault.getByRole("button").click();
  assert.match(
    await page.evaluate(() => document.querySelector(".host").shadowRoot.getSelection?.().toString() ?? ""),
    /settngs|^$/,
  );

  await page.getByRole("tab", { name: "Scenario" }).click();
  await page.getByText("The engine finds no fault.").waitFor();
  await replace(page, '{"title": "t", "timeline": [{"step": "jump"}]}');
  await page.getByRole("alert").getByText("/timeline/0/step").waitFor();
  quiet();
});

test("the schema completes members and values", async (t) => {
  const { page, quiet } = await visitEditor(t);
  await page.getByRole("tab", { name: "ENGINE.json" }).click();
  await replace(page, '{"settings": {}}');
  for (let presses = 0; presses < 2; presses += 1) await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Control+Space");
  await page.getByRole("option", { name: '"locationEnforcement"' }).waitFor();
  await page.keyboard.type('"prof');
  await page.getByRole("option", { name: '"profile"' }).waitFor();
  await page.waitForTimeout(150);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+Space");
  await page.getByRole("option", { name: '"entra-2020"' }).waitFor();
  await page.waitForTimeout(150);
  await page.keyboard.press("Enter");
  assert.match(await page.locator(".cm-content").innerText(), /\{"settings": \{"profile": "(full|entra|entra-2020)"/);
  // Only what the kind of step allows.
  await page.getByRole("tab", { name: "Scenario" }).click();
  await replace(page, '{"timeline": [{"step": "networkChange", }]}');
  for (let presses = 0; presses < 3; presses += 1) await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Control+Space");
  await page.getByRole("option", { name: '"network"' }).waitFor();
  assert.equal(await page.getByRole("option", { name: '"transmitter"' }).count(), 0);
  quiet();
});

test("forms and text show the same, and all of it can be undone", async (t) => {
  const { page, quiet } = await visitEditor(t);
  const text = () =>
    page.evaluate(
      () =>
        document.querySelector(".code textarea")?.value ??
        document.querySelector(".host").shadowRoot.querySelector(".cm-content").cmTile?.view?.state.doc.toString() ??
        document.querySelector(".host").shadowRoot.querySelector(".cm-content").innerText,
    );
  await form(page).getByLabel("Name", { exact: true }).fill("Renamed");
  await form(page).getByLabel("Name", { exact: true }).blur();
  await form(page).getByRole("button", { name: "Renamed" }).waitFor();
  assert.match(await text(), /"displayName": "Renamed"/);
  await choose(form(page).page(), /^State/, "off");
  assert.match(await text(), /"state": "disabled"/);
  await form(page).getByRole("checkbox", { name: "compliant device" }).check();
  await form(page).getByRole("checkbox", { name: "Head office" }).first().check();
  await form(page)
    .getByLabel(/^Groups/)
    .fill("6f0c0001-2b1d-4c8e-9a37-5d4e3f2a1b0c");
  await form(page)
    .getByLabel(/^Groups/)
    .blur();
  const changed = await text();
  for (const part of ['"compliantDevice"', '"b5f0c2a1-4d3e-4f2a-8b1c-0d9e8f7a6b5c"', '"includeGroups"'])
    assert.ok(changed.includes(part), part);
  await page.getByText("The engine finds no fault.").waitFor();
  for (let steps = 0; steps < 5; steps += 1) await page.getByRole("button", { name: "Undo" }).click();
  assert.match(await text(), /"displayName": "Everybody needs a second factor"/);
  assert.ok(await page.getByRole("button", { name: "Undo" }).isDisabled());
  await page.getByRole("button", { name: "Redo" }).click();
  assert.match(await text(), /"displayName": "Renamed"/);
  await page.keyboard.press("Control+Z");
  assert.match(await text(), /"displayName": "Everybody needs a second factor"/);
  // By keyboard within the code editor too.
  await begin(page);
  await page.keyboard.press("Control+End");
  await page.keyboard.type(" ");
  await page.keyboard.press("Control+Z");
  await page.getByText("The engine finds no fault.").waitFor();

  await form(page).getByRole("button", { name: "Policy", exact: true }).click();
  await form(page).getByLabel("Name", { exact: true }).fill("A new one");
  await form(page).getByLabel("Name", { exact: true }).blur();
  await form(page).getByRole("button", { name: "Move up" }).click();
  await form(page).getByRole("button", { name: "A new one" }).waitFor();
  // What is without fault is what the other views show.
  await page.getByText("The engine finds no fault.").waitFor();
  await page.getByRole("link", { name: "What if" }).click();
  await page.getByText(/against 7 policies/).waitFor();
  quiet();
});

test("forms for locations, scenarios and the configuration", async (t) => {
  const { page, quiet } = await visitEditor(t);
  await page.getByRole("tab", { name: "Named locations" }).click();
  await form(page).getByRole("button", { name: "Address ranges" }).click();
  await form(page).getByLabel("Name", { exact: true }).fill("Warehouse");
  await form(page).getByLabel("Name", { exact: true }).blur();
  await form(page)
    .getByLabel(/^Address ranges/)
    .last()
    .fill("198.51.100.0/26\n2001:db8:9::/48");
  await form(page)
    .getByLabel(/^Address ranges/)
    .last()
    .blur();
  await page.getByText("The engine finds no fault.").waitFor();
  await form(page)
    .getByLabel(/^Address ranges/)
    .last()
    .fill("not a range");
  await form(page)
    .getByLabel(/^Address ranges/)
    .last()
    .blur();
  await page.getByText("range `not a range` cannot be read").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("The engine finds no fault.").waitFor();

  await page.getByRole("tab", { name: "Scenario" }).click();
  await form(page).getByRole("region", { name: "Timeline" }).waitFor();
  await form(page).getByRole("button", { name: "Move", exact: true }).click();
  await page.getByText("The engine finds no fault.").waitFor();
  await form(page).getByLabel("Address that the resource sees").first().fill("192.0.2.99");
  await form(page).getByLabel("Address that the resource sees").first().blur();
  await form(page).getByRole("button", { name: "User", exact: true }).click();
  await form(page).getByRole("button", { name: "Request", exact: true }).click();
  await page.getByText("The engine finds no fault.").waitFor();
  await page.getByRole("link", { name: "Conversation" }).click();
  await page
    .getByRole("list", { name: "Messages" })
    .getByRole("button")
    .last()
    .filter({ hasText: /policy_location/ })
    .waitFor();

  await page.getByRole("link", { name: "Editor" }).click();
  await page.getByRole("tab", { name: "ENGINE.json" }).click();
  await page.getByText("The engine finds no fault.").waitFor();
  await choose(page, /^Profile/, "entra");
  await page.getByText("The engine finds no fault.").waitFor();
  await form(page).getByLabel("Clock skew, in seconds").fill("100000");
  await form(page).getByLabel("Clock skew, in seconds").blur();
  await page.getByRole("alert").getByText("/settings/clockSkewSeconds").waitFor();
  quiet();
});

test("examples to start from", async (t) => {
  const { page, quiet } = await visitEditor(t);
  for (const [example, policy] of [
    ["Baseline: small business", "SB001"],
    ["Baseline: zero trust", "ZT-100"],
    ["Baseline: regulated company", "R-01"],
  ]) {
    await page
      .getByRole("button", { name: "Examples" })
      .or(page.getByRole("combobox", { name: "Examples" }))
      .first()
      .click();
    await page.getByRole("option", { name: example }).click();
    await form(page)
      .getByRole("button", { name: new RegExp(policy) })
      .waitFor();
    await page.getByText("The engine finds no fault.").waitFor();
  }
  await page.getByRole("tab", { name: "Scenario" }).click();
  await page.getByText("The engine finds no fault.").waitFor();
  await page
    .getByRole("button", { name: "Examples" })
    .or(page.getByRole("combobox", { name: "Examples" }))
    .first()
    .click();
  await page.getByRole("option", { name: "A user leaves the office" }).click();
  await form(page).getByRole("button", { name: /Move/ }).first().waitFor();
  await page.getByText("The engine finds no fault.").waitFor();
  quiet();
});
