/** Configuration of vitest: which test files share a process, which have one of their own, and which are of the long run. */
import { setFlagsFromString } from "node:v8";
import { defineConfig } from "vitest/config";
import { OPTIMISE_LATER } from "./scripts/bundle/start.js";

const everywhere = "**/*.test.ts";
/** Test files of the long run alone: processes, browsers, proofs. */
const long = "**/*.all.test.ts";
/**
 * Files that replace a module or load it anew: it would be another one for all files of their process. What a process has of its
 * own besides, a file gives back: its environment (each-file.ts), what it writes (run-in-process.ts), its exit status.
 */
const ofTheirOwn = [
  "scripts/commands/datanet/host-options.test.ts",
  "scripts/commands/models/training/training-terms.test.ts",
  "sequencer/full-node/follow-closes.test.ts",
];
// A twelfth less of CPU: most of what a test runs is soon done, and not worth the optimiser's work. Here for Vitest's own process.
for (const flag of OPTIMISE_LATER) setFlagsFromString(flag);
const excluded = ["**/node_modules/**", "**/.cache/**", "**/.openledger/**"];

// Time limits allow for proofs beside a test.
export default defineConfig({
  test: {
    pool: "forks",
    // Most tests take one core, and a fifth of their time they wait: for a chain's clock, a process, the end of a lease.
    maxWorkers: 4,
    // A twentieth less of CPU: circuits and curves in bigints make much garbage, and most of it dies young. A tenth less: where more
    // workers than cores have something to do, the collector's own threads mostly wait for each other, awake.
    // A tenth less where circuits are: V8 would optimise their programs' large functions after six runs of some twenty.
    execArgv: [
      "--max-semi-space-size=64",
      "--single-threaded-gc",
      "--wasm-tiering-budget=18000000",
      ...OPTIMISE_LATER,
    ],
    // A process of its own costs a file one to two seconds of CPU. The core's files share theirs.
    projects: [
      {
        extends: true,
        test: {
          name: "shared",
          isolate: false,
          include: [everywhere],
          exclude: [...excluded, ...ofTheirOwn, long],
        },
      },
      { extends: true, test: { name: "own", include: ofTheirOwn, exclude: [...excluded, long] } },
      { extends: true, test: { name: "long", include: [long], exclude: excluded } },
    ],
    // Tests read these by their path, and no import shows it to `--changed`.
    forceRerunTriggers: ["**/package.json/**", "**/vitest.config.*/**", "**/*.{circom,sol,cpp,h}"],
    // Before all tests, since a fresh clone has the packages of scripts/extras, and all kernels, only once somebody needs them.
    globalSetup: ["./scripts/extras/install.js", "./scripts/testing/native-parts.ts"],
    setupFiles: ["./scripts/testing/each-file.ts"],
    // Most files import these: a few bundles load in a third of the time that their thousand modules take.
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
        "scripts/{bench,bundle,fuzz,packing,prebuilt}/**",
      ],
      reporter: ["text-summary", "json-summary", "html"],
      reportsDirectory: ".openledger/coverage",
    },
    // A busy machine may take many seconds for what a quiet one does at once.
    expect: { poll: { timeout: 60_000 } },
  },
});
