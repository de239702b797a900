/** Models, their epochs, rewards and settlements as JSON (docs/reference/api.md). */

import {
  DEFAULT_SPLIT_DELAY_SECONDS,
  OPEN_SETTLEMENT_DELAY_SECONDS,
  RANDOMNESS_DELAY_BLOCKS,
} from "@openledger/bridge/l1/settlement-times";
import type { LeafState } from "@openledger/circuits/ledger/leaf";
import { hashStatics, unpackCounters } from "@openledger/circuits/ledger/leaf";
import {
  claimedPosition,
  type ModelRewards,
  PAYEE_ROLE,
  type PayeeRole,
  roleShareWei,
  unpackSplit,
} from "@openledger/circuits/ledger/rewards";
import { KIND } from "@openledger/circuits/protocol";
import { drawSeed } from "@openledger/circuits/settlement/settlement-split";
import { hex32 } from "@openledger/foundation/hex";
import type { EpochCloseOnL1 } from "../batches/from-l1/epoch-close-on-l1.ts";
import type { KnownSettlement, WaitingSettlement } from "../batches/settling/settlement-service.ts";
import type { StoredEpoch, StoredPayment } from "../batches/settling/stored-epochs.ts";
import { operationStatusOf } from "../store/operation-status.ts";
import { postedBy, postingJson } from "../store/settlement-posting.ts";

/** Earned, claimed and claimable wei of a payee in one role, at the ledger's head. */
function roleView(rewards: ModelRewards, payeeIndex: number, role: PayeeRole, validatorParts: bigint) {
  const earnedWei = roleShareWei(rewards.accruedWei[payeeIndex] ?? 0n, role, validatorParts);
  const claimedWei = rewards.claimedWei[claimedPosition(payeeIndex, role)] ?? 0n;
  return {
    earnedWei: earnedWei.toString(),
    claimedWei: claimedWei.toString(),
    claimableWei: (earnedWei - claimedWei).toString(),
  };
}

/** A model's payees with their accrued amounts; empty before the activation. */
export function payeesView({ model, rewards }: LeafState) {
  if (rewards === undefined) return [];
  const { validatorParts } = unpackSplit(model!.statics.split);
  return rewards.payees.map(({ contributorId, validatorId, rowCount }, index) => ({
    index,
    contributorId,
    validatorId,
    rowCount,
    accruedWei: (rewards.accruedWei[index] ?? 0n).toString(),
    contributor: roleView(rewards, index, PAYEE_ROLE.contributor, validatorParts),
    validator: roleView(rewards, index, PAYEE_ROLE.validator, validatorParts),
  }));
}

/** Every payee of every model in which a leaf earns, in both roles. */
export function rewardsView(records: Iterable<[id: number, record: LeafState]>, leafId: number) {
  const rewards = [];
  let claimableWei = 0n;
  for (const [modelId, record] of records) {
    if (record.rewards === undefined) continue;
    const { validatorParts } = unpackSplit(record.model!.statics.split);
    for (const [payeeIndex, payee] of record.rewards.payees.entries()) {
      // No payee: its ids are those of the treasury.
      if (payee.rowCount === 0) continue;
      for (const [role, id] of [
        ["contributor", payee.contributorId],
        ["validator", payee.validatorId],
      ] as const) {
        if (id !== leafId) continue;
        const amounts = roleView(record.rewards, payeeIndex, PAYEE_ROLE[role], validatorParts);
        claimableWei += BigInt(amounts.claimableWei);
        rewards.push({ modelId, payeeIndex, role, rowCount: payee.rowCount, ...amounts });
      }
    }
  }
  return { leafId, claimableWei: claimableWei.toString(), rewards };
}

/** Time and randomness with which a closed epoch can be settled; null parts are not on L1 yet. */
function closeView(
  modelId: number,
  epoch: { epoch: bigint; chain: bigint },
  close: EpochCloseOnL1 | undefined,
) {
  if (close === undefined) {
    return {
      closedAtBlock: null,
      closedAtSeconds: null,
      randomnessBlock: null,
      prevRandao: null,
      seed: null,
      isRandomnessMissed: false,
      anyoneSettlesFromSeconds: null,
      defaultSplitFromSeconds: null,
    };
  }
  const { blockNumber, isMissed, prevRandao, timestamp } = close;
  return {
    closedAtBlock: blockNumber,
    closedAtSeconds: timestamp,
    randomnessBlock: blockNumber + RANDOMNESS_DELAY_BLOCKS,
    prevRandao: prevRandao === null ? null : hex32(prevRandao),
    seed: prevRandao === null ? null : hex32(drawSeed({ ...epoch, prevRandao, modelId })),
    isRandomnessMissed: isMissed,
    anyoneSettlesFromSeconds: timestamp + OPEN_SETTLEMENT_DELAY_SECONDS,
    defaultSplitFromSeconds: timestamp + DEFAULT_SPLIT_DELAY_SECONDS,
  };
}

/** The model's closed epoch, null where none waits for its settlement. */
export function closedView(
  modelId: number,
  { model, rewards }: LeafState,
  close: EpochCloseOnL1 | undefined,
) {
  const closed = rewards?.closed ?? null;
  if (closed === null) return null;
  return {
    epoch: Number(closed.epoch),
    closingBatch: Number(closed.closingBatch),
    amountWei: closed.amountWei.toString(),
    chain: hex32(closed.chain),
    closed: hex32(model!.closed),
    ...closeView(modelId, closed, close),
  };
}

/** An epoch and a page of its payments; `record` is undefined while it is open. */
export function paymentsView(
  modelId: number,
  leaf: LeafState,
  epoch: number,
  found: {
    record: StoredEpoch | undefined;
    close: EpochCloseOnL1 | undefined;
    payments: readonly StoredPayment[];
  },
) {
  const { payments, record, close } = found;
  const { paymentCount } = unpackCounters(leaf.leaf.counters);
  return {
    modelId,
    epoch,
    statics: hex32(hashStatics(leaf.model!.statics)),
    isClosed: record !== undefined,
    closingBatch: record?.closingBatch ?? null,
    chain: hex32(record?.chain ?? leaf.leaf.chain),
    amountWei: (record?.amountWei ?? leaf.leaf.openAmount).toString(),
    paymentCount: record?.paymentCount ?? Number(paymentCount),
    ...(record === undefined ? {} : closeView(modelId, { epoch: BigInt(epoch), chain: record.chain }, close)),
    payments: payments.map(
      ({ amountWei, batchNumber, cumulativeWei, hash, payerId, queueIndex, receipt }) => ({
        hash,
        queueIndex: queueIndex ?? null,
        receipt: hex32(receipt),
        payerId,
        amountWei: amountWei.toString(),
        cumulativeWei: cumulativeWei.toString(),
        batchNumber,
      }),
    ),
  };
}

export function settlementView({ batch, entry }: KnownSettlement) {
  const { acknowledgedAtMs, batchNumber, epoch, hash, operation, posting, slot } = entry;
  const posted = postedBy(posting);
  const amounts =
    operation.kind === KIND.settle
      ? {
          voidCount: operation.voidCount,
          ownerWei: operation.ownerWei.toString(),
          treasuryWei: operation.treasuryWei.toString(),
          burnedWei: operation.burnedWei.toString(),
          earnedSumWei: operation.earnedWei.reduce((sum, wei) => sum + wei, 0n).toString(),
          earnedWei: operation.earnedWei.map(String),
          closingBatch: Number(posted.closingBatch),
          chain: hex32(posted.chain),
        }
      : { cap: operation.cap, payees: operation.payees };
  return {
    modelId: operation.modelId,
    epoch,
    kind: operation.kind === KIND.settle ? "settle" : "activation",
    settlementHash: hash,
    status: operationStatusOf(batch),
    batchNumber,
    slot,
    acknowledgedAtMs,
    l1TransactionHash: batch?.l1?.transactionHash ?? null,
    ...amounts,
    ...postingJson(posting),
  };
}

export function preVerifiedView({ circuit, epoch, modelId, reason, settlement, word }: WaitingSettlement) {
  const settlementHash = hex32(word);
  const isTaken = settlement?.entry.hash === settlementHash;
  return {
    modelId,
    epoch,
    settlementHash,
    circuit,
    // Status of the batch that takes it; "superseded" where the epoch was settled otherwise.
    status: settlement === null ? "waiting" : isTaken ? operationStatusOf(settlement.batch) : "superseded",
    batchNumber: isTaken ? settlement.entry.batchNumber : null,
    reason: settlement === null ? reason : null,
  };
}
