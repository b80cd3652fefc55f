import { fromBase64Url, sha256 } from "./bytes.js";
import { importKey, verify } from "./signature.js";

/** How far the time of a proof may be from now, in seconds. */
const WINDOW = 60;
/** Most proofs that are remembered, in each of two halves. */
const HALF = 1 << 15;
/** Most letters of a proof. */
const MOST = 8 << 10;

/** What a request shows besides its token. */
export interface Presented {
  readonly token: string;
  /** Value of the header `DPoP`. */
  readonly proof: string | null;
  readonly method: string | undefined;
  /** The URI of the request. */
  readonly url: string | undefined;
  readonly now: number;
}

/** Proofs that were used: each is good once, in this process. */
export class Proofs {
  #newer = new Set<string>();
  #older = new Set<string>();
  #turned = 0;

  /** Notes a proof; whether it is the first time. Full before its time, nothing more is taken in. */
  isFirst(name: string, now: number): boolean {
    if (now - this.#turned > 2 * WINDOW) {
      this.#older = this.#newer;
      this.#newer = new Set();
      this.#turned = now;
    }
    if (this.#newer.size >= HALF || this.#newer.has(name) || this.#older.has(name)) return false;
    this.#newer.add(name);
    return true;
  }
}

type Members = Record<string, unknown>;

/**
 * The thumbprint that a DPoP proof shows possession of; `undefined` if it shows none.
 *
 * SPEC: RFC 9449 section 4.3, in its order.
 */
export async function prove(presented: Presented, proofs: Proofs): Promise<string | undefined> {
  const { proof, now } = presented;
  const parts = proof?.split(".") ?? [];
  // Two headers arrive as one, with a comma, which is no letter of base64url.
  if (proof === null || proof.length > MOST || parts.length !== 3) return undefined;
  const [head, body, signature] = parts.map(fromBase64Url);
  const header = parsed(head);
  const claims = parsed(body);
  const jwk = header?.["jwk"];
  if (!signature || !header || !claims || typeof jwk !== "object" || jwk === null) return undefined;
  // A private key in the proof: whoever sent it gave the key away.
  if ("d" in jwk || "crit" in header || header["typ"] !== "dpop+jwt") return undefined;
  const algorithm = String(header["alg"]);
  if (algorithm.startsWith("HS")) return undefined;
  try {
    const key = await importKey(jwk as Members, algorithm);
    if (!(await verify(algorithm, key, signature, `${parts[0]}.${parts[1]}`))) return undefined;
  } catch {
    return undefined;
  }
  const { jti, htm, htu, iat, ath } = claims;
  const isOfNow = typeof iat === "number" && Math.abs(now - iat) <= WINDOW;
  const isOfThis = htm === presented.method && typeof htu === "string" && isSameTarget(htu, presented.url);
  const isOfToken = ath === (await sha256(presented.token));
  if (!isOfNow || !isOfThis || !isOfToken || typeof jti !== "string" || jti === "") return undefined;
  const thumbprint = await thumbprintOf(jwk as Members);
  if (thumbprint === undefined) return undefined;
  return proofs.isFirst(`${thumbprint} ${await sha256(jti)}`, now) ? thumbprint : undefined;
}

function parsed(bytes: Uint8Array | undefined): Members | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return typeof value === "object" && value !== null ? (value as Members) : undefined;
  } catch {
    return undefined;
  }
}

/** SPEC: RFC 9449 section 4.3 item 9: without query and fragment. */
function isSameTarget(htu: string, url: string | undefined): boolean {
  try {
    const [said, asked] = [new URL(htu), new URL(url ?? "")];
    return said.origin === asked.origin && said.pathname === asked.pathname;
  } catch {
    return false;
  }
}

/** SPEC: RFC 7638 section 3.2 and RFC 8037 section 2: the required members, in the order of their names. */
async function thumbprintOf(jwk: Members): Promise<string | undefined> {
  const required = { RSA: ["e", "kty", "n"], EC: ["crv", "kty", "x", "y"], OKP: ["crv", "kty", "x"] }[String(jwk["kty"])];
  if (required === undefined) return undefined;
  return sha256(JSON.stringify(Object.fromEntries(required.map((name) => [name, jwk[name]]))));
}
