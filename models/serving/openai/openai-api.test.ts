/** The API as client libraries know it, and requests that they do not make. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { generateObject, generateText, streamText } from "ai";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { serveWorld, writeServingWorld } from "../../testing/serving-world.ts";
import { ApiKeys, issueKey, KEYS_PART, readKeys, revokeKey } from "../api-keys.ts";
import type { ServedModels } from "../serve-models.ts";

let folder: string;
let served: ServedModels;
let client: OpenAI;
const clientOf = ({ url }: ServedModels, apiKey = "any") =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "openledger-openai-"));
  await writeServingWorld(folder, 1, 270);
  served = await serveWorld(folder);
  client = clientOf(served);
});
afterAll(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
});

const fixed = { model: "a0", max_tokens: 12, temperature: 0.9, seed: 5 };
const messages = [{ role: "user" as const, content: "Who?" }];
const invalid = { status: 400, type: "invalid_request_error" };
const chat = (more: object) => client.chat.completions.create({ ...fixed, messages, ...more } as never);
const complete = (more: object) =>
  client.completions.create({
    ...fixed,
    prompt: "The whale",
    ...more,
  } as never) as Promise<OpenAI.Completion>;

describe("several answers", () => {
  it("of a list of prompts and n are each as alone, whole and streamed", async () => {
    const prompt = ["The whale", "A ship", [97, 98]];
    const answer = await complete({ prompt, n: 2 });
    expect(answer.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(answer.usage).toMatchObject({ completion_tokens: 72 });
    const texts = answer.choices.map(({ text }) => text);
    for (const [i, one] of prompt.entries())
      for (const k of [0, 1])
        expect((await complete({ prompt: one, seed: 5 + k })).choices[0]!.text).toBe(texts[2 * i + k]);
    const parts = Array<string>(6).fill("");
    const usages: unknown[] = [];
    const options = { stream: true, stream_options: { include_usage: true } } as const;
    const stream = await client.completions.create({ ...fixed, prompt: prompt as never, n: 2, ...options });
    for await (const { choices, usage } of stream) {
      for (const { index, text } of choices) parts[index] += text;
      usages.push(usage);
    }
    expect(parts).toEqual(texts);
    expect(usages.pop()).toEqual(answer.usage);
    expect(new Set(usages)).toEqual(new Set([null]));
  });

  it("are bounded before any is made", async () => {
    for (const [more, param] of [
      [{ n: 33 }, "n"],
      [{ prompt: Array(33).fill("x") }, "prompt"],
      [{ prompt: Array(17).fill("x"), n: 2 }, "n"],
      [{ n: 32, max_tokens: 2 ** 20 }, "n"],
      [{ best_of: 2 }, "best_of"],
    ] as const)
      await expect(complete(more)).rejects.toMatchObject({ ...invalid, code: "invalid_value", param });
    const many = { logprobs: true, top_logprobs: 20, n: 32, max_tokens: 500 };
    const small = await serveWorld(folder, { SERVING_KV_MEGABYTES: "64" });
    try {
      const question = clientOf(small).chat.completions.create({ ...fixed, messages, ...many });
      await expect(question).rejects.toMatchObject({ param: "top_logprobs" });
    } finally {
      await small.close();
    }
  });
});

describe("probabilities of tokens", () => {
  it("are those of the model, in chats and completions, whole and streamed", async () => {
    const whole = await client.chat.completions.create({
      ...fixed,
      messages,
      logprobs: true,
      top_logprobs: 3,
    });
    const { content } = whole.choices[0]!.logprobs!;
    const bytes = content!.flatMap((token) => token.bytes!);
    expect(Buffer.from(bytes).toString()).toBe(whole.choices[0]!.message.content);
    for (const { logprob, top_logprobs: top } of content!) {
      expect(top.map((one) => one.logprob)).toEqual([...top].map((one) => one.logprob).sort((a, b) => b - a));
      expect(logprob).toBeLessThanOrEqual(top[0]!.logprob);
      expect(top.reduce((sum, one) => sum + Math.exp(one.logprob), 0)).toBeLessThan(1);
    }
    const stream = await client.chat.completions.create({
      ...fixed,
      messages,
      logprobs: true,
      top_logprobs: 3,
      stream: true,
    });
    const parts: unknown[] = [];
    for await (const { choices } of stream) parts.push(...(choices[0]?.logprobs?.content ?? []));
    expect(parts).toEqual(content);
    const { logprobs, text } = (await complete({ logprobs: 2 })).choices[0]!;
    expect(logprobs!.tokens).toHaveLength(logprobs!.text_offset!.length);
    expect(Object.keys(logprobs!.top_logprobs![0]!)).toHaveLength(2);
    // A token that ends a character begins where the character does.
    const isText = (i: number) => !logprobs!.tokens![i]?.startsWith("bytes:");
    for (const [i, offset] of logprobs!.text_offset!.entries())
      if (isText(i) && isText(i - 1)) expect(text.slice(offset).startsWith(logprobs!.tokens![i]!)).toBe(true);
    // No token behind a stop is told.
    const stop = text.slice(3, 5);
    const cut = (await complete({ logprobs: 0, stop })).choices[0]!;
    expect(cut.text).toBe(text.slice(0, text.indexOf(stop)));
    for (const offset of cut.logprobs!.text_offset!) expect(offset).toBeLessThan(cut.text.length);
  });
});

describe("JSON", () => {
  const schema = z.strictObject({
    name: z.string(),
    age: z.int(),
    tags: z.array(z.enum(["sea", "ship"])).max(2),
    note: z.string().nullable(),
  });
  const format = (shape: z.ZodType) => ({
    type: "json_schema" as const,
    json_schema: { name: "person", strict: true, schema: z.toJSONSchema(shape) },
  });

  it("is whole whatever the limit of tokens is, and says where the limit has ended it", async () => {
    const ends = new Set<string>();
    for (let i = 0; i < 40; i++) {
      const more = {
        max_tokens: 2 + 3 * i,
        seed: i,
        temperature: i % 4 === 0 ? 0 : 1.5,
        top_p: i % 3 === 0 ? 0.9 : 1,
      };
      const answer = await client.chat.completions.create({
        ...fixed,
        messages,
        ...more,
        response_format: { type: "json_object" },
      });
      const { finish_reason: end, message } = answer.choices[0]!;
      expect(JSON.parse(message.content!)).toBeTypeOf("object");
      ends.add(end);
    }
    expect(ends).toContain("length");
  });

  it("has the shape that a schema asks for", async () => {
    for (let seed = 0; seed < 12; seed++) {
      const more = { max_tokens: 60 + 20 * seed, seed, response_format: format(schema) };
      const answer = await client.chat.completions.create({ ...fixed, messages, ...more });
      schema.parse(JSON.parse(answer.choices[0]!.message.content!));
    }
    await expect(chat({ max_tokens: 20, response_format: format(schema) })).rejects.toMatchObject({
      ...invalid,
      param: "max_tokens",
    });
  });

  it("of schemas that are not served is refused by the keyword", async () => {
    const of = (part: object) => ({
      type: "json_schema",
      json_schema: { name: "x", schema: { type: "object", properties: { a: part } } },
    });
    const at = (path: string) => `response_format.json_schema.schema.properties.a${path}`;
    let deep: object = { type: "string" };
    for (let i = 0; i < 20; i++) deep = { type: "array", items: deep };
    for (const [part, path] of [
      [{ type: "string", pattern: "^a" }, ".pattern"],
      [{ $ref: "#/x" }, ".$ref"],
      [{ $ref: "https://example.org/schema" }, ".$ref"],
      [{ $ref: "#/properties/a" }, ".$ref"],
      [{ allOf: [{ type: "string" }, { type: "string" }] }, ".allOf"],
      [{ type: "integer", minimum: 0 }, ".minimum"],
      [{ type: "integer", minimum: 2, maximum: 1 }, ".minimum"],
      [{ type: "string", format: "email" }, ".format"],
      [{ oneOf: [{ type: "string" }, { enum: ["a"] }] }, ".oneOf"],
      [{ type: "number", maximum: 1e15 }, ".maximum"],
      [{ type: "text" }, ".type"],
      [{ anyOf: [{ type: "string" }, { enum: ["a"] }] }, ".anyOf"],
      [{ enum: [] }, ".enum"],
      [{ type: "string", enum: ["a", 1] }, ".enum"],
      [{ type: "array", minItems: 3, maxItems: 2 }, ".minItems"],
      [{ type: "object", required: ["b"] }, ".required"],
    ] as const)
      await expect(chat({ response_format: of(part) })).rejects.toMatchObject({
        ...invalid,
        code: "invalid_value",
        param: at(path),
      });
    await expect(chat({ response_format: of(deep) })).rejects.toMatchObject({ message: /deeper than 16/ });
    await expect(chat({ response_format: { type: "json_object" }, stop: "x" })).rejects.toMatchObject({
      param: "stop",
    });
  });
});

describe("schemas as pydantic and zod write them", () => {
  it("are followed: references, bounds of integers, alternatives, and a single allOf", async () => {
    const schema = {
      type: "object",
      properties: {
        mood: { allOf: [{ $ref: "#/$defs/Mood" }], description: "how it went" },
        stars: { type: "integer", minimum: 1, exclusiveMaximum: 6 },
        note: { oneOf: [{ $ref: "#/$defs/Mood" }, { type: "null" }] },
        any: { type: "integer", minimum: -9007199254740991, maximum: 9007199254740991 },
      },
      required: ["mood", "stars", "note", "any"],
      additionalProperties: false,
      $defs: { Mood: { type: "string", enum: ["good", "bad"], title: "Mood" } },
    };
    const format = { type: "json_schema", json_schema: { name: "x", schema } };
    for (let seed = 0; seed < 4; seed++) {
      const answer = (await chat({
        response_format: format,
        max_tokens: 200,
        seed,
      })) as OpenAI.ChatCompletion;
      const { mood, note, stars } = JSON.parse(answer.choices[0]!.message.content!) as Record<
        string,
        unknown
      >;
      expect(["good", "bad"]).toContain(mood);
      expect(["good", "bad", null]).toContain(note);
      expect([1, 2, 3, 4, 5]).toContain(stars);
    }
  });
});

describe("requests that clients make", () => {
  it("are taken: an assistant's message without text, names of speakers, and top_p of 0", async () => {
    const said = [
      { role: "user", content: "Who?", name: "mia" },
      { role: "assistant", content: null },
      { role: "user", content: "Who?" },
    ];
    const empty = said.map(({ content, role }) => ({ role, content: content ?? "" }));
    const textOf = async (more: object) =>
      ((await chat(more)) as OpenAI.ChatCompletion).choices[0]!.message.content;
    expect(await textOf({ messages: said })).toBe(await textOf({ messages: empty }));
    expect(await textOf({ top_p: 0 })).toBe(await textOf({ temperature: 0 }));
    await expect(chat({ messages: [{ role: "user", content: null }] })).rejects.toMatchObject({
      ...invalid,
      param: "messages.0.content",
    });
  });
});

describe("requests that are not served", () => {
  it("are refused by the name of the field, with OpenAI's codes", async () => {
    const tool = { type: "function", function: { name: "x" } };
    const call = { id: "1", type: "function", function: { name: "x", arguments: "{}" } };
    const image = { type: "image_url", image_url: { url: "data:" } };
    for (const [more, param, code] of [
      [{ tools: [{ type: "function" }] }, "tools.0.function", "missing_required_parameter"],
      [{ tools: [{ type: "custom", custom: { name: "x" } }] }, "tools.0.type", "invalid_value"],
      [{ tools: [tool], tool_choice: "required" }, "tool_choice", "invalid_value"],
      [{ tools: [tool] }, "tools", "invalid_value"],
      [{ tools: [tool], logprobs: true }, "logprobs", "invalid_value"],
      [{ tools: [tool], response_format: { type: "json_object" } }, "response_format", "invalid_value"],
      [
        { messages: [{ role: "user", content: "x", tool_calls: [call] }] },
        "messages.0.tool_calls",
        "invalid_value",
      ],
      [{ functions: [{}] }, "functions", "unsupported_parameter"],
      [{ frequency_penalty: 1 }, "frequency_penalty", "unsupported_parameter"],
      [{ logit_bias: { 5: 1 } }, "logit_bias", "unsupported_parameter"],
      [{ top_k: 5 }, "top_k", "unknown_parameter"],
      [{ stream_options: { x: 1 }, stream: true }, "stream_options.x", "unknown_parameter"],
      [{ messages: undefined }, "messages", "missing_required_parameter"],
      [{ model: undefined }, "model", "missing_required_parameter"],
      [{ temperature: "hot" }, "temperature", "invalid_type"],
      [{ top_p: 2 }, "top_p", "invalid_value"],
      [{ top_logprobs: 2 }, "top_logprobs", "invalid_value"],
      [{ logprobs: true, top_logprobs: 21 }, "top_logprobs", "invalid_value"],
      [{ stream_options: { include_usage: true } }, "stream_options", "invalid_value"],
      [{ response_format: { type: "xml" } }, "response_format.type", "invalid_value"],
      [{ messages: [{ role: "tool", content: "x" }] }, "messages.0.role", "invalid_value"],
      [{ messages: [{ role: "wizard", content: "x" }] }, "messages.0.role", "invalid_value"],
      [{ messages: [{ role: "user", content: [image] }] }, "messages.0.content.0.type", "invalid_value"],
      [{ messages: [{ role: "user", content: "x", alias: "y" }] }, "messages.0.alias", "unknown_parameter"],
    ] as const)
      await expect(chat(more)).rejects.toMatchObject({ ...invalid, code, param });
    for (const [more, param] of [
      [{ echo: true }, "echo"],
      [{ suffix: "x" }, "suffix"],
      [{ response_format: { type: "json_object" } }, "response_format"],
    ] as const)
      await expect(complete(more)).rejects.toMatchObject({
        ...invalid,
        code: "unsupported_parameter",
        param,
      });
  });

  it("are taken where the field asks for nothing, and with an answer that is sent back", async () => {
    const answer = await client.chat.completions.create({ ...fixed, messages });
    const more = {
      tools: [],
      tool_choice: "none",
      logit_bias: {},
      user: "me",
      presence_penalty: 0,
      store: true,
      metadata: { run: "5" },
      parallel_tool_calls: true,
      n: null,
      stop: null,
      verbosity: "medium",
    };
    const { message } = answer.choices[0]!;
    const again = (await chat({
      ...more,
      messages: [...messages, message, ...messages],
    })) as OpenAI.ChatCompletion;
    expect(again.choices[0]!.finish_reason).toBe("length");
  });

  it("of other paths have 404, and of other methods 405", async () => {
    for (const [method, path, status, code] of [
      ["GET", "/v1/nothing", 404, "unknown_url"],
      ["GET", "/v1/embeddings", 405, "method_not_supported"],
      ["GET", "/v1/models/nobody", 404, "model_not_found"],
      ["GET", "/v1/chat/completions", 405, "method_not_supported"],
      ["DELETE", "/v1/models/base", 405, "method_not_supported"],
      ["POST", "/v1/models", 405, "method_not_supported"],
    ] as const) {
      const answer = await fetch(served.url + path, { method });
      expect([answer.status, await answer.json()]).toMatchObject([
        ...[status, { error: { type: "invalid_request_error", code } }],
      ]);
      if (status === 405) expect(answer.headers.get("allow")).toMatch(/GET|POST/);
    }
  });
});

describe("the AI SDK", () => {
  const provider = () =>
    createOpenAICompatible({
      name: "openledger",
      baseURL: `${served.url}/v1`,
      apiKey: "any",
      includeUsage: true,
      supportsStructuredOutputs: true,
    });
  const question = { prompt: "Who?", maxOutputTokens: 12, seed: 5, maxRetries: 0 };

  it("generates, streams, and has objects of a schema", async () => {
    const model = provider().chatModel("a0");
    const { finishReason, text, usage } = await generateText({ model, ...question });
    expect([finishReason, usage.outputTokens]).toEqual(["length", 12]);
    const stream = streamText({ model, ...question });
    let parts = "";
    for await (const part of stream.textStream) parts += part;
    expect(parts).toBe(text);
    expect((await stream.usage).outputTokens).toBe(12);
    const schema = z.object({ name: z.string(), isShip: z.boolean() });
    const { object } = await generateObject({ model, ...question, schema, maxOutputTokens: 60 });
    expect(schema.parse(object)).toEqual(object);
    const completion = provider().completionModel("a0");
    expect((await generateText({ model: completion, ...question })).finishReason).toBe("length");
  });
});

describe("keys", () => {
  const limits = { requestsPerMinute: 3, tokensPerMinute: 100 };
  let home: TestDatabase;
  let database: Database;
  beforeEach(async () => {
    home = await createTestDatabase();
    const logger = createLogger("test", "silent");
    database = await Database.open({ url: home.url, part: KEYS_PART, rollup: null, logger });
  });
  afterEach(async () => {
    await database.close();
    await home.drop();
  });

  it("once one is issued are asked for, counted each for itself, and taken back", async () => {
    const keyed = await serveWorld(folder, { SERVING_DATABASE_URL: home.url });
    try {
      const ask = (key: string, more = {}) =>
        clientOf(keyed, key).chat.completions.create({ ...fixed, messages, ...more });
      await ask("any");
      const key = await issueKey(database, { name: "mia", ...limits });
      const other = await issueKey(database, { name: "tom", ...limits });
      expect(JSON.stringify(await readKeys(database))).not.toContain(key.slice(6));
      const wrong = { status: 401, type: "invalid_request_error", code: "invalid_api_key" };
      await expect.poll(() => ask("any").catch((error: unknown) => error)).toMatchObject(wrong);
      const bare = await fetch(`${keyed.url}/v1/models`);
      expect([bare.status, await bare.json()]).toMatchObject([401, { error: { code: "invalid_api_key" } }]);
      for (const path of ["completions", "chat/completions", "embeddings"])
        expect((await fetch(`${keyed.url}/v1/${path}`, { method: "POST", body: "{" })).status).toBe(401);
      expect((await fetch(`${keyed.url}/health`)).status).toBe(200);
      const { response } = await clientOf(keyed, key)
        .chat.completions.create({ ...fixed, messages })
        .withResponse();
      expect(response.headers.get("x-ratelimit-limit-requests")).toBe("3");
      expect(response.headers.get("x-ratelimit-remaining-requests")).toBe("2");
      expect(Number(response.headers.get("x-ratelimit-remaining-tokens"))).toBeLessThan(88);
      const used = { status: 429, type: "rate_limit_error", code: "rate_limit_exceeded" };
      const spent = await ask(key, { max_tokens: 90 }).catch((error: unknown) => error);
      expect(spent).toMatchObject({ ...used, message: /tokens per minute/ });
      await expect(ask(key, { max_tokens: 300 })).rejects.toMatchObject({ status: 413, param: "max_tokens" });
      const refused = (await ask(key).catch((error: unknown) => error)) as InstanceType<
        typeof OpenAI.APIError
      >;
      expect(refused).toMatchObject({ ...used, message: /requests per minute/ });
      expect(Number(refused.headers!.get("retry-after"))).toBeGreaterThan(0);
      expect(refused.headers!.get("x-ratelimit-reset-requests")).toMatch(/s$/);
      await ask(other);
      expect(await revokeKey(database, "tom")).toBe(true);
      await expect.poll(() => ask(other).catch((error: unknown) => error)).toMatchObject(wrong);
    } finally {
      await keyed.close();
    }
  });

  it("are counted over all servers of a database, which go on as one", async () => {
    const servers = await Promise.all(
      ["one", "other"].map((name) =>
        serveWorld(folder, { SERVING_DATABASE_URL: home.url, SERVING_DATA_PATH: join(folder, name) }),
      ),
    );
    try {
      const key = await issueKey(database, { name: "mia", ...limits });
      const list = (i: number) => clientOf(servers[i]!, key).models.list();
      for (const i of [0, 1, 0]) await list(i);
      for (const i of [0, 1]) await expect(list(i)).rejects.toMatchObject({ status: 429 });
      await revokeKey(database, "mia");
      for (const i of [0, 1]) await expect(list(i)).rejects.toMatchObject({ status: 401 });
    } finally {
      for (const server of servers) await server.close();
    }
  });

  it("come back with time, and hold where all of them are lost", async () => {
    const key = await issueKey(database, { name: "mia", ...limits });
    await expect(issueKey(database, { name: "mia", ...limits })).rejects.toMatchObject({
      code: "CMD_USAGE",
    });
    let nowMs = Date.now();
    const keys = new ApiKeys(database, () => nowMs);
    const mia = (await keys.admit(`Bearer ${key}`))!;
    for (let i = 0; i < 3; i++) await mia.takeRequest();
    await expect(mia.takeRequest()).rejects.toThrow(/try again in 20 s/);
    nowMs += 20_000;
    expect((await keys.admit(`bearer ${key}`))!.name).toBe(mia.name);
    await mia.takeRequest();
    await expect(keys.admit("Bearer x")).rejects.toThrow(/Incorrect API key/);
    await database.query("delete from keys");
    await expect(keys.admit(`Bearer ${key}`)).rejects.toThrow(/Incorrect API key/);
  });
});
