// An issuer and a transmitter of the tests' own, with really signed tokens and events, in every runtime.

export const ISSUER = "https://login.example";
export const TRANSMITTER = "https://ssf.example";
export const AUDIENCE = "api://orders";

const utf8 = (text) => new TextEncoder().encode(text);
const base64url = (bytes) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
export const seconds = () => Math.floor(Date.now() / 1000);

/** A signing key and its public JWK. */
export async function makeKey(kid, algorithm = "ES256") {
  const [generated, signing] = {
    ES256: [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }],
    EdDSA: [{ name: "Ed25519" }, { name: "Ed25519" }],
    RS256: [
      { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) },
      { name: "RSASSA-PKCS1-v1_5" },
    ],
    PS256: [
      { name: "RSA-PSS", hash: "SHA-256", modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) },
      { name: "RSA-PSS", saltLength: 32 },
    ],
  }[algorithm];
  const { privateKey, publicKey } = await crypto.subtle.generateKey(generated, true, ["sign", "verify"]);
  const { kty, crv, x, y, n, e } = await crypto.subtle.exportKey("jwk", publicKey);
  const jwk = JSON.parse(JSON.stringify({ kty, crv, x, y, n, e, kid, use: "sig", alg: algorithm }));
  const sign = async (header, claims) => {
    const message = `${base64url(utf8(JSON.stringify({ alg: algorithm, kid, ...header })))}.${base64url(utf8(JSON.stringify(claims)))}`;
    return `${message}.${base64url(new Uint8Array(await crypto.subtle.sign(signing, privateKey, utf8(message))))}`;
  };
  return { jwk, sign };
}

/** Everything that a test of the engine needs. */
export class World {
  #count = 0;

  static async make(algorithm = "ES256") {
    const world = new World();
    world.issuer = await makeKey("i", algorithm);
    world.transmitter = await makeKey("t", algorithm);
    world.algorithm = algorithm;
    return world;
  }

  configuration({ issuer = {}, transmitter = {}, settings = {} } = {}) {
    return {
      resource: { audiences: [AUDIENCE] },
      issuers: [
        {
          issuer: ISSUER,
          claims: { preset: "rfc9068", acrs: "acrs" },
          algorithms: [this.algorithm],
          jwks: { keys: [this.issuer.jwk] },
          challenge: "entra",
          honoursNbf: true,
          ...issuer,
        },
      ],
      transmitters: [
        {
          issuer: TRANSMITTER,
          audience: "https://api.example",
          algorithms: [this.algorithm],
          jwks: { keys: [this.transmitter.jwk] },
          speaksFor: [ISSUER],
          ...transmitter,
        },
      ],
      settings,
    };
  }

  token(user, more = {}) {
    const issued = seconds() - 60;
    const claims = {
      iss: ISSUER,
      sub: user,
      aud: AUDIENCE,
      client_id: "app",
      jti: `${user}-${(this.#count += 1)}`,
      iat: issued,
      exp: issued + 3600,
      xms_cc: ["cp1"],
      ...more,
    };
    return this.issuer.sign({ typ: "at+jwt" }, claims);
  }

  set(user, type = "session-revoked", more = {}) {
    const uri = `https://schemas.openid.net/secevent/caep/event-type/${type}`;
    const claims = {
      iss: TRANSMITTER,
      aud: "https://api.example",
      iat: seconds(),
      jti: `set-${(this.#count += 1)}`,
      sub_id: { format: "iss_sub", iss: ISSUER, sub: user },
      events: { [uri]: { event_timestamp: seconds() } },
      ...more,
    };
    return this.transmitter.sign({ typ: "secevent+jwt" }, claims);
  }

  /** A configuration that also takes logout tokens of the issuer. */
  configurationWithLogout() {
    const configuration = this.configuration();
    configuration.transmitters.push({
      issuer: ISSUER,
      audience: "app",
      algorithms: [this.algorithm],
      jwks: { keys: [this.issuer.jwk] },
      speaksFor: [ISSUER],
    });
    return configuration;
  }

  /** A logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4). */
  logout(user, sid) {
    const events = { "http://schemas.openid.net/event/backchannel-logout": {} };
    const [iat, jti] = [seconds(), `logout-${(this.#count += 1)}`];
    return this.issuer.sign({ typ: "logout+jwt" }, { iss: ISSUER, aud: "app", iat, exp: iat + 120, jti, sub: user, sid, events });
  }
}

/** A policy that lets nobody in from outside a named location. */
export const blockedOutside = (id) => ({
  id: "c1f6a3d2-7b8e-4c9d-a0e1-f2031425364a",
  displayName: "Block outside a location",
  state: "enabled",
  conditions: {
    users: { includeUsers: ["All"] },
    applications: { includeApplications: ["All"] },
    clientAppTypes: ["all"],
    locations: { includeLocations: ["All"], excludeLocations: [id] },
  },
  grantControls: { operator: "OR", builtInControls: ["block"] },
});

export const asking = (token, more = {}) =>
  new Request("https://api.example/orders?x=1", { headers: { authorization: `Bearer ${token}`, ...more } });
