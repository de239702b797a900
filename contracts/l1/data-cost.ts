/**
 * Whether a batch's narrow slots are cheaper in calldata or in a blob, by the prices of the day: pure arithmetic. What both
 * ways share (the transaction, the proof, the batch's record) is left out. Measured on receipts at 7b597cf0.
 */
import type { DataPlace } from "@openledger/circuits/protocol";
import { GAS_PER_BLOB } from "./blob-transaction.ts";

/** Operations in a batch's table. */
export interface DataCounts {
  readonly transfers: number;
  readonly payments: number;
}

export interface DataPrices {
  /** Of a unit of execution gas, tip included. */
  readonly gasPriceWei: bigint;
  readonly blobGasPriceWei: bigint;
}

/** L1 gas of one more operation in calldata: its bytes, and reading and evaluating them. */
export const CALLDATA_GAS = { transfer: 200n, payment: 700n } as const;
/** Execution gas that a blob adds to its batch: opening it, 128 posted bytes, two more input points of the proof. */
const BLOB_EXECUTION_GAS = 72_000n;

/** What the blob of one batch costs, in wei of ether, whatever is in it. */
export const blobCostWei = ({ blobGasPriceWei, gasPriceWei }: DataPrices): bigint =>
  BLOB_EXECUTION_GAS * gasPriceWei + GAS_PER_BLOB * blobGasPriceWei;

/** What the same operations cost in calldata, in wei of ether. */
export const calldataCostWei = (counts: DataCounts, { gasPriceWei }: DataPrices): bigint =>
  (CALLDATA_GAS.transfer * BigInt(counts.transfers) + CALLDATA_GAS.payment * BigInt(counts.payments)) *
  gasPriceWei;

/** Of the narrow slots of one batch, in wei of ether. */
export const dataCostsWei = (
  counts: DataCounts,
  prices: DataPrices,
): Readonly<Record<DataPlace, bigint>> => ({
  blob: blobCostWei(prices),
  calldata: calldataCostWei(counts, prices),
});

/** What the other place has to save, in thousandths of the costs, before batches move there. Guess: two blocks' change of prices. */
const LEAST_SAVING_PER_MILLE = 100n;

/** @param current where the last batch was: the other place has to be cheaper by a tenth. null: the cheaper one, a blob if equal */
export function cheaperPlace(counts: DataCounts, prices: DataPrices, current: DataPlace | null): DataPlace {
  const costsWei = dataCostsWei(counts, prices);
  if (current === null) return costsWei.blob <= costsWei.calldata ? "blob" : "calldata";
  const other = current === "blob" ? "calldata" : "blob";
  const isWorthIt = costsWei[other] * 1_000n < costsWei[current] * (1_000n - LEAST_SAVING_PER_MILLE);
  return isWorthIt ? other : current;
}

/** From how many operations in a batch on a blob is the cheaper way. Infinity where gas costs nothing. */
export function crossover(kind: keyof typeof CALLDATA_GAS, prices: DataPrices): number {
  if (prices.gasPriceWei === 0n) return Number.POSITIVE_INFINITY;
  const eachWei = CALLDATA_GAS[kind] * prices.gasPriceWei;
  return Number((blobCostWei(prices) + eachWei - 1n) / eachWei);
}
