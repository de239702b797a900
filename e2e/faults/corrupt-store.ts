/**
 * Files of a data directory that are not as they were written. A process either starts with everything, or says what is
 * wrong and ends; it never goes on with less. Then the operator's way out: the sequencer's directory is made again from
 * L1, the bridge begins with an empty one.
 */
import {
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { TestRandom } from "@openledger/foundation/testing/test-random";
import { restoreFromL1 } from "@openledger/sequencer/full-node/restore/restore-from-l1";
import type { ManagedProcess } from "../world/process.ts";
import type { World } from "../world/world.ts";
import { type Fault, type Injected, logWordsOf } from "./fault.ts";

const FILES = /^(\d+\.(log|ldb)|MANIFEST-\d+|CURRENT)$/;
const CODES = {
  sequencer: ["SRV_STORE_CORRUPT", "SEQ_STORE_INCONSISTENT", "SRV_STORE_FAILED"],
  bridge: ["SRV_STORE_CORRUPT", "SRV_STORE_FAILED"],
};

export const corruptStoreFault: Fault = {
  name: "corrupt-store",
  description: "bytes of LevelDB's files of sequencer and bridge are flipped or cut off",
  holds: "it starts with everything, or names what is wrong and ends; a copy or L1 brings it back",
  defaultTries: 6,
  longTries: 12,
  shortTries: 0,
  async inject(world, context) {
    return [await corruptSequencer(world, context), await corruptBridge(world, context)];
  },
};

type Context = Parameters<Fault["inject"]>[1];

/**
 * Flipped or cut while operations are acknowledged that L1 does not have: refused, the intact copy goes on. Every third
 * time all is final on L1, there is no copy, and the directory is made again.
 */
async function corruptSequencer(world: World, { progress, random, tries }: Context): Promise<Injected> {
  const { sequencer } = world;
  const recoveriesMs: number[] = [];
  const logWords = new Set<string>();
  for (let i = 1; i <= tries; i++) {
    const isRestored = i % 3 === 0;
    if (isRestored) await world.settle();
    await sequencer.kill();
    const intact = `${world.dataPath}.intact`;
    cpSync(world.dataPath, intact, { recursive: true });
    // What is made again has to be refused before.
    const what = damage(world.dataPath, random, isRestored ? /^CURRENT$/ : FILES);
    sequencer.forgetLog();
    sequencer.launch();
    const isRefused = await startsOrSays(sequencer, CODES.sequencer);
    for (const code of logWordsOf(sequencer, CODES.sequencer)) logWords.add(code);
    const startedAtMs = performance.now();
    if (isRefused) {
      rmSync(world.dataPath, { recursive: true });
      if (isRestored) await restore(world);
      else renameSync(intact, world.dataPath);
      await sequencer.start();
    } else if (isRefused === null) {
      // It ended in another way: no further try can be judged.
      throw new Error(`on ${what}: ${sequencer.endedByItself?.message}`);
    }
    rmSync(intact, { recursive: true, force: true });
    if (isRestored) world.traffic.start();
    await world.acknowledgement(startedAtMs);
    const ms = performance.now() - startedAtMs;
    recoveriesMs.push(ms);
    const how = isRefused
      ? isRestored
        ? "refused, made again from L1"
        : "refused, the copy goes on"
      : "all was there";
    progress(`sequencer, ${what}: ${how}; works after ${Math.round(ms)} ms (${i} of ${tries})`);
  }
  return { fault: "corrupt-store-sequencer", tries, recoveriesMs, logWords: [...logWords], problems: [] };
}

/** Restores both stores as docs/how-to/operate.md, "When the data directory is lost", describes. */
async function restore(world: World): Promise<void> {
  const { bridge, l1 } = world;
  await bridge.stop();
  rmSync(world.bridgeDataPath, { recursive: true, force: true });
  await restoreFromL1({
    rpcUrl: l1.url,
    rollupAddress: l1.deployment.rollupAddress,
    fromBlock: BigInt(l1.deployment.deployedAtBlock),
    dataPath: world.dataPath,
    finalityDepthBlocks: world.finalityDepthBlocks,
  });
  bridge.launch();
}

async function corruptBridge(world: World, { progress, random, tries }: Context): Promise<Injected> {
  const { bridge } = world;
  const recoveriesMs: number[] = [];
  const problems: string[] = [];
  const logWords = new Set<string>();
  for (let i = 1; i <= tries; i++) {
    await world.nextBatch();
    await bridge.kill();
    const what = damage(world.bridgeDataPath, random, i % 3 === 0 ? /^CURRENT$/ : FILES);
    bridge.forgetLog();
    bridge.launch();
    const isRefused = await startsOrSays(bridge, CODES.bridge);
    for (const code of logWordsOf(bridge, CODES.bridge)) logWords.add(code);
    if (isRefused === null) problems.push(`the bridge ended without a word on ${what}`);
    const startedAtMs = performance.now();
    if (!bridge.isRunning) {
      rmSync(world.bridgeDataPath, { recursive: true });
      await bridge.start();
    }
    await world.nextBatch();
    const ms = performance.now() - startedAtMs;
    recoveriesMs.push(ms);
    const how = isRefused ? "refused, begins with an empty one" : "goes on";
    progress(`bridge, ${what}: ${how}; next batch after ${Math.round(ms)} ms (${i} of ${tries})`);
  }
  return { fault: "corrupt-store-bridge", tries, recoveriesMs, logWords: [...logWords], problems };
}

/** false: it serves; true: it ended and named one of the codes; null: it ended and named none. */
async function startsOrSays(process: ManagedProcess, codes: readonly string[]): Promise<boolean | null> {
  try {
    await process.ready();
    return false;
  } catch {
    if (process.isRunning) throw new Error(`${process.spec.name} neither serves nor ends`);
    return logWordsOf(process, codes).length > 0 ? true : null;
  }
}

/** @returns what was done, in words */
function damage(folder: string, random: TestRandom, which: RegExp): string {
  const files = readdirSync(folder).filter(
    (name) => which.test(name) && statSync(join(folder, name)).size > 0,
  );
  const name = random.pick(files);
  const path = join(folder, name);
  const { size } = statSync(path);
  if (random.next() < 0.4) {
    const newSize = random.below(size);
    truncateSync(path, newSize);
    return `${name} cut from ${size} to ${newSize} bytes`;
  }
  const bytes = readFileSync(path);
  const flipped = 1 + random.below(4);
  for (let i = 0; i < flipped; i++) bytes[random.below(size)]! ^= 1 << random.below(8);
  writeFileSync(path, bytes);
  return `${flipped} bits of ${name} flipped`;
}
