/**
 * Interface by which the routes of OpenAI's API charge for an answer. ledger-billing.ts implements it for models that the
 * ledger has; completion-service.ts asks it for each request.
 */
import type { Chat } from "@openledger/attribution/model/model-chat";
import type { Sampling } from "../../engine/batches/choose-token.ts";
import type { JsonShape } from "../../engine/batches/json-text.ts";
import type { ChatRule } from "../../tuning/recipe/chat-prompt.ts";
import type { X402Request } from "../answers/x402-exchange.ts";
import type { WantedForm } from "./recipe-form.ts";

/** Question as the billing reads it. */
export interface SentQuestion {
  /** An adapter's name, or that of the base. */
  readonly model: string;
  /** Prompt if it is one text, or the canonical text of a chat; null for tokens and for lists. */
  readonly text: string | null;
  /** Field of the request that has it. */
  readonly param: "prompt" | "messages";
  /** `openledger` of the request: who pays, and their signature. */
  readonly claim: unknown;
  /** Payment by x402, of a request without such a claim; null where it is not taken. */
  readonly x402: X402Request | null;
}

/** Prompt, length, seed and sampling of an answer. The recipe of a registered model decides them, not the request. */
export interface AnswerForm extends Sampling {
  readonly prompt: readonly number[];
  readonly maxTokens: number;
  readonly seed: string;
  readonly endTokens: readonly number[];
  /**
   * Shape of JSON to which a free answer is held. `topLogprobs`: number of likeliest tokens reported beside each; free
   * answers alone.
   */
  readonly json?: JsonShape | null;
  readonly topLogprobs?: number | null;
}

export interface BilledAnswer {
  readonly text: string;
  readonly tokenCount: number;
  readonly end: "stop" | "length";
  /** Receipt and attribution, as the last part carries them. */
  readonly openledger: object;
  /** Headers of the answer that say what was paid by x402. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Facts of a registered model, by the ledger and its recipe. */
export interface RegisteredName {
  readonly modelId: number;
  readonly datanetId: number;
  readonly version: number;
  /** Limits by the recipe: maximum tokens of a prompt, those of an answer, and the temperature. */
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly temperature: number;
  /** Rule by which a chat becomes a text. */
  readonly chat: ChatRule;
}

/** Token ids of a text. */
export type EncodePrompt = (text: string) => Promise<readonly number[]>;
/** Makes the answer's token ids. @param payerId leaf of the account that pays */
export type MakeTokens = (payerId: number) => Promise<readonly number[]>;

/** Charges for answers and signs receipts. */
export interface AnswerBilling {
  /** True if answers by this name are charged for. Those of other names are free. */
  charges(model: string): boolean;
  /** Registered facts; null for an adapter, or the base, that nobody has registered: it is not sold. */
  registered(model: string): RegisteredName | null;
  /** True if the ledger takes a payment for a registered model now; null where nobody says. Seconds old at most. */
  isPayable(model: string): Promise<boolean | null>;
  /**
   * Canonical text of a chat, which question and receipt bind.
   * @throws RollupError MOD_CHAT_REFUSED, MOD_SERVE_UNPAID for a name that is no registered model
   */
  chatText(model: string, chat: Chat): Promise<string>;
  /** @throws RollupError SRV_BAD_REQUEST for what the recipe does not allow, by the name of the field */
  requireForm(model: string, expected: WantedForm): void;
  /**
   * Form of a registered model's answer.
   *
   * @param encode beside the thread that serves HTTP; what it throws is thrown here
   * @throws RollupError MOD_SERVE_UNPAID, MOD_SERVE_NOT_GRANTED, SRV_BAD_REQUEST
   */
  formOf(question: SentQuestion, encode: EncodePrompt): Promise<AnswerForm>;
  /**
   * Has an answer made and keeps it before its last part is given; the one that is unpaid is given again without. One that is
   * paid by x402 was made before.
   *
   * @param make the answer's tokens for an account that has signed the question; what it throws is thrown here
   * @throws RollupError MOD_SERVE_UNPAID, MOD_SERVE_NOT_GRANTED, SRV_BAD_REQUEST, SRV_STOPPING
   */
  answer(question: SentQuestion, make: MakeTokens): Promise<BilledAnswer>;
}
