/**
 * For `Bun.serve`.
 *
 * @module cae/bun
 */

import { type EngineSource, type Handler, type Protection, protectFetch } from "./protect.js";

export type { EngineSource, Handler, Protection };

/** What of Bun's server is used. */
export interface Server {
  requestIP(request: Request): { readonly address: string } | null;
}

/** A handler for `Bun.serve` that hands on only what may pass. */
export const protect = (
  engine: EngineSource,
  protection: Protection<Request>,
  handler: Handler<[server: Server]>,
): ((request: Request, server: Server) => Promise<Response>) =>
  protectFetch(engine, protection, (request, server) => server.requestIP(request)?.address, handler);
