/**
 * Asks models, checks their answers and pays for them, for every route of the gateway. One question of a model is under way at a
 * time, and payments are signed one after another: each is on disk before it is sent. Amounts are in wei.
 */

import { setTimeout as pause } from "node:timers/promises";
import type { ChatTool } from "@openledger/attribution/model/model-chat";
import { askMessage } from "@openledger/circuits/ledger/model-query";
import { isSealedReply } from "@openledger/client/actions/answers/ask-model";
import { requireMinAssurance } from "@openledger/client/actions/answers/check-answer";
import type { ServedLocation } from "@openledger/client/actions/answers/served-models";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { processErrors } from "@openledger/foundation/error-table";
import { hex32 } from "@openledger/foundation/hex";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { gatewayError } from "../gateway-errors.ts";
import { AnswerPayments, codeOf, type PaymentLimits, type ReservedCost } from "./answer-payments.ts";
import { answerOpen, askServer, isWrong, type OpenAnswer, openAnswerOf, sentStateOf } from "./ask-server.ts";
import type { Budget, SpendingKind } from "./budget.ts";
import type { CheckableModels, OpenedModel } from "./checkable-models.ts";
import {
  type BegunQuestion,
  hashOfQuestion,
  isLost,
  type QuestionJournal,
  type SentQuestion,
} from "./question-journal.ts";
import type { Idempotency, QuestionHead, QuestionRecord } from "./question-record.ts";
import { type OpenledgerField, type ReceivedAnswer, textOfAnswer } from "./received-answer.ts";
import { SealedAnswers } from "./sealed-answers.ts";
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
  /** `Idempotency-Key` of the request: the same one is the same question, and the same payment. */
  readonly idempotency?: Idempotency | null;
}

export interface AskOptions {
  /** Called with each piece of the answer's text as it comes; it is not checked yet. */
  readonly onText?: ((piece: string) => void) | undefined;
  /**
   * Its asker has left: the question leaves the queue, or the model's server, which may have made an answer by then. The next who asks the
   * same gets that one.
   */
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
  /** Aborted when its asker leaves, or the gateway ends. */
  readonly signal?: AbortSignal;
  /** Receipt of the only answer that is paid; default: any that was not paid before. */
  readonly receipt?: string;
}

/** Next step at a server that waits for an open answer: it answers, has not seen the payment yet, or gives an answer that is paid first. */
type Way = "open" | "unseen" | "sealed";

/** Time that a server has to see a payment that the ledger has, and the pause between two questions for it. */
const UNSEEN_TIMEOUT_MS = 5_000;
const UNSEEN_POLL_MS = 250;
/** Time of the search for the question whose answer a server waits for. */
const SEARCH_TIMEOUT_MS = 5_000;

export class Asker {
  readonly #modules: AskerModules;
  readonly #limits: AskerLimits;
  readonly #turns = new Map<number, TurnQueue>();
  readonly #payments: SignedPayments;
  readonly #answers: AnswerPayments;
  readonly #sealed: SealedAnswers;
  /** Records that a request holds. */
  readonly #held = new Set<number>();
  /** Turns of requests with one `Idempotency-Key`. */
  readonly #keyTurns = new Map<string, TurnQueue>();
  /** Records of questions that have an answer, which is not checked yet. */
  readonly #answered = new Set<number>();
  /** Questions at models' servers. */
  readonly #asking = new Set<AbortController>();
  #isEnding = false;

  constructor(modules: AskerModules, limits: AskerLimits) {
    this.#modules = modules;
    this.#limits = limits;
    this.#payments = new SignedPayments(modules);
    this.#answers = new AnswerPayments(modules, limits, this.#payments);
    const open = (location: ServedLocation) => this.open(location);
    this.#sealed = new SealedAnswers({ ...modules, answers: this.#answers, payments: this.#payments, open });
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
   * Asks, checks and pays. The same question gets the answer that an earlier asker paid for and never received; the same
   * `Idempotency-Key` gets the same answer, as long as the journal has it.
   * @throws OP_MODEL_NOT_PAYABLE, OP_EPOCH_FULL, GAT_ABOVE_PRICE, GAT_BUDGET_TOO_LOW, GAT_QUEUE_FULL, GAT_ANSWER_OPEN, GAT_ANSWER_REPLAYED,
   *   GAT_ANSWER_SEALED, GAT_PAID_WRONG, GAT_PAYMENT_UNSURE, GAT_PAYMENT_REFUSED, GAT_KEY_REUSED, CLI_ANSWER_WRONG, CLI_BELOW_LEAST, CLI_UNREACHABLE,
   *   SRV_STOPPING, and the server's refusals
   */
  ask({ place, ...question }: GatewayQuestion, options: AskOptions = {}): Promise<PaidAnswer> {
    const { idempotency = null, prompt, tools = [] } = question;
    const sent = { ...place, prompt, tools, idempotency };
    return idempotency === null
      ? this.#ask(sent, options)
      : this.#inKeyTurn(idempotency, () => this.#ask(sent, options));
  }

  async #ask(question: KeyedQuestion, options: AskOptions): Promise<PaidAnswer> {
    const { modelId } = question;
    const waiting = this.#known(question);
    if (waiting !== undefined) return this.#givenAgain(waiting, question, options);
    const turn = this.#turnOf(modelId);
    const leave = turn.enter(this.#limits.maxQueued);
    if (leave === null) throw queueFull(`${turn.entered} questions wait for model ${modelId}`, turn);
    try {
      const cost = await this.#answers.reserve(await getModel(this.#modules.client, modelId));
      try {
        return await inTurnUnlessLeft(turn, options.signal, () => {
          this.#requireRunning();
          // The same question from before a kill, or whose asker has left, may have its answer before this turn.
          const paid = this.#known(question);
          return paid === undefined
            ? this.#askInTurn(question, cost, options)
            : this.#givenAgain(paid, question, options);
        });
      } finally {
        cost.free();
      }
    } finally {
      leave();
    }
  }

  /** Runs one request of a key after another: the later ones get the answer of the first. @throws GAT_QUEUE_FULL */
  async #inKeyTurn<T>({ keyHash }: Idempotency, work: () => Promise<T>): Promise<T> {
    const turn = this.#keyTurns.get(keyHash) ?? new TurnQueue();
    const leave = turn.enter(this.#limits.maxQueued);
    if (leave === null) throw queueFull(`${turn.entered} requests have this Idempotency-Key`, turn);
    this.#keyTurns.set(keyHash, turn);
    try {
      return await turn.run(work);
    } finally {
      leave();
      if (turn.entered === 0) this.#keyTurns.delete(keyHash);
    }
  }

  #requireRunning(): void {
    if (this.#isEnding) throw processErrors.raise("SRV_STOPPING", "the gateway ends");
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
   * Takes no more questions, and resolves as `idle`. Servers that have not answered by then are left: what they have made is asked for again
   * by a later process.
   * @param graceMs time that servers have for answers in the making
   */
  async end(graceMs: number): Promise<void> {
    this.#isEnding = true;
    const timer = setTimeout(() => {
      for (const asking of this.#asking) asking.abort();
    }, graceMs);
    await this.idle();
    clearTimeout(timer);
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

  /**
   * A question that was paid, or will be: with this key, or one whose asker has left.
   * @throws GAT_KEY_REUSED
   */
  #known({ idempotency, modelId, ...question }: KeyedQuestion): QuestionHead | undefined {
    const { journal } = this.#modules;
    const keyed = idempotency === null ? undefined : journal.withKey(idempotency);
    if (keyed !== undefined && keyed.idempotency!.bodyHash !== idempotency!.bodyHash)
      throw gatewayError("GAT_KEY_REUSED", "the Idempotency-Key is another request's");
    if (keyed?.state === "signed" || keyed?.state === "paid") return keyed;
    const questionHash = hashOfQuestion(question);
    return journal.heads.find(
      (head) =>
        !head.isDelivered &&
        (head.state === "signed" || head.state === "paid") &&
        head.idempotency === null &&
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

  async #givenAgain(
    head: QuestionHead,
    { idempotency }: KeyedQuestion,
    options: AskOptions,
  ): Promise<PaidAnswer> {
    this.#hold(head, options);
    try {
      if (idempotency !== null && head.idempotency === null)
        await this.#modules.journal.change(head.id, { idempotency });
      if (head.state !== "paid") await this.#payments.settleInTurn(head);
      const paid = await this.#sealed.read(head.id);
      options.onText?.(paid.answer!.text);
      return this.#paid(paid);
    } catch (error) {
      this.#held.delete(head.id);
      throw error;
    }
  }

  async #askInTurn(question: KeyedQuestion, cost: ReservedCost, options: AskOptions): Promise<PaidAnswer> {
    // A server that an unsure payment would leave unpaid is not asked for more.
    await this.#payments.settleAll();
    const { journal } = this.#modules;
    const opened = await this.#open(question, cost.leaf);
    const { isAnsweredAgain } = this.#answers;
    requireMinAssurance(opened.model, { isAnsweredAgain, minAssurance: this.#limits.minAssurance });
    // The model's files may have taken long.
    this.#requireRunning();
    const begun = await journal.begin(question);
    const { id } = begun.record;
    this.#hold(begun.record, options);
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    this.#asking.add(leaving);
    if (options.signal?.aborted === true) leave();
    options.signal?.addEventListener("abort", leave, { once: true });
    const shown = new ShownText(options.onText);
    try {
      return this.#paid(
        await this.#answerOpeningWay(question, { id, opened, cost, shown, signal: leaving.signal }),
      );
    } catch (error) {
      this.#held.delete(id);
      await this.#drop(begun, error);
      throw error;
    } finally {
      this.#answered.delete(id);
      this.#asking.delete(leaving);
      options.signal?.removeEventListener("abort", leave);
    }
  }

  /** Notes that a question is not paid, unless its payment is signed; forgets one that was never sent. */
  async #drop(begun: BegunQuestion, error: unknown): Promise<void> {
    const { journal } = this.#modules;
    const { id } = begun.record;
    if (journal.head(id)!.state !== "asked") return;
    const sent = sentStateOf(error);
    if (sent === "unsent" && !this.#answered.has(id)) return journal.withdraw(begun);
    // Where nobody knows whether the server has an answer, the question may have to be asked again.
    const cut = sent === "refused" ? { prompt: null, tools: [] } : {};
    await journal.change(id, { state: "dropped", code: codeOf(error), ...cut });
  }

  /** Asks and pays, once the server's way is free of an open answer. @throws GAT_ANSWER_OPEN */
  async #answerOpeningWay(question: KeyedQuestion, asking: Asking): Promise<QuestionRecord> {
    const untilMs = Date.now() + UNSEEN_TIMEOUT_MS;
    for (let hasPaid = false; ; ) {
      let refused: OpenAnswer;
      try {
        return await this.#answerAndPay(question, asking);
      } catch (error) {
        const open = openAnswerOf(error);
        if (open === null) throw error;
        refused = open;
      }
      // Attack: a server has one open answer after another paid.
      if (hasPaid && !this.#isPaid(refused)) throw answerOpen(refused, "further", "it names one more");
      const way = await this.#openWay(question, asking, refused);
      if (way === "sealed") return this.#buySealed(question, asking, refused);
      hasPaid ||= way === "open";
      if (way === "open") continue;
      if (Date.now() > untilMs)
        throw answerOpen(
          refused,
          "payment-unseen",
          "the gateway has paid it, and the server has not seen that yet",
        );
      await pause(UNSEEN_POLL_MS, undefined, { signal: asking.signal });
    }
  }

  /**
   * Asks, and asks once more for an answer that does not check: its bytes may have been changed on the way. One that the server has sealed
   * before, and that was not paid then, is paid.
   */
  async #answerAndPay(question: KeyedQuestion, asking: Asking): Promise<QuestionRecord> {
    try {
      return await this.#answerOnce(question, asking);
    } catch (error) {
      if (this.#modules.journal.head(asking.id)!.state !== "asked") throw error;
      if (isSealedReply(error)) return this.#takeSealed(question, asking);
      if (!isWrong(error)) throw error;
      return this.#answerOnce(question, { ...asking, shown: asking.shown.again() });
    }
  }

  async #answerOnce(
    question: SentQuestion,
    { cost, id, opened, receipt, shown, signal }: Asking,
  ): Promise<QuestionRecord> {
    const { client, leafId } = this.#modules;
    const { modelId, prompt, serverUrl } = question;
    const answer = await askServer(client, opened.model, {
      serverUrl,
      modelId,
      prompt,
      from: leafId,
      onText: (soFar) => shown.extend(soFar),
      signal,
    });
    this.#answered.add(id);
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
   * @returns `sealed` where no payment opens the way, and the next answer has to be paid before it is shown
   * @throws GAT_ANSWER_OPEN
   */
  async #openWay(
    { modelId, serverUrl }: SentQuestion,
    { id, signal }: Asking,
    open: OpenAnswer,
  ): Promise<Way> {
    const { receipt } = open;
    const heads = this.#modules.journal.heads.filter((head) => head.modelId === modelId && head.id !== id);
    const checked = receipt === null ? undefined : heads.findLast((head) => head.receipt === receipt);
    if (checked !== undefined && checked.state !== "dropped") return "unseen";
    const lost = heads
      .filter((head) => isLost(head) && head.serverUrl === serverUrl)
      .sort((a, b) => b.askedAtMs - a.askedAtMs);
    // The server has the answer: it takes no time.
    const search = AbortSignal.timeout(SEARCH_TIMEOUT_MS);
    const within = signal === undefined ? search : AbortSignal.any([signal, search]);
    const candidates =
      receipt === null ? [] : checked === undefined ? await this.#named(lost, open) : [checked];
    const unreached: QuestionHead[] = [];
    let failure: unknown;
    for (const head of concat(candidates, unreached)) {
      if (within.aborted) break;
      try {
        if (checked === undefined) await this.#askAgain(head.id, { receipt: receipt!, signal: within });
        else await this.#answers.payAgain(head);
        return "open";
      } catch (error) {
        if (isRollupError(error, "CLI_UNREACHABLE") && !unreached.includes(head)) unreached.push(head);
        // One that was refused is not the one, whatever became of another.
        if (openAnswerOf(error) === null || failure === undefined) failure = error;
      }
    }
    signal?.throwIfAborted();
    if (failure === undefined || isWayClosed(failure)) return "sealed";
    throw answerOpen(open, codeOf(failure), (failure as Error).message, failure);
  }

  /** Lost questions that the open answer may be of: of a server that names the question's message, that question alone. */
  async #named(lost: readonly QuestionHead[], { ask }: OpenAnswer): Promise<readonly QuestionHead[]> {
    if (ask === null) return lost;
    const { client, journal, leafId: payerId } = this.#modules;
    const { domain } = client;
    for (const head of lost) {
      const prompt = (await journal.read(head.id)).prompt!;
      if (hex32(askMessage({ domain, modelId: head.modelId, payerId, prompt })) === ask) return [head];
    }
    return [];
  }

  /** True for an answer that the gateway has paid. */
  #isPaid({ receipt }: OpenAnswer): boolean {
    return this.#modules.journal.heads.some((head) => head.receipt === receipt && head.state === "paid");
  }

  /** Asks a question once more that was cut off, and pays if the answer is the one of the receipt. */
  async #askAgain(id: number, { receipt, signal }: { receipt: string; signal: AbortSignal }) {
    const { client, journal } = this.#modules;
    const { code, modelId, prompt, serverUrl, tools } = await journal.read(id);
    const question = { modelId, serverUrl, prompt: prompt!, tools, idempotency: null };
    const cost = await this.#answers.reserve(await getModel(client, modelId));
    try {
      const opened = await this.#open(question, cost.leaf);
      await journal.change(id, { state: "asked" });
      const asking = { id, opened, cost, receipt, shown: new ShownText(), signal };
      await this.#answerAndPay(question, asking);
    } catch (error) {
      // Its text stays: another of the questions that were cut off may be the one.
      if (journal.head(id)!.state === "asked") await journal.change(id, { state: "dropped", code });
      throw error;
    } finally {
      this.#answered.delete(id);
      cost.free();
    }
  }

  /** Asks for an answer that is paid before it is shown. @throws GAT_ANSWER_OPEN where the server gives none, and as `#takeSealed` */
  async #buySealed(question: KeyedQuestion, asking: Asking, open: OpenAnswer): Promise<QuestionRecord> {
    try {
      return await this.#takeSealed(question, asking);
    } catch (error) {
      if (openAnswerOf(error) === null) throw error;
      throw answerOpen(open, "unknown-answer", "the gateway has checked no such answer", error);
    }
  }

  async #takeSealed(question: KeyedQuestion, asking: Asking): Promise<QuestionRecord> {
    const onSealed = () => this.#answered.add(asking.id);
    const paid = await this.#sealed.take(question, { ...asking, onSealed });
    // The server has opened it before.
    if (paid === null) return this.#answerOnce(question, asking);
    asking.shown.extend(paid.answer!.text);
    return paid;
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

type KeyedQuestion = SentQuestion & { readonly idempotency: Idempotency | null };

/** Items of both lists; the second one may grow meanwhile. */
function* concat<T>(first: readonly T[], second: readonly T[]): Generator<T> {
  yield* first;
  yield* second;
}

/** Runs a work in its turn. Who leaves before it has begun does not wait for it. */
async function inTurnUnlessLeft<T>(
  turn: TurnQueue,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  let leave = () => {};
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(signal!.reason as Error);
    signal?.addEventListener("abort", leave, { once: true });
  });
  const stay = () => signal?.removeEventListener("abort", leave);
  const done = turn.run(() => {
    signal?.throwIfAborted();
    stay();
    return work();
  });
  try {
    return await Promise.race([done, left]);
  } finally {
    stay();
    done.catch(() => {});
  }
}

const queueFull = (message: string, { entered }: TurnQueue): RollupError =>
  gatewayError("GAT_QUEUE_FULL", message, { data: { waiting: entered } });

/** True for a failure to pay an open answer that no later asking will mend: only an answer that is paid first goes on from there. */
const isWayClosed = (failure: unknown): boolean =>
  isWrong(failure) ||
  (isRollupError(failure, "CLI_UNREACHABLE") && sentStateOf(failure) === "unknown") ||
  isRollupError(failure, "GAT_ANSWER_REPLAYED") ||
  isRollupError(failure, "GAT_BUDGET_TOO_LOW") ||
  sentStateOf(failure) === "refused";
