/** EIP-1559 fees of L1 transactions: pure arithmetic, so that tests need no node. */

// EIP-7825: no transaction may have more.
export const MAX_TRANSACTION_GAS = 2n ** 24n;

/** Most gwei for a unit of gas, where nobody says otherwise: the bridge's L1_MAX_FEE_GWEI, and everybody else's. */
export const DEFAULT_MAX_FEE_GWEI = 200;

export interface GasFees {
  readonly maxFeePerGasWei: bigint;
  readonly maxPriorityFeePerGasWei: bigint;
}

export interface FeeMarket {
  readonly baseFeePerGasWei: bigint;
  /** What the node suggests as a tip. */
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

/** A gas limit with a fifth more than the estimate, for what changes before it is mined; what is not used is not paid. */
export function paddedGas(gasEstimate: bigint): bigint {
  return smaller((gasEstimate * 6n) / 5n, MAX_TRANSACTION_GAS);
}

/**
 * Fees of a replacement. Nodes take one only if both fees rise by 10 % or more (geth), 12.5 % with others; we raise
 * by 12.5 %, rounded up, and to what the market asks now.
 * @returns null where the cap leaves no room for a replacement
 */
export function replacementFees(last: GasFees, market: FeeMarket, maxFeePerGasWei: bigint): GasFees | null {
  const asked = initialFees(market, maxFeePerGasWei);
  const raised = {
    maxFeePerGasWei: larger(raise(last.maxFeePerGasWei), asked.maxFeePerGasWei),
    maxPriorityFeePerGasWei: larger(raise(last.maxPriorityFeePerGasWei), asked.maxPriorityFeePerGasWei),
  };
  return raised.maxFeePerGasWei > maxFeePerGasWei ? null : raised;
}

/** At least one wei more, so that a tip of 0 rises too. */
function raise(feeWei: bigint): bigint {
  const raised = (feeWei * 9n + 7n) / 8n;
  return raised > feeWei ? raised : feeWei + 1n;
}

function capped(fees: GasFees, maxFeePerGasWei: bigint): GasFees {
  const max = smaller(fees.maxFeePerGasWei, maxFeePerGasWei);
  return { maxFeePerGasWei: max, maxPriorityFeePerGasWei: smaller(fees.maxPriorityFeePerGasWei, max) };
}

export const smaller = (x: bigint, y: bigint) => (x < y ? x : y);
const larger = (x: bigint, y: bigint) => (x > y ? x : y);
