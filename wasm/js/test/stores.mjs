// What every store has to keep, whatever it is made of.

import assert from "node:assert/strict";
import { createEngine } from "cae";

import { World } from "./world.mjs";

/** Changes of really signed events: one user, many events. */
export async function changesOf(count, user = "adele") {
  const world = await World.make();
  const engine = await createEngine(world.configuration());
  const found = [];
  const collecting = { get: async (keys) => keys.map(() => null), merge: async (changes) => void found.push(changes) };
  const types = ["session-revoked", "credential-change", "assurance-level-change", "token-claims-change"];
  for (let turn = 0; turn < count; turn += 1) {
    const type = types[turn % types.length];
    const uri = `https://schemas.openid.net/secevent/caep/event-type/${type}`;
    const body = {
      "session-revoked": {},
      "credential-change": { credential_type: "password", change_type: "update" },
      "assurance-level-change": { namespace: "NIST-AAL", current_level: "nist-aal1", change_direction: "decrease" },
      "token-claims-change": { claims: { [`role-${turn}`]: "x" } },
    }[type];
    const at = Math.floor(Date.now() / 1000) - turn;
    const received = await engine.readEvent(await world.set(user, type, { events: { [uri]: { event_timestamp: at, ...body } } }), { store: collecting });
    assert.equal(received.kind, "accepted", JSON.stringify(received));
  }
  return found;
}

/** The bytes that every order of the changes comes to. */
export async function joined(lists) {
  const { MemoryStore } = await import("cae");
  const store = new MemoryStore();
  for (const changes of lists) await store.merge(changes);
  return store;
}

const text = (record) => (record === null ? null : Buffer.from(record).toString("hex"));

/** Profile of stores that write: what was merged is there, and no update is ever lost. */
export async function conformsReadWrite(makeClient) {
  const lists = await changesOf(24);
  const keys = [...new Set(lists.flat().map((change) => change.key))];
  const absent = "0".repeat(32);
  const clients = await Promise.all([1, 2, 3, 4].map(() => makeClient()));
  const [store] = clients;
  assert.deepEqual(await store.get([absent, ...keys]), [null, ...keys.map(() => null)]);
  assert.deepEqual(await store.get([]), []);
  await store.merge([]);

  // Many writers at once, each change from two of them, in any order.
  const work = lists.flatMap((changes, turn) => [clients[turn % 4].merge(changes), clients[(turn + 1) % 4].merge(changes)]);
  await Promise.all(work);
  const expected = await joined(lists);
  for (const client of clients) {
    assert.deepEqual((await client.get(keys)).map(text), (await expected.get(keys)).map(text));
  }
  // Of one record twice at once, neither is lost.
  const [, [{ key }]] = lists;
  const same = lists.flat().filter((change) => change.key === key);
  assert.ok(same.length > 1);
  const third = "3".repeat(32);
  await store.merge(same.map(({ record }) => ({ key: third, record })));
  assert.deepEqual((await store.get([third])).map(text), (await expected.get([key])).map(text));
  // Again: nothing changes. In the order of the keys, also where one is asked twice.
  await store.merge(lists[0]);
  const twice = [keys[0], absent, keys[0]];
  assert.deepEqual((await store.get(twice)).map(text), (await expected.get(twice)).map(text));
  // What is no record is not taken in, and nothing of what came with it.
  const other = "f".repeat(32);
  await assert.rejects(store.merge([{ key: other, record: lists[0][0].record }, { key: absent, record: Uint8Array.of(0xff) }]));
  assert.deepEqual(await store.get([absent]), [null]);
}

/**
 * Profile of stores that are read only, beside the one that is written: an answer may be older by at most `seconds`, and
 * a record that was seen is never gone.
 */
export async function conformsReadOnly(origin, reader, seconds) {
  const lists = await changesOf(8, "reader");
  const keys = [...new Set(lists.flat().map((change) => change.key))];
  assert.deepEqual((await reader.get(keys)).map(text), keys.map(() => null));
  for (const changes of lists) {
    const merged = Date.now();
    await origin.merge(changes);
    const expected = (await origin.get(keys)).map(text).join();
    for (;;) {
      const seen = await reader.get(keys);
      if (seen.map(text).join() === expected) break;
      assert.ok(Date.now() - merged < seconds * 1000 + 500, "staler than it may be");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
