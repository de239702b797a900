/**
 * Effects of CommitData, PayInference, PublishVersion, ApproveModel and RevokeModel on a datanet or a model, signed or forced
 * (docs/reference/ledger.md, "Operations"). Each function takes the state of leaf B, the operation's object (PublishVersion: of
 * A, its signer), and returns the new state. slot.ts and queue-slot.ts call them.
 */

import { hashTagged } from "../field/poseidon.ts";
import {
  type DatanetBody,
  datanetIds,
  hashDatanetBody,
  hashStatics,
  type LeafState,
  type ModelCounters,
  packCounters,
  requireKind,
  unpackBinding,
  unpackCounters,
} from "../ledger/leaf.ts";
import { credit, inRange, refuse, withLeaf } from "../ledger/leaf-rules.ts";
import { type Payee, payeeShards } from "../ledger/payee-shards.ts";
import { ownersCommitment, payeeRoot } from "../ledger/rewards.ts";
import {
  APPROVAL_DELAY_SECONDS,
  BINDING_BITS,
  COUNTERS,
  ID_BITS,
  LEAF_KIND,
  ROW_COUNT_BITS,
  TAG,
} from "../protocol.ts";

/** The leaves' ids, and the one word of a commit, payment or approval. */
interface Ids {
  readonly a: number;
  readonly b: number;
}
interface WithPayload extends Ids {
  readonly payload: bigint;
}

/** @throws OP_WRONG_LEAF_KIND, OP_EXHAUSTED */
export function commitRows(datanet: LeafState, { a, b, payload }: WithPayload, rows: bigint): LeafState {
  requireKind(datanet, LEAF_KIND.datanet, b);
  const rowCount = datanet.leaf.counters + rows;
  if (!inRange(rowCount, ROW_COUNT_BITS))
    refuse("OP_EXHAUSTED", `datanet ${b} cannot hold more rows`, { reason: "row-count-exhausted", id: b });
  return withLeaf(datanet, {
    counters: rowCount,
    chain: chainStep(TAG.commit, datanet.leaf.chain, payload, a, rows),
  });
}

/** @throws OP_WRONG_LEAF_KIND, OP_MODEL_NOT_PAYABLE, OP_EPOCH_FULL, OP_BELOW_PRICE, OP_BALANCE_OVERFLOW */
export function takePayment(model: LeafState, { a, b, payload }: WithPayload, amountWei: bigint): LeafState {
  requireKind(model, LEAF_KIND.model, b);
  const { leaf } = model;
  const { cap, isApproved, isReady, paymentCount, priceWei } = unpackCounters(leaf.counters);
  if (!isReady || !isApproved) {
    refuse("OP_MODEL_NOT_PAYABLE", `model ${b} is not ${isApproved ? "ready" : "approved by its datanet"}`, {
      id: b,
      isReady,
      isApproved,
    });
  }
  if (paymentCount + 1n > cap)
    refuse("OP_EPOCH_FULL", `model ${b} takes ${cap} payments an epoch`, { id: b, cap: cap.toString() });
  if (amountWei < priceWei)
    refuse("OP_BELOW_PRICE", `model ${b} asks ${priceWei} wei`, { id: b, priceWei: priceWei.toString() });
  const openAmount = credit(leaf.openAmount, amountWei);
  return withLeaf(model, {
    openAmount,
    counters: leaf.counters + (1n << COUNTERS.paymentCount),
    chain: chainStep(TAG.payment, leaf.chain, payload, a, openAmount),
  });
}

/** Contents of a publication. Its time is the time of its batch. */
export type Publication = Omit<DatanetBody, "version" | "publishedAt">;

/** @throws OP_WRONG_LEAF_KIND */
export function publishVersion(
  record: LeafState,
  id: number,
  publication: Publication,
  timestamp: bigint,
): LeafState {
  requireKind(record, LEAF_KIND.datanet, id);
  const datanet = { ...publication, version: record.datanet!.version + 1n, publishedAt: timestamp };
  return { leaf: { ...record.leaf, body: hashDatanetBody(datanet) }, datanet };
}

/**
 * A model of several datanets is approved once each of them has approved: each its own shard.
 * @param datanet A, which need not be one
 * @param timestamp at which the approval is judged
 * @throws OP_WRONG_LEAF_KIND, OP_MODEL_NOT_OF_DATANET, OP_MODEL_NOT_READY, OP_DATANET_NOT_PUBLISHED, OP_TOO_EARLY
 */
export function approveModel(
  datanetRecord: LeafState,
  model: LeafState,
  { a, b, payload }: WithPayload,
  timestamp: bigint,
): LeafState {
  const { binding, datanet, differs, place } = requireDatanetOf(datanetRecord, model, { a, b });
  const { statics } = model.model!;
  const isJoint = binding.furtherDatanets.length > 0;
  if (payload !== hashStatics(statics)) differs("statics");
  if (datanet.version === 0n)
    refuse("OP_DATANET_NOT_PUBLISHED", `datanet ${a} has no published version`, { id: a });
  // Only recipe.json names the versions of further datanets, so their shards' tables are compared.
  if (place === 0 && binding.version !== datanet.version) differs("version");
  const approved = isJoint ? shardOf(model, b, place) : statics;
  // A shard's commitment fixes its rows.
  if (!isJoint && binding.rowCount !== datanet.rowCount) differs("rowCount");
  if (approved.ownersCommitment !== datanet.ownersCommitment) differs("ownersCommitment");
  if (approved.payeeRoot !== datanet.payeeRoot) differs("payeeRoot");
  const approvableAt = datanet.publishedAt + BigInt(APPROVAL_DELAY_SECONDS);
  if (timestamp < approvableAt) {
    refuse("OP_TOO_EARLY", `version ${datanet.version} can be approved from ${approvableAt} on`, {
      reason: "approval-too-early",
      approvableAtSeconds: approvableAt.toString(),
      timestampSeconds: timestamp.toString(),
    });
  }
  const { approvals, isApproved } = unpackCounters(model.leaf.counters);
  if (!isJoint || isApproved) return withApproval(model, { isApproved: true, approvals: 0 });
  const input = approvals | (1 << place);
  if (input === approvals) differs("approval");
  const isLast = input === 2 ** datanetIds(binding).length - 1;
  return withApproval(model, { isApproved: isLast, approvals: isLast ? 0 : input });
}

/**
 * Opening of an approval by one of several datanets: the model's payees in their places, and the index of A's
 * shard.
 */
export interface JointApproval {
  readonly payees: readonly Payee[];
  readonly place: number;
}

/** Opening of A's approval of a model; null if the model has one datanet. */
export function jointApprovalOf({ model, rewards }: LeafState, a: number): JointApproval | null {
  const binding = unpackBinding(model!.statics.binding);
  if (binding.furtherDatanets.length === 0) return null;
  return { payees: rewards!.payees, place: datanetIds(binding).indexOf(a) };
}

/**
 * Commitments of datanet `place` of a model of several datanets, computed from the payees that its activation
 * showed. @throws OP_MODEL_NOT_READY
 */
function shardOf({ leaf, rewards }: LeafState, id: number, position: number) {
  if (!unpackCounters(leaf.counters).isReady || rewards === undefined) {
    return refuse(
      "OP_MODEL_NOT_READY",
      `model ${id} has had no activation, which shows its datanets' tables`,
      {
        id,
      },
    );
  }
  const { from, to } = payeeShards(rewards.payees.map(({ rowCount }) => rowCount))[position]!;
  const payees = rewards.payees.slice(from, to);
  return {
    ownersCommitment: ownersCommitment(payees.map(({ rowCount }) => rowCount)),
    payeeRoot: payeeRoot(payees),
  };
}

/**
 * Revokes all approvals of a model. Any of its datanets may do so; then all have to approve again. @throws
 * OP_WRONG_LEAF_KIND, OP_MODEL_NOT_OF_DATANET
 */
export function revokeModel(datanetRecord: LeafState, model: LeafState, ids: Ids): LeafState {
  requireDatanetOf(datanetRecord, model, ids);
  return withApproval(model, { isApproved: false, approvals: 0 });
}

const withApproval = (
  model: LeafState,
  approval: Pick<ModelCounters, "approvals" | "isApproved">,
): LeafState =>
  withLeaf(model, { counters: packCounters({ ...unpackCounters(model.leaf.counters), ...approval }) });

/** A is a datanet that the model's statics bind, once: `place` is its position among them. */
function requireDatanetOf(record: LeafState, model: LeafState, { a, b }: Ids) {
  requireKind(record, LEAF_KIND.datanet, a);
  requireKind(model, LEAF_KIND.model, b);
  const differs = (field: string) =>
    refuse("OP_MODEL_NOT_OF_DATANET", `model ${b}'s ${field} is not datanet ${a}'s`, {
      datanetId: a,
      modelId: b,
      field,
    });
  const packed = model.model!.statics.binding;
  if (packed >> BINDING_BITS !== 0n) differs("binding");
  const binding = unpackBinding(packed);
  const positions = datanetIds(binding).flatMap((id, position) => (id === a ? [position] : []));
  if (positions.length !== 1) differs("datanet");
  return { binding, datanet: record.datanet!, differs, place: positions[0]! };
}

/** H[tag](chain, payload, A | last << 24): contributions and payments. `last`: rows added, or the new open amount. */
function chainStep(tag: bigint, chain: bigint, payload: bigint, a: number, last: bigint): bigint {
  return hashTagged(tag, [chain, payload, BigInt(a) | (last << BigInt(ID_BITS))]);
}
