/**
 * Payments that are signed and on disk: sends them, again after a failure or a kill, until the ledger has them or refuses them.
 * They are sent one after another, in the order of their nonces.
 */

import type { LedgerClient } from "@openledger/client/ledger-client";
import { getPayments } from "@openledger/client/sequencer/model-reads";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { sendDurably } from "../account/send-durably.ts";
import { gatewayError } from "../gateway-errors.ts";
import type { QuestionJournal } from "./question-journal.ts";
import type { QuestionRecord } from "./question-record.ts";
import { TurnQueue } from "./turn-queue.ts";

export interface PaymentModules {
  /** Signs for the gateway's account. */
  readonly client: LedgerClient;
  readonly journal: QuestionJournal;
  readonly logger: Pick<Logger, "warn">;
}

export class SignedPayments {
  readonly #modules: PaymentModules;
  readonly #turns = new TurnQueue();

  constructor(modules: PaymentModules) {
    this.#modules = modules;
  }

  /** Runs a signing in the payments' turn, once nothing signed before is unsure. @throws GAT_PAYMENT_UNSURE */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.run(async () => {
      await this.#settleAll();
      return work();
    });
  }

  /** Settles all payments that were signed and whose end is unknown. @throws GAT_PAYMENT_UNSURE */
  settleAll(): Promise<void> {
    return this.#turns.run(() => this.#settleAll());
  }

  /** Settles one, in the payments' turn. @throws as `settle` */
  settleInTurn(record: QuestionRecord): Promise<QuestionRecord> {
    return this.#turns.run(() => this.settle(record));
  }

  async #settleAll(): Promise<void> {
    const unsure = this.#modules.journal.records
      .filter(({ state }) => state === "signed")
      .sort((a, b) => a.payment!.signed.body.nonce - b.payment!.signed.body.nonce);
    for (const record of unsure)
      await this.settle(record).catch((error: unknown) => {
        if (!isRollupError(error, "GAT_PAYMENT_REFUSED")) throw error;
      });
  }

  /**
   * Sends a signed payment once more. Only in the payments' turn.
   * @throws GAT_PAYMENT_UNSURE; GAT_PAYMENT_REFUSED, and the question is dropped then
   */
  async settle({ id }: QuestionRecord): Promise<QuestionRecord> {
    const { client, journal, logger } = this.#modules;
    const record = journal.get(id)!;
    // Another request may have settled it before this turn.
    if (record.state === "paid") return record;
    if (record.state !== "signed") throw refused(record, null);
    let refusal: RollupError | null;
    try {
      const sent = await sendDurably(client, record.payment!.signed);
      if (sent.isTaken || (await isOnLedger(client, record)))
        return await journal.change(id, { state: "paid" });
      refusal = sent.refusal;
    } catch (cause) {
      throw gatewayError(
        "GAT_PAYMENT_UNSURE",
        "the answer is checked, and the sequencer has not yet taken its payment, which is sent again",
        { data: { hash: record.payment!.signed.hash }, cause },
      );
    }
    const code = refusal?.code ?? "GAT_PAYMENT_REFUSED";
    logger.warn({ modelId: record.modelId, reason: code }, "the sequencer refuses a payment");
    throw refused(await journal.change(id, { state: "dropped", code }), refusal);
  }
}

function refused({ code, payment }: QuestionRecord, cause: RollupError | null): RollupError {
  return gatewayError("GAT_PAYMENT_REFUSED", `the sequencer refuses the payment: ${cause?.message ?? code}`, {
    data: { reason: code, hash: payment?.signed.hash },
    cause,
  });
}

/** True if the open epoch of the model has a payment with the receipt: its operation may be older than the sequencer's list. */
async function isOnLedger(client: LedgerClient, { answer, modelId }: QuestionRecord): Promise<boolean> {
  const receipt = BigInt(answer!.openledger.receipt);
  const { payments } = await getPayments(client, modelId);
  return payments.some((payment) => payment.receipt === receipt);
}
