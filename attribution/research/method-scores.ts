import { dataInfScores, dataInfSelf } from "../features/data-inf.ts";
import { alignColumns, exactInfluence } from "../features/exact-influence.ts";
import { featureMap } from "../features/feature-map.ts";
import { dataInfFeatures, gradDotFeatures } from "../features/gradient-features.ts";
import { MAX_FEATURE_COUNT } from "../features/quantise.ts";
import type { Sensitivities } from "../features/sensitivities.ts";
import { SeededRandom } from "../maths/seeded-random.ts";
import type { Examples, Model } from "../model/model.ts";
import { nearDuplicates } from "../rows/near-duplicates.ts";
import { clipRowNorms, shareNearDuplicates } from "../rows/row-rules.ts";
import { int8Scores, int8SelfScores, type RealFeatures } from "../scores/int8-scores.ts";
import { gradDotScores, gradDotSelf } from "./grad-dot.ts";
import { type TrakMember, trakFeatures, trakScores, trakSelf } from "./trak.ts";

/** `…Int8`: the same method as the int8 matrix that would be registered. `proven` is that of exact influence. */
export const METHODS = [
  "gradDot",
  "gradDotInt8",
  "trak",
  "trakInt8",
  "dataInf",
  "dataInfInt8",
  "exactInfluence",
  "proven",
  /** `proven` with long rows clipped, and with clipping and shared rewards (row-rules.ts). */
  "provenClipped",
  "provenShared",
] as const;
export type Method = (typeof METHODS)[number];

export interface MethodOptions {
  /** λ of exactInfluence and proven. */
  readonly damping: number;
  readonly featureCount: number;
  readonly trak: { readonly ensembleSize: number; readonly featureCount: number };
  readonly seed: string;
  readonly log?: (line: string) => void;
}

/** A trained model, and how it is trained again on part of the rows. */
export interface Trained {
  readonly model: Model;
  readonly parameters: Float64Array;
  readonly rows: Examples;
  retrain(indices: Int32Array): Float64Array;
}

/** Scores of every row for every query (queries × rows), by each method. */
export function allScores(
  trained: Trained,
  queries: Examples,
  options: MethodOptions,
): Record<Method, Float64Array> {
  const { rows, queries: asked } = alignColumns(
    trained.model.sensitivities(trained.parameters, trained.rows),
    trained.model.sensitivities(trained.parameters, queries),
  );
  const { log = () => {} } = options;
  log("Grad-Dot and DataInf");
  const gradDot = gradDotScores(rows, asked);
  const dataInf = dataInfScores(rows, asked);
  log(`TRAK, ${options.trak.ensembleSize} models`);
  const members = ensemble(trained, queries, options);
  const trak = trakScores(members, options.trak.featureCount, options.seed);
  log("exact influence");
  const exact = exactInfluence(rows, options.damping).scores(asked);
  log(`int8, ${options.featureCount} features`);
  const real = allFeatures(rows, asked, trained.rows.labels, members, options);
  return { gradDot, trak, dataInf, exactInfluence: exact, ...eachInt8(real, int8Scores) };
}

/** Scores of every row for itself, by each method. */
export function allSelfScores(trained: Trained, options: MethodOptions): Record<Method, Float64Array> {
  const sensitivities = trained.model.sensitivities(trained.parameters, trained.rows);
  const { rows } = alignColumns(sensitivities, sensitivities);
  const members = ensemble(trained, trained.rows, options);
  const real = allFeatures(rows, rows, trained.rows.labels, members, options);
  return {
    gradDot: gradDotSelf(rows),
    trak: trakSelf(members, options.trak.featureCount, options.seed),
    dataInf: dataInfSelf(rows),
    exactInfluence: exactInfluence(rows, options.damping).self(),
    ...eachInt8(real, int8SelfScores),
  };
}

type Int8Method = Exclude<Method, "gradDot" | "trak" | "dataInf" | "exactInfluence">;

/** The real features of every method that has a matrix to register; each is made when it is asked for. */
function allFeatures(
  rows: Sensitivities,
  queries: Sensitivities,
  labels: Int32Array,
  members: readonly TrakMember[],
  { featureCount, damping, seed, trak, log = () => {} }: MethodOptions,
): Record<Int8Method, () => RealFeatures> {
  const options = { featureCount, damping, seed };
  const of = (map: { featureCount: number; features(of: Sensitivities): Float64Array }): RealFeatures => {
    log(`real features, ${map.featureCount}`);
    return { rows: map.features(rows), queries: map.features(queries), featureCount: map.featureCount };
  };
  const influence = of(featureMap(rows, options));
  const clipped = (real: RealFeatures) => ({ ...real, rows: clipRowNorms(real.rows, featureCount) });
  return {
    gradDotInt8: () => of(gradDotFeatures(rows, options)),
    // As many models as the features of a circuit hold.
    trakInt8: () =>
      trakFeatures(
        members.slice(0, Math.floor(MAX_FEATURE_COUNT / trak.featureCount)),
        trak.featureCount,
        seed,
      ),
    dataInfInt8: () => of(dataInfFeatures(rows, options)),
    proven: () => influence,
    provenClipped: () => clipped(influence),
    provenShared: () => {
      const alike = nearDuplicates({ kind: "features", features: influence.rows, featureCount, labels });
      log(`${alike.length} rows are alike`);
      return clipped({ ...influence, rows: shareNearDuplicates(influence.rows, featureCount, alike) });
    },
  };
}

function eachInt8(
  features: Record<Int8Method, () => RealFeatures>,
  score: (real: RealFeatures) => Float64Array,
): Record<Int8Method, Float64Array> {
  return Object.fromEntries(
    Object.entries(features).map(([method, make]) => [method, score(make())]),
  ) as Record<Int8Method, Float64Array>;
}

/** Models of random halves of the rows, other halves than those that quality is measured on. */
function ensemble(
  { model, rows, retrain }: Trained,
  queries: Examples,
  options: MethodOptions,
): TrakMember[] {
  const n = rows.labels.length;
  return Array.from({ length: options.trak.ensembleSize }, (_, m) => {
    const half = new SeededRandom(`${options.seed}/ensemble/${m}`).subset(n, Math.floor(n / 2));
    const parameters = retrain(half);
    return alignColumns(model.sensitivities(parameters, rows), model.sensitivities(parameters, queries));
  });
}
