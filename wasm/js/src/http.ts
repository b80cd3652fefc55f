import { CaeError } from "./errors.js";

/** Most bytes of what a transmitter or an issuer answers. */
const MOST_BYTES = 4 << 20;

/** How requests go out; `fetch` unless said otherwise. */
export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

/** Reads a body of at most so many bytes; `undefined` if there are more. */
export async function bodyOf(from: Request | Response, most: number): Promise<string | undefined> {
  if (Number(from.headers.get("content-length") ?? 0) > most) return undefined;
  if (from.body === null) return "";
  const reader = from.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    length += value.byteLength;
    if (length > most) {
      await reader.cancel();
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** Asks for something, and gives the body of the answer (2xx). Redirections are not followed. */
export async function textFrom(fetch: Fetch, url: string, milliseconds: number, init: RequestInit = {}): Promise<string> {
  let response: Response;
  let text: string | undefined;
  try {
    response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(milliseconds), ...init });
    text = await bodyOf(response, MOST_BYTES);
  } catch (cause) {
    throw new CaeError("remote", `${url}: no answer`, { cause });
  }
  if (!response.ok) throw new CaeError("remote", `${url}: status ${response.status}`);
  if (text === undefined) throw new CaeError("remote", `${url}: more than ${MOST_BYTES} bytes`);
  return text;
}
