/**
 * Calls of L1's contracts: simulate, cap the fees, sign by a local key or a wallet, send, wait for the receipt. Contract wallets
 * get a proposal instead. deposit, approve, finalize and force call it. Fees are in wei, times in milliseconds.
 */
import { awaitReceipt } from "@openledger/contracts/l1/await-receipt";
import { cappedTransaction } from "@openledger/contracts/l1/capped-transaction";
import { type Abi, type Address, encodeFunctionData, type Hex, keccak256 } from "viem";
import { sendCalls } from "viem/actions";
import { clientError } from "../../client-errors.ts";
import { isContractWallet } from "../../contract-wallet.ts";
import type { L1Effect, L1Proposal } from "../../l1-proposal.ts";
import { type LedgerClient, requireWallet } from "../../ledger-client.ts";
import { walletErrorCodes } from "../../wallet-error-codes.ts";
import { awaitProposal } from "./await-proposal.ts";
import { findReceipt, type L1Result, l1Error, readL1Result } from "./l1-result.ts";

/** A signed L1 transaction: it may be sent any number of times, and is executed once. */
export interface SignedTransaction {
  readonly hash: Hex;
  readonly raw: Hex;
}

/** Error codes of every L1 verb. */
export type L1ErrorCode =
  | "CLI_ETHER_TOO_LOW"
  | "CLI_NOT_CONFIGURED"
  | "CLI_WALLET_REJECTED"
  | "CLI_WALLET_WRONG_CHAIN"
  | "CLI_L1_CANCELLED"
  | "CLI_L1_PROPOSED"
  | "CLI_L1_REFUSED"
  | "CLI_L1_REVERTED"
  | "CLI_UNREACHABLE"
  | "CON_L1_COST_ABOVE_CAP";

/** Options of every L1 verb beside its own fields. */
export interface L1Options {
  /** Nonce of the account. Default: the next one, counting the transactions in the node's pool. */
  nonce?: number;
  /** Called with the signed transaction before it is sent, so that a caller can make it durable. */
  onSigned?: (signed: SignedTransaction) => void | Promise<void>;
  /**
   * Called with the hash as soon as there is one. A wallet signs and sends in one step, so there is nothing to store
   * before, and `onSigned` is not called.
   */
  onSent?: (hash: Hex) => void | Promise<void>;
  /**
   * Called instead of `onSent` by a contract wallet, whose owners have yet to sign. Store the proposal: after a restart
   * `awaitProposal` goes on waiting for it.
   */
  onProposed?: (proposal: L1Proposal) => void | Promise<void>;
  /** Milliseconds to wait for the transaction. Default: three minutes; ten for a contract wallet. */
  timeoutMs?: number;
}

/** Time to wait for a transaction: some 15 slots of Ethereum. */
const TRANSACTION_MS = 180_000;

export interface L1Call {
  readonly address: Address;
  readonly abi: Abi;
  readonly functionName: string;
  readonly args: readonly unknown[];
  /** Event by which a contract wallet's transaction is found. */
  readonly effect: L1Effect;
  /** Gas that others' actions can add before it is mined. Default: none. */
  readonly addedGas?: bigint;
  /** Ether that the call carries, in wei. Default: none. */
  readonly valueWei?: bigint;
}

/**
 * Simulates the call, requires that its fees are within the client's cap, then signs, sends and waits for the receipt.
 * The owner who executes a contract wallet's call pays the gas, so no cap holds there: the wallet gets the call alone.
 * @throws CLI_NOT_CONFIGURED, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED with the contract error's name,
 *   CLI_L1_REFUSED, CLI_UNREACHABLE
 * @internal
 */
export async function callContract(
  client: LedgerClient,
  call: L1Call,
  options: L1Options = {},
): Promise<L1Result> {
  const wallet = requireWallet(client);
  try {
    const value = call.valueWei === undefined ? {} : { value: call.valueWei };
    await client.l1.simulateContract({ ...call, ...value, account: wallet.account });
    if (await isContractWallet(client)) {
      const request = { to: call.address, data: encodeFunctionData(call), ...value };
      return await propose(client, call.effect, options, () => wallet.sendTransaction(request));
    }
    const transaction = await cappedTransaction(
      client.l1,
      {
        from: wallet.account.address,
        to: call.address,
        data: encodeFunctionData(call),
        nonce: options.nonce,
        addedGas: call.addedGas,
        valueWei: call.valueWei,
      },
      client.spendingCap,
    );
    if (wallet.account.type !== "local") {
      const { nonce: _, ...unnumbered } = transaction;
      const hash = await wallet.sendTransaction(
        options.nonce === undefined ? unnumbered : { ...unnumbered, nonce: options.nonce },
      );
      await options.onSent?.(hash);
      return await awaitTransaction(client, hash, options.timeoutMs);
    }
    const raw = await wallet.signTransaction(transaction);
    const signed = { hash: keccak256(raw), raw };
    await options.onSigned?.(signed);
    await options.onSent?.(signed.hash);
    return await sendTransaction(client, signed, options);
  } catch (cause) {
    throw l1Error(cause, call.functionName);
  }
}

/**
 * Has the wallet execute several calls as one, all or none (EIP-5792), and waits for the effect of the last. The wallet
 * simulates them and chooses the gas: the later ones cannot be simulated here before the earlier ones are mined.
 * @throws CLI_NOT_CONFIGURED, CLI_WALLET_UNSUPPORTED, CLI_WALLET_REJECTED, CLI_L1_REVERTED, CLI_L1_PROPOSED,
 *   CLI_L1_REFUSED, CLI_UNREACHABLE
 * @internal
 */
export async function callTogether(
  client: LedgerClient,
  calls: readonly [...L1Call[], L1Call],
  options: L1Options = {},
): Promise<L1Result> {
  const wallet = requireWallet(client);
  const { address } = wallet.account;
  const noBatch = (cause?: unknown) =>
    clientError("CLI_WALLET_UNSUPPORTED", `${address} does not take several calls as one`, {
      data: { reason: "no-batch" },
      cause,
    });
  if (wallet.account.type === "local") throw noBatch();
  const last = calls.at(-1)!;
  const batch = calls.map((call) => ({ to: call.address, data: encodeFunctionData(call) }));
  const send = async () => {
    // viem asks for the network only before a single transaction.
    if ((await wallet.getChainId()) !== client.chain.id) {
      throw clientError("CLI_WALLET_WRONG_CHAIN", `the wallet is not on chain ${client.chain.id}`, {
        data: { chainId: client.chain.id },
      });
    }
    try {
      const { id } = await sendCalls(wallet, { calls: batch, forceAtomic: true });
      return id as Hex;
    } catch (cause) {
      throw isNoBatch(cause) ? noBatch(cause) : cause;
    }
  };
  try {
    return await propose(client, last.effect, options, send);
  } catch (cause) {
    throw l1Error(cause, last.functionName);
  }
}

/**
 * Codes for no such method, no atomic calls, or no upgrade to an account that has them (EIP-5792). A refusal by the owner
 * is none of them.
 */
const NO_BATCH = [-32601, -32004, 4200, 5700, 5740, 5750, 5760] as const;

function isNoBatch(cause: unknown): boolean {
  const codes = walletErrorCodes(cause);
  return NO_BATCH.some((code) => codes.has(code));
}

/** @param send asks the wallet, and returns the wallet's name for the proposal */
async function propose(
  client: LedgerClient,
  effect: L1Effect,
  { onProposed, timeoutMs }: L1Options,
  send: () => Promise<Hex>,
): Promise<L1Result> {
  const block = await client.l1.getBlockNumber({ cacheTime: 0 });
  const account = requireWallet(client).account.address;
  const hash = await send();
  const isTransaction = await client.l1.getTransaction({ hash }).then(
    () => true,
    () => false,
  );
  const proposal = { account, hash, isTransaction, fromBlock: Number(block) + 1, effect };
  await onProposed?.(proposal);
  return awaitProposal(client, proposal, timeoutMs === undefined ? {} : { timeoutMs });
}

export type SendTransactionErrorCode =
  | "CLI_ETHER_TOO_LOW"
  | "CLI_L1_REFUSED"
  | "CLI_L1_REVERTED"
  | "CLI_UNREACHABLE";

/**
 * Sends a signed transaction, again if need be, and waits for its receipt.
 * @throws CLI_ETHER_TOO_LOW, CLI_L1_REVERTED, CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * // `onSigned` stores the transaction, so that a restart sends it again instead of signing again.
 * const stored: SignedTransaction[] = [];
 * await finalizeWithdrawal(client, { onSigned: (signed) => void stored.push(signed) });
 * for (const signed of stored) await sendTransaction(client, signed);
 * ```
 */
export async function sendTransaction(
  client: LedgerClient,
  signed: SignedTransaction,
  options: { timeoutMs?: number } = {},
): Promise<L1Result> {
  try {
    if ((await findReceipt(client, signed.hash)) === null) await broadcast(client, signed);
  } catch (cause) {
    throw l1Error(cause, "the transaction");
  }
  return awaitTransaction(client, signed.hash, options.timeoutMs);
}

/**
 * Waits for a transaction that was sent already, now or before the program ended. One that the wallet has replaced at a
 * higher fee returns under its new hash.
 * @throws CLI_L1_REVERTED, CLI_L1_CANCELLED, CLI_L1_REFUSED, CLI_UNREACHABLE
 */
async function awaitTransaction(
  client: LedgerClient,
  hash: Hex,
  timeoutMs = TRANSACTION_MS,
): Promise<L1Result> {
  let isCancelled = false;
  try {
    const receipt =
      (await findReceipt(client, hash)) ??
      (await awaitReceipt(client.l1, {
        hash,
        timeout: timeoutMs,
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
    return readL1Result(receipt);
  } catch (cause) {
    throw l1Error(cause, "the transaction");
  }
}

async function broadcast({ l1 }: LedgerClient, { hash, raw }: SignedTransaction): Promise<void> {
  try {
    await l1.sendRawTransaction({ serializedTransaction: raw });
  } catch (error) {
    // A node that has the transaction already, or has mined it and seen it revert, refuses with a text of its own: its
    // receipt decides.
    const isThere = await l1.getTransaction({ hash }).then(
      () => true,
      () => false,
    );
    if (!isThere && !/already (known|imported)|already in/i.test(String(error))) throw error;
  }
}
