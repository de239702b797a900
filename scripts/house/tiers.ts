/**
 * Which tests `npm test` runs (the core) and which only `npm run test:all` does, as the file's name says: `*.test.ts` and
 * `*.all.test.ts`.
 */
export type Tier = "core" | "all";
export const tierOf = (path: string): Tier => (path.endsWith(".all.test.ts") ? "all" : "core");

/** What a test file took when it was measured last. */
export interface TestTime {
  /** Of its process and of all processes that it waited for. */
  readonly cpuSeconds: number;
  /** Of tests and hooks, without the imports before them. */
  readonly seconds: number;
}
/** By the run in which it was measured, `npm test` or `npm run test:all`, and by path. */
export interface TestTimes extends Readonly<Record<Tier, Readonly<Record<string, TestTime>>>> {
  /** How many tests each file has that only `npm run test:all` runs. */
  readonly more: Readonly<Record<string, number>>;
}
