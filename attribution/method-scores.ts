import { dataInfScores, dataInfSelf } from "./data-inf.ts";
import { alignColumns, exactInfluence } from "./exact-influence.ts";
import { gradDotScores, gradDotSelf } from "./grad-dot.ts";
import type { Examples, Model } from "./model.ts";
import { provenFeatures, provenQueries, provenScores, provenSelf } from "./proven-scores.ts";
import { SeededRandom } from "./seeded-random.ts";
import { type TrakMember, trakScores, trakSelf } from "./trak.ts";

export const METHODS = ["gradDot", "trak", "dataInf", "exactInfluence", "proven"] as const;
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
  const features = provenFeatures(rows, options);
  const proven = provenScores(features, provenQueries(features.map, asked));
  return { gradDot, trak, dataInf, exactInfluence: exact, proven };
}

/** Scores of every row for itself, by each method. */
export function allSelfScores(trained: Trained, options: MethodOptions): Record<Method, Float64Array> {
  const sensitivities = trained.model.sensitivities(trained.parameters, trained.rows);
  const { rows } = alignColumns(sensitivities, sensitivities);
  return {
    gradDot: gradDotSelf(rows),
    trak: trakSelf(ensemble(trained, trained.rows, options), options.trak.featureCount, options.seed),
    dataInf: dataInfSelf(rows),
    exactInfluence: exactInfluence(rows, options.damping).self(),
    proven: provenSelf(provenFeatures(rows, options), rows),
  };
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
