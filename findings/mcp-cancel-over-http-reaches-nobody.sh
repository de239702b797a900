#!/usr/bin/env bash
# Packages: @modelcontextprotocol/server 2.4.0, @modelcontextprotocol/client 2.4.0, zod 4.6.7.
# Guess: where a client of revision 2025-11-25 gives a call up, the library's own HTTP handler aborts the tool's signal, as it does in revision
# 2026-07-28: both sides are of one library, and the client tells the server.
# Behaviour: `createMcpHandler` makes a server for each HTTP request. The client sends its cancel as a request of its own, which is answered with 202 and
# reaches no call. The tool works to its end, with a signal that nobody has aborted. With revision 2026-07-28 the client closes the stream: it is aborted.
# Seen: {"2025-11-25":{"cancelStatus":202,"wasAborted":false},"2026-07-28":{"cancelStatus":null,"wasAborted":true}}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @modelcontextprotocol/server@2.4.0 @modelcontextprotocol/client@2.4.0 zod@4.6.7
cat > show.mjs <<'JS'
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";

let ended;
const handler = createMcpHandler(() => {
  const server = new McpServer({ name: "works", version: "1.0.0" });
  server.registerTool("work", { description: "Works for a second", inputSchema: z.object({}) }, async (_, context) => {
    await sleep(1000);
    ended(context.mcpReq.signal.aborted);
    return { content: [{ type: "text", text: "done" }] };
  });
  return server;
});

let cancelStatus = null;
const http = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  const leaving = new AbortController();
  response.on("close", () => leaving.abort());
  const answer = await handler.fetch(
    new Request(`http://127.0.0.1${request.url}`, {
      method: request.method,
      headers: request.headers,
      signal: leaving.signal,
      ...(body === "" ? {} : { body }),
    }),
  );
  if (body.includes("notifications/cancelled")) cancelStatus = answer.status;
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body !== null) for await (const chunk of answer.body) response.write(chunk);
  response.end();
});
await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
const address = new URL(`http://127.0.0.1:${http.address().port}/mcp`);

async function giveUp(options) {
  cancelStatus = null;
  const end = new Promise((resolve) => (ended = resolve));
  const client = new Client({ name: "impatient", version: "1.0.0" }, options);
  await client.connect(new StreamableHTTPClientTransport(address));
  await client.callTool({ name: "work", arguments: {} }, { timeout: 200 }).catch(() => {});
  const wasAborted = await end;
  await client.close().catch(() => {});
  return { cancelStatus, wasAborted };
}
const seen = {
  "2025-11-25": await giveUp({}),
  "2026-07-28": await giveUp({ versionNegotiation: { mode: { pin: "2026-07-28" } } }),
};
console.log(JSON.stringify(seen));
process.exit(0);
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"2025-11-25":{"cancelStatus":202,"wasAborted":false},"2026-07-28":{"cancelStatus":null,"wasAborted":true}}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
