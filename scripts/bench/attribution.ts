/**
 * Part of `npm run bench -- attribution` for classifiers: measures how well the integers that direct models (logistic, of
 * texts, pictures and tables) register predict retraining, what attackers earn, and how fast rows are scored.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { openGpuMatrix } from "@openledger/attribution/scores/gpu-scores";
import { integerScores } from "@openledger/attribution/scores/integer-scores";
import type { CorpusFigures, SizeName } from "./attribution-worker.ts";
import { CORPUS_NAMES, type CorpusName } from "./quality/corpora.ts";
import { GAMING_NAMES, type GamingFigures, type GamingName } from "./quality/gaming.ts";
import type { SmallFigures } from "./quality/small-quality.ts";
import { SMALL_NAMES, type SmallName } from "./quality/small-sets.ts";

/** Names for `--only` beside texts: a corpus, earnings of attackers by all sources or one, or the speed of scores. */
const CLASSIFIER_PARTS = [...CORPUS_NAMES, "gaming", "small", "scores"] as const;
type ClassifierPart = (typeof CLASSIFIER_PARTS)[number] | `gaming-${GamingName}` | `small-${SmallName}`;

/** Parts of a name of `--only`; null for a name of none. Undefined names all but the speed of scores. */
export function classifierParts(only: string | undefined): readonly ClassifierPart[] | null {
  if (only === undefined || only === "classifiers") return [...CORPUS_NAMES, "gaming"];
  const all = [
    ...CLASSIFIER_PARTS,
    ...GAMING_NAMES.map((name) => `gaming-${name}` as const),
    ...SMALL_NAMES.map((name) => `small-${name}` as const),
  ];
  const part = all.find((one) => one === only);
  return part === undefined ? null : [part];
}

type Named = Pick<
  CorpusFigures,
  "labels" | "rows" | "ldsExact" | "ldsRegistered" | "accuracy" | "accuracyInDoubles"
>;

export interface AttributionBenchOptions {
  /** Hundreds of rows instead of thousands: shows in seconds that everything runs; its numbers mean nothing. */
  readonly quick?: boolean;
  readonly parts: readonly ClassifierPart[];
  readonly log?: (line: string) => void;
}

export async function benchAttribution({ log = console.log, parts, quick = false }: AttributionBenchOptions) {
  const size = quick ? "quick" : "full";
  log(`attribution: ${size}; two processes`);
  const corpora: Partial<Record<CorpusName, Named>> = {};
  const gaming: Partial<Record<GamingName, GamingFigures>> = {};
  const small: Partial<Record<SmallName, SmallFigures>> = {};
  const tasks = [
    ...CORPUS_NAMES.filter((name) => parts.includes(name)).map((name) => async () => {
      const figures = await forkTask<CorpusFigures>("corpus", name, size);
      const { accuracy, accuracyInDoubles, labels, ldsExact, ldsRegistered, rows } = figures;
      corpora[name] = { labels, rows, ldsExact, ldsRegistered, accuracy, accuracyInDoubles };
      printQuality(name, figures, log);
    }),
    ...GAMING_NAMES.filter((name) => parts.includes("gaming") || parts.includes(`gaming-${name}`)).map(
      (name) => async () => {
        gaming[name] = await forkTask("gaming", name, size);
      },
    ),
    ...SMALL_NAMES.filter((name) => parts.includes("small") || parts.includes(`small-${name}`)).map(
      (name) => async () => {
        small[name] = await forkTask("small", name, size);
      },
    ),
  ];
  const work = async () => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) await task();
  };
  await Promise.all([work(), work()]);
  printGaming(gaming, log);
  return {
    ...(quick ? { isQuick: true } : {}),
    ...(Object.keys(corpora).length === 0 ? {} : { corpora }),
    ...(Object.keys(gaming).length === 0 ? {} : { gaming }),
    ...(Object.keys(small).length === 0 ? {} : { small }),
    ...(parts.includes("scores") ? { scores: await benchScores(log) } : {}),
  };
}

const SCORE_ROUNDS = 7;

/**
 * Measures a query against all rows in plain integers and by gpu.js in turns; the best time counts, and all must agree.
 * Of gpu.js the first query, which loads, compiles and copies, is named by itself. Without a card its shader runs on
 * the processor, which says nothing about a card.
 */
async function benchScores(log: (line: string) => void) {
  const sizes = [
    [1_000, 256],
    [8_192, 256],
    [8_192, 1_024],
  ] as const;
  const results = [];
  for (const [rowCount, featureCount] of sizes) {
    const random = new SeededRandom("bench-scores");
    const matrix = {
      rowCount,
      featureCount,
      features: Int8Array.from({ length: rowCount * featureCount }, () => random.nextBelow(255) - 127),
    };
    const query = Int16Array.from({ length: featureCount }, () => 2 * random.nextBelow(256) - 255);
    const expected = integerScores({ ...matrix, query });
    const startedAt = performance.now();
    const card = await openAdapter(matrix);
    await card.engine.scores(query);
    const ways = [
      {
        backend: "int32",
        firstMs: 0,
        bestMs: Number.POSITIVE_INFINITY,
        scores: async () => integerScores({ ...matrix, query }),
      },
      {
        backend: `gpu.js, ${card.kind} adapter`,
        firstMs: performance.now() - startedAt,
        bestMs: Number.POSITIVE_INFINITY,
        scores: () => card.engine.scores(query),
      },
    ];
    for (let round = 0; round < SCORE_ROUNDS; round++) {
      for (const way of ways) {
        const roundStartedAt = performance.now();
        const scores = await way.scores();
        way.bestMs = Math.min(way.bestMs, performance.now() - roundStartedAt);
        if (scores.some((score, i) => score !== expected[i]))
          throw new Error(`${way.backend} differs from int32`);
      }
    }
    card.engine.close();
    for (const { backend, firstMs, bestMs } of ways) {
      const first = firstMs === 0 ? "" : `, the first ${firstMs.toFixed(0)} ms`;
      log(`scores, ${rowCount} × ${featureCount}, ${backend}: ${bestMs.toFixed(2)} ms${first}`);
    }
    results.push({
      rowCount,
      featureCount,
      ways: ways.map(({ backend, firstMs, bestMs }) => ({ backend, firstMs, bestMs })),
    });
  }
  return results;
}

async function openAdapter(matrix: Parameters<typeof openGpuMatrix>[0]) {
  try {
    return { kind: "hardware", engine: await openGpuMatrix(matrix, "hardware") } as const;
  } catch {
    return { kind: "software", engine: await openGpuMatrix(matrix, "software") } as const;
  }
}

function forkTask<Figures>(task: string, name: string, size: SizeName): Promise<Figures> {
  const file = fileURLToPath(new URL("./attribution-worker.ts", import.meta.url));
  return new Promise((resolve, reject) => {
    // The loader that runs this file comes along with process.execArgv.
    const child = fork(file, [task, name, size], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    let result: Figures | undefined;
    child.on("message", (message) => {
      result = message as Figures;
      child.disconnect();
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (result === undefined) reject(new Error(`${task} of ${name} ended with code ${code} and no result`));
      else resolve(result);
    });
  });
}

/** Prints attacks × sets. */
function printGaming(gaming: Partial<Record<GamingName, GamingFigures>>, log: (line: string) => void) {
  const sets = GAMING_NAMES.filter((name) => gaming[name] !== undefined);
  if (sets.length === 0) return;
  const attacks = [...new Set(sets.flatMap((name) => Object.keys(gaming[name]!)))];
  const line = (cells: readonly string[]) => log(`| ${cells.join(" | ")} |`);
  line(["attack: a row's pay ÷ an honest row's", ...sets]);
  line(["---", ...sets.map(() => "---")]);
  for (const attack of attacks)
    line([attack, ...sets.map((name) => gaming[name]![attack]?.toFixed(2) ?? "–")]);
}

function printQuality(
  title: string,
  { accuracy, accuracyInDoubles, registeredMinusExact, ways }: CorpusFigures,
  log: (line: string) => void,
) {
  const spelt = (name: string, range: CorpusFigures["registeredMinusExact"], digits = 3) =>
    range === null
      ? ""
      : `${name} ${range.value.toFixed(digits)} (${range.low.toFixed(digits)} … ${range.high.toFixed(digits)}), `;
  log(`${title}, accuracy ${accuracy.toFixed(3)}, in doubles ${accuracyInDoubles.toFixed(3)}`);
  for (const { lds, leaveOneOut, sharesOff, way } of ways) {
    const trained = `${spelt("LDS", lds)}${spelt("leave-one-out", leaveOneOut)}`;
    log(`  ${way.padEnd(14)} ${trained}shares off by ${(100 * sharesOff).toFixed(2)} %`);
  }
  log(`  ${spelt("registered minus exact: LDS", registeredMinusExact, 4)}paired`);
}
