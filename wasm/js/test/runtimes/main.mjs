// What Node, Deno and Bun run.

import { check } from "./check.mjs";

await check();
console.log("passed");
