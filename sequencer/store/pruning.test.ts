import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KIND } from "@openledger/circuits/protocol";
import { hex20, hex32 } from "@openledger/foundation/hex";
import { isWhole, TestRandom } from "@openledger/foundation/testing/test-random";
import { unexpectedLines } from "@openledger/foundation/testing/unexpected-lines";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { readPayments } from "../batches/settling/stored-epochs.ts";
import { freshFolder, freshRollup } from "../testing/fresh-rollup.ts";
import { openTestLog } from "../testing/open-test-log.ts";
import { close, prove, queue, report, send } from "../testing/test-operator.ts";
import {
  depositsFor,
  ONE_OPEN_WEI,
  operatorHeaders,
  signedBy,
  startTestRollup,
  type TestRollup,
  transfer,
} from "../testing/test-rollup.ts";
import type { LeafOperation, LedgerLog } from "./ledger-log.ts";
import type { ChainPosition, ExecutedEntry, LogEntry } from "./log-entry.ts";
import type { PruningOptions } from "./pruning.ts";
import { type StoreWrite, storeKeys, underPrefix } from "./store-keys.ts";
import type { StoredBatch } from "./stored-batch.ts";

const BATCHES = 22;
const RETENTION = 12;
const USERS = 4;
const LEAF_IDS = 7;
const GENESIS_LISTS = ["leaf 0", "leaf 1"];
const PRUNED = { error: { code: "SEQ_HISTORY_PRUNED" } };

const unexpected = unexpectedLines();
let made: string;
let before: Answers;
/** A copy for each test. */
let dataPath: string;

/** A random ledger: transfers, withdrawals, forced deposits; all batches final but the last two. */
beforeAll(async () => {
  made = mkdtempSync(join(tmpdir(), "pruning-"));
  const rollup = await startTestRollup({ dataPath: made, userCount: USERS });
  const random = new TestRandom(11);
  const nonces = new Map<number, bigint>();
  const nonceOf = (id: number) => {
    const nonce = nonces.get(id) ?? 0n;
    nonces.set(id, nonce + 1n);
    return nonce;
  };
  for (let i = 0; i < BATCHES; i++) {
    for (let left = 1 + random.below(6); left > 0; left--) {
      const [from, to] = [random.pick(rollup.users), random.pick(rollup.users)];
      if (random.below(5) === 0) {
        const words = [from.l1Owner, ONE_OPEN_WEI];
        await send(rollup, signedBy(from, { kind: KIND.withdraw, nonce: nonceOf(from.id), words }));
      } else if (from !== to) await send(rollup, transfer(from, to, nonceOf(from.id)));
      if (random.below(4) > 0) continue;
      const deposit = {
        kind: KIND.depositTo,
        a: 0,
        b: to.id,
        amountWei: ONE_OPEN_WEI,
        words: [0n, 0n, 0n, 0n],
      };
      await queue(rollup, deposit as never, hex20(to.l1Owner));
    }
    await close(rollup);
  }
  await finalize(rollup, rollup.sequencer.pipeline.registry.closedNumber - 2);
  await rollup.stop();
  expect(rollup.fatal).toEqual([]);
  before = await answersOf(made);
});
afterAll(() => rmSync(made, { recursive: true, force: true }));
beforeEach(() => {
  dataPath = join(freshFolder(), "ledger");
  cpSync(made, dataPath, { recursive: true });
});

async function finalize(rollup: TestRollup, upTo: number): Promise<void> {
  for (let number = rollup.sequencer.pipeline.registry.finalNumber + 1; number <= upTo; number++) {
    await prove(rollup, number);
    for (const status of ["posted", "final"])
      await report(rollup, number, status, { transactionHash: hex32(BigInt(number) << 200n) });
  }
}

async function openLog(path: string, pruning: PruningOptions): Promise<LedgerLog> {
  const log = await openTestLog(path, undefined, { pruning });
  onTestFinished(() => log.close().catch(() => {}));
  return log;
}

/** Prunes a directory to the end. @returns the place */
async function prune(path: string, options: Partial<PruningOptions> = {}): Promise<ChainPosition> {
  const log = await openLog(path, {
    retention: RETENTION,
    onFailed: (error: unknown) => unexpected.write(String(error)),
    ...options,
  });
  await log.pruned();
  const { prunedTo } = log;
  await log.close();
  return prunedTo!;
}

/** All answers of the API about the past. */
interface Answers {
  readonly prunedTo: ChainPosition | null;
  readonly operations: ReadonlyMap<string, unknown>;
  readonly unknownOperation: unknown;
  readonly batches: ReadonlyMap<number, unknown>;
  readonly queue: ReadonlyMap<number, unknown>;
  /** Answers by the beginning of a hash. */
  readonly names: ReadonlyMap<string, unknown>;
  /** Pages of a list, until the end or an error. */
  readonly lists: ReadonlyMap<string, { readonly items: readonly unknown[]; readonly end: unknown }>;
  readonly position: unknown;
}

/** Sequences of the operations, and of each leaf's records, before anything was pruned. */
const sequences = new Map<string, number>();

async function answersOf(path: string): Promise<Answers> {
  const rollup = await startTestRollup({ dataPath: path, userCount: 0 });
  try {
    return await askAll(rollup);
  } finally {
    await rollup.stop();
    expect(rollup.fatal).toEqual([]);
  }
}

async function askAll(rollup: TestRollup): Promise<Answers> {
  const { pipeline, log } = rollup.sequencer;
  const { prunedTo } = log;
  const ask = async (url: string) => (await rollup.get(url)).body;
  if (prunedTo === null)
    for await (const [sequence, entry] of log.entries(0))
      if (entry.type === "operation") sequences.set(entry.hash, sequence);
  const operations = new Map<string, unknown>();
  const names = new Map<string, unknown>();
  for (const hash of sequences.keys()) {
    operations.set(hash, await ask(`/v1/operations/${hash}`));
    names.set(hash, await ask(`/v1/hashes?start=${hash.slice(0, 12)}`));
  }
  const batches = new Map<number, unknown>();
  for (let number = 1; number <= pipeline.registry.closedNumber; number++) {
    batches.set(number, await ask(`/v1/batches/${number}`));
    const transaction = hex32(BigInt(number) << 200n).slice(0, 18);
    names.set(transaction, await ask(`/v1/hashes?start=${transaction}`));
  }
  const queued = new Map<number, unknown>();
  for (let index = 0; index < pipeline.queueSeenIndex; index++)
    queued.set(index, await ask(`/v1/queue/${index}`));
  const lists = new Map<string, { items: unknown[]; end: unknown }>();
  const list = async (name: string, next: (items: readonly never[]) => Promise<readonly unknown[]>) => {
    const items: unknown[] = [];
    for (;;) {
      const page = await next(items as never[]).catch((error: { code: string }) => ({
        error: { code: error.code },
      }));
      if (!Array.isArray(page) || page.length === 0) {
        lists.set(name, { items, end: Array.isArray(page) ? null : page });
        return;
      }
      items.push(...page);
    }
  };
  for (let id = 0; id < LEAF_IDS; id++)
    await list(`leaf ${id}`, async (items: readonly LeafOperation[]) => {
      const last = items.at(-1);
      return (await log.operationsOf(id, 3, last?.type === "queue" ? last.queueIndex : last?.hash))
        .operations;
    });
  await list(
    "records",
    async (items: readonly [number, ExecutedEntry][]) =>
      (await log.executedBefore(items.at(-1)?.[0] ?? log.lastSequence + 1, 4)).found,
  );
  await list("batches", async (items: readonly { number: number }[]) => {
    const first = items.at(-1)?.number ?? pipeline.registry.closedNumber + 1;
    return first === 1 ? [] : ask(`/v1/batches?limit=5&before=${first}`);
  });
  const unknownOperation = await ask(`/v1/operations/${hex32(77n)}`);
  const { position } = pipeline.head;
  return {
    prunedTo: log.prunedTo,
    operations,
    unknownOperation,
    batches,
    queue: queued,
    names,
    lists,
    position,
  };
}

/** Expects that pruned history is refused by its name, all else is as before, and nothing is left out in silence. */
function expectPruned(after: Answers, prunedTo: ChainPosition): void {
  expect(after.prunedTo).toEqual(prunedTo);
  expect(after.position).toEqual(before.position);
  expect(after.unknownOperation).toEqual(before.unknownOperation);
  for (const [hash, answer] of before.operations) {
    const isPruned = sequences.get(hash)! <= prunedTo.sequence;
    const expected = isPruned
      ? expect.objectContaining({ error: expect.objectContaining(PRUNED.error) })
      : answer;
    expect(after.operations.get(hash), hash).toEqual(expected);
  }
  for (const [number, answer] of before.batches)
    if (number <= prunedTo.batchNumber) expect(after.batches.get(number)).toMatchObject(PRUNED);
    else expect(after.batches.get(number)).toEqual(answer);
  for (const [index, answer] of before.queue)
    if (index < prunedTo.queueHead) expect(after.queue.get(index)).toMatchObject(PRUNED);
    else expect(after.queue.get(index)).toEqual(answer);
  expect(after.names).toEqual(before.names);
  for (const [name, { items }] of before.lists) {
    const now = after.lists.get(name)!;
    expect(now.items, name).toEqual(items.slice(0, now.items.length));
    // For a leaf of the genesis nobody knows whether it has done anything.
    const isWholeList = now.items.length === items.length && !GENESIS_LISTS.includes(name);
    if (isWholeList) expect(now.end, name).toBeNull();
    else expect(now.end, name).toMatchObject(PRUNED);
  }
  const { items } = after.lists.get("records")!;
  for (const [sequence] of items as [number, ExecutedEntry][])
    expect(sequence).toBeGreaterThan(prunedTo.sequence);
  expect((after.lists.get("batches")!.items.at(-1) as { number: number }).number).toBe(
    prunedTo.batchNumber + 1,
  );
}

describe("history beyond the retention", () => {
  it("is deleted, refused by its name, and leaves all that is younger as it was", async () => {
    const prunedTo = await prune(dataPath);
    expect(prunedTo.batchNumber).toBeGreaterThan(5);
    const { batchNumber, opIndex, queueHead, sequence } = prunedTo;
    const log = await openLog(dataPath, { retention: null });
    const final = (await log.finalPosition())!;
    const left = final.opIndex + final.queueHead - opIndex - queueHead;
    expect(left).toBeGreaterThanOrEqual(RETENTION);
    const next = (await log.batch(batchNumber + 1))!.position;
    expect(final.opIndex + final.queueHead - next.opIndex - next.queueHead).toBeLessThan(RETENTION);
    for (const [family, first] of [
      ["log", storeKeys.log(sequence + 1)],
      ["batch", storeKeys.batch(batchNumber + 1)],
      ["queue", storeKeys.queueEntry(queueHead)],
      ["queue-sequence", storeKeys.queueSequence(queueHead)],
    ] as const)
      for (const [key] of await log.keyed(underPrefix(family))) expect(key >= first, key).toBe(true);
    for (const [key, value] of await log.keyed<number | { queueIndex: number }>(
      underPrefix("leaf-operation"),
    ))
      if (typeof value === "number") expect(value, key).toBeGreaterThan(sequence);
      else expect(value.queueIndex, key).toBeGreaterThanOrEqual(queueHead);
    await expect(log.entries(sequence).next()).rejects.toMatchObject({
      code: "SEQ_HISTORY_PRUNED",
      data: { prunedTo: { batchNumber, opIndex } },
    });
    await log.close();
    expectPruned(await answersOf(dataPath), prunedTo);
  });

  it("is whole or refused after a kill at every step, and the next start goes on", async () => {
    const copies: [string, string][] = [];
    const end = await prune(dataPath, {
      onStep: (step) => {
        const path = `${dataPath}-${copies.length}`;
        cpSync(dataPath, path, { recursive: true, filter: (from) => !from.endsWith("LOCK") });
        copies.push([step, path]);
      },
    });
    expect(new Set(copies.map(([step]) => step))).toEqual(
      new Set(["place written", "log deleted in part", "queue deleted in part", "batch deleted in part"]),
    );
    const met = new Map<string, number>();
    for (const [step, path] of copies) {
      met.set(step, (met.get(step) ?? 0) + 1);
      if (!isWhole && met.get(step)! > 1) continue;
      const killed = await answersOf(path);
      expectPruned(killed, killed.prunedTo!);
      expect(await prune(path), step).toEqual(end);
      expectPruned(await answersOf(path), end);
      rmSync(path, { recursive: true });
    }
  });

  it("goes while the sequencer works; the bridge may report again what is gone", async () => {
    const rollup = await freshRollup({ dataPath, userCount: 0, environment: { SEQUENCER_RETENTION: "20" } });
    const { pipeline, log } = rollup.sequencer;
    await log.pruned();
    const first = log.prunedTo!.batchNumber;
    await finalize(rollup, pipeline.registry.closedNumber);
    await expect.poll(() => log.prunedTo!.batchNumber, { timeout: 20_000 }).toBeGreaterThan(first);
    expect((await rollup.get("/v1/status")).body.batches.pruned).toBe(log.prunedTo!.batchNumber);
    const entries = depositsFor(USERS);
    const again = await rollup.app.inject({
      method: "POST",
      url: "/operator/queue-entries",
      headers: operatorHeaders,
      payload: { entries },
    });
    expect([again.statusCode, again.json()]).toEqual([
      200,
      expect.not.objectContaining({ error: expect.anything() }),
    ]);
    expect((await rollup.get("/v1/log?from=0")).body).toMatchObject(PRUNED);
    expect((await rollup.get("/v1/log?afterBatch=1")).body).toMatchObject(PRUNED);
    expect(
      (await rollup.get(`/v1/log?afterBatch=${log.prunedTo!.batchNumber + 1}`)).body.entries[0].type,
    ).toBe("opened");
  });

  it("stays where nothing was said of it", async () => {
    const log = await openLog(dataPath, { retention: null });
    await log.pruned();
    expect(log.prunedTo).toBeNull();
  });
});

it("takes an epoch's payments with its settlement, and no others", async () => {
  const path = join(freshFolder(), "ledger");
  const log = await openLog(path, { retention: 1 });
  const position = (batchNumber: number, sequence: number): ChainPosition => ({
    batchNumber,
    sequence,
    opIndex: batchNumber,
    queueHead: 0,
    nextId: 9,
    root: 1n,
    timestamp: 1n,
  });
  const batchOf = (number: number, sequence: number) =>
    ({
      number,
      position: position(number, sequence),
      firstSequence: sequence - 1,
      signedCount: 1,
      wide: [],
      narrow: [],
      wire: new Uint8Array(200),
      circuit: "4-4",
      l1: null,
    }) as unknown as StoredBatch;
  const settlement = {
    type: "settlement",
    hash: hex32(5n),
    epoch: 3,
    operation: { modelId: 7 },
    batchNumber: 1,
  };
  const payments = (epoch: number): StoreWrite[] =>
    [0, 1].map((index) => ({ key: storeKeys.payment(7, epoch, index), value: { index } }));
  await log.append(
    [settlement as unknown as LogEntry, { type: "closed", batchNumber: 1 }],
    [...[...payments(3), ...payments(4)], { key: storeKeys.batch(1), value: batchOf(1, 1) }],
  );
  await log.append(
    [
      { type: "closed", batchNumber: 2 },
      { type: "closed", batchNumber: 3 },
    ],
    [
      { key: storeKeys.batch(2), value: batchOf(2, 2) },
      { key: storeKeys.batch(3), value: batchOf(3, 3) },
      { key: storeKeys.finalPosition, value: position(3, 3) },
    ],
  );
  await log.pruned();
  expect(log.prunedTo?.batchNumber).toBe(2);
  expect(await readPayments(log, 7, 3, { from: 0, limit: 9 })).toEqual([]);
  expect(await readPayments(log, 7, 4, { from: 0, limit: 9 })).toHaveLength(2);
  expect(await log.hashTargets(hex32(5n), 9)).toMatchObject([
    { what: "settlement", modelId: 7, isFinal: true },
  ]);
});
