import { HttpMethod, RequestInformation } from "@microsoft/kiota-abstractions";
import { AzureIdentityAuthenticationProvider } from "@microsoft/kiota-authentication-azure";
import { FetchRequestAdapter } from "@microsoft/kiota-http-fetchlibrary";

import { Credential, api, converse } from "./session.mjs";

const credential = new Credential();
const hosts = new Set([new URL(api).hostname]);
const provider = new AzureIdentityAuthenticationProvider(credential, ["api://orders/.default"], undefined, hosts);
const adapter = new FetchRequestAdapter(provider);
await converse(credential, async (url) => {
  const request = new RequestInformation(HttpMethod.GET);
  request.URL = url;
  try {
    await adapter.sendNoResponseContent(request, undefined);
    return 200;
  } catch (error) {
    if (error.responseStatusCode === undefined) throw error;
    return error.responseStatusCode;
  }
});
