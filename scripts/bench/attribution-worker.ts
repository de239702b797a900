/**
 * One data set of `npm run bench -- attribution` (digits or e-mails) in a process of its own, so that both cores work.
 * attribution.ts starts it.
 */
import { type DirectQualityOptions, measureDirect } from "./quality/direct-quality.ts";

const BITS = [8, 10, 12];
const SIZES = {
  full: { queryCount: 200, subsetCount: 100, leaveOneOutCount: 100, bitCounts: BITS },
  quick: { queryCount: 20, subsetCount: 8, leaveOneOutCount: 4, bitCounts: BITS },
} as const;
type SizeName = keyof typeof SIZES;
/** dattri's benchmark (arXiv 2410.04555) has as many digits, of 28 × 28 pixels. */
const ROWS = { full: { mnist: 5_000, emails: 2_000 }, quick: { mnist: 200, emails: 200 } } as const;
const PICTURES = { kind: "image", colours: 1, ground: "black" } as const;
const CASES = {
  mnist: {
    full: { inputs: { ...PICTURES, side: 14, levels: 9, bucketCount: 1_024 }, decay: 0.003, seed: "mnist" },
    quick: { inputs: { ...PICTURES, side: 7, levels: 3, bucketCount: 64 }, decay: 0.003, seed: "mnist" },
  },
  emails: {
    full: { inputs: { kind: "text", bucketCount: 1_024 }, decay: 0.001, seed: "direct" },
    quick: { inputs: { kind: "text", bucketCount: 256 }, decay: 0.001, seed: "direct" },
  },
} as const;
export type Part = keyof typeof CASES;

function runPart(part: Part, size: SizeName) {
  const startedAt = performance.now();
  const log = (line: string) =>
    console.log(`${part}: ${line} (${((performance.now() - startedAt) / 1000).toFixed(0)} s)`);
  const options: DirectQualityOptions = {
    ...SIZES[size],
    ...CASES[part][size],
    rowCount: ROWS[size][part],
    log,
  };
  return measureDirect(options);
}

/** Runs only in a fork: an import runs nothing. */
if (process.send !== undefined && process.argv[1]?.endsWith("attribution-worker.ts")) {
  const [part, size] = process.argv.slice(2) as [Part, SizeName];
  process.send(await runPart(part, size));
}
