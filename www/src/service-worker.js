// Keeps the whole page, so that it works without a network. The build writes the list of files.

const CACHE = "simulator-%version%";
const FILES = [/* files */];

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const forget = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("simulator-") && name !== CACHE) await caches.delete(name);
    }
    await self.clients.claim();
  };
  event.waitUntil(forget());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  // The page itself is asked for first, so that a new version is seen; its parts have their content in their name.
  const kept = () =>
    caches.match(request.mode === "navigate" ? "./" : request, { ignoreSearch: true, ignoreVary: true });
  event.respondWith(
    request.mode === "navigate"
      ? fetch(request).catch(async () => (await kept()) ?? Response.error())
      : kept().then((answer) => answer ?? fetch(request)),
  );
});
