// A workload with MSAL, which leaves the challenge to the application: `parseChallenge` finds its claims.

import { ConfidentialClientApplication } from "@azure/msal-node";
import { parseChallenge } from "cae/client";

import { converse, issuer, user } from "./session.mjs";

/** MSAL insists on https and on a path. The issuer is on this machine, where nobody ends TLS and nobody needs a path. */
const there = (url) => url.replace("https://", "http://").replace("/dev/", "/");
let asked = 0;
const send = async (method, url, options = {}) => {
  if (method === "POST") asked += 1;
  const reply = await fetch(there(url), { method, headers: options.headers, body: options.body });
  const text = await reply.text();
  return { status: reply.status, headers: Object.fromEntries(reply.headers), body: JSON.parse(text.replaceAll("http://", "https://")) };
};
const networkClient = {
  sendGetRequestAsync: (url, options) => send("GET", url, options),
  sendPostRequestAsync: (url, options) => send("POST", url, options),
};

const authority = `${issuer.replace("http://", "https://")}/dev`;
const make = () =>
  new ConfidentialClientApplication({
    auth: {
      clientId: user,
      clientSecret: "any",
      authority,
      knownAuthorities: [new URL(authority).host],
      clientCapabilities: ["cp1"],
    },
    system: { networkClient, protocolMode: "OIDC" },
  });
let application = make();
const account = { asked: 0, lost: false, signIn: () => (application = make()) };

const tokenFor = async (claims) => {
  try {
    const { accessToken } = await application.acquireTokenByClientCredential({ scopes: ["api://orders/.default"], claims });
    return accessToken;
  } catch (error) {
    account.lost = true;
    throw error;
  } finally {
    account.asked = asked;
  }
};
const get = async (url, token) => fetch(url, { headers: { authorization: `Bearer ${token}` } });

await converse(account, async (url) => {
  const response = await get(url, await tokenFor());
  const challenge = response.status === 401 ? parseChallenge(response) : undefined;
  return challenge === undefined ? response.status : (await get(url, await tokenFor(challenge.claims))).status;
});
