/**
 * Outcome of an L1 transaction: its receipt as a result (gas and wei), or viem's and the wallet's errors as this library's.
 * Every verb of client/actions/l1/ and forced/ ends here.
 */
import { gasCostWei } from "@openledger/contracts/l1/capped-transaction";
import { isNodeRefusal } from "@openledger/contracts/l1/node-refusal";
import {
  BaseError,
  ContractFunctionRevertedError,
  type Hex,
  InsufficientFundsError,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
} from "viem";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { walletError } from "../../wallet.ts";

export interface L1Result {
  transactionHash: Hex;
  blockNumber: number;
  gasUsed: number;
  /** Ether that the transaction cost its sender, in wei, by its receipt. */
  gasCostWei: bigint;
  receipt: TransactionReceipt;
}

/**
 * @throws CLI_L1_REVERTED
 * @internal
 */
export function readL1Result(receipt: TransactionReceipt): L1Result {
  const hash = receipt.transactionHash;
  if (receipt.status !== "success")
    throw clientError("CLI_L1_REVERTED", `transaction ${hash} was reverted`, { data: { hash } });
  return {
    transactionHash: hash,
    blockNumber: Number(receipt.blockNumber),
    gasUsed: Number(receipt.gasUsed),
    gasCostWei: gasCostWei(receipt),
    receipt,
  };
}

/**
 * Receipt of a transaction; null where the node has none yet.
 * @internal
 */
export async function findReceipt(client: LedgerClient, hash: Hex): Promise<TransactionReceipt | null> {
  try {
    return await client.l1.getTransactionReceipt({ hash });
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError) return null;
    throw error;
  }
}

/** The node's own text, which viem puts behind its own for the code. */
const answerOf = ({ details, shortMessage }: BaseError) => details || shortMessage;

/**
 * Converts viem's errors to this library's.
 * @internal
 */
export function l1Error(cause: unknown, what: string): Error {
  const byWallet = walletError(cause);
  if (byWallet !== null) return byWallet;
  if (!(cause instanceof BaseError)) return cause as Error;
  const revert = cause.walk((error) => error instanceof ContractFunctionRevertedError);
  if (revert instanceof ContractFunctionRevertedError) {
    const name = revert.data?.errorName ?? revert.reason ?? "no reason";
    return clientError(
      "CLI_L1_REVERTED",
      `${what} is refused: ${name}(${(revert.data?.args ?? []).join(", ")})`,
      {
        data: { error: name, args: (revert.data?.args ?? []).map(String) },
        cause,
      },
    );
  }
  if (cause.walk((error) => error instanceof InsufficientFundsError) !== null)
    return clientError("CLI_ETHER_TOO_LOW", `${what} was not sent: ${cause.shortMessage}`, {
      data: { server: "L1" },
      cause,
    });
  if (isNodeRefusal(cause))
    return clientError("CLI_L1_REFUSED", `the Ethereum node refuses ${what}: ${answerOf(cause)}`, {
      data: { server: "L1" },
      cause,
    });
  return clientError("CLI_UNREACHABLE", `${what} did not go through: ${cause.shortMessage}`, {
    data: { server: "L1" },
    cause,
  });
}
