/**
 * Whether a batch's narrow slots are cheaper in calldata or in a blob, by the prices of the day: pure arithmetic. What both
 * ways share (the transaction, the proof, the batch's record) is left out. Figures of `npm run bench -- blobs` and `-- table --gas`.
 */
import { GAS_PER_BLOB } from "./blob-transaction.ts";

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
export const calldataCostWei = (
  counts: { readonly transfers: number; readonly payments: number },
  { gasPriceWei }: DataPrices,
): bigint =>
  (CALLDATA_GAS.transfer * BigInt(counts.transfers) + CALLDATA_GAS.payment * BigInt(counts.payments)) *
  gasPriceWei;

/** From how many operations in a batch on a blob is the cheaper way. Infinity where gas costs nothing. */
export function crossover(kind: keyof typeof CALLDATA_GAS, prices: DataPrices): number {
  if (prices.gasPriceWei === 0n) return Number.POSITIVE_INFINITY;
  const eachWei = CALLDATA_GAS[kind] * prices.gasPriceWei;
  return Number((blobCostWei(prices) + eachWei - 1n) / eachWei);
}
