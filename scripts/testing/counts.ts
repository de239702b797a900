/** Counts of a Vitest run, from its own JSON report and exit status. */

/** The fields read of `vitest --reporter=json`. */
export interface VitestJson {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * A file that fails outside of its tests counts as one failure, and so does a run that ends badly for no test: an unhandled
 * rejection, no test found, or a crash before the report.
 *
 * @param report null if Vitest wrote none
 */
export function countTests(report: VitestJson | null, isGood: boolean): Counts {
  if (report === null) return { passed: 0, failed: 1, skipped: 0 };
  const failedFiles = report.testResults.filter(
    ({ assertionResults, status }) =>
      status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  const failed = report.numFailedTests + failedFiles.length;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && !isGood ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** `1234 passed, 0 failed`, and `, 3 skipped` if any were. */
export const closingLine = ({ failed, passed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
