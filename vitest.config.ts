import { defineConfig } from "vitest/config";

// Proving and anvil need both cores: files run one after another on this machine class.
export default defineConfig({
  test: {
    include: ["{circuits,attribution,prover,bridge,contracts,sequencer,client,scripts}/**/*.test.ts"],
    pool: "forks",
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
});
