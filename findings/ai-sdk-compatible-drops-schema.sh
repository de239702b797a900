#!/usr/bin/env bash
# Packages: ai 6.0.325 with @ai-sdk/openai-compatible 2.0.92, with their default options.
# Guess: generateObject tells a server the schema: in response_format, or in the prompt where the server is not known to take it there. A stream's usage
# is asked for, since the result has a field of it.
# Behaviour: the schema is sent nowhere, neither in response_format nor in the messages. The model is asked for any JSON, and its answer fails the schema
# afterwards. A stream is not asked for its usage, so the result's usage stays empty. The provider's supportsStructuredOutputs and includeUsage send both.
# Seen: [{"format":"json_object","isSchemaSent":false,"streamOptions":null},{"format":"json_schema","isSchemaSent":true,"streamOptions":{"include_usage":true}}]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund ai@6.0.325 @ai-sdk/openai-compatible@2.0.92 zod@4.6.7
cat > show.mjs <<'JS'
import { createServer } from "node:http";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, streamText } from "ai";
import { z } from "zod";

globalThis.AI_SDK_LOG_WARNINGS = false;
const bodies = [];
const server = createServer((request, response) => {
  let text = "";
  request.on("data", (part) => (text += part));
  request.on("end", () => {
    const body = JSON.parse(text);
    bodies.push(body);
    const choice = { index: 0, finish_reason: "stop" };
    const head = { id: "1", created: 1, model: "m" };
    if (body.stream !== true) {
      const message = { role: "assistant", content: '{"stars":3}' };
      response.setHeader("content-type", "application/json");
      return response.end(JSON.stringify({ ...head, object: "chat.completion", choices: [{ ...choice, message }] }));
    }
    response.setHeader("content-type", "text/event-stream");
    const part = { ...head, object: "chat.completion.chunk", choices: [{ ...choice, delta: { content: "three" } }] };
    response.end(`data: ${JSON.stringify(part)}\n\ndata: [DONE]\n\n`);
  });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const settings = { name: "own", baseURL: `http://127.0.0.1:${server.address().port}/v1`, apiKey: "any" };
const schema = z.object({ stars: z.number() });
const ask = async (more) => {
  const model = createOpenAICompatible({ ...settings, ...more })("m");
  await generateObject({ model, prompt: "How many stars?", schema });
  const { response_format: format, messages } = bodies.at(-1);
  const asked = streamText({ model, prompt: "How many?" });
  await asked.text;
  return {
    format: format.type,
    isSchemaSent: JSON.stringify([format, messages]).includes("stars\":"),
    streamOptions: bodies.at(-1).stream_options ?? null,
  };
};
console.log(JSON.stringify([await ask({}), await ask({ supportsStructuredOutputs: true, includeUsage: true })]));
server.close();
JS
seen=$(node show.mjs)
echo "$seen"
expected='[{"format":"json_object","isSchemaSent":false,"streamOptions":null},{"format":"json_schema","isSchemaSent":true,"streamOptions":{"include_usage":true}}]'
[ "$seen" = "$expected" ] || { echo "changed: expected $expected"; exit 1; }
