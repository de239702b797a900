/**
 * Answers OpenAI's requests for completions and chats: parses, encodes, bills, has answers made, and streams or
 * returns them. serving-app.ts has its routes.
 */
import { randomBytes, randomInt } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { ChatTool, ToolCall } from "@openledger/attribution/model/model-chat";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { jsonStart } from "../../engine/batches/json-text.ts";
import { begun, type TextTokens } from "../../engine/tokens/tokenizer.ts";
import { servingError } from "../../model-errors.ts";
import type { X402Request } from "../answers/x402-exchange.ts";
import type { ApiKey } from "../api-keys.ts";
import type { AnswerBilling, AnswerForm, SentQuestion } from "../billing/answer-billing.ts";
import type { ServingEngine } from "../serving-engine.ts";
import type { ServingMetrics } from "../serving-metrics.ts";
import type { ChatForm } from "./chat-prompt.ts";
import { EventStream } from "./event-stream.ts";
import { ClientGone, type GiveText, type MadeAnswer, makeAnswer, type TokenMark } from "./make-answer.ts";
import { MessageText } from "./message-text.ts";
import {
  type AnswerHead,
  answerPart,
  callsPart,
  errorView,
  lastPart,
  type Usage,
  usagePart,
  wholeAnswer,
} from "./openai-answers.ts";
import { type AnyRequest, invalidRequest, type Prompt } from "./openai-requests.ts";
import type { PromptEncoder, PromptSender } from "./prompts/prompt-encoder.ts";
import type { DatedChat } from "./prompts/prompt-tasks.ts";
import type { TokenNames } from "./token-names.ts";

interface CompletionServiceOptions {
  /** Name by which requests ask for the base without an adapter. */
  readonly baseName: string;
  /** Number of token ids. */
  readonly vocabularySize: number;
  readonly endTokens: readonly number[];
  readonly maxBufferedBytes: number;
  /** True if tokens spell bytes, so that answers can be held to JSON. */
  readonly hasJson: boolean;
}

interface CompletionServiceModules {
  readonly engine: ServingEngine;
  readonly encoder: PromptEncoder;
  readonly tokens: TextTokens;
  readonly names: TokenNames;
  readonly chat: ChatForm;
  readonly metrics: ServingMetrics;
  readonly log: { error(facts: object, message: string): void };
  /** Absent if all answers are free. */
  readonly billing?: AnswerBilling | undefined;
}

/** Address and key of a request; the key is null if none are issued. */
interface Asker {
  readonly address: string;
  readonly key: ApiKey | null;
  /** Payment by x402; absent where it is not taken. */
  readonly x402?: X402Request;
}

/** Request with everything that its answers need. */
interface PreparedRequest extends Asker {
  readonly head: AnswerHead;
  readonly question: SentQuestion;
  /** undefined if the answer is free. */
  readonly billing: AnswerBilling | undefined;
  /** Form of each choice. */
  readonly forms: readonly AnswerForm[];
  readonly promptTokens: number;
  readonly stops: readonly string[];
  /** Tools that answers may call. */
  readonly tools: readonly ChatTool[];
  readonly isStream: boolean;
}

interface Ended {
  readonly end: "stop" | "length" | "tool_calls";
  readonly calls: readonly ToolCall[];
  readonly answerTokens: number;
  readonly openledger: object;
}

/** Maximum tokens of an answer if the request names no limit. */
const USUAL_TOKENS = 256;
/** Maximum probabilities of one request: its answers' tokens and those reported beside each. */
const MAX_LOGPROBS = 2 ** 17;

/** Takes requests, has them answered, and gives the answers at once or part by part. */
export class CompletionService {
  readonly #options: CompletionServiceOptions;
  readonly #modules: CompletionServiceModules;

  constructor(options: CompletionServiceOptions, modules: CompletionServiceModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Writes the answer to the response, or throws before anything is written. */
  async answer(request: AnyRequest, asker: Asker, response: ServerResponse): Promise<void> {
    const { metrics } = this.#modules;
    try {
      // A waiting request holds none of its text, unless its answer is charged for.
      const prepared = await this.#prepare(request, asker, () => !response.destroyed);
      const { forms, key } = prepared;
      await key?.takeTokens(forms.reduce((sum, { maxTokens, prompt }) => sum + prompt.length + maxTokens, 0));
      for (const [name, value] of Object.entries(key?.headers ?? {})) response.setHeader(name, value);
      if (prepared.isStream) await this.#stream(prepared, response);
      else await this.#whole(prepared, response);
      metrics.requests.inc({ result: "done" });
    } catch (error) {
      if (error instanceof ClientGone) {
        metrics.requests.inc({ result: "cancelled" });
        return;
      }
      const failure = this.#typed(error);
      metrics.requests.inc({ result: failure.code });
      throw failure;
    }
  }

  async #prepare(request: AnyRequest, asker: Asker, isWanted: () => boolean): Promise<PreparedRequest> {
    const { encoder, names } = this.#modules;
    const { kind, model } = request;
    const charger = this.#modules.billing;
    const billing = charger?.charges(model) === true ? charger : undefined;
    const [first, ...others] = request.kind === "completion" ? request.prompts : [];
    const plain = typeof first === "string" && others.length === 0 ? first : null;
    const sender = { address: asker.address, isWanted };
    if (billing !== undefined) {
      requirePlain(request);
      billing.requireForm(model, request);
    }
    const param = kind === "chat" ? ("messages" as const) : ("prompt" as const);
    const text =
      billing !== undefined && request.kind === "chat"
        ? await billing.chatText(model, request).catch(refuseChat)
        : plain;
    const question = {
      model,
      text: billing === undefined ? null : text,
      param,
      claim: request.openledger,
      x402: asker.x402 ?? null,
    };
    const form = await billing?.formOf(question, (prompt) => encoder.encode(prompt, param, sender));
    const forms = form === undefined ? await this.#formsOf(request, sender) : [form];
    const copies = form === undefined ? (request.n ?? 1) : 1;
    const hasStops = forms[0] !== form && forms[0]!.json === null;
    return {
      head: {
        kind,
        id: `${kind === "chat" ? "chatcmpl" : "cmpl"}-${randomBytes(12).toString("hex")}`,
        createdSeconds: Math.floor(Date.now() / 1000),
        model,
        names: request.topLogprobs === null ? null : names,
        hasUsage: request.stream_options?.include_usage === true,
      },
      question,
      billing,
      ...asker,
      forms,
      promptTokens: forms.reduce((sum, { prompt }) => sum + prompt.length, 0) / copies,
      stops: hasStops ? request.stop : [],
      tools: request.kind === "chat" ? request.tools : [],
      isStream: request.stream === true,
    };
  }

  /** Forms as the request has them: n for each prompt, the same but for the seed. */
  async #formsOf(request: AnyRequest, sender: PromptSender): Promise<AnswerForm[]> {
    const { chat } = this.#modules;
    const { json, kind, topLogprobs } = request;
    const n = request.n ?? 1;
    const isChat = kind === "chat";
    const texts: readonly (Prompt | DatedChat)[] = isChat
      ? [{ chat: { messages: request.messages, tools: request.tools }, date: today() }]
      : request.prompts;
    if (json !== null && !this.#options.hasJson)
      throw invalidRequest(
        "response_format",
        "Unsupported parameter: 'response_format' is not served of a base whose tokens do not spell bytes",
        "unsupported_parameter",
      );
    if (texts.length * n > 1) this.#requireRoom(texts.length * n * (questionTokens(request) ?? 1), n);
    const seed = BigInt(request.seed ?? randomInt(2 ** 32));
    const endTokens = [...this.#options.endTokens, ...(isChat ? chat.endTokens : [])];
    const hasBegin = !isChat || chat.hasBegin;
    const forms: AnswerForm[] = [];
    for (const text of texts) {
      const prompt = await this.#promptOf(text, isChat ? "messages" : "prompt", sender, hasBegin);
      const form = {
        prompt,
        json,
        topLogprobs,
        maxTokens: this.#maxTokens(request, prompt.length),
        temperature: request.temperature ?? 1,
        topP: request.top_p ?? 1,
        endTokens,
      };
      for (let i = 0; i < n; i++) forms.push({ ...form, seed: String(seed + BigInt(i)) });
    }
    const allTokens = forms.reduce((sum, { maxTokens, prompt }) => sum + prompt.length + maxTokens, 0);
    if (forms.length > 1) this.#requireRoom(allTokens, n);
    const tokenCount = forms.reduce((sum, { maxTokens }) => sum + maxTokens, 0);
    if (topLogprobs !== null && tokenCount * (topLogprobs + 1) > MAX_LOGPROBS)
      throw invalidRequest(
        isChat ? "top_logprobs" : "logprobs",
        `${tokenCount} tokens, with ${topLogprobs} beside each: at most ${MAX_LOGPROBS} probabilities are given`,
      );
    return forms;
  }

  /** Tokens that a request gives itself are taken as they are. */
  async #promptOf(
    input: Prompt | DatedChat,
    param: string,
    sender: PromptSender,
    hasBegin: boolean,
  ): Promise<readonly number[]> {
    const { encoder, tokens } = this.#modules;
    const isChat = typeof input === "object" && "chat" in input;
    const own = isChat
      ? await encoder.encodeChat(input, sender).catch(refuseChat)
      : typeof input === "string"
        ? await encoder.encode(input, param, sender)
        : input;
    const prompt = hasBegin && (isChat || typeof input === "string") ? begun(tokens, own) : own;
    if (prompt.length === 0) throw invalidRequest(param, "it is empty");
    if (prompt.some((token) => token >= this.#options.vocabularySize))
      throw invalidRequest(param, "a token is not in the vocabulary");
    return prompt;
  }

  /** @throws RollupError SRV_BAD_REQUEST if several answers together would have more than all requests may at once */
  #requireRoom(tokenCount: number, n: number): void {
    const { allPositions } = this.#modules.engine;
    if (tokenCount <= allPositions) return;
    throw invalidRequest(
      n > 1 ? "n" : "prompt",
      `all answers of the request have ${tokenCount} tokens: there is room for ${allPositions}`,
    );
  }

  async #whole(prepared: PreparedRequest, response: ServerResponse): Promise<void> {
    const texts = prepared.forms.map(() => "");
    const marks = prepared.forms.map((): TokenMark[] => []);
    const { all, usage } = await this.#runAll(prepared, response, (index, more, ready) => {
      texts[index] += more;
      marks[index]!.push(...ready);
    });
    const choices = all.map(({ calls, end }, index) => ({
      index,
      text: texts[index]!,
      marks: marks[index]!,
      end,
      calls,
    }));
    const body = JSON.stringify(wholeAnswer(prepared.head, choices, usage, all[0]!.openledger));
    response.writeHead(200, { "content-type": "application/json; charset=utf-8" }).end(body);
  }

  async #stream({ head, ...rest }: PreparedRequest, response: ServerResponse): Promise<void> {
    const prepared = { head, ...rest };
    const stream = new EventStream(response, this.#options.maxBufferedBytes);
    const begun = new Set<number>();
    // The head goes out with the first part: what fails before has a status of its own.
    const begin = (index: number) => {
      if (begun.size === 0) stream.begin();
      if (!begun.has(index) && head.kind === "chat")
        stream.send(answerPart(head, { index, text: "", marks: [], end: null }, true));
      begun.add(index);
    };
    const give = (index: number, text: string, marks: readonly TokenMark[]) => {
      begin(index);
      stream.send(answerPart(head, { index, text, marks, end: null }));
    };
    try {
      const { usage } = await this.#runAll(prepared, response, give, (index, { calls, end, openledger }) => {
        begin(index);
        if (calls.length > 0) stream.send(callsPart(head, index, calls));
        stream.send(lastPart(head, index, end, openledger));
      });
      if (head.hasUsage) stream.send(usagePart(head, usage));
      stream.send("[DONE]");
      stream.end();
    } catch (error) {
      if (begun.size === 0 || error instanceof ClientGone) throw error;
      const failure = this.#typed(error);
      if (failure.code !== "MOD_SERVE_READER_SLOW") stream.send(errorView(failure).body);
      stream.end();
      throw failure;
    }
  }

  /** Makes all choices at once; if one fails, the others end. */
  async #runAll(
    prepared: PreparedRequest,
    response: ServerResponse,
    give: (index: number, ...more: Parameters<GiveText>) => void,
    onEnd: (index: number, ended: Ended) => void = () => {},
  ): Promise<{ readonly all: readonly Ended[]; readonly usage: Usage }> {
    const leaving = new AbortController();
    response.once("close", () => leaving.abort());
    if (response.destroyed) leaving.abort();
    try {
      const all = await Promise.all(
        prepared.forms.map(async (form, index) => {
          const ended = await this.#run(prepared, form, leaving.signal, response, (...more) =>
            give(index, ...more),
          );
          onEnd(index, ended);
          return ended;
        }),
      );
      const answerTokens = all.reduce((sum, { answerTokens }) => sum + answerTokens, 0);
      const usage = { promptTokens: prepared.promptTokens, answerTokens };
      this.#modules.metrics.tokens.inc({ kind: "prompt" }, usage.promptTokens);
      this.#modules.metrics.tokens.inc({ kind: "answer" }, answerTokens);
      return { all, usage };
    } catch (error) {
      leaving.abort();
      throw error;
    }
  }

  /** A free answer is made at once; any other has the billing make it, and store it. */
  async #run(
    prepared: PreparedRequest,
    form: AnswerForm,
    left: AbortSignal,
    response: ServerResponse,
    give: GiveText,
  ): Promise<Ended> {
    const { engine, names, tokens } = this.#modules;
    const { address, billing, head, key, question, stops, tools } = prepared;
    const message = new MessageText(tools, give);
    const adapter = head.model === this.#options.baseName ? null : head.model;
    const order = { address, adapter, form, stops, isKept: billing !== undefined };
    const parts = { engine, tokens: (form.json ?? null) === null ? tokens : names.spelling };
    const make = (tenant: string) => makeAnswer(parts, { ...order, tenant }, left, message.give);
    let made: MadeAnswer | undefined;
    const billed = await billing?.answer(question, async (payerId) => {
      made = await make(`account ${payerId}`);
      return made.answer;
    });
    for (const [name, value] of Object.entries(billed?.headers ?? {})) response.setHeader(name, value);
    if (billed === undefined) made = await make(key === null ? address : `key ${key.name}`);
    // The answer is one that was given before.
    else if (made === undefined) message.give(billed.text, []);
    const calls = message.end();
    const { adapterSha256 = null, answer = [], end = billed?.end ?? "stop" } = made ?? {};
    const answerTokens = billed?.tokenCount ?? answer.length;
    return {
      end: calls.length > 0 ? "tool_calls" : end,
      calls,
      answerTokens,
      openledger: { adapterSha256, seed: form.seed, ...billed?.openledger },
    };
  }

  /** @throws RollupError SRV_BAD_REQUEST if they are fewer than the shortest JSON has bytes */
  #maxTokens(request: AnyRequest, promptTokens: number): number {
    const room = this.#modules.engine.maxPositions - promptTokens;
    const max = questionTokens(request) ?? Math.max(1, Math.min(USUAL_TOKENS, room));
    const min = request.json === null ? 1 : jsonStart(request.json).rest;
    if (max >= min) return max;
    throw invalidRequest("max_tokens", `JSON of this form has up to ${min} tokens at least, not ${max}`);
  }

  #typed(error: unknown): RollupError {
    if (isRollupError(error)) return error;
    this.#modules.log.error({ err: error }, "unforeseen failure of an answer");
    return servingError("SRV_INTERNAL", "the server failed in an unforeseen way", { cause: error });
  }
}

/** Date that a free chat's template may write. */
const today = () => new Date().toISOString().slice(0, 10);

function refuseChat(error: unknown): never {
  if (!isRollupError(error, "MOD_CHAT_REFUSED")) throw error;
  const { param, reason } = error.data as { param: string; reason: string };
  throw invalidRequest(param, reason, "invalid_value", error);
}

const questionTokens = (request: AnyRequest) => request.max_completion_tokens ?? request.max_tokens;

/**
 * Checks a request for a paid answer. The recipe makes it of the prompt: one, and nothing beside its receipt. @throws
 * SRV_BAD_REQUEST
 */
function requirePlain(request: AnyRequest): void {
  const extras = {
    n: (request.n ?? 1) > 1,
    logprobs: request.topLogprobs !== null,
    response_format: request.json !== null,
  };
  for (const [name, isQuestion] of Object.entries(extras))
    if (isQuestion)
      throw invalidRequest(
        name,
        `Unsupported parameter: '${name}' is not served of answers that are paid for`,
        "unsupported_parameter",
      );
}
