import { ServiceClient, authorizeRequestOnClaimChallenge, createSerializer } from "@azure/core-client";
import { bearerTokenAuthenticationPolicy, bearerTokenAuthenticationPolicyName } from "@azure/core-rest-pipeline";

import { Credential, api, converse } from "./session.mjs";

const credential = new Credential();
const scopes = ["api://orders/.default"];
let client;
const renew = () => {
  client = new ServiceClient({ baseUri: api, credential, credentialScopes: scopes });
  client.pipeline.removePolicy({ name: bearerTokenAuthenticationPolicyName });
  const challengeCallbacks = { authorizeRequestOnChallenge: authorizeRequestOnClaimChallenge };
  client.pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes, challengeCallbacks }));
};
renew();
const operation = (path) => ({ path, httpMethod: "GET", responses: { 200: {}, default: { isError: true } }, serializer: createSerializer() });
await converse(
  credential,
  async (url) => {
    let status;
    const onResponse = (response) => (status = response.status);
    await client.sendOperationRequest({ options: { onResponse } }, operation(new URL(url).pathname)).catch((error) => {
      status = error.statusCode ?? status;
      if (status === undefined) throw error;
    });
    return status;
  },
  renew,
);
