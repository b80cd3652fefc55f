// The template against a real issuer and transmitter, with real clients.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";

import { CLIENTS, certificate, takesTheChallenge, withoutCertificates } from "../clients.mjs";
import { Issuer, until, withoutCae } from "../process.mjs";
import { bundle, run } from "./edge.mjs";

describe("the template and a real issuer", { skip: withoutCae || withoutCertificates, concurrency: true }, () => {
  let issuer;
  let modules;
  let origin;
  const running = [];
  before(async () => {
    issuer = await Issuer.start();
    ({ modules } = bundle(issuer.configuration()));
    origin = createServer((request, response) => response.end(JSON.stringify({ subject: request.headers["x-cae-subject"] })));
    await once(origin.listen(0, "127.0.0.1"), "listening");
  });
  after(async () => {
    for (const worker of running) await worker.dispose();
    origin?.close();
    await issuer?.stop();
  });

  async function start(bindings, options = {}) {
    const ORIGIN = `http://127.0.0.1:${origin.address().port}`;
    const worker = run(modules, { bindings: { ORIGIN, ...bindings }, ...options });
    running.push(worker);
    return { worker, url: await worker.ready };
  }

  test("real clients take the challenge from a worker whose cron trigger polls", async (context) => {
    const endpoint = await issuer.poll();
    const { key, cert } = certificate();
    const https = { httpsKey: readFileSync(key, "utf8"), httpsCert: readFileSync(cert, "utf8") };
    const { worker, url } = await start({ POLL_ENDPOINT: endpoint, POLL_TOKEN: "any" }, https);
    const cron = setInterval(async () => (await worker.getWorker()).scheduled({ cron: "* * * * *" }).catch(() => undefined), 100);
    try {
      const api = `https://localhost:${url.port}`;
      await Promise.all(CLIENTS.map((name) => context.test(name, () => takesTheChallenge(name, { api, trusted: cert, issuer }))));
    } finally {
      clearInterval(cron);
    }
  });

  test("what a real transmitter pushes is in force with the next request", async () => {
    const { url } = await start({ PUSH_TOKEN: "secret" });
    await issuer.push(new URL("/.cae/events/main", url).href, "Bearer secret");
    const headers = { authorization: `Bearer ${await issuer.token("pia")}` };
    const served = await fetch(new URL("/orders", url), { headers });
    assert.deepEqual([served.status, await served.json()], [200, { subject: "pia" }]);
    await issuer.happens("revoke", "pia");
    await until("the challenge", async () => (await fetch(new URL("/orders", url), { headers })).status === 401);
  });
});
