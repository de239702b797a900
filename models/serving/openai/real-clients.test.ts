/** Clients as npm has them, against a server: chats with tools, streams, JSON and embeddings. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { embedMany, generateText, streamText, type ToolSet, tool } from "ai";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { byteTemplate } from "../../testing/chat-fixtures.ts";
import { writeScriptedBase } from "../../testing/scripted-base.ts";
import { serveWorld } from "../../testing/serving-world.ts";
import type { ServedModels } from "../serve-models.ts";

const QUESTION = "Weather?";
const CALL = '<tool_call>{"name": "weather", "arguments": {"place": "Bern"}}</tool_call>';
/** Prompts as the template makes them: without tools, with one, and with its result. */
const [PLAIN, WITH_TOOL] = [`[u]${QUESTION}[a]`, `[u]${QUESTION}1[a]`];
const WITH_RESULT = `[u]${QUESTION}[a][t]sunny1[a]`;

let folder: string;
let served: ServedModels;
let baseURL: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "openledger-clients-"));
  await mkdir(join(folder, "adapters"));
  // Each answer lies behind the one before: positions say it.
  const says = new Map([
    [PLAIN.length, ""],
    [WITH_TOOL.length, CALL],
  ]);
  await writeScriptedBase(join(folder, "base"), says, byteTemplate);
  served = await serveWorld(folder);
  baseURL = `${served.url}/v1`;
});
afterAll(async () => {
  await served.close();
  await rm(folder, { recursive: true });
});

const parameters = { type: "object", properties: { place: { type: "string" } } };
const weather = { type: "function" as const, function: { name: "weather", parameters } };
const called = { name: "weather", arguments: '{"place":"Bern"}' };
const messages = [{ role: "user" as const, content: QUESTION }];

describe("openai", () => {
  const client = () => new OpenAI({ baseURL, apiKey: "any", maxRetries: 0 });
  const fixed = { model: "base", messages, temperature: 0 };

  it("has calls of tools, whole and streamed, and sends their results", async () => {
    const whole = await client().chat.completions.create({ ...fixed, tools: [weather], tool_choice: "auto" });
    const [choice] = whole.choices;
    expect(choice).toMatchObject({ finish_reason: "tool_calls", message: { content: null } });
    expect(choice!.message.tool_calls).toMatchObject([{ type: "function", function: called }]);
    expect(whole.usage!.prompt_tokens).toBe(WITH_TOOL.length);

    const runner = client().chat.completions.stream({ ...fixed, tools: [weather] });
    const final = await runner.finalChatCompletion();
    expect(final.choices[0]!.message.tool_calls).toMatchObject([{ function: called }]);
    expect(final.choices[0]!.finish_reason).toBe("tool_calls");

    const result = [
      ...messages,
      choice!.message,
      { role: "tool" as const, tool_call_id: choice!.message.tool_calls![0]!.id, content: "sunny" },
    ];
    const next = await client().chat.completions.create({
      ...fixed,
      messages: result,
      tools: [weather],
      max_tokens: 3,
    });
    expect(next.usage!.prompt_tokens).toBe(WITH_RESULT.length);

    // Without tools the same text is text.
    const none = await client().chat.completions.create({ ...fixed, tools: [weather], tool_choice: "none" });
    expect(none.usage!.prompt_tokens).toBe(PLAIN.length);
    expect(none.choices[0]!.message).not.toHaveProperty("tool_calls");
  });

  it("has embeddings of length 1, the same alone, in a batch and as base64", async () => {
    const input = ["The whale", "A ship", "The whale"];
    const { data, usage } = await client().embeddings.create({ model: "base", input });
    expect(usage).toEqual({ prompt_tokens: 24, total_tokens: 24 });
    const [first, second, third] = data.map(({ embedding }) => embedding);
    expect(third).toEqual(first);
    expect(second).not.toEqual(first);
    expect(Math.hypot(...first!)).toBeCloseTo(1, 5);
    const alone = await client().embeddings.create({
      model: "base",
      input: "The whale",
      encoding_format: "float",
    });
    expect(alone.data[0]!.embedding).toEqual(first);
    const tokens = [...Buffer.from("The whale")];
    expect((await client().embeddings.create({ model: "base", input: tokens })).data[0]!.embedding).toEqual(
      first,
    );
    const refused = { status: 400, type: "invalid_request_error" };
    for (const [more, param] of [
      [{ input: "" }, "input"],
      [{ input: [] }, "input"],
      [{ input: Array(513).fill("x") }, "input"],
      [{ dimensions: 8 }, "dimensions"],
      [{ input: ["x", "y".repeat(2_000)] }, "input.1"],
      [{ input: [300] }, "input"],
    ] as const)
      await expect(
        client().embeddings.create({ model: "base", input: "x", ...more } as never),
        JSON.stringify(more).slice(0, 60),
      ).rejects.toMatchObject({ ...refused, param });
    await expect(client().embeddings.create({ model: "nobody", input: "x" })).rejects.toMatchObject({
      status: 404,
    });
  });
});

describe("the AI SDK with its OpenAI-compatible provider", () => {
  it.each([true, false])(
    "calls tools and streams, with supportsStructuredOutputs: %s",
    async (supportsStructuredOutputs) => {
      const provider = createOpenAICompatible({
        name: "openledger",
        baseURL,
        apiKey: "any",
        supportsStructuredOutputs,
      });
      const model = provider.chatModel("base");
      const tools = { weather: tool({ inputSchema: z.object({ place: z.string() }) }) as ToolSet[string] };
      const question = { model, prompt: QUESTION, temperature: 0, maxRetries: 0 };
      const { finishReason, toolCalls } = await generateText({ ...question, tools });
      expect(finishReason).toBe("tool-calls");
      expect(toolCalls).toMatchObject([{ toolName: "weather", input: { place: "Bern" } }]);
      const stream = streamText({ ...question, tools });
      expect(await stream.toolCalls).toMatchObject([{ toolName: "weather", input: { place: "Bern" } }]);
      expect(await stream.text).toBe("");
      const { embeddings } = await embedMany({
        model: provider.textEmbeddingModel("base"),
        values: ["a", "b"],
        maxRetries: 0,
      });
      expect(embeddings.map((one) => one.length)).toEqual([embeddings[0]!.length, embeddings[0]!.length]);
    },
  );
});

describe("LangChain", () => {
  const configuration = () => ({ baseURL });
  const fixed = { apiKey: "any", maxRetries: 0 };

  it("calls tools, streams, and embeds", async () => {
    const model = new ChatOpenAI({ ...fixed, configuration: configuration(), model: "base", temperature: 0 });
    const answer = await model.bindTools([weather]).invoke(QUESTION);
    expect(answer.tool_calls).toMatchObject([{ name: "weather", args: { place: "Bern" } }]);
    let parts = "";
    for await (const part of await model.stream(QUESTION)) parts += part.text;
    expect(parts).toBe((await model.invoke(QUESTION)).text);
    const embeddings = new OpenAIEmbeddings({ ...fixed, configuration: configuration(), model: "base" });
    const [one, two] = await embeddings.embedDocuments(["a", "bc"]);
    expect(await embeddings.embedQuery("a")).toEqual(one);
    expect(one).not.toEqual(two);
  });
});
