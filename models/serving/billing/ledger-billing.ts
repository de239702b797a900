/**
 * Charges for answers of OpenAI's routes whose model the ledger has: the question is signed as for POST /v1/answers,
 * and the last part of the answer carries its receipt. open-language.ts passes it to the routes.
 */
import type { Chat } from "@openledger/attribution/model/model-chat";
import { ANSWERED_AGAIN, assuranceOf } from "@openledger/attribution/model/reply-assurance";
import { signature } from "@openledger/circuits/wire/wire-fields";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { z } from "zod";
import { isShortChat } from "../../engine/tokens/chat-text.ts";
import type { TextTokens } from "../../engine/tokens/tokenizer.ts";
import { type ServingErrorCode, servingError } from "../../model-errors.ts";
import { chatPrompt, chatRuleOf } from "../../tuning/recipe/chat-prompt.ts";
import { drawSeedOf } from "../../tuning/recipe/draw-seed.ts";
import { endTokensOf, isCiting, questionTokens } from "../../tuning/recipe/text-recipe.ts";
import {
  answerText,
  promptOf,
  requirePromptBytes,
  requirePromptTokens,
  saidTokens,
} from "../../tuning/recipe/text-tokens.ts";
import type { LanguageModel } from "../answers/answer-models.ts";
import type { ReceivedAnswer } from "../answers/answer-service.ts";
import { responseHeaders } from "../answers/x402-exchange.ts";
import type {
  AnswerBilling,
  AnswerForm,
  BilledAnswer,
  EncodePrompt,
  MakeTokens,
  RegisteredName,
  SentQuestion,
} from "./answer-billing.ts";
import { requireRecipeForm, type WantedForm } from "./recipe-form.ts";

/** Bounds of a chat that is rendered on the thread that serves HTTP: at most a few milliseconds. */
const SHORT_CHAT = { messages: 32, characters: 8_192 };
/** Age up to which the ledger's word of whether it takes payments for a model is given again. */
const PAYABLE_MAX_AGE_MS = 5_000;
/** Claim as `POST /v1/answers` of an answer server has it. */
const claimSchema = z.strictObject({
  payerId: z.number().int().min(0).max(0xffffff),
  signature,
});
const answerSchema = z.object({ text: z.string(), tokens: z.array(z.number()) });

/** Answers of registered models: signed questions, receipts, at most one unpaid answer of an account and model. */
export class LedgerBilling implements AnswerBilling {
  readonly #models: ReadonlyMap<string, LanguageModel>;
  readonly #tokens: TextTokens;
  readonly #hasFree: boolean;
  readonly #payable = new Map<string, { readonly answer: Promise<boolean | null>; readonly atMs: number }>();

  /**
   * @param models by their names; some may be added later
   * @param hasFree whether names that are not registered are free; else they are refused
   */
  constructor(
    models: ReadonlyMap<string, LanguageModel>,
    { hasFree, tokens }: { hasFree: boolean; tokens: TextTokens },
  ) {
    this.#models = models;
    this.#tokens = tokens;
    this.#hasFree = hasFree;
  }

  charges(name: string): boolean {
    return this.#models.has(name) || !this.#hasFree;
  }

  registered(name: string): RegisteredName | null {
    const model = this.#models.get(name);
    if (model === undefined) return null;
    const { modelId, recipe } = model;
    const { id: datanetId, version } = recipe.datanet;
    const { answerTokens, temperature } = recipe.answers;
    const promptTokens = questionTokens(recipe);
    const chat = chatRuleOf(recipe);
    return { modelId, datanetId, version, promptTokens, answerTokens, temperature, chat };
  }

  async isPayable(name: string): Promise<boolean | null> {
    const model = this.#models.get(name);
    if (model === undefined) return null;
    const known = this.#payable.get(name);
    if (known !== undefined && performance.now() - known.atMs < PAYABLE_MAX_AGE_MS) return known.answer;
    // Attack: whoever lists the models again and again has the sequencer asked no more often.
    const answer = model.service.isPayable();
    this.#payable.set(name, { answer, atMs: performance.now() });
    return answer;
  }

  async chatText(name: string, chat: Chat): Promise<string> {
    const model = this.#registered(name);
    if (isShortChat(chat, SHORT_CHAT)) return translated(() => chatPrompt(this.#tokens, model.recipe, chat));
    return model.chatPrompt(chat).catch(rethrow);
  }

  requireForm(name: string, expected: WantedForm): void {
    requireRecipeForm(expected, this.#registered(name).recipe);
  }

  /**
   * Form by the recipe, which decides how a registered model answers: a customer who could choose would look for a form
   * that suits them.
   */
  async formOf(question: SentQuestion, encode: EncodePrompt): Promise<AnswerForm> {
    const { model, text } = this.#known(question);
    const { recipe } = model;
    const { answerTokens, noRepeat, temperature } = recipe.answers;
    const { param } = question;
    translated(() => requirePromptBytes(this.#tokens, text, recipe), param);
    const own = await encode(text);
    translated(() => requirePromptTokens(own, recipe), param);
    const read = (await this.#readRows(model, question, text)) ?? { given: promptOf(recipe, own) };
    const seed = drawSeedOf(recipe, text);
    const endTokens = [...endTokensOf(recipe)];
    return { prompt: read.given, maxTokens: answerTokens, temperature, topP: 1, noRepeat, seed, endTokens };
  }

  async answer(question: SentQuestion, make: MakeTokens): Promise<BilledAnswer> {
    const { model, text: prompt } = this.#known(question);
    const { service, modelId, queryOf, read, recipe } = model;
    if (question.claim === undefined && question.x402 !== null) {
      const { settlement, ...input } = await service
        .sell(prompt, { ...question.x402, isChat: question.param === "messages" })
        .catch((error: unknown) => rethrow(error, question.param));
      return { ...this.#billed(model, input), headers: responseHeaders(settlement) };
    }
    const claim = claimOf(question, modelId);
    const input = await service
      .ask({ prompt, ...claim }, async () => {
        const own = isCiting(recipe) ? await read(prompt) : undefined;
        const said = own?.said ?? null;
        const made = said === null ? await make(claim.payerId) : saidTokens(this.#tokens, said, recipe);
        const text = answerText(this.#tokens, made, own);
        return { label: null, text, query: await queryOf(prompt, text) };
      })
      .catch((error: unknown) => rethrow(error, question.param));
    // Attack: an account asks for a sealed answer by the model's own routes, and reads it here.
    const { isSealed, payment, receipt } = input.record;
    if (isSealed === true && payment === null)
      throw servingError("MOD_SERVE_UNPAID", "the answer is sealed: it is paid before it is shown", {
        data: { param: question.param, reason: "sealed", receipt },
      });
    return this.#billed(model, input);
  }

  /**
   * Rows that are read with a question, for who has signed it and may read them. null where none are: what is paid by x402 was made before.
   * Attack: nobody learns by an unsigned question whether a row answers it.
   */
  async #readRows(
    { modelId, read, recipe, service }: LanguageModel,
    question: SentQuestion,
    prompt: string,
  ): Promise<{ readonly given: readonly number[] } | null> {
    if (!isCiting(recipe) || (question.claim === undefined && question.x402 !== null)) return null;
    const claim = claimOf(question, modelId);
    return service
      .requireAsker({ prompt, ...claim })
      .then(() => read(prompt))
      .catch((error: unknown) => rethrow(error, question.param));
  }

  #billed({ modelId, recipe }: LanguageModel, { estimate, record }: ReceivedAnswer): BilledAnswer {
    const { answer, ...opening } = record;
    const { text, tokens } = answerSchema.parse(JSON.parse(answer));
    // A row's answer is said whole, whatever its length.
    const isCut = tokens.length >= recipe.answers.answerTokens && this.#tokens.decode(tokens) === text;
    const { answerHash, expiresAtMs, payerId, priceWei, queryBytes, queryCommitment, receipt, salt } =
      opening;
    const facts = { receipt, payerId, answerHash, queryBytes, queryCommitment, salt, priceWei, expiresAtMs };
    return {
      text,
      tokenCount: tokens.length,
      end: isCut ? "length" : "stop",
      // Same form as `POST /v1/answers`, so that the same client library checks and pays it.
      openledger: {
        modelId,
        label: null,
        answer,
        ...facts,
        estimate,
        assurance: assuranceOf(recipe, ANSWERED_AGAIN),
      },
    };
  }

  #registered(name: string): LanguageModel {
    const model = this.#models.get(name);
    if (model !== undefined) return model;
    throw servingError("MOD_SERVE_UNPAID", `${name} is no registered model, and nothing is free here`, {
      data: { param: "model" },
    });
  }

  #known({ model: name, text }: SentQuestion): { model: LanguageModel; text: string } {
    const model = this.#registered(name);
    if (text !== null) return { model, text };
    throw servingError("SRV_BAD_REQUEST", "registered models take a prompt of one text", {
      data: { param: "prompt" },
    });
  }
}

/** @throws MOD_SERVE_UNPAID */
function claimOf({ claim }: SentQuestion, modelId: number): z.output<typeof claimSchema> {
  const parsed = claimSchema.safeParse(claim);
  if (parsed.success) return parsed.data;
  throw servingError("MOD_SERVE_UNPAID", "the request has no openledger field with payer and signature", {
    data: { param: "openledger", modelId },
  });
}

/** Codes of this API for the errors of the answer services. */
const CODES: Readonly<Record<string, ServingErrorCode>> = {
  ATT_ASK_REFUSED: "MOD_SERVE_UNPAID",
  ATT_ANSWER_UNPAID: "MOD_SERVE_UNPAID",
  ATT_PAYMENT_REQUIRED: "MOD_SERVE_UNPAID",
  ATT_PAYMENT_REFUSED: "MOD_SERVE_UNPAID",
  ATT_PAYMENT_NAME_USED: "MOD_SERVE_PAYMENT_NAME_USED",
  ATT_MODEL_NOT_PAYABLE: "MOD_SERVE_NOT_PAYABLE",
  ATT_MODEL_NOT_SERVED: "MOD_SERVE_NOT_PAYABLE",
  ATT_ROW_INVALID: "SRV_BAD_REQUEST",
  ATT_NO_ROW_ANSWERS: "SRV_BAD_REQUEST",
  ATT_ROW_WITHDRAWN: "SRV_BAD_REQUEST",
  ATT_MODEL_FILE_INVALID: "MOD_SERVE_ADAPTER_UNUSABLE",
  ATT_RECIPE_INVALID: "MOD_SERVE_ADAPTER_UNUSABLE",
  ATT_SERVER_UNREACHABLE: "SRV_STOPPING",
  DNT_ACCESS_NOT_GRANTED: "MOD_SERVE_NOT_GRANTED",
  DNT_KEY_NOTICE: "MOD_SERVE_NOT_GRANTED",
};

/** Field of the request that an error is about. */
type Param = SentQuestion["param"];

function translate(error: unknown, param: Param): unknown {
  if (!isRollupError(error)) return error;
  const code = CODES[error.code];
  return code === undefined ? error : asServing(error, code, param);
}

function rethrow(error: unknown, param: Param = "prompt"): never {
  throw translate(error, param);
}

function asServing(error: RollupError, code: ServingErrorCode, param: Param): RollupError {
  return servingError(code, error.message, {
    data: { reason: error.code, ...error.data, ...(code === "SRV_BAD_REQUEST" ? { param } : {}) },
    cause: error,
  });
}

function translated<T>(run: () => T, param: Param = "prompt"): T {
  try {
    return run();
  } catch (error) {
    rethrow(error, param);
  }
}
