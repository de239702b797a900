import {
  type Abi,
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  encodeFunctionData,
  type Hex,
  keccak256,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
} from "viem";
import { cappedTransaction, gasCostWei } from "../../../contracts/l1/capped-transaction.ts";
import { clientError } from "../../client-errors.ts";
import { type LedgerClient, requireWallet } from "../../ledger-client.ts";
import { walletError } from "../../wallet.ts";

/** A signed L1 transaction: it may be sent any number of times, and is executed once. */
export interface SignedTransaction {
  readonly hash: Hex;
  readonly raw: Hex;
}

/** What every L1 verb takes beside its own fields. */
export interface L1Options {
  /** Default: the account's next one, counting what the node holds already. */
  nonce?: number;
  /** Called with the signed transaction before it is sent, so that a caller can make it durable. */
  onSigned?: (signed: SignedTransaction) => void | Promise<void>;
  /**
   * Called with the hash as soon as there is one. A wallet signs and sends in one step, so there is nothing to make
   * durable before, and `onSigned` is not called.
   */
  onSent?: (hash: Hex) => void | Promise<void>;
}

export interface L1Result {
  transactionHash: Hex;
  blockNumber: number;
  gasUsed: number;
  /** Ether that the transaction has cost, by its receipt. */
  gasCostWei: bigint;
  receipt: TransactionReceipt;
}

export interface L1Call {
  readonly address: Address;
  readonly abi: Abi;
  readonly functionName: string;
  readonly args: readonly unknown[];
}

/**
 * Tries the call first, holds what the node asks for it to the client's cap, then signs, sends and waits for the receipt.
 * @throws CLI_NO_L1_ACCOUNT, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED with the contract error's name, CLI_L1_UNREACHABLE
 */
export async function callContract(
  client: LedgerClient,
  call: L1Call,
  options: L1Options = {},
): Promise<L1Result> {
  const wallet = requireWallet(client);
  try {
    await client.l1.simulateContract({ ...call, account: wallet.account });
    const transaction = await cappedTransaction(
      client.l1,
      {
        from: wallet.account.address,
        to: call.address,
        data: encodeFunctionData(call),
        nonce: options.nonce,
      },
      client.spendingCap,
    );
    if (wallet.account.type !== "local") {
      const { nonce: _, ...unnumbered } = transaction;
      const hash = await wallet.sendTransaction(
        options.nonce === undefined ? unnumbered : { ...unnumbered, nonce: options.nonce },
      );
      await options.onSent?.(hash);
      return await awaitTransaction(client, hash);
    }
    const raw = await wallet.signTransaction(transaction);
    const signed = { hash: keccak256(raw), raw };
    await options.onSigned?.(signed);
    await options.onSent?.(signed.hash);
    return await sendTransaction(client, signed);
  } catch (cause) {
    throw l1Error(cause, call.functionName);
  }
}

/**
 * Sends a signed transaction, again if need be, and waits for its receipt.
 * @throws CLI_L1_REVERTED, CLI_L1_UNREACHABLE
 */
export async function sendTransaction(client: LedgerClient, signed: SignedTransaction): Promise<L1Result> {
  try {
    if ((await findReceipt(client, signed.hash)) === null) await broadcast(client, signed.raw);
  } catch (cause) {
    throw l1Error(cause, "the transaction");
  }
  return awaitTransaction(client, signed.hash);
}

/**
 * Waits for a transaction that was sent already, now or before the program ended. One that the wallet has sped up since
 * comes back under its new hash.
 * @throws CLI_L1_REVERTED, CLI_L1_CANCELLED, CLI_L1_UNREACHABLE
 */
async function awaitTransaction(client: LedgerClient, hash: Hex): Promise<L1Result> {
  let isCancelled = false;
  try {
    const receipt =
      (await findReceipt(client, hash)) ??
      (await client.l1.waitForTransactionReceipt({
        hash,
        timeout: 180_000,
        retryCount: 30,
        onReplaced: ({ reason }) => {
          isCancelled = reason !== "repriced";
        },
      }));
    if (isCancelled) {
      throw clientError(
        "CLI_L1_CANCELLED",
        `transaction ${hash} was replaced by ${receipt.transactionHash}`,
        {
          data: { hash, replacedBy: receipt.transactionHash },
        },
      );
    }
    if (receipt.status !== "success")
      throw clientError("CLI_L1_REVERTED", `transaction ${hash} was reverted`, { data: { hash } });
    return {
      transactionHash: receipt.transactionHash,
      blockNumber: Number(receipt.blockNumber),
      gasUsed: Number(receipt.gasUsed),
      gasCostWei: gasCostWei(receipt),
      receipt,
    };
  } catch (cause) {
    throw l1Error(cause, "the transaction");
  }
}

async function findReceipt(client: LedgerClient, hash: Hex): Promise<TransactionReceipt | null> {
  try {
    return await client.l1.getTransactionReceipt({ hash });
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError) return null;
    throw error;
  }
}

async function broadcast(client: LedgerClient, raw: Hex): Promise<void> {
  try {
    await client.l1.sendRawTransaction({ serializedTransaction: raw });
  } catch (error) {
    // A node that has the transaction already says so in this way; its receipt will come.
    if (!/already (known|imported)|already in/i.test(String(error))) throw error;
  }
}

function l1Error(cause: unknown, what: string): Error {
  if (!(cause instanceof BaseError)) return cause as Error;
  const byWallet = walletError(cause);
  if (byWallet !== null) return byWallet;
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
  return clientError("CLI_L1_UNREACHABLE", `${what} did not go through: ${cause.shortMessage}`, { cause });
}
