import { defineConfig } from "vitest/config";

// Two files at a time: compiling a circuit, most of the work, takes one core. Time limits allow for proofs beside it.
export default defineConfig({
  test: {
    include: [
      "{circuits,models,attribution,datanets,prover,bridge,contracts,sequencer,client,scripts,web}/**/*.test.ts",
    ],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 420_000,
    hookTimeout: 600_000,
    // A busy machine may take many seconds for what a quiet one does at once.
    expect: { poll: { timeout: 60_000 } },
  },
});
