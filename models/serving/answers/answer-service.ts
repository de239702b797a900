/**
 * Sells the answers of one registered model: takes signed questions, gives answers with receipts, and follows their
 * payments. answer-models.ts opens one for each model; answer-routes.ts has its HTTP.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { attributionError } from "@openledger/attribution/attribution-errors";
import type { ModelAnswer } from "@openledger/attribution/model/model-family";
import type { AttributionEstimate } from "@openledger/attribution/scores/attribution-estimate";
import { type Signature, verifySignature } from "@openledger/circuits/field/curve/eddsa";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import {
  answerHash,
  askMessage,
  type ModelQuery,
  modelQueryBytes,
  modelQueryCommitment,
  modelQueryOfBytes,
  receiptHash,
} from "@openledger/circuits/ledger/model-query";
import { packSplit } from "@openledger/circuits/ledger/rewards";
import { type X402Requirements, type X402Settled, x402Network } from "@openledger/circuits/wire/x402-payment";
import { whyNotPayable } from "@openledger/client/sequencer/model-reads";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { inTurn } from "./account-turn.ts";
import type { AccountTurn, AnswerStore, NamedPayment, StoredAnswer } from "./answer-store.ts";
import { markDrawnPayments } from "./drawn-payments.ts";
import type { LedgerModel, LedgerView } from "./ledger-view.ts";
import { readPayments } from "./payment-watcher.ts";
import {
  type PresentedPayment,
  paymentIdOf,
  requiredOf,
  requirementsOf,
  type X402Request,
} from "./x402-exchange.ts";

export interface AnswerServiceOptions {
  readonly modelId: number;
  /** Domain of the rollup: questions are signed for it (docs/reference/ledger.md, "Message signed"). */
  readonly domain: bigint;
  /** Time that an answer may stay unpaid before its account may ask again. */
  readonly answerTtlMs: number;
}

export interface Question {
  readonly prompt: string;
  readonly payerId: number;
  /** The prompt is not published even if its payment is drawn: then nobody but the payer can compare it. */
  readonly isPrivate?: boolean;
  /** The answer is opened once it is paid: so it is given to an account that left one unpaid. */
  readonly isSealed?: boolean;
  /** Signature by the payer's key, over `askMessage`. */
  readonly signature: Signature;
}

/** Makes an answer as AnsweringModel.answer does, on this thread or another. */
export type MakeAnswer = (
  prompt: string,
  onText?: (soFar: string) => void,
) => ModelAnswer | Promise<ModelAnswer>;

/** Computations of a service: on this thread, or on another. */
export interface AnswerWork {
  /** Hash of the statics of the model that is served. */
  readonly staticsHash: bigint;
  /** True if its queries are those of direct models. */
  readonly isDirect?: boolean;
  readonly answer: MakeAnswer;
  /**
   * Requires that an account may read the rows that answers are made of. Absent: all may.
   * @throws DNT_ACCESS_NOT_GRANTED, DNT_KEY_NOTICE, ATT_SERVER_UNREACHABLE
   */
  requireReader?(payerId: number): Promise<void>;
  /** Requires that an answer may be given now. Absent: all may. @throws ATT_ROW_WITHDRAWN */
  requireAnswer?(text: string): void;
  estimate(query: ModelQuery): AttributionEstimate | Promise<AttributionEstimate>;
}

export interface ReceivedAnswer {
  readonly record: StoredAnswer;
  readonly estimate: AttributionEstimate;
}

/** An answer that was paid by x402, open. */
export interface PaidAnswer extends ReceivedAnswer {
  readonly settlement: X402Settled;
}

/**
 * Gives answers with receipts, at most one unpaid a time to each account. Who let one expire unpaid gets the next ones
 * sealed, until one is paid (docs/adr/0009-who-goes-first.md). Answers are stored before they are given, so
 * that every receipt that is ever paid can be opened.
 */
export class AnswerService {
  readonly #work: AnswerWork;
  readonly #options: AnswerServiceOptions;
  readonly #ledger: LedgerView;
  readonly #store: AnswerStore;
  readonly #nowMs: () => number;
  readonly #busy = new Map<number, Promise<unknown>>();
  /** Name of this service among those that serve the model. */
  readonly #holder = randomUUID();

  constructor(
    work: AnswerWork,
    options: AnswerServiceOptions,
    modules: { ledger: LedgerView; store: AnswerStore; nowMs?: () => number },
  ) {
    this.#work = work;
    this.#options = options;
    this.#ledger = modules.ledger;
    this.#store = modules.store;
    this.#nowMs = modules.nowMs ?? Date.now;
  }

  /**
   * Answers a question. The same question again, while its answer is unpaid, has the same answer, also an expired one.
   * @param make the answer, if it is made elsewhere; what it throws is thrown here, and nothing is stored
   * @param onText told the text so far of an answer that is made now and is not encrypted
   * @throws ATT_ASK_REFUSED, ATT_ANSWER_UNPAID, ATT_MODEL_NOT_PAYABLE, ATT_MODEL_NOT_SERVED, ATT_ROW_INVALID,
   *   ATT_NO_ROW_ANSWERS, ATT_ROW_WITHDRAWN, ATT_SERVER_UNREACHABLE, SRV_DATABASE_UNREACHABLE, DNT_ACCESS_NOT_GRANTED, DNT_KEY_NOTICE
   */
  async ask(
    question: Question,
    make: MakeAnswer = this.#work.answer,
    onText?: (soFar: string) => void,
  ): Promise<ReceivedAnswer> {
    const { payerId } = question;
    const message = await this.requireAsker(question);
    // One question of an account after another, here and on all servers: two at once would both find nothing unpaid.
    const turn: AccountTurn = { payerId, holder: this.#holder };
    const before = this.#busy.get(payerId) ?? Promise.resolve();
    const running = before
      .catch(() => {})
      .then(() => {
        const shown = question.isSealed === true ? undefined : onText;
        return inTurn(this.#store, turn, () =>
          this.#answer(question, { ask: hex32(message), turn }, (prompt) => make(prompt, shown)),
        );
      });
    this.#busy.set(payerId, running);
    try {
      return await running;
    } finally {
      if (this.#busy.get(payerId) === running) this.#busy.delete(payerId);
    }
  }

  /**
   * Requires that the account has signed the question, and may have an answer: before anything is read for it.
   * @returns the message that it has signed. @throws ATT_ASK_REFUSED, DNT_ACCESS_NOT_GRANTED, DNT_KEY_NOTICE, ATT_SERVER_UNREACHABLE
   */
  async requireAsker(question: Question): Promise<bigint> {
    const message = askMessage({ ...question, ...this.#options });
    await this.#checkSignature(question, message);
    // Attack: whoever pays is told the rows of a permissioned Datanet, or by a refusal what they answer.
    await this.#work.requireReader?.(question.payerId);
    return message;
  }

  /**
   * Sells an answer by x402: a payment for this question's answer is verified, settled, and opens it. The same payment again
   * opens the same answer; a payment that the ledger has already is not settled again.
   *
   * A model that takes no payments now still names its terms: a client that has paid presents its payment only for a 402.
   * @throws ATT_PAYMENT_REQUIRED without a payment, ATT_PAYMENT_REFUSED, ATT_PAYMENT_NAME_USED, ATT_ASK_REFUSED, ATT_MODEL_NOT_SERVED, ATT_ROW_WITHDRAWN, ATT_SERVER_UNREACHABLE, SRV_DATABASE_UNREACHABLE, DNT_ACCESS_NOT_GRANTED, DNT_KEY_NOTICE
   */
  async sell(prompt: string, request: X402Request): Promise<PaidAnswer> {
    const { payment } = request;
    if (payment === null) {
      const { notPayable, requirements } = await this.#offer(prompt, request);
      const { amount, payTo } = requirements;
      const costs = `an answer of model ${payTo} costs ${amount} wei, and the question has no payer`;
      const why =
        notPayable === null ? costs : `${notPayable.message}; only a payment from before opens its answer`;
      const data = {
        ...(notPayable === null ? {} : notPayable.data),
        paymentRequired: requiredOf(requirements, request, why),
        ...boundText(prompt, request),
      };
      throw attributionError("ATT_PAYMENT_REQUIRED", why, { data });
    }
    const { payerId, receipt, signature } = payment.read.payload;
    const message = askMessage({ prompt, payerId, ...this.#options });
    // Attack: payments are public on the ledger. Only the payer has signed the question.
    await this.#checkSignature({ prompt, payerId, signature }, message);
    const record = await this.#store.answer(receipt);
    const isOwn = record !== undefined && record.payerId === payerId && this.#isOwn(record);
    const isAnswer = isOwn && record.ask === hex32(message);
    const named = await this.#named(payment, hex32(message));
    if (named !== null) {
      // The question was asked anew, by a client that had lost its first answer: that one is paid.
      if (isAnswer && record.isSealed === true) await this.#store.giveUp(named.payment, receipt);
      const { isSealed: _, ...opened } = named.record;
      return { ...(await this.#given(opened)), settlement: named.settlement };
    }
    // What is settled opens its answer, on former terms and in a full epoch, too.
    const paid = isAnswer ? (record.payment ?? (await this.#paymentOf(receipt))) : null;
    let settlement: X402Settled;
    if (paid !== null) {
      // What is paid is opened, whatever it is called.
      await this.#name(payment).catch(unlessNameUsed);
      settlement = await this.#settledBefore(record!, paid);
    } else {
      // Before it is paid: what is paid is opened.
      if (isAnswer) {
        await this.#work.requireReader?.(payerId);
        this.#work.requireAnswer?.(record.answer);
        await this.#name(payment);
      }
      // Whether the model takes a payment is the facilitator's word: it knows what it has executed before.
      const { requirements } = await this.#offer(prompt, request);
      const isAccepted = isDeepStrictEqual(payment.read.accepted, requirements);
      const wrong = isAnswer ? (isAccepted ? null : "accepted") : isOwn ? "question" : "receipt";
      settlement = await this.#settle(payment, { requirements, prompt, request, wrong });
    }
    const { isSealed: _, ...opened } = record!;
    return { ...(await this.#given(opened)), settlement };
  }

  /**
   * The paid answer that the name of a payment stands for, where the payment itself is for another answer of the same question; null
   * where the payment is looked at for itself. Whoever calls it has checked that the payer has signed the question.
   * @throws ATT_PAYMENT_NAME_USED where the name stands for another question's answer
   */
  async #named(
    payment: PresentedPayment,
    ask: string,
  ): Promise<{ payment: NamedPayment; record: StoredAnswer; settlement: X402Settled } | null> {
    const name = paymentIdOf(payment);
    if (name === null) return null;
    const { payerId, receipt } = payment.read.payload;
    const one = { name, payerId };
    const named = await this.#store.named(one);
    const { modelId } = this.#options;
    if (named === undefined || (named.modelId === modelId && named.receipt === receipt)) return null;
    const record = named.modelId === modelId ? await this.#store.answer(named.receipt) : undefined;
    if (record === undefined || record.ask !== ask || !this.#isOwn(record)) throw nameUsed(one, named);
    const paid = record.payment ?? (await this.#paymentOf(named.receipt));
    if (paid !== null) return { payment: one, record, settlement: await this.#settledBefore(record, paid) };
    // Nobody has paid it: the name goes with the newer answer.
    return null;
  }

  /** Names the payment of an answer before it is settled. @throws ATT_PAYMENT_NAME_USED */
  async #name(payment: PresentedPayment): Promise<void> {
    const name = paymentIdOf(payment);
    if (name === null) return;
    const { payerId, receipt } = payment.read.payload;
    const one = { name, payerId };
    const named = await this.#store.named(one);
    if (!(await this.#store.name(one, receipt, named?.receipt)))
      throw nameUsed(one, (await this.#store.named(one)) ?? { modelId: this.#options.modelId, receipt });
  }

  /** The ledger's payment for the answer; null if there is none. @throws ATT_SERVER_UNREACHABLE */
  async #paymentOf(receipt: string): Promise<StoredAnswer["payment"]> {
    await this.readPayments();
    return (await this.#store.answer(receipt))?.payment ?? null;
  }

  /**
   * Requirements of a question now, and why the model takes no payments; null where it does.
   * @throws ATT_PAYMENT_REQUIRED where nobody settles, ATT_MODEL_NOT_SERVED, ATT_SERVER_UNREACHABLE
   */
  async #offer(
    prompt: string,
    request: X402Request,
  ): Promise<{ readonly requirements: X402Requirements; readonly notPayable: RollupError | null }> {
    const { modelId } = this.#options;
    const { staticsHash } = this.#work;
    const [price, terms] = await Promise.all([this.#price(), this.#ledger.x402Terms()]);
    const { notPayable, priceWei } = price;
    if (terms !== null)
      return {
        requirements: requirementsOf({ modelId, staticsHash, prompt, priceWei }, terms, request),
        notPayable,
      };
    throw attributionError("ATT_PAYMENT_REQUIRED", `the question has no payer, and ${NO_X402}`, {
      data: { modelId, priceWei: priceWei.toString() },
    });
  }

  /**
   * Settlement of a payment that the ledger has already.
   *
   * Attack: an operation that nobody has executed is presented for it. The operation is named that the ledger has at the payment's
   * place; "" where it has none, as for a payment that L1's queue forced, or does not have it any more.
   */
  async #settledBefore(
    { payerId, receipt }: StoredAnswer,
    { amountWei, epoch, index }: NonNullable<StoredAnswer["payment"]>,
  ): Promise<X402Settled> {
    const { domain, modelId } = this.#options;
    const page = await this.#ledger.payments(modelId, epoch, index);
    const found = page === null || page === "pruned" ? undefined : page.payments[0];
    const isNamed = found !== undefined && hex32(found.receipt) === receipt && found.hash !== NO_OPERATION;
    return {
      success: true,
      transaction: isNamed ? hex32(found.hash) : "",
      network: x402Network(domain),
      payer: String(payerId),
      amount: amountWei,
    };
  }

  /** Verifies and settles a payment. @throws ATT_PAYMENT_REFUSED, ATT_SERVER_UNREACHABLE */
  async #settle(
    { raw }: PresentedPayment,
    {
      prompt,
      request,
      requirements,
      wrong,
    }: {
      readonly prompt: string;
      readonly request: X402Request;
      readonly requirements: X402Requirements;
      /** First thing that keeps the payment from being this answer's; null if nothing. */
      readonly wrong: keyof typeof WRONG | null;
    },
  ): Promise<X402Settled> {
    const refuse = (reason: string, why: string, more: object = {}) => {
      const message = `the payment is refused: ${why}`;
      const paymentRequired = requiredOf(requirements, request, `${reason}: ${message}`);
      return attributionError("ATT_PAYMENT_REFUSED", message, {
        data: { reason, paymentRequired, ...boundText(prompt, request), ...more },
      });
    };
    if (wrong !== null) throw refuse(wrong, WRONG[wrong]);
    // What decides nothing stays here: a facilitator's body is bounded.
    const { accepted, payload, x402Version } = raw as Readonly<Record<string, unknown>>;
    const order = {
      paymentPayload: { x402Version, accepted, payload },
      paymentRequirements: requirements,
    };
    const {
      isValid,
      invalidMessage = "it is not valid",
      invalidReason = "refused",
    } = await this.#ledger.verifyPayment(order);
    if (!isValid) throw refuse(invalidReason, invalidMessage);
    const settlement = await this.#ledger.settlePayment(order);
    const { errorMessage = "it was not executed", errorReason = "refused" } = settlement;
    if (!settlement.success) throw refuse(errorReason, errorMessage, { settlement });
    await this.readPayments().catch(unlessUnreachable);
    return settlement;
  }

  /** True if the ledger takes a payment for the model now; null where the sequencer does not say. */
  async isPayable(): Promise<boolean | null> {
    try {
      return (await this.#price()).notPayable === null;
    } catch (error) {
      if (isRollupError(error, "ATT_MODEL_NOT_SERVED")) return false;
      unlessUnreachable(error);
      return null;
    }
  }

  /** Marks the answers that were paid for, and of direct models those that were drawn. @returns how many were paid. @throws ATT_SERVER_UNREACHABLE */
  async readPayments(): Promise<number> {
    const { modelId } = this.#options;
    const count = await readPayments(this.#ledger, this.#store, modelId);
    if (this.#work.isDirect === true) await markDrawnPayments(this.#ledger, this.#store, modelId);
    return count;
  }

  async #checkSignature({ payerId, signature }: Question, message: bigint): Promise<void> {
    const account = await this.#ledger.account(payerId);
    const refused = (why: string) =>
      attributionError("ATT_ASK_REFUSED", `leaf ${payerId} ${why}`, { data: { payerId } });
    if (account === null || account.kind !== "account") throw refused("is no account");
    if (!verifySignature({ keyX: account.keyX, message, signature })) {
      throw refused("has not signed this question for this model");
    }
  }

  async #answer(
    question: Question,
    { ask, turn }: { readonly ask: string; readonly turn: AccountTurn },
    make: MakeAnswer,
  ): Promise<ReceivedAnswer> {
    const nowMs = this.#nowMs();
    if ((await this.#store.unpaid(question.payerId)) !== undefined) await this.readPayments();
    const stored = await this.#store.unpaid(question.payerId);
    const last = stored !== undefined && this.#isOwn(stored) ? stored : undefined;
    const unpaid = last !== undefined && last.expiresAtMs > nowMs ? last : undefined;
    const isGivenUp = unpaid !== undefined && unpaid.ask !== ask && (await this.#isGivenUp(question, unpaid));
    if (unpaid !== undefined && unpaid.ask !== ask && !isGivenUp) {
      const { receipt, expiresAtMs, priceWei } = unpaid;
      throw attributionError(
        "ATT_ANSWER_UNPAID",
        `account ${question.payerId} has not paid for its last answer: pay its receipt (payReceipt), ask its question again and pay, or wait`,
        { data: { receipt, expiresAtMs, priceWei, ask: unpaid.ask } },
      );
    }
    // The same question gets the answer that its asker has, also once it has expired: so they can still pay for it.
    const isInput = (unpaid !== undefined && !isGivenUp) || (last?.ask === ask && last.isSealed !== true);
    if (last !== undefined && isInput) {
      this.#work.requireAnswer?.(last.answer);
      return this.#given(last);
    }
    if (last !== undefined && question.isSealed !== true) {
      throw attributionError(
        "ATT_ANSWER_UNPAID",
        `account ${question.payerId} let its last answer expire unpaid: until it has paid for one, answers are encrypted`,
        {
          data: {
            reason: "left-unpaid",
            receipt: last.receipt,
            priceWei: last.priceWei,
            ask: last.ask,
          },
        },
      );
    }
    const { notPayable, priceWei } = await this.#price();
    if (notPayable !== null) throw notPayable;
    const answered = await make(question.prompt);
    this.#work.requireAnswer?.(answered.text);
    const opening = {
      statics: this.#work.staticsHash,
      payerId: question.payerId,
      answerHash: answerHash(question.prompt, answered.text),
      queryCommitment: modelQueryCommitment(answered.query),
      salt: BigInt(`0x${randomBytes(31).toString("hex")}`),
    };
    const record: StoredAnswer = {
      receipt: hex32(receiptHash(opening)),
      payerId: question.payerId,
      ask,
      label: answered.label,
      answer: answered.text,
      ...(this.#keepsPrompt(question) ? { prompt: question.prompt } : {}),
      answerHash: hex32(opening.answerHash),
      queryBytes: Buffer.from(modelQueryBytes(answered.query)).toString("base64"),
      queryCommitment: hex32(opening.queryCommitment),
      salt: hex32(opening.salt),
      priceWei: priceWei.toString(),
      createdAtMs: nowMs,
      expiresAtMs: nowMs + this.#options.answerTtlMs,
      ...(question.isSealed === true ? { isSealed: true } : {}),
      payment: null,
    };
    if (!(await this.#store.add(record, turn)))
      throw attributionError(
        "SRV_DATABASE_UNREACHABLE",
        "the database did not answer for too long while the answer was made: ask again",
        { data: { reason: "turn-over", payerId: question.payerId } },
      );
    return this.#given(record, answered.query);
  }

  /**
   * True where an account gives its open answer up, which may have come to it broken: it pays before it is shown the next one, as if the
   * answer had expired.
   *
   * Attack: an account gives one answer after another up and reads them all. It may do so once until the answer expires.
   */
  async #isGivenUp({ isSealed, payerId }: Question, unpaid: StoredAnswer): Promise<boolean> {
    if (isSealed !== true || unpaid.isSealed === true) return false;
    return !(await this.#store.hasGivenUp(payerId, { receipt: unpaid.receipt, nowMs: this.#nowMs() }));
  }

  /**
   * False for an answer of another model that had this number before a reorganisation: a payment for its receipt would
   * be void.
   */
  #isOwn({ answerHash, payerId, queryCommitment, receipt, salt }: StoredAnswer): boolean {
    const opening = {
      statics: this.#work.staticsHash,
      payerId,
      answerHash: BigInt(answerHash),
      queryCommitment: BigInt(queryCommitment),
      salt: BigInt(salt),
    };
    return hex32(receiptHash(opening)) === receipt;
  }

  /** A drawn payment of a direct model is compared with its prompt by anybody. */
  #keepsPrompt({ isPrivate }: Question): boolean {
    return this.#work.isDirect === true && isPrivate !== true;
  }

  async #given(record: StoredAnswer, made?: ModelQuery): Promise<ReceivedAnswer> {
    const query =
      made ?? modelQueryOfBytes(Buffer.from(record.queryBytes, "base64"), this.#work.isDirect === true);
    return { record, estimate: await this.#work.estimate(query) };
  }

  /**
   * The model's price, if the ledger's model is this one, with ATT_MODEL_NOT_PAYABLE where it takes no payments now.
   * @throws ATT_MODEL_NOT_SERVED, ATT_SERVER_UNREACHABLE
   */
  async #price(): Promise<{ readonly priceWei: bigint; readonly notPayable: RollupError | null }> {
    const { modelId } = this.#options;
    const leaf = await this.#ledger.model(modelId);
    const statics = leaf === null ? null : ledgerStatics(leaf.model);
    if (leaf === null || statics !== this.#work.staticsHash) {
      throw attributionError("ATT_MODEL_NOT_SERVED", `the ledger's model ${modelId} is not the one served`, {
        data: {
          modelId,
          served: hex32(this.#work.staticsHash),
          onLedger: statics === null ? null : hex32(statics),
        },
      });
    }
    const { priceWei, ...counters } = leaf.counters;
    // An answer that the ledger takes no payment for would leave the account with one unpaid.
    const reason = whyNotPayable(counters);
    if (reason === null) return { priceWei, notPayable: null };
    const why =
      reason === "epoch-full"
        ? `model ${modelId} has taken the ${counters.cap} payments of its epoch: it takes more once its owner has closed the epoch`
        : `model ${modelId} takes no payments yet`;
    const data = { reason, modelId, ...counters };
    return { priceWei, notPayable: attributionError("ATT_MODEL_NOT_PAYABLE", why, { data }) };
  }
}

/** Text that question and receipt bind, of a chat: what its template makes of the messages. Others have sent it. */
const boundText = (prompt: string, { isChat = false }: X402Request) => (isChat ? { prompt } : {});

const nameUsed = (
  { name, payerId }: NamedPayment,
  { modelId, receipt }: { readonly modelId: number; readonly receipt: string },
) =>
  attributionError(
    "ATT_PAYMENT_NAME_USED",
    `account ${payerId} has named another payment "${name}": a name is of one question's payment`,
    { data: { paymentId: name, modelId, receipt } },
  );

/** Hash that the sequencer shows of a payment without an operation of its own. */
const NO_OPERATION = 0n;
const NO_X402 = "this server's ledger settles no payments of x402: sign it";

const WRONG = {
  receipt: "its payer has no answer here with its receipt",
  question: "its receipt is another question's",
  accepted: "it accepts other requirements than these",
};

/** The watcher reads the payments again. */
function unlessUnreachable(error: unknown): void {
  if (!isRollupError(error, "ATT_SERVER_UNREACHABLE")) throw error;
}

function unlessNameUsed(error: unknown): void {
  if (!isRollupError(error, "ATT_PAYMENT_NAME_USED")) throw error;
}

/** The hash of the statics that the sequencer shows of a model. */
function ledgerStatics({ ownerParts, validatorParts, ...statics }: LedgerModel["model"]): bigint {
  const split = packSplit({ ownerParts: BigInt(ownerParts), validatorParts: BigInt(validatorParts) });
  return hashStatics({ ...statics, split });
}
