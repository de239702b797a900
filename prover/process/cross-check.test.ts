import { createLogger } from "@openledger/foundation/logger";
import { ONE_DAY_MS } from "@openledger/foundation/settings";
import { beforeAll, expect, test } from "vitest";
import { createProver } from "../backends.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import type { ProofJob, ProofResult, Prover } from "../proving/prover.ts";
import { compileSample, scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { CrossCheck, otherBackend } from "./cross-check.ts";

const FIRST_MS = 10 * 60_000;
const folder = await scratchFolder();
let job: ProofJob;
let proven: ProofResult;
beforeAll(async () => {
  const circuit = await developmentSetup(await compileSample(4), { cacheDir: folder });
  job = { circuit, inputs: { x: 3n, w: 5n } };
  const prover = await createProver("wasm");
  proven = await prover.prove(job);
  await prover.close();
});

function checkerAt(clock: () => number, openOther: (name: string) => Promise<Prover>) {
  const results: string[] = [];
  const opened: string[] = [];
  const check = new CrossCheck("native", {
    logger: createLogger("test", "silent"),
    clock,
    onChecked: (result) => results.push(result),
    openOther: (name) => {
      opened.push(name);
      return openOther(name);
    },
  });
  return { check, opened, results };
}
const never = new AbortController().signal;
const altered = (change: Partial<ProofResult>): Prover => ({
  backend: "altered",
  prove: async () => ({ ...proven, ...change }),
  close: async () => {},
});

test("one proof a day is made again by another back end, the first after ten minutes", async () => {
  let nowMs = 0;
  const { check, opened, results } = checkerAt(
    () => nowMs,
    () => createProver("wasm"),
  );
  const at = async (ms: number) => {
    nowMs = ms;
    await check.afterProof(job, proven, never);
    return results.length;
  };
  expect(await at(FIRST_MS - 1)).toBe(0);
  expect(await at(FIRST_MS)).toBe(1);
  expect(await at(FIRST_MS + ONE_DAY_MS - 1)).toBe(1);
  expect(await at(FIRST_MS + ONE_DAY_MS)).toBe(2);
  expect(results).toEqual(["same", "same"]);
  expect(opened).toEqual(["wasm", "wasm"]);
  expect(check.failureCode).toBe(null);
});

test("a proof that another back end contradicts, or that is not valid, is an alarm until the next day's check", async () => {
  let nowMs = 0;
  let other = altered({ publicSignals: proven.publicSignals.map((signal) => signal + 1n) });
  const { check, results } = checkerAt(
    () => nowMs,
    async () => other,
  );
  nowMs = FIRST_MS;
  await check.afterProof(job, proven, never);
  expect(check.failureCode).toBe("PRV_CROSS_CHECK_FAILED");
  other = altered({});
  nowMs += ONE_DAY_MS;
  const { a, b } = proven.proof;
  await check.afterProof(job, { ...proven, proof: { a, b, c: a } }, never);
  expect(check.failureCode).toBe("PRV_CROSS_CHECK_FAILED");
  nowMs += ONE_DAY_MS;
  await check.afterProof(job, proven, never);
  expect(check.failureCode).toBe(null);
  expect(results).toEqual(["failed", "failed", "same"]);
});

test("a back end that cannot run is an alarm, and a process that stops is none", async () => {
  let nowMs = 0;
  const { check, results } = checkerAt(
    () => nowMs,
    () => Promise.reject(new Error("no memory")),
  );
  nowMs = FIRST_MS;
  const stopping = new AbortController();
  stopping.abort();
  await check.afterProof(job, proven, stopping.signal);
  expect(results).toEqual([]);
  await check.afterProof(job, proven, never);
  expect(results).toEqual(["failed"]);
  expect(check.failureCode).toBe("PRV_CROSS_CHECK_FAILED");
});

test("every back end is checked by one with other arithmetic", () => {
  expect(otherBackend("wasm")).toBe("snarkjs");
  for (const name of ["native", "webgpu", "snarkjs"] as const) expect(otherBackend(name)).toBe("wasm");
});
