/**
 * EIP-1559 fees of L1 transactions, first attempts and replacements, in wei a unit of gas: pure arithmetic, so
 * that tests need no node. Bridge and clients price by it.
 */

// EIP-7825: no transaction may have more.
export const MAX_TRANSACTION_GAS = 2n ** 24n;

/** Default maximum price of a unit of gas, in gwei: the bridge's L1_MAX_FEE_GWEI, and everybody else's. */
export const DEFAULT_MAX_FEE_GWEI = 200;

/** Default maximum price of a unit of blob gas, in gwei: the bridge's L1_MAX_BLOB_FEE_GWEI. */
export const DEFAULT_MAX_BLOB_FEE_GWEI = 100;

export interface GasFees {
  readonly maxFeePerGasWei: bigint;
  readonly maxPriorityFeePerGasWei: bigint;
}

/** Fees of a transaction with blobs. Blob gas has a market of its own. */
export interface BlobFees extends GasFees {
  readonly maxFeePerBlobGasWei: bigint;
}

export interface FeeMarket {
  readonly baseFeePerGasWei: bigint;
  /** Tip that the node suggests. */
  readonly priorityFeePerGasWei: bigint;
}

/**
 * Fees of a first attempt: the tip and twice the base fee, which outlasts six full blocks in a row
 * (EIP-1559: at most + 12.5 % a block, 1.125^6 > 2).
 */
export function initialFees(market: FeeMarket, maxFeePerGasWei: bigint): GasFees {
  return capped(
    {
      maxFeePerGasWei: 2n * market.baseFeePerGasWei + market.priorityFeePerGasWei,
      maxPriorityFeePerGasWei: market.priorityFeePerGasWei,
    },
    maxFeePerGasWei,
  );
}

// EIP-2200 with EIP-2929: the price of writing a slot that was read before. Both writes also pay 2,100 for the cold read.
const SSTORE_SET_GAS = 20_000n; // 0 becomes something
const SSTORE_RESET_GAS = 2_900n; // something becomes something else

/**
 * Gas that a stranger can add to each payment that a call credits on L1, between its estimate and its block.
 * `pendingWithdrawals[owner] += amount` costs 2,100 + 2,900 if the owner has a credit already, and 2,100 +
 * 20,000 if not; `finalizeWithdrawal(owner)` is open to anybody and takes the credit away. Nothing else that
 * a batch, an exit or a refund writes can be set to 0 by a stranger without making the call revert for
 * another reason: state, totals and the ledger's sum share words with what is never 0, and a queue entry or
 * an exit's mark goes one way only.
 */
const CONTENDED_CREDIT_GAS = SSTORE_SET_GAS - SSTORE_RESET_GAS;

/** Gas that a call needs if every payment that it credits has become as dear as others can make it. */
export function worstCaseGas(gasEstimate: bigint, creditCount: number): bigint {
  return gasEstimate + CONTENDED_CREDIT_GAS * BigInt(creditCount);
}

/** Gas limit with a fifth more than needed, for all that an estimate leaves out. Unused gas is not paid. */
export function paddedGas(gasNeeded: bigint, maxGas = MAX_TRANSACTION_GAS): bigint {
  return smaller((gasNeeded * 6n) / 5n, smaller(maxGas, MAX_TRANSACTION_GAS));
}

/**
 * True if a transaction reverted because its gas ran out. EIP-150 withholds a 64th of the remaining gas from
 * each inner call (a precompile, say), and a revert refunds nothing: so all but a 64th is gone.
 */
export const isOutOfGas = (gasUsed: bigint, gasLimit: bigint): boolean =>
  gasUsed >= gasLimit - gasLimit / 64n;

/**
 * Fees of a replacement. Nodes take one only if both fees rise by 10 % or more (geth), 12.5 % with others; we raise
 * by 12.5 %, rounded up, and to what the market asks now.
 * @returns null if the cap leaves no room for a replacement
 */
export function replacementFees(last: GasFees, market: FeeMarket, maxFeePerGasWei: bigint): GasFees | null {
  const marketFees = initialFees(market, maxFeePerGasWei);
  const raised = {
    maxFeePerGasWei: larger(raise(last.maxFeePerGasWei), marketFees.maxFeePerGasWei),
    maxPriorityFeePerGasWei: larger(raise(last.maxPriorityFeePerGasWei), marketFees.maxPriorityFeePerGasWei),
  };
  return raised.maxFeePerGasWei > maxFeePerGasWei ? null : raised;
}

/** Maximum price of a unit of gas and of blob gas. */
export interface BlobFeeCaps {
  readonly maxFeePerGasWei: bigint;
  readonly maxFeePerBlobGasWei: bigint;
}

/**
 * Fees of a first attempt with blobs. The blob base fee, too, rises by an eighth a block at most: twice as
 * much outlasts six blocks.
 */
export function initialBlobFees(market: FeeMarket, blobBaseFeeWei: bigint, caps: BlobFeeCaps): BlobFees {
  return atCapWhereLast(marketBlobFees(market, blobBaseFeeWei, caps), caps);
}

function marketBlobFees(market: FeeMarket, blobBaseFeeWei: bigint, caps: BlobFeeCaps): BlobFees {
  const blobFeeWei = 2n * larger(blobBaseFeeWei, 1n);
  return {
    ...initialFees(market, caps.maxFeePerGasWei),
    maxFeePerBlobGasWei: smaller(blobFeeWei, caps.maxFeePerBlobGasWei),
  };
}

/**
 * Raises fees to the caps if they cannot be doubled within them: such a transaction is never replaced, so its
 * first fees are its last. Of both fees only the base fee is paid, whatever the limit is. The tip is paid as
 * it is, and stays.
 */
function atCapWhereLast(fees: BlobFees, caps: BlobFeeCaps): BlobFees {
  const isLast =
    2n * fees.maxFeePerGasWei > caps.maxFeePerGasWei ||
    2n * fees.maxFeePerBlobGasWei > caps.maxFeePerBlobGasWei;
  return isLast ? { ...fees, ...caps } : fees;
}

/**
 * Nodes take a replacement of a transaction with blobs only if all three fees are twice as high (geth's blob pool).
 * @returns null if a cap leaves no room for a replacement
 */
export function blobReplacementFees(
  last: BlobFees,
  market: FeeMarket,
  blobBaseFeeWei: bigint,
  caps: BlobFeeCaps,
): BlobFees | null {
  const marketFees = marketBlobFees(market, blobBaseFeeWei, caps);
  const raised = {
    maxFeePerGasWei: larger(doubled(last.maxFeePerGasWei), marketFees.maxFeePerGasWei),
    maxPriorityFeePerGasWei: larger(
      doubled(last.maxPriorityFeePerGasWei),
      marketFees.maxPriorityFeePerGasWei,
    ),
    maxFeePerBlobGasWei: larger(doubled(last.maxFeePerBlobGasWei), marketFees.maxFeePerBlobGasWei),
  };
  const isAbove =
    raised.maxFeePerGasWei > caps.maxFeePerGasWei || raised.maxFeePerBlobGasWei > caps.maxFeePerBlobGasWei;
  return isAbove ? null : atCapWhereLast(raised, caps);
}

/**
 * Doubled fee, at least one wei more: geth's blob pool requires each fee to be strictly higher, a tip of 0
 * too.
 */
const doubled = (feeWei: bigint) => (feeWei === 0n ? 1n : 2n * feeWei);

/** Raises a fee by at least one wei, so that a tip of 0 rises too. */
function raise(feeWei: bigint): bigint {
  const raised = (feeWei * 9n + 7n) / 8n;
  return raised > feeWei ? raised : feeWei + 1n;
}

function capped(fees: GasFees, maxFeePerGasWei: bigint): GasFees {
  const max = smaller(fees.maxFeePerGasWei, maxFeePerGasWei);
  return { maxFeePerGasWei: max, maxPriorityFeePerGasWei: smaller(fees.maxPriorityFeePerGasWei, max) };
}

export const smaller = (x: bigint, y: bigint) => (x < y ? x : y);
export const larger = (x: bigint, y: bigint) => (x > y ? x : y);
