// Programs that the tests run beside themselves.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, existsSync } from "node:fs";
import { connect, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

import { temporary } from "./packed.mjs";

/** The native engine: `CAE_BINARY`, or what `cargo build` leaves. */
export const cae = process.env.CAE_BINARY ?? fileURLToPath(new URL("../../../target/debug/cae", import.meta.url));

/** Why a test is left out that needs the native engine; `false` if it is there. */
export const withoutCae = missing("cae", existsSync(cae), `${cae} is not built`);

/** A program of this machine, by its first name that is found on the path. */
export function program(...names) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** Why a test is left out that needs a program; `false` if it is there. What is required must be there. */
export const without = (...names) => missing(names[0], program(...names) !== undefined, `${names[0]} is not installed`);

function missing(name, isThere, why) {
  if (isThere) return false;
  if ((process.env.CAE_REQUIRE_PROGRAMS ?? "").split(",").includes(name)) throw new Error(why);
  return why;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A port of this machine that nobody listens on, below those of outgoing connections: none takes it meanwhile. */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await new Promise((resolve) => server.once("listening", () => resolve(true)).once("error", () => resolve(false)));
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

/** Waits until somebody listens on a port. */
export const listening = (port) =>
  until(`somebody listens on ${port}`, () => new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => (socket.destroy(), resolve(true)));
    socket.on("error", () => resolve(false));
  }));

/** Waits for something, for as long as a runtime takes that is read from a cold disk. */
export async function until(what, isThere) {
  const end = Date.now() + 60_000;
  for (;;) {
    const found = await isThere();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Runs a program until {@link stop}; what it says on standard error is shown if it ends by itself. */
export function start(command, parameters, options = {}) {
  const child = spawn(command, parameters, { stdio: ["pipe", "pipe", "pipe"], ...options });
  let said = "";
  child.stderr?.on("data", (text) => (said += text));
  child.on("exit", (code) => code && process.stderr.write(`${command} ended with ${code}: ${said}\n`));
  return child;
}

export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, "exit");
}

/** A running `cae issuer dev`, and what can happen to its accounts. */
export class Issuer {
  static async start() {
    const issuer = new Issuer();
    const port = await freePort();
    issuer.url = `http://127.0.0.1:${port}`;
    issuer.process = start(cae, ["issuer", "dev", "--listen", `127.0.0.1:${port}`], { cwd: temporary() });
    issuer.process.stdout.resume();
    await listening(port);
    return issuer;
  }

  /** The configuration of an engine that trusts it; its transmitter is polled at {@link Issuer.stream}. */
  configuration(settings = {}) {
    return {
      resource: { audiences: ["api://orders"] },
      issuers: [
        {
          issuer: this.url,
          claims: { preset: "rfc9068", acrs: "acrs", device: "deviceid" },
          algorithms: ["RS256"],
          jwksUri: `${this.url}/keys`,
          challenge: "entra",
          honoursNbf: true,
        },
      ],
      transmitters: [
        { issuer: this.url, audience: "https://receiver.example", jwksUri: `${this.url}/keys`, speaksFor: [this.url] },
      ],
      settings,
    };
  }

  /** Makes a stream that is pushed to a URL; `authorization` is the header that comes with it. */
  async push(endpoint, authorization) {
    await this.#stream({ method: "urn:ietf:rfc:8935", endpoint_url: endpoint, authorization_header: authorization });
  }

  /** Makes a stream that is polled, and says where. */
  async poll() {
    const { delivery } = await this.#stream({ method: "urn:ietf:rfc:8936" });
    return delivery.endpoint_url;
  }

  async #stream(delivery) {
    const discovered = await (await fetch(`${this.url}/.well-known/ssf-configuration`)).json();
    const answer = await fetch(discovered.configuration_endpoint, {
      method: "POST",
      headers: { authorization: "Bearer any", "content-type": "application/json" },
      body: JSON.stringify({ delivery }),
    });
    if (!answer.ok) throw new Error(`no stream: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async happens(what, user, level) {
    const answer = await fetch(`${this.url}/happens`, {
      method: "POST",
      body: JSON.stringify({ what, user, ...(level === undefined ? {} : { level }) }),
    });
    if (!answer.ok) throw new Error(`${what} ${user}: ${answer.status} ${await answer.text()}`);
  }

  async token(user, claims = { access_token: { xms_cc: { values: ["cp1"] } } }) {
    const form = { grant_type: "password", username: user, client_id: "app", claims: JSON.stringify(claims) };
    const answer = await fetch(`${this.url}/token`, { method: "POST", body: new URLSearchParams(form) });
    return (await answer.json()).access_token;
  }

  stop() {
    return stop(this.process);
  }
}
