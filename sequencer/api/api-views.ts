/** Response bodies of the HTTP API: the sequencer's records as JSON (docs/reference/api.md). */

import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import { blobElements } from "@openledger/circuits/blob/blob-elements";
import { concatBytes, toBytesBe } from "@openledger/circuits/field/element-vector";
import {
  type LeafState,
  type ModelBody,
  unpackBinding,
  unpackCounters,
} from "@openledger/circuits/ledger/leaf";
import { unpackSplit } from "@openledger/circuits/ledger/rewards";
import { BINDING_BITS, KIND, KIND_RULES, kindRule, LEAF_KIND } from "@openledger/circuits/protocol";
import { parseTableName, postedShape } from "@openledger/circuits/table/table-shape";
import { encodeOperation } from "@openledger/circuits/wire/operation-body";
import type { chainAnswer, readyBatchesAnswer } from "@openledger/circuits/wire/operator-api";
import { proofJson } from "@openledger/circuits/wire/wire-fields";
import { hex20, hex32 } from "@openledger/foundation/hex";
import type { z } from "zod";
import type { BatchPipeline } from "../batches/batch-pipeline.ts";
import type { StoredQueueEntry } from "../store/log-entry.ts";
import type { KnownOperation, KnownQueueEntry } from "../store/operation-status.ts";
import { type EntryPosting, entriesOf } from "../store/settlement-posting.ts";
import { narrowSlotsOf, type StoredBatch } from "../store/stored-batch.ts";
import type { LedgerHost } from "./api-options.ts";
import type { PostedLeaf } from "./posted-tree.ts";

const kindName = (kind: number) => kindRule(kind)?.name ?? "unknown";
const bytesToHex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString("hex")}`;

export function leafView(
  sequencer: Pick<LedgerHost, "pipeline" | "mempool">,
  id: number,
  { leaf, datanet, model }: LeafState,
) {
  const { registry } = sequencer.pipeline;
  const posted = registry.leafAfter(registry.reached("posted"), id);
  return {
    id,
    kind: Object.entries(LEAF_KIND).find(([, kind]) => kind === leaf.kind)?.[0] ?? "unknown",
    nonce: Number(leaf.nonce),
    nextNonce: Number(sequencer.mempool.nextNonce(id, leaf.nonce)),
    l1Owner: hex20(leaf.l1Owner),
    keyX: hex32(leaf.keyX),
    balanceWei: leaf.balance.toString(),
    postedBalanceWei: posted === undefined ? null : posted.leaf.balance.toString(),
    chain: hex32(leaf.chain),
    openAmountWei: leaf.openAmount.toString(),
    counters: countersView(leaf.kind, leaf.counters),
    ...(datanet === undefined
      ? {}
      : {
          datanet: {
            version: Number(datanet.version),
            rowCount: Number(datanet.rowCount),
            publishedAt: Number(datanet.publishedAt),
            policy: hex32(datanet.policy),
            rowsRoot: hex32(datanet.rowsRoot),
            ownersCommitment: hex32(datanet.ownersCommitment),
            payeeRoot: hex32(datanet.payeeRoot),
          },
        }),
    ...(model === undefined ? {} : { model: modelView(model) }),
  };
}

/** The leaf's fields as the tree commits to them: counters and body packed. */
export function postedLeafView(id: number, { batchNumber, root, leaf, rows }: PostedLeaf) {
  return {
    id,
    batchNumber,
    root: hex32(root),
    leaf: {
      kind: leaf.kind,
      nonce: hex32(leaf.nonce),
      l1Owner: hex32(leaf.l1Owner),
      keyX: hex32(leaf.keyX),
      balance: hex32(leaf.balance),
      chain: hex32(leaf.chain),
      openAmount: hex32(leaf.openAmount),
      counters: hex32(leaf.counters),
      body: hex32(leaf.body),
    },
    rows: rows.map((row) => row.map(hex32)),
  };
}

function countersView(kind: number, counters: bigint): object {
  if (kind === LEAF_KIND.datanet) return { rowCount: Number(counters) };
  if (kind !== LEAF_KIND.model) return {};
  const { isReady, isApproved, approvals, cap, paymentCount, epoch, priceWei } = unpackCounters(counters);
  return {
    isReady,
    isApproved,
    approvals,
    cap: Number(cap),
    paymentCount: Number(paymentCount),
    epoch: Number(epoch),
    priceWei: priceWei.toString(),
  };
}

function modelView({ statics, closed, accruedRoot, claimedRoot, epochStart }: ModelBody) {
  const { datanetId, version, rowCount, predecessorId, drawBits, featureCount, furtherDatanets } =
    unpackBinding(statics.binding);
  // A proof bounds the signer's binding only where the model is approved or ready.
  const isBinding = statics.binding >> BINDING_BITS === 0n;
  const { ownerParts, validatorParts } = unpackSplit(statics.split);
  return {
    featuresCommitment: hex32(statics.featuresCommitment),
    ownersCommitment: hex32(statics.ownersCommitment),
    payeeRoot: hex32(statics.payeeRoot),
    binding: hex32(statics.binding),
    datanetId: Number(datanetId),
    version: Number(version),
    rowCount: Number(rowCount),
    ownerParts: Number(ownerParts),
    validatorParts: Number(validatorParts),
    predecessorId: Number(predecessorId),
    drawCount: 2 ** Number(drawBits),
    featureCount: isBinding ? Number(featureCount) : null,
    furtherDatanets: isBinding ? furtherDatanets : [],
    closed: hex32(closed),
    accruedRoot: hex32(accruedRoot),
    claimedRoot: hex32(claimedRoot),
    epochStart: Number(epochStart),
  };
}

export function operationView(sequencer: Pick<LedgerHost, "pipeline">, known: KnownOperation, nowMs: number) {
  const { hash, operation, status, entry, batch, preconfirmation, reason } = known;
  const { estimates, openedAtMs } = sequencer.pipeline;
  return {
    hash,
    ...encodeOperation(operation),
    createdId: entry?.createdId ?? null,
    status,
    opIndex: entry?.opIndex ?? null,
    batchNumber: entry?.batchNumber ?? null,
    slot: entry?.slot ?? null,
    feeWei: entry?.feeWei.toString() ?? null,
    acknowledgedAtMs: entry?.acknowledgedAtMs ?? null,
    l1TransactionHash: batch?.l1?.transactionHash ?? null,
    preconfirmation,
    reason: reason?.code ?? null,
    error: reason?.toJSON() ?? null,
    estimatedReadyAtMs:
      entry === null ? {} : estimates.readyAtMs(openedAtMs ?? entry.acknowledgedAtMs, batch, nowMs),
  };
}

/** An executed queue entry among the operations of a leaf: its index in the queue is its name. */
export const leafOperationView = (
  sequencer: Pick<LedgerHost, "pipeline">,
  known: KnownOperation | KnownQueueEntry,
  nowMs: number,
) =>
  "hash" in known
    ? operationView(sequencer, known, nowMs)
    : {
        ...queueView(known.record),
        hash: null,
        createdId: known.createdId,
        status: known.status,
        opIndex: known.opIndex,
        acknowledgedAtMs: known.batch?.closedAtMs ?? null,
      };

const recordView = (record: SlotRecord, slot: number) => ({
  slot,
  kind: kindName(record.kind),
  a: record.a,
  b: record.b,
  amountCode: record.amountCode.toString(),
  isValid: record.isValid,
  words: record.words.map(hex32),
});

const NULL_KIND = kindName(KIND.null);

export function batchView(batch: StoredBatch) {
  // Between the sections of a leaf table stand empty slots.
  const narrow = batch.narrow.map(recordView).filter(({ kind }) => kind !== NULL_KIND);
  const narrowSlots = narrowSlotsOf(batch.circuit);
  return {
    number: batch.number,
    status: batch.status,
    batchHash: batch.batchHash,
    timestamp: batch.timestamp,
    oldRoot: hex32(batch.oldRoot),
    newRoot: hex32(batch.position.root),
    circuit: batch.circuit,
    counts: {
      operations: narrow.length + batch.wide.length,
      signed: batch.signedCount,
      narrow: narrow.length,
      wide: batch.wide.length,
      settlements: batch.settlements.length,
    },
    firstOpIndex: batch.position.opIndex - batch.signedCount,
    newNextId: batch.position.nextId,
    feePerUnitWei: batch.feePerUnitWei.toString(),
    feeAccountId: batch.feeAccountId,
    dataBytes: batch.settlements
      .flatMap((settlement) => entriesOf<EntryPosting>(settlement))
      .reduce((sum, { wire }) => sum + wire.length, batch.wire.length),
    commitment: hex32(batch.commitment),
    records: [...narrow, ...batch.wide.map((record, i) => recordView(record, narrowSlots + i))],
    openedAtMs: batch.openedAtMs,
    closedAtMs: batch.closedAtMs,
    provenAtMs: batch.proof?.provenAtMs ?? null,
    postedAtMs: batch.postedAtMs,
    proveMs:
      batch.proof === null ? null : Object.values(batch.proof.timings).reduce((sum, ms) => sum + ms, 0),
    backend: batch.proof?.backend ?? null,
    rebuildCount: batch.rebuildCount,
    isForeign: batch.isForeign === true,
    l1TransactionHash: batch.l1?.transactionHash ?? null,
    l1BlockNumber: batch.l1?.blockNumber ?? null,
    gasUsed: batch.l1?.gasUsed ?? null,
  };
}

/** A batch as the bridge takes it to L1. */
export function readyView(batch: StoredBatch): z.input<typeof readyBatchesAnswer>[number] {
  const takers = batch.wide.filter(({ kind }) => kindRule(kind)?.isSettlement);
  return {
    batchNumber: batch.number,
    batchHash: batch.batchHash,
    circuit: batch.circuit,
    commitment: hex32(batch.commitment),
    data: bytesToHex(batch.wire),
    proof: proofJson(batch.proof!.proof),
    ...blobOf(batch),
    settlements: batch.settlements.map(({ further, ...first }, i) => ({
      settles: settlesOf(takers[i]!),
      ...readyEntry(first),
      ...(further === undefined ? {} : { further: further.map(readyEntry) }),
    })),
    status: batch.status,
    timestamp: batch.timestamp,
  };
}

const readyEntry = ({ circuit, proof, publicSignals, wire }: EntryPosting) => ({
  circuit,
  commitment: hex32(publicSignals[0]),
  data: bytesToHex(wire),
  proof: proofJson(proof),
});

/**
 * Field elements of the batch's blob. They follow from the record, so nothing of a blob is stored for its transaction.
 */
function blobOf({ circuit, narrow }: StoredBatch): { blobElements?: string } {
  const table = parseTableName(circuit);
  if (table?.isBlob !== true) return {};
  const elements = blobElements({ shape: postedShape(table), narrow });
  const count = elements.findLastIndex((element) => element !== 0n) + 1;
  return { blobElements: bytesToHex(concatBytes(elements.slice(0, count).map((d) => toBytesBe(d, 32)))) };
}

/** A Settle's model and J; null for an Activation. */
const settlesOf = ({ b: modelId, kind, words }: SlotRecord) =>
  kind === KIND.settle ? { modelId, word: hex32(words[0]!) } : null;

/**
 * Position of the chain after each batch that L1 may have. The bridge compares it with L1.
 * @param finalBlockNumber L1's block that took the last final batch, or an earlier one
 */
export function chainView(
  { registry, malformed }: Pick<BatchPipeline, "registry" | "malformed">,
  finalBlockNumber: number | null,
): z.input<typeof chainAnswer> {
  const { finalNumber, closedNumber } = registry;
  const numbers = Array.from({ length: closedNumber - finalNumber + 1 }, (_, i) => finalNumber + i);
  return {
    finalNumber,
    ...(finalBlockNumber === null ? {} : { finalBlockNumber }),
    ...(malformed === null ? {} : { malformedBatch: malformed.batchNumber }),
    positions: numbers.map((number) => {
      const { batchNumber, opIndex, queueHead, root } = registry.positionAfter(number);
      const record = registry.record(number);
      const own = record === undefined ? {} : { batchHash: record.batchHash, status: record.status };
      return { batchNumber, root: hex32(root), opIndex, queueHead, ...own };
    }),
  };
}

export function queueView(entry: StoredQueueEntry) {
  return {
    queueIndex: entry.queueIndex,
    kind: kindName(entry.kind),
    a: entry.a,
    b: entry.b,
    amountWei: entry.amountWei.toString(),
    word1: hex32(entry.word1),
    word2: hex32(entry.word2),
    word3: hex32(entry.word3),
    word4: hex32(entry.word4),
    sender: hex20(entry.sender),
    l1BlockNumber: entry.l1BlockNumber,
    l1TransactionHash: entry.l1TransactionHash,
    status: entry.status,
    batchNumber: entry.batchNumber,
  };
}

export function statusView(sequencer: Pick<LedgerHost, "pipeline" | "log" | "mempool" | "mode" | "news">) {
  const { pipeline, log, mempool } = sequencer;
  const { head, registry, l1Head, queueSeenIndex } = pipeline;
  const { root, nextId, opIndex, queueHead, batchNumber } = head.position;
  const { closeMs, proveMs, postMs, finalMs } = pipeline.estimates.medians;
  return {
    head: {
      root: hex32(root),
      nextId,
      opIndex,
      batchNumber: head.openBatch?.number ?? batchNumber + 1,
      operationCount: head.openBatch?.operationCount ?? 0,
    },
    batches: {
      closed: registry.closedNumber,
      proven: registry.reached("proven"),
      submitted: registry.reached("submitted"),
      posted: registry.reached("posted"),
      final: registry.finalNumber,
      pruned: log.prunedTo?.batchNumber ?? 0,
    },
    mempool: { pending: mempool.size },
    ...(sequencer.mode === undefined ? {} : { mode: sequencer.mode }),
    queue: { seenIndex: queueSeenIndex, consumedIndex: queueHead },
    l1: { blockNumber: l1Head?.blockNumber ?? 0, timestamp: l1Head?.timestamp ?? 0 },
    estimates: { closeMs, proveMs, postMs, finalMs },
    ...(pipeline.data === undefined ? {} : { data: pipeline.data.view }),
    ...(sequencer.news === undefined ? {} : { operator: sequencer.news.view }),
  };
}

/** Fee units by the names of the signed kinds. */
export const weightsView: Readonly<Record<string, number>> = Object.fromEntries(
  KIND_RULES.filter((rule) => rule.isSigned).map(({ name, weight }) => [name, weight]),
);
