#!/usr/bin/env bash
# Packages: @sparticuz/chromium 143.0.4 (Chromium 143), playwright-core 1.65.1.
# Guess: a body that a page has read to its end is a finished request, however it was read.
# Behaviour: where the answer has `cache-control: no-store` and is read to its end by `body.getReader()`, Chromium reports the request as failed with
# net::ERR_ABORTED, in its network panel too. Read by `arrayBuffer()` it is finished, and so is the same stream without `no-store`.
# Seen: {"stored, streamed":"finished","no-store, streamed":"net::ERR_ABORTED","no-store, whole":"finished"}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @sparticuz/chromium@143.0.4 playwright-core@1.65.1
cat > show.mjs <<'JS'
import { createServer } from "node:http";
import sparticuz from "@sparticuz/chromium";
import { chromium } from "playwright-core";

const server = createServer(({ url }, response) => {
  if (url.startsWith("/no-store")) response.setHeader("cache-control", "no-store");
  response.setHeader("content-type", url === "/" ? "text/html" : "application/json");
  response.end(url === "/" ? "<p>page" : '{"a":1}');
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const executablePath = await sparticuz.executablePath();
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--headless=shell", "--disable-gpu"] });
const page = await (await browser.newContext()).newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);
const seen = {};
for (const [name, path, isStreamed] of [
  ["stored, streamed", "/stored", true],
  ["no-store, streamed", "/no-store/streamed", true],
  ["no-store, whole", "/no-store/whole", false],
]) {
  const isOurs = (request) => new URL(request.url()).pathname === path;
  const end = Promise.race([
    page.waitForEvent("requestfinished", isOurs).then(() => "finished"),
    page.waitForEvent("requestfailed", isOurs).then((request) => request.failure().errorText),
  ]);
  await page.evaluate(
    async ([path, isStreamed]) => {
      const response = await fetch(path);
      if (!isStreamed) return void (await response.arrayBuffer());
      const reader = response.body.getReader();
      while (!(await reader.read()).done);
    },
    [path, isStreamed],
  );
  seen[name] = await end;
}
console.log(JSON.stringify(seen));
await browser.close();
server.close();
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"stored, streamed":"finished","no-store, streamed":"net::ERR_ABORTED","no-store, whole":"finished"}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
