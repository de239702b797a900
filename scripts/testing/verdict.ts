/** What `npm test` says of a run. A test that fails once is a fault: nothing is forgiven. */

export interface FileResult {
  readonly name: string;
  readonly passedCount: number;
  readonly failedCount: number;
  readonly skippedCount: number;
  /** The first test that failed and why; null where nothing did. */
  readonly failure: string | null;
  /** Tests and hooks, without the imports before them. */
  readonly durationMs: number;
  /** Of the file's process and of those that it waited for; null where it did not come to its end. */
  readonly cpuSeconds: number | null;
}

export interface TestReport {
  readonly files: readonly FileResult[];
  /** Errors that belong to no file. */
  readonly outside: readonly string[];
}

export interface Verdict {
  readonly passedCount: number;
  readonly failedCount: number;
  readonly skippedCount: number;
}

export function judge({ files, outside }: TestReport): Verdict {
  const sumOf = (count: (file: FileResult) => number) => files.reduce((sum, file) => sum + count(file), 0);
  return {
    passedCount: sumOf(({ passedCount }) => passedCount),
    // A file that fails outside of its tests is one failure.
    failedCount:
      sumOf(({ failedCount, failure }) => Math.max(failedCount, failure === null ? 0 : 1)) + outside.length,
    skippedCount: sumOf(({ skippedCount }) => skippedCount),
  };
}

/** The files that took longest, as the closing lines name them: where a suite that grows can be shortened. */
export function slowest({ files }: TestReport, count: number): string[] {
  return [...files]
    .sort((a, b) => b.durationMs - a.durationMs)
    .slice(0, count)
    .map(({ durationMs, name }) => `${(durationMs / 1_000).toFixed(0)} s ${name}`);
}
