// The module answers as the native engine did: the suites `conversation`, `scenarios` and `vectors` (Rust) leave what
// they asked and were answered in target/cae/transcripts, and every line of it is asked again here.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

const cae = createRequire(import.meta.url)("../../target/cae/js/nodejs/cae.js");
const place = (path) => new URL(`../../${path}`, import.meta.url);

const scenarios = readdirSync(place("tests/scenarios")).map((file) => file.replace(/\.json$/, ""));
const tools = ["addresses", "challenges", "events", "policies", "schema", "tokens"].map((name) => `tools-${name}`);

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
const record = (answer) => (answer === null || answer === "failed" ? answer : bytes(answer));
// As in a transcript: bytes are hexadecimal text, and what is undefined is absent.
const plain = (value) =>
  JSON.parse(JSON.stringify(value, (_, member) => (member instanceof Uint8Array ? Buffer.from(member).toString("hex") : member)));

const calls = {
  begin: (engine, { token, now, detail }) => engine.begin(token, now, detail),
  decide: (engine, { handle, now, clientIp, country, path, signature, records, scheme, confirmed, facts, signalAge, detail }) => {
    const more = { scheme, confirmed, facts, signalAge, detail };
    return engine.decide(handle, now, clientIp, country, path, signature, records.map(record), more);
  },
  readEvent: (engine, { set, receivedAt, signature }) => engine.readEvent(set, receivedAt, signature),
  explainEvent: (engine, { text, unsigned, receivedAt, signature, against }) =>
    engine.explainEvent(text, unsigned, receivedAt, signature ?? undefined, against),
  merge: (_, { a, b }) => cae.mergeRecords(bytes(a), bytes(b)) ?? null,
  setKeys: (engine, { issuer, jwks }) => engine.setKeys(issuer, jwks),
  reconfigure: (engine, { configuration }) => engine.reconfigure(configuration),
  outdatedTokens: (engine, { now }) => engine.outdatedTokens(now),
  signIn: (engine, { request }) => engine.signIn(request),
  inspectToken: (engine, { token, now }) => engine.inspectToken(token, now),
  tool: (_, { name, arguments: given }) => cae[name](...given),
};

for (const name of ["conversation", ...scenarios, ...tools]) {
  test(name, () => {
    let engine;
    let asked = 0;
    for (const line of readFileSync(place(`target/cae/transcripts/${name}.jsonl`), "utf8").split("\n")) {
      if (line === "") continue;
      const call = JSON.parse(line);
      if (call.call === "create") {
        // The seed only seeds hash tables: no answer depends on it.
        engine = new cae.Engine(call.configuration, 7n);
        continue;
      }
      asked += 1;
      assert.deepEqual(plain(calls[call.call](engine, call)), call.answer, `line ${asked}, ${call.call}`);
    }
    assert.ok(asked > 0, "the transcript asks nothing");
  });
}
