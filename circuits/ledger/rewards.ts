/**
 * Hashes and trees of a model's payees, their rewards and its closed epochs, which a settlement and the ledger share
 * (docs/reference/settlement.md). All amounts are wei. Everything that hashes needs `initPoseidon`.
 */
import { hashTagged } from "../field/poseidon.ts";
import { DATA_CHUNK, MAX_PAYEE_COUNT, PAYEE_TREE_DEPTH, SHARD_COUNT_MAX, TAG } from "../protocol.ts";
import { type Payee, type PayeeOwners, payeeShards, requirePayeeCount } from "./payee-shards.ts";
import { treePath, treeRoot } from "./version-rows.ts";

export type { Payee, PayeeOwners };

/** Division of payments, in 65,536ths: 16 bits each. */
export interface RewardSplit {
  readonly ownerParts: bigint;
  readonly validatorParts: bigint;
}

export const PAYEE_ROLE = { contributor: 0, validator: 1 } as const;
export type PayeeRole = (typeof PAYEE_ROLE)[keyof typeof PAYEE_ROLE];

export const otherRole = (role: PayeeRole): PayeeRole =>
  role === PAYEE_ROLE.contributor ? PAYEE_ROLE.validator : PAYEE_ROLE.contributor;

/**
 * Position of a payee's accrued amount: 120 bits, enough for 2^24 epochs of 2^96 wei. A leaf stays below
 * 2^168, so intermediate sums need no range check.
 */
const ACCRUED_SHIFT = 48n;
/**
 * Position of the validator's claims. The contributor's claims are below it, in 120 bits like the accrued
 * amount.
 */
const VALIDATOR_CLAIM_SHIFT = 120n;

/** The root of 4,096 leaves of 0 under PAYEE_NODE; rewards.test.ts computes it again. */
export const EMPTY_CLAIMED_ROOT =
  15946274797642441385862779650857921207684951520016474760992142535431664428625n;

export function packSplit(split: RewardSplit): bigint {
  return split.ownerParts | (split.validatorParts << 16n);
}

export function unpackSplit(split: bigint): RewardSplit {
  return { ownerParts: split & 0xffffn, validatorParts: (split >> 16n) & 0xffffn };
}

/** contributor | validator << 24 | accruedWei << 48. */
export function payeeLeaf(payee: PayeeOwners, accruedWei = 0n): bigint {
  return BigInt(payee.contributorId) | (BigInt(payee.validatorId) << 24n) | (accruedWei << ACCRUED_SHIFT);
}

const accruedLeaves = (payees: readonly PayeeOwners[], accruedWei: readonly bigint[]): bigint[] => {
  requirePayeeCount(payees.length);
  return payees.map((payee, i) => payeeLeaf(payee, accruedWei[i] ?? 0n));
};

/** Root of the rewards tree in which nothing was earned yet. @throws CIR_SETTLEMENT_SIZE */
export function payeeRoot(payees: readonly PayeeOwners[]): bigint {
  return accruedRoot(payees, []);
}

/** `accruedWei[m]`: what payee m has earned in all epochs so far; missing ones are 0. @throws CIR_SETTLEMENT_SIZE */
export function accruedRoot(payees: readonly PayeeOwners[], accruedWei: readonly bigint[]): bigint {
  return treeRoot(TAG.payeeNode, accruedLeaves(payees, accruedWei), PAYEE_TREE_DEPTH);
}

/** Roots of the subtrees of all shards, empty ones too: the children of `accruedRoot`. @throws CIR_SETTLEMENT_SIZE */
export function accruedSubroots(payees: readonly PayeeOwners[], accruedWei: readonly bigint[]): bigint[] {
  const leaves = accruedLeaves(payees, accruedWei);
  return Array.from({ length: SHARD_COUNT_MAX }, (_, s) => {
    const from = s * MAX_PAYEE_COUNT;
    return treeRoot(TAG.payeeNode, leaves.slice(from, from + MAX_PAYEE_COUNT), PAYEE_TREE_DEPTH - 1);
  });
}

/** The eight children on each of the four levels above payee `index`. */
export function accruedPath(
  payees: readonly PayeeOwners[],
  accruedWei: readonly bigint[],
  index: number,
): bigint[][] {
  return treePath(TAG.payeeNode, accruedLeaves(payees, accruedWei), PAYEE_TREE_DEPTH, index);
}

/** Index in `claimedWei` of the claims of a payee's contributor (0) or validator (1). */
export function claimedPosition(payeeIndex: number, role: PayeeRole): number {
  return 2 * payeeIndex + role;
}

/** `claimedWei[claimedPosition(m, role)]`: claimed so far; missing ones are 0. */
export function claimedRoot(claimedWei: readonly bigint[]): bigint {
  return treeRoot(TAG.payeeNode, claimedLeaves(claimedWei), PAYEE_TREE_DEPTH);
}

/** The eight children on each of the four levels above payee `index`. */
export function claimedPath(claimedWei: readonly bigint[], index: number): bigint[][] {
  return treePath(TAG.payeeNode, claimedLeaves(claimedWei), PAYEE_TREE_DEPTH, index);
}

/** Leaves of the claims tree, one for each payee: contributor's claims | validator's claims << 120. */
const claimedLeaves = (claimedWei: readonly bigint[]): bigint[] =>
  Array.from({ length: Math.ceil(claimedWei.length / 2) }, (_, m) => {
    const [contributorWei, validatorWei = 0n] = claimedWei.slice(2 * m, 2 * m + 2);
    return contributorWei! + (validatorWei << VALIDATOR_CLAIM_SHIFT);
  });

/**
 * Part of a payee's accrued amount that belongs to a role, in wei. The two roles' parts add up to the whole.
 */
export function roleShareWei(accruedWei: bigint, role: PayeeRole, validatorParts: bigint): bigint {
  const validatorWei = (accruedWei * validatorParts) >> 16n;
  return role === PAYEE_ROLE.validator ? validatorWei : accruedWei - validatorWei;
}

/**
 * Commitment to the payees' rows in a model's statics: a single shard's own commitment, else one to the list
 * of all shards.
 * @param rowCounts of all positions (payee-shards.ts)
 * @throws CIR_SETTLEMENT_SIZE
 */
export function ownersCommitment(rowCounts: readonly number[]): bigint {
  return listedOwners(ownersOfShards(rowCounts));
}

/** A shard's entry in the list of shards. */
export interface ListedShard {
  readonly ownersCommitment: bigint;
  readonly rowCount: number;
}

/** List entries of all shards. @throws CIR_SETTLEMENT_SIZE */
export const ownersOfShards = (rowCounts: readonly number[]): ListedShard[] =>
  payeeShards(rowCounts).map(({ from, to, rowCount }) => ({
    ownersCommitment: shardOwners(rowCounts.slice(from, to)),
    rowCount,
  }));

/** The same by the commitment and the rows of each shard. */
function listedOwners(shards: readonly ListedShard[]): bigint {
  if (shards.length === 1) return shards[0]!.ownersCommitment;
  const node = hashTagged(TAG.payeeNode, listedCommitments(shards));
  return hashTagged(TAG.shardOwners, [...listedRows(shards), node]);
}

/** S, and the rows of all positions, four an element. */
export function listedRows(shards: readonly ListedShard[]): bigint[] {
  const rows = Array.from({ length: SHARD_COUNT_MAX }, (_, s) => BigInt(shards[s]?.rowCount ?? 0));
  const packed = [rows.slice(0, 4), rows.slice(4)].map((four) =>
    four.reduceRight((sum, count) => (sum << 32n) | count, 0n),
  );
  return [BigInt(shards.length), ...packed];
}

/** Commitments of all eight shards, 0 for absent ones: children of a node of the payee trees. */
export const listedCommitments = (shards: readonly ListedShard[]): bigint[] =>
  Array.from({ length: SHARD_COUNT_MAX }, (_, s) => shards[s]?.ownersCommitment ?? 0n);

/**
 * Commitment to one shard's payees. h = M; for every chunk of 15 row counts, the last padded with 0: h =
 * H[OWNERS](h, chunk).
 */
export function shardOwners(rowCounts: readonly number[]): bigint {
  let hash = BigInt(rowCounts.length);
  for (let from = 0; from < rowCounts.length; from += DATA_CHUNK) {
    const chunk = Array.from({ length: DATA_CHUNK }, (_, i) => BigInt(rowCounts[from + i] ?? 0));
    hash = hashTagged(TAG.owners, [hash, ...chunk]);
  }
  return hash;
}

/** A closed epoch: its chain of payments, its number, the batch of its CloseEpoch, and its amount. */
export interface ClosedEpoch {
  readonly chain: bigint;
  readonly epoch: bigint;
  readonly closingBatch: bigint;
  readonly amountWei: bigint;
}

/** Contents of a model's body that are known from its activation on. */
export interface ModelRewards {
  readonly payees: readonly Payee[];
  /** Total earnings of payee m in all settled epochs, in wei. */
  readonly accruedWei: readonly bigint[];
  /** Claimed part of `accruedWei`, at `claimedPosition(m, role)`. */
  readonly claimedWei: readonly bigint[];
  /** The opening of `closed`; null if that is 0. */
  readonly closed: ClosedEpoch | null;
}

/** A model's `closed`: H[CLOSED](chain, statics, epoch | closingBatch << 24, amountWei). `statics` is the hash. */
export function closedHash(statics: bigint, closed: ClosedEpoch): bigint {
  const { chain, epoch, closingBatch, amountWei } = closed;
  return hashTagged(TAG.closed, [chain, statics, epoch | (closingBatch << 24n), amountWei]);
}

/** Opening of a Settle's J, which ties the ledger to a settlement's proof. */
export interface SettlementTerms {
  readonly modelId: number;
  readonly voidCount: number;
  /** The model's `closed` before. */
  readonly closed: bigint;
  readonly ownerWei: bigint;
  readonly treasuryWei: bigint;
  readonly oldAccruedRoot: bigint;
  readonly newAccruedRoot: bigint;
}

/** J of a Settle. */
export function settlementHash(terms: SettlementTerms): bigint {
  return hashTagged(TAG.settlement, [
    BigInt(terms.modelId) | (BigInt(terms.voidCount) << 24n),
    terms.closed,
    terms.ownerWei,
    terms.treasuryWei,
    terms.oldAccruedRoot,
    terms.newAccruedRoot,
  ]);
}

/** Opening of an Activation's J. `statics` is the hash; `cap`: maximum payments an epoch, 16 bits. */
interface ActivationTerms {
  readonly modelId: number;
  readonly statics: bigint;
  readonly cap: number;
  readonly payeeRoot: bigint;
}

/** J of an Activation. */
export function activationHash(terms: ActivationTerms): bigint {
  return hashTagged(TAG.activation, [
    BigInt(terms.modelId),
    terms.statics,
    BigInt(terms.cap),
    0n,
    terms.payeeRoot,
    terms.payeeRoot,
  ]);
}
