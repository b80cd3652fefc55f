// What the clients have in common.
//
//   node CLIENT.mjs API_URL ISSUER_URL USER
//
// Each reads paths from standard input and prints `STATUS TOKENS` for each: the status, and how many tokens the issuer was
// asked for so far; `interaction` instead of the status where the issuer wants the user to sign in again. `sign-in`
// signs the user in anew. The API has to be https, as the libraries want it: `NODE_EXTRA_CA_CERTS` names a certificate.

import { createInterface } from "node:readline";

export const [api, issuer, user] = process.argv.slice(2);

/** The issuer wants the user to sign in again. */
export class InteractionRequired extends Error {}

/**
 * A credential as `@azure/identity` has it: it signs in once, then lives on the refresh token, and asks the issuer again
 * only for claims.
 */
export class Credential {
  asked = 0;
  lost = false;
  #answer;

  async getToken(_scopes, options) {
    if (this.#answer === undefined) this.#answer = await this.#ask({ grant_type: "password", username: user });
    else if (options?.claims) {
      const form = { grant_type: "refresh_token", refresh_token: this.#answer.refresh_token };
      this.#answer = { ...this.#answer, ...(await this.#ask(form, options.claims)) };
    }
    return { token: this.#answer.access_token, expiresOnTimestamp: Date.now() + this.#answer.expires_in * 1000 };
  }

  signIn() {
    this.#answer = undefined;
    this.lost = false;
  }

  async #ask(form, claims) {
    this.asked += 1;
    // The capability goes into every claims request, beside what the challenge asks for.
    const request = claims ? JSON.parse(claims) : {};
    request.access_token = { ...request.access_token, xms_cc: { values: ["cp1"] } };
    const body = new URLSearchParams({ ...form, client_id: "app", claims: JSON.stringify(request) });
    const reply = await fetch(`${issuer}/token`, { method: "POST", body });
    const answer = await reply.json();
    if (reply.ok) return answer;
    this.lost = true;
    throw new InteractionRequired(answer.error);
  }
}

/** Answers the lines of standard input by what `get(url)` says: the status. */
export async function converse(credential, get, renew = () => undefined) {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "sign-in") {
      credential.signIn();
      renew();
      console.log("signed in");
      continue;
    }
    try {
      const status = await get(api + line);
      console.log(status === 401 && credential.lost ? "interaction" : status, credential.asked);
    } catch (error) {
      console.log(credential.lost ? "interaction" : `failed: ${error.message}`, credential.asked);
    }
  }
}
