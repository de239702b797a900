import { hashStatics, type ModelStatics } from "@openledger/circuits/ledger/leaf";
import type { EntryRequest } from "@openledger/circuits/ledger/operation";
import { PAYEE_ROLE } from "@openledger/circuits/ledger/rewards";
import { BINDING, BINDING_REST_BITS, KIND, WITHDRAW_ALL_WEI } from "@openledger/circuits/protocol";
import type { Address } from "viem";
import { type LedgerClient, requireWallet } from "../../ledger-client.ts";
import type { VersionCommitments } from "../data/version-commitments.ts";
import { refuseRollup } from "../l1/refuse-rollup.ts";
import type { QueueResult } from "./queue-result.ts";
import { type ForcedErrorCode, type ForcedOptions, sendForced, sendForcedEntry } from "./send-forced.ts";

export interface ForceTransferParameters extends ForcedOptions {
  /** Leaf that pays; its l1Owner must be the client's L1 account. */
  id: number;
  /** Leaf that receives the OPEN. */
  to: number;
  amountWei: bigint | "all";
  /** Owner of the leaf `to`: the entry has no effect if the leaf belongs to another address when it is executed. */
  expectedOwner: Address;
}
export type ForceTransferReturnType = QueueResult;

export type ForceTransferErrorCode = ForcedErrorCode;

/**
 * Moves OPEN to another leaf through the L1 queue, which no sequencer can leave out. Burns the queue's fee.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED,
 *   CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { l1Owner: expectedOwner } = await getLeaf(client, 9);
 * await forceTransfer(client, { id: 7, to: 9, amountWei: parseOpen("4"), expectedOwner });
 * ```
 */
export async function forceTransfer(
  client: LedgerClient,
  parameters: ForceTransferParameters,
): Promise<ForceTransferReturnType> {
  const { id, to, amountWei, expectedOwner } = parameters;
  const wei = amountWei === "all" ? WITHDRAW_ALL_WEI : amountWei;
  return sendForced(client, "forceTransfer", [id, to, wei, expectedOwner], parameters);
}

export interface ForceWithdrawParameters extends ForcedOptions {
  /** The leaf; its l1Owner must be the client's L1 account. */
  id: number;
  amountWei: bigint | "all";
  /** L1 address that gets the OPEN. Default: the L1 account. */
  recipient?: Address;
}
export type ForceWithdrawReturnType = QueueResult;

export type ForceWithdrawErrorCode = ForcedErrorCode | "CLI_INPUT_INVALID";

/**
 * Withdraws through the L1 queue, which no sequencer can leave out. Burns the queue's fee.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CLI_INPUT_INVALID, CON_L1_COST_ABOVE_CAP,
 *   CLI_L1_REVERTED, CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { queueIndex, burnedFeeWei } = await forceWithdraw(client, { id: 7, amountWei: "all", maxFeeWei: parseOpen("8") });
 * ```
 */
export async function forceWithdraw(
  client: LedgerClient,
  parameters: ForceWithdrawParameters,
): Promise<ForceWithdrawReturnType> {
  const { id, amountWei, recipient } = parameters;
  const wei = amountWei === "all" ? WITHDRAW_ALL_WEI : amountWei;
  const to = recipient ?? requireWallet(client).account.address;
  refuseRollup(client, to);
  const args = [id, wei, to];
  return sendForced(client, "forceWithdraw", args, parameters);
}

export interface ForceClaimRewardsParameters extends ForcedOptions {
  /** The contributor's or validator's leaf; its l1Owner must be the client's L1 account. */
  id: number;
  modelId: number;
  /** Place in the model's payee table. */
  payeeIndex: number;
  /** Role in which the leaf is half of the payee. */
  role: keyof typeof PAYEE_ROLE;
}
export type ForceClaimRewardsReturnType = QueueResult;

export type ForceClaimRewardsErrorCode = ForcedErrorCode;

/**
 * Claims a payee's rewards through the L1 queue, which no sequencer can leave out: all rewards earned by the time of the
 * execution go to the leaf's balance. Burns the queue's fee, also where the payee is another leaf.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED,
 *   CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * await forceClaimRewards(client, { id: 7, modelId: 11, payeeIndex: 0, role: "contributor" });
 * ```
 */
export async function forceClaimRewards(
  client: LedgerClient,
  parameters: ForceClaimRewardsParameters,
): Promise<ForceClaimRewardsReturnType> {
  const { id, modelId, payeeIndex, role } = parameters;
  const isValidator = PAYEE_ROLE[role] === PAYEE_ROLE.validator;
  return sendForced(client, "forceClaimRewards", [id, modelId, payeeIndex, isValidator], parameters);
}

export interface ForceCloseEpochParameters extends ForcedOptions {
  modelId: number;
}
export type ForceCloseEpochReturnType = QueueResult;

export type ForceCloseEpochErrorCode = ForcedErrorCode;

/**
 * Closes a model's open epoch through the L1 queue, which no sequencer can leave out. Anyone may, 24 hours after the
 * timestamp at which the epoch began, which may be an hour older than its block. An epoch that is younger when the entry
 * is queued stays open. Burns the queue's fee.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED,
 *   CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { queueIndex } = await forceCloseEpoch(client, { modelId: 11 });
 * ```
 */
export async function forceCloseEpoch(
  client: LedgerClient,
  parameters: ForceCloseEpochParameters,
): Promise<ForceCloseEpochReturnType> {
  return sendForced(client, "forceCloseEpoch", [parameters.modelId], parameters);
}

export interface ForceSetKeyParameters extends ForcedOptions {
  /** The leaf; its l1Owner must be the client's L1 account. */
  id: number;
  /** New key; 0 leaves the leaf to forced operations alone. */
  keyX: bigint;
}
export type ForceSetKeyReturnType = QueueResult;

export type ForceSetKeyErrorCode = ForcedErrorCode;

/**
 * Replaces a leaf's key through the L1 queue, for an owner who has lost the old one. Burns the queue's fee.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED,
 *   CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { keyX } = await createRandomKey();
 * const { queueIndex } = await forceSetKey(client, { id: 7, keyX });
 * ```
 */
export async function forceSetKey(
  client: LedgerClient,
  parameters: ForceSetKeyParameters,
): Promise<ForceSetKeyReturnType> {
  return sendForced(client, "forceSetKey", [parameters.id, parameters.keyX], parameters);
}

export interface ForceSetOwnerParameters extends ForcedOptions {
  /** The leaf; its l1Owner must be the client's L1 account. */
  id: number;
  newOwner: Address;
}
export type ForceSetOwnerReturnType = QueueResult;

export type ForceSetOwnerErrorCode = ForcedErrorCode;

/**
 * Hands a leaf over to another Ethereum address. Burns the queue's fee.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED,
 *   CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * await forceSetOwner(client, { id: 7, newOwner: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" });
 * ```
 */
export async function forceSetOwner(
  client: LedgerClient,
  parameters: ForceSetOwnerParameters,
): Promise<ForceSetOwnerReturnType> {
  return sendForced(client, "forceSetOwner", [parameters.id, parameters.newOwner], parameters);
}

export interface ForcePayInferenceParameters extends ForcedOptions {
  /** The leaf that pays; its l1Owner must be the client's L1 account. */
  id: number;
  modelId: number;
  /** Payment in wei, at least the model's price. */
  amountWei: bigint;
  /** Receipt of the answer. */
  receipt: bigint;
  /** Owner of the model: the entry has no effect if the model belongs to another address when it is executed. */
  expectedOwner: Address;
}
export type ForcePayInferenceReturnType = QueueResult;

export type ForcePayInferenceErrorCode = ForcedErrorCode;

/**
 * Pays a model for one answer through the L1 queue, which no sequencer can leave out. The payment goes into the epoch
 * that is open when the entry is executed. Burns the queue's fee, also where the model takes no payment then.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED,
 *   CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { l1Owner: expectedOwner, counters } = await getModel(client, 11);
 * await forcePayInference(client, { id: 7, modelId: 11, amountWei: counters.priceWei, receipt, expectedOwner });
 * ```
 */
export async function forcePayInference(
  client: LedgerClient,
  parameters: ForcePayInferenceParameters,
): Promise<ForcePayInferenceReturnType> {
  return sendForcedEntry(client, forcedPaymentEntry(parameters), parameters);
}

/**
 * Queue entry of such a payment: a command checks the same entry before it is sent.
 * @internal
 */
export function forcedPaymentEntry(payment: ForcePayInferenceParameters): EntryRequest {
  const { id: a, modelId: b, amountWei, receipt, expectedOwner } = payment;
  return { kind: KIND.forcedPayInference, a, b, amountWei, word1: BigInt(expectedOwner), word2: receipt };
}

export interface ForceApproveModelParameters extends ForcedOptions {
  /** The datanet; its l1Owner must be the client's L1 account. */
  datanetId: number;
  modelId: number;
  /** Statics that the model was created with, as the approver has checked them. */
  statics: ModelStatics;
  /** Owner of the model: the entry has no effect if the model belongs to another address when it is executed. */
  expectedOwner: Address;
}
export type ForceApproveModelReturnType = QueueResult;

export type ForceApproveModelErrorCode = ForcedErrorCode;

/**
 * Approves a model through the L1 queue, which no sequencer can leave out. The entry has an effect from 24 hours after
 * the version's publication, by L1's time of the entry. Burns the queue's fee.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED,
 *   CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const model = await getModel(client, 11);
 * const { hash: _hash, ...statics } = staticsOf(model);
 * await forceApproveModel(client, { datanetId: 10, modelId: 11, statics, expectedOwner: model.l1Owner });
 * ```
 */
export async function forceApproveModel(
  client: LedgerClient,
  parameters: ForceApproveModelParameters,
): Promise<ForceApproveModelReturnType> {
  return sendForcedEntry(client, forcedApprovalEntry(parameters), parameters);
}

/**
 * Queue entry of such an approval.
 * @param queuedAt L1's time, which the contract adds: part of the executed entry, not of the sent one
 * @internal
 */
export function forcedApprovalEntry(approval: ForceApproveModelParameters, queuedAt = 0n): EntryRequest {
  const { datanetId: a, modelId: b, statics, expectedOwner } = approval;
  const amountWei = (statics.binding >> BINDING.predecessor) | (queuedAt << BigInt(BINDING_REST_BITS));
  const words = { amountWei, word1: BigInt(expectedOwner), word2: hashStatics(statics) };
  return { kind: KIND.forcedApproveModel, a, b, ...words };
}

export interface ForceRevokeModelParameters extends ForcedOptions {
  /** The datanet; its l1Owner must be the client's L1 account. */
  datanetId: number;
  modelId: number;
}
export type ForceRevokeModelReturnType = QueueResult;

export type ForceRevokeModelErrorCode = ForcedErrorCode;

/**
 * Ends new payments to a model, or takes back an approval that waits for others, through the L1 queue, which no sequencer
 * can leave out. Burns the queue's fee.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED,
 *   CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * await forceRevokeModel(client, { datanetId: 10, modelId: 11 });
 * ```
 */
export async function forceRevokeModel(
  client: LedgerClient,
  parameters: ForceRevokeModelParameters,
): Promise<ForceRevokeModelReturnType> {
  const { datanetId: a, modelId: b } = parameters;
  return sendForcedEntry(client, { kind: KIND.forcedRevokeModel, a, b }, parameters);
}

export interface ForceCommitDataParameters extends ForcedOptions {
  /** The contributor; its l1Owner must be the client's L1 account. */
  id: number;
  datanetId: number;
  /** Root from `storeContribution`. */
  rowsRoot: bigint;
  rowCount: number;
}
export type ForceCommitDataReturnType = QueueResult;

export type ForceCommitDataErrorCode = ForcedErrorCode;

/**
 * Commits rows to a datanet through the L1 queue, which no sequencer can leave out. Keep the rows secret until a batch
 * has the entry. Burns the queue's fee.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED,
 *   CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const { rowsRoot, rowCount } = await storeContribution(store, rows);
 * await forceCommitData(client, { id: 7, datanetId: 10, rowsRoot, rowCount });
 * ```
 */
export async function forceCommitData(
  client: LedgerClient,
  parameters: ForceCommitDataParameters,
): Promise<ForceCommitDataReturnType> {
  return sendForcedEntry(client, forcedCommitEntry(parameters), parameters);
}

/**
 * Queue entry of such a commit.
 * @internal
 */
export function forcedCommitEntry(commit: ForceCommitDataParameters): EntryRequest {
  const { id: a, datanetId: b, rowCount, rowsRoot } = commit;
  return { kind: KIND.forcedCommitData, a, b, amountWei: BigInt(rowCount), word2: rowsRoot };
}

export interface ForcePublishVersionParameters extends ForcedOptions {
  /** The datanet; its l1Owner must be the client's L1 account. */
  datanetId: number;
  /** Commitments from `commitVersion`. */
  version: Pick<VersionCommitments, "rowsRoot" | "ownersCommitment" | "payeeRoot" | "rowCount">;
  /** The hash of the datanet's card (docs/explanation/datanets.md); 0 = none. The entry replaces the present one. */
  policy: bigint;
}
export type ForcePublishVersionReturnType = QueueResult;

export type ForcePublishVersionErrorCode = ForcedErrorCode;

/**
 * Publishes a version of a datanet through the L1 queue, which no sequencer can leave out. Burns the queue's fee.
 * @throws CLI_NOT_CONFIGURED, CLI_QUEUE_FEE_TOO_HIGH, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED,
 *   CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const version = await collectVersion(client, { datanetId: 10, store, validatorId: 8 });
 * await storeVersion(store, version);
 * const { policy } = (await getLeaf(client, 10)).datanet!;
 * await forcePublishVersion(client, { datanetId: 10, version, policy });
 * ```
 */
export async function forcePublishVersion(
  client: LedgerClient,
  parameters: ForcePublishVersionParameters,
): Promise<ForcePublishVersionReturnType> {
  return sendForcedEntry(client, forcedPublicationEntry(parameters), parameters);
}

/**
 * Queue entry of such a publication.
 * @internal
 */
export function forcedPublicationEntry({
  datanetId: a,
  policy: word4,
  version: { ownersCommitment: word2, payeeRoot: word3, rowCount, rowsRoot: word1 },
}: ForcePublishVersionParameters): EntryRequest {
  return { kind: KIND.forcedPublishVersion, a, amountWei: BigInt(rowCount), word1, word2, word3, word4 };
}
