// Connections that end with their token, in Node.

import type { IncomingMessage, ServerResponse } from "node:http";

import { closeCode, closeReason, errorEvent } from "../live.js";
import { passedOf } from "./node-guard.js";

/** How long the other end may take to see that a connection ends, in milliseconds. */
const GRACE = 1_000;

/** What of a WebSocket of the package `ws` is used. */
export interface ClosableWebSocket {
  close(code: number, reason: string): void;
  terminate(): void;
  once(event: "close", listener: () => void): unknown;
  removeAllListeners(event: "message"): unknown;
}

/**
 * Closes a WebSocket within a second of the event that refuses its token, and when the token ends. From then on no
 * message reaches the application, whatever the client sends.
 *
 * @param request The request that opened it, which passed {@link protectUpgrade}.
 */
export function closeWithToken(request: IncomingMessage, webSocket: ClosableWebSocket): void {
  const { authorization, again, connections } = passedOf(request);
  const stop = connections.watch(authorization, again, (refused) => {
    webSocket.removeAllListeners("message");
    webSocket.close(closeCode(refused), closeReason(refused));
    const timer = setTimeout(() => webSocket.terminate(), GRACE);
    webSocket.once("close", () => clearTimeout(timer));
  });
  webSocket.once("close", stop);
}

/** How a response ends. */
export interface Ending {
  /** Whether it is a stream of server-sent events; by its header `content-type` unless said otherwise, if `setHeader` set it. */
  readonly events?: boolean;
}

/**
 * Ends a response that is written for long within a second of the event that refuses its token, and when the token ends.
 * Server-sent events end with an event `error` that holds the challenge; anything else breaks off, so that nobody takes
 * it for complete.
 *
 * @param request The request that it answers, which passed `protect`.
 */
export function endWithToken(request: IncomingMessage, response: ServerResponse, ending: Ending = {}): void {
  const { authorization, again, connections } = passedOf(request);
  const stop = connections.watch(authorization, again, (refused) => {
    const { events = String(response.getHeader("content-type") ?? "").startsWith("text/event-stream") } = ending;
    if (!events) {
      response.destroy();
      return;
    }
    // An application that goes on writing is not to fall over it.
    response.on("error", () => undefined);
    response.end(errorEvent(refused));
    const timer = setTimeout(() => response.destroy(), GRACE);
    response.once("close", () => clearTimeout(timer));
  });
  response.once("close", stop);
}
