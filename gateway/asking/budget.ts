/**
 * Budget of the gateway: the balance of its account, less what answers in the making will cost. The asker reserves before it asks,
 * so that two models asked at once are never owed more than there is. Amounts are in wei.
 */
import type { LedgerClient } from "@openledger/client/ledger-client";
import { estimateFees } from "@openledger/client/sequencer/fees";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { gatewayError } from "../gateway-errors.ts";

/** Fee of an operation of a kind, now or in the next batch, whichever is more. */
async function feeOf(client: LedgerClient, kind: string): Promise<bigint> {
  const { operations } = await estimateFees(client);
  const costs = operations[kind];
  if (costs === undefined) return 0n;
  const isFalling = costs.feeWei > costs.nextFeeWei;
  return isFalling ? costs.feeWei : costs.nextFeeWei;
}

export class Budget {
  readonly #client: LedgerClient;
  readonly #leafId: number;
  #reservedWei = 0n;

  /** @param client of the gateway's account */
  constructor(client: LedgerClient, leafId: number) {
    this.#client = client;
    this.#leafId = leafId;
  }

  /** Balance that no answer in the making will take. */
  async leftWei(): Promise<bigint> {
    return (await getLeaf(this.#client, this.#leafId)).balanceWei - this.#reservedWei;
  }

  /**
   * Reserves the price of an answer and its fee.
   * @returns frees the reservation, once the answer is paid or given up
   * @throws GAT_BUDGET_TOO_LOW
   */
  async reserve(priceWei: bigint): Promise<() => void> {
    const feeWei = await feeOf(this.#client, "payInference");
    const neededWei = priceWei + feeWei;
    // Read and reserved without a pause in between.
    const { balanceWei } = await getLeaf(this.#client, this.#leafId);
    const leftWei = balanceWei - this.#reservedWei;
    if (leftWei < neededWei)
      throw gatewayError(
        "GAT_BUDGET_TOO_LOW",
        `the answer costs ${formatOpen(priceWei)} OPEN and ${formatOpen(feeWei)} of fees, and ${formatOpen(leftWei)} are left`,
        {
          data: {
            priceWei: `${priceWei}`,
            neededWei: `${neededWei}`,
            balanceWei: `${leftWei}`,
            leafId: this.#leafId,
          },
        },
      );
    this.#reservedWei += neededWei;
    let isFree = false;
    return () => {
      if (!isFree) this.#reservedWei -= neededWei;
      isFree = true;
    };
  }
}
