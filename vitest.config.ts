import { defineConfig } from "vitest/config";
import ByTime from "./scripts/testing/sequencer.ts";

// Two files at a time: most tests take one core. Time limits allow for proofs beside it.
export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/.cache/**", "**/.openledger/**"],
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: ByTime },
    setupFiles: ["./scripts/testing/cpu-time.ts"],
    // Most files import these, and each file has a process of its own: a few bundles load in a third of the time that
    // their thousand modules take.
    deps: {
      optimizer: {
        ssr: {
          enabled: true,
          include: [
            ...["viem", "viem/accounts", "viem/actions", "viem/chains", "zod", "fast-check"],
            ...["@noble/hashes/sha2.js", "@noble/hashes/sha3.js", "@noble/hashes/utils.js"],
            ...["@noble/curves/bn254.js", "@noble/curves/misc.js", "@noble/curves/secp256k1.js"],
          ],
        },
      },
    },
    testTimeout: 420_000,
    hookTimeout: 600_000,
    // `npm run coverage`, on demand: no other run pays for it.
    coverage: {
      provider: "v8",
      include: ["*/**/*.{ts,tsx}"],
      exclude: [
        "**/testing/**",
        "**/*.fixtures.ts",
        "e2e/**",
        "scripts/{bench,bundle,fuzz,house,packing,prebuilt}/**",
      ],
      reporter: ["text-summary", "json-summary", "html"],
      reportsDirectory: ".openledger/coverage",
    },
    // A busy machine may take many seconds for what a quiet one does at once.
    expect: { poll: { timeout: 60_000 } },
  },
});
