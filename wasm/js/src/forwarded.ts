/** Most letters of a header that are looked at. */
const MOST = 8 << 10;

/**
 * The address of the client behind so many proxies of your own, from what they append to `X-Forwarded-For`; `undefined`
 * if the header names none there.
 *
 * Every proxy appends the address that connected to it, so the address is counted from the right. What stands before
 * it was sent by the client and is never looked at. It holds only where nobody reaches this server past the proxies.
 *
 * @param proxies How many stand before this server; at least one.
 */
export function addressBehind(proxies: number, forwardedFor: string | null | undefined): string | undefined {
  if (!Number.isInteger(proxies) || proxies < 1) throw new TypeError("the number of proxies is a whole number, at least 1");
  if (!forwardedFor || forwardedFor.length > MOST) return undefined;
  const hop = forwardedFor.split(",").at(-proxies)?.trim() ?? "";
  // `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:443`; the engine reads it strictly.
  const [, v4, bracketed, v6] = /^(?:([0-9.]+)(?::\d{1,5})?|\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|([0-9A-Fa-f:.]+))$/.exec(hop) ?? [];
  return v4 ?? bracketed ?? v6;
}
