/**
 * Transaction that a user's key signs for L1. The Ethereum node names base fee, tip and gas, and may lie: all
 * three are held to caps here before anything is signed, for the client library and the commands alike.
 * Attack: a tip is paid whatever the base fee is, and the block's builder keeps it. A node that names 50,000
 * gwei takes 5 ETH for a forced withdrawal. A false base fee costs nothing by itself, since the chain takes
 * its own.
 */

import { type Address, type Chain, type Client, formatGwei, type Hex, parseGwei } from "viem";
import {
  estimateGas,
  estimateMaxPriorityFeePerGas,
  getBlock,
  getChainId,
  getTransactionCount,
} from "viem/actions";
import { contractError } from "../contract-errors.ts";
import { DEVNET_CHAIN_ID } from "./devnet-chain.ts";
import {
  DEFAULT_MAX_FEE_GWEI,
  type FeeMarket,
  type GasFees,
  initialFees,
  MAX_TRANSACTION_GAS,
  paddedGas,
  worstCaseGas,
} from "./fee-policy.ts";

/** Maximum price of a unit of gas, in wei: in all, and as a tip. */
export interface SpendingCap {
  readonly maxFeePerGasWei: bigint;
  readonly maxPriorityFeePerGasWei: bigint;
}

/**
 * Ordinary tips are below 3 gwei, mostly far below. Ten still gets a transaction in on a busy day, and what a liar can take
 * with it is 0.001 ETH for a forced operation's 100,000 gas, 0.17 ETH for the largest transaction there is.
 */
export const DEFAULT_MAX_PRIORITY_FEE_GWEI = 10;

export const DEFAULT_SPENDING_CAP: SpendingCap = {
  maxFeePerGasWei: parseGwei(DEFAULT_MAX_FEE_GWEI.toString()),
  maxPriorityFeePerGasWei: parseGwei(DEFAULT_MAX_PRIORITY_FEE_GWEI.toString()),
};

export interface TransactionCall {
  readonly from: Address;
  readonly to: Address;
  readonly data: Hex;
  /** Nonce of the transaction. Default: the account's next one, after the node's pending ones. */
  readonly nonce?: number | undefined;
  /**
   * Payments that the call credits on L1. Strangers can make each dearer before it is mined
   * (`CONTENDED_CREDIT_GAS`).
   */
  readonly creditCount?: number | undefined;
  /** Further gas that others can add before the call is mined. Default: none. */
  readonly addedGas?: bigint | undefined;
  /** Ether that the call carries, in wei. Its caller sets it, never the node. Default: none. */
  readonly valueWei?: bigint | undefined;
}

/** Complete transaction, ready to be signed. It sends no ether but the caller's `valueWei`. */
export interface CappedTransaction {
  readonly type: "eip1559";
  readonly chainId: number;
  readonly nonce: number;
  readonly to: Address;
  readonly data: Hex;
  readonly value?: bigint;
  readonly gas: bigint;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/**
 * @throws CON_L1_COST_ABOVE_CAP with data.what "tip", "fee" or "gas", data.asked and data.cap (wei a unit of gas, or gas);
 * viem's errors where the node does not answer or refuses the call
 */
export async function cappedTransaction(
  client: Client,
  { addedGas = 0n, creditCount = 0, data, from, nonce, to, valueWei }: TransactionCall,
  cap: SpendingCap,
): Promise<CappedTransaction> {
  const value = valueWei === undefined ? {} : { value: valueWei };
  const { chain } = client as { chain?: Chain };
  const [{ fees }, gasEstimate, chainId, nextNonce] = await Promise.all([
    cappedFees(client, cap),
    estimateGas(client, { account: from, to, data, ...value }),
    chain?.id ?? getChainId(client),
    nonce ?? getTransactionCount(client, { address: from, blockTag: "pending" }),
  ]);
  requireBelow("gas", gasEstimate, MAX_TRANSACTION_GAS);
  return {
    type: "eip1559",
    chainId,
    nonce: nextNonce,
    to,
    data,
    ...value,
    gas: paddedGas(worstCaseGas(gasEstimate, creditCount) + addedGas),
    maxFeePerGas: fees.maxFeePerGasWei,
    maxPriorityFeePerGas: fees.maxPriorityFeePerGasWei,
  };
}

/**
 * Reads the node's price of a unit of gas, checks it against the caps, and computes the fees of a first
 * attempt.
 * @throws CON_L1_COST_ABOVE_CAP with data.what "tip" or "fee"
 */
export async function cappedFees(
  client: Client,
  cap: SpendingCap,
): Promise<{ readonly fees: GasFees; readonly market: FeeMarket }> {
  const [block, tipWei] = await Promise.all([getBlock(client), estimateMaxPriorityFeePerGas(client)]);
  const market = { baseFeePerGasWei: block.baseFeePerGas ?? 0n, priorityFeePerGasWei: tipWei };
  requireBelow("tip", tipWei, cap.maxPriorityFeePerGasWei);
  requireBelow("fee", market.baseFeePerGasWei + tipWei, cap.maxFeePerGasWei);
  return { fees: initialFees(market, cap.maxFeePerGasWei), market };
}

const gwei = (wei: bigint) => `${formatGwei(wei)} gwei`;

/** Texts of a price above its cap. The flags are those of the command line. */
const PRICE_TEXTS = {
  tip: (question: bigint, cap: bigint) =>
    `a tip of ${gwei(question)} a unit of gas, above ${gwei(cap)} (--max-priority-fee-gwei)`,
  fee: (question: bigint, cap: bigint) =>
    `${gwei(question)} a unit of gas, tip included, above ${gwei(cap)} (--max-fee-gwei)`,
  gas: (question: bigint, cap: bigint) =>
    `${question} units of gas, above the ${cap} that a transaction may have`,
} as const;

function requireBelow(what: keyof typeof PRICE_TEXTS, asked: bigint, cap: bigint): void {
  if (asked <= cap) return;
  throw contractError(
    "CON_L1_COST_ABOVE_CAP",
    `nothing is signed: the Ethereum node asks for ${PRICE_TEXTS[what](asked, cap)}`,
    { data: { what, asked, cap } },
  );
}

/** Cost of a mined transaction in wei of ether, by its receipt. */
export const gasCostWei = (receipt: {
  readonly gasUsed: bigint;
  readonly effectiveGasPrice: bigint;
}): bigint => receipt.gasUsed * receipt.effectiveGasPrice;

/**
 * Interval between requests for a receipt: a third of a block, which takes a second on a development chain
 * and twelve elsewhere.
 */
export const receiptPollMs = (chainId: number): number => (chainId === DEVNET_CHAIN_ID ? 300 : 4_000);
