/**
 * Choice between calldata and a blob for a batch's narrow slots, by current prices: pure arithmetic. Costs that
 * both ways share (the transaction, the proof, the batch's record) are left out. Measured on receipts at
 * 7b597cf0. Bridge and sequencer choose by it; prices are wei a unit of gas.
 */
import type { DataSource } from "@openledger/circuits/protocol";
import { GAS_PER_BLOB } from "./blob-transaction.ts";

/** Operations in a batch's table. */
export interface DataCounts {
  readonly transfers: number;
  readonly payments: number;
}

export interface DataPrices {
  /** Price of a unit of execution gas, tip included. */
  readonly gasPriceWei: bigint;
  readonly blobGasPriceWei: bigint;
}

/** L1 gas of one more operation in calldata: its bytes, and reading and evaluating them. */
export const CALLDATA_GAS = { transfer: 200n, payment: 700n } as const;
/** Execution gas that a blob adds to its batch: opening it, 128 posted bytes, two more input points of the proof. */
const BLOB_EXECUTION_GAS = 72_000n;

/** Cost of one batch's blob in wei of ether. It does not depend on the contents. */
export const blobCostWei = ({ blobGasPriceWei, gasPriceWei }: DataPrices): bigint =>
  BLOB_EXECUTION_GAS * gasPriceWei + GAS_PER_BLOB * blobGasPriceWei;

/** Cost of the same operations in calldata, in wei of ether. */
export const calldataCostWei = (counts: DataCounts, { gasPriceWei }: DataPrices): bigint =>
  (CALLDATA_GAS.transfer * BigInt(counts.transfers) + CALLDATA_GAS.payment * BigInt(counts.payments)) *
  gasPriceWei;

/** Costs of one batch's narrow slots in each place, in wei of ether. */
export const dataCostsWei = (
  counts: DataCounts,
  prices: DataPrices,
): Readonly<Record<DataSource, bigint>> => ({
  blob: blobCostWei(prices),
  calldata: calldataCostWei(counts, prices),
});

/**
 * Minimum saving of the other place, in thousandths of the costs, before batches move there. Estimate: two
 * blocks' change of prices.
 */
const MIN_SAVING_PER_MILLE = 100n;

/**
 * @param current where the last batch was: the other place has to be cheaper by a tenth. null: the cheaper one, a
 * blob if equal
 */
export function cheaperSource(
  counts: DataCounts,
  prices: DataPrices,
  current: DataSource | null,
): DataSource {
  const costsWei = dataCostsWei(counts, prices);
  if (current === null) return costsWei.blob <= costsWei.calldata ? "blob" : "calldata";
  const other = current === "blob" ? "calldata" : "blob";
  const isWorthIt = costsWei[other] * 1_000n < costsWei[current] * (1_000n - MIN_SAVING_PER_MILLE);
  return isWorthIt ? other : current;
}

/** Number of operations in a batch from which a blob is the cheaper way. Infinity if gas costs nothing. */
export function crossover(kind: keyof typeof CALLDATA_GAS, prices: DataPrices): number {
  if (prices.gasPriceWei === 0n) return Number.POSITIVE_INFINITY;
  const eachWei = CALLDATA_GAS[kind] * prices.gasPriceWei;
  return Number((blobCostWei(prices) + eachWei - 1n) / eachWei);
}
