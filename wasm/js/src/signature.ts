import { fromBase64Url, utf8 } from "./bytes.js";
import { Bounded } from "./bounded.js";
import type { SignatureNeed } from "./wasm/engine.js";

/** What WebCrypto calls an algorithm of RFC 7518 or RFC 8037. */
interface Algorithm {
  readonly importing: Parameters<SubtleCrypto["importKey"]>[2];
  readonly verifying: Parameters<SubtleCrypto["verify"]>[0];
}

const rsa = (name: string, bits: number, more: object = {}): Algorithm => ({
  importing: { name, hash: `SHA-${bits}` },
  verifying: { name, ...more },
});
const hmac = (bits: number): Algorithm => ({ importing: { name: "HMAC", hash: `SHA-${bits}` }, verifying: { name: "HMAC" } });
const ecdsa = (namedCurve: string, bits: number): Algorithm => ({
  importing: { name: "ECDSA", namedCurve },
  verifying: { name: "ECDSA", hash: `SHA-${bits}` } as Algorithm["verifying"],
});

const ALGORITHMS = new Map<string, Algorithm>([
  ["RS256", rsa("RSASSA-PKCS1-v1_5", 256)],
  ["RS384", rsa("RSASSA-PKCS1-v1_5", 384)],
  ["RS512", rsa("RSASSA-PKCS1-v1_5", 512)],
  ["PS256", rsa("RSA-PSS", 256, { saltLength: 32 })],
  ["PS384", rsa("RSA-PSS", 384, { saltLength: 48 })],
  ["PS512", rsa("RSA-PSS", 512, { saltLength: 64 })],
  ["ES256", ecdsa("P-256", 256)],
  ["ES384", ecdsa("P-384", 384)],
  ["ES512", ecdsa("P-521", 512)],
  ["EdDSA", { importing: { name: "Ed25519" }, verifying: { name: "Ed25519" } }],
  ["Ed25519", { importing: { name: "Ed25519" }, verifying: { name: "Ed25519" } }],
  ["HS256", hmac(256)],
  ["HS384", hmac(384)],
  ["HS512", hmac(512)],
]);

/** Members that make a key; others (`use`, `key_ops`, `alg`) were judged by the engine, and runtimes differ about them. */
const MEMBERS = ["kty", "n", "e", "crv", "x", "y", "k"] as const;

/** Most keys that are kept: far more than any set of issuers has at a time. */
const MOST_KEYS = 1024;

/** Checks signatures with WebCrypto. Whatever cannot be checked does not verify. */
export class Signatures {
  /** By algorithm and the key's own text: ids are unique within one key epoch only. */
  readonly #keys = new Bounded<string, Promise<CryptoKey>>(MOST_KEYS);

  /** Whether the signature of a compact JWS verifies as the engine asks. */
  async check(token: string, need: SignatureNeed): Promise<boolean> {
    const algorithm = ALGORITHMS.get(need.algorithm);
    if (algorithm === undefined || token[need.signingInput] !== ".") return false;
    const signature = fromBase64Url(token.slice(need.signingInput + 1));
    if (signature === undefined) return false;
    const name = `${need.algorithm} ${need.key}`;
    let key = this.#keys.get(name);
    if (key === undefined) {
      key = importKey(JSON.parse(need.key) as Record<string, unknown>, need.algorithm);
      this.#keys.set(name, key);
    }
    try {
      return await crypto.subtle.verify(algorithm.verifying, await key, signature, utf8(token.slice(0, need.signingInput)));
    } catch {
      this.#keys.delete(name);
      return false;
    }
  }
}

/** Imports a public JWK for an algorithm. */
export async function importKey(jwk: Record<string, unknown>, algorithm: string): Promise<CryptoKey> {
  const known = ALGORITHMS.get(algorithm);
  if (known === undefined) throw new TypeError("no such algorithm");
  const bare = Object.fromEntries(MEMBERS.filter((name) => name in jwk).map((name) => [name, jwk[name]]));
  return crypto.subtle.importKey("jwk", bare as unknown as JsonWebKey, known.importing, false, ["verify"]);
}

/** Whether a signature verifies with a key that somebody presents. */
export async function verify(algorithm: string, key: CryptoKey, signature: BufferSource, message: string): Promise<boolean> {
  const known = ALGORITHMS.get(algorithm);
  return known !== undefined && crypto.subtle.verify(known.verifying, key, signature, utf8(message));
}
