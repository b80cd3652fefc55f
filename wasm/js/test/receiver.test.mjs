import assert from "node:assert/strict";
import { test } from "node:test";

import { MemoryStore, createEngine, poll, receiveLogout, receivePush } from "cae";

import { ISSUER, TRANSMITTER, World, asking, seconds } from "./world.mjs";

async function start(options) {
  const world = await World.make();
  return { world, engine: await createEngine(world.configuration(), options), store: new MemoryStore() };
}

const pushed = (set, more = {}, method = "POST") =>
  new Request("https://api.example/events/own", {
    method,
    headers: { "content-type": "application/secevent+jwt", ...more },
    ...(method === "POST" ? { body: set } : {}),
  });

test("a pushed event is merged before it is accepted, and what is wrong has its code", async () => {
  const { world, engine, store } = await start();
  const options = { store, transmitter: TRANSMITTER, token: "secret" };
  const token = await world.token("adele");
  const bearer = { authorization: "Bearer secret" };
  assert.equal((await engine.authorize(asking(token), { store })).outcome, "allow");
  const set = await world.set("adele");
  for (const authorization of ["", "Bearer", "Bearer secre", "Bearer secret2", "secret"]) {
    assert.equal((await receivePush(engine, pushed(set, { authorization }), options)).status, 401);
  }
  assert.equal((await engine.authorize(asking(token), { store })).outcome, "allow");
  const answer = await receivePush(engine, pushed(`${set}\n`, bearer), options);
  assert.deepEqual([answer.status, await answer.text()], [202, ""]);
  assert.equal((await engine.authorize(asking(token), { store })).status, 401);
  assert.equal((await receivePush(engine, pushed(set, bearer), options)).status, 202, "again");

  const stranger = await World.make();
  const wrong = [
    ["no SET", "invalid_request"],
    [await stranger.set("adele"), "authentication_failed"],
    [await world.set("adele", "session-revoked", { aud: "https://other.example" }), "invalid_audience"],
    [await world.set("adele", "session-revoked", { iss: "https://other.example" }), "invalid_issuer"],
  ];
  for (const [body, code] of wrong) {
    const refused = await receivePush(engine, pushed(body, bearer), options);
    assert.equal(refused.status, 400);
    assert.equal(refused.headers.get("content-language"), "en");
    const { err, description } = await refused.json();
    assert.equal(err, code);
    assert.ok(description.length > 0);
  }
  const another = await receivePush(engine, pushed(await world.set("adele"), bearer), { ...options, transmitter: "https://other.example" });
  assert.equal((await another.json()).err, "invalid_issuer");
  assert.equal((await receivePush(engine, pushed("", bearer, "GET"), options)).status, 405);
  assert.equal((await receivePush(engine, pushed("x".repeat(1_200_000), bearer), options)).status, 413);
  const kind = await receivePush(engine, pushed(set, { ...bearer, "content-type": "application/json" }), options);
  assert.equal((await kind.json()).err, "invalid_request");
});

test("what could not be kept is not acknowledged", async () => {
  const { world, engine } = await start();
  const failing = { get: async (keys) => keys.map(() => null), merge: () => Promise.reject(new Error("full")) };
  const answer = await receivePush(engine, pushed(await world.set("adele")), { store: failing, transmitter: TRANSMITTER });
  assert.equal(answer.status, 503);
  assert.ok(answer.headers.has("retry-after"));
  await assert.rejects(engine.readEvent(await world.set("adele"), { store: failing }), { code: "store" });
});

test("a session that its provider ended is over", async () => {
  const { world, store } = await start();
  const engine = await createEngine(world.configurationWithLogout());
  const token = await world.token("adele", { sid: "s-1" });
  assert.equal((await engine.authorize(asking(token), { store })).outcome, "allow");
  const logout = await world.logout("adele", "s-1");
  const form = (body) =>
    new Request("https://api.example/logout", { method: "POST", body, headers: { "content-type": "application/x-www-form-urlencoded" } });
  for (const body of ["", "logout_token=", `logout_token=${logout}&logout_token=${logout}`, `logout_token=${logout}x`]) {
    const refused = await receiveLogout(engine, form(body), { store });
    assert.equal(refused.status, 400, body.slice(0, 30));
    assert.equal((await refused.json()).error, "invalid_request");
  }
  assert.equal((await engine.authorize(asking(token), { store })).outcome, "allow");
  const answer = await receiveLogout(engine, form(`logout_token=${logout}`), { store });
  assert.equal(answer.status, 200, await answer.clone().text());
  assert.equal((await engine.authorize(asking(token), { store })).status, 401);
});

test("a poll takes what waits, acknowledges what was merged, and tells what was wrong", async () => {
  const { world, engine, store } = await start();
  const waiting = new Map();
  for (let turn = 0; turn < 25; turn += 1) waiting.set(`e-${turn}`, await world.set(`user-${turn}`));
  waiting.set("broken", "no SET");
  const errors = {};
  const questions = [];
  const fetch = async (url, init) => {
    assert.equal(url, "https://ssf.example/poll");
    assert.equal(init.headers.authorization, "Bearer t");
    const question = JSON.parse(init.body);
    questions.push(question);
    for (const name of question.ack) assert.ok(waiting.delete(name), name);
    for (const [name, error] of Object.entries(question.setErrs)) {
      errors[name] = error;
      waiting.delete(name);
    }
    const sets = Object.fromEntries([...waiting].slice(0, question.maxEvents));
    return Response.json({ sets, moreAvailable: waiting.size > Object.keys(sets).length });
  };
  let merges = 0;
  const counting = { get: (keys) => store.get(keys), merge: (changes) => ((merges += 1), store.merge(changes)) };
  const options = { store: counting, transmitter: TRANSMITTER, endpoint: "https://ssf.example/poll", token: "t", most: 10, fetch };
  const polled = await poll(engine, options);
  assert.deepEqual(polled, { accepted: 25, rejected: 1, hasMore: false });
  assert.equal(merges, 3, "one for each answer");
  assert.equal(waiting.size, 0);
  assert.equal(errors.broken.err, "invalid_request");
  assert.ok(questions.every((question) => question.returnImmediately));
  assert.equal((await engine.authorize(asking(await world.token("user-24")), { store })).status, 401);
  questions.length = 0;
  await poll(engine, options);
  assert.equal(questions.length, 1, "nothing to acknowledge");

  // Nothing is acknowledged that could not be kept.
  waiting.set("e", await world.set("user"));
  const failing = { get: store.get.bind(store), merge: () => Promise.reject(new Error("full")) };
  await assert.rejects(poll(engine, { ...options, store: failing }), { code: "store" });
  assert.equal(waiting.size, 1);
  // Where the engine gives no answer to one, the others take effect all the same; nothing is acknowledged.
  const sets = [await world.set("early"), null, await world.set("late")];
  await assert.rejects(engine.readEvents(sets, { store, transmitter: TRANSMITTER }), { code: "engine.fault" });
  for (const user of ["early", "late"]) {
    assert.equal((await engine.authorize(asking(await world.token(user)), { store })).status, 401);
  }
  // A transmitter that never ends is not followed for ever, one that answers nonsense is told apart.
  const endless = async () => Response.json({ sets: { "no": "no SET" }, moreAvailable: true });
  assert.deepEqual(await poll(engine, { ...options, rounds: 3, fetch: endless }), { accepted: 0, rejected: 4, hasMore: true });
  await assert.rejects(poll(engine, { ...options, fetch: async () => new Response("", { status: 500 }) }), { code: "remote" });
  await assert.rejects(poll(engine, { ...options, fetch: async () => Response.redirect("https://evil.example") }), { code: "remote" });
  assert.deepEqual(await poll(engine, { ...options, fetch: async () => Response.json([]) }), { accepted: 0, rejected: 0, hasMore: false });
});
