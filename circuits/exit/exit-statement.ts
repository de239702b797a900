/**
 * Statement of an exit from a frozen ledger, its circuit inputs and public signals (docs/reference/exits.md).
 * Leavers and pages prove it. Amounts are wei. Needs `initPoseidon`.
 */
import { operationError } from "../circuit-errors.ts";
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { challenge, dataCommitment, evaluate } from "../field/element-vector.ts";
import {
  hashStatics,
  leafHead,
  type ModelBody,
  type ModelStatics,
  unpackBinding,
  unpackCounters,
} from "../ledger/leaf.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { PayeeShard } from "../ledger/payee-shards.ts";
import {
  accruedPath,
  claimedPath,
  claimedPosition,
  type ModelRewards,
  otherRole,
  PAYEE_ROLE,
  type Payee,
  type PayeeRole,
  roleShareWei,
  unpackSplit,
} from "../ledger/rewards.ts";
import { LEAF_KIND, MAX_PAYEE_COUNT, SHARD_COUNT_MAX } from "../protocol.ts";
import { payeeInputs, shardLists, shardsOf } from "../settlement/settled-model.ts";
import { sizeError } from "../settlement/settlement-size.ts";
import { drawShares, rewardPerUnit, splitEarnings } from "../settlement/settlement-split.ts";

/** Elements E that L1 evaluates. */
export interface ExitData {
  /** Root of the frozen ledger. */
  readonly root: bigint;
  /** `leafExitKey` or `payeeExitKey`. */
  readonly key: bigint;
  /** An L1 address. */
  readonly recipient: bigint;
  /** 96 bits. */
  readonly amountWei: bigint;
}

/** An exit ready to be proven and sent. */
export interface PreparedExit extends ExitData {
  /** Circuit inputs without z, which `statement` gives. */
  readonly inputs: CircuitInputs;
  /** The public signals for the circuit with this id. */
  statement(circuitId: bigint): ExitStatement;
}

/** Public signals in the circuit's order. */
interface ExitStatement {
  readonly commitment: bigint;
  readonly y: bigint;
  readonly z: bigint;
}

/** The two sorts of exits: `size0` of their circuits (CircuitSizes). */
export const EXIT_KIND = { leaf: 0, payee: 1 } as const;

/** The key of a leaf's own balance. */
export function leafExitKey(id: number): bigint {
  return BigInt(id);
}

/** Exit key of a role of a model's payee. */
export function payeeExitKey(modelId: number, payeeIndex: number, role: PayeeRole): bigint {
  return BigInt(modelId) | (BigInt(payeeIndex) << 24n) | (BigInt(role) << 36n) | (1n << 37n);
}

export function exitElements({ root, key, recipient, amountWei }: ExitData): bigint[] {
  return [root, key, recipient, amountWei];
}

export function exitStatement(data: ExitData, circuitId: bigint): ExitStatement {
  const elements = exitElements(data);
  const commitment = dataCommitment(elements);
  const z = challenge(circuitId, commitment, elements);
  return { commitment, z, y: evaluate(elements, z) };
}

function prepareExit(data: ExitData, inputs: CircuitInputs): PreparedExit {
  return { ...data, inputs, statement: (circuitId) => exitStatement(data, circuitId) };
}

// The rules of leaf-exit.circom: the exit of a leaf of a frozen ledger to L1. Needs `initPoseidon`.

/** The balance of leaf `id`, for its l1Owner. @throws OP_UNKNOWN_LEAF */
export function leafExit(ledger: Ledger, id: number): PreparedExit {
  const { leaf } = ledger.requireLeaf(id);
  return prepareExit(
    { root: ledger.root, key: leafExitKey(id), recipient: leaf.l1Owner, amountWei: leaf.balance },
    { idBits: pathBits(ledger, id), leaf: leafHead(leaf), children: ledger.tree.path(id) },
  );
}

/** Digits of an id in the form that paths of this ledger's tree need, lowest first. */
function pathBits(ledger: Ledger, id: number): bigint[] {
  return lowBits(id, 3 * ledger.tree.depth);
}

function lowBits(value: number, count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => (BigInt(value) >> BigInt(i)) & 1n);
}

// The rules of payee-exit.circom: the exit of a role of a model's payee from a frozen ledger to L1. Amounts are wei. Needs
// `initPoseidon`.

/**
 * Earnings, in wei, of a payee with `rowCount` rows from an amount split by row counts. `statics` state N and
 * the split.
 */
export function earnedByDefault(statics: ModelStatics, rowCount: number, amountWei: bigint): bigint {
  const shares = drawShares(amountWei, 1, unpackSplit(statics.split));
  const unit = rewardPerUnit(shares, unpackBinding(statics.binding).rowCount);
  return splitEarnings(unit * BigInt(rowCount), shares).earnedWei;
}

/** Amount due to a role of a payee, without the proof's inputs. */
export interface PayeeDue {
  readonly key: bigint;
  /** The leaf that has the role. */
  readonly ownerId: number;
  /** l1Owner of that leaf. */
  readonly recipient: bigint;
  readonly amountWei: bigint;
}

/**
 * Follows `payeeExit` without hashing.
 * @throws OP_UNKNOWN_LEAF, OP_WRONG_LEAF_KIND, OP_MODEL_NOT_READY, OP_NOT_PAYEE
 */
export function payeeDue(ledger: Ledger, modelId: number, payeeIndex: number, role: PayeeRole): PayeeDue {
  const { body, rewards, payee } = requirePayee(ledger, modelId, payeeIndex, MAX_PAYEE_COUNT);
  const ownerId = role === PAYEE_ROLE.validator ? payee.validatorId : payee.contributorId;
  const wholeWei = [ledger.requireLeaf(modelId).leaf.openAmount, rewards.closed?.amountWei ?? 0n].reduce(
    (sum, amountWei) => sum + earnedByDefault(body.statics, payee.rowCount, amountWei),
    rewards.accruedWei[payeeIndex] ?? 0n,
  );
  const claimedWei = rewards.claimedWei[claimedPosition(payeeIndex, role)] ?? 0n;
  const { validatorParts } = unpackSplit(body.statics.split);
  return {
    key: payeeExitKey(modelId, payeeIndex, role),
    ownerId,
    recipient: ledger.requireLeaf(ownerId).leaf.l1Owner,
    amountWei: roleShareWei(wholeWei, role, validatorParts) - claimedWei,
  };
}

/**
 * Exit of a role of a payee: its part of all that the payee has accrued, including the open and the closed
 * amount split by row counts, less its claims. The recipient is the l1Owner of the payee's contributor or
 * validator.
 * @param payeeCount payees of the circuit
 * @throws OP_UNKNOWN_LEAF for the model or the payee's owner, OP_WRONG_LEAF_KIND, OP_MODEL_NOT_READY,
 * OP_NOT_PAYEE if there is no such payee, CIR_SETTLEMENT_SIZE
 */
export function payeeExit(
  ledger: Ledger,
  modelId: number,
  payeeIndex: number,
  role: PayeeRole,
  payeeCount: number = MAX_PAYEE_COUNT,
): PreparedExit {
  const { body, rewards, payee, shard } = requirePayee(ledger, modelId, payeeIndex, payeeCount);
  const { key, ownerId, recipient, amountWei } = payeeDue(ledger, modelId, payeeIndex, role);
  const otherId = role === PAYEE_ROLE.validator ? payee.contributorId : payee.validatorId;
  const accruedWei = rewards.accruedWei[payeeIndex] ?? 0n;
  const claimedWei = rewards.claimedWei[claimedPosition(payeeIndex, role)] ?? 0n;
  return prepareExit(
    { root: ledger.root, key, recipient, amountWei },
    {
      ...modelInputs(ledger, modelId, body, rewards, { shard, payeeCount }),
      payeeBits: lowBits(payeeIndex, 12),
      role,
      ownerBits: pathBits(ledger, ownerId),
      otherId,
      accruedWei,
      accruedChildren: accruedPath(rewards.payees, rewards.accruedWei, payeeIndex),
      claimedWei,
      otherClaimedWei: rewards.claimedWei[claimedPosition(payeeIndex, otherRole(role))] ?? 0n,
      claimedChildren: claimedPath(rewards.claimedWei, payeeIndex),
      owner: leafHead(ledger.requireLeaf(ownerId).leaf),
      ownerChildren: ledger.tree.path(ownerId),
    },
  );
}

/** The opening of the model's leaf and of the payee table of one of its shards. */
function modelInputs(
  ledger: Ledger,
  modelId: number,
  body: ModelBody,
  rewards: ModelRewards,
  { shard, payeeCount }: { readonly shard: PayeeShard; readonly payeeCount: number },
): CircuitInputs {
  const { nonce, l1Owner, keyX, balance, chain, openAmount, counters } = ledger.requireLeaf(modelId).leaf;
  const { featuresCommitment, payeeRoot, binding, split } = body.statics;
  const { payees, closed } = rewards;
  const { present, rowCounts } = payeeInputs({ payees, accruedWei: [] }, shard, payeeCount);
  return {
    modelBits: pathBits(ledger, modelId),
    nonce,
    l1Owner,
    keyX,
    balance,
    chain,
    openAmount,
    counters,
    modelChildren: ledger.tree.path(modelId),
    featuresCommitment,
    payeeRoot,
    binding,
    ...unpackSplit(split),
    epochStart: body.epochStart,
    isClosed: closed === null ? 0n : 1n,
    closedChain: closed?.chain ?? 0n,
    closedAt: closed === null ? 0n : closed.epoch | (closed.closingBatch << 24n),
    closedWei: closed?.amountWei ?? 0n,
    ...shardLists(rewards, SHARD_COUNT_MAX),
    present: present!,
    rowCounts: rowCounts!,
  };
}

function requirePayee(
  ledger: Ledger,
  modelId: number,
  payeeIndex: number,
  payeeCount: number,
): {
  readonly body: ModelBody;
  readonly rewards: ModelRewards;
  readonly payee: Payee;
  readonly shard: PayeeShard;
} {
  const { leaf, model: body, rewards } = ledger.requireLeaf(modelId);
  if (leaf.kind !== LEAF_KIND.model || body === undefined)
    throw operationError("OP_WRONG_LEAF_KIND", `leaf ${modelId} is no model`, { data: { id: modelId } });
  if (!unpackCounters(leaf.counters).isReady || rewards === undefined) {
    throw operationError(
      "OP_MODEL_NOT_READY",
      `model ${modelId} has had no activation: its payees own nothing`,
      {
        data: { id: modelId, statics: hashStatics(body.statics).toString() },
      },
    );
  }
  const payee = rewards.payees[payeeIndex];
  // Places between two shards have no payee.
  const shard = shardsOf(rewards).find(({ from, to }) => from <= payeeIndex && payeeIndex < to);
  if (payee === undefined || shard === undefined) {
    throw operationError("OP_NOT_PAYEE", `model ${modelId} has no payee ${payeeIndex}`, {
      data: { id: modelId, payeeIndex, payeeCount: rewards.payees.length },
    });
  }
  const { from, to } = shard;
  if (to - from > payeeCount) throw sizeError("payees", to - from, payeeCount);
  return { body, rewards, payee, shard };
}
