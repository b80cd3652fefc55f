import "./app.css";

import { mount } from "svelte";

import App from "./App.svelte";
import { live } from "./live.ts";

const page = document.getElementById("page");
if (page !== null) {
  page.replaceChildren();
  mount(App, { target: page });
}

// A page with the policies of a service in it is not kept: they are nobody's business afterwards.
if (import.meta.env.PROD && live === undefined && "serviceWorker" in navigator) {
  const keep = () => void navigator.serviceWorker.register("./service-worker.js").catch(() => undefined);
  if (document.readyState === "complete") keep();
  else addEventListener("load", keep, { once: true });
}
