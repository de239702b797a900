/**
 * The sequencer starts on another data directory than its own: an empty one, as of a volume that is not mounted, or a backup
 * that is older than what L1 has, another rollup's, one of another version. Anyone who asks it for a promise must get none. Then its own is put back.
 */
import { cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { replaceStoreRecord } from "@openledger/foundation/store/store-identity";
import type { World } from "../world/world.ts";
import type { Fault, FaultContext, Injected } from "./fault.ts";

/** Duration of the requests, from the first answer on. The bridge has handed over the queue by then, so the accounts exist. */
const ASKING_MS = 20_000;
const ANSWER_TIMEOUT_MS = 300_000;
const ASK_TIMEOUT_MS = 5_000;
const PAUSE_MS = 100;
/** Batches that L1 takes after the backup. */
const NEWER_BATCHES = 2;

/** Store that a version without format records wrote. */
const FORMATLESS = join(repositoryRoot, "sequencer/testing/stores/format-0");

/** Kind of wrong directory, and the sequencer's error code for it. */
interface WrongDirectory {
  readonly fault: string;
  readonly code: "SEQ_WRONG_DIRECTORY" | "SEQ_BEHIND_L1" | "SRV_STORE_FORMAT";
  /** Stops the sequencer and puts the wrong directory in the place of its own, which lies beside it then. */
  exchange(world: World, ownPath: string): Promise<void>;
}

const emptyDirectory: WrongDirectory = {
  fault: "empty-directory",
  code: "SEQ_WRONG_DIRECTORY",
  async exchange(world, ownPath) {
    await world.nextBatch();
    await world.sequencer.stop();
    renameSync(world.dataPath, ownPath);
  },
};

const oldBackup: WrongDirectory = {
  fault: "old-backup",
  code: "SEQ_BEHIND_L1",
  async exchange(world, ownPath) {
    const backup = `${world.dataPath}.backup`;
    // Nothing waits for L1: what it takes from now on is not in the backup.
    await world.settle();
    await world.sequencer.stop();
    cpSync(world.dataPath, backup, { recursive: true });
    await world.sequencer.start();
    world.traffic.start();
    for (let i = 0; i < NEWER_BATCHES; i++) await world.nextBatch();
    await world.sequencer.stop();
    renameSync(world.dataPath, ownPath);
    renameSync(backup, world.dataPath);
  },
};

/** Store of a deployment that was made anew beside an old one, or of a wrong mount. */
const otherRollup: WrongDirectory = {
  fault: "other-rollup",
  code: "SEQ_WRONG_DIRECTORY",
  async exchange(world, ownPath) {
    await world.nextBatch();
    await world.sequencer.stop();
    renameSync(world.dataPath, ownPath);
    cpSync(ownPath, world.dataPath, { recursive: true });
    const rollup = { chainId: 1, rollupAddress: "0x00000000000000000000000000000000000000b2" };
    replaceStoreRecord(world.dataPath, { kind: "sequencer", rollup });
  },
};

const olderFormat: WrongDirectory = {
  fault: "older-format",
  code: "SRV_STORE_FORMAT",
  async exchange(world, ownPath) {
    await world.nextBatch();
    await world.sequencer.stop();
    renameSync(world.dataPath, ownPath);
    cpSync(FORMATLESS, world.dataPath, { recursive: true });
  },
};

async function inject(
  wrong: WrongDirectory,
  world: World,
  { progress, tries }: FaultContext,
): Promise<readonly Injected[]> {
  const { code, fault } = wrong;
  const { sequencer, traffic } = world;
  const recoveriesMs: number[] = [];
  const problems: string[] = [];
  const logWords = new Set<string>();
  let questions = 0;
  let promises = 0;
  for (let i = 1; i <= tries; i++) {
    await world.acknowledgement(performance.now());
    const ownPath = `${world.dataPath}.own`;
    await wrong.exchange(world, ownPath);
    const acknowledgedBefore = traffic.acknowledged.length;
    sequencer.forgetLog();
    sequencer.launch();
    const counts = await ask(world);
    questions += counts.questions;
    promises += counts.promises + traffic.acknowledged.length - acknowledgedBefore;
    const isLogged = sequencer.hasLogged(code);
    if (isLogged) logWords.add(code);
    else problems.push(`the sequencer did not say ${code}`);
    const how = `${sequencer.isRunning ? "runs on" : "ended"}, ${isLogged ? "said" : "did not say"} ${code}`;
    await sequencer.stop();
    if (existsSync(world.dataPath)) rmSync(world.dataPath, { recursive: true });
    renameSync(ownPath, world.dataPath);
    const startedAtMs = performance.now();
    await sequencer.start();
    const servesAtMs = performance.now();
    await world.acknowledgement(startedAtMs);
    const ms = performance.now() - startedAtMs;
    recoveriesMs.push(ms);
    const summary = `${counts.questions} questions, ${counts.promises} promises`;
    const open = Math.max(0, Math.round(ms - (servesAtMs - startedAtMs)));
    progress(
      `${how}, ${summary}; with its own it serves, and ${open} ms later it acknowledges (${i} of ${tries})`,
    );
  }
  // One that ends may do so before anybody has asked.
  if (questions === 0 && code === "SEQ_BEHIND_L1") problems.push("no client could ask for a preconfirmation");
  if (promises > 0) problems.push(`${promises} operations were acknowledged while behind`);
  return [{ fault, tries, recoveriesMs, logWords: [...logWords], problems, behind: { questions, promises } }];
}

/** Asks for a promise under the nonce that the directory says is next, until the time is over or the process ends. */
async function ask(world: World): Promise<{ questions: number; promises: number }> {
  const [user] = world.users;
  let untilMs = performance.now() + ANSWER_TIMEOUT_MS;
  let questions = 0;
  let promises = 0;
  while (performance.now() < untilMs && world.sequencer.isRunning) {
    const leaf = await world.get<{ nonce?: number }>(`/v1/leaves/${user!.leafId}`).catch(() => null);
    if (leaf !== null) {
      if (questions === 0) untilMs = performance.now() + ASKING_MS;
      questions += 1;
      if (await world.traffic.probe(world.sequencerUrl, leaf.nonce ?? 0, ASK_TIMEOUT_MS)) promises += 1;
    }
    await sleep(PAUSE_MS);
  }
  return { questions, promises };
}

export const emptyDirectoryFault: Fault = {
  name: "empty-directory",
  description: "the sequencer starts on an empty data directory, as of a volume that is not mounted",
  holds: "it promises nothing, names SEQ_WRONG_DIRECTORY and ends; on its own directory it goes on",
  defaultTries: 2,
  longTries: 4,
  shortTries: 1,
  inject: (world, context) => inject(emptyDirectory, world, context),
};

export const oldBackupFault: Fault = {
  name: "old-backup",
  description: "the sequencer starts on a backup that is older than what L1 has",
  holds: "it promises nothing and names SEQ_BEHIND_L1; on its own directory it goes on",
  defaultTries: 2,
  longTries: 4,
  shortTries: 1,
  inject: (world, context) => inject(oldBackup, world, context),
};

export const otherRollupFault: Fault = {
  name: "other-rollup",
  description: "the sequencer starts on another rollup's data directory",
  holds: "it promises nothing, names SEQ_WRONG_DIRECTORY and ends; on its own directory it goes on",
  defaultTries: 2,
  longTries: 4,
  shortTries: 1,
  inject: (world, context) => inject(otherRollup, world, context),
};

export const olderFormatFault: Fault = {
  name: "older-format",
  description: "the sequencer starts on a data directory that an earlier version wrote",
  holds: "it promises nothing, names SRV_STORE_FORMAT and ends; on its own directory it goes on",
  defaultTries: 2,
  longTries: 4,
  shortTries: 1,
  inject: (world, context) => inject(olderFormat, world, context),
};
