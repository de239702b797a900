/**
 * Payments of checked answers: reserves price and fee, checks an answer, writes it with its signed payment, and sends that. The asker
 * decides which answers it pays. Amounts are in wei.
 */
import type { SealedReply } from "@openledger/client/actions/answers/ask-model";
import {
  assuranceOfReply,
  checkAnswer,
  withOwnEstimate,
} from "@openledger/client/actions/answers/check-answer";
import type { ReplyAssurance, UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import { clientError } from "@openledger/client/client-errors";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { payReceipt, requireTakesPayments } from "@openledger/client/tasks/pay-for-answer";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { citedIn } from "@openledger/models/tuning/retrieval/citations";
import { gatewayError } from "../gateway-errors.ts";
import { type Budget, maxFeePerUnitWei, type OperationFee } from "./budget.ts";
import type { OpenedModel } from "./checkable-models.ts";
import type { QuestionJournal, SentQuestion } from "./question-journal.ts";
import type { QuestionHead, QuestionRecord } from "./question-record.ts";
import { describeAnswer, type ReceivedAnswer, textOfAnswer } from "./received-answer.ts";
import type { SignedPayments } from "./signed-payments.ts";

export interface PaymentLimits {
  /** Maximum of price and fee of an answer. */
  readonly maxPriceWei: bigint;
  /** Minimum assurance of each part: nothing is paid for a reply below it. */
  readonly minAssurance: Partial<ReplyAssurance>;
}

export interface AnswerPaymentModules {
  /** Signs for the gateway's account. */
  readonly client: LedgerClient;
  readonly leafId: number;
  readonly budget: Budget;
  readonly journal: QuestionJournal;
}

/** Cost of an answer by the ledger's price, which the budget holds until it is freed. */
export interface ReservedCost {
  readonly leaf: LedgerModelLeaf;
  readonly fee: OperationFee;
  free(): void;
}

/** A checked answer, or a sealed one. */
interface Payable {
  readonly id: number;
  readonly cost: ReservedCost;
  readonly receipt: bigint;
  /** Answer as it is written with its payment, open or sealed. @param priceWei of the payment */
  readonly written: (priceWei: bigint) => Pick<QuestionRecord, "answer"> | Pick<QuestionRecord, "sealed">;
}

/** An answer that is paid before it is shown. */
export type SealedAnswer = Exclude<SealedReply["given"], UncheckedAnswer>;

export class AnswerPayments {
  readonly #modules: AnswerPaymentModules;
  readonly #limits: PaymentLimits;
  readonly #signed: SignedPayments;
  readonly isAnsweredAgain: boolean;

  constructor(modules: AnswerPaymentModules, limits: PaymentLimits, signed: SignedPayments) {
    this.#modules = modules;
    this.#limits = limits;
    this.#signed = signed;
    this.isAnsweredAgain = (limits.minAssurance.answer ?? "believed") !== "believed";
  }

  /** Reserves price and fee of an answer. @throws OP_MODEL_NOT_PAYABLE, OP_EPOCH_FULL, GAT_ABOVE_PRICE, GAT_BUDGET_TOO_LOW */
  async reserve(leaf: LedgerModelLeaf): Promise<ReservedCost> {
    const { budget } = this.#modules;
    const { maxPriceWei } = this.#limits;
    // Before the question: a server counts an answer that nobody can pay as unpaid.
    requireTakesPayments(leaf);
    const { priceWei } = leaf.counters;
    const fee = await budget.feeOf();
    const neededWei = priceWei + fee.feeWei;
    if (neededWei > maxPriceWei)
      throw gatewayError(
        "GAT_ABOVE_PRICE",
        `model ${leaf.id} costs ${formatOpen(priceWei)} OPEN an answer and ${formatOpen(fee.feeWei)} of fees, and the gateway pays at most ${formatOpen(maxPriceWei)}`,
        {
          data: {
            priceWei: `${priceWei}`,
            feeWei: `${fee.feeWei}`,
            neededWei: `${neededWei}`,
            maxPriceWei: `${maxPriceWei}`,
          },
        },
      );
    return { leaf, fee, free: await budget.reserve(priceWei, fee.feeWei) };
  }

  /**
   * Attack: a server gives an answer again that was paid for, or another one than the one that it waits for.
   * @throws GAT_ANSWER_REPLAYED, CLI_ANSWER_WRONG
   */
  async requireUnpaid(answer: Pick<UncheckedAnswer, "receipt">, expected?: string): Promise<void> {
    const receipt = hex32(answer.receipt);
    if (expected !== undefined && receipt !== expected)
      throw clientError("CLI_ANSWER_WRONG", "the server gave another answer than the one that it waits for", {
        data: { what: "receipt", given: receipt, right: expected },
      });
    const { journal } = this.#modules;
    const refused = journal.heads.findLast(
      (head) => head.receipt === receipt && head.state === "dropped" && head.payment !== null,
    );
    // The ledger may have taken it after it was refused.
    if (refused !== undefined && (await this.#signed.isOnLedger(refused)))
      await journal.change(refused.id, { state: "paid", code: null });
    if (await journal.hasPaid(receipt)) throw replayed(receipt);
  }

  /** Checks the answer as `payForAnswer` does, writes it with its signed payment, and sends that. */
  async checkAndPay(question: SentQuestion, { answer, cost, id, opened }: Answered): Promise<QuestionRecord> {
    const { client, journal } = this.#modules;
    const leaf = await getModel(client, question.modelId);
    const given = this.#checked(question, opened, answer, leaf);
    try {
      const written = (priceWei: bigint) => ({ answer: given(priceWei) });
      return await this.#payAtPriceOf(leaf, { id, cost, written, receipt: answer.receipt });
    } catch (error) {
      // It is checked: should its server insist on it, it is paid by its receipt.
      if (journal.head(id)!.state === "asked") {
        const described = given(leaf.counters.priceWei);
        await journal.change(id, { state: "dropped", code: codeOf(error), answer: described });
      }
      throw error;
    }
  }

  /** Pays a sealed answer, writes it with its signed payment, and sends that. Only in the payments' turn. */
  async paySealed(
    { modelId }: SentQuestion,
    { answer, cost, id }: Pick<Answered, "id" | "cost"> & { readonly answer: SealedAnswer },
  ): Promise<QuestionRecord> {
    const leaf = await getModel(this.#modules.client, modelId);
    const { expiresAtMs, payerId, priceWei, receipt, sealed } = answer;
    const terms = { receipt: hex32(receipt), payerId, priceWei: `${priceWei}`, expiresAtMs, sealed };
    return this.#payAtPriceOf(leaf, { id, cost, receipt, written: () => ({ sealed: terms }) });
  }

  /**
   * Checks an answer that was paid before it was shown.
   * @throws CLI_ANSWER_WRONG
   */
  async checkOpened(
    { modelId, payment, prompt, serverUrl, tools }: QuestionRecord,
    opened: OpenedModel,
    answer: UncheckedAnswer,
  ): Promise<ReceivedAnswer> {
    const leaf = await getModel(this.#modules.client, modelId);
    const question = { modelId, serverUrl, prompt: prompt!, tools };
    return this.#checked(question, opened, answer, leaf)(BigInt(payment!.priceWei));
  }

  /**
   * Checks an answer with the gateway's own copy of the model.
   * @returns the answer as it is given, by the price of its payment
   * @throws CLI_ANSWER_WRONG, CLI_BELOW_LEAST
   */
  #checked(
    { modelId, prompt, tools }: SentQuestion,
    opened: OpenedModel,
    answer: UncheckedAnswer,
    leaf: LedgerModelLeaf,
  ): (priceWei: bigint) => ReceivedAnswer {
    const { model } = opened;
    const sure = { isAnsweredAgain: this.isAnsweredAgain, minAssurance: this.#limits.minAssurance };
    const { payees } = leaf;
    const staticsHash = staticsOf(leaf).hash;
    checkAnswer(model, answer, {
      ...sure,
      prompt,
      payerId: this.#modules.leafId,
      payees,
      staticsHash,
    });
    const assurance = assuranceOfReply(model, sure);
    const own = withOwnEstimate(model, answer);
    return (priceWei) =>
      inputOf({ prompt, tools }, opened, own, describeAnswer(modelId, own, priceWei, assurance));
  }

  /** Pays by the ledger's price, which may be another one than when the question was asked. */
  async #payAtPriceOf(leaf: LedgerModelLeaf, { cost, ...payable }: Payable): Promise<QuestionRecord> {
    let paying = cost;
    try {
      if (leaf.counters.priceWei !== cost.leaf.counters.priceWei) {
        cost.free();
        paying = await this.reserve(leaf);
      }
      return await this.#signAndSend({ ...payable, cost: { ...paying, leaf } });
    } finally {
      paying.free();
    }
  }

  /**
   * Signs the payment of a checked answer, writes it, and sends it. Only in the payments' turn.
   * @throws GAT_ANSWER_REPLAYED where the ledger has a payment of the account for it already
   */
  async #signAndSend({ cost, id, receipt, written }: Payable): Promise<QuestionRecord> {
    const { client, journal, leafId } = this.#modules;
    const { fee, free, leaf } = cost;
    const { epoch, priceWei } = leaf.counters;
    let isTaken: boolean;
    try {
      const { status } = await payReceipt(client, {
        from: leafId,
        modelId: leaf.id,
        amountWei: priceWei,
        receipt,
        maxFeePerUnitWei: maxFeePerUnitWei(fee, this.#limits.maxPriceWei - priceWei),
        onSigned: async (signed) => {
          await journal.change(id, {
            state: "signed",
            code: null,
            ...written(priceWei),
            payment: { signed: { ...signed }, priceWei: `${priceWei}`, feeWei: `${fee.feeWei}`, epoch },
          });
          // From here on the budget counts it as owed.
          free();
        },
      });
      isTaken = status !== "dropped";
    } catch (error) {
      // The account has paid for it without this gateway: by x402, or from a store that was lost.
      if (isRollupError(error, "CLI_RECEIPT_PAID")) throw replayed(hex32(receipt), error);
      if (journal.head(id)!.state !== "signed") throw error;
      isTaken = false;
    }
    if (isTaken) return journal.change(id, { state: "paid" });
    await this.#signed.settle({ id });
    return journal.read(id);
  }

  /** Pays for a checked answer, or a sealed one, whose first payment the ledger has refused, unless it has taken it since. */
  async payAgain(head: QuestionHead): Promise<void> {
    const { client, journal } = this.#modules;
    await this.#signed.inTurn(async () => {
      if (head.payment !== null && (await this.#signed.isOnLedger(head))) {
        await journal.change(head.id, { state: "paid", code: null });
        return;
      }
      const cost = await this.reserve(await getModel(client, head.modelId));
      try {
        const { answer } = await journal.read(head.id);
        const pricedAt = (given: ReceivedAnswer, priceWei: bigint) => ({
          ...given,
          openledger: { ...given.openledger, priceWei: `${priceWei}`, priceOpen: formatOpen(priceWei) },
        });
        // The record of a sealed one has all but its opening.
        const written = (priceWei: bigint) => ({ answer: answer && pricedAt(answer, priceWei) });
        await this.#signAndSend({ id: head.id, written, cost, receipt: BigInt(head.receipt!) });
      } finally {
        cost.free();
      }
    });
  }
}

/** An answer that is not checked yet, and the record of its question. */
interface Answered {
  readonly id: number;
  readonly opened: OpenedModel;
  readonly cost: ReservedCost;
  readonly answer: UncheckedAnswer;
}

const replayed = (receipt: string, cause?: unknown) =>
  gatewayError("GAT_ANSWER_REPLAYED", "the server gave an answer that was paid for before", {
    data: { receipt },
    cause,
  });

/** Code of anything thrown. */
export const codeOf = (error: unknown): string => (isRollupError(error) ? error.code : "SRV_INTERNAL");

/** Rows that a checked answer cites. A text of another form cites none. */
function citedOf(answer: string): Pick<ReceivedAnswer, "cited"> {
  const citations = citedIn(answer)?.citations.map(({ digest, question, row }) => ({
    row,
    digest,
    question,
  }));
  return citations === undefined ? {} : { cited: citations };
}

/** Describes a checked answer as the gateway gives it. */
function inputOf(
  { prompt, tools }: Pick<SentQuestion, "prompt" | "tools">,
  { model }: OpenedModel,
  answer: UncheckedAnswer,
  openledger: ReceivedAnswer["openledger"],
): ReceivedAnswer {
  const { chat } = model;
  const cited = citedOf(answer.answer);
  if (chat === undefined) {
    const text = textOfAnswer(answer);
    return {
      text,
      toolCalls: [],
      finish: "stop",
      promptTokens: null,
      answerTokens: null,
      openledger,
      ...cited,
    };
  }
  const { answerTokens, content, finishReason, toolCalls } = chat.messageOf(answer.answer, tools);
  return {
    text: content ?? "",
    toolCalls: toolCalls.map((call) => ({ ...call })),
    finish: finishReason,
    promptTokens: chat.countTokens(prompt),
    answerTokens,
    openledger,
    ...cited,
  };
}
