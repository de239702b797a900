import { alignColumns } from "../features/exact-influence.ts";
import { featureMap } from "../features/feature-map.ts";
import { type QuantisedFeatures, type QuantisedQuery, quantiseFeatures } from "../features/quantise.ts";
import { sparseFromDense, writeDenseRow } from "../maths/sparse-rows.ts";
import { logisticModel } from "../model/logistic-model.ts";
import type { Model } from "../model/model.ts";
import { type LabelledRows, pickRows, splitIndices } from "../rows/labelled-rows.ts";
import { loadMnist } from "../rows/mnist-digits.ts";
import { nearDuplicates } from "../rows/near-duplicates.ts";
import {
  clipRowNorms,
  type NearDuplicate,
  ROW_RULES,
  shareNearDuplicates,
  withoutNearDuplicates,
} from "../rows/row-rules.ts";
import { provenQueries } from "../scores/proven-scores.ts";
import { rewardShares } from "../scores/reward-shares.ts";

/** Sizes of a market of contributors with equally many digits; the first contributor is the attacker. */
export interface MarketOptions {
  readonly rowsEach: number;
  readonly contributors: number;
  readonly queryCount: number;
  readonly featureCount: number;
  readonly seed: string;
}

/** A datanet whose first rows are the attacker's, with what he knows: other data of the same kind. */
export interface ContributorWorld {
  readonly rows: LabelledRows;
  readonly queries: LabelledRows;
  readonly shadowRows: LabelledRows;
  readonly shadowQueries: LabelledRows;
  readonly model: Model;
}

export interface MarketRules {
  /** Rows whose pixels are nearly an earlier row's are left out. */
  readonly leavesOutNearDuplicates: boolean;
  /** Rows whose features are nearly an earlier row's share one reward with it. */
  readonly alikeFeaturesShare: boolean;
  /** Rows are clipped at this quantile of their lengths; 1: they are not. */
  readonly normQuantile: number;
}

export const NO_RULES: MarketRules = {
  leavesOutNearDuplicates: false,
  alikeFeaturesShare: false,
  normQuantile: 1,
};
/** What a validator and a recipe do by default. */
export const DEFAULT_RULES: MarketRules = {
  leavesOutNearDuplicates: true,
  alikeFeaturesShare: false,
  normQuantile: ROW_RULES.normQuantile,
};
export const ALL_RULES: MarketRules = { ...DEFAULT_RULES, alikeFeaturesShare: true };

/** What a model over the market's rows registers, and what it earns whom. */
export interface Market {
  readonly features: QuantisedFeatures;
  /** The world's honest queries, each asked with the model's own answer. */
  readonly queries: readonly QuantisedQuery[];
  /** Place of each row of the version among the world's rows, in the order of contribution. */
  readonly kept: Int32Array;
  /** Each of the world's rows' part of the contributors' money. */
  readonly rowShares: Float64Array;
}

const DECAY = 0.01;
export const MARKET_SIDE = 14;
const SIDE = MARKET_SIDE;
const CLASS_COUNT = 10;
const LEVELS = 255;

export function makeWorld({ rowsEach, contributors, queryCount, seed }: MarketOptions): ContributorWorld {
  const all = loadMnist(SIDE);
  const rowCount = rowsEach * contributors;
  const { train, test } = splitIndices(
    all.labels.length,
    { trainCount: rowCount, testCount: 2 * queryCount + rowCount },
    seed,
  );
  return {
    rows: inGreyLevels(pickRows(all, train)),
    queries: pickRows(all, test.subarray(0, queryCount)),
    // The attacker's own data: as many rows as the datanet has, and queries, of the same kind.
    shadowRows: inGreyLevels(pickRows(all, test.subarray(2 * queryCount))),
    shadowQueries: pickRows(all, test.subarray(queryCount, 2 * queryCount)),
    model: logisticModel({ inputCount: SIDE * SIDE, classCount: CLASS_COUNT, decay: DECAY }),
  };
}

/**
 * Registers a model over the rows by the rules and pays it by the world's queries. `attackerRows` rows at the start
 * are the attacker's and come last in the order of contribution: who copies has seen what he copies.
 */
export function openMarket(
  { model, queries }: ContributorWorld,
  given: LabelledRows,
  attackerRows: number,
  rules: MarketRules,
  options: MarketOptions,
): Market {
  const all = inGreyLevels(given);
  const kept = rules.leavesOutNearDuplicates
    ? withoutNearDuplicates(all.labels.length, marketDuplicates(all, attackerRows)).map((place) =>
        contributed(place, all.labels.length, attackerRows),
      )
    : all.labels.map((_, k) => contributed(k, all.labels.length, attackerRows));
  const rows = pickRows(all, kept);
  const examples = { inputs: rows.features, labels: rows.labels };
  const parameters = model.train(examples);
  const own = model.sensitivities(parameters, examples);
  const aligned = alignColumns(own, own).rows;
  const { featureCount, seed } = options;
  const map = featureMap(aligned, { featureCount, damping: DECAY, seed });
  let real = map.features(aligned);
  if (rules.alikeFeaturesShare) {
    const alike = nearDuplicates({ kind: "features", features: real, featureCount, labels: rows.labels });
    real = shareNearDuplicates(real, featureCount, alike);
  }
  const features = quantiseFeatures(
    clipRowNorms(real, featureCount, rules.normQuantile),
    kept.length,
    featureCount,
  );
  const asked = { inputs: queries.features, labels: queries.labels };
  const answered = { ...asked, labels: model.predict(parameters, asked) };
  const provenAsked = provenQueries(
    map,
    alignColumns(own, model.sensitivities(parameters, answered)).queries,
  );
  const shares = rewardShares(features, provenAsked, Int32Array.from(kept.keys()), kept.length);
  const rowShares = new Float64Array(all.labels.length);
  for (const [k, place] of kept.entries()) rowShares[place] = shares[k]!;
  return { features, queries: provenAsked, kept, rowShares };
}

/** Near-duplicates by their pixels, as places in the order of contribution. */
export function marketDuplicates(rows: LabelledRows, attackerRows: number): NearDuplicate[] {
  const order = Array.from(rows.labels, (_, k) => contributed(k, rows.labels.length, attackerRows));
  return nearDuplicates({
    kind: "image",
    width: SIDE,
    height: SIDE,
    contents: order.map((i) => rows.contents[i]!.subarray(0, -1)),
    labels: order.map((i) => rows.labels[i]!),
  });
}

/** Place among the rows of the k-th contributed one: the attacker's, which stand first, were contributed last. */
export function contributed(k: number, rowCount: number, attackerRows: number): number {
  return (k + attackerRows) % rowCount;
}

/** The same rows with each pixel a whole grey level: their contents are these, and one byte for the label. */
function inGreyLevels(rows: LabelledRows): LabelledRows {
  const width = rows.features.columnCount;
  const values = new Float64Array(rows.labels.length * width);
  const contents = Array.from(rows.labels, (label, i) => {
    const pixels = values.subarray(i * width, (i + 1) * width);
    writeDenseRow(rows.features, i, pixels);
    const content = new Uint8Array(width + 1);
    for (let k = 0; k < width; k++) {
      content[k] = Math.floor(pixels[k]! * LEVELS + 0.5);
      pixels[k] = content[k]! / LEVELS;
    }
    content[width] = label;
    return content;
  });
  return { ...rows, contents, features: sparseFromDense(values, rows.labels.length, width) };
}

/** Rows of these contents: SIDE × SIDE grey levels, then the label. */
export function rowsOfContents(contents: readonly Uint8Array[], classCount: number): LabelledRows {
  const width = SIDE * SIDE;
  const values = new Float64Array(contents.length * width);
  for (const [i, content] of contents.entries()) {
    for (let k = 0; k < width; k++) values[i * width + k] = content[k]! / LEVELS;
  }
  return {
    features: sparseFromDense(values, contents.length, width),
    labels: Int32Array.from(contents, (content) => content[width]!),
    classCount,
    contents,
  };
}
