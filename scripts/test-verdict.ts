/**
 * What `npm test` says of a run: its counts, and which files were unstable, that is failed beside the others and passed
 * alone. A few are forgiven, because a machine may be busier than a test foresees. None is hidden.
 */

export interface FileResult {
  readonly name: string;
  readonly passedCount: number;
  readonly failedCount: number;
  readonly skippedCount: number;
  /** The first test that failed and why; null where nothing did. */
  readonly failure: string | null;
  /** Tests and hooks, without the imports before them. */
  readonly durationMs: number;
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
  readonly unstable: readonly FileResult[];
}

/** More unstable files than this are a fault of the suite, not of the machine. */
export const MAX_UNSTABLE_FILES = 2;

/**
 * @param first the run of all files
 * @param alone what the files gave that failed there and were run once more
 * @param forgivenCount as many unstable files count as passed; where there are more, none does
 */
export function judge(
  first: TestReport,
  alone: readonly FileResult[],
  forgivenCount: number = MAX_UNSTABLE_FILES,
): Verdict {
  const passedAlone = new Map(
    alone.filter(({ failure }) => failure === null).map((file) => [file.name, file]),
  );
  const unstable = first.files.filter(({ failure, name }) => failure !== null && passedAlone.has(name));
  const isForgiven = unstable.length <= forgivenCount;
  const counted = first.files.map((file) => (isForgiven ? (passedAlone.get(file.name) ?? file) : file));
  const sumOf = (count: (file: FileResult) => number) => counted.reduce((sum, file) => sum + count(file), 0);
  return {
    passedCount: sumOf(({ passedCount }) => passedCount),
    // A file that fails outside of its tests is one failure.
    failedCount:
      sumOf(({ failedCount, failure }) => Math.max(failedCount, failure === null ? 0 : 1)) +
      first.outside.length,
    skippedCount: sumOf(({ skippedCount }) => skippedCount),
    unstable,
  };
}

/** The files that took longest, as the closing lines name them: where a suite that grows can be shortened. */
export function slowest({ files }: TestReport, count: number): string[] {
  return [...files]
    .sort((a, b) => b.durationMs - a.durationMs)
    .slice(0, count)
    .map(({ durationMs, name }) => `${(durationMs / 1_000).toFixed(0)} s ${name}`);
}
