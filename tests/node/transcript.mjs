// Asks the JavaScript build of the engine the questions of a transcript and compares every answer.
//
// usage: node transcript.mjs PACKAGE TRANSCRIPT.jsonl...
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, resolve } from "node:path";
import test from "node:test";

const [, , location, ...transcripts] = process.argv;
const cae = createRequire(import.meta.url)(resolve(location));

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
const hex = (record) => Buffer.from(record).toString("hex");
const plain = (value) => JSON.parse(JSON.stringify(value, (_, v) => (v instanceof Uint8Array ? hex(v) : v)));
const record = (answer) => (answer === null ? null : answer === "failed" ? undefined : bytes(answer));

const calls = {
  begin: (engine, { token, now, detail }) => engine.begin(token, now, detail),
  decide: (engine, call) =>
    engine.decide(
      call.handle, call.now, call.clientIp, call.country, call.path, call.signature, call.records.map(record),
      { scheme: call.scheme, confirmed: call.confirmed, facts: call.facts, signalAge: call.signalAge, detail: call.detail },
    ),
  readEvent: (engine, { set, receivedAt, signature }) => engine.readEvent(set, receivedAt, signature),
  merge: (engine, { a, b }) => engine.merge(bytes(a), bytes(b)) ?? null,
  setKeys: (engine, { issuer, jwks }) => engine.setKeys(issuer, jwks),
  reconfigure: (engine, { configuration }) => engine.reconfigure(configuration),
  signIn: (engine, { request }) => engine.signIn(request),
  inspectToken: (engine, { token, now }) => engine.inspectToken(token, now),
  tool: (_, { name, arguments: given }) => cae[name](...given),
};

for (const file of transcripts) {
  test(basename(file, ".jsonl"), () => {
    let engine;
    let asked = 0;
    for (const line of readFileSync(file, "utf8").split("\n").filter(Boolean)) {
      const call = JSON.parse(line);
      if (call.call === "create") {
        engine = new cae.Engine(call.configuration, 0n);
        continue;
      }
      assert.deepEqual(plain(calls[call.call](engine, call)), call.answer, `answer ${asked} (${call.call})`);
      asked += 1;
    }
    assert.ok(asked > 0, "the transcript asks nothing");
  });
}
