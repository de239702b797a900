/**
 * Snapshot of a data directory, a sequencer's or a full node's, as of its last final batch; snapshots.ts writes
 * it to a file.
 */
import type { ModelPayments, Payment } from "@openledger/bridge/l1/payment-history";
import type { QueueEntry } from "@openledger/bridge/l1/queue-entry";
import { type LeafState, unpackCounters } from "@openledger/circuits/ledger/leaf";
import { hex20 } from "@openledger/foundation/hex";
import { readStoreRecord } from "@openledger/foundation/store/store-identity";
import type { LedgerSnapshot } from "@openledger/verifier/replay/ledger-snapshot";
import type { Address, Hex } from "viem";
import { readEpoch, readPayments } from "../../batches/settling/stored-epochs.ts";
import { sequencerError } from "../../sequencer-errors.ts";
import { LedgerLog } from "../../store/ledger-log.ts";
import type { StoredQueueEntry } from "../../store/log-entry.ts";
import { storeKindOf } from "../../store/store-failure.ts";
import { storeKeys } from "../../store/store-keys.ts";
import type { StoredBatch } from "../../store/stored-batch.ts";

/**
 * @param blockOf L1's block that took a batch: a directory that goes on from a snapshot does not have the snapshot's
 * batch
 * @throws SEQ_WRONG_DIRECTORY for another rollup's directory; SRV_STORE_LOCKED while a process has the directory
 * open; SEQ_STORE_INCONSISTENT where it holds no ledger
 */
export async function snapshotOfDirectory(
  dataPath: string,
  rollup: { chainId: number; rollupAddress: Address },
  blockOf: (batchNumber: number) => Promise<number>,
): Promise<LedgerSnapshot> {
  const isFullNodes = readStoreRecord(dataPath)?.kind === storeKindOf("full-node");
  const owner = isFullNodes ? "full-node" : "sequencer";
  const log = await LedgerLog.open(dataPath, rollup, undefined, { owner });
  try {
    const final = await log.finalPosition();
    if (final === undefined)
      throw sequencerError("SEQ_STORE_INCONSISTENT", `${dataPath} holds no ledger`, { data: { dataPath } });
    const { leaves } = await log.finalLedger();
    const epochs = new Map<number, ModelPayments>();
    for (const [id, record] of leaves.withMore())
      if (record.rewards !== undefined) epochs.set(id, await paymentsOf(log, id, record));
    const { sequence, ...position } = final;
    const record = await log.get<StoredBatch>(storeKeys.batch(position.batchNumber));
    const blockNumber = record?.l1?.blockNumber ?? (await blockOf(position.batchNumber));
    const queued = await log.queueEntriesFrom(position.queueHead);
    const waiting = queued.filter(({ l1BlockNumber }) => l1BlockNumber < blockNumber).map(entryOf);
    return { ...rollup, position, blockNumber, waiting, leaves, epochs };
  } finally {
    await log.close();
  }
}

/** Converts a stored entry to L1's event, without its later status here. */
const entryOf = ({
  batchNumber,
  l1TransactionHash,
  sender,
  status,
  ...entry
}: StoredQueueEntry): QueueEntry => ({
  ...entry,
  sender: hex20(sender),
  l1TransactionHash: l1TransactionHash as Hex,
});

/** Payments that the leaf counts; the directory may hold later ones, too. */
async function paymentsOf(log: LedgerLog, id: number, { leaf, rewards }: LeafState): Promise<ModelPayments> {
  const { epoch, paymentCount } = unpackCounters(leaf.counters);
  const open = await read(log, id, Number(epoch), Number(paymentCount));
  const bound = rewards!.closed;
  if (bound === null) return { open: { epoch: Number(epoch), payments: open }, closed: null };
  const [closedEpoch, closingBatch] = [Number(bound.epoch), Number(bound.closingBatch)];
  const count = (await readEpoch(log, id, closedEpoch))?.paymentCount ?? 0;
  const closed = { epoch: closedEpoch, closingBatch, payments: await read(log, id, closedEpoch, count) };
  return { open: { epoch: Number(epoch), payments: open }, closed };
}

async function read(log: LedgerLog, id: number, epoch: number, count: number): Promise<Payment[]> {
  if (count === 0) return [];
  const payments = await readPayments(log, id, epoch, { from: 0, limit: count });
  return payments.map(({ hash, ...payment }) => payment);
}
