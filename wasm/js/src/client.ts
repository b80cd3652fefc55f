/**
 * For clients of an API: taking its claims challenges. It loads no engine.
 *
 * @module cae/client
 */

import { type Challenge, parseChallenge } from "./challenge.js";

export { type Challenge, parseChallenge };

/** Gets an access token; with `claims`, one that meets them: never one from a cache. */
export type AcquireToken = (claims: string | undefined) => Promise<string>;

/**
 * A `fetch` that presents access tokens, takes a claims challenge to `acquireToken` and repeats the request, once.
 *
 * A request with a body that is a stream cannot be repeated: its challenge is handed to the caller. If `acquireToken`
 * rejects, because the user has to sign in again say, so does the call.
 */
export function fetchWithClaims(acquireToken: AcquireToken, fetch: typeof globalThis.fetch = globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input as RequestInfo, init);
    const isRepeatable = !(init?.body instanceof ReadableStream);
    const again = isRepeatable ? request.clone() : undefined;
    const send = (one: Request, token: string): Promise<Response> => {
      one.headers.set("authorization", `Bearer ${token}`);
      return fetch(one);
    };
    const response = await send(request, await acquireToken(undefined));
    const challenge = response.status === 401 ? parseChallenge(response) : undefined;
    if (challenge === undefined || again === undefined) return response;
    await response.body?.cancel();
    return send(again, await acquireToken(challenge.claims));
  };
}
