// The page that Chromium loads: the check, and its result as the title.

try {
  const { check } = await import("./check.mjs");
  await check();
  document.title = "passed";
} catch (error) {
  document.title = `failed: ${error.stack ?? error}`;
}
