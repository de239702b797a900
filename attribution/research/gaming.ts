import { isRollupError } from "@openledger/foundation/rollup-error";
import { type LabelledRows, refuseDuplicates } from "../rows/labelled-rows.ts";
import { rewardShares } from "../scores/reward-shares.ts";
import { adversarialRows, shadowRows } from "./adversarial-rows.ts";
import { COPY_WAYS, type CopyWay, copiedRows } from "./copied-rows.ts";
import {
  ALL_RULES,
  type ContributorWorld,
  DEFAULT_RULES,
  type Market,
  type MarketOptions,
  type MarketRules,
  makeWorld,
  marketDuplicates,
  NO_RULES,
  openMarket,
  rowsOfContents,
} from "./gaming-market.ts";
import { type SelfPayResult, simulateSelfPay } from "./self-payment.ts";

/** What a contributor gains by an attack, on average over queries that he has no hand in. */
export interface AttackResult {
  /** His part of the contributors' money if he is honest, and if he attacks. */
  readonly honestShare: number;
  readonly attackShare: number;
  /** attackShare / honestShare. */
  readonly factor: number;
}

/** The attacks under one set of rules. The honest market is under the same rules. */
export interface Attacks {
  /** Rows replaced by copies of the rows of others that earn most, made in the way that pays best. */
  readonly copy: AttackResult & {
    readonly way: CopyWay;
    readonly factorByWay: Record<CopyWay, number>;
    /** What the copied rows earn beside the best copies, as part of what they earned alone. */
    readonly victimFactor: number;
  };
  /** The same rows under ten accounts. */
  readonly sybil: AttackResult;
  /** Rows perturbed for the most reward by a model of his own data (shadow training). */
  readonly shadow: AttackResult & { readonly pixelLimit: number };
  /** Rows perturbed until the model gets them wrong, labels unchanged. */
  readonly outlier: AttackResult & { readonly pixelLimit: number };
  /**
   * This is no attack but the measure for them. The contributor has many digits of his own and brings, unchanged, those
   * that earn most with a model of his own. What an attack gains beyond this, honest work does not gain.
   */
  readonly selection: AttackResult;
}

export interface GamingReport {
  readonly contributors: number;
  readonly rowsEach: number;
  readonly areExactCopiesRefused: boolean;
  /** Part of all honest rows that is left out as near-duplicates. */
  readonly honestRowsLeftOut: number;
  /** Under the default rules, with shared rewards besides, and with refusal of exact copies alone. */
  readonly bounded: Attacks;
  readonly shared: Attacks;
  readonly unbounded: Attacks;
  readonly selfPay: SelfPayResult;
}

export interface GamingOptions extends MarketOptions {
  readonly epochs: number;
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

/** How far the attacker may move a pixel; he takes the strength that pays best. */
const PIXEL_LIMITS = [0.05, 0.1, 0.3];
/** How much further than needed a copy goes in hiding: pixels are not all that is compared. */
const HIDING_STEPS: Record<CopyWay, readonly number[]> = {
  touch: [0],
  noise: [0, 2, 4],
  blend: [0, 2, 4],
  move: [0],
};
const SYBILS = 10;

/** Attacks on a market of equal contributors: digits of 14 × 14 pixels, logistic regression, int8 features. */
export function simulateGaming(options: GamingOptions): GamingReport {
  const { rowsEach, contributors, log = () => {} } = options;
  const world = makeWorld(options);
  const attacksUnder = (rules: MarketRules) =>
    simulateAttacks(world, openMarket(world, world.rows, rowsEach, rules, options), rules, options);
  const honest = openMarket(world, world.rows, rowsEach, DEFAULT_RULES, options);
  const rowOwners = honest.kept.map((place) => Math.floor(place / rowsEach));
  log("self-payment");
  const selfPay = simulateSelfPay(
    honest.features,
    honest.queries,
    rowOwners,
    { earnerCount: contributors, attacker: 0 },
    options,
  );
  return {
    contributors,
    rowsEach,
    areExactCopiesRefused: refusesExactCopies(world.rows),
    honestRowsLeftOut: marketDuplicates(world.rows, rowsEach).length / world.rows.labels.length,
    bounded: simulateAttacks(world, honest, DEFAULT_RULES, options),
    shared: attacksUnder(ALL_RULES),
    unbounded: attacksUnder(NO_RULES),
    selfPay,
  };
}

function simulateAttacks(
  world: ContributorWorld,
  honest: Market,
  rules: MarketRules,
  options: GamingOptions,
): Attacks {
  const { rowsEach, seed, log = () => {} } = options;
  const isHiding = rules.leavesOutNearDuplicates;
  const name = rules.alikeFeaturesShare ? "all rules" : isHiding ? "default rules" : "no rules";
  const honestShare = attackersShare(honest, rowsEach);
  const attack = (rows: LabelledRows) => openMarket(world, rows, rowsEach, rules, options);

  log(`copies, ${name}`);
  const victims = [...honest.rowShares.keys()]
    .slice(rowsEach)
    .sort((a, b) => honest.rowShares[b]! - honest.rowShares[a]! || a - b)
    .slice(0, rowsEach);
  const copies = COPY_WAYS.flatMap((way) =>
    (isHiding ? HIDING_STEPS[way] : [0]).map((extraSteps) => {
      const market = attack(copiedRows(world, victims, { way, extraSteps, isHiding }, seed));
      return { way, market, result: attackResult(honestShare, attackersShare(market, rowsEach)) };
    }),
  );
  const bestCopy = copies.reduce((a, b) => (b.result.factor > a.result.factor ? b : a));
  const earned = ({ rowShares }: Market) => victims.reduce((sum, i) => sum + rowShares[i]!, 0);

  log(`sybils, ${name}`);
  const earners = honest.kept.map((place) =>
    place < rowsEach ? options.contributors + (place % SYBILS) : Math.floor(place / rowsEach),
  );
  const sybilShares = rewardShares(honest.features, honest.queries, earners, options.contributors + SYBILS);
  const oneOwner = rewardShares(
    honest.features,
    honest.queries,
    honest.kept.map((place) => Math.floor(place / rowsEach)),
    options.contributors,
  );
  const sybilShare = sybilShares.subarray(options.contributors).reduce((sum, share) => sum + share, 0);

  const bestOf = (make: typeof shadowRows) => {
    const tries = PIXEL_LIMITS.map((pixelLimit) => {
      const share = attackersShare(attack(make(world, rowsEach, pixelLimit)), rowsEach);
      return { ...attackResult(honestShare, share), pixelLimit };
    });
    return tries.reduce((a, b) => (b.factor > a.factor ? b : a));
  };
  log(`shadow training, ${name}`);
  const shadow = bestOf(shadowRows);
  log(`outliers, ${name}`);
  const outlier = bestOf(adversarialRows);
  log(`selection, ${name}`);
  const selection = attackResult(honestShare, attackersShare(attack(selectedRows(world, options)), rowsEach));
  return {
    copy: {
      ...bestCopy.result,
      way: bestCopy.way,
      factorByWay: Object.fromEntries(
        COPY_WAYS.map((way) => [
          way,
          Math.max(...copies.filter((copy) => copy.way === way).map(({ result }) => result.factor)),
        ]),
      ) as Record<CopyWay, number>,
      victimFactor: earned(bestCopy.market) / earned(honest),
    },
    sybil: attackResult(oneOwner[0]!, sybilShare),
    shadow,
    outlier,
    selection,
  };
}

/** The world's rows with the attacker's replaced by the best of his own data, as his own market pays for it. */
export function selectedRows(world: ContributorWorld, options: GamingOptions): LabelledRows {
  const own = { ...world, rows: world.shadowRows, queries: world.shadowQueries };
  const { rowShares } = openMarket(own, own.rows, 0, NO_RULES, options);
  const best = [...rowShares.keys()]
    .sort((a, b) => rowShares[b]! - rowShares[a]! || a - b)
    .slice(0, options.rowsEach)
    .map((i) => own.rows.contents[i]!);
  return rowsOfContents([...best, ...world.rows.contents.slice(options.rowsEach)], world.rows.classCount);
}

function attackersShare({ rowShares }: Market, attackerRows: number): number {
  return rowShares.subarray(0, attackerRows).reduce((sum, share) => sum + share, 0);
}

function attackResult(honestShare: number, attackShare: number): AttackResult {
  return { honestShare, attackShare, factor: attackShare / honestShare };
}

function refusesExactCopies({ contents }: LabelledRows): boolean {
  try {
    refuseDuplicates([...contents, contents[0]!]);
    return false;
  } catch (error) {
    if (isRollupError(error, "ATT_DUPLICATE_ROW")) return true;
    throw error;
  }
}
