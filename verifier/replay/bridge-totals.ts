/**
 * Totals of the contract, in wei, from L1's events and batches: what the ledger holds, what may be burned or
 * withdrawn. ledger-replay.ts applies each record; verify.ts compares the totals with the contract's state.
 */
import type { CreditEvent, HistoryEvent, RefundEvent } from "@openledger/bridge/l1/l1-history";
import type { BatchData, SlotRecord } from "@openledger/circuits/batch/batch-data";
import { KIND, kindRule } from "@openledger/circuits/protocol";
import type { Hex } from "viem";
import { requireSame } from "./verify-error.ts";

type Credit = Pick<CreditEvent, "recipient" | "amountWei">;

const toAddress = (word: bigint): Hex => `0x${word.toString(16).padStart(40, "0")}`;

/** Expected sums of the contract, computed from the batches alone. */
export class BridgeTotals {
  /** Wei that the ledger owes: balances, open and closed amounts, unclaimed rewards. */
  ledgerWei = 0n;
  /** Wei of fees that anyone may burn. */
  burnableWei = 0n;
  /** Deposits that wait in the queue, and their wei. */
  queuedDepositCount = 0;
  queuedDepositWei = 0n;
  /** Amounts in wei that have left the frozen ledger, by the exit's key. */
  readonly exitedWei = new Map<bigint, bigint>();
  /** Entries of the frozen queue that were deleted. */
  readonly refundedEntries = new Set<number>();
  /** Withdrawable amount of each address, in wei. Addresses are in lower case. */
  readonly pendingWei = new Map<string, bigint>();
  /** Credits that the contract emitted since the last batch; it does so before the batch's own event. */
  #announced: CreditEvent[] = [];

  /** Notes every event but batches. */
  note(event: HistoryEvent): void {
    switch (event.type) {
      case "queue-entry":
        this.burnableWei += event.burnedFeeWei;
        if (event.kind <= KIND.depositTo) {
          this.queuedDepositCount += 1;
          this.queuedDepositWei += event.amountWei;
        }
        break;
      case "credit":
        this.#announced.push(event);
        break;
      case "payout":
        this.#addPending(event.recipient, -event.amountWei);
        break;
      case "burn":
        this.burnableWei -= event.amountWei;
        break;
      case "exit":
        this.exitedWei.set(event.key, event.amountWei);
        this.ledgerWei -= event.amountWei;
        this.#addPending(event.recipient, event.amountWei);
        break;
      case "refund":
        this.#noteRefund(event);
        break;
      case "frozen":
      case "genesis":
      case "batch":
      case "closeEpoch":
      case "randomness":
        break;
      default:
        event satisfies never;
    }
  }

  /** Deposits go back to their senders; a forced operation's refund is of 0 wei, and its fee stays burnable. */
  #noteRefund({ queueIndex, refundedWei, sender }: RefundEvent): void {
    this.refundedEntries.add(queueIndex);
    if (refundedWei === 0n) return;
    this.queuedDepositCount -= 1;
    this.queuedDepositWei -= refundedWei;
    this.#addPending(sender, refundedWei);
  }

  /** Sum of all exits' credits, in wei. */
  totalExitedWei(): bigint {
    let sum = 0n;
    for (const wei of this.exitedWei.values()) sum += wei;
    return sum;
  }

  /**
   * Applies a batch, and compares its credits with the contract's.
   * @param burnedWei of the batch's settlements: it leaves the ledger
   * @param queueBaseFeeWei fee that a refused deposit to a leaf burns
   * @throws BRG_VERIFY_DIFFERS if the contract credited others, or other amounts
   */
  applyBatch(batch: BatchData, burnedWei: bigint, queueBaseFeeWei: bigint): void {
    this.ledgerWei -= burnedWei;
    this.burnableWei += burnedWei;
    const batchNumber = Number(batch.batchNumber);
    const credits = batch.wide.flatMap((record) =>
      this.#applyRecord(record, batch.idFeeWei, queueBaseFeeWei),
    );
    const announced = this.#announced.map(({ amountWei, recipient }) => ({
      recipient: recipient.toLowerCase(),
      amountWei,
    }));
    this.#announced = [];
    requireSame(batchNumber, "the list of credits", credits, announced);
    for (const { amountWei, recipient } of credits) this.#addPending(recipient, amountWei);
  }

  #applyRecord({ isValid, kind, words }: SlotRecord, idFeeWei: bigint, queueBaseFeeWei: bigint): Credit[] {
    const payOut = (recipient: bigint, amountWei: bigint): Credit[] => {
      this.ledgerWei -= amountWei;
      return amountWei === 0n ? [] : [{ recipient: toAddress(recipient), amountWei }];
    };
    const [amountWei, word1, , sender, executedWei] = words as bigint[];
    switch (kind) {
      case KIND.withdraw:
        return payOut(words[0]!, words[1]!);
      case KIND.depositNew:
      case KIND.depositTo:
        this.queuedDepositCount -= 1;
        this.queuedDepositWei -= amountWei!;
        if (!isValid) {
          const feeWei = kind === KIND.depositTo ? queueBaseFeeWei : 0n;
          const backWei = amountWei! - feeWei;
          this.burnableWei += feeWei;
          return backWei === 0n ? [] : [{ recipient: toAddress(sender!), amountWei: backWei }];
        }
        this.ledgerWei += amountWei!;
        return [];
      case KIND.forcedWithdraw:
        return isValid ? payOut(word1!, executedWei!) : [];
      default:
        if (kindRule(kind)?.isCreate && kindRule(kind)?.isSigned) {
          this.ledgerWei -= idFeeWei;
          this.burnableWei += idFeeWei;
        }
        return [];
    }
  }

  #addPending(recipient: string, amountWei: bigint): void {
    const key = recipient.toLowerCase();
    this.pendingWei.set(key, (this.pendingWei.get(key) ?? 0n) + amountWei);
  }
}
