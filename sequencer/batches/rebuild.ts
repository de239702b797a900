/**
 * Closes again, with a later timestamp, batches that L1 would no longer take. batch-pipeline.ts calls it.
 *
 * They keep their numbers, their operations and the order of these: preconfirmations count operations, so no promise
 * breaks. Every later batch has to follow, since timestamps never decrease. The log's opened entries are written
 * over, all in one atomic write; until that is durable, a restart finds the old batches and starts over.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { LeafState } from "@openledger/circuits/ledger/leaf";
import { sequencerError } from "../sequencer-errors.ts";
import type { LedgerLog } from "../store/ledger-log.ts";
import type { OpenedEntry } from "../store/log-entry.ts";
import { type StoreWrite, storeKeys } from "../store/store-keys.ts";
import type { StoredBatch } from "../store/stored-batch.ts";
import type { BatchRegistry } from "./batch-registry.ts";
import { closeBatch, type SourceChooser } from "./close-batch.ts";
import type { HeadState } from "./head-state.ts";

/**
 * Rebuilds batch `fromNumber` and all after it, the open one included. The caller keeps everybody else out.
 * @returns the new records and the open batch's new log entry
 * @throws SEQ_STORE_INCONSISTENT where an acknowledged operation cannot be executed again
 */
export async function rebuildBatches(
  modules: { head: HeadState; registry: BatchRegistry; log: LedgerLog; data: SourceChooser },
  options: { fromNumber: number; l1Timestamp: bigint; nowMs: number },
): Promise<{ rebuilt: StoredBatch[]; opened: { entry: OpenedEntry; sequence: number } | null }> {
  const { head, registry, log } = modules;
  const { fromNumber, l1Timestamp, nowMs } = options;
  await log.flushed();
  const oldRecords = new Map<number, StoredBatch>();
  const touched = new Set(head.openTouched);
  for (let number = fromNumber; number <= registry.closedNumber; number++) {
    oldRecords.set(number, registry.record(number)!);
    for (const [id] of registry.changesOf(number)) touched.add(id);
  }
  const position = registry.positionAfter(fromNumber - 1);
  head.rollBack(
    new Map<number, LeafState | undefined>(
      [...touched].map((id) => [id, registry.leafAfter(fromNumber - 1, id)]),
    ),
    position,
  );

  const writes: StoreWrite[] = [];
  const rebuilt: StoredBatch[] = [];
  let opened: { entry: OpenedEntry; sequence: number } | null = null;
  for await (const [sequence, entry] of log.entries(position.sequence + 1, log.lastSequence)) {
    switch (entry.type) {
      case "opened": {
        opened = { entry: { ...entry, timestamp: head.nextTimestamp(l1Timestamp) }, sequence };
        head.openNext(opened.entry);
        writes.push({ key: storeKeys.log(sequence), value: opened.entry });
        break;
      }
      case "operation":
      case "queue":
      case "settlement":
        try {
          head.replay(entry);
        } catch (cause) {
          throw sequencerError("SEQ_STORE_INCONSISTENT", `batch ${entry.batchNumber} cannot be rebuilt`, {
            data: { batchNumber: entry.batchNumber, slot: entry.slot },
            cause,
          });
        }
        break;
      case "closed": {
        const old = oldRecords.get(entry.batchNumber)!;
        const closed = closeBatch(modules, {
          openedAtMs: old.openedAtMs,
          closedAtMs: nowMs,
          firstSequence: old.firstSequence,
          sequence,
          rebuildCount: old.rebuildCount + 1,
        });
        rebuilt.push(closed.record);
        writes.push(...closed.writes);
        opened = null;
        // A batch takes a second or so; others (health checks) get their turn in between.
        await nextTurn();
        break;
      }
      default:
        entry satisfies never;
    }
  }
  await log.write(writes);
  return { rebuilt, opened };
}
