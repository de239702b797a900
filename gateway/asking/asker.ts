/**
 * Asks models, checks their answers and pays for them, for every route of the gateway. One question of a model is under way at a
 * time, and payments are signed one after another: each is on disk before it is sent. Amounts are in wei.
 */

import type { ChatTool } from "@openledger/attribution/model/model-chat";
import { requireMinAssurance } from "@openledger/client/actions/answers/check-answer";
import type { ServedLocation } from "@openledger/client/actions/answers/served-models";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import type { Logger } from "@openledger/foundation/logger";
import { gatewayError } from "../gateway-errors.ts";
import { AnswerPayments, codeOf, type PaymentLimits, type ReservedCost } from "./answer-payments.ts";
import { askServer, type OpenAnswer, openAnswerOf } from "./ask-server.ts";
import type { Budget, SpendingKind } from "./budget.ts";
import type { CheckableModels, OpenedModel } from "./checkable-models.ts";
import { hashOfQuestion, type QuestionJournal, type SentQuestion } from "./question-journal.ts";
import type { QuestionHead, QuestionRecord } from "./question-record.ts";
import { type OpenledgerField, type ReceivedAnswer, textOfAnswer } from "./received-answer.ts";
import { ShownText } from "./shown-text.ts";
import { SignedPayments } from "./signed-payments.ts";
import { TurnQueue } from "./turn-queue.ts";

/** Question of a program to one model. */
export interface GatewayQuestion {
  readonly place: ServedLocation;
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
export interface PaidAnswer extends Omit<ReceivedAnswer, "openledger"> {
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

export interface AskerLimits extends PaymentLimits {
  /** Maximum questions of one model that wait or run. */
  readonly maxQueued: number;
}

/** A question of the journal that is being asked. */
interface Asking {
  readonly id: number;
  readonly opened: OpenedModel;
  readonly cost: ReservedCost;
  readonly shown: ShownText;
  /** Receipt of the only answer that is paid; default: any that was not paid before. */
  readonly receipt?: string;
}

export class Asker {
  readonly #modules: AskerModules;
  readonly #limits: AskerLimits;
  readonly #turns = new Map<number, TurnQueue>();
  readonly #payments: SignedPayments;
  readonly #answers: AnswerPayments;
  /** Records that a request holds. */
  readonly #held = new Set<number>();

  constructor(modules: AskerModules, limits: AskerLimits) {
    this.#modules = modules;
    this.#limits = limits;
    this.#payments = new SignedPayments(modules);
    this.#answers = new AnswerPayments(modules, limits, this.#payments);
  }

  /**
   * Goes on where an earlier process was killed: payments that were signed are sent again. A question without an answer is asked
   * again by its asker, or where its server waits for the payment of its answer.
   */
  async resume(): Promise<void> {
    const { journal, logger } = this.#modules;
    for (const { id } of journal.heads.filter(({ state }) => state === "asked"))
      await journal.change(id, { state: "dropped" });
    await this.#payments.review().catch((error: unknown) => {
      logger.warn({ err: error }, "payments that were signed before could not be looked up or sent yet");
    });
  }

  /**
   * Asks, checks and pays. The same question gets the answer that an earlier asker paid for and never received.
   * @throws OP_MODEL_NOT_PAYABLE, OP_EPOCH_FULL, GAT_ABOVE_PRICE, GAT_BUDGET_TOO_LOW, GAT_QUEUE_FULL, GAT_ANSWER_OPEN, GAT_ANSWER_REPLAYED, GAT_PAYMENT_UNSURE,
   *   GAT_PAYMENT_REFUSED, CLI_ANSWER_WRONG, CLI_BELOW_LEAST, CLI_UNREACHABLE, and the server's refusals
   */
  async ask({ place, prompt, tools = [] }: GatewayQuestion, options: AskOptions = {}): Promise<PaidAnswer> {
    const question = { ...place, prompt, tools };
    const questionHash = hashOfQuestion(question);
    const waiting = this.#undelivered(place.modelId, questionHash);
    if (waiting !== undefined) return this.#givenAgain(waiting, options);
    const turn = this.#turnOf(place.modelId);
    const leave = turn.enter(this.#limits.maxQueued);
    if (leave === null)
      throw gatewayError("GAT_QUEUE_FULL", `${turn.entered} questions wait for model ${place.modelId}`, {
        data: { waiting: turn.entered },
      });
    try {
      const cost = await this.#answers.reserve(await getModel(this.#modules.client, place.modelId));
      try {
        return await turn.run(async () => {
          options.signal?.throwIfAborted();
          // The same question from before a kill, or whose asker has left, may have its answer before this turn.
          const paid = this.#undelivered(place.modelId, questionHash);
          return paid === undefined
            ? this.#askInTurn(question, cost, options)
            : this.#givenAgain(paid, options);
        });
      } finally {
        cost.free();
      }
    } finally {
      leave();
    }
  }

  /** Sends signed payments whose end is unknown once more. @throws GAT_PAYMENT_UNSURE */
  settleUnsure(): Promise<void> {
    return this.#payments.settleAll();
  }

  /** Looks again at payments whose end Ethereum does not have yet. @throws GAT_PAYMENT_UNSURE, CLI_UNREACHABLE */
  review(): Promise<void> {
    return this.#payments.review();
  }

  /** Resolves once nothing is under way, and signed payments were sent if the sequencer answers. */
  async idle(): Promise<void> {
    await Promise.all([...this.#turns.values()].map((turn) => turn.run(async () => {})));
    await this.#payments.settleAll().catch(() => {});
  }

  /**
   * Signs another operation of the account between two payments: one nonce after another.
   * @throws GAT_BUDGET_TOO_LOW, GAT_PAYMENT_UNSURE
   */
  async inTurn<T>(kind: SpendingKind, work: () => Promise<T>): Promise<T> {
    const { budget } = this.#modules;
    const { feeWei } = await budget.feeOf(kind);
    const free = await budget.reserve(0n, feeWei);
    try {
      return await this.#payments.inTurn(work);
    } finally {
      free();
    }
  }

  /** Opens the model of a location. @throws as `CheckableModels.open` */
  async open(location: ServedLocation): Promise<OpenedModel> {
    const leaf = await getModel(this.#modules.client, location.modelId);
    return this.#open(location, leaf);
  }

  #open(location: ServedLocation, leaf: LedgerModelLeaf): Promise<OpenedModel> {
    return this.#modules.models.open({ ...location, staticsHash: staticsOf(leaf).hash });
  }

  #turnOf(modelId: number): TurnQueue {
    const turn = this.#turns.get(modelId) ?? new TurnQueue();
    this.#turns.set(modelId, turn);
    return turn;
  }

  /** A question that was paid, or will be, and whose asker has left. */
  #undelivered(modelId: number, questionHash: string): QuestionHead | undefined {
    return this.#modules.journal.heads.find(
      (head) =>
        !head.isDelivered &&
        (head.state === "signed" || head.state === "paid") &&
        head.modelId === modelId &&
        head.questionHash === questionHash &&
        !this.#held.has(head.id),
    );
  }

  /** Holds a record for a request, until the answer is delivered or its asker leaves. */
  #hold({ id }: Pick<QuestionHead, "id">, { signal }: AskOptions): void {
    if (signal?.aborted === true) return;
    this.#held.add(id);
    signal?.addEventListener("abort", () => this.#held.delete(id), { once: true });
  }

  async #givenAgain(head: QuestionHead, options: AskOptions): Promise<PaidAnswer> {
    this.#hold(head, options);
    try {
      if (head.state !== "paid") await this.#payments.settleInTurn(head);
      const paid = await this.#modules.journal.read(head.id);
      options.onText?.(paid.answer!.text);
      return this.#paid(paid);
    } catch (error) {
      this.#held.delete(head.id);
      throw error;
    }
  }

  async #askInTurn(question: SentQuestion, cost: ReservedCost, options: AskOptions): Promise<PaidAnswer> {
    // A server that an unsure payment would leave unpaid is not asked for more.
    await this.#payments.settleAll();
    const { journal } = this.#modules;
    const opened = await this.#open(question, cost.leaf);
    const { isAnsweredAgain } = this.#answers;
    requireMinAssurance(opened.model, { isAnsweredAgain, minAssurance: this.#limits.minAssurance });
    const record = await journal.begin(question);
    this.#hold(record, options);
    const shown = new ShownText(options.onText);
    const answered = () => this.#answerAndPay(question, { id: record.id, opened, cost, shown });
    try {
      const paid = await answered().catch(async (error: unknown) => {
        const open = openAnswerOf(error);
        if (open === null) throw error;
        await this.#payOpen(record, open);
        return answered();
      });
      return this.#paid(paid);
    } catch (error) {
      this.#held.delete(record.id);
      await this.#drop(record.id, error);
      throw error;
    }
  }

  /** Notes that a question is not paid, unless its payment is signed. */
  async #drop(id: number, error: unknown): Promise<void> {
    const { journal } = this.#modules;
    if (journal.head(id)!.state !== "asked") return;
    const code = codeOf(error);
    // Where nobody knows whether the server has an answer, the question may have to be asked again.
    const cut = MAYBE_ANSWERED.test(code) ? {} : { prompt: null, tools: [] };
    await journal.change(id, { state: "dropped", code, ...cut });
  }

  async #answerAndPay(
    question: SentQuestion,
    { cost, id, opened, receipt, shown }: Asking,
  ): Promise<QuestionRecord> {
    const { client, leafId } = this.#modules;
    const { modelId, prompt, serverUrl } = question;
    const answer = await askServer(client, opened.model, {
      serverUrl,
      modelId,
      prompt,
      from: leafId,
      onText: (soFar) => shown.extend(soFar),
    });
    const text = textOfAnswer(answer);
    shown.requireStartOf(text);
    await this.#answers.requireUnpaid(answer, receipt);
    const paid = await this.#payments.inTurn(() =>
      this.#answers.checkAndPay(question, { id, opened, cost, answer }),
    );
    shown.extend(text);
    return paid;
  }

  /**
   * Pays for the answer that the server waits for, so that it answers the next question: one that the gateway has checked, or one
   * whose question was cut off. Has the model's turn.
   *
   * Attack: a server names open answers to have questions paid that nobody asks any more. Only the answer that it names is paid,
   * once, and only where the gateway has checked it and not paid, or does not know whether its question was answered.
   * @throws GAT_ANSWER_OPEN
   */
  async #payOpen({ id, modelId, serverUrl }: QuestionRecord, open: OpenAnswer): Promise<void> {
    const refuse = (reason: string, why: string, cause?: unknown) =>
      gatewayError(
        "GAT_ANSWER_OPEN",
        `the model's server waits for the payment of an earlier answer: ${why}`,
        {
          data: { reason, ...open },
          cause,
        },
      );
    const { receipt } = open;
    if (receipt === null) throw refuse("unnamed", "it does not say which");
    const heads = this.#modules.journal.heads.filter((head) => head.modelId === modelId && head.id < id);
    const checked = heads.findLast((head) => head.receipt === receipt);
    if (checked !== undefined && checked.state !== "dropped")
      throw refuse("payment-unseen", "the gateway has paid it, and the server has not seen that yet");
    const cutOff = heads
      .filter((head) => head.serverUrl === serverUrl && head.state === "dropped" && head.hasPrompt)
      .reverse();
    let failure: unknown;
    for (const head of checked === undefined ? cutOff : [checked])
      try {
        if (checked === undefined) await this.#askAgain(head.id, receipt);
        else await this.#answers.payAgain(head);
        return;
      } catch (error) {
        failure ??= error;
      }
    if (failure === undefined) throw refuse("unknown-answer", "the gateway has checked no such answer");
    throw refuse(codeOf(failure), (failure as Error).message, failure);
  }

  /** Asks a question once more that was cut off, and pays if the answer is the one of the receipt. */
  async #askAgain(id: number, receipt: string): Promise<void> {
    const { client, journal } = this.#modules;
    const { modelId, prompt, serverUrl, tools } = await journal.read(id);
    const question = { modelId, serverUrl, prompt: prompt!, tools };
    const cost = await this.#answers.reserve(await getModel(client, modelId));
    try {
      const opened = await this.#open(question, cost.leaf);
      await journal.change(id, { state: "asked" });
      await this.#answerAndPay(question, { id, opened, cost, receipt, shown: new ShownText() });
    } catch (error) {
      // Another of the questions that were cut off may be the one.
      if (openAnswerOf(error) === null) await this.#drop(id, error);
      else await journal.change(id, { state: "dropped" });
      throw error;
    } finally {
      cost.free();
    }
  }

  #paid(record: QuestionRecord): PaidAnswer {
    const { answer, id, payment } = record;
    const { openledger, ...input } = answer!;
    const { body, hash } = payment!.signed;
    return {
      ...input,
      openledger: { ...openledger, payment: { hash, payerId: body.a, nonce: body.nonce } },
      delivered: async () => {
        await this.#modules.journal.change(id, { isDelivered: true });
        this.#held.delete(id);
      },
      left: () => void this.#held.delete(id),
    };
  }
}

/** Codes of questions of which nobody knows whether their server has made an answer. */
const MAYBE_ANSWERED = /^(CLI_UNREACHABLE|CLI_ANSWER_INVALID|SRV_\w+)$/;
