// What a program for Deno says; `deno check` reads it.

import { type Configuration, MemoryStore, createEngine } from "cae";
import { parseChallenge } from "cae/client";
import { protect } from "cae/deno";
import { RemoteStore } from "cae/remote";

const configuration: Configuration = {
  resource: { audiences: ["api://orders"] },
  issuers: [{ issuer: "https://login.example", claims: "keycloak", jwksUri: "https://login.example/keys" }],
};
// @ts-expect-error what no configuration has
const wrong: Configuration = { ...configuration, resources: {} };
const engine = await createEngine(configuration);
const store = Deno.args.length > 0 ? new RemoteStore({ url: Deno.args[0]!, token: "t" }) : new MemoryStore();
const claims: string | undefined = parseChallenge(new Response())?.claims;
console.log(wrong, claims);

Deno.serve(protect(engine, { store }, (_request, { presenter }, info) => new Response(`${presenter?.subject} ${info.remoteAddr.hostname}`)));
