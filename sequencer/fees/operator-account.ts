/**
 * Earnings and costs of the operator, over the last batches that L1 has: fees in, L1's gas and proofs out.
 * batch-pipeline.ts keeps it and sets the metric of the result by it. Amounts are wei of OPEN, L1's costs wei of
 * ether.
 */
import { kindRule } from "@openledger/circuits/protocol";
import type { StoredBatch } from "../store/stored-batch.ts";

/** Batches that the account looks back on. Guess. */
const WINDOW_SIZE = 200;
const WEI_PER_ETHER = 10n ** 18n;

interface OperatorResult {
  readonly batchCount: number;
  /** First and last of them; 0 where there is none. */
  readonly firstBatch: number;
  readonly lastBatch: number;
  /** Milliseconds since 1970 at which the first was closed; null where there is none. */
  readonly sinceMs: number | null;
  /** OPEN that was credited to the fee leaf. */
  readonly incomeWei: bigint;
  readonly gasUsed: number;
  /** Ether that L1 took. */
  readonly l1CostEtherWei: bigint;
  /** Transactions whose price nobody reported: their gas is counted, their cost is not. */
  readonly unpricedCount: number;
  /** OPEN that the proofs cost, by the setting. */
  readonly proofCostWei: bigint;
  /** Income less costs in OPEN wei; null where the price of OPEN is unknown. */
  readonly resultWei: bigint | null;
}

interface Row {
  readonly closedAtMs: number;
  readonly incomeWei: bigint;
  readonly isProven: boolean;
  readonly transactionHash: string;
  readonly gasUsed: number;
  readonly gasPriceWei: bigint | null;
}

/** Fees that a batch credited to its fee leaf, in wei. */
function feesOfBatch({
  feePerUnitWei,
  narrow,
  wide,
}: Pick<StoredBatch, "feePerUnitWei" | "narrow" | "wide">): bigint {
  let units = 0;
  for (const { kind } of [...narrow, ...wide]) units += kindRule(kind)?.weight ?? 0;
  return BigInt(units) * feePerUnitWei;
}

export class OperatorAccount {
  readonly #proofCostWei: bigint;
  readonly #rows = new Map<number, Row>();

  /** @param proofCostWei OPEN wei a proof */
  constructor(proofCostWei: bigint) {
    this.#proofCostWei = proofCostWei;
  }

  /** Takes in the stored batches, so that a restart forgets nothing. @param postedNumber the last batch on L1 */
  async recall(
    read: (number: number) => Promise<StoredBatch | undefined>,
    postedNumber: number,
  ): Promise<void> {
    for (let number = Math.max(1, postedNumber - WINDOW_SIZE + 1); number <= postedNumber; number++) {
      const batch = await read(number);
      if (batch !== undefined) this.note(batch);
    }
  }

  /** A batch has a new status. One that L1 took back is no longer counted. */
  note(batch: StoredBatch): void {
    // Others' batches cost the operator nothing, and have no fees.
    const isPosted = batch.status === "posted" || batch.status === "final";
    if (!isPosted || batch.l1 === null || batch.isForeign === true) {
      this.#rows.delete(batch.number);
      return;
    }
    const { gasPriceWei, gasUsed, transactionHash } = batch.l1;
    this.#rows.set(batch.number, {
      closedAtMs: batch.closedAtMs,
      incomeWei: feesOfBatch(batch),
      isProven: batch.proof !== null,
      transactionHash,
      gasUsed: gasUsed ?? 0,
      gasPriceWei: gasPriceWei ?? null,
    });
    for (const number of this.#rows.keys())
      if (number <= batch.number - WINDOW_SIZE) this.#rows.delete(number);
  }

  /** @param openPerEtherWei OPEN wei for an ether, or null */
  result(openPerEtherWei: bigint | null): OperatorResult {
    const numbers = [...this.#rows.keys()];
    // Batches share transactions, whose gas each of them names.
    const transactions = new Map([...this.#rows.values()].map((row) => [row.transactionHash, row]));
    let incomeWei = 0n;
    let proofCount = 0n;
    for (const row of this.#rows.values()) {
      incomeWei += row.incomeWei;
      if (row.isProven) proofCount += 1n;
    }
    let gasUsed = 0;
    let l1CostEtherWei = 0n;
    let unpricedCount = 0;
    for (const row of transactions.values()) {
      gasUsed += row.gasUsed;
      if (row.gasPriceWei === null) unpricedCount += 1;
      else l1CostEtherWei += BigInt(row.gasUsed) * row.gasPriceWei;
    }
    const proofCostWei = proofCount * this.#proofCostWei;
    const isKnown = openPerEtherWei !== null && unpricedCount === 0;
    const first = numbers.length === 0 ? 0 : Math.min(...numbers);
    return {
      batchCount: numbers.length,
      firstBatch: first,
      lastBatch: numbers.length === 0 ? 0 : Math.max(...numbers),
      sinceMs: this.#rows.get(first)?.closedAtMs ?? null,
      incomeWei,
      gasUsed,
      l1CostEtherWei,
      unpricedCount,
      proofCostWei,
      resultWei: isKnown
        ? incomeWei - proofCostWei - (l1CostEtherWei * openPerEtherWei) / WEI_PER_ETHER
        : null,
    };
  }
}
