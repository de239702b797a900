/** How long a sequencer with a large ledger takes from its start to its door, and a restore from a snapshot of it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeDeployment } from "@openledger/circuits/registry/deployment";
import { PRODUCTION_SHAPE } from "@openledger/circuits/testing/sample-shape";
import { startAnvil } from "@openledger/contracts/internal/l1/anvil";
import { connect, deployFixture } from "@openledger/contracts/testing/rollup-fixture";
import type { LedgerSnapshot } from "@openledger/verifier/replay/ledger-snapshot";
import { readSnapshot, writeSnapshot } from "@openledger/verifier/restore/snapshot-file";
import { snapshotOfDirectory } from "../follower/log-snapshot.ts";
import { restoreFromL1 } from "../follower/restore-from-l1.ts";
import { processTime } from "../process-time.ts";
import { killChild, startChild } from "./child-sequencer.ts";
import { makeLargeStore } from "./large-store.ts";
import { temporaryFolder, testDeployment, testEnvironment } from "./test-rollup.ts";

export interface RestartOptions {
  /** Leaves, each with as many transfers. */
  readonly size: number;
  readonly rounds: number;
  /** Keeps the store, or takes the one that is there. */
  readonly folder?: string | undefined;
  /** SEQUENCER_STORE_CHECK. */
  readonly storeCheck: string;
}

/** Medians. Wall time depends on what else the machine does; processor time hardly. */
export interface RestartFigures {
  readonly size: number;
  readonly storeBytes: number;
  readonly readyMs: number;
  readonly processorMs: number;
  readonly peakMemoryBytes: number;
  /** Of the "ledger restored" line: what was read and checked, and the milliseconds of each part. */
  readonly parts: Readonly<Record<(typeof PARTS)[number], number>>;
  readonly snapshot: SnapshotFigures;
}

export interface SnapshotFigures {
  readonly fileBytes: number;
  readonly makeMs: number;
  readonly restoreMs: number;
  readonly restoreProcessorMs: number;
}

const PARTS = [
  "leafCount",
  "checkedCount",
  "checkedBytes",
  "checkMs",
  "readMs",
  "hashMs",
  "replayMs",
] as const;

const median = (values: readonly number[]): number =>
  [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)]!;

const bytesIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

/** @param log told what is going on */
export async function measureRestart(
  { folder, rounds, size, storeCheck }: RestartOptions,
  log: (line: string) => void,
): Promise<RestartFigures> {
  const temporary = temporaryFolder();
  try {
    const base = join(folder ?? temporary.path, String(size));
    const dataPath = join(base, "data");
    if (!existsSync(join(base, "deployment.json"))) {
      mkdirSync(base, { recursive: true });
      await makeLargeStore({ dataPath, accountCount: size, operationCount: size }, log);
      // Last: a store that was cut short has none.
      writeFileSync(join(base, "deployment.json"), encodeDeployment(await testDeployment(PRODUCTION_SHAPE)));
    }
    const starts: Awaited<ReturnType<typeof startAndKill>>[] = [];
    // Each is killed, and the next one starts on what it leaves. The first is not counted.
    for (let round = 0; round <= rounds; round++) {
      // One that is killed before its check was done owes it; left standing, every second start would be another one.
      rmSync(join(dataPath, "UNCHECKED"), { force: true });
      starts.push(await startAndKill(dataPath, join(base, "deployment.json"), storeCheck));
      log(`start ${round}: ${starts.at(-1)!.readyMs.toFixed(0)} ms`);
    }
    const counted = starts.slice(1);
    const of = (pick: (start: (typeof starts)[0]) => number) => median(counted.map(pick));
    return {
      size,
      storeBytes: bytesIn(dataPath),
      readyMs: of(({ readyMs }) => readyMs),
      processorMs: of(({ processorMs }) => processorMs),
      peakMemoryBytes: of(({ peakMemoryBytes }) => peakMemoryBytes),
      parts: Object.fromEntries(
        PARTS.map((part) => [part, of(({ parts }) => Number(parts[part] ?? 0))]),
      ) as RestartFigures["parts"],
      snapshot: await measureSnapshot(dataPath, temporary.path),
    };
  } finally {
    temporary.remove();
  }
}

async function startAndKill(dataPath: string, deploymentPath: string, storeCheck: string) {
  const startedAt = performance.now();
  const child = await startChild(
    testEnvironment(dataPath, {
      SEQUENCER_DEPLOYMENT_PATH: deploymentPath,
      SEQUENCER_LOG_LEVEL: "info",
      SEQUENCER_STORE_CHECK: storeCheck,
      SEQUENCER_MAX_UNPOSTED_BATCHES: "100000",
      SEQUENCER_SIGNATURE_THREADS: "1",
    }),
  );
  const readyMs = performance.now() - startedAt;
  const pid = child.process.pid!;
  const processorMs = processTime(pid).totalMs;
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
  await killChild(child);
  const parts = child.logged.find(({ msg }) => msg === "ledger restored")!;
  return { readyMs, processorMs, peakMemoryBytes: Number(peak[1]) * 1_024, parts };
}

/** A local node has accepted the ledger's root as its first batch's, with a forged proof. */
async function measureSnapshot(dataPath: string, folder: string): Promise<SnapshotFigures> {
  const anvil = await startAnvil();
  try {
    const l1 = await deployFixture(await connect(anvil));
    const rollupAddress = l1.deployment.rollup;
    const chainId = await l1.client.getChainId();
    const madeAt = performance.now();
    // The batch is made below.
    const made = await snapshotOfDirectory(dataPath, { chainId, rollupAddress }, async () => 0);
    const { nextId, root } = made.position;
    const { content } = await l1.post({ newRoot: root, newNextId: nextId });
    const blockNumber = Number(await l1.client.getBlockNumber());
    const { timestamp } = content;
    const position = { batchNumber: 1, root, nextId, opIndex: 0, queueHead: 0, timestamp };
    const path = join(folder, "snapshot");
    await writeSnapshot(path, { ...made, position, blockNumber, waiting: [] } satisfies LedgerSnapshot);
    const makeMs = performance.now() - madeAt;

    const [startedAt, before] = [performance.now(), process.cpuUsage()];
    const { snapshot } = await readSnapshot(path);
    await restoreFromL1({
      rpcUrl: anvil.url,
      rollupAddress,
      dataPath: join(folder, "restored"),
      finalityDepthBlocks: 1,
      snapshot,
    });
    const { system, user } = process.cpuUsage(before);
    return {
      fileBytes: statSync(path).size,
      makeMs,
      restoreMs: performance.now() - startedAt,
      restoreProcessorMs: (user + system) / 1_000,
    };
  } finally {
    await anvil.stop();
  }
}
