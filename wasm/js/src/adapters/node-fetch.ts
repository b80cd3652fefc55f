import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";

/**
 * A listener for `node:http`, and a handler for Express, of what answers requests of the Fetch API: such as
 * `receivePush` and `receiveLogout`. Mount it before what reads bodies.
 */
export function fromFetch(
  handler: (request: Request) => Response | Promise<Response>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (incoming, outgoing) => {
    try {
      const response = await handler(requestOf(incoming));
      outgoing.writeHead(response.status, [...response.headers].flat());
      outgoing.end(Buffer.from(await response.arrayBuffer()));
    } catch {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(503, { "cache-control": "no-store" }).end();
    }
  };
}

function requestOf(incoming: IncomingMessage): Request {
  const { method = "GET", rawHeaders } = incoming;
  const headers = new Headers();
  for (let place = 0; place < rawHeaders.length; place += 2) headers.append(rawHeaders[place]!, rawHeaders[place + 1]!);
  const hasBody = method !== "GET" && method !== "HEAD";
  const body = hasBody ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: "half" } : {};
  return new Request(new URL(incoming.url ?? "/", "http://localhost"), { method, headers, ...body });
}
