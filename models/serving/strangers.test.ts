/** Requests of strangers that would take the time, the memory or the turns of others. */
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { folderSource } from "../engine/files/folder-source.ts";
import { maxTextBytes, openTokenizer, type TextTokens } from "../engine/tokens/tokenizer.ts";
import { serveWorld, writeServingWorld } from "../testing/serving-world.ts";
import { PromptEncoder } from "./openai/prompts/prompt-encoder.ts";
import type { ServedModels } from "./serve-models.ts";

const VOCABULARY = 270;
const POSITIONS = 512;
let folder: string;
let served: ServedModels;
let tokens: TextTokens;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "openledger-strangers-"));
  await writeServingWorld(folder, 1, VOCABULARY);
  tokens = await openTokenizer(folderSource(join(folder, "base")), VOCABULARY);
  served = await serveWorld(folder);
});
afterAll(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: a body as it came.
  readonly body: any;
}

/** Posts from an address of this machine. */
function post(
  { url }: ServedModels,
  path: string,
  body: object,
  { from = "127.0.0.1", key = "key" } = {},
): Promise<Answer> {
  return new Promise((settle, fail) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
    const options = { method: "POST", headers, localAddress: from, agent: false };
    const sent = request(`${url}${path}`, options, async (response) => {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part as Buffer);
      const [status, retryAfter] = [response.statusCode!, response.headers["retry-after"]];
      settle({ status, retryAfter, body: JSON.parse(Buffer.concat(parts).toString()) });
    });
    sent.on("error", fail);
    sent.end(JSON.stringify(body));
  });
}

describe("a long prompt", () => {
  const word = (bytes: number) => "whale".repeat(Math.ceil(bytes / 5)).slice(0, bytes);

  it("is refused by its bytes, before it is encoded", async () => {
    const maxBytes = maxTextBytes(tokens, POSITIONS);
    const refusal = (promptBytes: number) => ({
      status: 400,
      body: {
        error: {
          code: "context_length_exceeded",
          openledger: { code: "MOD_SERVE_PROMPT_TOO_LONG", data: { promptBytes, maxBytes } },
        },
      },
    });
    const completion = { model: "base", prompt: word(maxBytes + 1), max_tokens: 1 };
    expect(await post(served, "/v1/completions", completion)).toMatchObject(refusal(maxBytes + 1));
    // The contents are counted before the chat is rendered.
    const messages = ["a", word(maxBytes)].map((content) => ({ role: "user", content }));
    const chat = await post(served, "/v1/chat/completions", { model: "base", messages, max_tokens: 1 });
    expect(chat).toMatchObject(refusal(maxBytes + "a".length));
    const large = { model: "base", prompt: word(4 * 2 ** 20), max_tokens: 1 };
    expect((await post(served, "/v1/completions", large)).body.error.message).toMatch(/body is too large/i);
  });

  it("that may fit is encoded on another thread, and to the same tokens", async () => {
    const elsewhere: TextTokens = {
      ...tokens,
      encode: () => {
        throw new Error("encoded on the thread that serves HTTP");
      },
    };
    const seat = { basePath: join(folder, "base"), vocabularySize: VOCABULARY };
    const encoder = new PromptEncoder(elsewhere, seat, 20_000);
    try {
      const sender = { address: "a", isWanted: () => true };
      for (const bytes of [513, 9_000]) {
        const text = word(bytes);
        expect(await encoder.encode(text, "prompt", sender)).toEqual(tokens.encode(text));
      }
    } finally {
      await encoder.close();
    }
  });

  it("that has too many tokens is refused, though its bytes may be enough", async () => {
    const prompt = "\u00e9".repeat(400);
    const answer = await post(served, "/v1/completions", { model: "base", prompt, max_tokens: 1 });
    expect(answer.body.error.openledger.data).toMatchObject({ promptTokens: 800, max: POSITIONS });
  });

  it("in many pieces is refused by their number, before anybody looks at one", async () => {
    const messages = Array(10_001).fill({});
    const chat = await post(served, "/v1/chat/completions", { model: "base", messages });
    expect(chat.body.error).toMatchObject({ param: "messages", message: /10000 entries/ });
  });
});

describe("turns", () => {
  const limits = { SERVING_BATCH: "1", SERVING_MAX_QUEUED_PER_TENANT: "2" };

  it("are those of addresses, however many keys are invented", async () => {
    const small = await serveWorld(folder, limits);
    try {
      const many = async (more: object, tokenCount: number) => {
        const body = { model: "base", prompt: "x", max_tokens: tokenCount };
        const { retryAfter, status } = await post(small, "/v1/completions", body, more);
        return { status, retryAfter, atMs: performance.now() };
      };
      const question = [1, 2, 3, 4, 5].map((i) => many({ key: `invented ${i}` }, 400));
      await expect
        .poll(async () => (await (await fetch(`${small.url}/health`)).json()) as object)
        .toMatchObject({ activeCount: 1, queuedCount: 2 });
      const other = await many({ from: "127.0.0.2" }, 4);
      const results = await Promise.all(question);
      const refused = results.filter(({ status }) => status !== 200);
      expect(refused).toMatchObject([
        { status: 429, retryAfter: "1" },
        { status: 429, retryAfter: "1" },
      ]);
      expect(other.status).toBe(200);
      const input = results.filter(({ status }) => status === 200);
      expect(other.atMs).toBeLessThan(Math.max(...input.map(({ atMs }) => atMs)));
    } finally {
      await small.close();
    }
  });

  it("of the batch are never one address's alone: another's short answer does not wait for a long one", async () => {
    const small = await serveWorld(folder, { SERVING_BATCH: "4" });
    try {
      const ask = async (from: string, tokenCount: number) => {
        const body = { model: "base", prompt: "x", max_tokens: tokenCount };
        const { status } = await post(small, "/v1/completions", body, { from });
        return { status, atMs: performance.now() };
      };
      const question = [1, 2, 3, 4, 5, 6].map(() => ask("127.0.0.1", 400));
      await expect
        .poll(async () => (await (await fetch(`${small.url}/health`)).json()) as object)
        .toMatchObject({ activeCount: 2, queuedCount: 4 });
      const other = await ask("127.0.0.2", 1);
      const results = await Promise.all(question);
      expect([other, ...results].map(({ status }) => status)).toEqual(Array(7).fill(200));
      expect(other.atMs).toBeLessThan(Math.min(...results.map(({ atMs }) => atMs)));
    } finally {
      await small.close();
    }
  });
});
