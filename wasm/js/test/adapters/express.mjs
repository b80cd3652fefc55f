import { authorizationOf, endWithToken, fromFetch, protect } from "cae/express";
import { behindProxies } from "cae/node";

import { PORT, answer, broken, engine, receive, silent, store } from "./served.mjs";

// Version 4 is installed under a name of its own.
const { default: express } = await import(process.env.EXPRESS ?? "express");
const application = express();
const write = (request, response) => void response.send(answer(authorizationOf(request)));
application.post("/push", fromFetch(receive));
application.use(express.json());
application.use("/orders", protect(engine, { store }), write);
application.use("/broken", protect(broken, { store }), write);
application.use("/silent", protect(engine, { store: silent }), write);
application.use("/past-proxies", protect(engine, { store, clientIp: behindProxies({ count: 1, from: ["10.0.0.0/8"] }) }), write);
application.get("/stream", protect(engine, { store }), (request, response) => {
  response.type("text/event-stream");
  const timer = setInterval(() => response.write("data: tick\n\n"), 50);
  response.on("close", () => clearInterval(timer));
  endWithToken(request, response);
});
const behind = express();
behind.set("trust proxy", 1);
behind.get("/proxied", protect(engine, { store }), write);
application.use(behind);
application.listen(PORT, "127.0.0.1");
