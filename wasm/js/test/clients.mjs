// Real clients, which take claims challenges from a protected server.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { temporary } from "./packed.mjs";
import { program, start, stop, until, without } from "./process.mjs";

/** Why a test is left out that needs a certificate; `false` if one can be made. */
export const withoutCertificates = without("openssl");

/** A certificate for this machine: paths of it and of its key. */
export function certificate() {
  const folder = temporary();
  const [key, cert] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync(program("openssl"), [...request, "-subj", "/CN=localhost", "-addext", names, "-keyout", key, "-out", cert], { stdio: "pipe" });
  return { key, cert };
}

/** The clients, by the library that each is made with. */
export const CLIENTS = ["core-rest-pipeline", "core-client", "kiota", "msal-node"];

class Client {
  constructor(name, parameters, trusted) {
    const script = fileURLToPath(new URL(`clients/${name}.mjs`, import.meta.url));
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: trusted };
    this.process = start(process.execPath, [script, ...parameters], { env });
    this.lines = createInterface({ input: this.process.stdout });
  }

  async ask(line) {
    this.process.stdin.write(`${line}\n`);
    const [answer] = await once(this.lines, "line");
    return answer;
  }
}

/**
 * What happens to a client whose user's risk rises, and whose sessions are then revoked.
 *
 * @param name One of {@link CLIENTS}.
 * @param api The URL of an API that is protected by an engine which trusts `issuer`, over https.
 * @param trusted A file with its certificate.
 * @param issuer A running {@link Issuer}, whose events reach the engine.
 */
export async function takesTheChallenge(name, { api, trusted, issuer }) {
  const user = `${name}-user`;
  const client = new Client(name, [api, issuer.url, user], trusted);
  try {
    assert.equal(await client.ask("/orders"), "200 1");
    assert.equal(await client.ask("/orders"), "200 1", "the token is kept");
    await issuer.happens("risk", user, "high");
    // Challenged on a request after the event, and by itself 200 again, with one token more.
    await until("the event", async () => (await client.ask("/orders")) === "200 2");
    assert.equal(await client.ask("/orders"), "200 2", "one challenge for one event");
    await issuer.happens(name === "msal-node" ? "disable" : "revoke", user);
    await until("the next event", async () => (await client.ask("/orders")).startsWith("interaction"));
    if (name === "msal-node") await issuer.happens("enable", user);
    assert.equal(await client.ask("sign-in"), "signed in");
    await until("a token of after it", async () => {
      await client.ask("sign-in");
      return (await client.ask("/orders")).startsWith("200");
    });
  } finally {
    await stop(client.process);
  }
}
