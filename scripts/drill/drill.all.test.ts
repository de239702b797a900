import { expect, it } from "vitest";
import { FAULTS, isClean, runDrill } from "./run-drills.ts";
import { tableOf } from "./table.ts";

/** Real processes on a machine that may be busy; alone it takes about a minute. */
const TEST_TIMEOUT_MS = 900_000;

it(
  "loses and doubles nothing, whatever happens: the short version of npm run drill",
  async () => {
    const plan = FAULTS.filter(({ shortTries }) => shortTries > 0).map(
      (fault) => [fault, fault.shortTries] as const,
    );
    const steps: string[] = [];
    const results = await runDrill(plan, {
      backend: "wasm",
      slots: 2,
      seed: 3,
      keepIn: null,
      progress: (text) => steps.push(text),
    });
    const report = () =>
      [...steps, tableOf(results), ...results.flatMap(({ problems }) => problems)].join("\n");
    expect(results.every(isClean), report()).toBe(true);
    expect(results.map(({ fault }) => fault)).toEqual(
      expect.arrayContaining([
        "kill-sequencer",
        "kill-prover",
        "kill-bridge",
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
