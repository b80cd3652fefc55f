import type { Fault } from "./wasm/engine.js";

/** Why something could not be done; stable, for programs. */
export type ErrorCode =
  /** The configuration cannot be used: see `faults`. */
  | "configuration"
  /** The engine could not be loaded. */
  | "engine.load"
  /** The engine gave no answer; it was replaced. */
  | "engine.fault"
  /** The store did not answer, or not in time, or not what was asked. */
  | "store"
  /** A transmitter or issuer could not be reached, or did not answer as it should. */
  | "remote"
  /** An argument that cannot be used. */
  | "argument";

/** Every error that this package throws. */
export class CaeError extends Error {
  override readonly name: string = "CaeError";

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A configuration that cannot be used. */
export class ConfigurationError extends CaeError {
  override readonly name = "ConfigurationError";

  /** @param faults Every fault, not only the first; each names its place by a JSON pointer. */
  constructor(readonly faults: readonly Fault[]) {
    super("configuration", faults.map((fault) => `${fault.at || "/"}: ${fault.message} [${fault.code}]`).join("\n"));
  }
}

/** What a binding threw, as an error of this package. */
export function fromBindings(error: unknown): CaeError {
  const faults = (error as { faults?: readonly Fault[] }).faults;
  if (faults !== undefined) return new ConfigurationError(faults);
  if (error instanceof TypeError) return new CaeError("argument", error.message, { cause: error });
  return new CaeError("engine.fault", "the engine gave no answer", { cause: error });
}
