/** Earnings of attackers by the default, as it ships: texts, pictures and tables, large and small (attribution/testing/gaming/). */

import { BROWN_GENRES, brownPassages, passageSource } from "@openledger/attribution/testing/brown-corpus";
import { digitSource } from "@openledger/attribution/testing/digit-source";
import { attackWorlds, measureAttacks } from "@openledger/attribution/testing/gaming/attack-factor";
import {
  type AttackPlan,
  FURTHER_TEXT_PLANS,
  HONEST_PLAN,
  REVIEWED_LABEL_PLANS,
  REVIEWED_TEXT_PLANS,
  reviewedPicturePlans,
  reviewedTablePlans,
} from "@openledger/attribution/testing/gaming/attack-plan";
import {
  type AttackSource,
  emailSource,
  tableSource,
  textSource,
} from "@openledger/attribution/testing/gaming/attack-source";
import { irisSource, numberedIrisSource } from "@openledger/attribution/testing/iris-flowers";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { usualRecipe } from "@openledger/models/testing/usual-recipe";
import { readVectorsFrom } from "@openledger/models/tuning/vectors/vector-places";
import { openSmallSet, type SmallName } from "./small-sets.ts";

/** Worlds of a small source. */
const TEN_SEEDS = Array.from({ length: 10 }, (_, k) => `${k + 1}`);
/** Pixels of a digit's side. */
const DIGIT_SIDE = 28;

const TEXT_PLANS = [...FURTHER_TEXT_PLANS, ...REVIEWED_LABEL_PLANS, ...REVIEWED_TEXT_PLANS];

function smallSource(name: SmallName): AttackSource {
  const { classes, rows, shape } = openSmallSet(name);
  return shape.kind === "table" ? tableSource(classes, shape.fields!, rows) : textSource(classes, rows);
}

interface GamingSource {
  readonly open: () => AttackSource;
  readonly seeds: readonly string[];
  readonly further: readonly AttackPlan[];
}

/** A small set's few rows: three of a contributor, so many worlds. */
const small = (name: SmallName, further: readonly AttackPlan[]): GamingSource => ({
  open: () => smallSource(name),
  seeds: TEN_SEEDS,
  further,
});

/** Worlds of each source; more of few rows, fewer where one trains many labels. */
const SOURCES = {
  brown: {
    open: () => textSource(BROWN_GENRES, brownPassages()),
    seeds: ["2"],
    further: REVIEWED_TEXT_PLANS,
  },
  emails: { open: emailSource, seeds: ["1", "2", "3"], further: TEXT_PLANS },
  passages: { open: passageSource, seeds: ["1"], further: TEXT_PLANS },
  glosses: { open: () => smallSource("glosses"), seeds: ["1", "2"], further: TEXT_PLANS },
  messages: small("messages", TEXT_PLANS),
  german: small("german", TEXT_PLANS),
  digits: {
    open: digitSource,
    seeds: ["1", "2"],
    further: [...REVIEWED_LABEL_PLANS, ...reviewedPicturePlans(DIGIT_SIDE)],
  },
  iris: { open: irisSource, seeds: TEN_SEEDS, further: [HONEST_PLAN, ...REVIEWED_LABEL_PLANS] },
  numbered: { open: numberedIrisSource, seeds: TEN_SEEDS, further: reviewedTablePlans(0) },
  table: small("table", [HONEST_PLAN, ...REVIEWED_LABEL_PLANS]),
} as const satisfies Record<string, GamingSource>;
export type GamingName = keyof typeof SOURCES;
export const GAMING_NAMES = Object.keys(SOURCES) as readonly GamingName[];

/** Buckets of the usual circuits of direct models, and of a look. */
const BUCKETS = { full: 1_024, quick: 256 } as const;
/** Rows that inputs are chosen by. */
const CHOSEN_BY = 600;

/** Factors of the attacks by name: what a row of the attacker earns ÷ what an honest one does. */
export type GamingFigures = Readonly<Record<string, number>>;

/** Logs the factors of all plans, and of the further ones. */
export async function measureGaming(
  name: GamingName,
  size: keyof typeof BUCKETS,
  log: (line: string) => void,
): Promise<GamingFigures> {
  await initPoseidon();
  const { further, open, seeds } = SOURCES[name];
  const source = open();
  const recipeOf = await usualRecipe(
    { ...source, bucketCount: BUCKETS[size] },
    source.rows.slice(0, CHOSEN_BY),
  );
  const worlds = attackWorlds(({ rowCount }) => recipeOf(rowCount), {
    seeds: size === "quick" ? ["1"] : seeds,
    source,
    readVectors: readVectorsFrom(),
  });
  return measureAttacks(worlds, log, further);
}
