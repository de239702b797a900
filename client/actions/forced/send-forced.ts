import {
  type ContractEntry,
  type EntryRequest,
  toContractEntry,
} from "@openledger/circuits/ledger/operation";
import { KIND } from "@openledger/circuits/protocol";
import { clientError } from "../../client-errors.ts";
import { effectOf } from "../../l1-proposal.ts";
import { type LedgerClient, requireWallet, rollupContract, tokenContract } from "../../ledger-client.ts";
import { formatOpen } from "../../sequencer/open-amount.ts";
import { approval, approveToken } from "../l1/approve-token.ts";
import { callContract, callTogether, type L1Call } from "../l1/l1-transaction.ts";
import { allowedFeeWei, type QueueErrorCode, type QueueOptions } from "./queue-fee.ts";
import { type QueueResult, readOwnEntry } from "./queue-result.ts";

type ForcedFunction =
  | "forceWithdraw"
  | "forceSetKey"
  | "forceSetOwner"
  | "forceTransfer"
  | "forceClaimRewards"
  | "forceCloseEpoch"
  | "force";

/** Options of every forced operation. */
export interface ForcedOptions extends QueueOptions {
  /**
   * Way in which the rollup gets permission to burn the fee where the allowance is too low. "approve": by a transaction
   * of its own. "batch": in one step with the operation (EIP-5792), for which the wallet chooses the gas. Default:
   * approve.
   */
  permission?: "approve" | "batch";
}
export type ForcedErrorCode = QueueErrorCode | "CLI_WALLET_UNSUPPORTED";

type Values = Readonly<Record<string, string | number | bigint>>;

/** Fields of the queue entry that each function's arguments determine. */
const ENTRIES: Readonly<Record<ForcedFunction, (args: readonly never[]) => Values>> = {
  forceWithdraw: ([a, amountWei, recipient]) => ({
    kind: KIND.forcedWithdraw,
    a: a!,
    amountWei: amountWei!,
    word1: BigInt(recipient!),
  }),
  forceSetKey: ([a, keyX]) => ({ kind: KIND.forcedSetKey, a: a!, word1: keyX! }),
  forceSetOwner: ([a, owner]) => ({ kind: KIND.forcedSetOwner, a: a!, word1: BigInt(owner!) }),
  forceTransfer: ([a, b, amountWei, owner]) => ({
    kind: KIND.forcedTransfer,
    a: a!,
    b: b!,
    amountWei: amountWei!,
    word1: BigInt(owner!),
  }),
  forceClaimRewards: ([a, b]) => ({ kind: KIND.forcedClaimRewards, a: a!, b: b! }),
  forceCloseEpoch: ([b]) => ({ kind: KIND.forcedCloseEpoch, b: b! }),
  force: ([entry]) => {
    // L1 adds its time to an approval's number.
    const { amountWei, kind, a, b, ...words } = entry as unknown as ContractEntry;
    const ids = { kind: Number(kind), a: Number(a), b: Number(b) };
    return { ...ids, ...words, ...(ids.kind === KIND.forcedApproveModel ? {} : { amountWei }) };
  },
};

/**
 * Sends one of the kinds that L1 takes as a whole entry.
 * @throws the errors of `sendForced`
 * @internal
 */
export const sendForcedEntry = (
  client: LedgerClient,
  entry: EntryRequest,
  options: ForcedOptions,
): Promise<QueueResult> => sendForced(client, "force", [toContractEntry(entry)], options);

/**
 * Sends a forced operation, after an approval for its burned fee where the allowance is too low.
 * @throws CLI_NOT_CONFIGURED, CLI_TOKEN_BALANCE_TOO_LOW, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP,
 *   CLI_L1_REVERTED, CLI_L1_REFUSED, CLI_UNREACHABLE
 * @internal
 */
export async function sendForced(
  client: LedgerClient,
  functionName: ForcedFunction,
  args: readonly unknown[],
  options: ForcedOptions,
): Promise<QueueResult> {
  const { address: sender } = requireWallet(client).account;
  const token = tokenContract(client);
  const [feeWei, balanceWei, allowanceWei] = await Promise.all([
    client.l1.readContract({ ...rollupContract(client), functionName: "queueFeeWei" }),
    client.l1.readContract({ ...token, functionName: "balanceOf", args: [sender] }),
    client.l1.readContract({
      ...token,
      functionName: "allowance",
      args: [sender, client.rollupAddress],
    }),
  ]);
  const maxFeeWei = allowedFeeWei(feeWei, options.maxFeeWei);
  // Checked before an approval is paid for.
  if (balanceWei < feeWei) {
    throw clientError(
      "CLI_TOKEN_BALANCE_TOO_LOW",
      `${sender} holds ${formatOpen(balanceWei)} OPEN on L1, a forced operation burns ${formatOpen(feeWei)} there`,
      { data: { address: sender, balanceWei, feeWei } },
    );
  }
  const { address, abi } = rollupContract(client);
  const entry = ENTRIES[functionName](args as readonly never[]);
  const call: L1Call = {
    address,
    abi,
    functionName,
    args: [...args, maxFeeWei],
    effect: effectOf("rollup", "QueueEntryAdded", { ...entry, sender }),
  };
  if (allowanceWei < maxFeeWei) {
    if (options.permission === "batch") {
      const batch = [approval(client, maxFeeWei), call] as const;
      return readOwnEntry(client, await callTogether(client, batch, options), call.effect);
    }
    const { timeoutMs } = options;
    await approveToken(client, { amountWei: maxFeeWei, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  }
  return readOwnEntry(client, await callContract(client, call, options), call.effect);
}
