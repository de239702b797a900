import { isRollupError } from "../circuits/rollup-error.ts";
import { adversarialRows, type ContributorWorld, shadowRows } from "./adversarial-rows.ts";
import { alignColumns } from "./exact-influence.ts";
import { integerScores } from "./integer-scores.ts";
import { type LabelledRows, pickRows, refuseDuplicates, splitIndices } from "./labelled-rows.ts";
import { logisticModel } from "./logistic-model.ts";
import { loadMnist } from "./mnist-digits.ts";
import { type ProvenFeatures, provenFeatures, provenQueries } from "./proven-scores.ts";
import type { QuantisedQuery } from "./quantise.ts";
import { rewardShares, splitDraw } from "./reward-shares.ts";
import { SeededRandom } from "./seeded-random.ts";

/** What a contributor gains by an attack, on average over queries that he has no hand in. */
export interface AttackResult {
  /** His part of the contributors' money if he is honest, and if he attacks. */
  readonly honestShare: number;
  readonly attackShare: number;
  /** attackShare / honestShare. */
  readonly factor: number;
  /** attackShare − honestShare: of each OPEN that the contributors get. */
  readonly profit: number;
}

export interface GamingReport {
  readonly contributors: number;
  readonly rowsEach: number;
  /** Rows replaced by copies of others' rows, one pixel changed by one grey level. Exact copies are refused. */
  readonly copy: AttackResult & {
    readonly areExactCopiesRefused: boolean;
    /** What the copied rows earn beside their copies, as part of what they earned alone. */
    readonly victimFactor: number;
  };
  /** The same rows under ten accounts. */
  readonly sybil: AttackResult;
  /** Rows perturbed for the most reward by a model of his own data (shadow training). */
  readonly shadow: AttackResult;
  /** Rows perturbed until the model gets them wrong, labels unchanged. */
  readonly outlier: AttackResult;
  readonly selfPay: SelfPayResult;
}

export interface SelfPayResult {
  /** Part of the epoch's money that the attacker brings himself. */
  readonly paidPart: number;
  /** His rows' share of a draw that is his own query. */
  readonly ownDrawShare: number;
  /** What comes back of each OPEN paid to himself, and that minus 1: expectation over draws. */
  readonly factor: number;
  readonly profit: number;
  /** The same if his rows got all of his own draws: the platform's part is lost whatever he does. */
  readonly bestPossibleProfit: number;
  /** Simulated epochs: mean and standard deviation of the money back per OPEN paid to himself. */
  readonly simulated: { readonly epochs: number; readonly mean: number; readonly deviation: number };
  /** If an epoch were paid by its summed query instead of by draws: his share without and with self-payment. */
  readonly summedQuery: { readonly shareBefore: number; readonly shareAfter: number };
}

export interface GamingOptions {
  readonly rowsEach: number;
  readonly contributors: number;
  readonly queryCount: number;
  readonly featureCount: number;
  readonly epochs: number;
  readonly seed: string;
  readonly log?: (line: string) => void;
}

export const FULL_GAMING: GamingOptions = {
  rowsEach: 50,
  contributors: 20,
  queryCount: 200,
  featureCount: 256,
  epochs: 2000,
  seed: "gaming",
};
export const QUICK_GAMING: GamingOptions = {
  rowsEach: 10,
  contributors: 10,
  queryCount: 30,
  featureCount: 64,
  epochs: 200,
  seed: "gaming",
};

const DECAY = 0.01;
const SIDE = 14;
const CLASS_COUNT = 10;
/** Least part of a payment that goes to the platform; the contract fixes it. */
const PLATFORM_PART = 0.05;
const DRAWS = 16;
const PAYMENTS = 1000;
const PAID_PART = 0.05;
/** How far the attacker may move a pixel; he takes the strength that pays best. */
const PIXEL_LIMITS = [0.05, 0.1, 0.3];
/** The attacker's place among the contributors. */
const ATTACKER = 0;

/** Attacks on a market of equal contributors: digits of 14 × 14 pixels, logistic regression, int8 features. */
export function simulateGaming(options: GamingOptions): GamingReport {
  const { rowsEach, contributors, queryCount, seed, log = () => {} } = options;
  const world = makeWorld();
  const owners = Int32Array.from({ length: rowsEach * contributors }, (_, i) => Math.floor(i / rowsEach));
  const honest = register(world.rows, options);
  const honestShares = sharesOf(honest, world, owners, contributors);
  const honestShare = honestShares[ATTACKER]!;
  const attack = (rows: LabelledRows) => sharesOf(register(rows, options), world, owners, contributors);

  log("copy");
  const { rows: copied, victims } = copyRows(world.rows, honest, world, rowsEach);
  const copies = register(copied, options);
  const copyShare = sharesOf(copies, world, owners, contributors)[ATTACKER]!;
  const byRow = Int32Array.from(owners.keys());
  const alone = rewardShares(honest.proven.quantised, honest.queriesFor(world), byRow, byRow.length);
  const beside = rewardShares(copies.proven.quantised, copies.queriesFor(world), byRow, byRow.length);
  const earned = (shares: Float64Array) => victims.reduce((sum, i) => sum + shares[i]!, 0);

  log("sybil");
  const split = owners.map((owner, i) => (owner === ATTACKER ? contributors + (i % 10) : owner));
  const splitShares = sharesOf(honest, world, split, contributors + 10);
  const sybilShare = splitShares.subarray(contributors).reduce((sum, share) => sum + share, 0);

  log("shadow and outlier");
  const bestOf = (make: typeof shadowRows) =>
    Math.max(...PIXEL_LIMITS.map((limit) => attack(make(world, rowsEach, limit))[ATTACKER]!));
  const shadowShare = bestOf(shadowRows);
  const outlierShare = bestOf(adversarialRows);

  log("self-payment");
  return {
    contributors,
    rowsEach,
    copy: {
      ...attackResult(honestShare, copyShare),
      areExactCopiesRefused: refusesExactCopies(world.rows, victims),
      victimFactor: earned(beside) / earned(alone),
    },
    sybil: attackResult(honestShare, sybilShare),
    shadow: attackResult(honestShare, shadowShare),
    outlier: attackResult(honestShare, outlierShare),
    selfPay: simulateSelfPay(honest, honest.queriesFor(world), owners, contributors, options),
  };

  function makeWorld(): ContributorWorld {
    const all = loadMnist(SIDE);
    const rowCount = rowsEach * contributors;
    const { train, test } = splitIndices(
      all.labels.length,
      { trainCount: rowCount, testCount: 2 * queryCount + rowCount },
      seed,
    );
    return {
      rows: pickRows(all, train),
      queries: pickRows(all, test.subarray(0, queryCount)),
      // The attacker's own data: as many rows as the datanet has, and queries, of the same kind.
      shadowRows: pickRows(all, test.subarray(2 * queryCount)),
      shadowQueries: pickRows(all, test.subarray(queryCount, 2 * queryCount)),
      model: makeModel(),
    };
  }
}

function makeModel() {
  return logisticModel({ inputCount: SIDE * SIDE, classCount: CLASS_COUNT, decay: DECAY });
}

interface Registered {
  readonly proven: ProvenFeatures;
  queriesFor(world: ContributorWorld): QuantisedQuery[];
}

/** Trains on the rows and makes what the model registers. A query is asked with the model's own answer as label. */
function register(rows: LabelledRows, options: GamingOptions): Registered {
  const model = makeModel();
  const examples = { inputs: rows.features, labels: rows.labels };
  const parameters = model.train(examples);
  const own = model.sensitivities(parameters, examples);
  const proven = provenFeatures(alignColumns(own, own).rows, {
    featureCount: options.featureCount,
    damping: DECAY,
    seed: options.seed,
  });
  return {
    proven,
    queriesFor({ queries }) {
      const asked = { inputs: queries.features, labels: queries.labels };
      const answered = { ...asked, labels: model.predict(parameters, asked) };
      return provenQueries(proven.map, alignColumns(own, model.sensitivities(parameters, answered)).queries);
    },
  };
}

function sharesOf(registered: Registered, world: ContributorWorld, owners: Int32Array, slotCount: number) {
  return rewardShares(registered.proven.quantised, registered.queriesFor(world), owners, slotCount);
}

function attackResult(honestShare: number, attackShare: number): AttackResult {
  return { honestShare, attackShare, factor: attackShare / honestShare, profit: attackShare - honestShare };
}

/** The attacker's rows become near-copies of the rows of others that earn most. */
function copyRows(rows: LabelledRows, honest: Registered, world: ContributorWorld, rowsEach: number) {
  const byRow = Int32Array.from(rows.labels.keys());
  const earnings = rewardShares(honest.proven.quantised, honest.queriesFor(world), byRow, byRow.length);
  const victims = Array.from(byRow.subarray(rowsEach))
    .sort((a, b) => earnings[b]! - earnings[a]! || a - b)
    .slice(0, rowsEach);
  const order = Array.from(byRow, (i) => (i < rowsEach ? victims[i]! : i));
  const copied = pickRows(rows, order);
  const values = copied.features.values.slice();
  for (let i = 0; i < rowsEach; i++) {
    // One of the four pixels under the row's first feature, by one grey level.
    const at = copied.features.starts[i]!;
    values[at] = values[at]! + 1 / (255 * 4);
  }
  return { rows: { ...copied, features: { ...copied.features, values } }, victims };
}

function refusesExactCopies(rows: LabelledRows, victims: readonly number[]): boolean {
  try {
    refuseDuplicates([...rows.contents, ...victims.map((i) => rows.contents[i]!)]);
    return false;
  } catch (error) {
    if (isRollupError(error, "ATT_DUPLICATE_ROW")) return true;
    throw error;
  }
}

/**
 * The attacker owns a contributor and pays for queries of his own choice: any vector of 8 bits, since he need not want
 * an answer. He takes the one that pays his rows best.
 */
function simulateSelfPay(
  { proven }: Registered,
  honestQueries: readonly QuantisedQuery[],
  owners: Int32Array,
  slotCount: number,
  { epochs, rowsEach, seed }: GamingOptions,
): SelfPayResult {
  const { values: features, rowCount, featureCount } = proven.quantised;
  const shareOf = (query: Int16Array) => {
    const scores = integerScores({ features, rowCount, featureCount, query });
    return Number(splitDraw(scores, owners, slotCount, 10n ** 15n)[ATTACKER]!) / 1e15;
  };
  // Candidates: towards each of his rows, and towards all of them, as far as 8 bits go.
  const candidates = Array.from({ length: rowsEach }, (_, i) =>
    stretched(features.subarray(i * featureCount, (i + 1) * featureCount)),
  );
  const sum = new Float64Array(featureCount);
  for (let k = 0; k < rowsEach * featureCount; k++) {
    sum[k % featureCount] = sum[k % featureCount]! + features[k]!;
  }
  candidates.push(stretched(sum));
  const shares = candidates.map(shareOf);
  const best = shares.indexOf(Math.max(...shares));
  const ownDrawShare = shares[best]!;
  const honestDrawShares = honestQueries.map(({ values }) => shareOf(values));

  const honestMean = honestDrawShares.reduce((total, x) => total + x, 0) / honestDrawShares.length;

  // Systematic draws: points (u + k) / K of the money; the attacker's payments lie at random among the others.
  const random = new SeededRandom(`${seed}/self-pay`);
  const ownCount = Math.round(PAID_PART * PAYMENTS);
  const returns = Array.from({ length: epochs }, () => {
    const order = random.permutation(PAYMENTS);
    const offset = random.nextFraction();
    let withAttack = 0;
    for (let k = 0; k < DRAWS; k++) {
      const payment = order[Math.floor(((offset + k) * PAYMENTS) / DRAWS)]!;
      const honestShare = honestDrawShares[payment % honestDrawShares.length]!;
      withAttack += (payment < ownCount ? ownDrawShare : honestShare) / DRAWS;
    }
    // What he would have got of the others' money alone is no return of his own.
    return ((1 - PLATFORM_PART) * (withAttack - (1 - PAID_PART) * honestMean)) / PAID_PART;
  });
  const mean = returns.reduce((total, x) => total + x, 0) / epochs;
  const variance = returns.reduce((total, x) => total + (x - mean) * (x - mean), 0) / epochs;

  const summed = (ownWeight: number) => {
    const total = new Float64Array(featureCount);
    for (const { values } of honestQueries) {
      for (let j = 0; j < featureCount; j++) total[j] = total[j]! + values[j]! / honestQueries.length;
    }
    for (let j = 0; j < featureCount; j++) {
      total[j] = (1 - ownWeight) * total[j]! + ownWeight * candidates[best]![j]!;
    }
    return shareOf(stretched(total));
  };
  return {
    paidPart: PAID_PART,
    ownDrawShare,
    factor: (1 - PLATFORM_PART) * ownDrawShare,
    profit: (1 - PLATFORM_PART) * ownDrawShare - 1,
    bestPossibleProfit: -PLATFORM_PART,
    simulated: { epochs, mean, deviation: Math.sqrt(variance) },
    summedQuery: { shareBefore: summed(0), shareAfter: summed(PAID_PART) },
  };
}

/** The query of 8 bits in this direction, as long as it can be. */
function stretched(direction: ArrayLike<number>): Int16Array {
  const values = Array.from(direction);
  const max = Math.max(...values.map(Math.abs)) || 1;
  return Int16Array.from(values, (x) => Math.min(2 * Math.floor((x / max) * 128) + 1, 255));
}
