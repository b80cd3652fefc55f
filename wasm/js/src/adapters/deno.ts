/**
 * For `Deno.serve`.
 *
 * @module cae/deno
 */

import { type EngineSource, type Handler, type Protection, protectFetch } from "./protect.js";

export type { EngineSource, Handler, Protection };

/** What `Deno.serve` says of a connection. */
export interface ServeInfo {
  readonly remoteAddr: { readonly transport?: string; readonly hostname?: string };
}

/** A handler for `Deno.serve` that hands on only what may pass. */
export const protect = (
  engine: EngineSource,
  protection: Protection<Request>,
  handler: Handler<[info: ServeInfo]>,
): ((request: Request, info: ServeInfo) => Promise<Response>) =>
  protectFetch(engine, protection, (_, info) => info.remoteAddr.hostname, handler);
