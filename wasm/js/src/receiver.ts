import { isSameSecret } from "./bytes.js";
import type { Engine, Received } from "./engine.js";
import { type Fetch, bodyOf, textFrom } from "./http.js";
import type { Store } from "./stores/store.js";

/** Most bytes of a SET: the bound of the engine. */
const SET_BYTES = 1 << 20;
/** Most bytes of a form with a logout token. */
const FORM_BYTES = 128 << 10;

/** How SETs are pushed. */
export interface PushOptions {
  readonly store: Store;
  /** Issuer URL of the transmitter that sends to this endpoint. */
  readonly transmitter: string;
  /** The bearer token that it has to present. */
  readonly token?: string;
}

/**
 * Answers a transmitter that pushes a SET. 202 says that it is merged.
 *
 * SPEC: RFC 8935 section 2.
 */
export async function receivePush(engine: Engine, request: Request, { store, transmitter, token }: PushOptions): Promise<Response> {
  if (request.method !== "POST") return bare(405);
  if (token !== undefined && !(await isSameSecret(request.headers.get("authorization") ?? "", `Bearer ${token}`))) return bare(401);
  if (kindOf(request) !== "application/secevent+jwt") {
    return refused("invalid_request", "the content type of a SET is application/secevent+jwt");
  }
  const set = await bodyOf(request, SET_BYTES);
  if (set === undefined) return bare(413);
  const received = await receivedOf(engine.readEvent(set.trim(), { store, transmitter }));
  if (received === undefined) return later();
  return received.kind === "rejected" ? refused(received.code, received.description) : bare(202);
}

/**
 * Answers an OpenID provider that logs somebody out.
 *
 * SPEC: OpenID Connect Back-Channel Logout 1.0 section 2.5 to section 2.8.
 */
export async function receiveLogout(engine: Engine, request: Request, { store }: { readonly store: Store }): Promise<Response> {
  if (request.method !== "POST") return bare(405);
  if (kindOf(request) !== "application/x-www-form-urlencoded") {
    return notLoggedOut("the content type of a logout is application/x-www-form-urlencoded");
  }
  const form = await bodyOf(request, FORM_BYTES);
  if (form === undefined) return bare(413);
  const tokens = new URLSearchParams(form).getAll("logout_token");
  if (tokens.length !== 1) return notLoggedOut("one `logout_token` is needed");
  const received = await receivedOf(engine.readEvent(tokens[0]!.trim(), { store }));
  if (received === undefined) return later();
  return received.kind === "rejected" ? notLoggedOut(received.description) : bare(200);
}

/** A stream that is polled. */
export interface PollOptions {
  readonly store: Store;
  /** Issuer URL of the transmitter, whose events alone are taken. */
  readonly transmitter: string;
  /** Where its events are fetched. */
  readonly endpoint: string;
  /** Bearer token for the endpoint, if it wants one. */
  readonly token?: string;
  /** Most events of one answer; 100 unless said otherwise. */
  readonly most?: number;
  /** Most answers of one call; 50 unless said otherwise. */
  readonly rounds?: number;
  readonly fetch?: Fetch;
}

/** What a poll came to. */
export interface Polled {
  readonly accepted: number;
  readonly rejected: number;
  /** Whether the transmitter says that it has more. */
  readonly hasMore: boolean;
}

/**
 * Fetches the events that wait, and acknowledges what was merged. What is not acknowledged comes again.
 *
 * SPEC: RFC 8936 section 2. Rejects if the transmitter does not answer as it should, or the store takes nothing.
 */
export async function poll(engine: Engine, options: PollOptions): Promise<Polled> {
  const { store, transmitter, endpoint, token, most = 100, rounds = 50 } = options;
  const fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const headers = {
    accept: "application/json",
    "content-type": "application/json",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const ask = async (question: object): Promise<{ sets?: unknown; moreAvailable?: unknown }> => {
    const init = { method: "POST", headers, body: JSON.stringify({ ...question, returnImmediately: true }) };
    const answer: unknown = JSON.parse(await textFrom(fetch, endpoint, 30_000, init));
    return typeof answer === "object" && answer !== null ? answer : {};
  };
  const counts = { accepted: 0, rejected: 0 };
  let answers: Answers = { ack: [], setErrs: {} };
  for (let round = 0; ; round += 1) {
    const { sets, moreAvailable } = await ask({ ...answers, maxEvents: round < rounds ? most : 0 });
    const events = Object.entries(typeof sets === "object" && sets !== null ? sets : {});
    answers = await takeAll(engine, events, transmitter, store);
    counts.accepted += answers.ack.length;
    counts.rejected += Object.keys(answers.setErrs).length;
    const isMore = moreAvailable === true && events.length > 0;
    if (!isMore || round >= rounds) {
      if (events.length > 0) await ask({ ...answers, maxEvents: 0 });
      return { ...counts, hasMore: moreAvailable === true };
    }
  }
}

interface Answers {
  readonly ack: string[];
  readonly setErrs: Record<string, { err: string; description: string }>;
}

async function takeAll(engine: Engine, events: readonly [string, unknown][], transmitter: string, store: Store): Promise<Answers> {
  const answers: Answers = { ack: [], setErrs: {} };
  const all = await engine.readEvents(events.map(([, set]) => String(set)), { store, transmitter });
  for (const [place, [name]] of events.entries()) {
    const received = all[place]!;
    if (received.kind === "accepted") answers.ack.push(name);
    else answers.setErrs[name] = { err: received.code, description: received.description };
  }
  return answers;
}

/** `undefined` if it could not be kept: it has to come again. */
async function receivedOf(read: Promise<Received>): Promise<Received | undefined> {
  try {
    return await read;
  } catch {
    return undefined;
  }
}

const kindOf = (request: Request): string => (request.headers.get("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();

const bare = (status: number): Response => new Response(null, { status, headers: { "cache-control": "no-store" } });

const later = (): Response =>
  new Response(null, { status: 503, headers: { "cache-control": "no-store", "retry-after": "5" } });

const described = (status: number, body: object, more: Record<string, string> = {}): Response =>
  Response.json(body, { status, headers: { "cache-control": "no-store", ...more } });

/** SPEC: RFC 8935 section 2.3. */
const refused = (err: string, description: string): Response => described(400, { err, description }, { "content-language": "en" });

/** SPEC: OpenID Connect Back-Channel Logout 1.0 section 2.8. */
const notLoggedOut = (description: string): Response => described(400, { error: "invalid_request", error_description: description });
