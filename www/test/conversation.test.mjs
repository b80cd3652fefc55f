// The conversation view, driven as a person would.

import assert from "node:assert/strict";
import { test } from "node:test";

import { choose, inBrowser, visit, visitStory } from "./browser.mjs";

const browser = inBrowser();
const messages = (page) => page.getByRole("list", { name: "Messages" }).getByRole("button");

test("the first story is told, with what the engine says", async (t) => {
  const { page, quiet } = await visitStory(browser, t);
  const labels = await messages(page).allInnerTexts();
  assert.ok(labels.some((label) => label.includes("401 claims challenge") && label.includes("session_revoked")), labels.join("\n"));
  assert.ok(labels.at(-1).includes("200 served"));
  quiet();
});
