/**
 * Forced inclusion: sends an operation to L1's queue, for an owner whom the sequencer does not serve. The owner's L1 account
 * signs; the fee is OPEN in wei and is burned.
 */
import { type EntryRequest, toContractEntry } from "@openledger/circuits/ledger/operation";
import { PAYEE_ROLE } from "@openledger/circuits/ledger/rewards";
import { KIND } from "@openledger/circuits/protocol";
import type { Address } from "viem";
import { clientError } from "../../client-errors.ts";
import { effectOf, type L1Effect } from "../../l1-proposal.ts";
import { type LedgerClient, requireWallet, rollupContract, tokenContract } from "../../ledger-client.ts";
import { formatOpen } from "../../sequencer/open-amount.ts";
import { approval, approveToken } from "../l1/approve-token.ts";
import { callContract, callTogether, type L1Call } from "../l1/l1-transaction.ts";
import { refuseRollup } from "../l1/refuse-rollup.ts";
import { type ForceableOperation, forcedEntry } from "./forced-operation.ts";
import { allowedFeeWei, type QueueErrorCode, type QueueOptions } from "./queue-fee.ts";
import { type QueueResult, readOwnEntry } from "./queue-result.ts";

interface ForceOptions extends QueueOptions {
  /**
   * Approval of the fee that the rollup burns, where the allowance is too low: by a transaction of its own, or in one step
   * with the operation (EIP-5792), for which the wallet chooses the gas. Default: approve.
   */
  permission?: "approve" | "batch";
}
export type ForceParameters = ForceableOperation & ForceOptions;
export type ForceReturnType = QueueResult;

export type ForceErrorCode = QueueErrorCode | "CLI_INPUT_INVALID" | "CLI_WALLET_UNSUPPORTED";

/**
 * Puts an operation into L1's queue, which no sequencer can leave out. The operation's `type` says what it does; its other
 * fields are that type's. Burns the queue's fee, also where the entry has no effect when it is executed.
 * @throws CLI_NOT_CONFIGURED, CLI_TOKEN_BALANCE_TOO_LOW, CLI_QUEUE_FEE_TOO_HIGH, CLI_INPUT_INVALID,
 *   CLI_WALLET_UNSUPPORTED, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const maxFeeWei = parseOpen("8");
 * const { queueIndex } = await force(client, { type: "withdraw", id: 7, amountWei: "all", maxFeeWei });
 * await waitFor(client, { withdrawal: { queueIndex } }, "final");
 *
 * const { l1Owner: expectedOwner } = await getLeaf(client, 9);
 * await force(client, { type: "transfer", id: 7, to: 9, amountWei: parseOpen("4"), expectedOwner });
 * const { keyX } = await createRandomKey();
 * await force(client, { type: "setKey", id: 7, keyX });
 * await force(client, { type: "claimRewards", id: 7, modelId: 11, payeeIndex: 0, role: "contributor" });
 * await force(client, { type: "closeEpoch", modelId: 11 });
 *
 * const model = await getModel(client, 11);
 * const { hash: _hash, ...statics } = staticsOf(model);
 * await force(client, { type: "approveModel", datanetId: 10, modelId: 11, statics, expectedOwner: model.l1Owner });
 *
 * const { rowsRoot, rowCount } = await storeContribution(store, rows);
 * await force(client, { type: "commitData", id: 7, datanetId: 10, rowsRoot, rowCount });
 * const version = await collectVersion(client, { datanetId: 10, store, validatorId: 8 });
 * await storeVersion(store, version);
 * const { policy } = (await getLeaf(client, 10)).datanet!;
 * await force(client, { type: "publishVersion", datanetId: 10, version, policy });
 * ```
 */
export async function force(client: LedgerClient, operation: ForceParameters): Promise<ForceReturnType> {
  const { address: sender } = requireWallet(client).account;
  if (operation.type === "withdraw") refuseRollup(client, operation.recipient ?? sender);
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
  const maxFeeWei = allowedFeeWei(feeWei, operation.maxFeeWei);
  // Before an approval is paid for.
  if (balanceWei < feeWei) {
    throw clientError(
      "CLI_TOKEN_BALANCE_TOO_LOW",
      `${sender} holds ${formatOpen(balanceWei)} OPEN on L1, a forced operation burns ${formatOpen(feeWei)} there`,
      { data: { address: sender, balanceWei, feeWei } },
    );
  }
  const call = forcedCall(client, operation, { sender, maxFeeWei });
  if (allowanceWei < maxFeeWei) {
    if (operation.permission === "batch") {
      const batch = [approval(client, maxFeeWei), call] as const;
      return readOwnEntry(client, await callTogether(client, batch, operation), call.effect);
    }
    const { timeoutMs } = operation;
    await approveToken(client, { amountWei: maxFeeWei, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  }
  return readOwnEntry(client, await callContract(client, call, operation), call.effect);
}

/**
 * Call of the rollup that queues an operation, for a wallet or a Safe.
 * @param sender L1 account that calls, as the entry names it
 * @internal
 */
export function forcedCall(
  client: LedgerClient,
  operation: ForceableOperation,
  { maxFeeWei, sender }: { readonly sender: Address; readonly maxFeeWei: bigint },
): L1Call {
  const entry = forcedEntry(operation, sender);
  const { args, functionName } = contractCall(operation, entry, sender);
  return {
    ...rollupContract(client),
    functionName,
    args: [...args, maxFeeWei],
    effect: forcedEffect(entry, sender),
  };
}

/**
 * Event by which the call is found that queued an entry.
 * @internal
 */
export function forcedEffect(entry: EntryRequest, sender: Address): L1Effect {
  return effectOf("rollup", "QueueEntryAdded", { ...contentOf(entry), sender });
}

/** Part of an entry that the wallet decides: L1 adds its time to an approval's number and as a close's word. */
function contentOf(entry: EntryRequest): EntryRequest {
  if (entry.kind === KIND.forcedApproveModel) {
    const { amountWei: _timed, ...content } = entry;
    return content;
  }
  if (entry.kind === KIND.forcedCloseEpoch) {
    const { word1: _time, ...content } = entry;
    return content;
  }
  return entry;
}

/** The contract's function; the kinds without one of their own go in as whole entries. */
function contractCall(
  operation: ForceableOperation,
  entry: EntryRequest,
  sender: Address,
): { readonly functionName: string; readonly args: readonly unknown[] } {
  switch (operation.type) {
    case "transfer": {
      const { expectedOwner, id, to } = operation;
      return { functionName: "forceTransfer", args: [id, to, entry.amountWei, expectedOwner] };
    }
    case "withdraw": {
      const { id, recipient = sender } = operation;
      return { functionName: "forceWithdraw", args: [id, entry.amountWei, recipient] };
    }
    case "claimRewards": {
      const { id, modelId, payeeIndex, role } = operation;
      const isValidator = PAYEE_ROLE[role] === PAYEE_ROLE.validator;
      return { functionName: "forceClaimRewards", args: [id, modelId, payeeIndex, isValidator] };
    }
    case "closeEpoch":
      return { functionName: "forceCloseEpoch", args: [operation.modelId] };
    case "setKey":
      return { functionName: "forceSetKey", args: [operation.id, operation.keyX] };
    case "setOwner":
      return { functionName: "forceSetOwner", args: [operation.id, operation.newOwner] };
    default:
      return { functionName: "force", args: [toContractEntry(entry)] };
  }
}
