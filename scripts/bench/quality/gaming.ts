/** What attackers earn by the default: e-mails, texts of fifteen labels and pictures (attribution/gaming/). */
import { baseBuckets } from "@openledger/attribution/features/direct-base";
import {
  attackWorlds,
  measureStandardPlans,
  type RecipeOfRows,
} from "@openledger/attribution/gaming/attack-factor";
import { type AttackSource, emailSource, textSource } from "@openledger/attribution/gaming/attack-source";
import { chooseInputs } from "@openledger/attribution/inputs/choose-inputs";
import { usualRewards } from "@openledger/attribution/model/base-policy";
import { BROWN_GENRES, brownPassages } from "@openledger/attribution/testing/brown-corpus";
import { digitSource } from "@openledger/attribution/testing/digit-source";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { classifierRecipe } from "@openledger/models/tuning/recipe/recipe-presets";

/** Worlds of each source; fewer where a world trains fifteen labels. */
const SOURCES = {
  emails: { open: emailSource, seeds: ["1", "2", "3"] },
  brown: { open: () => textSource(BROWN_GENRES, brownPassages()), seeds: ["1"] },
  digits: { open: digitSource, seeds: ["1", "2"] },
} as const;
export type GamingName = keyof typeof SOURCES;
export const GAMING_NAMES = Object.keys(SOURCES) as readonly GamingName[];

/** Buckets of the usual circuits of direct models, and of a look. */
const BUCKETS = { full: 1_024, quick: 256 } as const;
/** Rows that inputs are chosen by. */
const CHOSEN_BY = 600;

/** Factors of the standard plans, `copies`, `noise`, `whiteBox` …: what a row of the attacker earns ÷ what an honest one does. */
export async function measureGaming(
  name: GamingName,
  size: keyof typeof BUCKETS,
  log: (line: string) => void,
): Promise<Record<string, number>> {
  await initPoseidon();
  const { open, seeds } = SOURCES[name];
  const source = open();
  const recipeOf = await defaultOf(source, BUCKETS[size]);
  const worlds = attackWorlds(recipeOf, size === "quick" ? ["1"] : seeds, source);
  const factors = await measureStandardPlans(worlds, log);
  return Object.fromEntries(
    Object.entries(factors).map(([plan, factor]) => [plan.replace(/\W+(\w)/g, upperCase), factor]),
  );
}

const upperCase = (_: string, letter: string): string => letter.toUpperCase();

/** The preset with the base of a card that names no other. */
async function defaultOf(
  { classes, contentsOf, kind, rows }: AttackSource,
  bucketCount: number,
): Promise<RecipeOfRows> {
  const contents = await contentsOf(rows.slice(0, CHOSEN_BY).map(({ input }) => input));
  const inputs = await chooseInputs({ kind }, contents, {
    bucketCount,
    baseBuckets: baseBuckets(classes.length),
  });
  const base = { flatPermille: usualRewards(kind).basePermille };
  return (sizes) => {
    const preset = classifierRecipe({ ...sizes, inputs });
    return { ...preset, rules: { ...preset.rules, base } };
  };
}
