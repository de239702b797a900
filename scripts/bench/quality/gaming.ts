/** Earnings of attackers by the default: e-mails, texts of fifteen labels, pictures and a table (attribution/gaming/). */

import { BROWN_GENRES, brownPassages } from "@openledger/attribution/testing/brown-corpus";
import { digitSource } from "@openledger/attribution/testing/digit-source";
import { attackWorlds, measureAttacks } from "@openledger/attribution/testing/gaming/attack-factor";
import {
  type AttackName,
  FURTHER_TEXT_PLANS,
  HONEST_PLAN,
  REVIEWED_TEXT_PLANS,
  reviewedPicturePlans,
  reviewedTablePlans,
} from "@openledger/attribution/testing/gaming/attack-plan";
import { emailSource, textSource } from "@openledger/attribution/testing/gaming/attack-source";
import { irisSource, numberedIrisSource } from "@openledger/attribution/testing/iris-flowers";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { usualRecipe } from "@openledger/models/testing/usual-recipe";

/** Worlds of a small source. */
const TEN_SEEDS = Array.from({ length: 10 }, (_, k) => `${k + 1}`);
/** Pixels of a digit's side. */
const DIGIT_SIDE = 28;

/** Worlds of each source; more of Iris' few flowers, fewer where one trains fifteen labels. */
const SOURCES = {
  brown: {
    open: () => textSource(BROWN_GENRES, brownPassages()),
    seeds: ["2"],
    further: REVIEWED_TEXT_PLANS,
  },
  emails: {
    open: emailSource,
    seeds: ["1", "2", "3"],
    further: [...FURTHER_TEXT_PLANS, ...REVIEWED_TEXT_PLANS],
  },
  digits: { open: digitSource, seeds: ["1", "2"], further: reviewedPicturePlans(DIGIT_SIDE) },
  iris: { open: irisSource, seeds: TEN_SEEDS, further: [HONEST_PLAN] },
  numbered: { open: numberedIrisSource, seeds: TEN_SEEDS, further: reviewedTablePlans(0) },
} as const;
export type GamingName = keyof typeof SOURCES;
export const GAMING_NAMES = Object.keys(SOURCES) as readonly GamingName[];

/** Buckets of the usual circuits of direct models, and of a look. */
const BUCKETS = { full: 1_024, quick: 256 } as const;
/** Rows that inputs are chosen by. */
const CHOSEN_BY = 600;

/** Factors of the attacks, `copies`, `noise`, `whiteBox` …: what a row of the attacker earns ÷ what an honest one does. */
export type GamingFigures = Record<AttackName, number>;

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
    { ...source, bucketCount: BUCKETS[size], withVectors: false },
    source.rows.slice(0, CHOSEN_BY),
  );
  const worlds = attackWorlds(({ rowCount }) => recipeOf(rowCount), size === "quick" ? ["1"] : seeds, source);
  return measureAttacks(worlds, log, further);
}
