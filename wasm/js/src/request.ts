/** What is read of a request: a `Request`, or anything shaped like one. */
export interface AsksFor {
  readonly headers: { get(name: string): string | null };
  /** The whole URL, or its path and query. */
  readonly url?: string;
  readonly method?: string;
}

/** What a request presents. */
export interface Credential {
  /** Empty if it presents none. */
  readonly token: string;
  /** Absent for `Bearer`. */
  readonly scheme: "DPoP" | undefined;
}

/**
 * Reads the header `Authorization`. Credentials of other schemes are none; two headers arrive as one with a comma, which
 * is no token.
 */
export function credentialOf({ headers }: AsksFor): Credential {
  const text = headers.get("authorization")?.trim() ?? "";
  const gap = text.search(/\s/);
  const scheme = gap < 0 ? "" : text.slice(0, gap).toLowerCase();
  if (scheme !== "bearer" && scheme !== "dpop") return { token: "", scheme: undefined };
  return { token: text.slice(gap).trimStart(), scheme: scheme === "dpop" ? "DPoP" : undefined };
}

/** The path of a URL, or of a path with a query; without the query. */
export function pathOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  const target = url.startsWith("/") ? url : /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*([^]*)$/i.exec(url)?.[1];
  const path = target?.split(/[?#]/, 1)[0];
  return path === "" ? "/" : path;
}
