/**
 * Payments that are signed and on disk: sends them, again after a failure or a kill, until the ledger has them or refuses them.
 * They are sent one after another, in the order of their nonces.
 */

import type { LedgerClient } from "@openledger/client/ledger-client";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { getModel, getPayments } from "@openledger/client/sequencer/model-reads";
import { resendOperation } from "@openledger/client/tasks/send-once";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import type { Hex } from "viem";
import { gatewayError } from "../gateway-errors.ts";
import type { QuestionJournal } from "./question-journal.ts";
import { headOf, type QuestionHead } from "./question-record.ts";
import { TurnQueue } from "./turn-queue.ts";

/** Payments that one review looks at. */
const MAX_REVIEWED = 64;

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
  settleInTurn(head: QuestionHead): Promise<QuestionHead> {
    return this.#turns.run(() => this.settle(head));
  }

  async #settleAll(): Promise<void> {
    const unsure = this.#modules.journal.heads
      .filter(({ state }) => state === "signed")
      .sort((a, b) => a.payment!.signed.body.nonce - b.payment!.signed.body.nonce);
    for (const head of unsure)
      await this.settle(head).catch((error: unknown) => {
        if (!isRollupError(error, "GAT_PAYMENT_REFUSED")) throw error;
      });
  }

  /**
   * Sends a signed payment once more. Only in the payments' turn.
   * @throws GAT_PAYMENT_UNSURE; GAT_PAYMENT_REFUSED, and the question is dropped then
   */
  async settle({ id }: Pick<QuestionHead, "id">): Promise<QuestionHead> {
    const { client, journal, logger } = this.#modules;
    const head = journal.head(id)!;
    // Another request may have settled it before this turn.
    if (head.state === "paid") return head;
    if (head.state !== "signed") throw refused(head, null);
    let refusal: RollupError | null;
    try {
      const sent = await resendOperation(client, head.payment!.signed);
      if (sent.isTaken || (await this.isOnLedger(head)))
        return headOf(await journal.change(id, { state: "paid" }));
      refusal = sent.refusal;
    } catch (cause) {
      throw gatewayError(
        "GAT_PAYMENT_UNSURE",
        "the answer is checked, and the sequencer has not yet taken its payment, which is sent again",
        { data: { hash: head.payment!.signed.hash }, cause },
      );
    }
    const code = refusal?.code ?? "GAT_PAYMENT_REFUSED";
    logger.warn({ modelId: head.modelId, reason: code }, "the sequencer refuses a payment");
    throw refused(await journal.change(id, { state: "dropped", code }), refusal);
  }

  /**
   * Looks again at payments whose end Ethereum does not have yet. One that the sequencer dropped after it had taken it is sent
   * again; one that it has taken after it had refused it counts as paid.
   * @throws GAT_PAYMENT_UNSURE, CLI_UNREACHABLE
   */
  review(): Promise<void> {
    return this.#turns.run(async () => {
      const open = this.#modules.journal.heads.filter(isOpenEnded);
      for (const head of open.slice(0, MAX_REVIEWED)) await this.#review(head);
      await this.#settleAll();
    });
  }

  async #review(head: QuestionHead): Promise<void> {
    const { client, journal, logger } = this.#modules;
    const { id, modelId, payment, state } = head;
    const { body, hash } = payment!.signed;
    const operation = await getOperation(client, hash as Hex);
    const isTaken = operation === null ? await this.isOnLedger(head) : operation.status !== "dropped";
    // The sequencer forgets operations that Ethereum has had for long.
    const isFinal = isTaken && (operation === null || operation.status === "final");
    if (isTaken && state === "paid" && !isFinal) return;
    if (isTaken) await journal.change(id, { state: "paid", code: null, isFinal });
    else if (state === "dropped" && this.#isNonceUsed(body.nonce))
      await journal.change(id, { isFinal: true });
    else if (state === "paid") {
      logger.warn(
        { modelId, hash },
        "the sequencer has dropped a payment that it had taken; it is sent again",
      );
      await journal.change(id, { state: "signed" });
    }
  }

  /** True if Ethereum has a later operation of the account: no other one with the nonce is ever executed. */
  #isNonceUsed(nonce: number): boolean {
    return this.#modules.journal.heads.some(
      ({ isFinal, payment, state }) => state === "paid" && isFinal && payment!.signed.body.nonce >= nonce,
    );
  }

  /** Returns true if the model's payments have this one's receipt: the sequencer's list of operations may begin after it. */
  async isOnLedger({ modelId, payment, receipt }: QuestionHead): Promise<boolean> {
    const { client } = this.#modules;
    const { counters } = await getModel(client, modelId);
    const own = BigInt(receipt!);
    for (let { epoch } = payment!; epoch <= counters.epoch; epoch++) {
      const { payments } = await getPayments(client, modelId, epoch);
      if (payments.some(({ payerId, receipt: paid }) => paid === own && payerId === payment!.signed.body.a))
        return true;
    }
    return false;
  }
}

/** Payments that the sequencer has taken or refused, and that may end otherwise. */
const isOpenEnded = ({ isFinal, payment, state }: QuestionHead): boolean =>
  payment !== null && !isFinal && (state === "paid" || state === "dropped");

function refused(
  { code, payment }: Pick<QuestionHead, "code" | "payment">,
  cause: RollupError | null,
): RollupError {
  return gatewayError("GAT_PAYMENT_REFUSED", `the sequencer refuses the payment: ${cause?.message ?? code}`, {
    data: { reason: code, hash: payment?.signed.hash },
    cause,
  });
}
