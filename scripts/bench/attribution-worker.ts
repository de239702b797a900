/**
 * One data set of `npm run bench -- attribution`, its quality or its attackers, in a process of its own, so that both cores work. attribution.ts starts it.
 */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { type Corpus, type CorpusName, openCorpus } from "./quality/corpora.ts";
import { type DirectQuality, measureDirect, REGISTERED } from "./quality/direct-quality.ts";
import { measureGaming } from "./quality/gaming.ts";
import { heldOutAccuracy, type Split } from "./quality/held-out-accuracy.ts";
import { measureSmall, SMALL_SIZES } from "./quality/small-quality.ts";
import type { SmallName } from "./quality/small-sets.ts";

/**
 * Rows that are trained on; questions that scores are of; unseen rows that are labelled, as many as there are where none are named;
 * random halves; rows left out singly. dattri's benchmark (arXiv 2410.04555) has 5,000 digits, too.
 */
const SIZES = {
  brown: { rowCount: 448, queryCount: 200, unseenCount: 1_500, subsetCount: 40, leaveOneOutCount: 0 },
  emails: { rowCount: 2_000, queryCount: 200, unseenCount: 2_000, subsetCount: 100, leaveOneOutCount: 100 },
  digits: { rowCount: 5_000, queryCount: 200, unseenCount: 2_000, subsetCount: 100, leaveOneOutCount: 100 },
  iris: { rowCount: 120, queryCount: 30, unseenCount: 0, subsetCount: 100, leaveOneOutCount: 100 },
} as const;
const QUICK = {
  rowCount: 100,
  queryCount: 20,
  unseenCount: 100,
  subsetCount: 8,
  leaveOneOutCount: 4,
} as const;
const BITS = { full: [8, 10, 12], quick: [10] } as const;
export type SizeName = keyof typeof BITS;

/** Sets of rows that are trained on one after another, where answers are often wrong: each labels all other rows, and one draw says little. */
const TRAINED_SETS = { brown: 4, emails: 1, digits: 1 } as const;
/** Times that a small data set is cut into folds, each of which the model of the others labels. */
const REPETITIONS = 10;
const FOLDS = 5;

/** Figures of one data set, and of all ways to register beside the way that ships. */
export interface CorpusFigures extends DirectQuality {
  readonly labels: number;
  readonly rows: number;
  readonly ldsExact: number | null;
  readonly ldsRegistered: number | null;
  readonly accuracy: number;
  readonly accuracyInDoubles: number;
}

async function measureCorpus(name: CorpusName, size: SizeName): Promise<CorpusFigures> {
  const startedAt = performance.now();
  const log = (line: string) =>
    console.log(`${name}: ${line} (${((performance.now() - startedAt) / 1000).toFixed(0)} s)`);
  const full = SIZES[name];
  const leaveOneOutCount = Math.min(full.leaveOneOutCount, QUICK.leaveOneOutCount);
  const sizes = size === "quick" ? { ...QUICK, leaveOneOutCount } : full;
  const { queryCount, rowCount, unseenCount } = sizes;
  const corpus = openCorpus(name, name === "iris" ? undefined : rowCount + Math.max(queryCount, unseenCount));
  log("held-out accuracy");
  const splits =
    name === "iris"
      ? foldsOf(corpus, size === "quick" ? 1 : REPETITIONS)
      : splitsOf(corpus, rowCount, size === "quick" ? 1 : TRAINED_SETS[name]);
  const accuracies = await heldOutAccuracy(corpus, splits, log);
  const quality = await measureDirect({ corpus, ...sizes, bitCounts: BITS[size], log });
  const ldsOf = (way: string) => quality.ways.find((one) => one.way === way)?.lds?.value ?? null;
  return {
    labels: corpus.classes.length,
    rows: rowCount,
    ldsExact: ldsOf("exact"),
    ldsRegistered: ldsOf(REGISTERED),
    ...accuracies,
    ...quality,
  };
}

/** Splits whose rows that are trained on are disjoint. */
function splitsOf({ rows }: Corpus, rowCount: number, count: number): Split[] {
  const positions = [...rows.keys()];
  return Array.from({ length: count }, (_, k) => {
    const isTrained = (position: number) => Math.floor(position / rowCount) === k;
    return {
      train: positions.filter(isTrained),
      test: positions.filter((position) => !isTrained(position)),
    };
  });
}

function foldsOf({ name, rows }: Corpus, repetitions: number): Split[] {
  const random = new SeededRandom(`${name}/folds`);
  return Array.from({ length: repetitions }, () => [...random.permutation(rows.length)]).flatMap((order) =>
    Array.from({ length: FOLDS }, (_, fold) => ({
      train: order.filter((_, k) => k % FOLDS !== fold),
      test: order.filter((_, k) => k % FOLDS === fold),
    })),
  );
}

const TASKS = {
  corpus: (name: CorpusName, size: SizeName) => measureCorpus(name, size),
  gaming: measureGaming,
  small: (name: SmallName, size: SizeName, log: (line: string) => void) =>
    measureSmall(name, SMALL_SIZES[size], log),
};

/** Runs only in a fork: an import runs nothing. */
if (process.send !== undefined && process.argv[1]?.endsWith("attribution-worker.ts")) {
  const [task, name, size] = process.argv.slice(2) as [keyof typeof TASKS, string, SizeName];
  const result = await TASKS[task](name as never, size, (line) => console.log(`${name}: ${line}`));
  process.send(result);
}
