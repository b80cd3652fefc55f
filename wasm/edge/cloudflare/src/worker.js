// Guards the origin of its route, and receives security events at /.cae/.

import { CaeConnections, CaeRecords, DurableObjectStore, guard } from "cae/cloudflare";

// The engine with its configuration, engine.json, in it: `cae-compile` writes it before each deployment.
import engine from "../build/engine.wasm";
import { transmitters } from "../engine.json";

const records = (env) => new DurableObjectStore(env.CAE_RECORDS);

const TRANSMITTER = transmitters[0].issuer;

const settings = (env) => ({
  configuration: engine,
  store: records(env),
  connections: env.CAE_CONNECTIONS,
  // A transmitter that pushes, to https://YOUR-API/.cae/events/main, with `wrangler secret put PUSH_TOKEN`.
  ...(env.PUSH_TOKEN ? { pushes: { main: { transmitter: TRANSMITTER, token: env.PUSH_TOKEN } } } : {}),
  // A stream that is polled by the cron trigger.
  ...(env.POLL_ENDPOINT ? { polls: [{ transmitter: TRANSMITTER, endpoint: env.POLL_ENDPOINT, token: env.POLL_TOKEN }] } : {}),
  // Where there is no route to an origin, a service binding or another host answers.
  ...(env.ORIGIN ? { forward: (request) => fetch(new URL(new URL(request.url).pathname + new URL(request.url).search, env.ORIGIN), request) } : {}),
});

export default guard(settings);

/** The records of events. */
export class Records extends CaeRecords {
  engine() {
    return engine;
  }
}

/** WebSockets, which end with their token. */
export class Connections extends CaeConnections {
  settings(env) {
    return settings(env);
  }

  records(env) {
    return records(env);
  }
}
