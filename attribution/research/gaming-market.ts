import type { BaseRule } from "../features/base-column.ts";
import { alignColumns } from "../features/exact-influence.ts";
import { featureMap } from "../features/feature-map.ts";
import { MAX_QUERY, type QuantisedFeatures, type QuantisedQuery } from "../features/quantise.ts";
import { sparseFromDense, writeDenseRow } from "../maths/sparse-rows.ts";
import { foldsOfContributors, heldOut } from "../model/held-out-odds.ts";
import { logisticModel } from "../model/logistic-model.ts";
import type { Model } from "../model/model.ts";
import { registeredFeatures } from "../model/registered-features.ts";
import { type LabelledRows, pickRows, splitIndices } from "../rows/labelled-rows.ts";
import { loadMnist } from "../rows/mnist-digits.ts";
import { nearDuplicates } from "../rows/near-duplicates.ts";
import { type NearDuplicate, ROW_RULES, withoutNearDuplicates } from "../rows/row-rules.ts";
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
  /** Absent: rows are paid for influence alone. */
  readonly base?: BaseRule;
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

/** A model over a market's rows, before rules make G of its features. */
export interface TrainedMarket {
  readonly rows: LabelledRows;
  readonly parameters: Float64Array;
  /** Real numbers, rows × featureCount. */
  readonly features: Float64Array;
  readonly queries: readonly QuantisedQuery[];
  readonly kept: Int32Array;
  /** Rows of the world, those left out too. */
  readonly worldRows: number;
}

/**
 * Trains a model over the rows. `attackerRows` rows at the start are the attacker's and come last in the order of
 * contribution: who copies has seen what he copies.
 */
export function trainMarket(
  { model, queries }: ContributorWorld,
  given: LabelledRows,
  attackerRows: number,
  { leavesOutNearDuplicates }: Pick<MarketRules, "leavesOutNearDuplicates">,
  { featureCount, seed }: MarketOptions,
): TrainedMarket {
  const all = inGreyLevels(given);
  const worldRows = all.labels.length;
  const order = leavesOutNearDuplicates
    ? withoutNearDuplicates(worldRows, marketDuplicates(all, attackerRows))
    : Int32Array.from(all.labels.keys());
  const kept = order.map((k) => contributed(k, worldRows, attackerRows));
  const rows = pickRows(all, kept);
  const examples = { inputs: rows.features, labels: rows.labels };
  const parameters = model.train(examples);
  const own = model.sensitivities(parameters, examples);
  const aligned = alignColumns(own, own).rows;
  const map = featureMap(aligned, { featureCount, damping: DECAY, seed });
  const asked = { inputs: queries.features, labels: queries.labels };
  const answered = { ...asked, labels: model.predict(parameters, asked) };
  return {
    rows,
    parameters,
    features: map.features(aligned),
    queries: provenQueries(map, alignColumns(own, model.sensitivities(parameters, answered)).queries),
    kept,
    worldRows,
  };
}

/** Held-out odds of each kept row's label. @param contributorOf a place among the world's rows */
export function marketOdds(
  { model }: ContributorWorld,
  { kept, parameters, rows }: TrainedMarket,
  contributorOf: (place: number) => number,
): Float64Array {
  return heldOut(
    model,
    { inputs: rows.features, labels: rows.labels },
    {
      ...foldsOfContributors(Array.from(kept, contributorOf)),
      classCount: CLASS_COUNT,
      start: parameters,
    },
  ).odds;
}

/** Registers a trained market by the rules, and pays it by the world's queries. */
export function payMarket(
  trained: TrainedMarket,
  rules: MarketRules,
  { featureCount }: Pick<MarketOptions, "featureCount">,
  odds: () => Float64Array,
): Market {
  const { kept, queries, rows, worldRows } = trained;
  const columnCount = featureCount + (rules.base === undefined ? 0 : 1);
  const features = registeredFeatures(
    trained.features,
    featureCount,
    {
      columnCount,
      rules: {
        normQuantile: rules.normQuantile,
        nearDuplicatesShare: rules.alikeFeaturesShare,
        ...(rules.base === undefined ? {} : { base: rules.base }),
      },
    },
    {
      duplicates: () =>
        nearDuplicates({ kind: "features", features: trained.features, featureCount, labels: rows.labels }),
      odds,
    },
  );
  const asked = queries.map(({ scale, values }) => {
    const wide = new Int16Array(columnCount).fill(MAX_QUERY);
    wide.set(values);
    return { scale, values: wide };
  });
  const shares = rewardShares(features, asked, Int32Array.from(kept.keys()), kept.length);
  const rowShares = new Float64Array(worldRows);
  for (const [k, place] of kept.entries()) rowShares[place] = shares[k]!;
  return { features, queries: asked, kept, rowShares };
}

/** Trains, registers by the rules and pays. */
export function openMarket(
  world: ContributorWorld,
  given: LabelledRows,
  attackerRows: number,
  rules: MarketRules,
  options: MarketOptions,
): Market {
  const trained = trainMarket(world, given, attackerRows, rules, options);
  return payMarket(trained, rules, options, () =>
    marketOdds(world, trained, (place) => Math.floor(place / options.rowsEach)),
  );
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
