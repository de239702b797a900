#!/usr/bin/env bash
# Package: openai 6.49.0.
# Guess: an abort ends a call at once, wherever it is, and `timeout` bounds how long an attempt is waited for.
# Behaviour: while the client waits for a retry, it hears neither. A call that is aborted after 0.2 seconds, while the server has asked
# for 4 seconds by Retry-After, rejects when those are over, with the abort's error.
# Seen: {"error":"APIUserAbortError","hasWaitedForRetryAfter":true}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund openai@6.49.0
cat > show.mjs <<'JS'
import { createServer } from "node:http";
import OpenAI from "openai";

const RETRY_AFTER_SECONDS = 4;
const server = createServer((_, response) => {
  response.writeHead(429, { "content-type": "application/json", "retry-after": `${RETRY_AFTER_SECONDS}` });
  response.end("{}");
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const baseURL = `http://127.0.0.1:${server.address().port}/v1`;
const client = new OpenAI({ apiKey: "none", baseURL, maxRetries: 1, timeout: 500 });
const start = performance.now();
const error = await client.models.list({ signal: AbortSignal.timeout(200) }).catch((error) => error.constructor.name);
const hasWaited = performance.now() - start > 900 * RETRY_AFTER_SECONDS;
console.log(JSON.stringify({ error, hasWaitedForRetryAfter: hasWaited }));
server.close();
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"error":"APIUserAbortError","hasWaitedForRetryAfter":true}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
