/** What each test file took when it was measured last: `times.json`, which `--write-times` writes. */
import { readFileSync, writeFileSync } from "node:fs";
import { type TestTime, type TestTimes, type Tier, tierOf } from "../house/tiers.ts";
import type { TestReport } from "./verdict.ts";

const path = new URL("times.json", import.meta.url);

export const readTimes = (): TestTimes => JSON.parse(readFileSync(path, "utf8")) as TestTimes;

/** Seconds that a file takes in a run of the tier; undefined where it was never measured. */
export const secondsOf = (times: TestTimes, tier: Tier, file: string): number | undefined =>
  (times[tier][file] ?? times[tier === "core" ? "all" : "core"][file])?.seconds;

/**
 * The longest first: one that begins last would leave the other cores idle. Files that were never measured come in the
 * middle.
 */
export function longestFirst(
  files: readonly string[],
  seconds: (file: string) => number | undefined,
): string[] {
  const known = files.map(seconds).filter((one) => one !== undefined);
  const middle = known.sort((a, b) => a - b)[Math.floor(known.length / 2)] ?? 0;
  const lengthOf = (file: string) => seconds(file) ?? middle;
  return [...files].sort((a, b) => lengthOf(b) - lengthOf(a));
}

/** The files of one of `count` shards, which take about as long as each other. @param index from 1 */
export function shardOf(
  files: readonly string[],
  seconds: (file: string) => number | undefined,
  { index, count }: { readonly index: number; readonly count: number },
): string[] {
  const shards = Array.from({ length: count }, () => ({ seconds: 0, files: [] as string[] }));
  for (const file of longestFirst(files, seconds)) {
    const shortest = shards.reduce((a, b) => (b.seconds < a.seconds ? b : a));
    shortest.files.push(file);
    // Each file has a process, however little it does in it.
    shortest.seconds += (seconds(file) ?? 0) + 1;
  }
  return shards[index - 1]!.files;
}

/** Tests that only `npm run test:all` has, as it counted them last. */
export const countMore = ({ more }: TestTimes): number =>
  Object.values(more).reduce((sum, count) => sum + count, 0);

/** The times with those of a run in place of older ones, and without files that are no more. */
export function withReport(
  times: TestTimes,
  tier: Tier,
  { files }: TestReport,
  exists: (file: string) => boolean,
): TestTimes {
  const round = (value: number) => Math.round(value * 10) / 10;
  const measured = files
    .filter(({ cpuSeconds, failure }) => failure === null && cpuSeconds !== null)
    .map(({ cpuSeconds, durationMs, name }): [string, TestTime] => [
      name,
      { cpuSeconds: round(cpuSeconds!), seconds: round(durationMs / 1_000) },
    ]);
  const counted = files
    .filter(({ name }) => tierOf(name) === "all")
    .map(({ failedCount, name, passedCount, skippedCount }): [string, number] => [
      name,
      passedCount + failedCount + skippedCount,
    ]);
  const renewed = <T>(old: Readonly<Record<string, T>>, of: readonly [string, T][]) =>
    Object.fromEntries(
      Object.entries({ ...old, ...Object.fromEntries(of) })
        .filter(([file]) => exists(file))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  return {
    core: renewed(times.core, tier === "core" ? measured : []),
    all: renewed(times.all, tier === "all" ? measured : []),
    more: renewed(times.more, counted),
  };
}

export function writeTimes(times: TestTimes): void {
  const parts = Object.entries(times).map(([name, files]) => {
    const lines = Object.entries(files).map(
      ([file, value]) => `    ${JSON.stringify(file)}: ${JSON.stringify(value)}`,
    );
    return `  "${name}": {\n${lines.join(",\n")}\n  }`;
  });
  writeFileSync(path, `{\n${parts.join(",\n")}\n}\n`);
}
