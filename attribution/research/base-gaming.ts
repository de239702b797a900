/**
 * Attacks with and without the base, in several worlds. Each world is a market of gaming-market.ts: twenty contributors
 * of fifty digits, the first one the attacker, rules 1, 2 and 4. A factor is his reward divided by what he would have
 * earned honestly under the same rules.
 */
import type { BaseRule } from "../features/base-column.ts";
import { SeededRandom } from "../maths/seeded-random.ts";
import { type LabelledRows, relabel, wrongLabels } from "../rows/labelled-rows.ts";
import { integerScores } from "../scores/integer-scores.ts";
import { adversarialRows, shadowRows, whiteBoxRows } from "./adversarial-rows.ts";
import { copiedRows } from "./copied-rows.ts";
import { type GamingOptions, selectedRows } from "./gaming.ts";
import {
  type ContributorWorld,
  DEFAULT_RULES,
  type Market,
  makeWorld,
  marketOdds,
  payMarket,
  type TrainedMarket,
  trainMarket,
} from "./gaming-market.ts";
import { groupAttributions, linearDatamodelingScore } from "./quality-metrics.ts";

/** What a world says under one rule. Factors, but for the parts that say so. */
export interface BaseFactors {
  readonly noiseCopy: number;
  readonly blend: number;
  readonly shadow: number;
  readonly outlier: number;
  readonly whiteBox: number;
  /** His honest rows under ten accounts. */
  readonly sybil: number;
  /** All his labels wrong. */
  readonly allWrong: number;
  /** The same under ten accounts: what vouching for one another brings. */
  readonly allWrongSybil: number;
  /** No attack: the best 50 of 1,000 digits of his own. */
  readonly selection: number;
  /** A tenth of everybody's labels wrong: the part of the money that these rows get, divided by their part of the rows. */
  readonly wrong: number;
  /** LDS of what is paid for (base included), over halves. */
  readonly lds: number;
  /** Mean over honest contributors of |share with the rule ÷ share without a base − 1|. */
  readonly honestMove: number;
  /** Smallest and largest of these shares' ratios. */
  readonly honestLeast: number;
  readonly honestMost: number;
}

export interface BaseGamingOptions extends GamingOptions {
  /** Halves that LDS retrains. */
  readonly halves: number;
}

/** Of a pixel's change, where the limit that pays best is not known before. */
const LIMITS = [0.05, 0.1];
const WHITE_BOX_LIMIT = 0.1;
const SYBILS = 10;

/** One world under each rule; `null` is no base. @param target the rule that the attacker's rows are made for */
export function simulateBase<Name extends string>(
  rules: Readonly<Record<Name, BaseRule | null>>,
  target: NoInfer<Name>,
  options: BaseGamingOptions,
): Record<Name, BaseFactors> {
  const { contributors, rowsEach, seed, log = () => {} } = options;
  const world = makeWorld(options);
  const names = Object.keys(rules) as Name[];
  const rulesOf = (name: Name) => ({
    ...DEFAULT_RULES,
    ...(rules[name] === null ? {} : { base: rules[name] }),
  });
  const perRule = <T>(make: (name: Name) => T) =>
    Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, T>;
  const owner = (place: number) => Math.floor(place / rowsEach);
  const sybil = (place: number) =>
    place < rowsEach ? contributors + (place % SYBILS) : Math.floor(place / rowsEach);
  const train = (rows: LabelledRows) => trainMarket(world, rows, rowsEach, DEFAULT_RULES, options);
  const pay = (trained: TrainedMarket, contributorOf = owner): Record<Name, Market> => {
    let odds: Float64Array | undefined;
    return perRule((name) =>
      payMarket(trained, rulesOf(name), options, () => {
        odds ??= marketOdds(world, trained, contributorOf);
        return odds;
      }),
    );
  };
  const sum = (shares: Float64Array) => shares.reduce((total, share) => total + share, 0);
  const his = (market: Market) => sum(market.rowShares.subarray(0, rowsEach));

  log("honest");
  const honestTrained = train(world.rows);
  const honest = pay(honestTrained);
  const best = new Map<string, Record<Name, number>>();
  const bestOf = (name: Name, attack: string) => best.get(attack)![name];
  const note = (attack: string, paid: Record<Name, Market>) => {
    const before = best.get(attack);
    const factors = perRule((name) => Math.max(before?.[name] ?? 0, his(paid[name]) / his(honest[name])));
    best.set(attack, factors);
    log(`${attack}: ${names.map((name) => `${name} ${factors[name].toFixed(3)}`).join(", ")}`);
  };
  const attempt = (attack: string, rows: LabelledRows) => note(attack, pay(train(rows)));

  // He copies the rows that earn most under the target's rule.
  const { rowShares } = honest[target];
  const victims = [...rowShares.keys()]
    .slice(rowsEach)
    .sort((a, b) => rowShares[b]! - rowShares[a]! || a - b)
    .slice(0, rowsEach);
  // The least change that passes rule 2: more of it was tried, and pays less.
  const copies = (way: "noise" | "blend") =>
    copiedRows(world, victims, { way, extraSteps: 0, isHiding: true }, seed);
  attempt("noiseCopy", copies("noise"));
  attempt("blend", copies("blend"));
  for (const limit of LIMITS) attempt("shadow", shadowRows(world, rowsEach, limit));
  for (const limit of LIMITS) attempt("outlier", adversarialRows(world, rowsEach, limit));
  for (const start of [world.rows, copies("noise")]) {
    // Rows that climb the target's rule, and rows that climb influence alone: each is tried under all rules.
    for (const base of [rules[target] ?? undefined, undefined]) {
      const climbed = { attackerRows: rowsEach, limit: WHITE_BOX_LIMIT, base };
      attempt("whiteBox", whiteBoxRows(world, start, climbed));
    }
  }
  attempt("selection", selectedRows(world, options));
  const allWrong = train(withWrongLabels(world, rowsEach));
  note("allWrong", pay(allWrong));
  note("allWrongSybil", pay(allWrong, sybil));
  note("sybil", pay(honestTrained, sybil));
  log("a tenth of all labels wrong");
  const wrong = wrongPart(world, train, pay, seed);
  log(`LDS, ${options.halves} halves`);
  const halves = retrainHalves(world, honestTrained, options);
  const before = honest[names[0]!];
  const ofContributor = ({ rowShares: shares }: Market, k: number) =>
    sum(shares.subarray(k * rowsEach, (k + 1) * rowsEach));
  return perRule((name) => {
    const ratios = Array.from(
      { length: contributors },
      (_, k) => ofContributor(honest[name], k) / ofContributor(before, k),
    );
    return {
      noiseCopy: bestOf(name, "noiseCopy"),
      blend: bestOf(name, "blend"),
      shadow: bestOf(name, "shadow"),
      outlier: bestOf(name, "outlier"),
      whiteBox: bestOf(name, "whiteBox"),
      sybil: bestOf(name, "sybil"),
      allWrong: bestOf(name, "allWrong"),
      allWrongSybil: bestOf(name, "allWrongSybil"),
      selection: bestOf(name, "selection"),
      wrong: wrong[name],
      lds: halves(honest[name]),
      honestMove: ratios.reduce((total, ratio) => total + Math.abs(ratio - 1), 0) / contributors,
      honestLeast: Math.min(...ratios),
      honestMost: Math.max(...ratios),
    };
  });
}

/** The attacker calls each of his digits by the next one's name. */
function withWrongLabels({ rows }: ContributorWorld, count: number): LabelledRows {
  const labels = rows.labels.map((label, i) => (i < count ? (label + 1) % rows.classCount : label));
  return relabel(rows, labels);
}

function wrongPart<Name extends string>(
  { rows }: ContributorWorld,
  train: (rows: LabelledRows) => TrainedMarket,
  pay: (trained: TrainedMarket) => Record<Name, Market>,
  seed: string,
): Record<Name, number> {
  const count = rows.labels.length;
  const wrong = new SeededRandom(`${seed}/wrong`).permutation(count).slice(0, Math.floor(count / 10));
  const trained = train(relabel(rows, wrongLabels(rows, wrong, seed)));
  const isKept = new Set(trained.kept);
  const part = wrong.filter((place) => isKept.has(place)).length / trained.kept.length;
  const paid = pay(trained);
  return Object.fromEntries(
    Object.entries<Market>(paid).map(([name, { rowShares }]) => [
      name,
      wrong.reduce((sum, place) => sum + rowShares[place]!, 0) / part,
    ]),
  ) as Record<Name, number>;
}

/** LDS of a market's integer weights' scores, by models retrained on random halves of its rows. */
function retrainHalves(
  { model, queries }: ContributorWorld,
  { parameters, rows }: TrainedMarket,
  { halves, seed }: BaseGamingOptions,
): (market: Market) => number {
  const examples = { inputs: rows.features, labels: rows.labels };
  const asked = { inputs: queries.features, labels: queries.labels };
  const answered = { ...asked, labels: model.predict(parameters, asked) };
  const random = new SeededRandom(`${seed}/halves`);
  const count = rows.labels.length;
  const groups = Array.from({ length: halves }, () =>
    random
      .permutation(count)
      .slice(0, count >> 1)
      .sort(),
  );
  const outputs = groups.map((indices) =>
    model.losses(model.train(examples, { indices, start: parameters }), answered).map((loss) => -loss),
  );
  return ({ features, queries: integers }) => {
    const scores = new Float64Array(integers.length * count);
    for (const [q, { values: query }] of integers.entries()) {
      const { values, rowCount, featureCount } = features;
      scores.set(integerScores({ features: values, rowCount, featureCount, query }), q * count);
    }
    return linearDatamodelingScore(groupAttributions(scores, count, groups), outputs, `${seed}/lds`, 2).value;
  };
}
