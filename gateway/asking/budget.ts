/**
 * Budget of the gateway: the balance of its account, less what answers in the making will cost. The asker reserves before it asks,
 * so that two questions at once are never owed more than there is. Amounts are in wei.
 */
import type { LedgerClient } from "@openledger/client/ledger-client";
import { estimateFees } from "@openledger/client/sequencer/fees";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { gatewayError } from "../gateway-errors.ts";
import { TurnQueue } from "./turn-queue.ts";

/** Kinds of operations that the gateway's account signs. */
export type SpendingKind = "payInference" | "commitData";

/** Fee of an operation, and how it follows from the price of a fee unit. */
export interface OperationFee {
  /** Fee now or in the next batch, whichever is more. */
  readonly feeWei: bigint;
  /** Fee units of the operation. */
  readonly units: bigint;
  /** Price of a unit with which the operation is not refused for some batches, however the fee rises. */
  readonly suggestedMaxFeePerUnitWei: bigint;
}

export class Budget {
  readonly #client: LedgerClient;
  readonly #leafId: number;
  readonly #owedWei: () => bigint;
  readonly #turns = new TurnQueue();
  #reservedWei = 0n;

  /**
   * @param client of the gateway's account
   * @param owedWei payments and fees that are signed, and that the sequencer has not taken yet
   */
  constructor(client: LedgerClient, leafId: number, owedWei: () => bigint = () => 0n) {
    this.#client = client;
    this.#leafId = leafId;
    this.#owedWei = owedWei;
  }

  /** Balance that no answer in the making will take. */
  async leftWei(): Promise<bigint> {
    for (;;) {
      const heldWei = this.#heldWei;
      const { balanceWei } = await getLeaf(this.#client, this.#leafId);
      // A payment that the ledger takes meanwhile would count neither in the balance nor here.
      if (this.#heldWei === heldWei) return balanceWei - heldWei;
    }
  }

  get #heldWei(): bigint {
    return this.#reservedWei + this.#owedWei();
  }

  /** Fee of an operation as the sequencer estimates it. */
  async feeOf(kind: SpendingKind = "payInference"): Promise<OperationFee> {
    const { feePerUnitWei, operations, suggestedMaxFeePerUnitWei } = await estimateFees(this.#client);
    const { feeWei, nextFeeWei } = operations[kind] ?? { feeWei: 0n, nextFeeWei: 0n };
    const units = feePerUnitWei === 0n ? 0n : feeWei / feePerUnitWei;
    return { feeWei: feeWei > nextFeeWei ? feeWei : nextFeeWei, units, suggestedMaxFeePerUnitWei };
  }

  /**
   * Reserves a payment and its fee.
   * @returns frees the reservation, once it is paid or given up
   * @throws GAT_BUDGET_TOO_LOW
   */
  reserve(priceWei: bigint, feeWei: bigint): Promise<() => void> {
    const neededWei = priceWei + feeWei;
    // One after another: two that read the same balance would both fit.
    return this.#turns.run(async () => {
      const leftWei = await this.leftWei();
      if (leftWei < neededWei)
        throw gatewayError(
          "GAT_BUDGET_TOO_LOW",
          `${formatOpen(priceWei)} OPEN and ${formatOpen(feeWei)} of fees are needed, and ${formatOpen(leftWei)} are left`,
          {
            data: {
              priceWei: `${priceWei}`,
              feeWei: `${feeWei}`,
              neededWei: `${neededWei}`,
              balanceWei: `${leftWei}`,
              leafId: this.#leafId,
            },
          },
        );
      this.#reservedWei += neededWei;
      let isFree = false;
      return () => {
        if (isFree) return;
        isFree = true;
        this.#reservedWei -= neededWei;
      };
    });
  }
}

/** Maximum price of a fee unit by which an operation costs no more than `maxFeeWei`, however the fee rises. */
export function maxFeePerUnitWei(
  { suggestedMaxFeePerUnitWei, units }: OperationFee,
  maxFeeWei: bigint,
): bigint {
  if (units === 0n) return suggestedMaxFeePerUnitWei;
  const bound = maxFeeWei / units;
  return bound < suggestedMaxFeePerUnitWei ? bound : suggestedMaxFeePerUnitWei;
}
