/**
 * A worker that guards an origin, with its records in Durable Objects.
 *
 * @module cae/cloudflare
 */

export { KvStore, type KvOptions } from "./cache.js";
export { CaeConnections } from "./connections.js";
export { CaeRecords, DurableObjectStore, type ReadPurpose, type RecordsEnv, type Watcher } from "./records.js";
export { type Guard, type GuardSettings, type Push, guard } from "./worker.js";
