/**
 * Attribution of a text model for `npm run bench -- attribution`: tunes it, takes tangents and gradients, and scores rows by
 * each method, rounded as they are settled and unrounded.
 */
import { paddedQuery } from "@openledger/attribution/features/quantise";
import { timesTransposed } from "@openledger/attribution/maths/dense-matrix";
import { restOfQuery } from "@openledger/attribution/model/recipe-fields";
import { registeredFeatures } from "@openledger/attribution/model/registered-features";
import { clipRowNorms } from "@openledger/attribution/rows/row-rules";
import { integerScores } from "@openledger/attribution/scores/integer-scores";
import { int8Scores, type RealFeatures } from "@openledger/attribution/testing/int8-scores";
import type { TokenRow } from "@openledger/models/engine/architecture/loss-gradient";
import { roundToHalves } from "@openledger/models/engine/files/float-formats";
import { createKernels } from "@openledger/models/engine/kernels/create-kernels";
import { NONE } from "@openledger/models/engine/kernels/kernels";
import { ArenaPlan } from "@openledger/models/engine/tensors/arena-plan";
import { type ToCoordinates, toEigenbases } from "@openledger/models/tuning/influence/gradient-coordinates";
import { mapTangents, mapTexts, projectGradients } from "@openledger/models/tuning/influence/text-features";
import { planTextFeatures } from "@openledger/models/tuning/influence/text-offsets";
import { encodeQueryMap, mapGradient, mapOffsets } from "@openledger/models/tuning/recipe/query-map";
import type { PlacedText } from "@openledger/models/tuning/recipe/text-model";
import { baseLosses, rowWeights } from "@openledger/models/tuning/recipe/text-training";
import { runRowTask } from "@openledger/models/tuning/training/row-task";
import { middleRun } from "@openledger/models/tuning/training/step-plan";
import { startTangents } from "@openledger/models/tuning/training/tangents";
import { RowTeam, type TuningRecipe, tuneAdapter } from "@openledger/models/tuning/training/tune-adapter";
import { type TextWorld, tuningOf } from "./setting.ts";

/** Rows × numbers of the adapter each. */
export interface Attributed {
  readonly options: PlacedText["options"];
  /** Tangents of the middle run. */
  readonly tangents: Float32Array;
  /** Gradients of the rows at their last steps of the middle run. */
  readonly latest: Float32Array;
  /** Adapter of the middle run. */
  readonly middle: Float32Array;
  /** Gradients at the adapter that answers. */
  readonly rows: Float32Array;
  readonly queries: Float32Array;
  /** Gradients of the queries at the middle run's adapter, as it is published. */
  readonly publishedQueries: Float32Array;
  /** Factors by which G has each row's features and base, by the preset's rules. */
  readonly weights: Readonly<Record<"factors" | "baseParts", readonly number[]>>;
  readonly rules: TextWorld["recipe"]["rules"];
  readonly seconds: Record<"run" | "tangents", number>;
}

/**
 * Tunes on all rows, which leaves that adapter in place, after the middle run with tangents.
 * @param rows others than the world's
 */
export async function attribute(
  { placed, queries, recipe, ...world }: TextWorld,
  rows = world.rows,
): Promise<Attributed> {
  const { loaded, options, tangents } = placed;
  if (tangents === null) throw new Error("the preset takes no tangents of so many rows");
  const { arena } = loaded.model.kernels;
  const size = options.rowCount * options.gradientCount;
  const run = async (steps: TuningRecipe, along: typeof tangents | null) => {
    const began = process.cpuUsage();
    await tuneAdapter(loaded, new RowTeam(loaded), rows, steps, { tangents: along });
    const { system, user } = process.cpuUsage(began);
    return (user + system) / 1e6;
  };
  startTangents(loaded.model.kernels, tangents, [...rows.keys()]);
  const whole = tuningOf(recipe, 1);
  const along = await run(middleRun(whole), tangents);
  const [changes, latest] = [tangents.changes, tangents.latest].map((at) => arena.slice(at, at + size));
  const { at } = loaded.model.adapter!;
  const own = arena.subarray(at, at + options.gradientCount);
  const middle = own.slice();
  roundToHalves(own, "the middle run's adapter");
  const publishedQueries = gradientsOf(placed, queries);
  const alone = await run(whole, null);
  const before = await baseLosses({ placed, team: new RowTeam(loaded), tokens: rows });
  return {
    options,
    tangents: changes!,
    latest: latest!,
    middle,
    rows: gradientsOf(placed, rows),
    queries: gradientsOf(placed, queries),
    publishedQueries,
    weights: rowWeights(rows, before, recipe),
    rules: recipe.rules,
    seconds: { run: alone, tangents: along },
  };
}

function gradientsOf({ loaded, options }: PlacedText, rows: readonly TokenRow[]) {
  const { adapterBlocks, model } = loaded;
  const { gradientCount: floatCount } = options;
  const at = adapterBlocks[0]!;
  const gradients = new Float32Array(rows.length * floatCount);
  for (const [i, row] of rows.entries()) {
    runRowTask(model, { row, block: { at, floatCount }, into: { parameters: NONE, adapter: at } });
    gradients.set(model.kernels.arena.subarray(at, at + floatCount), i * floatCount);
  }
  return gradients;
}

export type TextMethod = "tangent" | "ekfac" | "gradDot";
const coordinates: Record<Exclude<TextMethod, "tangent">, ToCoordinates> = {
  ekfac: toEigenbases,
  gradDot: () => () => {},
};

/** Scores as they are settled, and without any rounding: queries × rows. */
export function scoresBy(method: TextMethod, featureCount: number, attributed: Attributed) {
  const componentCount = method === "tangent" ? attributed.options.componentCount : null;
  const options = { ...attributed.options, featureCount, componentCount };
  const { gradientCount, rowCount } = options;
  const plan = new ArenaPlan();
  const positions = planTextFeatures(plan, options);
  const positionsOfMap = mapOffsets(plan, [options]);
  const [latest, middle] = [plan.take(rowCount * gradientCount), plan.take(gradientCount)];
  const { kernels } = createKernels("native", plan.floatCount);
  kernels.arena.set(attributed.latest, latest);
  kernels.arena.set(attributed.middle, middle);
  const own = method === "tangent" ? attributed.tangents : attributed.rows;
  kernels.arena.set(own, positions.gradients);
  const rows =
    method === "tangent"
      ? mapTangents(kernels, positions, options, latest)
      : mapTexts(kernels, positions, options, coordinates[method]);
  const real = (project: () => Float64Array): RealFeatures => {
    const queries: number[] = [];
    const gradients = method === "tangent" ? attributed.publishedQueries : attributed.queries;
    for (let at = 0; at < gradients.length; at += gradientCount) {
      kernels.arena.set(gradients.subarray(at, at + gradientCount), positionsOfMap.gradient);
      queries.push(...project());
    }
    return { rows, queries: Float64Array.from(queries), featureCount };
  };
  const float = floatScores(
    real(() => projectGradients(kernels, positions, options, positionsOfMap.gradient, 1)),
  );
  const map = encodeQueryMap(kernels, positions, options, latest, middle);
  const published = real(() => mapGradient(kernels, positionsOfMap, map, options));
  const proven = int8Scores({ ...published, rows: clipRowNorms(rows, featureCount) });
  return { float, proven, paid: paidScores(published, attributed), mapMb: map.length / 1e6 };
}

/** Base columns beside the features of the bench. */
const BASE_COLUMNS = 16;

/** Scores by which rows are paid, under the rules of a new card: queries × rows. */
function paidScores(
  { featureCount, queries, rows }: RealFeatures,
  { rules, weights: { baseParts, factors } }: Pick<Attributed, "rules" | "weights">,
): Float64Array {
  const columnCount = featureCount + BASE_COLUMNS;
  const ruled = rows.map((value, k) => value * factors[Math.floor(k / featureCount)]!);
  const sources = { baseParts: Float64Array.from(baseParts), duplicates: () => [] };
  const { rowCount, values } = registeredFeatures(ruled, featureCount, { columnCount, rules }, sources);
  const scores: number[] = [];
  for (let at = 0; at < queries.length; at += featureCount) {
    const real = queries.subarray(at, at + featureCount);
    const { values: query } = paddedQuery(real, columnCount, restOfQuery({ rules }));
    scores.push(...integerScores({ features: values, rowCount, featureCount: columnCount, query }));
  }
  return Float64Array.from(scores);
}

/** Scores without rounding: queries × rows. */
export function floatScores({ featureCount, queries, rows }: RealFeatures): Float64Array {
  const count = (values: Float64Array) => values.length / featureCount;
  return timesTransposed(queries, count(queries), rows, count(rows), featureCount);
}
