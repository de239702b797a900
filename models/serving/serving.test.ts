/** Tests of the answer server's OpenAI routes over HTTP. */
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attackServer } from "@openledger/foundation/http/testing/attack-server";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveWorld, writeServingWorld } from "../testing/serving-world.ts";
import type { ServedModels } from "./serve-models.ts";

const ADAPTERS = 40;
let folder: string;
let served: ServedModels;
let client: OpenAI;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "openledger-serving-"));
  await writeServingWorld(folder, ADAPTERS);
  served = await serveWorld(folder);
  client = clientOf(served);
});
afterAll(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
});

const clientOf = ({ url }: ServedModels, apiKey = "key") =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
const fixed = { max_tokens: 12, temperature: 0.8, top_p: 0.9, seed: 5 };

async function streamed(
  model: string,
  prompt: string,
  more = {},
): Promise<{ text: string; finish: string | null }> {
  const stream = await client.completions.create({ model, prompt, ...fixed, ...more, stream: true });
  let text = "";
  let finish: string | null = null;
  for await (const { choices } of stream) {
    text += choices[0]?.text ?? "";
    finish = choices[0]?.finish_reason ?? finish;
  }
  return { text, finish };
}

async function metric(name: string, of = served): Promise<number> {
  const page = await (await fetch(`${of.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(page)?.[1] ?? Number.NaN);
}

describe("int8 weights", () => {
  it("answer where a server is told to take them", async () => {
    const data = { SERVING_DATA_PATH: join(folder, "data-int8"), SERVING_WEIGHTS: "int8" };
    const other = await serveWorld(folder, data);
    try {
      const question = { model: "a1", prompt: "The whale", ...fixed };
      const answer = await clientOf(other).completions.create(question);
      expect(answer.usage).toMatchObject({ completion_tokens: 12 });
      expect(await clientOf(other).completions.create(question)).toMatchObject({ choices: answer.choices });
    } finally {
      await other.close();
    }
  });
});

describe("OpenAI's client", () => {
  it("lists the base and the adapters", async () => {
    const models = (await client.models.list()).data.map(({ id }) => id);
    expect(models).toHaveLength(1 + ADAPTERS);
    expect(models[0]).toBe("base");
    expect(await client.models.retrieve("a3")).toMatchObject({ id: "a3", parent: "base" });
    await expect(client.models.retrieve("none")).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
    });
  });

  it("completes, with usage, and the same again", async () => {
    const ask = () => client.completions.create({ model: "a1", prompt: "The whale", ...fixed });
    const answer = await ask();
    expect(answer).toMatchObject({
      object: "text_completion",
      model: "a1",
      usage: { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 },
      choices: [{ index: 0, finish_reason: "length" }],
      openledger: { seed: "5" },
    });
    expect((await ask()).choices[0]!.text).toBe(answer.choices[0]!.text);
    const other = await client.completions.create({ model: "a2", prompt: "The whale", ...fixed });
    expect(other.choices[0]!.text).not.toBe(answer.choices[0]!.text);
    const tokens = await client.completions.create({
      model: "a1",
      prompt: [...Buffer.from("The whale")],
      ...fixed,
    });
    expect(tokens.choices[0]!.text).toBe(answer.choices[0]!.text);
  });

  it("streams the same text, and stops where it is told", async () => {
    const whole = (await client.completions.create({ model: "a4", prompt: "Call me", ...fixed })).choices[0]!
      .text;
    expect(await streamed("a4", "Call me")).toEqual({ text: whole, finish: "length" });
    const stop = whole.slice(5, 7);
    const cut = { text: whole.slice(0, whole.indexOf(stop)), finish: "stop" };
    expect(await streamed("a4", "Call me", { stop: [stop] })).toEqual(cut);
    // The server counts its end after the client has seen it.
    await expect.poll(() => metric("serving_requests_active")).toBe(0);
  });

  it("chats, whole and in parts, with the usage at the end", async () => {
    const messages = [
      { role: "system" as const, content: "You answer." },
      { role: "user" as const, content: [{ type: "text" as const, text: "Who?" }] },
    ];
    const answer = await client.chat.completions.create({ model: "a5", messages, ...fixed });
    expect(answer.choices[0]!.message.role).toBe("assistant");
    const parts = { stream: true, stream_options: { include_usage: true } } as const;
    const stream = await client.chat.completions.create({ model: "a5", messages, ...fixed, ...parts });
    let text = "";
    let usage: unknown;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe(answer.choices[0]!.message.content);
    expect(usage).toEqual(answer.usage);
  });

  it("has forty adapters at once, each as alone", async () => {
    const names = Array.from({ length: ADAPTERS }, (_, i) => `a${i}`);
    const together = await Promise.all(names.map((name) => streamed(name, `Who is ${name}?`)));
    for (const i of [0, 7, 22, 39])
      expect(await streamed(names[i]!, `Who is ${names[i]}?`)).toEqual(together[i]);
    expect(new Set(together.map(({ text }) => text)).size).toBeGreaterThan(35);
    expect(await metric("serving_adapter_loads")).toBeGreaterThanOrEqual(ADAPTERS);
  });
});

describe("refusals", () => {
  const ask = (more: object) =>
    client.completions.create({ model: "a1", prompt: "x", max_tokens: 2, ...more } as never);

  it("name what is wrong in OpenAI's form", async () => {
    const invalid = { status: 400, type: "invalid_request_error", code: "invalid_value" };
    await expect(ask({ model: "nobody" })).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
      param: "model",
    });
    await expect(ask({ model: "../tuning/base" })).rejects.toMatchObject({ status: 404 });
    await expect(ask({ temperature: -1 })).rejects.toMatchObject({ ...invalid, param: "temperature" });
    await expect(ask({ prompt: "" })).rejects.toMatchObject({ ...invalid, param: "prompt" });
    await expect(ask({ prompt: [999] })).rejects.toMatchObject({ ...invalid, param: "prompt" });
    const long = { status: 400, code: "context_length_exceeded", param: "messages" };
    await expect(ask({ prompt: "x".repeat(511) })).rejects.toMatchObject(long);
    await expect(ask({ max_tokens: 2 ** 20 })).rejects.toMatchObject(long);
    await expect(client.post("/nothing", { body: {} })).rejects.toMatchObject({ status: 404 });
    const raw = await fetch(`${served.url}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{",
    });
    const form = {
      error: { type: "invalid_request_error", openledger: { code: "SRV_BAD_REQUEST" } },
    };
    expect(await raw.json()).toMatchObject(form);
    for (const path of ["/%", `/v1/models/${"x".repeat(2_000)}`]) {
      const answer = await fetch(served.url + path);
      expect([answer.status, await answer.json()]).toMatchObject([400, form]);
    }
    expect(await attackServer(served.url, { post: "/v1/completions", metrics: "/metrics" })).toEqual([]);
  });

  it("are counted by address", async () => {
    const limited = await serveWorld(folder, { SERVING_RATE_LIMIT_PER_MINUTE: "2" });
    const ask = () => fetch(`${limited.url}/v1/models`);
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
    const refused = await ask();
    expect([refused.status, await refused.json()]).toMatchObject([
      429,
      { error: { code: "rate_limit_exceeded" } },
    ]);
    await limited.close();
  });

  it("of a damaged adapter leave the others alone", async () => {
    const path = join(folder, "adapters", "broken");
    await mkdir(path);
    await writeFile(join(path, "adapter_config.json"), "{}");
    await writeFile(join(path, "adapter_model.safetensors"), "");
    const others = Promise.all(["a8", "a9"].map((name) => streamed(name, "x")));
    await expect(ask({ model: "broken", stream: true })).rejects.toMatchObject({
      status: 422,
      code: "adapter_unusable",
    });
    for (const { finish } of await others) expect(finish).toBe("length");
    rmSync(path, { recursive: true });
  });
});

describe("clients that go", () => {
  it("free their place in the batch", async () => {
    const leave = async () => {
      const leaving = new AbortController();
      const stream = await client.completions.create(
        { model: "a1", prompt: "x", max_tokens: 500, stream: true },
        { signal: leaving.signal },
      );
      for await (const _ of stream) leaving.abort();
      return await metric('serving_requests_total{result="cancelled"}');
    };
    // On a busy machine an answer may be whole before its client's leaving is seen: then another one leaves.
    await expect.poll(leave).toBeGreaterThan(0);
    await expect.poll(() => metric("serving_requests_active")).toBe(0);
    await expect.poll(() => metric("serving_kv_pages_used")).toBe(0);
  });

  it("or stay and do not read, lose their stream and slow nobody", async () => {
    const tight = await serveWorld(folder, {
      SERVING_STREAM_BUFFER_BYTES: "4096",
      SERVING_MAX_POSITIONS: "512",
    });
    try {
      const body = JSON.stringify({ model: "base", prompt: "x", max_tokens: 500, stream: true });
      const socket = connect(Number(new URL(tight.url).port), "127.0.0.1");
      socket.on("error", () => {});
      socket.pause();
      const request = `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
      // Many questions on one connection: their answers wait for the first one, which nobody reads.
      for (let i = 0; i < 12; i++) socket.write(request);
      const reading = clientOf(tight, "other");
      const answer = await reading.completions.create({ model: "a2", prompt: "y", max_tokens: 20 });
      expect(answer.usage?.completion_tokens).toBe(20);
      const dropped = () => metric('serving_requests_total{result="MOD_SERVE_READER_SLOW"}', tight);
      await expect.poll(dropped).toBeGreaterThan(0);
      socket.destroy();
      await expect.poll(() => metric("serving_requests_active", tight)).toBe(0);
      await expect.poll(() => metric("serving_kv_pages_used", tight)).toBe(0);
    } finally {
      await tight.close();
    }
  });
});
