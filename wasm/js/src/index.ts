/**
 * The engine, the store in memory, and what receives events.
 *
 * @module cae
 */

export { Authorization, IDENTITY_HEADERS } from "./authorization.js";
export { type Challenge, parseChallenge } from "./challenge.js";
export type { Configuration } from "./configuration.js";
export type { Fetch } from "./http.js";
export {
  type AuthorizeOptions,
  Engine,
  type EngineOptions,
  type ReadEventOptions,
  type Received,
  createEngine,
} from "./engine.js";
export { Connections } from "./connections.js";
export { CaeError, ConfigurationError, type ErrorCode } from "./errors.js";
export { addressBehind } from "./forwarded.js";
export type { CompiledModule, ModuleSource } from "./module.js";
export { type Polled, type PollOptions, type PushOptions, poll, receiveLogout, receivePush } from "./receiver.js";
export type { AsksFor } from "./request.js";
export { type CacheOptions, cached } from "./stores/cached.js";
export { MemoryStore } from "./stores/memory.js";
export type { Answers, Change, ReadStore, Store } from "./stores/store.js";
export type { DirectoryFacts, Fault, Presenter, SignalAge } from "./wasm/engine.js";
export type { NamedText, Tenant, WhatIf, WhatIfBatch } from "./wasm/tools.js";
