import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";

import { MemoryStore, createEngine } from "cae";
import { compileEngine } from "cae/compile";

import { packageFolder, temporary } from "./packed.mjs";
import { World, asking } from "./world.mjs";

const parts = Object.fromEntries(["engine", "prepared"].map((name) => [name, readFileSync(join(packageFolder, `dist/wasm/${name}.wasm`))]));

let world;
before(async () => {
  world = await World.make();
});

const compiled = (configuration) => WebAssembly.compile(compileEngine(configuration, parts));

test("a compiled engine decides, reads events and merges", async () => {
  const engine = await createEngine(await compiled(world.configuration()));
  const store = new MemoryStore();
  const [token, other] = [await world.token("adele"), await world.token("bruno")];
  for (const it of [token, other]) assert.equal((await engine.authorize(asking(it), { store })).outcome, "allow");
  assert.equal((await engine.readEvent(await world.set("adele"), { store })).kind, "accepted");
  assert.equal((await engine.authorize(asking(token), { store })).status, 401);
  assert.equal((await engine.authorize(asking(other), { store })).outcome, "allow");
  assert.ok(engine.isCompiled);
  await assert.rejects(engine.explain(asking(token), { store }), { code: "argument" });
});

test("settings come with it", async () => {
  const down = { get: () => Promise.reject(new Error("down")) };
  const token = await world.token("adele");
  for (const onError of ["allow", "deny"]) {
    const configuration = world.configuration({ settings: { onError } });
    const [here, there] = [await createEngine(configuration), await createEngine(await compiled(configuration))];
    const outcomes = await Promise.all([here, there].map(async (engine) => (await engine.authorize(asking(token), { store: down })).outcome));
    assert.equal(outcomes[0], outcomes[1]);
  }
});

test("a compiled engine and one that reads its configuration live side by side", async () => {
  const first = await createEngine(await compiled(world.configuration()));
  const second = await createEngine(world.configuration());
  const store = new MemoryStore();
  const token = await world.token("adele");
  for (const engine of [first, second]) assert.equal((await engine.authorize(asking(token), { store })).outcome, "allow");
});

test("the same configuration comes to the same bytes, and nothing of its text is left in them", () => {
  const marked = { ...world.configuration(), $schema: "https://example.com/a-text-that-the-engine-does-not-keep" };
  const bytes = compileEngine(marked, parts);
  assert.deepEqual(bytes, compileEngine(JSON.stringify(marked), parts));
  assert.ok(!Buffer.from(bytes).includes("a-text-that-the-engine-does-not-keep"));
});

test("a faulty configuration is told with every fault; a module that is none of ours is refused", async () => {
  const faulty = world.configuration();
  faulty.issuers[0].algorithms = ["none"];
  delete faulty.resource.audiences;
  assert.throws(() => compileEngine(faulty, parts), (error) => {
    assert.equal(error.code, "configuration");
    const places = error.faults.map(({ at }) => at);
    assert.ok(places.some((at) => at.startsWith("/issuers/0/algorithms")) && places.some((at) => at.startsWith("/resource")), places.join());
    return true;
  });
  for (const module of [Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), parts.engine]) {
    await assert.rejects(createEngine(await WebAssembly.compile(module)), { code: "argument" });
  }
});

test("cae-compile writes the module, and says what is wrong", () => {
  const folder = temporary();
  const [file, target] = [join(folder, "engine.json"), join(folder, "build/engine.wasm")];
  const run = (...parameters) => spawnSync(process.execPath, [join(packageFolder, "dist/compile.js"), ...parameters], { encoding: "utf8" });
  writeFileSync(file, JSON.stringify(world.configuration()));
  const said = execFileSync(process.execPath, [join(packageFolder, "dist/compile.js"), file, target], { encoding: "utf8" });
  assert.match(said, /build\/engine\.wasm: \d+ bytes, \d+ gzipped/);
  assert.deepEqual(readFileSync(target), Buffer.from(compileEngine(world.configuration(), parts)));
  assert.equal(run().status, 2);
  assert.equal(run(join(folder, "absent.json"), target).status, 2);
  writeFileSync(file, "{}");
  const refused = run(file, target);
  assert.deepEqual([refused.status, refused.stdout], [1, ""]);
  assert.match(refused.stderr, /^\/issuers: .*\[configuration\.missing_member\]/);
});
