/**
 * Deposits of OPEN from L1 into the ledger, with permission by permit, approval or a wallet's batch. Amounts and fees are in
 * wei. The sequencer credits the leaf once L1 is deep enough.
 */
import { KIND } from "@openledger/circuits/protocol";
import { rollupUserAbi } from "@openledger/contracts/build/rollup-user-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Address } from "viem";
import { clientError } from "../../client-errors.ts";
import { effectOf } from "../../l1-proposal.ts";
import { type LedgerClient, requireWallet, rollupContract, tokenContract } from "../../ledger-client.ts";
import { findLeaves, onlyAccount } from "../../sequencer/ledger-reads.ts";
import { formatOpen } from "../../sequencer/open-amount.ts";
import type { SequencerErrorCode } from "../../sequencer/sequencer-request.ts";
import { waitFor } from "../../sequencer/wait-for.ts";
import { allowedFeeWei, type QueueErrorCode, type QueueOptions } from "../forced/queue-fee.ts";
import { type QueueResult, readOwnEntry } from "../forced/queue-result.ts";
import { approval, approveToken } from "./approve-token.ts";
import { callContract, callTogether, type L1Call } from "./l1-transaction.ts";
import { queuedEntries } from "./queued-entries.ts";
import { type SignedPermit, signPermit } from "./sign-permit.ts";

interface CommonParameters extends QueueOptions {
  /** Amount that arrives in the ledger, in wei. The fee is paid besides. */
  amountWei: bigint;
  /**
   * Way in which the rollup gets permission to take the OPEN where the allowance is too low. "permit" needs no
   * transaction of its own, but a wallet that signs typed data with a key of its own. "approve" sends a transaction.
   * "batch" has the wallet approve and deposit in one step, all or none (EIP-5792), and the wallet chooses the gas. A
   * contract wallet cannot sign a permit, so name one of the other two. Default: permit.
   */
  permission?: "permit" | "approve" | "batch";
}
export interface DepositNewParameters extends CommonParameters {
  /** Owner of the account. Default: the L1 account. */
  l1Owner?: Address;
  /** Key of the account. Default: the client's key; 0 for an account that moves by forced operations only. */
  keyX?: bigint;
  /** True opens an account even where this owner has one with this key, and asks no sequencer. */
  isNew?: boolean;
}
export interface DepositToParameters extends CommonParameters {
  /** Existing leaf that gets the OPEN. */
  to: number;
  /**
   * Owner of that leaf. If the leaf belongs to another address by then, the deposit is refused; it can be paid out less
   * the base fee.
   */
  expectedOwner: Address;
}
export type DepositParameters = DepositNewParameters | DepositToParameters;
export interface DepositReturnType extends QueueResult {
  /** The leaf that gets the OPEN; null for an account that the next batch opens. */
  to: number | null;
}

export type DepositErrorCode =
  | QueueErrorCode
  | SequencerErrorCode
  | "CLI_INPUT_INVALID"
  | "CLI_L1_LOGS_INCOMPLETE"
  | "CLI_WAIT_ENDED"
  | "CLI_WALLET_UNSUPPORTED";

/**
 * Deposits of a client that look for its account run one after the other: the second sees the first one's queue entry.
 */
const turns = new WeakMap<LedgerClient, Promise<unknown>>();

/**
 * Brings OPEN into the ledger: to the leaf `to`; without it into the owner's account with this key, which the first
 * deposit opens. The sequencer names that account; a client without a sequencer passes `to` or `isNew`. While an earlier
 * deposit that opens the account waits in L1's queue, this one waits for it. Opening an account burns the id fee besides
 * the amount. Any deposit burns a fee where many deposits wait (`depositFeeWei` of the contract).
 * @throws CLI_NOT_CONFIGURED, CLI_INPUT_INVALID where the owner has several such accounts, CLI_TOKEN_BALANCE_TOO_LOW,
 *   CLI_QUEUE_FEE_TOO_HIGH, CLI_WALLET_UNSUPPORTED, CLI_WAIT_ENDED, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_PROPOSED,
 *   CLI_L1_LOGS_INCOMPLETE, CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * try {
 *   const { queueIndex } = await deposit(client, { amountWei: parseOpen("10") });
 *   await waitFor(client, { queueIndex }, "acknowledged");
 * } catch (error) {
 *   if (!isClientError(error, "CLI_TOKEN_BALANCE_TOO_LOW")) throw error;
 *   console.log(`the wallet holds only ${formatOpen(error.data.balanceWei)} OPEN`);
 * }
 * ```
 */
export async function deposit(
  client: LedgerClient,
  parameters: DepositParameters,
): Promise<DepositReturnType> {
  if ("to" in parameters || parameters.isNew === true) return sendDeposit(client, parameters);
  const last = turns.get(client)?.catch(() => {});
  const turn = Promise.resolve(last).then(async () =>
    sendDeposit(client, await intoOwnAccount(client, parameters)),
  );
  turns.set(client, turn);
  return turn;
}

/** Directs the deposit to the account of this owner and key, where there is one or an earlier deposit opens it. */
async function intoOwnAccount(
  client: LedgerClient,
  parameters: DepositNewParameters,
): Promise<DepositParameters> {
  const { keyX, l1Owner: owner } = withDefaults(client, parameters);
  const find = async () => {
    const leaves = await findLeaves(client, { owner });
    return onlyAccount(
      client,
      leaves.filter((leaf) => leaf.keyX === keyX),
    );
  };
  let account = await find();
  if (account === null) {
    for (const queueIndex of await queuedOpenings(client, owner, keyX))
      await waitFor(client, { queueIndex }, "acknowledged").catch((error: unknown) => {
        if (!isRollupError(error, "CLI_QUEUE_ENTRY_INVALID")) throw error;
      });
    account = await find();
  }
  return account === null ? parameters : { ...parameters, to: account.id, expectedOwner: owner };
}

/** Deposits of this wallet into new accounts of the owner and key that L1 has and no posted batch has taken. */
async function queuedOpenings(client: LedgerClient, owner: Address, keyX: bigint): Promise<number[]> {
  const { address: sender } = requireWallet(client).account;
  const queued = await queuedEntries(client, sender);
  return queued
    .filter(({ kind, word1, word2 }) => kind === KIND.depositNew && word1 === BigInt(owner) && word2 === keyX)
    .map(({ queueIndex }) => queueIndex);
}

async function sendDeposit(client: LedgerClient, parameters: DepositParameters): Promise<DepositReturnType> {
  const { amountWei } = parameters;
  const to = "to" in parameters ? parameters.to : null;
  const { address: sender } = requireWallet(client).account;
  const token = tokenContract(client);
  const [feeWei, balanceWei, allowanceWei] = await Promise.all([
    client.l1.readContract({ ...rollupContract(client), functionName: "depositFeeWei", args: [to === null] }),
    client.l1.readContract({ ...token, functionName: "balanceOf", args: [sender] }),
    client.l1.readContract({ ...token, functionName: "allowance", args: [sender, client.rollupAddress] }),
  ]);
  const maxFeeWei = allowedFeeWei(feeWei, parameters.maxFeeWei);
  if (balanceWei < amountWei + feeWei) {
    throw clientError(
      "CLI_TOKEN_BALANCE_TOO_LOW",
      `${sender} holds ${formatOpen(balanceWei)} OPEN on L1, the deposit needs ${formatOpen(amountWei)} and a fee of ${formatOpen(feeWei)}`,
      { data: { address: sender, balanceWei, amountWei, feeWei } },
    );
  }
  const maxWei = amountWei + maxFeeWei;
  const isAllowed = allowanceWei >= maxWei;
  const { permission = "permit" } = parameters;
  if (!isAllowed && permission === "batch") {
    const call = depositCall(client, parameters, maxFeeWei, null);
    const batch = [approval(client, maxWei), call] as const;
    return { ...readOwnEntry(client, await callTogether(client, batch, parameters), call.effect), to };
  }
  let permit: SignedPermit | null = null;
  if (!isAllowed) {
    const { timeoutMs } = parameters;
    const waiting = timeoutMs === undefined ? {} : { timeoutMs };
    if (permission === "approve") await approveToken(client, { amountWei: maxWei, ...waiting });
    else permit = await signPermit(client, maxWei);
  }
  const call = depositCall(client, parameters, maxFeeWei, permit);
  return { ...readOwnEntry(client, await callContract(client, call, parameters), call.effect), to };
}

const withDefaults = (client: LedgerClient, { keyX, l1Owner }: DepositNewParameters) => ({
  l1Owner: l1Owner ?? requireWallet(client).account.address,
  keyX: keyX ?? client.l2Key?.keyX ?? 0n,
});

function depositCall(
  client: LedgerClient,
  parameters: DepositParameters,
  maxFeeWei: bigint,
  permit: SignedPermit | null,
): L1Call {
  const { amountWei } = parameters;
  const { address: sender } = requireWallet(client).account;
  const { rollupAddress: address } = client;
  const suffix = permit === null ? "" : "WithPermit";
  const entryOf = (kind: number, b: number, l1Owner: Address, keyX: bigint) =>
    effectOf("rollup", "QueueEntryAdded", {
      kind,
      a: 0,
      b,
      amountWei,
      word1: BigInt(l1Owner),
      word2: keyX,
      sender,
    });
  if ("to" in parameters) {
    const { to, expectedOwner } = parameters;
    return {
      address,
      abi: rollupUserAbi,
      functionName: `depositTo${suffix}`,
      args: [to, amountWei, expectedOwner, maxFeeWei, ...(permit === null ? [] : [permit])],
      effect: entryOf(KIND.depositTo, to, expectedOwner, 0n),
    };
  }
  const { keyX, l1Owner } = withDefaults(client, parameters);
  return {
    address,
    abi: rollupUserAbi,
    functionName: `depositNew${suffix}`,
    args: [amountWei, l1Owner, keyX, maxFeeWei, ...(permit === null ? [] : [permit])],
    effect: entryOf(KIND.depositNew, 0, l1Owner, keyX),
  };
}
