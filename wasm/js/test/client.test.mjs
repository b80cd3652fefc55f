import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { MemoryStore, createEngine } from "cae";
import { fetchWithClaims, parseChallenge } from "cae/client";

import { World } from "./world.mjs";

const answer = (header) => new Response(null, { status: 401, headers: { "www-authenticate": header } });
const encoded = (claims) => Buffer.from(JSON.stringify(claims)).toString("base64");

test("a challenge is found among others, in every form that APIs write", () => {
  const claims = { access_token: { nbf: { essential: true, value: "1" } } };
  const base64 = encoded(claims);
  const found = [
    `Bearer realm="", authorization_uri="https://login.example/authorize", error="insufficient_claims", claims="${base64}"`,
    `bearer error=insufficient_claims, claims="${base64}"`,
    `Bearer error="invalid_token", claims=${base64.replaceAll("=", "")}`,
    `Basic realm="a, Bearer b", Bearer claims="${base64}", error="insufficient_claims"`,
    `Negotiate, Bearer error="insufficient_claims", claims="${base64}"`,
    `Bearer error="insufficient_claims", error_description="a \\"quoted\\" word, claims=1", claims="${base64}"`,
    `Bearer error="insufficient_claims" ,claims = ${JSON.stringify(JSON.stringify(claims))}`,
  ];
  for (const header of found) assert.deepEqual(JSON.parse(parseChallenge(answer(header))?.claims ?? "0"), claims, header);
  const first = parseChallenge(answer(found[0]));
  assert.deepEqual([first.error, first.authorizationUri], ["insufficient_claims", "https://login.example/authorize"]);
  const none = [
    "Bearer",
    'Bearer error="invalid_token"',
    `Basic error="insufficient_claims", claims="${base64}"`,
    `Bearer claims="${base64}"`,
    `Bearer error="other", claims="${base64}"`,
    ...["%%%", encoded([1]), Buffer.from("no JSON").toString("base64")].map((it) => `Bearer error="insufficient_claims", claims="${it}"`),
    `Bearer error="insufficient_claims", claims="${base64}", claims="${encoded({})}"`,
    `Bearer error="insufficient_claims", claims="${base64}`,
    `Bearer error="insufficient_claims", x="${"y".repeat(70_000)}", claims="${base64}"`,
    "\\",
    ",,,",
  ];
  for (const header of none) assert.equal(parseChallenge(header), undefined, header);
  assert.equal(parseChallenge(new Response(null)), undefined);
  assert.equal(parseChallenge(null), undefined);
});

const transcript = new URL("../../../target/cae/transcripts/tools-challenges.jsonl", import.meta.url);

test("it finds the claims that the engine finds", { skip: !existsSync(transcript) && "the tests in Rust did not run" }, () => {
  let compared = 0;
  for (const line of readFileSync(transcript, "utf8").split("\n").filter(Boolean)) {
    const { arguments: [header], answer } = JSON.parse(line);
    const { status, claims } = JSON.parse(answer);
    // What is no JSON is told to people by the engine, and to no issuer by a client.
    assert.equal(parseChallenge(header)?.claims, status === "found" ? (claims ?? undefined) : undefined, header);
    compared += 1;
  }
  // As many as the project's own data holds; where there is more, more are compared.
  assert.ok(compared >= 8);
});

test("a request is repeated once with the token that the challenge asks for", async () => {
  const world = await World.make();
  const engine = await createEngine(world.configuration());
  const store = new MemoryStore();
  const served = [];
  const api = async (request) => {
    const authorization = await engine.authorize(request, { store });
    if (!authorization.isAllowed) return authorization.response();
    served.push([request.method, await request.text(), authorization.presenter.subject]);
    return new Response("served");
  };
  const asked = [];
  const first = await world.token("adele");
  const acquire = async (claims) => {
    asked.push(claims);
    return claims === undefined ? first : world.token("adele", { iat: Math.floor(Date.now() / 1000) + 1 });
  };
  const send = fetchWithClaims(acquire, api);
  assert.equal(await (await send("https://api.example/orders")).text(), "served");
  await engine.readEvent(await world.set("adele"), { store });
  const response = await send("https://api.example/orders", { method: "PUT", body: "an order" });
  assert.equal(await response.text(), "served");
  assert.deepEqual(served, [["GET", "", "adele"], ["PUT", "an order", "adele"]]);
  assert.deepEqual(asked.map((claims) => claims === undefined), [true, true, false]);
  // A user who has to sign in again is told so; an API that is never content is asked twice, no more.
  const tired = fetchWithClaims((claims) => (claims === undefined ? Promise.resolve(first) : Promise.reject(new Error("sign in"))), api);
  await assert.rejects(tired("https://api.example/orders"), /sign in/);
  const stubborn = fetchWithClaims(() => Promise.resolve(first), api);
  assert.equal((await stubborn("https://api.example/orders")).status, 401);
});
