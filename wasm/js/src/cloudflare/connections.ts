import { DurableObject } from "cloudflare:workers";

import type { Authorization } from "../authorization.js";
import { CLOSE_CODE, closeReason } from "../live.js";
import type { DurableObjectStore, Watcher } from "./records.js";
import { type Facts, type GuardSettings, Held, type Made, withIdentity } from "./worker.js";

/** Connections are decided on again at least so often, whatever is told: in milliseconds. */
const LONGEST = 300_000;

/** What has to be known of a connection to decide on it again. */
interface Opened {
  readonly url: string;
  readonly method: string;
  readonly authorization: string;
  readonly facts: Facts;
}

type Row = { id: string; opened: string };

/**
 * The WebSockets of one user. They hibernate: the object sleeps until a message comes, a record changes or `revisitAt`
 * is there. One that may no longer go on is closed with code 3000.
 *
 * Messages go to and from the origin, by `upstream`; an application that lives in the object overrides that and
 * `webSocketMessage`.
 */
export abstract class CaeConnections<Env extends object> extends DurableObject<Env> implements Pick<Watcher, "recordsChanged"> {
  readonly #sql: SqlStorage;
  // Who was just told of a change asks the objects themselves.
  readonly #held = new Held<Env>((env) => {
    const records = this.records(env);
    return { ...this.settings(env), reader: { get: (keys) => records.getNow(keys) } };
  });
  readonly #upstreams = new Map<string, WebSocket>();
  /** Connections that are not open yet, and whether records that they rest on changed since they were decided on. */
  readonly #opening = new Map<string, { isOutdated: boolean }>();

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS connections (id TEXT PRIMARY KEY, opened TEXT NOT NULL, revisit INTEGER) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS keys (key TEXT, id TEXT, PRIMARY KEY (key, id)) WITHOUT ROWID;
    `);
  }

  /** The same settings as those of the guard. */
  protected abstract settings(env: Env): GuardSettings;

  /** The store that tells of changes. */
  protected abstract records(env: Env): DurableObjectStore;

  /** Connects to the origin; `undefined` if the messages end here. */
  protected async upstream(request: Request): Promise<WebSocket | undefined> {
    const { settings } = await this.#held.of(this.env);
    const response = await (settings.forward ?? fetch)(request);
    if (response.webSocket === null) throw new TypeError("the origin opened no WebSocket");
    return response.webSocket;
  }

  /** Opens a connection that the guard allowed. */
  override async fetch(request: Request): Promise<Response> {
    const made = await this.#held.of(this.env);
    const facts = made.facts(request);
    const first = await made.authorize(request, facts);
    if (!first.isAllowed) return first.response();
    let upstream: WebSocket | undefined;
    try {
      upstream = await this.upstream(withIdentity(request, first));
    } catch {
      return new Response(null, { status: 502 });
    }
    const id = crypto.randomUUID();
    const opened: Opened = {
      url: request.url,
      method: request.method,
      authorization: request.headers.get("authorization") ?? "",
      facts: { ...facts, confirmed: first.confirmed },
    };
    try {
      return await this.#open(id, made, opened, first.records, upstream);
    } catch (error) {
      close(upstream, 1011, "");
      await this.#forget(id);
      throw error;
    } finally {
      this.#opening.delete(id);
    }
  }

  /** Has changes told from here on, decides until none came in between, and opens the connection in the same turn. */
  async #open(id: string, made: Made, opened: Opened, records: readonly string[], upstream: WebSocket | undefined): Promise<Response> {
    const opening = { isOutdated: false };
    this.#opening.set(id, opening);
    this.#sql.exec("INSERT INTO connections VALUES (?, ?, ?)", id, JSON.stringify(opened), Date.now() + LONGEST);
    for (const key of records) this.#sql.exec("INSERT OR IGNORE INTO keys VALUES (?, ?)", key, id);
    await this.records(this.env).watch(records, this.ctx.id.toString());
    let last: Authorization;
    do {
      opening.isOutdated = false;
      last = await again(made, opened);
    } while (last.isAllowed && opening.isOutdated);
    if (!last.isAllowed) {
      close(upstream, 1008, "");
      await this.#forget(id);
      return last.response();
    }
    // Nothing may wait between the last decision and this: a change that is told now finds the socket.
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [id]);
    this.#opening.delete(id);
    if (upstream !== undefined) this.#join(id, server, upstream);
    this.#note(id, last);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Records changed: connections that rest on them are decided on again. */
  async recordsChanged(keys: readonly string[]): Promise<void> {
    const found = new Map<string, string>();
    for (const key of keys) {
      const rows = this.#sql.exec<Row>("SELECT id, opened FROM connections JOIN keys USING (id) WHERE key = ?", key);
      for (const { id, opened } of rows) found.set(id, opened);
    }
    await this.#decideAgain(found);
  }

  override async alarm(): Promise<void> {
    const due = Date.now() + 500;
    const rows = this.#sql.exec<Row>("SELECT id, opened FROM connections WHERE revisit <= ?", due);
    await this.#decideAgain(new Map([...rows].map(({ id, opened }) => [id, opened])));
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const upstream = this.#upstreams.get(this.#idOf(socket));
    if (upstream === undefined) {
      // The object was started anew, and what it was connected to is gone.
      socket.close(1012, "connect again");
    } else {
      upstream.send(message);
    }
  }

  override async webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void> {
    const id = this.#idOf(socket);
    close(this.#upstreams.get(id), code, reason);
    close(socket, code, reason);
    await this.#forget(id);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.webSocketClose(socket, 1011, "");
  }

  async #decideAgain(connections: ReadonlyMap<string, string>): Promise<void> {
    const made = await this.#held.of(this.env).catch(() => undefined);
    await Promise.all(
      [...connections].map(async ([id, opened]) => {
        const opening = this.#opening.get(id);
        if (opening !== undefined) {
          opening.isOutdated = true;
          return;
        }
        const authorization = made && (await again(made, JSON.parse(opened) as Opened));
        const [socket] = this.ctx.getWebSockets(id);
        if (socket === undefined) return this.#forget(id);
        if (authorization?.isAllowed) return this.#note(id, authorization);
        close(socket, CLOSE_CODE, authorization === undefined ? "" : closeReason(authorization));
        close(this.#upstreams.get(id), 1008, "");
        return this.#forget(id);
      }),
    );
    await this.#setAlarm();
  }

  /** When time alone can change the decision. */
  #note(id: string, { revisitAt }: Authorization): void {
    const revisit = Math.min(Date.now() + LONGEST, (revisitAt ?? Infinity) * 1000);
    this.#sql.exec("UPDATE connections SET revisit = ? WHERE id = ?", revisit, id);
    this.ctx.waitUntil(this.#setAlarm());
  }

  async #setAlarm(): Promise<void> {
    const [row] = this.#sql.exec<{ next: number | null }>("SELECT min(revisit) AS next FROM connections");
    if (row?.next != null) await this.ctx.storage.setAlarm(row.next);
    else await this.ctx.storage.deleteAlarm();
  }

  async #forget(id: string): Promise<void> {
    this.#upstreams.delete(id);
    const keys = [...this.#sql.exec<{ key: string }>("SELECT key FROM keys WHERE id = ?", id)].map(({ key }) => key);
    this.#sql.exec("DELETE FROM keys WHERE id = ?", id);
    this.#sql.exec("DELETE FROM connections WHERE id = ?", id);
    const isLast = (key: string): boolean => [...this.#sql.exec("SELECT 1 FROM keys WHERE key = ? LIMIT 1", key)].length === 0;
    const last = keys.filter(isLast);
    if (last.length > 0) await this.records(this.env).unwatch(last, this.ctx.id.toString());
    await this.#setAlarm();
  }

  #join(id: string, server: WebSocket, upstream: WebSocket): void {
    upstream.accept();
    upstream.addEventListener("message", ({ data }) => server.send(data));
    upstream.addEventListener("close", ({ code, reason }) => close(server, code, reason));
    this.#upstreams.set(id, upstream);
  }

  #idOf(socket: WebSocket): string {
    return this.ctx.getTags(socket)[0] ?? "";
  }
}

function again(made: Made, { url, method, authorization, facts }: Opened): Promise<Authorization> {
  return made.authorize(new Request(url, { method, headers: { authorization } }), facts);
}

/** Closes a socket, with what may be sent of what was received (RFC 6455 section 7.4.1). */
function close(socket: WebSocket | undefined, code: number, reason: string): void {
  try {
    socket?.close(code === 1005 || code === 1006 || code === 1015 ? 1000 : code, reason);
  } catch {
    // It is closed already.
  }
}
