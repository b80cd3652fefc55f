// The conversation view, driven as a person would.

import assert from "node:assert/strict";
import { test } from "node:test";

import { choose, inBrowser, visitStory } from "./browser.mjs";

const browser = inBrowser();
const messages = (page) => page.getByRole("list", { name: "Messages" }).getByRole("button");
const last = (page) => messages(page).last();
const story = (page, kind) => page.locator(`[data-story=${kind}] td`);

test("the first story is told, with what the engine says", async (t) => {
  const { page, quiet } = await visitStory(browser, t);
  const labels = await messages(page).allInnerTexts();
  assert.ok(
    labels.some((label) => label.includes("401 claims challenge") && label.includes("session_revoked")),
    labels.join("\n"),
  );
  assert.match(labels.at(-1), /200 served/);
  // The same without continuous access evaluation, and with short-lived tokens.
  await story(page, "short").first().waitFor();
  const [continuous, plain, short] = await Promise.all(
    ["continuous", "plain", "short"].map((kind) => story(page, kind).allInnerTexts()),
  );
  assert.equal(continuous[0], "none");
  assert.equal(plain[0], "1 h 4 min");
  assert.equal(short[0], "5 min");
  assert.ok(
    Number(short[1]) > 5 * Number(plain[1]) && Number(plain[1]) > Number(continuous[1]),
    [continuous, plain, short].join("; "),
  );
  quiet();
});

test("tokens, events, headers and claims requests are one click away", async (t) => {
  const { page, quiet } = await visitStory(browser, t);
  await messages(page).filter({ hasText: "a token, good for" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("tab", { name: "Token" }).click();
  await dialog.getByText('"xms_cc"').waitFor();
  assert.match(await dialog.getByRole("region", { name: "As sent" }).innerText(), /^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+$/);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });

  await messages(page).filter({ hasText: "arrives" }).first().click();
  await dialog.getByRole("tab", { name: "Security event" }).click();
  await dialog.getByText("session-revoked").first().waitFor();
  await page.keyboard.press("Escape");

  await messages(page).filter({ hasText: "401 claims challenge" }).click();
  await dialog.getByRole("tab", { name: "Header" }).click();
  await dialog.getByText(/WWW-Authenticate: Bearer .*error="insufficient_claims"/).waitFor();
  await dialog.getByRole("tab", { name: "Claims request" }).click();
  await dialog.getByText('"1800000301"').waitFor();
  await dialog.getByRole("tab", { name: "Decision" }).click();
  await dialog.getByText("session_revoked").first().waitFor();
  await dialog.getByRole("button", { name: "Next message" }).click();
  await dialog.getByText("takes the challenge back").first().waitFor();
  quiet();
});

test("it plays, pauses, steps and can be dragged", async (t) => {
  const { page, quiet } = await visitStory(browser, t);
  const slider = page.getByRole("slider", { name: "Timeline" });
  const all = await messages(page).count();
  await page.getByRole("button", { name: "To the start" }).click();
  assert.equal(await messages(page).count(), 0);
  await page.getByText("Nothing has happened yet").waitFor();
  await page.getByRole("button", { name: "One message forward" }).click();
  await page.getByRole("button", { name: "One message forward" }).click();
  assert.equal(await messages(page).count(), 2);
  await page.getByRole("button", { name: "One message back" }).click();
  assert.equal(await messages(page).count(), 1);
  await page.getByRole("button", { name: "Play" }).click();
  await messages(page).nth(2).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  const paused = await messages(page).count();
  await page.waitForTimeout(1_500);
  assert.equal(await messages(page).count(), paused);
  // Dragged with the mouse to the middle.
  const box = await slider.locator("xpath=..").boundingBox();
  await page.mouse.move(box.x + box.width - 4, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  const dragged = await messages(page).count();
  assert.ok(dragged > 3 && dragged < all - 3, `${dragged} of ${all}`);
  quiet();
});

test("every action comes to what the engine says", async (t) => {
  const { page, quiet } = await visitStory(browser, t);
  const act = async (name, expected) => {
    const before = await page.getByRole("slider", { name: "Timeline" }).getAttribute("aria-valuemax");
    await page.getByRole("button", { name, exact: true }).click();
    await page.waitForFunction(
      (before) => document.querySelector("[role=slider]").getAttribute("aria-valuemax") !== before,
      before,
    );
    // What is new is played; who does not want to wait goes to the end.
    await page.getByRole("slider", { name: "Timeline" }).press("End");
    await last(page).filter({ hasText: expected }).waitFor();
  };
  await act("Walk out of the office", "moves");
  await act("Call the API", /401 claims challenge\s*policy_location/);
  await act("Take the challenge back", "blocked");
  await act("Come back to the office", "moves");
  await act("Call the API", "200 served");
  for (const [action, reason] of [
    ["Enable MFA", "mfa_enabled"],
    ["Reset the password", "password_changed"],
    ["Raise the risk", "risk_level_high"],
    ["Device out of compliance", "device_not_compliant"],
    ["Revoke all sessions", "session_revoked"],
    ["Disable the account", "account_disabled"],
  ]) {
    await page.getByRole("button", { name: "Start over" }).click();
    await page.getByRole("button", { name: "Undo" }).waitFor();
    await last(page).filter({ hasText: "200 served" }).waitFor();
    await act(action, "a security event arrives");
    await act("Call the API", new RegExp(`401 claims challenge[^]*${reason}`));
    if (action === "Revoke all sessions") await act("Sign in again as asked", "200 served");
    if (action === "Disable the account") await act("Sign in again as asked", "blocked");
  }
  quiet();
});

test("an event that is late leaves time at risk, and one that comes twice changes nothing", async (t) => {
  const { page, quiet } = await visitStory(browser, t);
  await story(page, "continuous").first().filter({ hasText: "none" }).waitFor();
  await page.getByRole("button", { name: "Delay it by 5 minutes" }).click();
  await story(page, "continuous").first().filter({ hasText: "5 min" }).waitFor();
  // The request before its arrival is served.
  await messages(page).filter({ hasText: "401 claims challenge" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Deliver it twice" }).click();
  await messages(page).filter({ hasText: "received before, dropped" }).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name: "Undo" }).click();
  await messages(page).filter({ hasText: "401 claims challenge" }).waitFor();
  quiet();
});

test("every story of the library is told without a fault", async (t) => {
  const { page, quiet } = await visitStory(browser, t);
  const names = [
    "User revocation, step by step",
    "A user leaves the office",
    "An account is disabled",
    "High risk, and back",
    "Split tunnel, and a stolen token",
    "Events late, twice and out of order",
    "A client that cannot handle challenges",
    "Keycloak as the issuer",
  ];
  let current = "A lost laptop";
  for (const name of names) {
    await choose(page, new RegExp(current), name);
    await page.getByRole("heading", { level: 2 }).first().filter({ hasNotText: current }).waitFor();
    await messages(page).first().waitFor();
    assert.equal(await page.getByRole("alert").count(), 0, name);
    current = name;
  }
  quiet();
});

test("all of it by keyboard", async (t) => {
  const { page, quiet } = await visitStory(browser, t);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "content");
  const reach = async (label) => {
    for (let presses = 0; presses < 80; presses += 1) {
      await page.keyboard.press("Tab");
      const name = await page.evaluate(
        () => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim(),
      );
      if (name.includes(label)) return;
    }
    assert.fail(`${label} cannot be reached`);
  };
  await reach("Timeline");
  await page.keyboard.press("Home");
  assert.equal(await messages(page).count(), 0);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  assert.equal(await messages(page).count(), 2);
  await reach("asks for a token");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement.textContent.includes("asks for a token"));
  await reach("Disable the account");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Undo" }).and(page.locator(":enabled")).waitFor();
  await page.locator("body").press("Space");
  quiet();
});
