// The page as `cae serve` serves it: with the policies in force, and kept by nobody.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { CAE, inBrowser, visit, workspace } from "./browser.mjs";

const browser = inBrowser();

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

async function serve(t, change) {
  const folder = await mkdtemp(join(tmpdir(), "simulator-live-"));
  const [authorization, administration] = [await freePort(), await freePort()];
  const engine = JSON.parse(await readFile(`${workspace}examples/ENGINE.json`, "utf8"));
  change(engine);
  await writeFile(join(folder, "ENGINE.json"), JSON.stringify(engine));
  await writeFile(
    join(folder, "cae.toml"),
    `engine = "ENGINE.json"\n[listen]\nauthorization = "127.0.0.1:${authorization}"\nsignals = false\nadministration = "127.0.0.1:${administration}"\n[administration]\nsimulator = ${JSON.stringify(`${workspace}target/cae/www`)}\n`,
  );
  const service = spawn(CAE, ["serve", "--engine", "native", "--config", join(folder, "cae.toml")], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  service.stderr.on("data", (chunk) => (said += chunk));
  t.after(async () => {
    service.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });
  const address = `http://127.0.0.1:${administration}/simulator/`;
  for (let attempt = 0; attempt < 400; attempt += 1) {
    assert.equal(service.exitCode, null, said);
    const answer = await fetch(address).catch(() => undefined);
    if (answer?.ok) return { address, folder, engine };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail(said);
}

test(
  "the policies in force are what the page begins with",
  { skip: existsSync(CAE) ? false : `${CAE} is not built` },
  async (t) => {
    const hostile = `</script><script>globalThis.owned = true</script><img src=x onerror="globalThis.owned = true">`;
    const { address, folder, engine } = await serve(t, (engine) => (engine.policies[0].displayName = hostile));
    const { page, quiet } = await visit({ browser: browser.browser, address }, t, {
      hash: "what-if",
      keepWorkers: true,
    });
    await page.getByText("You see the policies that this service has in force.").waitFor();
    await page.getByText(/sign-ins against 2 policies/).waitFor();
    await page.getByRole("link", { name: "Editor" }).click();
    await page.getByRole("button", { name: /<\/script>/ }).waitFor();
    await page.getByRole("link", { name: "Networks" }).click();
    await page.locator(".bar.hit").filter({ hasText: "203.0.113.0/24" }).waitFor();
    await page.getByRole("link", { name: "Conversation" }).click();
    await page.getByRole("listitem").filter({ hasText: "200 served" }).first().waitFor();
    assert.equal(await page.evaluate(() => globalThis.owned), undefined);
    // Nothing of it stays in the browser.
    await page.waitForTimeout(500);
    assert.deepEqual(
      await page.evaluate(async () => [
        (await navigator.serviceWorker.getRegistrations()).length,
        (await caches.keys()).length,
      ]),
      [0, 0],
    );
    // Keys and transmitters are none of the page's business.
    const source = await (await fetch(address)).text();
    for (const secret of [engine.issuers[0].jwks.keys[0].n, engine.transmitters[0].issuer])
      assert.ok(!source.includes(secret));

    // What a reload of the files brought is there after a reload of the page.
    engine.policies = [];
    await writeFile(join(folder, "ENGINE.json"), JSON.stringify(engine));
    for (let attempt = 0; (await (await fetch(address)).text()).includes("owned"); attempt += 1) {
      assert.ok(attempt < 200);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await page.goto(`${address}#what-if`);
    await page.reload();
    await page.getByText(/sign-ins against 1 policy/).waitFor();
    quiet();
  },
);

test(
  "its content security policy is that of the page",
  { skip: existsSync(CAE) ? false : `${CAE} is not built` },
  async (t) => {
    const { address } = await serve(t, () => undefined);
    const answer = await fetch(address);
    const header = answer.headers.get("content-security-policy");
    const [, own] = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(await answer.text());
    assert.equal(header, `${own}; frame-ancestors 'none'`);
    assert.ok(!header.includes("'unsafe-inline'") && !header.includes("'unsafe-eval'"));
    assert.equal(answer.headers.get("cache-control"), "no-store");
  },
);
