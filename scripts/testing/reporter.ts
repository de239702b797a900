/** A reporter of Vitest that writes what `scripts/test.ts` reads, to the file that TEST_REPORT names. */
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, SerializedError, TestModule } from "vitest/node";
import type { FileResult, TestReport } from "./verdict.ts";

const firstLine = (error: { message?: string } | undefined) => error?.message?.trim().split("\n")[0] ?? "";

function resultOf(module: TestModule, unhandled: readonly SerializedError[]): FileResult {
  const tests = [...module.children.allTests()];
  const countOf = (state: string) => tests.filter((test) => test.result().state === state).length;
  const failed = tests.find((test) => test.result().state === "failed");
  const outside = [
    ...module.errors(),
    ...[...module.children.allSuites()].flatMap((suite) => suite.errors()),
    ...unhandled.filter((error) => error.VITEST_TEST_PATH === module.moduleId),
  ];
  const [passedCount, failedCount] = [countOf("passed"), countOf("failed")];
  const failures = [
    ...(failed === undefined ? [] : [`${failed.fullName}: ${firstLine(failed.result().errors?.[0])}`]),
    ...outside.map(firstLine),
    ...(module.state() === "failed" ? ["no reason given"] : []),
  ];
  return {
    name: relative(".", module.moduleId),
    ...{ passedCount, failedCount, skippedCount: tests.length - passedCount - failedCount },
    failure: failures[0] ?? null,
    durationMs: Math.round(module.diagnostic().duration),
    cpuSeconds: module.meta().cpuSeconds ?? null,
  };
}

export default class implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const paths = new Set(modules.map(({ moduleId }) => moduleId));
    const report: TestReport = {
      files: modules.map((module) => resultOf(module, unhandled)),
      outside: unhandled.filter((error) => !paths.has(error.VITEST_TEST_PATH as string)).map(firstLine),
    };
    writeFileSync(process.env.TEST_REPORT!, JSON.stringify(report));
  }
}
