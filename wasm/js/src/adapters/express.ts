/**
 * For Express. It takes the middleware of `node:http` as it is; its `trust proxy` decides what `request.ip` is.
 *
 * @module cae/express
 */

import type { IncomingMessage, ServerResponse } from "node:http";

import { protect as protectNode } from "./node.js";
import type { EngineSource, Protection } from "./protect.js";

export type { EngineSource, Protection };
export { type ClosableWebSocket, type Ending, authorizationOf, closeWithToken, endWithToken, fromFetch, protectUpgrade } from "./node.js";

/** A request of Express. */
export type ExpressRequest = IncomingMessage & { readonly ip?: string | undefined };

/** Middleware for Express: the client is `request.ip`, as `trust proxy` says. */
export const protect = (
  engine: EngineSource,
  protection: Protection<ExpressRequest>,
): ((request: ExpressRequest, response: ServerResponse, next: () => void) => Promise<void>) =>
  protectNode(engine, { clientIp: (request) => request.ip, ...protection });
