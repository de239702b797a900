import { expect, it } from "vitest";
import { FAULTS } from "../faults/faults.ts";
import { faultTable, isClean, runFaults } from "./faults.ts";

/** Real processes on a machine that may be busy; alone it takes about a minute. */
const TEST_TIMEOUT_MS = 900_000;

it(
  "loses and doubles nothing, whatever happens: the short version of npm run drill -- faults",
  async () => {
    const plan = FAULTS.filter(({ shortTries }) => shortTries > 0).map(
      (fault) => [fault, fault.shortTries] as const,
    );
    const steps: string[] = [];
    const results = await runFaults(plan, {
      backend: "wasm",
      slots: 2,
      seed: 3,
      keepIn: null,
      tell: (text) => steps.push(text),
    });
    const report = () =>
      [...steps, faultTable(results), ...results.flatMap(({ problems }) => problems)].join("\n");
    expect(results.every(isClean), report()).toBe(true);
    expect(results.map(({ fault }) => fault)).toEqual(
      expect.arrayContaining([
        "kill-sequencer",
        "kill-prover",
        "kill-bridge",
        "other-machine",
        "reorg",
        "dropped-transaction",
      ]),
    );
    // Something was at stake.
    expect(results[0]!.acknowledged, report()).toBeGreaterThan(5);
    expect(results[0]!.batchCount, report()).toBeGreaterThan(2);
  },
  TEST_TIMEOUT_MS,
);
