/**
 * A ledger of very many leaves: what a start takes, what memory, and what a lookup. Leaves of every chunk are those of the
 * first one, hashes included, so that the directory is made in seconds; nothing that is measured knows it.
 */
import { fork } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { accountLeaf, hashLeaf } from "@openledger/circuits/ledger/leaf";
import { FlatLedger, Ledger } from "@openledger/circuits/ledger/ledger";
import { MAX_LEAF_COUNT, TREE_DEPTH } from "@openledger/circuits/protocol";
import { PRODUCTION_SHAPE } from "@openledger/circuits/testing/sample-shape";
import { restore } from "@openledger/sequencer/batches/restore";
import { leafWrite } from "@openledger/sequencer/store/leaf-value";
import { LedgerLog } from "@openledger/sequencer/store/ledger-log";
import { storeKeys } from "@openledger/sequencer/store/store-keys";
import { TEST_ROLLUP } from "@openledger/sequencer/testing/test-rollup";

/** Some beyond what a new file of leaves is begun at: the longest that a start reads. */
const RECORDS = 35_000;
const LOOKUPS = 200_000;
const randomId = (i: number, count: number) => Number((BigInt(i) * 11_400_714_819n) % BigInt(count));

interface MadeLeaves {
  /** Writing the file, while nothing else is done. */
  readonly writeMs: number;
}

interface StartedLeaves {
  readonly leaves: number;
  readonly startMs: number;
  /** Processor time of it, which other work on the machine hardly moves. */
  readonly startCpuMs: number;
  readonly readMs: number;
  readonly hashMs: number;
  readonly rssBytes: number;
  readonly peakRssBytes: number;
  readonly heapBytes: number;
  readonly lookupUs: number;
  readonly ofOwnerMs: number;
}

const stateOf = (id: number) => ({
  leaf: accountLeaf({ l1Owner: 2n ** 159n + BigInt(id), keyX: 2n ** 253n + BigInt(id), balance: 10n ** 20n }),
});

async function make(path: string, count: number, records: number): Promise<MadeLeaves> {
  await initPoseidon();
  const flat = new FlatLedger();
  const chunkLeaves = Math.min(count, 4_096);
  flat.fold(
    Array.from({ length: chunkLeaves }, (_, id) => [id, stateOf(id), hashLeaf(stateOf(id).leaf)] as const),
  );
  flat.view.hash(TREE_DEPTH, 0);
  const { bytes } = flat.chunk(0)!;
  for (let index = 1; index < Math.floor(count / 4_096); index++)
    flat.adopt(index, bytes.slice().buffer as ArrayBuffer, []);
  for (let level = 5; level <= TREE_DEPTH; level++)
    for (let index = 0; index < 8 ** (TREE_DEPTH - level); index++) flat.keep(level, index, 0n);
  const ledger = new Ledger(TREE_DEPTH, flat);
  const log = await LedgerLog.open(path, TEST_ROLLUP);
  const startedAtMs = performance.now();
  const writes = [...(await log.leafWrites(ledger))];
  const writeMs = performance.now() - startedAtMs;
  const changed = Array.from({ length: records }, (_, i) => randomId(i, flat.size));
  for (const id of changed) {
    const state = { leaf: { ...stateOf(id).leaf, nonce: BigInt(id) } };
    const hash = hashLeaf(state.leaf);
    ledger.put(id, state, hash);
    writes.push(leafWrite(id, state, hash));
  }
  const position = { batchNumber: 1, root: ledger.root, nextId: flat.size, opIndex: 0, queueHead: 0 };
  writes.push({ key: storeKeys.finalPosition, value: { ...position, timestamp: 1n, sequence: -1 } });
  await log.write(writes);
  await log.close();
  return { writeMs };
}

async function start(path: string): Promise<StartedLeaves> {
  const cpuBefore = process.cpuUsage();
  const startedAtMs = performance.now();
  await initPoseidon();
  const log = await LedgerLog.open(path, TEST_ROLLUP);
  const restored = await restore(log, {
    genesis: { treasuryOwner: 0n, operatorOwner: 0n, operatorKeyX: 0n },
    genesisRoot: 0n,
    rules: { domain: 1n, idFeeWei: 0n, shape: PRODUCTION_SHAPE },
  });
  const startMs = performance.now() - startedAtMs;
  const { system, user } = process.cpuUsage(cpuBefore);
  const startCpuMs = (system + user) / 1_000;
  const { leaves } = restored.head.ledger;
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const lookedUpAtMs = performance.now();
  let sum = 0n;
  for (let i = 0; i < LOOKUPS; i++) sum += leaves.get(randomId(7 * i, leaves.size))!.leaf.balance;
  const lookupUs = ((performance.now() - lookedUpAtMs) / LOOKUPS) * 1_000;
  if (sum !== BigInt(LOOKUPS) * 10n ** 20n) throw new Error("a leaf is not what it was");
  const searchedAtMs = performance.now();
  if ([...leaves.of({ l1Owner: 1n })].length > 0) throw new Error("nobody has this leaf");
  const ofOwnerMs = performance.now() - searchedAtMs;
  await log.close();
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
  return {
    ...{
      leaves: leaves.size,
      startMs,
      startCpuMs,
      readMs: restored.timings.readMs,
      hashMs: restored.timings.hashMs,
    },
    ...{ rssBytes: rss, peakRssBytes: Number(peak) * 1_024, heapBytes: heapUsed, lookupUs, ofOwnerMs },
  };
}

const file = fileURLToPath(import.meta.url);

/** In a process of its own, whose memory is then its own. */
function inChild<T>(...args: (string | number)[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = fork(file, ["child", ...args.map(String)], {
      execArgv: [...process.execArgv, "--expose-gc"],
    });
    child.once("message", (answer) => resolve(answer as T));
    child.once("exit", (code) => reject(new Error(`the process ended with ${code}`)));
    child.once("error", reject);
  });
}

/** @param leaves in all; rounded down to whole chunks of 4,096 */
export async function benchHistoryLeaves({ leaves = MAX_LEAF_COUNT, records = RECORDS } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "history-leaves-"));
  try {
    const path = join(folder, "ledger");
    const made = await inChild<MadeLeaves>("make", path, leaves, Math.min(records, leaves));
    const storeBytes = readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
    const started = await inChild<StartedLeaves>("start", path);
    return { ...started, ...made, storeBytes, leafBytes: started.rssBytes / started.leaves };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [role, what, path, count, records] = process.argv.slice(2);
if (process.argv[1] === file && role === "child") {
  const answer = what === "make" ? await make(path!, Number(count), Number(records)) : await start(path!);
  process.send!(answer, () => process.exit(0));
}
