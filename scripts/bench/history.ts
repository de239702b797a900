/**
 * A sequencer with a long history of made-up transfers; then the real process starts on it. The newest operations go through the real log,
 * and the last segments are moved out of it. Older segments are written as the move writes them, without the way through the
 * log: that takes a fifth of the time. Leaves stay as they were, since the store does not care.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { genesisLedger, type Ledger } from "@openledger/circuits/ledger/ledger";
import { KIND } from "@openledger/circuits/protocol";
import { encodeDeployment, genesisOf } from "@openledger/circuits/registry/deployment";
import { type Pair, SortedTableWriter } from "@openledger/foundation/store/sorted-table";
import {
  HISTORY_FOLDER,
  SEGMENT_BLOCK_BYTES,
  SEGMENT_OPERATIONS,
  type StoredSegment,
} from "@openledger/sequencer/store/history/history";
import { SegmentIndex } from "@openledger/sequencer/store/history/history-index";
import { leafWrites } from "@openledger/sequencer/store/leaf-value";
import { LedgerLog } from "@openledger/sequencer/store/ledger-log";
import type { ChainPosition, LogEntry, OperationEntry } from "@openledger/sequencer/store/log-entry";
import { storeEncoding } from "@openledger/sequencer/store/store-encoding";
import { storeKeys } from "@openledger/sequencer/store/store-keys";
import type { StoredBatch } from "@openledger/sequencer/store/stored-batch";
import { startChild, stopChild } from "@openledger/sequencer/testing/child-sequencer";
import { processTime } from "@openledger/sequencer/testing/process-time";
import { TEST_ROLLUP, testDeployment, testEnvironment } from "@openledger/sequencer/testing/test-rollup";

/** Of a batch, as of the table that ships. */
const BATCH_OPERATIONS = 640;
const LEAF_IDS = 100_000;
const COLD_READS = 50;
/** Batches on the way to the disk. */
const BATCHES_AHEAD = 8;

const hashOf = (text: string) => `0x${createHash("sha256").update(text).digest("hex")}` as const;
const field = (text: string) => BigInt(hashOf(text)) >> 4n;

export interface HistoryBenchOptions {
  readonly operations: number;
  /** Of the process; what stays in the store. */
  readonly hotOperations: number;
  readonly folder: string;
  readonly progress: (text: string) => void;
}

export async function benchHistory({ folder, hotOperations, operations, progress }: HistoryBenchOptions) {
  await initPoseidon();
  const deployment = await testDeployment();
  const dataPath = join(folder, "ledger");
  const deploymentPath = join(folder, "deployment.json");
  writeFileSync(deploymentPath, encodeDeployment(deployment));
  const ledger = genesisLedger(genesisOf(deployment));
  await fill(dataPath, ledger, { operations, hotOperations, progress });
  const environment = testEnvironment(dataPath, {
    SEQUENCER_DEPLOYMENT_PATH: deploymentPath,
    SEQUENCER_HOT_OPERATIONS: String(hotOperations),
    SEQUENCER_LOG_LEVEL: "info",
  });
  const startedAtMs = performance.now();
  const child = await startChild(environment);
  const startSeconds = rounded((performance.now() - startedAtMs) / 1_000);
  // What it would take on a machine that does nothing else.
  const startProcessorSeconds = rounded(processTime(child.process.pid!).totalMs / 1_000);
  try {
    const coldReadMs = await coldReads(child.url, operations - hotOperations);
    return {
      ...{ operations, startSeconds, hotBytes: bytesIn(dataPath), coldReadMs, startProcessorSeconds },
      historyBytes: bytesIn(join(dataPath, HISTORY_FOLDER)),
    };
  } finally {
    await stopChild(child);
  }
}

/** Goes on where an earlier run ended. */
async function fill(
  dataPath: string,
  ledger: Ledger,
  { hotOperations, operations, progress }: Omit<HistoryBenchOptions, "folder">,
): Promise<void> {
  const failed = (error: unknown) => {
    throw error;
  };
  const open = () =>
    LedgerLog.open(dataPath, TEST_ROLLUP, failed, { history: { hotOperations, onSegmentFailed: failed } });
  let log = await open();
  if ((await log.finalPosition()) === undefined) {
    const { nextId, root } = ledger;
    const places = { batchNumber: 0, opIndex: 0, queueHead: 0, timestamp: 1_800_000_000n, sequence: -1 };
    const value: ChainPosition = { ...places, root, nextId };
    await log.write([...leafWrites(ledger), { key: storeKeys.finalPosition, value }]);
  }
  let position = (await log.finalPosition())!;
  mkdirSync(join(dataPath, HISTORY_FOLDER), { recursive: true });
  // The log is empty until then.
  while (position.opIndex + SEGMENT_OPERATIONS <= operations - hotOperations - 2 * SEGMENT_OPERATIONS) {
    const segment = await writeSegment(log, position);
    position = segment.position;
    await log.write([
      { key: storeKeys.segment(segment.number), value: segment.value },
      { key: storeKeys.finalPosition, value: position },
    ]);
    await log.close();
    log = await open();
    progress(`${position.opIndex} operations, segment ${segment.number}`);
  }
  const waiting: Promise<void>[] = [];
  while (position.opIndex < operations) {
    const batch = makeBatch(position, log.lastSequence + 1);
    position = batch.position;
    waiting.push(
      log.append(batch.entries, [
        { key: storeKeys.batch(position.batchNumber), value: batch.record },
        { key: storeKeys.finalPosition, value: position },
      ]),
    );
    while (waiting.length > BATCHES_AHEAD) await waiting.shift();
    // A sequencer is not that fast: what moves keeps up with it.
    if (position.batchNumber % 100 === 0) await log.historyMoved();
    if (position.batchNumber % 200 === 0)
      progress(`${position.opIndex} operations, ${log.history.segments.length} segments`);
  }
  await Promise.all(waiting);
  await log.historyMoved();
  await log.checkTables();
  await log.close();
}

/** The next segment, in the format of `History`'s. */
async function writeSegment(log: LedgerLog, after: ChainPosition) {
  const number = log.history.segments.length;
  const path = (sort: "records" | "index") => log.history.pathOf({ number } as StoredSegment, sort);
  const index = new SegmentIndex();
  const batches: Pair[] = [];
  const entries: Pair[] = [];
  let position = after;
  while (position.opIndex - after.opIndex < SEGMENT_OPERATIONS) {
    const batch = makeBatch(position, position.sequence + 1);
    position = batch.position;
    const key = storeKeys.batch(position.batchNumber);
    index.addBatch(key, batch.record);
    batches.push([key, storeEncoding.encode(batch.record)]);
    for (const [i, entry] of batch.entries.entries()) {
      index.addEntry(batch.record.firstSequence + i, entry);
      entries.push([storeKeys.log(batch.record.firstSequence + i), storeEncoding.encode(entry)]);
    }
  }
  const writer = await SortedTableWriter.create(path("records"), SEGMENT_BLOCK_BYTES.records);
  await writer.add(batches);
  await writer.add(entries);
  const names = await SortedTableWriter.create(path("index"), SEGMENT_BLOCK_BYTES.index);
  for await (const some of index.sorted()) await names.add(some);
  const value: StoredSegment = {
    ...{ number, after, to: position, epochs: [], isPruned: true },
    records: await writer.finish(),
    index: await names.finish(),
  };
  return { number, position, value };
}

function makeBatch(before: ChainPosition, firstSequence: number) {
  const number = before.batchNumber + 1;
  const timestamp = before.timestamp + 1n;
  const terms = { timestamp, feePerUnitWei: 1000n, feeAccountId: 1 };
  const operations = Array.from({ length: BATCH_OPERATIONS }, (_, slot) =>
    transferOf(before.opIndex + slot, number, slot),
  );
  const entries: LogEntry[] = [
    { type: "opened", batchNumber: number, openedAtMs: Number(timestamp), ...terms },
    ...operations,
    { type: "closed", batchNumber: number },
  ];
  const opIndex = before.opIndex + BATCH_OPERATIONS;
  const sequence = firstSequence + entries.length - 1;
  const position = { ...before, batchNumber: number, timestamp, opIndex, sequence };
  return { position, entries, record: recordOf(position, firstSequence, operations) };
}

function transferOf(opIndex: number, batchNumber: number, slot: number): OperationEntry {
  const name = `operation ${opIndex}`;
  const [a, b] = [2 + ((opIndex * 7_919) % LEAF_IDS), 2 + ((opIndex * 104_729 + 1) % LEAF_IDS)];
  const signature = { r8x: field(`${name} x`), r8y: field(`${name} y`), s: field(`${name} s`) };
  const operation = {
    ...{ kind: KIND.transfer, a, b, amountCode: BigInt(1 + (opIndex % 1_000)), words: [] },
    ...{ nonce: BigInt(Math.floor(opIndex / LEAF_IDS)), maxFeePerUnitWei: 1_000_000n, signature },
  };
  return {
    ...{ type: "operation", hash: hashOf(name), operation, batchNumber, slot, opIndex, createdId: null },
    ...{ feeWei: 1000n, deadlineSeconds: 1_800_086_400, acknowledgedAtMs: 1_800_000_000_000 + opIndex },
  };
}

function recordOf(position: ChainPosition, firstSequence: number, entries: OperationEntry[]): StoredBatch {
  const { batchNumber: number, root } = position;
  const atMs = Number(position.timestamp) * 1_000;
  const word = (name: string) => field(`batch ${number} ${name}`);
  const proof = {
    a: [word("a"), word("a")],
    b: [
      [word("b"), word("b")],
      [word("b"), word("b")],
    ],
    c: [word("c"), word("c")],
  };
  return {
    ...{ number, status: "final", batchHash: hashOf(`batch ${number}`), circuit: "table-10-6-5-20-6-1-2" },
    ...{
      timestamp: Number(position.timestamp),
      oldRoot: root,
      position,
      firstSequence,
      commitment: word("C"),
    },
    publicSignals: [word("C"), word("y"), word("z")],
    // 13 bytes an operation, as a transfer's.
    wire: Buffer.concat(entries.map(({ hash }) => Buffer.from(hash.slice(2, 28), "hex"))),
    narrow: entries.map(({ operation: { a, amountCode, b, kind } }) => ({
      ...{ kind, a, b, amountCode, isValid: true, words: [] },
    })),
    ...{ wide: [], settlements: [], signedCount: entries.length, feePerUnitWei: 1000n, feeAccountId: 1 },
    ...{ openedAtMs: atMs, closedAtMs: atMs, postedAtMs: atMs, rebuildCount: 0 },
    proof: { proof: proof as never, backend: "native", timings: { proveMs: 1 }, provenAtMs: atMs },
    l1: {
      transactionHash: hashOf(`transaction ${number}`),
      blockNumber: number,
      gasUsed: 300_000,
      gasPriceWei: 1n,
    },
  };
}

/** Milliseconds that an operation out of the middle of the segments takes by its hash: the median of reads of different ones. */
async function coldReads(url: string, coldCount: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < COLD_READS; i++) {
    const opIndex = Math.floor(((i + 0.5) * Math.max(coldCount, 1)) / COLD_READS);
    const hash = hashOf(`operation ${opIndex}`);
    const startedAtMs = performance.now();
    const answer = (await (await fetch(`${url}/v1/operations/${hash}`)).json()) as { opIndex?: number };
    times.push(performance.now() - startedAtMs);
    if (answer.opIndex !== opIndex)
      throw new Error(`operation ${opIndex} was read as ${JSON.stringify(answer)}`);
  }
  return rounded(times.sort((x, y) => x - y)[COLD_READS >> 1]!);
}

const rounded = (value: number) => Math.round(value * 100) / 100;

/** Of its files, not of its folders. */
function bytesIn(folder: string): number {
  if (!existsSync(folder)) return 0;
  const files = readdirSync(folder, { withFileTypes: true }).filter((one) => one.isFile());
  return files.reduce((sum, { name }) => sum + statSync(join(folder, name)).size, 0);
}
