/**
 * Start of the sequencer from its data directory: loads the last final batch's ledger, the batches since and the open batch
 * into memory.
 */
import { type Genesis, genesisLedger } from "@openledger/circuits/ledger/ledger";
import { hashVersions, type TreeVersion } from "@openledger/circuits/ledger/ledger-tree";
import { sequencerError } from "../sequencer-errors.ts";
import { leafWrites } from "../store/leaf-value.ts";
import type { LeafChanges, LedgerLog } from "../store/ledger-log.ts";
import type { ChainPosition, ExecutedEntry, OpenedEntry, StoredQueueEntry } from "../store/log-entry.ts";
import { corrupt } from "../store/store-failure.ts";
import { type StoreWrite, storeKeys } from "../store/store-keys.ts";
import type { StoredBatch } from "../store/stored-batch.ts";
import { UnpromisedPositions } from "../store/unpromised-positions.ts";
import { BatchRegistry } from "./batch-registry.ts";
import { type ChainRules, HeadState } from "./head-state.ts";

export interface Restored {
  readonly head: HeadState;
  readonly registry: BatchRegistry;
  /** The open batch's log entry, if it has operations. */
  readonly opened: { entry: OpenedEntry; sequence: number } | null;
  /** Queue entries that were handed over and wait to be executed. */
  readonly waiting: StoredQueueEntry[];
  /** Fee of a unit in the next batch, in wei, where one was announced. */
  readonly nextFeeWei: bigint | null;
  readonly unpromised: UnpromisedPositions;
  readonly replayedCount: number;
  /** Number of leaves in the last final batch's ledger. */
  readonly leafCount: number;
  /** Milliseconds to read leaves; to hash the tree; to replay the batches behind the final one and the open one. */
  readonly timings: { readonly readMs: number; readonly hashMs: number; readonly replayMs: number };
}

export interface RestoreOptions {
  readonly genesis: Genesis;
  readonly genesisRoot: bigint;
  readonly rules: ChainRules;
  readonly treeDepth?: number;
}

/** Batches that are looked through for one with a fee. Guess. */
const BATCHES_WITH_FEES = 50;

/**
 * Closed batches are taken over by the leaves that they changed; only the open batch is executed again.
 * @throws SEQ_STORE_INCONSISTENT, SRV_STORE_CORRUPT
 */
export async function restore(log: LedgerLog, options: RestoreOptions): Promise<Restored> {
  const final = (await log.finalPosition()) ?? (await writeGenesis(log, options));
  const readAtMs = performance.now();
  const ledger = await log.finalLedger(options.treeDepth);
  const hashAtMs = performance.now();
  ledger.nextId = final.nextId;
  requireRoot("the final snapshot", final.root, ledger.root);
  const replayAtMs = performance.now();
  const leafCount = ledger.leaves.size;
  const head = new HeadState(ledger, options.rules, final);
  const registry = new BatchRegistry(final, ledger);
  const closed = new ClosedBatches(head, registry);

  let opened: Restored["opened"] = null;
  let executed: ExecutedEntry[] = [];
  let lastSequence = final.sequence;
  // Batches of somebody else are in no entry of the log.
  const takeForeign = async (upTo: number) => {
    while (closed.lastNumber < upTo) {
      const number = closed.lastNumber + 1;
      const record = await log.batch(number);
      if (record?.isForeign !== true) return;
      const changes = await log.require<LeafChanges>(storeKeys.changes(number));
      closed.take(record, changes);
    }
  };
  for await (const [sequence, entry] of log.entries(final.sequence + 1)) {
    // Between batches there may be a gap: entries that were executed again behind it. Within one there is none.
    const isInPosition =
      entry.type === "opened" ? opened === null : opened !== null && sequence === lastSequence + 1;
    if (!isInPosition) throw missingEntry(lastSequence, sequence);
    lastSequence = sequence;
    switch (entry.type) {
      case "opened":
        await takeForeign(entry.batchNumber - 1);
        opened = { entry, sequence };
        executed = [];
        break;
      case "operation":
      case "queue":
      case "settlement":
        executed.push(entry);
        break;
      case "closed": {
        if (entry.batchNumber !== closed.lastNumber + 1) throw missingEntry(lastSequence, sequence);
        const record = await log.require<StoredBatch>(storeKeys.batch(entry.batchNumber));
        const changes = await log.require<LeafChanges>(storeKeys.changes(entry.batchNumber));
        closed.take(record, changes);
        opened = null;
        executed = [];
        break;
      }
      default:
        entry satisfies never;
    }
  }
  if (opened === null) await takeForeign(Number.POSITIVE_INFINITY);
  closed.check();
  if (opened !== null) {
    head.openNext(opened.entry);
    for (const entry of executed) replay(head, entry);
  }
  const waiting = await log.queueEntriesFrom(head.position.queueHead);
  const misplaced = waiting.findIndex(({ queueIndex }, i) => queueIndex !== head.position.queueHead + i);
  if (misplaced >= 0) {
    const queueIndex = head.position.queueHead + misplaced;
    throw corrupt(`queue entry ${queueIndex} is missing`, { queueIndex });
  }
  const timings = {
    readMs: hashAtMs - readAtMs,
    hashMs: replayAtMs - hashAtMs,
    replayMs: performance.now() - replayAtMs,
  };
  const nextFeeWei = await nextFee(log, registry, opened);
  const unpromised = await UnpromisedPositions.load(log);
  const replayedCount = executed.length;
  return { head, registry, opened, waiting, nextFeeWei, unpromised, replayedCount, leafCount, timings };
}

/** Batches whose trees are hashed together: twice as fast as one after the other, and bounded in memory. */
const BATCHES_AT_ONCE = 64;

/** Closed batches on their way into the registry: each batch's leaves have to give the root that it was closed with. */
class ClosedBatches {
  readonly #head: HeadState;
  readonly #registry: BatchRegistry;
  #unchecked: {
    readonly record: StoredBatch;
    readonly changes: LeafChanges;
    readonly version: TreeVersion;
  }[] = [];
  #lastNumber: number;

  constructor(head: HeadState, registry: BatchRegistry) {
    this.#head = head;
    this.#registry = registry;
    this.#lastNumber = registry.closedNumber;
  }

  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** @throws SEQ_STORE_INCONSISTENT */
  take(record: StoredBatch, changes: LeafChanges): void {
    const version = this.#head.applyClosed(changes, record.position);
    this.#unchecked.push({ record, changes, version });
    this.#lastNumber = record.number;
    if (this.#unchecked.length === BATCHES_AT_ONCE) this.check();
  }

  /**
   * Checks the roots of the batches taken since the last check. Call it after the last one. @throws
   * SEQ_STORE_INCONSISTENT
   */
  check(): void {
    const unchecked = this.#unchecked;
    this.#unchecked = [];
    hashVersions(unchecked.map(({ version }) => version));
    for (const { changes, record, version } of unchecked) {
      requireRoot(`batch ${record.number}`, record.position.root, version.root);
      // The hashes that came with the changes are not believed.
      const hashed = changes.map(([id, leaf]) => [id, leaf, version.leafHash(id)] as const);
      this.#registry.load(record, hashed);
    }
  }
}

/**
 * Fee of the next batch as it was announced. A directory that was made from a full node's, or from L1, has no
 * announcement: then the fee goes on from the last batch that charged anything.
 */
async function nextFee(
  log: LedgerLog,
  registry: BatchRegistry,
  opened: Restored["opened"],
): Promise<bigint | null> {
  const announced = await log.get<bigint>(storeKeys.nextFee);
  if (announced !== undefined) return announced;
  if (opened !== null) return opened.entry.feePerUnitWei;
  const last = registry.closedNumber;
  for (let number = last; number > Math.max(0, last - BATCHES_WITH_FEES); number--) {
    const batch = registry.record(number) ?? (await log.storedBatch(number));
    if (batch !== undefined && batch.signedCount > 0) return batch.feePerUnitWei;
  }
  return null;
}

function replay(head: HeadState, entry: ExecutedEntry): void {
  try {
    head.replay(entry);
  } catch (cause) {
    throw sequencerError("SEQ_STORE_INCONSISTENT", "an operation of the log cannot be executed again", {
      cause,
    });
  }
}

function missingEntry(lastSequence: number, sequence: number) {
  return corrupt(`the log lacks entries between ${lastSequence} and ${sequence}`, { lastSequence, sequence });
}

function requireRoot(what: string, expected: bigint, actual: bigint): void {
  if (expected === actual) return;
  throw sequencerError("SEQ_STORE_INCONSISTENT", `${what} has root ${expected}, its leaves give ${actual}`, {
    data: { expectedRoot: expected.toString(), actualRoot: actual.toString() },
  });
}

/** Writes that put the genesis into an empty store. @throws SEQ_STORE_INCONSISTENT where it has another root */
export function genesisWrites({ genesis, genesisRoot, treeDepth }: Omit<RestoreOptions, "rules">): {
  readonly position: ChainPosition;
  readonly writes: readonly StoreWrite[];
} {
  const ledger = genesisLedger(genesis, treeDepth);
  requireRoot("the deployment's genesis", genesisRoot, ledger.root);
  const position: ChainPosition = {
    batchNumber: 0,
    root: ledger.root,
    nextId: ledger.nextId,
    opIndex: 0,
    queueHead: 0,
    timestamp: 0n,
    sequence: -1,
  };
  return { position, writes: [...leafWrites(ledger), { key: storeKeys.finalPosition, value: position }] };
}

async function writeGenesis(log: LedgerLog, options: RestoreOptions): Promise<ChainPosition> {
  const { position, writes } = genesisWrites(options);
  await log.write(writes);
  return position;
}
