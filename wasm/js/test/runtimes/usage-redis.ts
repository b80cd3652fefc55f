// The clients that a store of Redis takes. Their own types are large.

import type { Store } from "cae";
import { RedisStore } from "cae/redis";
import { Redis } from "ioredis";
import { createClient } from "redis";

export const stores: readonly Store[] = [new RedisStore(createClient(), { prefix: "{api}:" }), new RedisStore(new Redis())];
// @ts-expect-error no client
export const none = new RedisStore({});
