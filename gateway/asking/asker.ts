/**
 * Asks models, checks their answers and pays for them, for every route of the gateway. One question of a model is under way at a
 * time, and payments are signed one after another: each is on disk before it is sent. Amounts are in wei.
 */

import type { ChatTool } from "@openledger/attribution/model/model-chat";
import { decodeAmount } from "@openledger/circuits/ledger/amount-float";
import { payForAnswer } from "@openledger/client/actions/answers/ask-model";
import { assuranceOfReply, requireLeast } from "@openledger/client/actions/answers/check-answer";
import type { ReplyAssurance, UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import type { ServedPlace } from "@openledger/client/actions/answers/served-models";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { gatewayError } from "../gateway-errors.ts";
import { askServer, isUnpaid } from "./ask-server.ts";
import type { Budget } from "./budget.ts";
import type { CheckableModels, OpenedModel } from "./checkable-models.ts";
import { describeAnswer, type GivenAnswer, type OpenledgerField, spokenOf } from "./given-answer.ts";
import type { QuestionJournal } from "./question-journal.ts";
import type { QuestionRecord } from "./question-record.ts";
import { ShownText } from "./shown-text.ts";
import { SignedPayments } from "./signed-payments.ts";
import { TurnQueue } from "./turn-queue.ts";

/** Question of a program to one model. */
export interface GatewayQuestion {
  readonly place: ServedPlace;
  /** Text that the receipt binds. */
  readonly prompt: string;
  /** Tools of the chat that the text was made of. */
  readonly tools?: readonly ChatTool[];
}

export interface AskOptions {
  /** Called with each piece of the answer's text as it comes; it is not checked yet. */
  readonly onText?: ((piece: string) => void) | undefined;
  /** Its asker has left: a question that still waits for its turn is given up, and an answer goes to the next who asks the same. */
  readonly signal?: AbortSignal | undefined;
}

/** Answer that was checked and paid. */
export interface PaidAnswer extends Omit<GivenAnswer, "openledger"> {
  readonly openledger: OpenledgerField;
  /** Notes that its asker has all of it. Until then the same question gets this answer again. */
  delivered(): Promise<void>;
  /** Says that its asker has left without it. */
  left(): void;
}

export interface AskerModules {
  /** Signs for the gateway's account. */
  readonly client: LedgerClient;
  readonly leafId: number;
  readonly budget: Budget;
  readonly journal: QuestionJournal;
  readonly models: CheckableModels;
  readonly logger: Pick<Logger, "warn" | "info">;
}

export interface AskerLimits {
  /** Maximum price of an answer. */
  readonly maxPriceWei: bigint;
  /** Minimum assurance of each part: nothing is paid for a reply below it. */
  readonly least: Partial<ReplyAssurance>;
  /** Maximum questions of one model that wait or run. */
  readonly maxQueued: number;
}

export class Asker {
  readonly #modules: AskerModules;
  readonly #limits: AskerLimits;
  readonly #isAnsweredAgain: boolean;
  readonly #turns = new Map<number, TurnQueue>();
  readonly #payments: SignedPayments;
  /** Records that a request holds. */
  readonly #held = new Set<number>();

  constructor(modules: AskerModules, limits: AskerLimits) {
    this.#modules = modules;
    this.#limits = limits;
    this.#payments = new SignedPayments(modules);
    this.#isAnsweredAgain = (limits.least.answer ?? "believed") !== "believed";
  }

  /**
   * Goes on where an earlier process was killed: payments that were signed are sent again, and answers that were not are asked for
   * once more and paid. Resolves once the signed ones are sent; the others follow in their models' turns.
   */
  async resume(): Promise<void> {
    const { journal, logger } = this.#modules;
    await this.#payments.settleAll().catch((error: unknown) => {
      logger.warn({ err: error }, "payments that were signed before could not be sent yet");
    });
    for (const record of journal.records.filter(({ state }) => state === "asked"))
      void this.#turnOf(record.modelId)
        .run(() => this.#makeGood(record.id))
        .catch((error: unknown) => logger.warn({ err: error }, "a question from before was given up"));
  }

  /**
   * Asks, checks and pays. The same question gets the answer that an earlier asker paid for and never received.
   * @throws GAT_ABOVE_PRICE, GAT_BUDGET_TOO_LOW, GAT_QUEUE_FULL, GAT_PAYMENT_UNSURE, GAT_PAYMENT_REFUSED, CLI_ANSWER_WRONG,
   *   CLI_BELOW_LEAST, CLI_UNREACHABLE, and the server's refusals
   */
  async ask(question: GatewayQuestion, options: AskOptions = {}): Promise<PaidAnswer> {
    const { place, prompt } = question;
    const { budget, client } = this.#modules;
    const waiting = this.#undelivered(place.modelId, prompt);
    if (waiting !== undefined) return this.#givenAgain(waiting, options);
    const turn = this.#turnOf(place.modelId);
    const leave = turn.enter(this.#limits.maxQueued);
    if (leave === null)
      throw gatewayError("GAT_QUEUE_FULL", `${turn.entered} questions wait for model ${place.modelId}`, {
        data: { waiting: turn.entered },
      });
    try {
      const leaf = await getModel(client, place.modelId);
      const free = await budget.reserve(this.#requirePrice(leaf));
      try {
        return await turn.run(async () => {
          options.signal?.throwIfAborted();
          // The same question from before a kill, or whose asker has left, may have its answer before this turn.
          const paid = this.#undelivered(place.modelId, prompt);
          return paid === undefined
            ? this.#askInTurn(question, leaf, options)
            : this.#givenAgain(paid, options);
        });
      } finally {
        free();
      }
    } finally {
      leave();
    }
  }

  /** Sends signed payments whose end is unknown once more. @throws GAT_PAYMENT_UNSURE */
  settleUnsure(): Promise<void> {
    return this.#payments.settleAll();
  }

  /** Resolves once nothing is under way, and signed payments were sent if the sequencer answers. */
  async idle(): Promise<void> {
    await Promise.all([...this.#turns.values()].map((turn) => turn.run(async () => {})));
    await this.#payments.settleAll().catch(() => {});
  }

  /** Signs another operation of the account between two payments: one nonce after another. @throws GAT_PAYMENT_UNSURE */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#payments.inTurn(work);
  }

  /** Opens the model of a place. @throws as `CheckableModels.open` */
  async open(place: ServedPlace): Promise<OpenedModel> {
    const leaf = await getModel(this.#modules.client, place.modelId);
    return this.#open(place, leaf);
  }

  #open(place: ServedPlace, leaf: LedgerModelLeaf): Promise<OpenedModel> {
    return this.#modules.models.open({ ...place, staticsHash: staticsOf(leaf).hash });
  }

  #turnOf(modelId: number): TurnQueue {
    const turn = this.#turns.get(modelId) ?? new TurnQueue();
    this.#turns.set(modelId, turn);
    return turn;
  }

  #requirePrice({ counters, id }: LedgerModelLeaf): bigint {
    const { priceWei } = counters;
    const { maxPriceWei } = this.#limits;
    if (priceWei <= maxPriceWei) return priceWei;
    throw gatewayError(
      "GAT_ABOVE_PRICE",
      `model ${id} costs ${formatOpen(priceWei)} OPEN an answer, and the gateway pays at most ${formatOpen(maxPriceWei)}`,
      { data: { priceWei: `${priceWei}`, maxPriceWei: `${maxPriceWei}` } },
    );
  }

  /** A question that was paid, or will be, and whose asker has left. */
  #undelivered(modelId: number, prompt: string): QuestionRecord | undefined {
    return this.#modules.journal.records.find(
      (record) =>
        !record.isDelivered &&
        (record.state === "signed" || record.state === "paid") &&
        record.modelId === modelId &&
        record.prompt === prompt &&
        !this.#held.has(record.id),
    );
  }

  /** Holds a record for a request, until the answer is delivered or its asker leaves. */
  #hold({ id }: QuestionRecord, { signal }: AskOptions): void {
    if (signal?.aborted === true) return;
    this.#held.add(id);
    signal?.addEventListener("abort", () => this.#held.delete(id), { once: true });
  }

  async #givenAgain(record: QuestionRecord, options: AskOptions): Promise<PaidAnswer> {
    this.#hold(record, options);
    try {
      const paid = record.state === "paid" ? record : await this.#payments.settleInTurn(record);
      options.onText?.(paid.answer!.text);
      return this.#paid(paid);
    } catch (error) {
      this.#held.delete(record.id);
      throw error;
    }
  }

  async #askInTurn(
    { place, prompt, tools = [] }: GatewayQuestion,
    leaf: LedgerModelLeaf,
    options: AskOptions,
  ): Promise<PaidAnswer> {
    // A server that an unsure payment would leave unpaid is not asked for more.
    await this.#payments.settleAll();
    const { journal } = this.#modules;
    const opened = await this.#open(place, leaf);
    requireLeast(opened.model, { isAnsweredAgain: this.#isAnsweredAgain, least: this.#limits.least });
    const record = await journal.begin({ ...place, prompt, tools: [...tools] });
    this.#hold(record, options);
    const shown = new ShownText(options.onText);
    try {
      const paid = await this.#answerAndPay(record, opened, shown).catch(async (error: unknown) => {
        if (!isUnpaid(error) || !(await this.#makeGoodBefore(record))) throw error;
        return this.#answerAndPay(record, opened, shown);
      });
      return this.#paid(paid);
    } catch (error) {
      this.#held.delete(record.id);
      if (journal.get(record.id)!.state === "asked")
        await journal.change(record.id, { state: "dropped", code: codeOf(error) });
      throw error;
    }
  }

  async #answerAndPay(
    record: QuestionRecord,
    opened: OpenedModel,
    shown: ShownText,
  ): Promise<QuestionRecord> {
    const { client, leafId } = this.#modules;
    const { modelId, prompt, serverUrl } = record;
    const answer = await askServer(client, opened.model, {
      serverUrl,
      modelId,
      prompt,
      from: leafId,
      onText: (soFar) => shown.extend(soFar),
    });
    const text = spokenOf(answer);
    shown.requireStartOf(text);
    const paid = await this.#payments.inTurn(() => this.#pay(record, opened, answer));
    shown.extend(text);
    return paid;
  }

  /** Checks the answer, writes it with its signed payment, and sends that. */
  async #pay(record: QuestionRecord, opened: OpenedModel, answer: UncheckedAnswer): Promise<QuestionRecord> {
    const { model } = opened;
    const { client, journal, leafId } = this.#modules;
    const { modelId, prompt } = record;
    const { least, maxPriceWei } = this.#limits;
    const sure = { isAnsweredAgain: this.#isAnsweredAgain, least };
    let isTaken: boolean;
    try {
      const { status } = await payForAnswer(client, {
        from: leafId,
        modelId,
        model,
        prompt,
        answer,
        ...sure,
        // The ledger's price counts, which may be another one than when the server made the answer.
        maxPriceWei,
        onSigned: async (signed) => {
          const priceWei = decodeAmount(BigInt(signed.body.amountCode));
          const assurance = assuranceOfReply(model, sure);
          await journal.change(record.id, {
            state: "signed",
            answer: givenOf(record, opened, answer, describeAnswer(modelId, answer, priceWei, assurance)),
            payment: { signed: { ...signed }, priceWei: `${priceWei}` },
          });
        },
      });
      isTaken = status !== "dropped";
    } catch (error) {
      if (journal.get(record.id)!.state !== "signed") throw error;
      isTaken = false;
    }
    return isTaken
      ? journal.change(record.id, { state: "paid" })
      : this.#payments.settle(journal.get(record.id)!);
  }

  /** Pays for the answer of the model's last question, which its server counts as unpaid. @returns false if there is none */
  async #makeGoodBefore({ id, modelId, prompt }: QuestionRecord): Promise<boolean> {
    const before = this.#modules.journal.records.findLast(
      (record) =>
        record.id < id &&
        record.modelId === modelId &&
        record.prompt !== prompt &&
        (record.state === "dropped" || record.state === "asked"),
    );
    if (before === undefined) return false;
    return this.#makeGood(before.id).then(
      () => true,
      () => false,
    );
  }

  /** Asks a question from before once more, and pays for its answer, which the same question gets later. Has the model's turn. */
  async #makeGood(id: number): Promise<void> {
    const { client, journal } = this.#modules;
    const record = await journal.change(id, { state: "asked", code: null, answer: null, payment: null });
    try {
      const leaf = await getModel(client, record.modelId);
      this.#requirePrice(leaf);
      const opened = await this.#open(record, leaf);
      await this.#answerAndPay(record, opened, new ShownText());
    } catch (error) {
      if (journal.get(id)!.state === "asked")
        await journal.change(id, { state: "dropped", code: codeOf(error) });
      throw error;
    }
  }

  #paid(record: QuestionRecord): PaidAnswer {
    const { answer, id, payment } = record;
    const { openledger, ...given } = answer!;
    const { body, hash } = payment!.signed;
    return {
      ...given,
      openledger: { ...openledger, payment: { hash, payerId: body.a, nonce: body.nonce } },
      delivered: async () => {
        await this.#modules.journal.change(id, { isDelivered: true });
        this.#held.delete(id);
      },
      left: () => void this.#held.delete(id),
    };
  }
}

const codeOf = (error: unknown): string => (isRollupError(error) ? error.code : "SRV_INTERNAL");

/** Describes a checked answer as the gateway gives it. */
function givenOf(
  { prompt, tools }: QuestionRecord,
  { model }: OpenedModel,
  answer: UncheckedAnswer,
  openledger: GivenAnswer["openledger"],
): GivenAnswer {
  const { chat } = model;
  if (chat === undefined) {
    const text = spokenOf(answer);
    return { text, toolCalls: [], finish: "stop", promptTokens: null, answerTokens: null, openledger };
  }
  const { answerTokens, content, finishReason, toolCalls } = chat.messageOf(answer.answer, tools);
  return {
    text: content ?? "",
    toolCalls: toolCalls.map((call) => ({ ...call })),
    finish: finishReason,
    promptTokens: chat.countTokens(prompt),
    answerTokens,
    openledger,
  };
}
