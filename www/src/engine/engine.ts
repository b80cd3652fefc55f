// Asks the worker. The engine starts when it is first asked, so that the page is there before it.

import type { Calls, Fault } from "./types.ts";

/** An answer that is a refusal: what is wrong with what was asked. */
export class EngineError extends Error {
  constructor(
    message: string,
    readonly faults: Fault[],
  ) {
    super(message);
  }
}

export type Answer = { id: number; value: unknown } | { id: number; error: string; faults: Fault[] };

interface Waiting {
  resolve(value: unknown): void;
  reject(error: EngineError): void;
}

let worker: Worker | undefined;
let last = 0;
const waiting = new Map<number, Waiting>();

function start(): Worker {
  const started = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  started.onmessage = ({ data }: MessageEvent<Answer>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if ("error" in data) asked?.reject(new EngineError(data.error, data.faults));
    else asked?.resolve(data.value);
  };
  // A worker that cannot go on is replaced by the next question.
  started.onerror = (event) => {
    event.preventDefault();
    worker = undefined;
    const stopped = new EngineError(event.message ?? "", []);
    for (const asked of waiting.values()) asked.reject(stopped);
    waiting.clear();
  };
  return started;
}

/** Asks the engine; rejects with an `EngineError`. */
export function ask<Name extends keyof Calls>(
  name: Name,
  ...given: Parameters<Calls[Name]>
): Promise<ReturnType<Calls[Name]>> {
  worker ??= start();
  const id = ++last;
  const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  worker.postMessage({ id, name, given });
  return answer as Promise<ReturnType<Calls[Name]>>;
}
