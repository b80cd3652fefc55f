/**
 * Connections that end with their token, for what no adapter does.
 *
 * @module cae/live
 */

import { type Authorization, undecided } from "./authorization.js";

/** How often a connection is decided on again, in milliseconds; 500 unless said otherwise. */
export interface LiveOptions {
  readonly milliseconds?: number;
}

/** Close code of a WebSocket whose token is refused: the first that applications may give a meaning (RFC 6455 section 7.4.2). */
export const CLOSE_CODE = 3000;
/** Close code where nothing could be decided: try again later (1013 in the registry of RFC 6455 section 11.7). */
const LATER = 1013;
/** Most bytes of the reason of a close (RFC 6455 section 5.5). */
const REASON_BYTES = 123;

/**
 * Decides on a connection again and again, and calls `end` once it may no longer go on; then, and when the returned
 * function was called, that is over.
 *
 * A decision that cannot be made is a refusal, as it is for a request.
 */
export function whileAllowed(again: () => Promise<Authorization>, end: (authorization: Authorization) => void, options: LiveOptions = {}): () => void {
  const { milliseconds = 500 } = options;
  let isOver = false;
  let timer: ReturnType<typeof setTimeout>;
  const look = async (): Promise<void> => {
    const authorization = await again().catch(undecided);
    if (isOver) return;
    if (authorization.isAllowed) timer = setTimeout(look, milliseconds);
    else {
      isOver = true;
      end(authorization);
    }
  };
  timer = setTimeout(look, milliseconds);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/** The code of a close: whether another token could help, or a later attempt. */
export const closeCode = ({ status }: Authorization): number => (status < 500 ? CLOSE_CODE : LATER);

/**
 * The reason of a close: `claims=` with the claims that the client takes to its issuer, if that fits, else why. A client
 * that opens the connection again has the whole challenge in the answer 401.
 */
export function closeReason(authorization: Authorization): string {
  const claims = /\bclaims="([^"]*)"/.exec(authorization.challenge ?? "")?.[1];
  const reason = claims === undefined ? "" : `claims=${claims}`;
  return reason !== "" && reason.length <= REASON_BYTES ? reason : (authorization.reasons[0] ?? "").slice(0, REASON_BYTES);
}

/** The error event of server-sent events that says why a stream ends. */
export const errorEvent = (authorization: Authorization): string =>
  `event: error\ndata: ${JSON.stringify({
    status: authorization.status,
    reasons: authorization.reasons,
    ...(authorization.challenge === undefined ? {} : { wwwAuthenticate: authorization.challenge }),
  })}\n\n`;

/**
 * A response whose body goes on as long as it may. Server-sent events end with an event `error` that holds the challenge;
 * anything else breaks off, so that nobody takes it for complete.
 */
export const streamWhileAllowed = (response: Response, again: () => Promise<Authorization>, options: LiveOptions = {}): Response =>
  streamUntil(response, (end) => whileAllowed(again, end, options));

/**
 * The same for a response that something else watches.
 *
 * @param watch Calls its argument once the response may no longer go on, until what it returns was called.
 */
export function streamUntil(response: Response, watch: (end: (refused: Authorization) => void) => () => void): Response {
  if (response.body === null) return response;
  const isEvents = (response.headers.get("content-type") ?? "").startsWith("text/event-stream");
  const reader = response.body.getReader();
  let stop = (): void => undefined;
  let isEnded = false;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const end = (authorization: Authorization): void => {
        isEnded = true;
        if (isEvents) {
          controller.enqueue(new TextEncoder().encode(errorEvent(authorization)));
          controller.close();
        } else {
          controller.error(new TypeError("the token is no longer accepted"));
        }
        void reader.cancel().catch(() => undefined);
      };
      stop = watch(end);
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (isEnded) return;
        if (!done) return controller.enqueue(value);
        stop();
        controller.close();
      } catch (error) {
        stop();
        if (!isEnded) controller.error(error);
      }
    },
    cancel(reason) {
      stop();
      return reader.cancel(reason);
    },
  });
  return new Response(body, response);
}
