// Asks the package, in whatever runtime this is, what the native engine was asked, and compares the answers.
//
// A transcript has one JSON line per call: `{"call", …arguments, "answer"}`; bytes are hexadecimal text.

import { createEngine } from "cae";

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const recordOf = (answer) => (answer === null || answer === "failed" ? answer : bytesOf(answer));
/** As in a transcript: what is undefined is absent, and the order of members is nobody's. */
const plain = (value) => JSON.stringify(sorted(JSON.parse(JSON.stringify(value, (_, it) => (it instanceof Uint8Array ? hexOf(it) : it)) ?? "null")));

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]));
}

function same(found, expected, where) {
  const [ours, theirs] = [plain(found), plain(expected)];
  if (ours !== theirs) throw new Error(`${where}:\n  ${ours}\nnot\n  ${theirs}`);
}

/** The calls of a module, as a transcript names them. */
const CALLS = {
  begin: (_, engine, { token, now, detail }) => engine.begin(token, now, detail),
  decide: (_, engine, { handle, now, clientIp, country, path, signature, records, ...more }) =>
    engine.decide(handle, now, clientIp, country, path, signature, records.map(recordOf), moreOf(more)),
  readEvent: (_, engine, { set, receivedAt, signature }) => engine.readEvent(set, receivedAt, signature),
  explainEvent: (_, engine, { text, unsigned, receivedAt, signature, against }) =>
    engine.explainEvent(text, unsigned, receivedAt, signature ?? undefined, against),
  merge: (module, _, { a, b }) => module.mergeRecords(bytesOf(a), bytesOf(b)) ?? null,
  setKeys: (_, engine, { issuer, jwks }) => engine.setKeys(issuer, jwks),
  reconfigure: (_, engine, { configuration }) => engine.reconfigure(configuration),
  outdatedTokens: (_, engine, { now }) => engine.outdatedTokens(now),
  signIn: (_, engine, { request }) => engine.signIn(request),
  inspectToken: (_, engine, { token, now }) => engine.inspectToken(token, now),
};
const moreOf = ({ scheme, confirmed, facts, signalAge, detail }) => ({ scheme, confirmed, facts, signalAge, detail });

/** What the larger module does besides. */
const TOOLS = ["explainEvent", "signIn", "inspectToken"];

/**
 * Every call again, byte for byte.
 *
 * @returns How many calls it answered.
 */
export function replayModule(module, lines, isSmall) {
  let engine;
  let answered = 0;
  lines.forEach(({ call, answer, ...given }, line) => {
    if (call === "create") {
      // The seed only seeds hash tables: no answer depends on it.
      engine = new module.Engine(given.configuration, 7n);
      return;
    }
    if (isSmall && TOOLS.includes(call)) return;
    answered += 1;
    same(CALLS[call](module, engine, given), answer, `line ${line + 1}, ${call}`);
  });
  return answered;
}

/** A verdict as an `Authorization` has it. */
const verdictOf = ({ outcome, status, wwwAuthenticate, reasons, revisitAt, mayReuseWithoutEvents }) => ({
  outcome,
  status,
  challenge: wwwAuthenticate,
  reasons,
  revisitAt,
  mayReuseWithoutEvents,
});

/**
 * The same questions to an engine of the package, which checks signatures by itself and asks for records.
 *
 * @param source What an engine is made from, of its configuration; a compiled one does not explain.
 * @returns How many decisions it made and events it read.
 */
export async function replayEngine(lines, source = (configuration) => configuration) {
  let engine;
  let now = 0;
  let answered = 0;
  const begun = new Map();
  const options = { now: () => now };
  for (const [line, { call, answer, ...given }] of lines.entries()) {
    const where = `line ${line + 1}, ${call}`;
    if (call === "create") engine = await createEngine(await source(given.configuration), options);
    if (call === "reconfigure" && answer.length === 0) engine = await createEngine(await source(given.configuration), options);
    if (call === "setKeys" && answer.length === 0) engine.setKeys(given.issuer, given.jwks);
    if (call === "begin" && answer.kind === "needs") begun.set(answer.handle, { token: given.token, records: answer.needs.records });
    if (call === "begin" && answer.kind === "refused") {
      same(judged(await engine.authorize(asking(given.token), { store: storeOf([], []), now: given.now })), verdictOf(answer.verdict), where);
      answered += 1;
    }
    if (call === "decide" && answer.kind === "verdict") {
      await decideAgain(engine, begun.get(given.handle), given, answer.verdict, where);
      answered += 1;
    }
    if (call === "readEvent" && (answer.kind === "accepted" || answer.kind === "rejected")) {
      now = given.receivedAt;
      const changes = [];
      const store = { get: async (keys) => keys.map(() => null), merge: async (list) => void changes.push(...list) };
      const received = await engine.readEvent(given.set, { store });
      same(received, { ...reading(answer), evaluation: JSON.parse(answer.json) }, where);
      same(changes, answer.changes ?? [], where);
      answered += 1;
    }
  }
  return answered;
}

async function decideAgain(engine, { token, records }, given, verdict, where) {
  const changes = [];
  const { now, clientIp, country, path, scheme = "Bearer", confirmed, facts, signalAge } = given;
  const store = { ...storeOf(records, given.records.map(recordOf)), merge: async (list) => void changes.push(...list) };
  const asked = { store, now, clientIp, country, path, confirmed, facts, signalAge };
  const decided = await engine.authorize(asking(token, scheme), asked);
  same(judged(decided), verdictOf(verdict), where);
  same(changes, verdict.changes, where);
  if (given.detail !== "explain" || engine.isCompiled) return;
  const explained = await engine.explain(asking(token, scheme), asked);
  same(judged(explained), verdictOf(verdict), where);
  if (JSON.stringify(explained.evaluation) !== verdict.json) throw new Error(`${where}: another evaluation`);
}

const judged = ({ outcome, status, challenge, reasons, revisitAt, mayReuseWithoutEvents }) => ({
  outcome,
  status,
  challenge,
  reasons,
  revisitAt,
  mayReuseWithoutEvents,
});

const reading = ({ kind, transmitter, jti, code, description }) =>
  kind === "accepted" ? { kind, transmitter, jti } : { kind, code, description };

const asking = (token, scheme = "Bearer") => ({
  headers: { get: (name) => (name === "authorization" ? `${scheme} ${token}` : null) },
});

/** A store that answers as the transcript says; whoever asks for anything else is told. */
function storeOf(keys, answers) {
  return {
    async get(asked) {
      if (asked.join() !== keys.join()) throw new Error(`asks for ${asked}, not ${keys}`);
      if (answers.includes("failed")) throw new Error("the store is silent");
      return answers;
    },
  };
}

/**
 * Everything about one transcript. `engine` and `tools` are the modules of the package, and how each is instantiated;
 * `compiled` makes the module of an engine with its configuration in it.
 */
export async function replay(text, { engine, tools, compiled }) {
  const lines = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  return {
    engine: replayModule(engine.instantiate(engine.module), lines, true),
    tools: replayModule(tools.instantiate(tools.module), lines, false),
    package: await replayEngine(lines),
    ...(compiled && { compiled: await replayEngine(lines, compiled) }),
  };
}
