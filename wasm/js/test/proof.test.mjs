import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { MemoryStore, createEngine } from "cae";

import { World, makeKey, seconds } from "./world.mjs";

const digest = (text) => createHash("sha256").update(text).digest("base64url");

for (const algorithm of ["ES256", "EdDSA", "RS256"]) {
  test(`a token that is bound to a key passes with its proof alone: ${algorithm}`, async () => {
    const world = await World.make();
    const engine = await createEngine(world.configuration());
    const store = new MemoryStore();
    const key = await makeKey(undefined, algorithm);
    const { kid: _, use: __, alg: ___, ...jwk } = key.jwk;
    const jkt = digest(JSON.stringify(Object.fromEntries(Object.entries(jwk).sort(([a], [b]) => (a < b ? -1 : 1)))));
    const token = await world.token("adele", { cnf: { jkt } });
    let count = 0;
    const proof = (claims = {}, header = {}, signer = key) =>
      signer.sign(
        { typ: "dpop+jwt", kid: undefined, jwk, ...header },
        { jti: `p-${(count += 1)}`, htm: "GET", htu: "https://api.example/orders", iat: seconds(), ath: digest(token), ...claims },
      );
    const ask = async (dpop, scheme = "DPoP") => {
      const headers = new Headers({ authorization: `${scheme} ${token}` });
      for (const one of [dpop].flat()) if (one !== undefined) headers.append("dpop", one);
      const answer = await engine.authorize(new Request("https://api.example/orders?x=1", { headers }), { store });
      return answer.outcome;
    };
    const good = await proof();
    assert.equal(await ask(good), "allow");
    assert.equal(await ask(await proof()), "allow");
    assert.equal(await ask(good), "deny", "each is good once");
    assert.equal(await ask(await proof(), "Bearer"), "deny", "not as a bearer token");
    const other = await makeKey(undefined, algorithm);
    const wrong = [
      undefined,
      "",
      "a.b.c",
      [await proof(), await proof()],
      await proof({ htm: "POST" }),
      await proof({ htu: "https://api.example/other" }),
      await proof({ htu: "https://evil.example/orders" }),
      await proof({ iat: seconds() - 100 }),
      await proof({ iat: seconds() + 100 }),
      await proof({ ath: digest("other") }),
      await proof({ ath: undefined }),
      await proof({ jti: "" }),
      await proof({}, { typ: "jwt" }),
      await proof({}, { crit: ["x"] }),
      await proof({}, { alg: "HS256" }),
      await proof({}, { alg: "none" }),
      await proof({}, { jwk: { ...jwk, d: "AAAA" } }),
      await proof({}, {}, other),
      await proof({}, { jwk: other.jwk }, other),
    ];
    for (const [place, one] of wrong.entries()) assert.equal(await ask(one), "deny", `number ${place}`);
    assert.equal(await ask(await proof({ htu: "https://API.example/orders#x" })), "allow");
  });
}

test("a token that is bound to a certificate passes with its thumbprint", async () => {
  const world = await World.make();
  const engine = await createEngine(world.configuration());
  const thumbprint = digest("certificate");
  const token = await world.token("adele", { cnf: { "x5t#S256": thumbprint } });
  const request = new Request("https://api.example/", { headers: { authorization: `Bearer ${token}` } });
  const ask = async (certificate) =>
    (await engine.authorize(request, { store: new MemoryStore(), ...(certificate === undefined ? {} : { certificate }) })).outcome;
  assert.deepEqual([await ask(thumbprint), await ask(digest("other")), await ask(undefined)], ["allow", "deny", "deny"]);
});
