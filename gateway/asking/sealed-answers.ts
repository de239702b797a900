/**
 * Answers that are paid before they are shown: a server seals them for an account that left one unpaid, or gives its open one up. The asker
 * buys one where nothing else opens the way, and this journal's next process opens what was paid before a kill.
 */
import { askSealed } from "@openledger/client/actions/answers/ask-model";
import type { ServedLocation } from "@openledger/client/actions/answers/served-models";
import { clientError } from "@openledger/client/client-errors";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { openSealed } from "@openledger/client/tasks/pay-for-answer";
import { hex32 } from "@openledger/foundation/hex";
import type { RollupError } from "@openledger/foundation/rollup-error";
import { gatewayError } from "../gateway-errors.ts";
import type { AnswerPayments, ReservedCost } from "./answer-payments.ts";
import { codeOf } from "./answer-payments.ts";
import { answerOpen, isWrong, type OpenAnswer } from "./ask-server.ts";
import type { OpenedModel } from "./checkable-models.ts";
import type { QuestionJournal, SentQuestion } from "./question-journal.ts";
import type { QuestionHead, QuestionRecord } from "./question-record.ts";
import type { SignedPayments } from "./signed-payments.ts";

/** Time that a server has to make an answer that is paid before it is shown, and to open it once it is paid. */
const SEALED_TIMEOUT_MS = 300_000;
const OPEN_TIMEOUT_MS = 6_000;

export interface SealedModules {
  /** Signs for the gateway's account. */
  readonly client: LedgerClient;
  readonly leafId: number;
  readonly journal: QuestionJournal;
  readonly answers: AnswerPayments;
  readonly payments: SignedPayments;
  /** Opens the model of a location. */
  readonly open: (location: ServedLocation) => Promise<OpenedModel>;
}

/** Record of a question, with what its payment needs. */
interface SealedOrder {
  readonly id: number;
  readonly opened: OpenedModel;
  readonly cost: ReservedCost;
  readonly signal?: AbortSignal | undefined;
  /** Called once the server has the answer, before it is paid. */
  readonly onSealed: () => void;
  /** Receipt of the only answer that is paid; default: any that was not paid before. */
  readonly receipt?: string | undefined;
}

const UNNAMED: OpenAnswer = { receipt: null, ask: null, expiresAtMs: null, hasLapsed: false };

export class SealedAnswers {
  readonly #modules: SealedModules;

  constructor(modules: SealedModules) {
    this.#modules = modules;
  }

  /**
   * Pays an answer before it is shown. It is asked for twice, so that a byte that was changed on the way costs nothing.
   *
   * Attack: a server seals nonsense, or never opens it. It gets one payment so, and no further one while the journal has that.
   * @returns null where the server gives the answer open, and nothing was paid
   * @throws GAT_ANSWER_OPEN, GAT_ANSWER_SEALED, GAT_PAID_WRONG, CLI_ANSWER_WRONG, and the server's refusals
   */
  async take(question: SentQuestion, order: SealedOrder): Promise<QuestionRecord | null> {
    const { answers, client, journal, leafId, payments } = this.#modules;
    const { cost, id, onSealed, opened, receipt, signal } = order;
    const { modelId, prompt, serverUrl } = question;
    await this.#requireOpened(question);
    const terms = { serverUrl, modelId, prompt, from: leafId, timeoutMs: SEALED_TIMEOUT_MS, signal };
    const ask = async () => (await askSealed(client, terms)).given;
    const given = await ask();
    onSealed();
    // From here on the server has given up the answer that it waited for.
    await journal.forgetLost({ modelId, serverUrl });
    await answers.requireUnpaid(given, receipt);
    if (!("sealed" in given)) return null;
    const again = await ask();
    if (!("sealed" in again) || again.sealed !== given.sealed || again.receipt !== given.receipt)
      throw clientError("CLI_ANSWER_WRONG", "the server sealed two answers to one question", {
        data: { what: "sealed", given: hex32(again.receipt), right: hex32(given.receipt) },
      });
    await payments.inTurn(() => answers.paySealed(question, { id, cost, answer: given }));
    return this.read(id, opened);
  }

  /**
   * Reads a question that is paid, and opens its answer if it was sealed.
   * @throws GAT_ANSWER_SEALED where its server does not open it yet; GAT_PAID_WRONG where it opens to another one
   */
  async read(id: number, known?: OpenedModel): Promise<QuestionRecord> {
    const { answers, client, journal, open: openModel } = this.#modules;
    const record = await journal.read(id);
    const { answer, code, modelId, sealed, serverUrl } = record;
    if (answer !== null) return record;
    const terms = sealed!;
    if (code !== null) throw paidWrong(terms.receipt);
    const given = { ...terms, receipt: BigInt(terms.receipt), priceWei: BigInt(terms.priceWei) };
    try {
      const opened = known ?? (await openModel({ modelId, serverUrl }));
      const open = async () => {
        const shown = await openSealed(client, serverUrl, given, OPEN_TIMEOUT_MS);
        return answers.checkOpened(record, opened, shown);
      };
      // The salt may have been changed on the way, too.
      const checked = await open().catch((error: unknown) => {
        if (!isWrong(error)) throw error;
        return open();
      });
      return await journal.change(id, { answer: checked });
    } catch (error) {
      if (!isWrong(error))
        throw gatewayError("GAT_ANSWER_SEALED", "the answer is paid, and its server has not opened it yet", {
          data: { receipt: terms.receipt },
          cause: error,
        });
      await journal.change(id, { code: codeOf(error), isDelivered: true });
      throw paidWrong(terms.receipt, error);
    }
  }

  /** Opens the answers of a model that were paid first before. @throws GAT_ANSWER_OPEN where one stays shut, or was wrong */
  async #requireOpened({ modelId, serverUrl }: SentQuestion): Promise<void> {
    const isShut = (head: QuestionHead) =>
      head.isSealed && !head.hasAnswer && head.state === "paid" && head.modelId === modelId;
    for (const { id } of this.#modules.journal.heads.filter(
      (head) => isShut(head) && head.serverUrl === serverUrl,
    ))
      await this.read(id).catch((error: unknown) => {
        const why = "it has not opened the last one that was paid first, or not rightly";
        throw answerOpen(UNNAMED, "sealed-unopened", why, error);
      });
  }
}

const paidWrong = (receipt: string, cause?: unknown): RollupError =>
  gatewayError("GAT_PAID_WRONG", "the answer that was paid before it was shown is not the model's", {
    data: { receipt },
    cause,
  });
