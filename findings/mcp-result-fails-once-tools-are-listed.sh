#!/usr/bin/env bash
# Packages: @modelcontextprotocol/server 2.4.0, @modelcontextprotocol/client 2.4.0, zod 4.6.7.
# Guess: whether a tool's structured result fits its output schema does not depend on what the client has asked before, and server and client agree.
# Behaviour: the server takes a result with a field that the schema does not name, and sends it whole. It publishes the schema with additionalProperties
# false. The client checks a result only where it has listed the tools before, so the same call returns the result first and rejects after a listing.
# Seen: {"first":{"wei":"1","currency":"ETH"},"afterListing":"Structured content does not match the tool's output schema: data must NOT have additional properties"}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @modelcontextprotocol/server@2.4.0 @modelcontextprotocol/client@2.4.0 zod@4.6.7
cat > show.mjs <<'JS'
import { Client } from "@modelcontextprotocol/client";
import { InMemoryTransport, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";

const server = new McpServer({ name: "prices", version: "1.0.0" });
const schemas = { inputSchema: z.object({}), outputSchema: z.object({ wei: z.string() }) };
server.registerTool("price", { description: "A price", ...schemas }, async () => ({
  content: [{ type: "text", text: "1 wei" }],
  structuredContent: { wei: "1", currency: "ETH" },
}));
const [one, other] = InMemoryTransport.createLinkedPair();
await server.connect(one);
const client = new Client({ name: "reader", version: "1.0.0" });
await client.connect(other);
const call = () =>
  client.callTool({ name: "price", arguments: {} }).then(
    ({ structuredContent }) => structuredContent,
    ({ message }) => message,
  );
const first = await call();
await client.listTools();
console.log(JSON.stringify({ first, afterListing: await call() }));
JS
seen=$(node show.mjs)
echo "$seen"
expected='{"first":{"wei":"1","currency":"ETH"},"afterListing":"Structured content does not match the tool'"'"'s output schema: data must NOT have additional properties"}'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
