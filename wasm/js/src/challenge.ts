/** A challenge of continuous access evaluation, as a client needs it. */
export interface Challenge {
  /** JSON text for the parameter `claims` of the authorization and token endpoints. */
  readonly claims: string;
  readonly error: string | undefined;
  readonly description: string | undefined;
  /** Where to get a token, if the API says it. */
  readonly authorizationUri: string | undefined;
}

/** Most letters of a header that are looked at. */
const MOST = 64 << 10;

/** `token68 / auth-param` after a scheme, and what separates them. SPEC: RFC 9110 section 11.2 and section 11.6.1. */
const SCHEME = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: +|$|(?=,))/y;
const NAME = "([!#$%&'*+.^_`|~0-9A-Za-z-]+)";
/** Real APIs leave out quotes around URLs and base64: whatever stands before a comma or blank is the value. */
const PARAMETER = new RegExp(`${NAME}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s",]+))\\s*(?:,\\s*|$)`, "y");

/**
 * The claims that an API asks for, from the answer 401 or from its header `WWW-Authenticate`; `undefined` if it asks for
 * none. Hand `claims` to the library that gets tokens, with the same scopes, and repeat the request once.
 */
export function parseChallenge(from: Response | { headers: { get(name: string): string | null } } | string | null): Challenge | undefined {
  const header = typeof from === "string" ? from : from?.headers.get("www-authenticate");
  if (!header || header.length > MOST) return undefined;
  for (const [scheme, parameters] of challengesOf(header)) {
    // Azure Resource Manager says `invalid_token`.
    if (scheme !== "bearer" || !["insufficient_claims", "invalid_token"].includes(parameters.get("error") ?? "")) continue;
    const claims = decoded(parameters.get("claims"));
    if (claims === undefined) continue;
    return {
      claims,
      error: parameters.get("error"),
      description: parameters.get("error_description") ?? parameters.get("errordescription"),
      authorizationUri: parameters.get("authorization_uri"),
    };
  }
  return undefined;
}

function* challengesOf(header: string): Iterable<[scheme: string, parameters: Map<string, string>]> {
  let place = 0;
  while (place < header.length) {
    SCHEME.lastIndex = place;
    const scheme = SCHEME.exec(header);
    if (scheme === null) return;
    place = SCHEME.lastIndex;
    const parameters = new Map<string, string>();
    for (;;) {
      PARAMETER.lastIndex = place;
      const found = PARAMETER.exec(header);
      if (found === null) break;
      place = PARAMETER.lastIndex;
      const name = found[1]!.toLowerCase();
      // Said twice it would be understood in two ways.
      if (parameters.has(name)) return;
      parameters.set(name, found[2]?.replaceAll(/\\(.)/g, "$1") ?? found[3]!);
    }
    yield [scheme[1]!.toLowerCase(), parameters];
    const rest = /^[\s,]*/.exec(header.slice(place))![0].length;
    place += rest;
  }
}

/** Base64 or base64url of JSON, or JSON itself; always an object. */
function decoded(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    if (text.startsWith("{")) return objectText(text);
    const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    return objectText(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function objectText(json: string): string | undefined {
  const value: unknown = JSON.parse(json);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? json : undefined;
}
