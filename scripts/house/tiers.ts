/**
 * Which tests `npm test` runs (the core) and which only `npm run test:all` does, as the file's name says: `*.test.ts` and
 * `*.all.test.ts`.
 */
import { isTest, isTesting, type SourceFile } from "./tree.ts";

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

/** Core files that may cost more than others, each with the promise that it alone shows to anyone who runs `npm test`. */
export const WITNESSES: Readonly<Record<string, string>> = {
  "web/road.test.ts": "two people walk from a row to money in the pages",
  "web/journey.test.ts": "a page takes money in, and axe-core finds nothing",
  "circuits/batch/batch.test.ts": "the circuit of batches computes what the ledger does",
  "circuits/batch/forgeries/slot-forgeries.test.ts": "every kind of operation refuses what is forged",
  "circuits/batch/forgeries/epoch-forgeries.test.ts": "closes and activations refuse what is forged",
  "prover/wasm/wasm-backend.test.ts": "a proof is what snarkjs verifies, and no other leaves",
  "circuits/settlement/settlement.test.ts": "a settlement divides as its rules say",
  "sequencer/crash.test.ts": "a killed sequencer has all that it acknowledged",
  "bridge/main.test.ts": "the bridge's process carries entries in and batches out",
  "scripts/commands/exit/exit.test.ts": "every owner's money leaves without any server, by real proofs",
  "contracts/l1/anvil.test.ts": "the local node starts, ends and keeps its state",
};

const MAX_CORE_CPU_SECONDS = 12;

interface Mark {
  readonly name: string;
  readonly isIn: (text: string) => boolean;
  /** Only the test file itself is read, not the support that it imports. */
  readonly isOwn?: boolean;
}

const MARKS: readonly Mark[] = [
  { name: "opens a browser", isIn: (text) => /^import .*"playwright-core"/m.test(text) },
  {
    name: "starts a process of Node",
    isIn: (text) =>
      /^import .*"node:child_process"/m.test(text) && /process\.execPath|"npx"|"npm"|\bfork\(/.test(text),
  },
  {
    name: "starts more than one anvil",
    isIn: (text) => text.split("startAnvil(").length > 2,
    isOwn: true,
  },
];

/** The test and all scaffolding that it reaches by way of scaffolding. */
function supported(tree: ReadonlyMap<string, SourceFile>, test: SourceFile): SourceFile[] {
  const found = new Set([test]);
  for (const { imports } of found)
    for (const path of imports) if (isTesting(path)) found.add(tree.get(path)!);
  return [...found];
}

/** @returns a sentence for each core file that belongs into `*.all.test.ts`, and for each witness that is none */
export function brokenTiers(tree: ReadonlyMap<string, SourceFile>, times: TestTimes): string[] {
  const broken: string[] = [];
  const core = [...tree.values()].filter(({ path }) => isTest(path) && tierOf(path) === "core");
  for (const test of core.filter(({ path }) => WITNESSES[path] === undefined)) {
    const marks = MARKS.filter(({ isIn, isOwn }) =>
      (isOwn ? [test] : supported(tree, test)).some(({ text }) => isIn(text)),
    );
    for (const { name } of marks) broken.push(`${test.path} ${name}: name it *.all.test.ts, or split it`);
    const { cpuSeconds } = times.core[test.path] ?? { cpuSeconds: 0 };
    if (cpuSeconds > MAX_CORE_CPU_SECONDS)
      broken.push(`${test.path} took ${cpuSeconds} CPU seconds, the limit is ${MAX_CORE_CPU_SECONDS}`);
  }
  for (const path of Object.keys(WITNESSES)) if (!tree.has(path)) broken.push(`no file ${path}`);
  return broken;
}
