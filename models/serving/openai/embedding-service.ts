/**
 * Answers OpenAI's requests for embeddings: the mean of a text's last hidden states, of length 1. A text's numbers are the same in any
 * batch and by any kernels. serving-app.ts has the route.
 */
import { setImmediate as pause } from "node:timers/promises";
import { begun, type TextTokens } from "../../engine/tokens/tokenizer.ts";
import { servingError } from "../../model-errors.ts";
import type { ApiKey } from "../api-keys.ts";
import type { AnswerBilling } from "../billing/answer-billing.ts";
import type { ServingEngine } from "../serving-engine.ts";
import { ClientGone } from "./make-answer.ts";
import { type EmbeddingRequest, invalidRequest, type Prompt } from "./openai-requests.ts";
import type { PromptEncoder, PromptSender } from "./prompts/prompt-encoder.ts";

interface EmbeddingOptions {
  /** Name by which requests ask for the base without an adapter. */
  readonly baseName: string;
  readonly vocabularySize: number;
  /** Numbers of an embedding. */
  readonly width: number;
}

interface EmbeddingModules {
  readonly engine: ServingEngine;
  readonly encoder: PromptEncoder;
  readonly tokens: TextTokens;
  /** Absent if all models are free. */
  readonly billing?: AnswerBilling | undefined;
}

/** Address and key of a request; the key is null if none are issued. */
interface Asker {
  readonly address: string;
  readonly key: ApiKey | null;
}

/** Texts of one request that are read at once. */
const AT_ONCE = 8;

export class EmbeddingService {
  readonly #options: EmbeddingOptions;
  readonly #modules: EmbeddingModules;

  constructor(options: EmbeddingOptions, modules: EmbeddingModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /**
   * @param isWanted whether anybody still waits
   * @throws RollupError SRV_BAD_REQUEST, MOD_SERVE_PROMPT_TOO_LONG, SRV_OVERLOADED, SRV_STOPPING, SRV_QUOTA_USED
   */
  async embed(request: EmbeddingRequest, asker: Asker, isWanted: () => boolean): Promise<object> {
    const { baseName, width } = this.#options;
    const { dimensions, encoding_format: format, input, model } = request;
    this.#requireFree(model);
    if ((dimensions ?? width) !== width)
      throw invalidRequest("dimensions", `embeddings of this base have ${width} numbers`);
    const sender = { address: asker.address, isWanted };
    const prompts: (readonly number[])[] = [];
    for (const [i, text] of input.entries())
      prompts.push(await this.#promptOf(text, input.length > 1 ? `input.${i}` : "input", sender));
    const tokenCount = prompts.reduce((sum, { length }) => sum + length, 0);
    await asker.key?.takeTokens(tokenCount);
    const tenant = asker.key === null ? asker.address : `key ${asker.key.name}`;
    const adapter = model === baseName ? null : model;
    const embeddings: Float32Array[] = [];
    for (let from = 0; from < prompts.length; from += AT_ONCE) {
      if (!isWanted()) throw new ClientGone();
      const some = prompts.slice(from, from + AT_ONCE);
      const made = some.map((prompt) => this.#read(prompt, { adapter, address: asker.address, tenant }));
      embeddings.push(...(await Promise.all(made)));
      await pause();
    }
    const data = embeddings.map((numbers, index) => ({
      object: "embedding",
      index,
      embedding: format === "base64" ? Buffer.from(numbers.buffer).toString("base64") : Array.from(numbers),
    }));
    return { object: "list", data, model, usage: { prompt_tokens: tokenCount, total_tokens: tokenCount } };
  }

  /** A registered model is paid by receipts, which bind an answer's text: an embedding has none. */
  #requireFree(model: string): void {
    const { billing } = this.#modules;
    if (billing?.charges(model) !== true) return;
    const { baseName } = this.#options;
    const remedy = billing.charges(baseName)
      ? "ask a server whose base is free (models serve --adapters)"
      : `take "${baseName}", its base, which is free here`;
    const why = `${model} is paid for by receipts of its answers, and an embedding has no receipt`;
    throw invalidRequest("model", `${why}: ${remedy}`, "unsupported_value");
  }

  async #promptOf(text: Prompt, param: string, sender: PromptSender): Promise<readonly number[]> {
    const { encoder, tokens } = this.#modules;
    const prompt = typeof text === "string" ? begun(tokens, await encoder.encode(text, param, sender)) : text;
    if (prompt.length === 0) throw invalidRequest(param, "it is empty");
    if (prompt.some((token) => token >= this.#options.vocabularySize))
      throw invalidRequest(param, "a token is not in the vocabulary");
    return prompt;
  }

  #read(
    prompt: readonly number[],
    turn: { readonly adapter: string | null; readonly address: string; readonly tenant: string },
  ): Promise<Float32Array> {
    return new Promise((settle, fail) => {
      const form = { maxTokens: 0, temperature: 0, topP: 1, seed: "", endTokens: [] };
      const listener = {
        onToken: () => {},
        onEnd: (_: unknown, embedding?: Float64Array) => settle(unitLength(embedding!)),
        onError: fail,
      };
      this.#modules.engine.ask({ ...turn, ...form, prompt, isEmbedding: true }, listener);
    });
  }
}

/** float32 numbers as others send them; a text whose states cancel out has none. @throws RollupError SRV_INTERNAL */
function unitLength(values: Float64Array): Float32Array {
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  if (!(length > 0)) throw servingError("SRV_INTERNAL", "the text has no direction");
  return Float32Array.from(values, (value) => value / length);
}
