/**
 * Earnings of an attacker by a direct model (logistic, of texts), per row, as a multiple of the earnings of honest rows
 * of the same version. A world is 600 texts of twenty contributors and 100 questions, of one seed. One
 * contributor brings the plan's rows in place of the honest ones. The rules are those of every version: exact
 * copies and near-duplicates stay out, and earn nothing. scripts/bench/attribution.ts prints it.
 */
import type { DirectQuery } from "@openledger/circuits/ledger/direct-query";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { directScores } from "@openledger/circuits/settlement/scores/direct-matrix";
import { hex32 } from "@openledger/foundation/hex";
import { SeededRandom } from "../maths/seeded-random.ts";
import { directFamily } from "../model/direct/direct-family.ts";
import type { DirectRecipe } from "../model/direct/direct-recipe.ts";
import { trainDirect } from "../model/direct/direct-training.ts";
import { type OwnedRow, rowLabelsRoot } from "../model/owned-rows.ts";
import { directMatrix } from "../model/registration.ts";
import { nearDuplicates } from "../rows/near-duplicates.ts";
import { contentOf, type LabelledInput } from "../rows/row-content.ts";
import { hasFewWords } from "../rows/row-rules.ts";
import { EMAIL_LABELS, emailContents } from "../rows/sample-emails.ts";
import { type AttackPlan, type DerivedRows, STANDARD_PLANS } from "./attack-plan.ts";
import { type KnownModel, knownModel, mean } from "./known-model.ts";

/** Recipe under attack, for so many rows with these labels. */
export type RecipeOfRows = (sizes: {
  readonly rowCount: number;
  readonly classes: readonly string[];
}) => Omit<DirectRecipe, "datanet">;

/** Fixed, so that anybody measures the same. */
const SEEDS = ["1", "2", "3"] as const;
/** Rows of the nineteen honest contributors. */
const HONEST = 570;
/** Rows that the attacker would bring honestly, like each contributor. */
const OWN = 30;
/** Questions of a world. */
const QUESTIONS = 100;
/** Rows that nobody has brought. */
const FRESH = 1_200;
/** Longest text that is used, in bytes: words beyond are neither read nor replaced. */
const MAX_BYTES = 4_096;
const POOL = 10;
/** Maximum steps in which replacements are chosen. */
const STEPS = 20;
/** Tries of a step, which takes the best of them. */
const TRIES = 8;

export interface AttackWorld {
  readonly honest: readonly LabelledInput[];
  readonly own: readonly LabelledInput[];
  readonly fresh: readonly LabelledInput[];
  readonly questions: readonly string[];
  readonly recipeOf: RecipeOfRows;
  /** Model of the honest rows and the own ones, which are public; made once. */
  known(): KnownModel;
  /** Model of the own rows alone. */
  shadow(): KnownModel;
  readonly seed: string;
}

export interface AttackResult {
  /** Earnings of an attacker's row ÷ those of an honest row, in the same version. */
  readonly factor: number;
  /** Rows that the rules left out. */
  readonly leftOut: number;
  /** Mean earnings of the top fifth of honest rows, relative to the mean of all honest rows. */
  readonly bestFifth: number;
}

const sizesOf = ({ length }: readonly unknown[]) => ({ rowCount: length, classes: EMAIL_LABELS });

/** Needs `initPoseidon`. */
function attackWorld(seed: string, recipeOf: RecipeOfRows): AttackWorld {
  const all = emailContents()
    .filter((content) => content.length <= MAX_BYTES)
    .map((content) => ({
      input: new TextDecoder().decode(content.subarray(0, -1)),
      label: content.at(-1)!,
    }))
    .filter(({ input }) => input.trim() !== "");
  const order = new SeededRandom(`attack/${seed}`).permutation(all.length);
  const [ownFrom, askedFrom, freshFrom] = [HONEST, HONEST + OWN, HONEST + OWN + QUESTIONS];
  const taken = (from: number, to: number) => Array.from(order.subarray(from, to), (i) => all[i]!);
  const [honest, own] = [taken(0, ownFrom), taken(ownFrom, askedFrom)];
  const once = <Value>(make: () => Value) => {
    let made: Value | undefined;
    return () => (made ??= make());
  };
  const modelOf = (rows: readonly LabelledInput[]) => knownModel(rows, recipeOf(sizesOf(rows)));
  return {
    honest,
    own,
    seed,
    recipeOf,
    fresh: taken(freshFrom, freshFrom + FRESH),
    questions: taken(askedFrom, freshFrom).map(({ input }) => input),
    known: once(() => modelOf([...honest, ...own])),
    shadow: once(() => modelOf(own)),
  };
}

/** The rows that a plan brings into a world. */
function attackRows(world: AttackWorld, { derived, texts }: AttackPlan): LabelledInput[] {
  if (derived !== null) return derivedRows(world, derived, `${world.seed}/0`);
  return texts.map((input) => ({ label: 0, input }));
}

function derivedRows(world: AttackWorld, one: DerivedRows, seed: string): LabelledInput[] {
  const random = new SeededRandom(`attack/${seed}`);
  const best = (rows: readonly LabelledInput[]) => {
    const { earns } = world.known();
    return rows
      .map((row) => ({ row, worth: earns(row) }))
      .sort((a, b) => b.worth - a.worth)
      .map(({ row }) => row);
  };
  const pools = {
    own: () => world.own,
    dearest: () => best(world.honest),
    best: () => best(world.fresh.slice(0, POOL * one.count)),
  };
  const pool = pools[one.from]();
  const words = world.honest.flatMap(({ input }) => wordsOf(input));
  const model = one.by === "shadow" ? world.shadow() : world.known();
  const worth = one.by === "error" ? model.residual : model.earns;
  return Array.from({ length: one.count }, (_, k) => {
    const { input, label } = pool[k % pool.length]!;
    return changedRow({ input, label }, one, words, random, one.by === "noise" ? null : worth);
  });
}

const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

/** @param worth value of a row, to be maximised; null: any words */
function changedRow(
  row: LabelledInput,
  { changed }: DerivedRows,
  vocabulary: readonly string[],
  random: SeededRandom,
  worth: ((row: LabelledInput) => number) | null,
): LabelledInput {
  let words = wordsOf(row.input);
  const count = Math.ceil(changed * words.length);
  const places = Array.from(random.permutation(words.length).subarray(0, count));
  const rowOf = (some: readonly string[]) => ({ ...row, input: some.join(" ") });
  const size = worth === null ? count : Math.ceil(count / STEPS);
  for (let from = 0; from < count; from += size) {
    const tries = Array.from({ length: worth === null ? 1 : TRIES }, () => {
      const tried = words.slice();
      for (const place of places.slice(from, from + size))
        tried[place] = vocabulary[random.nextBelow(vocabulary.length)]!;
      return { tried, value: worth?.(rowOf(tried)) ?? 0 };
    });
    words = tries.reduce((a, b) => (b.value > a.value ? b : a)).tried;
  }
  return count === 0 ? row : rowOf(words);
}

/** The version that the rules about contents leave of the honest rows and a plan's. */
function attackedVersion(world: AttackWorld, plan: AttackPlan) {
  const brought = [...world.honest, ...attackRows(world, plan)];
  const encoder = new TextEncoder();
  const seen = new Set<string>();
  const isOut = brought.map(({ input }) => seen.size === seen.add(input).size || hasFewWords(input));
  const copies = nearDuplicates({
    kind: "text",
    contents: brought.map(({ input }) => encoder.encode(input)),
    labels: Int32Array.from(brought, ({ label }) => label),
  });
  for (const { later } of copies) isOut[later] = true;
  const included = brought.flatMap((row, k) => (isOut[k] === true ? [] : [{ row, isHonest: k < HONEST }]));
  const leftOut = isOut.slice(HONEST).filter((is) => is).length;
  return { included, leftOut, broughtCount: brought.length - HONEST };
}

async function attackFactor(world: AttackWorld, plan: AttackPlan): Promise<AttackResult> {
  const { broughtCount, included, leftOut } = attackedVersion(world, plan);
  const owned = included.map(
    ({ isHonest, row }, k): OwnedRow => ({
      content: contentOf("text", row.input),
      label: EMAIL_LABELS[row.label]!,
      contributorId: isHonest ? 5 + Math.floor(k / OWN) : 1_000,
      validatorId: 2,
    }),
  );
  const version = owned.map(({ content, ...owners }) => ({ rowHash: hashRow(content), ...owners }));
  const roots = { rowsRoot: hex32(versionRowsRoot(version)), labels: hex32(rowLabelsRoot(owned)!) };
  const datanet = { id: 1, version: 1, ...roots };
  const trained = trainDirect(owned, { ...world.recipeOf(sizesOf(owned)), datanet });
  const model = await directFamily.open(trained);
  const matrix = directMatrix(trained.features as Parameters<typeof directMatrix>[0]);
  const earned = new Float64Array(included.length);
  for (const question of world.questions) {
    const scores = directScores(matrix, model.answer(question).query as DirectQuery);
    const weights = scores.map((score) => Math.max(0, Number(score)));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    // If no row scores, all are paid alike.
    for (const [k, weight] of weights.entries())
      earned[k] = earned[k]! + (total === 0 ? 1 / weights.length : weight / total);
  }
  const [honest, attacker] = [true, false].map((is) => earned.filter((_, k) => included[k]!.isHonest === is));
  const perRow = mean(honest!);
  const best = honest!.sort().subarray(Math.floor(0.8 * honest!.length));
  const factor = (mean(attacker!) * attacker!.length) / broughtCount / perRow;
  return { factor, leftOut, bestFifth: mean(best) / perRow };
}

/** Makes the worlds. Needs `initPoseidon`. @param seeds fewer, for a quick measurement */
export const attackWorlds = (recipeOf: RecipeOfRows, seeds: readonly string[] = SEEDS): AttackWorld[] =>
  seeds.map((seed) => attackWorld(seed, recipeOf));

/** Measures a plan in each world: every result, and the means. Needs `initPoseidon`. */
export async function measureAttack(plan: AttackPlan, worlds: readonly AttackWorld[]) {
  const results: AttackResult[] = [];
  for (const world of worlds) results.push(await attackFactor(world, plan));
  const [factor, bestFifth] = (["factor", "bestFifth"] as const).map((name) =>
    mean(results.map((result) => result[name])),
  );
  return { factor: factor!, bestFifth: bestFifth!, results };
}

/** Factors of the standard plans, by name. Needs `initPoseidon`. */
export async function measureStandardPlans(worlds: readonly AttackWorld[], log: (line: string) => void) {
  const factors: Record<string, number> = {};
  for (const plan of STANDARD_PLANS) {
    const { bestFifth, factor } = await measureAttack(plan, worlds);
    factors[plan.name] = factor;
    log(`gaming, ${plan.name}: ${factor.toFixed(2)}; the best fifth of honest rows ${bestFifth.toFixed(2)}`);
  }
  return factors;
}
