import { bearerTokenAuthenticationPolicy, createDefaultHttpClient, createEmptyPipeline, createPipelineRequest } from "@azure/core-rest-pipeline";

import { Credential, converse } from "./session.mjs";

const credential = new Credential();
const client = createDefaultHttpClient();
let pipeline;
const renew = () => {
  pipeline = createEmptyPipeline();
  pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: "api://orders/.default" }));
};
renew();
await converse(credential, async (url) => (await pipeline.sendRequest(client, createPipelineRequest({ url }))).status, renew);
