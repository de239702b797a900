import { KIND } from "@openledger/circuits/protocol";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import type { Address } from "viem";
import { clientError } from "../../client-errors.ts";
import { effectOf } from "../../l1-proposal.ts";
import { type LedgerClient, requireWallet, rollupContract, tokenContract } from "../../ledger-client.ts";
import { formatOpen } from "../../sequencer/open-amount.ts";
import { allowedFeeWei, type QueueErrorCode, type QueueOptions } from "../forced/queue-fee.ts";
import { type QueueResult, readOwnEntry } from "../forced/queue-result.ts";
import { approval, approveToken } from "./approve-token.ts";
import { callContract, callTogether, type L1Call } from "./l1-transaction.ts";
import { type SignedPermit, signPermit } from "./sign-permit.ts";

interface CommonParameters extends QueueOptions {
  /** What arrives in the ledger. The fee is paid besides. */
  amountWei: bigint;
  /**
   * How the rollup gets leave to take the OPEN where the allowance is too low. "permit" needs no transaction of its
   * own, but a wallet that signs typed data with a key of its own; "approve" sends one; "batch" has the wallet approve and
   * deposit in one step, all or none (EIP-5792), and chooses the gas itself. A contract wallet cannot sign a permit, so
   * it has to be told which of the other two. Default: permit.
   */
  permission?: "permit" | "approve" | "batch";
}
export interface DepositNewParameters extends CommonParameters {
  /** Default: the L1 account. */
  l1Owner?: Address;
  /** Default: the client's key; 0 for an account that moves by forced operations only. */
  keyX?: bigint;
}
export interface DepositToParameters extends CommonParameters {
  /** An existing leaf. */
  to: number;
  /** Whose leaf it is: if it is another's by then the deposit is refused; it can be paid out less the base fee. */
  expectedOwner: Address;
}
export type DepositParameters = DepositNewParameters | DepositToParameters;
export type DepositReturnType = QueueResult;

export type DepositErrorCode = QueueErrorCode | "CLI_WALLET_UNSUPPORTED";

/**
 * Brings OPEN into the ledger: into a new account, or to an existing leaf where `to` is given. A new account burns the id
 * fee besides, and so does either where many deposits wait (`depositFeeWei` of the contract).
 * @throws CLI_NOT_CONFIGURED, CLI_TOKEN_BALANCE_TOO_LOW, CLI_QUEUE_FEE_TOO_HIGH, CLI_WALLET_UNSUPPORTED,
 *   CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_PROPOSED, CLI_UNREACHABLE
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
  const { amountWei } = parameters;
  const { address: sender } = requireWallet(client).account;
  const token = tokenContract(client);
  const [feeWei, balanceWei, allowanceWei] = await Promise.all([
    client.l1.readContract({
      ...rollupContract(client),
      functionName: "depositFeeWei",
      args: [!("to" in parameters)],
    }),
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
  const mostWei = amountWei + maxFeeWei;
  const isAllowed = allowanceWei >= mostWei;
  const { permission = "permit" } = parameters;
  if (!isAllowed && permission === "batch") {
    const call = depositCall(client, parameters, maxFeeWei, null);
    const batch = [approval(client, mostWei), call] as const;
    return readOwnEntry(client, await callTogether(client, batch, parameters), call.effect);
  }
  let permit: SignedPermit | null = null;
  if (!isAllowed) {
    const { timeoutMs } = parameters;
    const waiting = timeoutMs === undefined ? {} : { timeoutMs };
    if (permission === "approve") await approveToken(client, { amountWei: mostWei, ...waiting });
    else permit = await signPermit(client, mostWei);
  }
  const call = depositCall(client, parameters, maxFeeWei, permit);
  return readOwnEntry(client, await callContract(client, call, parameters), call.effect);
}

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
      abi: rollupAbi,
      functionName: `depositTo${suffix}`,
      args: [to, amountWei, expectedOwner, maxFeeWei, ...(permit === null ? [] : [permit])],
      effect: entryOf(KIND.depositTo, to, expectedOwner, 0n),
    };
  }
  const l1Owner = parameters.l1Owner ?? sender;
  const keyX = parameters.keyX ?? client.l2Key?.keyX ?? 0n;
  return {
    address,
    abi: rollupAbi,
    functionName: `depositNew${suffix}`,
    args: [amountWei, l1Owner, keyX, maxFeeWei, ...(permit === null ? [] : [permit])],
    effect: entryOf(KIND.depositNew, 0, l1Owner, keyX),
  };
}
