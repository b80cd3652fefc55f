// What every runtime has to do with the package; it throws where one does not.
//
// Loaded once, and only when it is needed: calls that compile a module are counted from before the package is imported.

/** Node's own `fetch` compiles a module too: a small one. */
const LARGE = 100_000;
let compiled = 0;
for (const name of ["compile", "compileStreaming"]) {
  const compile = WebAssembly[name];
  if (compile === undefined) continue;
  WebAssembly[name] = (source) => {
    if (!(source.byteLength < LARGE)) compiled += 1;
    return compile.call(WebAssembly, source);
  };
}
const isEqual = (found, expected, what) => {
  if (found !== expected) throw new Error(`${what}: ${found}, not ${expected}`);
};

const { ConfigurationError, MemoryStore, createEngine, parseChallenge } = await import("cae");
const { fetchWithClaims } = await import("cae/client");
await import("cae/live");
await import("cae/remote");
await import("cae/redis");
const { World, asking } = await import("../world.mjs");

export async function check() {
  isEqual(compiled, 0, "modules compiled by importing");
  const world = await World.make();
  const store = new MemoryStore();
  const token = await world.token("adele");
  const [engine, another] = await Promise.all([createEngine(world.configuration()), createEngine(world.configuration())]);
  isEqual(compiled, 1, "modules compiled by two engines");
  isEqual((await engine.authorize(asking(token), { store })).outcome, "allow", "a token");
  isEqual((await engine.readEvent(await world.set("adele"), { store })).kind, "accepted", "an event");
  const refused = await another.authorize(asking(token), { store });
  isEqual(refused.status, 401, "a token after the event");
  isEqual(parseChallenge(refused.response()) === undefined, false, "its challenge");
  isEqual(compiled, 1, "modules compiled by authorizing, and by merging");
  const api = async (request) => {
    const answer = await engine.authorize(request, { store });
    return answer.isAllowed ? new Response(answer.presenter.subject) : answer.response();
  };
  const renew = (claims) => (claims === undefined ? token : world.token("adele", { iat: Math.floor(Date.now() / 1000) + 1 }));
  const served = await fetchWithClaims(async (claims) => renew(claims), api)("https://api.example/orders");
  isEqual(await served.text(), "adele", "a client that takes the challenge");
  for (const algorithm of ["ES256", "EdDSA", "RS256", "PS256"]) {
    const signed = await World.make(algorithm);
    const made = await createEngine(signed.configuration());
    const answer = await made.authorize(asking(await signed.token("bruno")), { store: new MemoryStore() });
    isEqual(answer.outcome, "allow", algorithm);
  }
  const fault = await createEngine({ ...world.configuration(), more: 1 }).catch((error) => error);
  isEqual(fault instanceof ConfigurationError && fault.faults.map(({ at }) => at).join(), "/more", "a faulty configuration");
  isEqual(compiled, 1, "modules compiled by all that");
  const explained = await engine.explain(asking(token), { store });
  isEqual(Array.isArray(explained.evaluation.checks), true, "an explanation");
  await engine.explain(asking(token), { store });
  await engine.whatIf({ policies: [] });
  isEqual(compiled, 2, "modules compiled by explaining");
}
