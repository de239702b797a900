/** What cheating with rows gains under a card's base, in several worlds, and how well cleaning's scores find bad rows. */
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BaseRule } from "@openledger/attribution/features/base-column";
import { type BaseFactors, simulateBase } from "@openledger/attribution/internal/research/base-gaming";
import { measureCleaning } from "@openledger/attribution/internal/research/cleaning-quality";
import { FULL_GAMING, QUICK_GAMING } from "@openledger/attribution/internal/research/gaming";
import type { Estimate } from "@openledger/attribution/internal/research/quality-metrics";

/** The first one is the world of `bench attribution`. */
const SEEDS = ["gaming", "g2", "g3", "g4", "g5"];
const PROCESSES = 2;
const HALVES = 40;

/** In thousandths (BaseRule). `card` is what docs/explanation/attribution-methods.md recommends, and what attackers aim at. */
const RULES = {
  none: null,
  half: { flatPermille: 500, trustPermille: 1_000, oddsPermille: 500 },
  card: { flatPermille: 1_000, trustPermille: 1_000, oddsPermille: 500 },
} satisfies Record<string, BaseRule | null>;
type RuleName = keyof typeof RULES;

const ATTACKS = ["noiseCopy", "blend", "shadow", "outlier", "whiteBox", "sybil", "allWrong"] as const;
const FIGURES = [
  ...ATTACKS,
  "allWrongSybil",
  "wrong",
  "selection",
  "lds",
  "honestMove",
  "honestLeast",
  "honestMost",
] as const;

interface GamingBenchOptions {
  /** Up to five. */
  readonly worldCount: number;
  /** Where each world is kept once it is done, so that a run that was stopped goes on. */
  readonly keepFolder: string;
  /** Small worlds: shows in a minute that everything runs; its numbers mean nothing. */
  readonly isQuick: boolean;
  readonly log?: (line: string) => void;
}

export async function benchGaming({
  isQuick,
  keepFolder,
  log = console.log,
  worldCount,
}: GamingBenchOptions) {
  const seeds = SEEDS.slice(0, worldCount);
  const { contributors, rowsEach } = isQuick ? QUICK_GAMING : FULL_GAMING;
  log(`gaming: ${seeds.length} worlds of ${contributors} × ${rowsEach} digits, two at a time`);
  const waiting = [...seeds];
  const worlds = new Map<string, Record<RuleName, BaseFactors>>();
  const sources = await hashOfSources();
  await Promise.all(
    Array.from({ length: PROCESSES }, async () => {
      for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift())
        worlds.set(seed, await keptWorld(join(keepFolder, sources), seed, isQuick, log));
    }),
  );
  const reports = seeds.map((seed) => worlds.get(seed)!);
  const over = (name: RuleName, figure: (typeof FIGURES)[number]) => {
    const values = reports.map((report) => report[name][figure]);
    return {
      mean: round(values.reduce((sum, value) => sum + value, 0) / values.length),
      least: round(Math.min(...values)),
      most: round(Math.max(...values)),
    };
  };
  const names = Object.keys(RULES) as RuleName[];
  for (const figure of FIGURES) {
    const spelt = names.map((name) => {
      const { least, mean, most } = over(name, figure);
      return `${name} ${mean} (${least} … ${most})`;
    });
    log(`gaming, ${figure}: ${spelt.join(", ")}`);
  }
  const cleaning = Object.fromEntries(
    Object.entries(measureCleaning("cleaning") as unknown as Record<string, Estimate>).map(
      ([name, { high, low, value }]) => {
        log(`cleaning, ${name}: AUC ${round(value)} (${round(low)} … ${round(high)})`);
        return [name, { value: round(value), low: round(low), high: round(high) }];
      },
    ),
  );
  return {
    gaming: Object.fromEntries(ATTACKS.map((attack) => [attack, over("card", attack).mean])),
    gamingDetails: Object.fromEntries(
      names.map((name) => [name, Object.fromEntries(FIGURES.map((figure) => [figure, over(name, figure)]))]),
    ),
    gamingRules: RULES,
    gamingWorlds: seeds,
    isQuick,
    cleaning,
  };
}

const round = (value: number) => Math.round(value * 1_000) / 1_000;

/** Of everything that a world depends on: a world of other sources is another world. */
async function hashOfSources(): Promise<string> {
  const hash = createHash("sha256").update(process.version);
  for (const folder of ["../../../attribution/", "../../../circuits/", "./"]) {
    const root = fileURLToPath(new URL(folder, import.meta.url));
    const names = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".ts"));
    for (const name of names.sort()) hash.update(name).update(await readFile(join(root, name)));
  }
  return hash.digest("hex").slice(0, 16);
}

/** A world that was made by the same sources is not made again. */
async function keptWorld(folder: string, seed: string, isQuick: boolean, log: (line: string) => void) {
  const path = join(folder, `${seed}-${isQuick ? "quick" : "full"}.json`);
  const kept = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return null;
  });
  if (kept !== null) {
    log(`world ${seed}: kept from an earlier run of the same sources, ${path}`);
    return JSON.parse(kept) as Record<RuleName, BaseFactors>;
  }
  const startedAtMs = performance.now();
  const world = await forkWorld(seed, isQuick);
  log(`world ${seed}: done in ${Math.round((performance.now() - startedAtMs) / 1_000)} s`);
  await mkdir(folder, { recursive: true });
  await writeFile(`${path}.part`, JSON.stringify(world));
  await rename(`${path}.part`, path);
  return world;
}

/** A world takes minutes: each in a process of its own. */
function forkWorld(seed: string, isQuick: boolean): Promise<Record<RuleName, BaseFactors>> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [seed, isQuick ? "quick" : "full"], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    let result: Record<RuleName, BaseFactors> | undefined;
    child.on("message", (message) => {
      result = message as Record<RuleName, BaseFactors>;
      child.disconnect();
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (result === undefined) reject(new Error(`the world ${seed} ended with code ${code} and no result`));
      else resolve(result);
    });
  });
}

/** Only where it was forked: an import runs nothing. */
if (process.send !== undefined && process.argv[1]?.endsWith("gaming-worlds.ts")) {
  const seed = process.argv[2]!;
  const startedAt = performance.now();
  const log = (line: string) =>
    console.log(`world ${seed}: ${line} (${((performance.now() - startedAt) / 1000).toFixed(0)} s)`);
  const sizes = process.argv[3] === "quick" ? QUICK_GAMING : FULL_GAMING;
  process.send(simulateBase(RULES, "card", { ...sizes, seed, halves: HALVES, log }));
}
