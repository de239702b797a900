/**
 * Part of `npm run bench -- attribution` for language models: measures how well scores predict retraining without rows, and
 * whether they find spoilt texts.
 */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import {
  difference,
  type Estimate,
  groupAttributions,
  linearDatamodelingScore,
} from "@openledger/attribution/testing/quality-metrics";
import { readTokens } from "@openledger/models/engine/architecture/transformer";
import { meanOf } from "@openledger/models/tuning/recipe/row-surprisal";
import { baseLosses } from "@openledger/models/tuning/recipe/text-training";
import { embedQuery, embedRow, wordStatistics } from "@openledger/models/tuning/retrieval/lexical-embedding";
import { wordCounts } from "@openledger/models/tuning/retrieval/lexical-words";
import { meanLoss } from "@openledger/models/tuning/training/row-losses";
import { RowTeam } from "@openledger/models/tuning/training/tune-adapter";
import { attackFactors } from "./texts/attacks.ts";
import { attribute, floatScores, scoresBy } from "./texts/attributed.ts";
import { badRowAuc, SPOILINGS } from "./texts/bad-rows.ts";
import { halfOf, retrained } from "./texts/retraining.ts";
import { openWorld, type TextSetting, type TextWorld } from "./texts/setting.ts";
import { shareWork } from "./texts/work-shares.ts";

interface TextBenchOptions extends Pick<TextSetting, "corpus" | "rowCount" | "queryCount" | "weights"> {
  /** Retrained halves of the report; 0: only what attackers earn. */
  readonly halves: number;
  /** Number of halves that are also retrained in a second order, for the ceiling. */
  readonly again: number;
  /** Processes that retrain at once. */
  readonly threads: number;
}

/** Features of a row. */
const FEATURES = 256;
/** Embedding that is BM25 in this many dimensions. */
const WORDS = { dimensions: 2 ** 16, seed: 1 };

const log = (line: string) => console.log(line);

export async function benchTextAttribution({ again, halves, threads, ...sizes }: TextBenchOptions) {
  const { attacks } = await attackFactors(log);
  if (halves === 0) return { attacks };
  const setting: TextSetting = { ...sizes, columnCount: FEATURES };
  const { rowCount } = setting;
  const first = Array.from({ length: halves }, (_, i) => halfOf(rowCount, i, 0));
  const second = first.slice(0, again).map((_, i) => halfOf(rowCount, i, 1));
  await shareWork(setting, [...first, ...second], threads, log);
  const world = await openWorld(setting);
  const outputs: Float64Array[] = [];
  for (const one of [...first, ...second]) outputs.push((await retrained(world, one)).map((x) => -x));
  const [once, twice] = [outputs.slice(0, halves), outputs.slice(halves)];
  const agreement = linearDatamodelingScore(once.slice(0, twice.length), twice, "text attribution");
  const ceiling = Math.sqrt(Math.max(0, agreement.value));
  log(
    `two orders of the same halves correlate ${agreement.value.toFixed(3)}: no LDS is above ${ceiling.toFixed(3)}`,
  );

  const attributed = await attribute(world);
  const { placed, queries } = world;
  const team = new RowTeam(placed.loaded);
  const [untuned, tuned] = [
    meanLoss(queries, (await baseLosses({ placed, team, tokens: queries })).map(meanOf)),
    meanLoss(queries, await team.losses(queries)),
  ] as const;
  log(
    `unseen texts, by a base of ${setting.weights}: ${untuned.toFixed(4)} nats a token, ${tuned.toFixed(4)} tuned`,
  );
  const { run, tangents } = attributed.seconds;
  log(`the run took ${run.toFixed(1)} CPU-s, the middle run with tangents ${tangents.toFixed(1)} more`);
  const subsets = first.map(({ indices }) => Int32Array.from(indices));
  const judge = (name: string, scores: Float64Array): Estimate => {
    const predicted = groupAttributions(scores, rowCount, subsets);
    const report = linearDatamodelingScore(predicted, once, "text attribution");
    const { high, low, value } = report;
    log(`${name.padEnd(24)} LDS ${value.toFixed(3)} (${low.toFixed(3)} … ${high.toFixed(3)})`);
    return report;
  };
  const [tangent, words] = [scoresBy("tangent", FEATURES, attributed), wordScores(world)];
  const reports = {
    proven: judge("tangents, int8", tangent.proven),
    paid: judge("tangents, int8, as paid", tangent.paid),
    float: judge("tangents, float", tangent.float),
    ekfac: judge("EK-FAC ½, int8", scoresBy("ekfac", FEATURES, attributed).proven),
    gradDot: judge("Grad-Dot, int8", scoresBy("gradDot", FEATURES, attributed).proven),
    bm25: judge("BM25", words),
    embeddings: judge("embeddings", embeddingScores(world)),
  };
  const random = new SeededRandom("text attribution");
  const none = words.map(() => random.nextFraction());
  for (const [name, scores] of Object.entries({
    proven: tangent.proven,
    paid: tangent.paid,
    bm25: words,
    none,
  })) {
    const more = await withoutBest(world, scores);
    log(`without the tenth of rows that is best by ${name}: ${more.toFixed(4)} nats more`);
  }
  for (const spoiling of SPOILINGS) {
    const found = await badRowAuc(world, FEATURES, spoiling);
    log(`spoilt rows, ${spoiling}: AUC ${found.value.toFixed(3)} by the score for themselves`);
  }
  for (const other of ["ekfac", "gradDot"] as const) {
    const { high, low } = difference(reports.proven, reports[other]);
    log(`tangents above ${other}, paired: ${low.toFixed(3)} … ${high.toFixed(3)}`);
  }
  return { lds: reports.proven.value, ekfac: reports.ekfac.value, attacks };
}

/** Cosines of the base's last states, of which each text has its mean. */
function embeddingScores({ placed, queries, rows }: TextWorld): Float64Array {
  const model = { ...placed.loaded.model, adapter: null };
  const { kernels, shape, workspace } = model;
  const all = (list: TextWorld["rows"]) => {
    const means = list.map(({ tokens }) => {
      readTokens(model, tokens);
      const sum = new Float64Array(shape.width);
      for (let k = 0; k < tokens.length * shape.width; k++)
        sum[k % shape.width]! += kernels.arena[workspace.lastNormed + k]!;
      return sum.map((x) => x / Math.hypot(...sum));
    });
    return Float64Array.from(means.flatMap((mean) => [...mean]));
  };
  return floatScores({ rows: all(rows), queries: all(queries), featureCount: shape.width });
}

/** Mean increase of the queries' loss without the tenth of rows that has the highest sums of scores. */
async function withoutBest(world: TextWorld, scores: Float64Array): Promise<number> {
  const { length } = world.rows;
  const sums = world.rows.map((_, i) =>
    world.queries.reduce((sum, _, q) => sum + scores[q * length + i]!, 0),
  );
  const order = [...sums.keys()].sort((a, b) => sums[b]! - sums[a]!);
  const ascending = (rows: number[]) => rows.sort((a, b) => a - b);
  const [less, whole] = [order.slice(Math.round(length / 10)), [...order]].map(ascending);
  const mean = async (indices: number[]) =>
    (await retrained(world, { indices })).reduce((sum, loss) => sum + loss / world.queries.length, 0);
  return (await mean(less!)) - (await mean(whole!));
}

function wordScores({ texts }: TextWorld): Float64Array {
  const statistics = wordStatistics(texts.rows.map(wordCounts), 16);
  const all = (list: readonly string[], embed: typeof embedRow) => {
    const out = new Float64Array(list.length * WORDS.dimensions);
    for (const [i, text] of list.entries()) out.set(embed(text, WORDS, statistics), i * WORDS.dimensions);
    return out;
  };
  const [rows, queries] = [all(texts.rows, embedRow), all(texts.queries, embedQuery)];
  return floatScores({ rows, queries, featureCount: WORDS.dimensions });
}
