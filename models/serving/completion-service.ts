import { randomBytes, randomInt } from "node:crypto";
import type { ServerResponse } from "node:http";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { servingError } from "../model-errors.ts";
import type { TextTokens } from "../tokens/tokenizer.ts";
import type { AnswerBilling, AnswerForm, AskedQuestion } from "./answer-billing.ts";
import type { ChatForm } from "./chat-prompt.ts";
import { EventStream } from "./event-stream.ts";
import { ClientGone, type MadeAnswer, makeAnswer } from "./make-answer.ts";
import {
  type AnswerHead,
  answerPart,
  errorView,
  lastPart,
  type Usage,
  usagePart,
  wholeAnswer,
} from "./openai-answers.ts";
import { type ChatRequest, type CompletionRequest, invalidRequest } from "./openai-requests.ts";
import type { PromptEncoder, PromptSender } from "./prompt-encoder.ts";
import type { ServingEngine } from "./serving-engine.ts";
import type { ServingMetrics } from "./serving-metrics.ts";

interface CompletionServiceOptions {
  readonly baseName: string;
  readonly vocabularySize: number;
  readonly endTokens: readonly number[];
  readonly maxBufferedBytes: number;
}

interface CompletionServiceModules {
  readonly engine: ServingEngine;
  readonly encoder: PromptEncoder;
  readonly tokens: TextTokens;
  readonly chat: ChatForm;
  readonly metrics: ServingMetrics;
  readonly log: { error(facts: object, message: string): void };
  /** Absent where answers cost nothing. */
  readonly book?: AnswerBilling | undefined;
}

type AnyRequest = CompletionRequest | ChatRequest;

interface Asked {
  readonly head: AnswerHead;
  readonly question: AskedQuestion;
  readonly address: string;
  readonly form: AnswerForm;
  readonly stops: readonly string[];
  readonly isStream: boolean;
  readonly hasUsage: boolean;
}

interface Ended {
  readonly end: "stop" | "length";
  readonly usage: Usage;
  readonly openledger: object;
}

/** Most tokens of an answer where the request says nothing. */
const USUAL_TOKENS = 256;

/** Takes requests, has them answered, and gives the answer at once or part by part. */
export class CompletionService {
  readonly #options: CompletionServiceOptions;
  readonly #modules: CompletionServiceModules;

  constructor(options: CompletionServiceOptions, modules: CompletionServiceModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Writes the answer to the response, or throws before anything is written. */
  async answer(request: AnyRequest, address: string, response: ServerResponse): Promise<void> {
    const { metrics } = this.#modules;
    try {
      // What waits for its turn holds no text of the request, but where the ledger's book keeps it.
      const asked = await this.#asked(request, { address, isWanted: () => !response.destroyed });
      if (asked.isStream) await this.#stream(asked, response);
      else await this.#whole(asked, response);
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

  async #asked(request: AnyRequest, sender: PromptSender): Promise<Asked> {
    const { book, chat, encoder } = this.#modules;
    const isChat = "messages" in request;
    const text = !isChat && typeof request.prompt === "string" ? request.prompt : null;
    const question = {
      model: request.model,
      text: book === undefined ? null : text,
      claim: request.openledger,
    };
    const encode = (prompt: string) => encoder.encode(prompt, "prompt", sender);
    const form = (await book?.formOf(question, encode)) ?? null;
    return {
      head: {
        kind: isChat ? "chat" : "completion",
        id: `${isChat ? "chatcmpl" : "cmpl"}-${randomBytes(12).toString("hex")}`,
        createdSeconds: Math.floor(Date.now() / 1000),
        model: request.model,
      },
      question,
      address: sender.address,
      form: form ?? (await this.#formOf(request, sender)),
      stops: form === null ? [...request.stop, ...(isChat ? chat.stops : [])] : [],
      isStream: request.stream === true,
      hasUsage: request.stream_options?.include_usage === true,
    };
  }

  /** As the request has it. */
  async #formOf(request: AnyRequest, sender: PromptSender): Promise<AnswerForm> {
    const { chat, encoder } = this.#modules;
    const isChat = "messages" in request;
    const param = isChat ? "messages" : "prompt";
    const asked = isChat ? chat.promptOf(request.messages) : request.prompt;
    const prompt = typeof asked === "string" ? await encoder.encode(asked, param, sender) : asked;
    if (prompt.length === 0) throw invalidRequest(param, "it is empty");
    if (prompt.some((token) => token >= this.#options.vocabularySize))
      throw invalidRequest(param, "a token is not in the vocabulary");
    return {
      prompt,
      maxTokens: this.#maxTokens(request, prompt.length),
      temperature: request.temperature ?? 1,
      topP: request.top_p ?? 1,
      seed: String(request.seed ?? randomInt(2 ** 32)),
      endTokens: this.#options.endTokens,
    };
  }

  async #whole(asked: Asked, response: ServerResponse): Promise<void> {
    let text = "";
    const ended = await this.#run(asked, response, (more) => {
      text += more;
    });
    const body = JSON.stringify(wholeAnswer(asked.head, text, ended.end, ended.usage, ended.openledger));
    response.writeHead(200, { "content-type": "application/json; charset=utf-8" }).end(body);
  }

  async #stream(asked: Asked, response: ServerResponse): Promise<void> {
    const stream = new EventStream(response, this.#options.maxBufferedBytes);
    let isBegun = false;
    // The head goes out with the first part: what fails before has a status of its own.
    const begin = () => {
      if (isBegun) return;
      isBegun = true;
      stream.begin();
      if (asked.head.kind === "chat") stream.send(answerPart(asked.head, "", true));
    };
    try {
      const ended = await this.#run(asked, response, (more) => {
        begin();
        stream.send(answerPart(asked.head, more, false));
      });
      begin();
      stream.send(lastPart(asked.head, ended.end, ended.openledger));
      if (asked.hasUsage) stream.send(usagePart(asked.head, ended.usage));
      stream.send("[DONE]");
      stream.end();
    } catch (error) {
      if (!isBegun || error instanceof ClientGone) throw error;
      const failure = this.#typed(error);
      if (failure.code !== "MOD_SERVE_READER_SLOW") stream.send(errorView(failure).body);
      stream.end();
      throw failure;
    }
  }

  /** Free of charge at once; else the book has it made, and keeps it. */
  async #run(asked: Asked, response: ServerResponse, give: (text: string) => void): Promise<Ended> {
    const { book, metrics } = this.#modules;
    const { address, form, head, question, stops } = asked;
    const adapter = head.model === this.#options.baseName ? null : head.model;
    const order = { address, adapter, form, stops, isKept: book !== undefined };
    const make = (tenant: string) => makeAnswer(this.#modules, { ...order, tenant }, response, give);
    let made: MadeAnswer | undefined;
    const booked = await book?.answer(question, async (payerId) => {
      made = await make(`account ${payerId}`);
      return made.answer;
    });
    if (booked === undefined) made = await make(address);
    // The answer is one that was given before.
    else if (made === undefined) give(booked.text);
    const { adapterSha256 = null, answer = [], end = booked?.end ?? "stop" } = made ?? {};
    const usage = { promptTokens: form.prompt.length, answerTokens: booked?.tokenCount ?? answer.length };
    metrics.tokens.inc({ kind: "prompt" }, usage.promptTokens);
    metrics.tokens.inc({ kind: "answer" }, usage.answerTokens);
    return { end, usage, openledger: { adapterSha256, seed: form.seed, ...booked?.openledger } };
  }

  #maxTokens(request: AnyRequest, promptTokens: number): number {
    const asked = request.max_completion_tokens ?? request.max_tokens;
    const room = this.#modules.engine.maxPositions - promptTokens;
    return asked ?? Math.max(1, Math.min(USUAL_TOKENS, room));
  }

  #typed(error: unknown): RollupError {
    if (isRollupError(error)) return error;
    this.#modules.log.error({ err: error }, "unforeseen failure of an answer");
    return servingError("SRV_INTERNAL", "the server failed in an unforeseen way", { cause: error });
  }
}
