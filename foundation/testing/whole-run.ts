/** Cases of core files that `npm run test:all` runs and `npm test` does not: they are dear, and another case shows the promise. */
import { type TestOptions, test } from "vitest";
import { isWhole } from "./test-random.ts";

interface DeclareTest {
  (name: string, run: () => unknown, timeoutMs?: number): void;
  (name: string, options: TestOptions, run: () => unknown): void;
}

/** Declares a test of `npm run test:all`. In `npm test` there is none of the name, so none is skipped. */
export const wholeTest: DeclareTest = isWhole ? (test as DeclareTest) : () => {};
