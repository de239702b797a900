/** Quality of the attribution methods on digits, and what contributors could gain by cheating. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Attacks, GamingReport } from "@openledger/attribution/internal/research/gaming";
import { METHODS } from "@openledger/attribution/internal/research/method-scores";
import type { QualityReport } from "@openledger/attribution/internal/research/quality";
import { openGpuMatrix } from "@openledger/attribution/internal/scores/gpu-scores";
import { integerScores } from "@openledger/attribution/internal/scores/integer-scores";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { Part } from "./attribution-worker.ts";

interface AttributionBenchOptions {
  /** Hundreds of rows instead of 5,000: shows in seconds that everything runs; its numbers mean nothing. */
  readonly quick?: boolean;
  readonly log?: (line: string) => void;
}

/** Figures of others for the same data and rows: dattri's benchmark (arXiv 2410.04555). Their training differs. */
const PUBLISHED = {
  mnistLogistic: {
    exactInfluence: { lds: 0.8, loo: 0.875 },
    trak: { lds: 0.685 },
    gradDot: { lds: 0.33 },
    auc: 0.98,
  },
  mnistMlp: { trak: { lds: 0.45 } },
} as const;

export async function benchAttribution({ quick = false, log = console.log }: AttributionBenchOptions = {}) {
  const size = quick ? "quick" : "full";
  log(`attribution: ${size}; two processes`);
  const [mnistLogistic, { mnistMlp, gaming }] = await Promise.all([
    forkPart<QualityReport>("mnistLogistic", size),
    forkPart<QualityReport>("mnistMlp", size).then(async (mlp) => ({
      mnistMlp: mlp,
      gaming: await forkPart<GamingReport>("gaming", size),
    })),
  ]);
  printQuality("MNIST, logistic regression", mnistLogistic, log);
  printQuality("MNIST, perceptron", mnistMlp, log);
  const bounded = factors(gaming.bounded, gaming.selfPay.worstCaseProfit);
  // Without the treasury's part whoever owns the model and all rows gets everything back.
  const unbounded = factors(gaming.unbounded, 0);
  for (const name of ["copy", "sybil", "shadow", "outlier"] as const) {
    log(
      `gaming, ${name}: reward × ${bounded[name].toFixed(3)}, × ${unbounded[name].toFixed(3)} without rules`,
    );
  }
  const { selfPay, bounded: withRules } = gaming;
  log(`for comparison, choosing the best of his own honest rows: × ${withRules.selection.factor.toFixed(3)}`);
  log(
    `gaming, paying oneself: a contributor's profit ${selfPay.profit.toFixed(3)} of what he pays, ` +
      `anyone's at most ${selfPay.worstCaseProfit.toFixed(4)}`,
  );
  const scores = benchScores(log);
  return {
    isQuick: quick,
    mnistLogistic: { ...mnistLogistic.methods, provenMinusExact: mnistLogistic.provenMinusExact },
    mnistMlp: { ...mnistMlp.methods, provenMinusExact: mnistMlp.provenMinusExact },
    accuracy: { mnistLogistic: mnistLogistic.accuracy, mnistMlp: mnistMlp.accuracy },
    gaming: bounded,
    gamingUnbounded: unbounded,
    gamingDetails: gaming,
    scores,
    published: PUBLISHED,
  };
}

/** Each attack's factor on the attacker's reward; for self-payment the largest profit, as a part of what he pays in. */
function factors({ copy, sybil, shadow, outlier }: Attacks, selfPay: number) {
  return {
    copy: copy.factor,
    sybil: sybil.factor,
    shadow: shadow.factor,
    outlier: outlier.factor,
    selfPay,
  };
}

const SCORE_ROUNDS = 7;

/**
 * Best time of a query against all rows, on each way to compute it, in turns. All ways must agree. Of gpu.js the first query, which
 * loads and compiles, is named by itself.
 */
function benchScores(log: (line: string) => void) {
  const sizes = [
    [1_000, 256],
    [8_192, 256],
    [8_192, 1_024],
  ] as const;
  return sizes.map(([rowCount, featureCount]) => {
    const random = new SeededRandom("bench-scores");
    const matrix = {
      rowCount,
      featureCount,
      features: Int8Array.from({ length: rowCount * featureCount }, () => random.nextBelow(255) - 127),
    };
    const query = Int16Array.from({ length: featureCount }, () => 2 * random.nextBelow(256) - 255);
    const expected = integerScores({ ...matrix, query });
    const integers = {
      ...{ asked: "int32", backend: "int32", firstMs: 0, bestMs: Number.POSITIVE_INFINITY },
      scores: () => integerScores({ ...matrix, query }),
    };
    const opened = (["cpu", "webasm", "gpu"] as const).map((asked) => {
      const startedAt = performance.now();
      const engine = openGpuMatrix(matrix, asked);
      const { backend } = engine.scores(query);
      return {
        ...{ asked, backend, firstMs: performance.now() - startedAt, bestMs: Number.POSITIVE_INFINITY },
        scores: () => engine.scores(query).scores,
        close: () => engine.close(),
      };
    });
    for (let round = 0; round < SCORE_ROUNDS; round++) {
      for (const way of [integers, ...opened]) {
        const startedAt = performance.now();
        const scores = way.scores();
        way.bestMs = Math.min(way.bestMs, performance.now() - startedAt);
        if (scores.some((score, i) => score !== expected[i]))
          throw new Error(`${way.backend} differs from int32`);
      }
    }
    for (const { close } of opened) close();
    const ways = [integers, ...opened].map(({ asked, backend, firstMs, bestMs }) => {
      const first = asked === "int32" ? "" : `, the first ${firstMs.toFixed(0)} ms`;
      log(
        `scores, ${rowCount} × ${featureCount}, asked for ${asked}, ran ${backend}: ${bestMs.toFixed(2)} ms${first}`,
      );
      return { asked, backend, firstMs, bestMs };
    });
    return { rowCount, featureCount, ways };
  });
}

function forkPart<T>(part: Part, size: string): Promise<T> {
  const file = fileURLToPath(new URL("./attribution-worker.ts", import.meta.url));
  return new Promise((resolve, reject) => {
    // The loader that runs this file comes along with process.execArgv.
    const child = fork(file, [part, size], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    let result: T | undefined;
    child.on("message", (message) => {
      result = message as T;
      child.disconnect();
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (result === undefined) reject(new Error(`the part ${part} ended with code ${code} and no result`));
      else resolve(result);
    });
  });
}

function printQuality(
  title: string,
  { methods, provenMinusExact, accuracy }: QualityReport,
  log: (line: string) => void,
) {
  log(`${title}, accuracy ${accuracy.toFixed(3)}`);
  for (const method of METHODS) {
    const { lds, ldsLow, ldsHigh, loo, auc } = methods[method];
    log(
      `  ${method.padEnd(15)} LDS ${lds.toFixed(3)} (${ldsLow.toFixed(3)} … ${ldsHigh.toFixed(3)}), ` +
        `leave-one-out ${loo.toFixed(3)}, wrong labels AUC ${auc.toFixed(3)}`,
    );
  }
  const { lds, low, high } = provenMinusExact;
  log(`  int8 minus exact: LDS ${lds.toFixed(4)} (${low.toFixed(4)} … ${high.toFixed(4)})`);
}
