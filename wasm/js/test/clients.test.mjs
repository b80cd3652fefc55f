import { readFileSync } from "node:fs";
import { createServer as createPlain } from "node:http";
import { createServer } from "node:https";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";

import { MemoryStore, createEngine, receivePush } from "cae";
import { fromFetch, protectListener } from "cae/node";

import { CLIENTS, certificate, takesTheChallenge, withoutCertificates } from "./clients.mjs";
import { Issuer, withoutCae } from "./process.mjs";

describe("real clients take the challenge", { skip: withoutCae || withoutCertificates, concurrency: true }, () => {
  const made = { ending: [] };
  before(async () => {
    const issuer = await Issuer.start();
    const engine = await createEngine(issuer.configuration());
    const store = new MemoryStore();
    const { key, cert } = certificate();
    const serve = async (server) => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      made.ending.push(() => server.closeAllConnections(), () => server.close());
      return server.address().port;
    };
    const answer = protectListener(engine, { store }, (_, response, { presenter }) => response.end(JSON.stringify({ subject: presenter.subject })));
    const api = await serve(createServer({ key: readFileSync(key), cert: readFileSync(cert) }, answer));
    const receive = fromFetch((request) => receivePush(engine, request, { store, transmitter: issuer.url, token: "secret" }));
    const events = await serve(createPlain(receive));
    await issuer.push(`http://127.0.0.1:${events}/`, "Bearer secret");
    Object.assign(made, { issuer, api: `https://localhost:${api}`, trusted: cert });
  });
  after(async () => {
    for (const end of made.ending) end();
    await made.issuer?.stop();
  });

  for (const name of CLIENTS) test(name, () => takesTheChallenge(name, made));
});
