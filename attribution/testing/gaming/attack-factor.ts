/**
 * Earnings of an attacker by a direct model (a classifier), per row, as a multiple of the earnings of honest rows
 * of the same version. A world is 600 rows of twenty contributors and 100 questions, of one seed; fewer of a small
 * source. One contributor brings the plan's rows in place of the honest ones. The rules are those of every version: exact
 * copies and near-duplicates stay out, and earn nothing. scripts/bench/attribution.ts prints it.
 */
import type { DirectQuery } from "@openledger/circuits/ledger/direct-query";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { directScores } from "@openledger/circuits/settlement/scores/direct-matrix";
import { hex32 } from "@openledger/foundation/hex";
import type { ReadVectors } from "../../inputs/open-inputs.ts";
import { SeededRandom } from "../../maths/seeded-random.ts";
import { checkDatanet, rowsToLeaveOut } from "../../model/datanet-check.ts";
import { directFamilyOf } from "../../model/direct/direct-family.ts";
import type { DirectRecipe } from "../../model/direct/direct-recipe.ts";
import { trainDirect } from "../../model/direct/direct-training.ts";
import type { OwnedRow } from "../../model/owned-rows.ts";
import { directMatrix } from "../../model/registration.ts";
import { rowLabelsRoot } from "../../model/rows-root.ts";
import { openComparison } from "../../rows/row-comparison.ts";
import type { LabelledInput } from "../../rows/row-content.ts";
import { hasFewWords } from "../../rows/row-rules.ts";
import { ATTACKS, type AttackPlan, type DerivedRows } from "./attack-plan.ts";
import { type AttackSource, emailSource } from "./attack-source.ts";
import { type KnownModel, knownModel, mean } from "./known-model.ts";

/** Recipe under attack, for so many rows with these labels. */
export type RecipeOfRows = (sizes: {
  readonly rowCount: number;
  readonly classes: readonly string[];
}) => Omit<DirectRecipe, "datanet">;

/** Fixed, so that anybody measures the same. */
const SEEDS = ["1", "2", "3"] as const;
/** Contributors that are honest. */
const HONEST = 19;
/** Maximum rows that the attacker would bring honestly, like each contributor. */
const OWN = 30;
/** Part of a small source's rows that a contributor has: a fifth of the source is left for questions. */
const OWN_PART = 1 / 25;
/** Maximum questions of a world. */
const QUESTIONS = 100;
/** Questions that are frequent where a plan says so, and their part of all. */
const FREQUENT = { count: 5, part: 0.3 } as const;
/** Rows that nobody has brought. */
const FRESH = 1_200;
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
  readonly source: AttackSource;
  /** Reads the word vectors that the recipe names. */
  readonly readVectors: ReadVectors | undefined;
  /** Model of the honest rows and the own ones, which are public; made once. */
  known(): Promise<KnownModel>;
  /** Model of the own rows alone. */
  shadow(): Promise<KnownModel>;
  /** Model of the honest rows alone. */
  others(): Promise<KnownModel>;
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

const sizesOf = ({ classes }: AttackSource, { length }: readonly unknown[]) => ({
  rowCount: length,
  classes,
});

/** Needs `initPoseidon`. */
function attackWorld(
  seed: string,
  recipeOf: RecipeOfRows,
  { readVectors, source }: Pick<AttackWorld, "readVectors" | "source">,
): AttackWorld {
  const all = source.rows;
  const order = new SeededRandom(`attack/${seed}`).permutation(all.length);
  const ownCount = Math.min(OWN, Math.floor(OWN_PART * all.length));
  const ownFrom = HONEST * ownCount;
  const questionFrom = ownFrom + ownCount;
  const freshFrom = Math.min(questionFrom + QUESTIONS, all.length);
  const taken = (from: number, to: number) => Array.from(order.subarray(from, to), (i) => all[i]!);
  const [honest, own] = [taken(0, ownFrom), taken(ownFrom, questionFrom)];
  const once = <Value>(make: () => Value) => {
    let made: Value | undefined;
    return () => (made ??= make());
  };
  const modelOf = (rows: readonly LabelledInput[]) =>
    knownModel(rows, recipeOf(sizesOf(source, rows)), readVectors);
  return {
    honest,
    own,
    seed,
    source,
    recipeOf,
    readVectors,
    fresh: taken(freshFrom, freshFrom + FRESH),
    questions: taken(questionFrom, freshFrom).map(({ input }) => input),
    known: once(() => modelOf([...honest, ...own])),
    shadow: once(() => modelOf(own)),
    others: once(() => modelOf(honest)),
  };
}

/** The rows that a plan brings into a world. */
async function attackRows(
  world: AttackWorld,
  { derived, make, texts }: AttackPlan,
): Promise<readonly LabelledInput[]> {
  if (make !== undefined) {
    const { fresh, own, questions, seed, source } = world;
    return make({
      own,
      fresh,
      source,
      frequent: questions.slice(0, FREQUENT.count),
      dearest: async () => (await byWorth(world, world.honest)).slice(0, own.length),
      answerOf: async (input) => (await world.others()).answer(input),
      random: new SeededRandom(`attack/${seed}/made`),
    });
  }
  if (derived !== null) return derivedRows(world, derived, `${world.seed}/0`);
  return texts.map((input) => ({ label: 0, input }));
}

async function byWorth(world: AttackWorld, rows: readonly LabelledInput[]): Promise<LabelledInput[]> {
  const { earns } = await world.known();
  return rows
    .map((row) => ({ row, worth: earns(row) }))
    .sort((a, b) => b.worth - a.worth)
    .map(({ row }) => row);
}

async function derivedRows(world: AttackWorld, one: DerivedRows, seed: string): Promise<LabelledInput[]> {
  const random = new SeededRandom(`attack/${seed}`);
  const pools = {
    own: async () => world.own,
    dearest: () => byWorth(world, world.honest),
    best: () => byWorth(world, world.fresh.slice(0, POOL * world.own.length)),
  };
  const pool = await pools[one.from]();
  const choices = partChoices(world);
  const model = await (one.by === "shadow" ? world.shadow() : world.known());
  const worth = one.by === "error" ? model.residual : model.earns;
  return Array.from({ length: world.own.length }, (_, k) => {
    const { input, label } = pool[k % pool.length]!;
    const choice = { choices, random, worth: one.by === "noise" ? null : worth };
    return changedRow({ input, label }, one, world.source, choice);
  });
}

/** Parts that may come to a position: those of all honest rows, of a table those of the same field. */
function partChoices({ honest, source }: AttackWorld): (position: number) => readonly string[] {
  const rows = honest.map(({ input }) => source.partsOf(input));
  if (source.kind === "table") return (position) => rows.map((parts) => parts[position]!);
  const all = rows.flat();
  return () => all;
}

interface PartChoice {
  readonly choices: (position: number) => readonly string[];
  readonly random: SeededRandom;
  /** Value of a row, to be maximised; null: any parts. */
  readonly worth: ((row: LabelledInput) => number) | null;
}

function changedRow(
  row: LabelledInput,
  { changed }: DerivedRows,
  source: AttackSource,
  { choices, random, worth }: PartChoice,
): LabelledInput {
  let parts = [...source.partsOf(row.input)];
  const count = Math.ceil(changed * parts.length);
  const positions = Array.from(random.permutation(parts.length).subarray(0, count));
  const rowOf = (some: readonly string[]) => ({ ...row, input: source.joined(some) });
  const size = worth === null ? count : Math.ceil(count / STEPS);
  for (let from = 0; from < count; from += size) {
    const tries = Array.from({ length: worth === null ? 1 : TRIES }, () => {
      const tried = parts.slice();
      for (const position of positions.slice(from, from + size)) {
        const some = choices(position);
        tried[position] = some[random.nextBelow(some.length)]!;
      }
      return { tried, value: worth?.(rowOf(tried)) ?? 0 };
    });
    parts = tries.reduce((a, b) => (b.value > a.value ? b : a)).tried;
  }
  return count === 0 ? row : rowOf(parts);
}

/** The version that the rules about contents leave of the honest rows and a plan's. */
async function attackedVersion(world: AttackWorld, plan: AttackPlan) {
  const { source } = world;
  const brought = [...world.honest, ...(await attackRows(world, plan))];
  const contents = await source.contentsOf(brought.map(({ input }) => input));
  const seen = new Set<string>();
  const isOut = brought.map(
    ({ input }) => seen.size === seen.add(input).size || (source.kind === "text" && hasFewWords(input)),
  );
  for (const row of await leftOutBy(world, plan, { brought, contents })) isOut[row] = true;
  const honestCount = world.honest.length;
  const included = brought.flatMap(({ label }, k) =>
    isOut[k] === true ? [] : [{ label, content: contents[k]!, isHonest: k < honestCount }],
  );
  const leftOut = isOut.slice(honestCount).filter((is) => is).length;
  return { included, leftOut, broughtCount: brought.length - honestCount };
}

interface Brought {
  readonly brought: readonly LabelledInput[];
  readonly contents: readonly Uint8Array[];
}

/** Near-duplicates, and the commits that the validator's check refuses where a plan is checked. */
async function leftOutBy(
  { own, source }: AttackWorld,
  { isChecked = false }: AttackPlan,
  { brought, contents }: Brought,
): Promise<number[]> {
  if (!isChecked) {
    const compare = await openComparison(source);
    const labels = brought.map(({ label }) => label);
    return compare(contents, labels).map(({ later }) => later);
  }
  const all = contents.map((content, k) => ({ content, label: source.classes[brought[k]!.label]! }));
  const commits = Array.from({ length: HONEST + 1 }, (_, c) =>
    all.slice(c * own.length, c === HONEST ? all.length : (c + 1) * own.length),
  );
  const check = await checkDatanet(
    commits.map((rows, c) => ({
      contributorId: 5 + c,
      contents: rows.map(({ content }) => content),
      labels: rows.map(({ label }) => label),
    })),
    source,
  );
  return rowsToLeaveOut(check).map(({ row }) => row);
}

/** The world's questions; some of them several times where a plan has frequent ones. */
function questionsOf(
  { questions }: AttackWorld,
  { hasFrequentQuestions = false }: AttackPlan,
): readonly string[] {
  if (!hasFrequentQuestions) return questions;
  const { count, part } = FREQUENT;
  const times = Math.round((part * questions.length - count) / (count * (1 - part)));
  return [...questions, ...Array.from({ length: times }, () => questions.slice(0, count)).flat()];
}

async function attackFactor(world: AttackWorld, plan: AttackPlan): Promise<AttackResult> {
  const { broughtCount, included, leftOut } = await attackedVersion(world, plan);
  const owned = included.map(
    ({ content, isHonest, label }, k): OwnedRow => ({
      content,
      label: world.source.classes[label]!,
      contributorId: isHonest ? 5 + Math.floor(k / world.own.length) : 1_000,
      validatorId: 2,
    }),
  );
  const version = owned.map(({ content, ...owners }) => ({ rowHash: hashRow(content), ...owners }));
  const roots = { rowsRoot: hex32(versionRowsRoot(version)), labels: hex32(rowLabelsRoot(owned)!) };
  const datanet = { id: 1, version: 1, ...roots };
  const recipe = { ...world.recipeOf(sizesOf(world.source, owned)), datanet };
  const { readVectors } = world;
  const trained = await trainDirect(owned, recipe, { withHeldOut: false, readVectors });
  const model = await directFamilyOf(readVectors).open(trained);
  const matrix = directMatrix(trained.features as Parameters<typeof directMatrix>[0]);
  const earned = new Float64Array(included.length);
  for (const question of questionsOf(world, plan)) {
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
  const factor =
    (mean(attacker!) * attacker!.length) /
    (plan.isPerOwnRow === true ? world.own.length : broughtCount) /
    perRow;
  return { factor, leftOut, bestFifth: mean(best) / perRow };
}

/** Name of the best fifth of honest rows among factors. */
export const BEST_FIFTH = "best fifth of honest rows";

interface WorldOptions {
  /** Fewer, for a quick measurement. */
  readonly seeds?: readonly string[];
  /** Worlds are whole from 750 rows on; `quality` has 300 fresh ones of 1,000. Default: the e-mails. */
  readonly source?: AttackSource;
  /** Reads the word vectors that recipes name. */
  readonly readVectors?: ReadVectors;
}

/** Makes the worlds. Needs `initPoseidon`. */
export const attackWorlds = (
  recipeOf: RecipeOfRows,
  { readVectors, seeds = SEEDS, source = emailSource() }: WorldOptions = {},
): AttackWorld[] => seeds.map((seed) => attackWorld(seed, recipeOf, { readVectors, source }));

/** Measures a plan in each world: every result, and the means. Needs `initPoseidon`. */
export async function measureAttack(plan: AttackPlan, worlds: readonly AttackWorld[]) {
  const results: AttackResult[] = [];
  for (const world of worlds) results.push(await attackFactor(world, plan));
  const [factor, bestFifth] = (["factor", "bestFifth"] as const).map((name) =>
    mean(results.map((result) => result[name])),
  );
  return { factor: factor!, bestFifth: bestFifth!, results };
}

/**
 * Factors of the five attacks and of further plans, by name, and of the best fifth of honest rows, by which a white box is judged. Needs
 * `initPoseidon`.
 */
export async function measureAttacks(
  worlds: readonly AttackWorld[],
  log: (line: string) => void,
  further: readonly AttackPlan[] = [],
): Promise<Record<string, number>> {
  const measure = async (plan: AttackPlan) => {
    const { bestFifth, factor, results } = await measureAttack(plan, worlds);
    const each = results.map((result) => result.factor.toFixed(2)).join(", ");
    log(
      `${plan.name}: ${factor.toFixed(2)} (${each}); the best fifth of honest rows ${bestFifth.toFixed(2)}`,
    );
    factors[BEST_FIFTH] ??= bestFifth;
    return factor;
  };
  const factors: Record<string, number> = {};
  for (const plan of [...Object.values(ATTACKS), ...further]) factors[plan.name] = await measure(plan);
  return factors;
}
