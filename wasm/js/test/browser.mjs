// Chromium, and pages for it.

import { once } from "node:events";
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";

import { chromium } from "playwright-core";

import { program, without } from "./process.mjs";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** Why a test is left out that needs a browser; `false` if there is one. */
export const withoutChromium = without(...NAMES);

/** Starts Chromium. */
export const browser = () => chromium.launch({ executablePath: program(...NAMES), args: ["--no-sandbox"] });

/** What a page may load and run that takes care: its own scripts, and WebAssembly. */
export const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; base-uri 'none'; form-action 'none'";

const KINDS = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".jsonl": "text/plain" };

/** Serves a folder under a policy for its content; `url`, and `close()`. */
export async function site(folder, policy = STRICT) {
  const server = createServer((request, response) => {
    const file = join(folder, decodeURIComponent(new URL(request.url, "http://site").pathname));
    if (!file.startsWith(folder) || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": KINDS[extname(file)] ?? "application/octet-stream", "content-security-policy": policy });
    return createReadStream(file).pipe(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** Opens a page and waits for its title to say what came of it. */
export async function titleOf(page, url, wanted = /^(passed|failed)/) {
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  await page.goto(url);
  try {
    for (const end = Date.now() + 20_000; !wanted.test(await page.title()); ) {
      if (Date.now() > end) throw new Error("no title");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } catch (error) {
    throw new Error(`the page says nothing: ${said.join("\n")}`, { cause: error });
  }
  return page.title();
}
