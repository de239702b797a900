/** How well scores of texts predict what retraining without them does, and whether they find spoilt texts. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { int8Scores } from "@openledger/attribution/testing/int8-scores";
import { groupAttributions, linearDatamodelingScore } from "@openledger/attribution/testing/quality-metrics";
import { toEigenbases } from "@openledger/models/internal/influence/gradient-coordinates";
import { attackFactors } from "./texts/attacks.ts";
import { floatScores, gradientsAfter, textFeatures } from "./texts/attributed.ts";
import { badRowAuc, SPOILINGS } from "./texts/bad-rows.ts";
import { baseNumbers } from "./texts/base-model.ts";
import type { RetrainOrder } from "./texts/retrain-worker.ts";
import { halfOf, keptLosses, type Retraining, retrainingPath } from "./texts/retraining.ts";
import { rowsAndQueries, type TextSetting, textSetting } from "./texts/setting.ts";

interface TextBenchOptions {
  /** Retrained halves of the report; 0: only what attackers earn. */
  readonly halves: number;
  /** So many of them in a second order, too: for the ceiling. */
  readonly again: number;
  readonly threads: number;
  /** Shows in a minute that everything runs; its numbers mean nothing. */
  readonly quick: boolean;
}

const FEATURES = 256;
/** Grad-Dot is the mark: inner products of gradients as they come. */
const methods = { gradDot: () => () => {}, ekFacHalf: toEigenbases } as const;

const log = (line: string) => console.log(line);

export async function benchTextAttribution({ again, halves, quick, threads }: TextBenchOptions) {
  const earned = await attackFactors(quick, log);
  if (halves === 0) return { text: earned };
  const setting = quick ? textSetting(64, 32, 40) : textSetting(256, 128, 700);
  const base = await baseNumbers(setting, threads, log);
  const { rowCount } = setting;
  const sets = {
    first: Array.from({ length: halves }, (_, i) => halfOf(rowCount, i, 0)),
    second: Array.from({ length: Math.min(again, halves) }, (_, i) => halfOf(rowCount, i, 1)),
  };
  await retrainAll(setting, Object.values(sets).flat(), threads);
  const outputs = async (retrainings: readonly Retraining[]) =>
    Promise.all(
      retrainings.map(async (one) => (await keptLosses(retrainingPath(setting, base, one)))!.map((x) => -x)),
    );
  const [first, second] = await Promise.all([sets.first, sets.second].map(outputs));
  const twice = sets.first.slice(0, second!.length);
  const both = second!.map((values, h) => values.map((x, q) => (x + first![h]![q]!) / 2));
  const agreement = linearDatamodelingScore(first!.slice(0, second!.length), second!, "text attribution");
  const ceiling = Math.sqrt(Math.max(0, agreement.value));
  log(
    `two orders of the same halves correlate ${agreement.value.toFixed(3)}: no LDS is above ${ceiling.toFixed(3)}`,
  );

  const texts = rowsAndQueries(setting);
  log("tuning the model whose gradients are taken");
  const served = await gradientsAfter(setting, base, texts, [...texts.rows.keys()]);

  const judge = (scores: Float64Array) => {
    const against = (
      retrainings: readonly Retraining[],
      actual: readonly Float64Array[],
      bootstrapRounds?: number,
    ) => {
      const subsets = retrainings.map(({ indices }) => Int32Array.from(indices));
      const predicted = groupAttributions(scores, rowCount, subsets);
      return linearDatamodelingScore(predicted, actual, "text attribution", bootstrapRounds);
    };
    const report = against(sets.first, first!);
    return {
      lds: report.value,
      low: report.low,
      high: report.high,
      samples: report.samples,
      ofBoth: against(twice, both, 1).value,
    };
  };
  const show = (name: string, { high, lds, low, ofBoth }: ReturnType<typeof judge>) =>
    log(
      `${name.padEnd(38)} LDS ${lds.toFixed(3)} (${low.toFixed(3)} … ${high.toFixed(3)}), ` +
        `of the mean of both orders ${ofBoth.toFixed(3)}`,
    );
  const run = (name: keyof typeof methods, featureCount: number) => {
    const real = textFeatures(featureCount, served, methods[name]);
    const label = `${name}, d = ${featureCount}`;
    const float = judge(floatScores(real));
    const int8 = judge(int8Scores(real));
    show(`${label}, float`, float);
    show(`${label}, int8`, int8);
    return { float, int8 };
  };
  const features = quick ? 64 : FEATURES;
  const gradDot = run("gradDot", features).float;
  const { float, int8 } = run("ekFacHalf", features);
  for (const part of [2, 4]) run("ekFacHalf", features / part);
  const auc: Record<string, unknown> = {};
  for (const spoiling of SPOILINGS) {
    const found = await badRowAuc(setting, base, features, spoiling);
    auc[spoiling] = found;
    log(
      `spoilt rows, ${spoiling}: AUC ${found.self.value.toFixed(3)} by self-influence, ${found.goodTexts.value.toFixed(3)} by the mean score for good texts`,
    );
  }
  const aboveGradDot = int8.samples.map((value, i) => value - gradDot.samples[i]!).sort((a, b) => a - b);
  const at = (part: number) => aboveGradDot[Math.floor(part * (aboveGradDot.length - 1))]!;
  return {
    text: {
      lds: { proven: int8.lds, float: float.lds, gradDot: gradDot.lds, ceiling },
      range: { low: int8.low, high: int8.high, aboveGradDot: { low: at(0.025), high: at(0.975) } },
      auc,
      ...earned,
    },
  };
}

/** What is not in the cache is retrained by `threads` processes; an interrupted run goes on where it was. */
async function retrainAll(
  setting: TextSetting,
  retrainings: readonly Retraining[],
  threads: number,
): Promise<void> {
  const startedAtMs = performance.now();
  let done = 0;
  const entry = fileURLToPath(new URL("./texts/retrain-worker.ts", import.meta.url));
  const work = (thread: number) =>
    new Promise<void>((resolve, reject) => {
      // The loader that runs this file comes along with process.execArgv.
      const child = fork(entry, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
      const own = retrainings.filter((_, i) => i % threads === thread);
      let ownDone = 0;
      child.on("message", () => {
        ownDone += 1;
        done += 1;
        if (done % 10 !== 0) return;
        const seconds = (performance.now() - startedAtMs) / 1_000;
        log(`${done} of ${retrainings.length} models retrained or in the cache, ${seconds.toFixed(0)} s`);
      });
      child.on("error", reject);
      child.on("exit", (code) => {
        if (ownDone === own.length) resolve();
        else
          reject(new Error(`a retraining process ended with code ${code} after ${ownDone} of ${own.length}`));
      });
      child.send({ setting, retrainings: own } satisfies RetrainOrder);
    });
  await Promise.all(Array.from({ length: threads }, (_, thread) => work(thread)));
}
