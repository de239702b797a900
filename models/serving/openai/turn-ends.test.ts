/** A whole server over a base that says what its head is made to say: what clients get of blanks and of marks. */
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { trainTokenizer } from "../../engine/tokens/train-tokenizer.ts";
import { madeConfigs, makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { serveWorld } from "../../testing/serving-world.ts";
import type { ServedModels } from "../serve-models.ts";

const MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] as const;
const CHATML =
  "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}" +
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
const SIZE = MARKS.length + 256;
const END_OF_TEXT = 0;

const folder = mkdtempSync(join(tmpdir(), "openledger-ends-"));
const served: ServedModels[] = [];
afterAll(async () => {
  for (const one of served) await one.close();
  rmSync(folder, { recursive: true });
});

/** Says the tokens of these names alone, each as likely as the others. */
async function serveSaying(name: string, names: readonly string[]): Promise<OpenAI> {
  const config = {
    ...madeConfigs.gpt2,
    vocab_size: SIZE,
    n_positions: 128,
    tie_word_embeddings: false,
    eos_token_id: END_OF_TEXT,
  };
  const { tensors } = makeModel(config, "ends");
  const width = config.n_embd;
  // The last norm gives ones whatever was read, so a row's sum is its token's logit.
  const changed = tensors.map((tensor) =>
    tensor.name === "ln_f.weight"
      ? { ...tensor, values: new Float32Array(width) }
      : tensor.name === "ln_f.bias"
        ? { ...tensor, values: new Float32Array(width).fill(1) }
        : tensor,
  );
  const head = new Float32Array(SIZE * width);
  const file = trainTokenizer([], { vocabularySize: SIZE, specialTokens: MARKS });
  const { model: ofBytes } = JSON.parse(file) as { model: { vocab: Record<string, number> } };
  for (const token of names.map((name) => ofBytes.vocab[name] ?? MARKS.indexOf(name as "<|im_end|>")))
    head.fill(2, token * width, (token + 1) * width);
  changed.push({ name: "lm_head.weight", shape: [SIZE, width], values: head });
  const base = join(folder, name, "base");
  await writeMadeModel(base, { config, tensors: changed });
  await writeFile(join(base, "tokenizer.json"), file);
  await mkdir(join(folder, name, "adapters"));
  // The form of Qwen2.5: config.json names the end of a text, and a chat's mark stands elsewhere.
  await writeFile(
    join(base, "tokenizer_config.json"),
    JSON.stringify({ eos_token: "<|endoftext|>", chat_template: CHATML }),
  );
  const one = await serveWorld(join(folder, name));
  served.push(one);
  return new OpenAI({ baseURL: `${one.url}/v1`, apiKey: "any", maxRetries: 0 });
}

let blanks: OpenAI;
let ending: OpenAI;
beforeAll(async () => {
  blanks = await serveSaying("blanks", ["x", ".", "Ġ"]);
  ending = await serveSaying("ending", ["<|im_end|>"]);
});

const model = "base";
const chat = { model, messages: [{ role: "user" as const, content: "x" }], max_tokens: 20, seed: 1 };

describe("an answer's text", () => {
  it("is what its tokens spell: whole, streamed, and in its probabilities", async () => {
    const question = { model, prompt: "x", max_tokens: 40, seed: 1, temperature: 1 };
    const answer = (await blanks.completions.create({ ...question, logprobs: 0 })) as OpenAI.Completion;
    const { logprobs, text } = answer.choices[0]!;
    expect(text).toHaveLength(40);
    expect(text).toContain(" .");
    expect(logprobs!.tokens!.join("")).toBe(text);
    let streamed = "";
    for await (const part of await blanks.completions.create({ ...question, stream: true }))
      streamed += part.choices[0]?.text ?? "";
    expect(streamed).toBe(text);
    const stopped = (await blanks.completions.create({ ...question, stop: [" ."] })) as OpenAI.Completion;
    expect(stopped.choices[0]).toMatchObject({
      finish_reason: "stop",
      text: text.slice(0, text.indexOf(" .")),
    });
  });
});

describe("a turn", () => {
  it("ends at the mark of its form, which is a special token and no end of config.json", async () => {
    const answer = await ending.chat.completions.create(chat);
    expect(answer.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "" } });
    expect(answer.usage!.completion_tokens).toBeLessThan(20);
  });

  it("of marks alone tells each of them in its probabilities", async () => {
    // In a completion the mark ends nothing, and has no text.
    const question = { model, prompt: "x", max_tokens: 3, logprobs: 0 };
    const answer = (await ending.completions.create(question)) as OpenAI.Completion;
    expect(answer.choices[0]).toMatchObject({ text: "", finish_reason: "length" });
    expect(answer.choices[0]!.logprobs!.tokens).toEqual(Array(3).fill("<|im_end|>"));
  });
});
