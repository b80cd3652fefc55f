// A client of an API that knows no more of CAE than @azure/core-rest-pipeline does.
//
//   core_rest_pipeline.mjs API_URL TOKEN_ENDPOINT USER
//
// Reads paths from standard input and prints `STATUS TOKENS` for each: the status, and how many tokens the issuer was asked
// for so far; `interaction` instead of the status where the issuer wants the user to sign in again. It insists on https.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../target/node/package.json", import.meta.url));
const { bearerTokenAuthenticationPolicy, createDefaultHttpClient, createEmptyPipeline, createPipelineRequest } =
  require("@azure/core-rest-pipeline");

const [api, endpoint, user] = process.argv.slice(2);

let asked = 0;
let answer;
let wantsInteraction = false;

async function ask(form, claims) {
  asked += 1;
  const request = claims ? JSON.parse(claims) : {};
  request.access_token = { ...request.access_token, xms_cc: { values: ["cp1"] } };
  const body = new URLSearchParams({ ...form, client_id: "app", claims: JSON.stringify(request) });
  const reply = await fetch(endpoint, { method: "POST", body });
  const issued = await reply.json();
  wantsInteraction = reply.status !== 200;
  if (wantsInteraction) throw new Error(issued.error);
  return issued;
}

const credential = {
  async getToken(_scopes, options) {
    if (answer === undefined) answer = await ask({ grant_type: "password", username: user });
    else if (options?.claims) {
      const form = { grant_type: "refresh_token", refresh_token: answer.refresh_token };
      answer = { ...answer, ...(await ask(form, options.claims)) };
    }
    return { token: answer.access_token, expiresOnTimestamp: Date.now() + answer.expires_in * 1000 };
  },
};

const pipeline = createEmptyPipeline();
pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: "scope" }));
const client = createDefaultHttpClient();

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const reply = await pipeline.sendRequest(client, createPipelineRequest({ url: api + line }));
    const lost = reply.status === 401 && wantsInteraction;
    console.log(lost ? "interaction" : reply.status, asked);
  } catch (error) {
    console.log(wantsInteraction ? "interaction" : `failed: ${error.message}`, asked);
  }
}
