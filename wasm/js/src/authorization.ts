import type { Presenter, Verdict } from "./wasm/engine.js";

/** Names of the headers that tell the application who asks. Those that come from outside have to go. */
export const IDENTITY_HEADERS = ["x-cae-subject", "x-cae-tenant", "x-cae-client", "x-cae-session-controls"] as const;

/** The decision on one request. */
export class Authorization {
  /** Serve the request; answer 401 with a challenge that a later token can meet; refuse. */
  readonly outcome: Verdict["outcome"];
  /** HTTP status. */
  readonly status: Verdict["status"];
  /** Value of `WWW-Authenticate`, only when refusing. */
  readonly challenge: string | undefined;
  /** Stable reason codes, most decisive first; empty for a plain allow. */
  readonly reasons: readonly string[];
  /** The first moment, in seconds since the epoch, at which time alone can change the decision. */
  readonly revisitAt: number | undefined;
  /** For how many seconds this answer may be reused if no event arrives. */
  readonly mayReuseWithoutEvents: number;
  /** The evaluation, if it was asked to be explained. */
  readonly evaluation: unknown;
  /** Session controls that the application has to honour. */
  readonly sessionControls: readonly string[];

  /** @internal */
  constructor(
    verdict: Verdict,
    /** Who asks; `undefined` unless the signature of the token was valid. */
    readonly presenter: Presenter | undefined,
    /** The records that the decision rests on. */
    readonly records: readonly string[],
    /** Thumbprint of the key or certificate that the client showed possession of. */
    readonly confirmed?: string,
  ) {
    this.outcome = verdict.outcome;
    this.status = verdict.status;
    this.challenge = verdict.wwwAuthenticate;
    this.reasons = verdict.reasons;
    this.revisitAt = verdict.revisitAt;
    this.mayReuseWithoutEvents = verdict.mayReuseWithoutEvents;
    this.evaluation = verdict.json === undefined ? undefined : JSON.parse(verdict.json);
    this.sessionControls = sessionControls(this.evaluation);
  }

  /** Whether the request may be served. */
  get isAllowed(): boolean {
    return this.outcome === "allow";
  }

  /** The answer to a request that may not be served. */
  response(): Response {
    return new Response(null, { status: this.isAllowed ? 500 : this.status, headers: this.refusalHeaders() });
  }

  /** What the answer to a request that may not be served says in its headers. */
  refusalHeaders(): Record<string, string> {
    return {
      "cache-control": "no-store",
      ...(this.challenge === undefined ? {} : { "www-authenticate": this.challenge }),
    };
  }

  /** Every identity header with its value, also the empty ones: so that none from outside survives. */
  identityHeaders(): Record<(typeof IDENTITY_HEADERS)[number], string> {
    return {
      "x-cae-subject": headerValue(this.presenter?.subject),
      "x-cae-tenant": headerValue(this.presenter?.tenant),
      "x-cae-client": headerValue(this.presenter?.client),
      "x-cae-session-controls": headerValue(this.sessionControls.join(",")),
    };
  }
}

/** What an engine is said to have answered that gave no answer. */
export function faultVerdict(onError: "allow" | "deny"): Verdict {
  const isAllowed = onError === "allow";
  return {
    outcome: isAllowed ? "allow" : "deny",
    status: isAllowed ? 200 : 503,
    reasons: ["engine_fault"],
    changes: [],
    mayReuseWithoutEvents: 0,
  };
}

/** What stands in for a decision that could not be made: a refusal. */
export const undecided = (): Authorization => new Authorization(faultVerdict("deny"), undefined, []);

function sessionControls(evaluation: unknown): readonly string[] {
  const controls = (evaluation as { sessionControls?: unknown } | undefined)?.sessionControls;
  return Array.isArray(controls) ? controls.filter((it) => typeof it === "string") : [];
}

/** What is not printable ASCII is percent-encoded as UTF-8, as is `%` itself: a name of a user may need it, an id never. */
const headerValue = (text = ""): string =>
  /^[!-$&-~]*$/.test(text) ? text : percentEncoded(text);

const percentEncoded = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) =>
    byte > 0x20 && byte < 0x7f && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
