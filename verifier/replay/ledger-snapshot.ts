/**
 * A snapshot, the whole ledger after a batch, from which full nodes, restores and exits can start: its content, and the check
 * of it against itself. The state root binds the leaves, each leaf the opening of its body, and each model's leaf its payments;
 * L1 binds the root and the entries that waited in the queue (snapshot-anchor.ts, snapshot-queue.ts). So one that L1 bears out
 * can be false in nothing but what is only shown, no matter who made it: the batch numbers beside payments, and where on L1 a
 * waiting entry was queued.
 */

import { bridgeError } from "@openledger/bridge/bridge-errors";
import type { ModelPayments, Payment } from "@openledger/bridge/l1/payment-history";
import type { QueueEntry } from "@openledger/bridge/l1/queue-entry";
import {
  hashDatanetBody,
  hashModelBody,
  hashStatics,
  type LeafState,
  unpackCounters,
} from "@openledger/circuits/ledger/leaf";
import { Ledger } from "@openledger/circuits/ledger/ledger";
import { areSlots } from "@openledger/circuits/ledger/payee-shards";
import { accruedRoot, claimedRoot, closedHash, ownersCommitment } from "@openledger/circuits/ledger/rewards";
import { AMOUNT_BITS, FIELD_ORDER, LEAF_KIND, MAX_LEAF_COUNT } from "@openledger/circuits/protocol";
import { paymentChain } from "@openledger/circuits/settlement/divide-epoch";
import type { Address } from "viem";

const LEAF_ID_END = BigInt(MAX_LEAF_COUNT);
const AMOUNT_END = 1n << BigInt(AMOUNT_BITS);
const EPOCH_END = 1n << 24n;

/** Position of the chain of batches after the snapshot's. */
export interface SnapshotPosition {
  readonly batchNumber: number;
  readonly root: bigint;
  readonly nextId: number;
  readonly opIndex: number;
  readonly queueHead: number;
  readonly timestamp: bigint;
}

export interface LedgerSnapshot {
  readonly chainId: number;
  readonly rollupAddress: Address;
  readonly position: SnapshotPosition;
  /** L1's block that took the position's batch: nothing older has to be read any more. */
  readonly blockNumber: number;
  /** Queue entries of older blocks that the batch left in the queue, from the position's queueHead on. */
  readonly waiting: readonly QueueEntry[];
  readonly leaves: ReadonlyMap<number, LeafState>;
  /** Payments of every model that has had its activation. */
  readonly epochs: ReadonlyMap<number, ModelPayments>;
}

/**
 * @returns the ledger that was hashed for it: hashing a large one once is enough
 * @throws BRG_SNAPSHOT_INVALID naming the first thing that is not what the root binds
 */
export function requireConsistent(snapshot: LedgerSnapshot): Ledger {
  const { epochs, leaves, position } = snapshot;
  requireOrder(snapshot);
  const ledger = new Ledger();
  ledger.putAll(leaves);
  ledger.nextId = position.nextId;
  if (ledger.root !== position.root)
    throw snapshotFalse(`the root is stated as ${position.root}, its leaves give ${ledger.root}`);
  if (leaves.size !== position.nextId)
    throw snapshotFalse(`it has ${leaves.size} leaves, and ids up to ${position.nextId}`);
  for (const [id, record] of leaves) requireOpening(id, record);
  for (const [id, record] of leaves) {
    const payments = epochs.get(id);
    if ((record.rewards !== undefined) !== (payments !== undefined))
      throw snapshotFalse(`model ${id}'s payments are there exactly if it has had its activation`);
    if (payments !== undefined) requirePayments(id, record, payments);
  }
  for (const id of epochs.keys()) if (!leaves.has(id)) throw snapshotFalse(`there is no model ${id}`);
  return ledger;
}

/** The waiting entries are the queue's next ones, each of a block before the batch's. */
function requireOrder({ blockNumber, position, waiting }: LedgerSnapshot): void {
  for (const [i, { l1BlockNumber, queueIndex }] of waiting.entries()) {
    if (queueIndex !== position.queueHead + i)
      throw snapshotFalse(
        `the snapshot has queue entry ${queueIndex} where ${position.queueHead + i} has to`,
      );
    if (l1BlockNumber >= blockNumber)
      throw snapshotFalse(
        `queue entry ${queueIndex} is of block ${l1BlockNumber}, and waited before ${blockNumber}`,
      );
  }
}

/**
 * Requires values in range. Attack: hashes take elements modulo r, and some elements pack several values, so
 * a value beyond its range has aliases with the same hash.
 */
function requireRange(what: string, values: readonly (bigint | number)[], end: bigint): void {
  for (const value of values)
    if (value < 0 || value >= end) throw snapshotFalse(`${what} is out of its range: ${value}`);
}

const elementsOf = (part: object): bigint[] =>
  Object.values(part).filter((value): value is bigint => typeof value === "bigint");

/** Requires that a leaf's body opens to the hash in the leaf. */
function requireOpening(id: number, { datanet, leaf, model, rewards }: LeafState): void {
  if (!Object.values(LEAF_KIND).some((kind) => kind === leaf.kind))
    throw snapshotFalse(`leaf ${id} has kind ${leaf.kind}`);
  for (const part of [leaf, datanet, model, model?.statics])
    requireRange(`leaf ${id}`, elementsOf(part ?? {}), FIELD_ORDER);
  const isKind = (kind: number) => leaf.kind === kind;
  if (
    isKind(LEAF_KIND.datanet) !== (datanet !== undefined) ||
    isKind(LEAF_KIND.model) !== (model !== undefined)
  )
    throw snapshotFalse(`leaf ${id} has not the opening of its kind`);
  const body = datanet ? hashDatanetBody(datanet) : model ? hashModelBody(model) : leaf.body;
  if (body !== leaf.body) throw snapshotFalse(`leaf ${id}'s body does not open to what is there`);
  if (model === undefined) {
    if (rewards !== undefined) throw snapshotFalse(`leaf ${id} is no model and has rewards`);
    return;
  }
  if (unpackCounters(leaf.counters).isReady !== (rewards !== undefined))
    throw snapshotFalse(`model ${id} has rewards exactly if it is ready`);
  if (rewards === undefined) return;
  const { accruedWei, claimedWei, closed, payees } = rewards;
  const owners = payees.flatMap(({ contributorId, validatorId }) => [contributorId, validatorId]);
  requireRange(`model ${id}'s payee table`, owners, LEAF_ID_END);
  requireRange(`model ${id}'s rewards`, [...accruedWei, ...claimedWei], AMOUNT_END);
  if (!areSlots(payees) || accruedWei.length > payees.length)
    throw snapshotFalse(`model ${id}'s payee table has a payee without rows`);
  if (closed !== null) {
    requireRange(`model ${id}'s closed epoch`, [closed.epoch], EPOCH_END);
    requireRange(`model ${id}'s closed epoch`, elementsOf(closed), FIELD_ORDER);
  }
  const rowCounts = payees.map(({ rowCount }) => rowCount);
  const differing = Object.entries({
    "payee table": ownersCommitment(rowCounts) !== model.statics.ownersCommitment,
    "accrued rewards": accruedRoot(payees, accruedWei) !== model.accruedRoot,
    "claimed rewards": claimedRoot(claimedWei) !== model.claimedRoot,
    "closed epoch": (closed === null ? 0n : closedHash(hashStatics(model.statics), closed)) !== model.closed,
  }).find(([, differs]) => differs);
  if (differing !== undefined) throw snapshotFalse(`model ${id}'s ${differing[0]} is not what its body says`);
}

function requirePayments(id: number, { leaf, rewards }: LeafState, { open, closed }: ModelPayments): void {
  const { epoch, paymentCount } = unpackCounters(leaf.counters);
  requireChain(`model ${id}'s open epoch`, open.payments, { chain: leaf.chain, amountWei: leaf.openAmount });
  if (BigInt(open.epoch) !== epoch || BigInt(open.payments.length) !== paymentCount)
    throw snapshotFalse(`model ${id}'s open epoch is another`);
  const bound = rewards!.closed;
  if ((bound === null) !== (closed === null)) throw snapshotFalse(`model ${id}'s closed epoch is another`);
  if (bound === null || closed === null) return;
  requireChain(`model ${id}'s closed epoch`, closed.payments, bound);
  if (BigInt(closed.epoch) !== bound.epoch || BigInt(closed.closingBatch) !== bound.closingBatch)
    throw snapshotFalse(`model ${id}'s closed epoch is another`);
}

function requireChain(
  what: string,
  payments: readonly Payment[],
  bound: { chain: bigint; amountWei: bigint },
): void {
  for (const { amountWei, cumulativeWei, payerId, receipt } of payments) {
    requireRange(what, [payerId], LEAF_ID_END);
    requireRange(what, [amountWei, cumulativeWei], AMOUNT_END);
    requireRange(what, [receipt], FIELD_ORDER);
  }
  if (paymentChain(payments) !== bound.chain) throw snapshotFalse(`${what} has another chain of payments`);
  let sumWei = 0n;
  for (const { amountWei, cumulativeWei } of payments) {
    sumWei += amountWei;
    // The chain binds the sums; the amounts follow from them.
    if (sumWei !== cumulativeWei) throw snapshotFalse(`${what} has amounts that do not add up`);
  }
  if (sumWei !== bound.amountWei) throw snapshotFalse(`${what} has another amount`);
}

export function snapshotFalse(why: string, cause?: unknown) {
  return bridgeError("BRG_SNAPSHOT_INVALID", `the snapshot is false: ${why}`, {
    data: { reason: "false", why },
    cause,
  });
}
