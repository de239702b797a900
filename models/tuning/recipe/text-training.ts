/**
 * Training of language models for the ledger: tunes an adapter on rows, maps rows to int8 features, publishes. `models train`,
 * the factory and verifiers get the same bytes by it.
 */

import { concatBytes } from "@noble/hashes/utils.js";
import { attributionError } from "@openledger/attribution/attribution-errors";
import { padColumns } from "@openledger/attribution/features/quantise";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type {
  FamilyTraining,
  ModelFamily,
  TrainedModel,
  TrainOptions,
} from "@openledger/attribution/model/model-family";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { payeeTable } from "@openledger/attribution/model/payee-table";
import { citingBaseColumns } from "@openledger/attribution/model/recipe-fields";
import { type RowSources, registeredFeatures } from "@openledger/attribution/model/registered-features";
import { checkRowsRoot } from "@openledger/attribution/model/rows-root";
import type { OnProgress } from "@openledger/attribution/progress";
import { atRow, refuseDuplicates } from "@openledger/attribution/rows/labelled-rows";
import { decodeTextRow, type TextRow, turnOf, wholeText } from "@openledger/attribution/rows/text-rows";
import { counted } from "@openledger/foundation/counted";
import { type TokenRow, wantedOf } from "../../engine/architecture/loss-gradient.ts";
import type { WeightNumbers } from "../../engine/architecture/model-shape.ts";
import { encodeAdapter } from "../../engine/files/adapter-files.ts";
import { roundToHalves } from "../../engine/files/float-formats.ts";
import { NONE, type Place } from "../../engine/kernels/kernels.ts";
import { mapTangents, mapTexts } from "../influence/text-features.ts";
import { fillCitations } from "../retrieval/citation-columns.ts";
import { makeIndex, nearPassages } from "../retrieval/make-index.ts";
import { encodeIndex, type RowIndex } from "../retrieval/row-index.ts";
import { lossWords, type RowsLoss, rowsLoss, type TuningLosses } from "../training/row-losses.ts";
import type { RowTask } from "../training/row-task.ts";
import { influenceSteps, middleRun } from "../training/step-plan.ts";
import { startTangents, type Tangents } from "../training/tangents.ts";
import {
  RowTeam,
  type TuningProgress,
  type TuningRecipe,
  type TuningStep,
  type TuningWish,
  tuneAdapter,
  tuningBlocks,
} from "../training/tune-adapter.ts";
import { encodeQueryMap, mapLength } from "./query-map.ts";
import { decodeMap, encodeMap } from "./query-map-file.ts";
import { openQuestionEncoder } from "./question-encoder.ts";
import { meanOf, surprisalParts } from "./row-surprisal.ts";
import type { TextParts } from "./text-family.ts";
import {
  loadText,
  type PlacedText,
  type PlaceOptions,
  projectPlacedGradients,
  type TextSetting,
} from "./text-model.ts";
import { isCiting, parseTextRecipe, type TextRecipe } from "./text-recipe.ts";
import { tokensOfRow, weighedByTokens } from "./text-tokens.ts";

/** Minimum rows: with fewer a tuning has nothing to tell apart. */
const MIN_ROWS = 4;
/** Rows between two reports of progress. */
const ROWS_AT_ONCE = 32;

export interface TrainingSetting extends TextSetting {
  /** Does not change the bytes. */
  readonly threadCount: number;
  /** Looks on while models are tuned. */
  readonly watch?: TuningWatch;
}

/** A tuning that runs: the model in place, and its rows. */
export interface TuningRun {
  readonly placed: PlacedText;
  readonly team: RowTeam;
  readonly texts: readonly TextRow[];
  readonly tokens: readonly TokenRow[];
  /** Places in `texts`, ascending: those that are trained on, and the others. */
  readonly trained: readonly number[];
  readonly heldOut: readonly number[];
}

export interface TuningWatch {
  /** Called before the first step: the adapter is nothing yet. */
  begin(run: TuningRun): Promise<void>;
  /** `rows` are places in `run.texts`. The threads are idle until it has answered. */
  afterStep(run: TuningRun, step: TuningStep): Promise<TuningWish | undefined>;
  /**
   * Called before each checkpoint. Store the reports of the steps so far now: a resumed run does not repeat these
   * steps.
   */
  beforeState?(): Promise<void>;
  /** Called when a checkpoint is in the folder of states. */
  afterState?(step: number): Promise<void>;
}

interface Progressing {
  readonly onProgress?: OnProgress;
}

export interface TextTraining extends FamilyTraining<TextParts> {
  /** Losses of a model that this object has trained. */
  lossesOf(trained: TrainedModel<TextParts>): TuningLosses;
}

/** Index of a version's rows; null for a recipe that finds none. @throws as `openQuestionEncoder` */
async function indexOf(
  rows: readonly OwnedRow[],
  recipe: TextRecipe,
  setting: TextSetting,
): Promise<RowIndex | null> {
  if (!isCiting(recipe)) return null;
  return makeIndex(rows, recipe, await openQuestionEncoder(recipe, setting));
}

/** @param family that of the same setting */
export function textTraining(family: ModelFamily<TextParts>, setting: TrainingSetting): TextTraining {
  const losses = new WeakMap<object, TuningLosses & { readonly weights: WeightNumbers }>();
  const lossesOf = (trained: TrainedModel<TextParts>) => losses.get(trained)!;
  return {
    family,
    lossesOf,
    async requireTrainable(rows, { datanet, heldOut = 0 }) {
      for (const [index, { content }] of rows.entries()) decodeAt(content, index);
      if (rows.length - heldOut >= MIN_ROWS) return;
      throw attributionError(
        "ATT_TOO_FEW_ROWS",
        `version ${datanet.version} of datanet ${datanet.id} has ${counted(rows.length, "row")}; a model needs ${MIN_ROWS}`,
        { data: { rowCount: rows.length, leastRows: MIN_ROWS } },
      );
    },
    async train(rows, unchecked, options) {
      const requestedRecipe = family.parseRecipe(unchecked);
      const payees = payeeTable(rows);
      checkRowsRoot(rows, requestedRecipe);
      const texts = decodeAll(rows);
      const made = await withRows(
        requestedRecipe,
        setting,
        { adapter: null, rows: texts },
        async (placed, team, tokens) => {
          const run = { placed, team, texts, tokens, ...splitRows(texts.length, requestedRecipe) };
          const tuned = await tune(run, requestedRecipe, setting.watch, options);
          const before = await baseLosses(run);
          const { weights } = placed.loaded.model.layout;
          const all = { ...tuned, tokens, before, weights };
          if (placed.tangents !== null) {
            const losses = compareLosses(run, before, await team.losses(tokens));
            await tuneMiddle(run, placed.tangents, tuned.recipe, options);
            return { ...all, losses, ...mapRows(placed, placed.tangents.latest) };
          }
          const after = await computeGradients(placed, team, tokens, run.heldOut, options);
          return { ...all, losses: compareLosses(run, before, after), ...mapRows(placed) };
        },
      );
      const { recipe } = made;
      const { adapter } = made;
      const index = await indexOf(rows, recipe, setting);
      const features = registeredTexts(made.features, recipe, texts, made, index);
      const queryMap = index === null ? made.queryMap : concatBytes(made.queryMap, encodeIndex(index));
      const trained: TrainedModel<TextParts> = {
        family,
        recipe,
        adapter,
        queryMap,
        rows,
        payees,
        features,
        accuracy: null,
      };
      const { steps } = recipe.tuning;
      const { weights } = made;
      losses.set(trained, { steps, keptStep: recipe.tuning.lastStep ?? steps, ...made.losses, weights });
      return trained;
    },
    needsRun: ({ method }) => method.kind === "tangent",
    async features(parts, rows, options) {
      const { recipe } = parts;
      const index = await indexOf(rows, recipe, setting);
      if (index !== null) requireIndex(parts.queryMap, encodeIndex(index));
      const { real, texts, ...ofRows } = await featuresAndTokens(parts, rows, setting, options);
      return registeredTexts(real, recipe, texts, ofRows, index);
    },
    async unseen({ adapter, recipe }, rows, { onProgress }) {
      checkRowsRoot(rows, recipe);
      const offsets = heldOutRows(rows.length, recipe);
      const how = "the rows that the recipe holds out, whose loss chose the last step";
      if (offsets.length === 0) return { kind: "losses", how, values: new Map() };
      const texts = offsets.map((index) => decodeAt(rows[index]!.content, index));
      return withRows(recipe, setting, { adapter, rows: texts }, async (_placed, team, tokens) => {
        const values = new Map<number, number>();
        for (let from = 0; from < offsets.length; from += ROWS_AT_ONCE) {
          onProgress?.({ stage: "held-out", done: from, total: offsets.length });
          const losses = await team.losses(tokens.slice(from, from + ROWS_AT_ONCE));
          for (const [i, loss] of losses.entries()) values.set(offsets[from + i]!, loss);
        }
        return { kind: "losses", how, values };
      });
    },
    describe(trained) {
      const { kind } = trained.recipe.method;
      const scores = `its rows are scored by ${kind === "tangent" ? "tangents of the run" : "EK-FAC"}`;
      const { weights } = losses.get(trained)!;
      return [...lossWords(lossesOf(trained)), scores, `its base's weights are ${weights}`].join("; ");
    },
  };
}

/**
 * Maps the rows' gradients to features, rows × featureCount floats, before rules and rounding. Stage "features". Not for
 * tangents, which take the whole run. Accepts the same row twice, which `train` refuses.
 * @throws ATT_ROW_INVALID, and what a published model is refused for
 */
async function featuresAndTokens(
  { adapter, queryMap, recipe }: Pick<TextParts, "adapter" | "queryMap" | "recipe">,
  rows: readonly Pick<OwnedRow, "content">[],
  setting: TrainingSetting,
  options: Progressing,
) {
  if (recipe.method.kind === "tangent") throw new TypeError("features of tangents are made with the model");
  const texts = rows.map(({ content }, index) => decodeAt(content, index));
  return withRows(recipe, setting, { adapter, rows: texts }, async (placed, team, tokens) => {
    const { loaded, options: sizes, places } = placed;
    const map = isCiting(recipe) ? queryMap.subarray(0, mapLength(queryMap, sizes)) : queryMap;
    decodeMap(map, sizes, loaded.model.kernels.arena, places.directions);
    const heldOut = heldOutRows(texts.length, recipe);
    const real = new Float64Array(tokens.length * sizes.featureCount);
    const { onProgress } = options;
    for (let from = 0; from < tokens.length; from += ROWS_AT_ONCE) {
      const some = tokens.slice(from, from + ROWS_AT_ONCE);
      const among = heldOut.map((i) => i - from).filter((i) => i >= 0 && i < some.length);
      onProgress?.({ stage: "features", done: from, total: tokens.length });
      await computeGradients(placed, team, some, among, {});
      real.set(projectPlacedGradients(placed, places.gradients, some.length), from * sizes.featureCount);
    }
    onProgress?.({ stage: "features", done: tokens.length, total: tokens.length });
    const before = recipe.rules.surprisal === undefined ? [] : await baseLosses({ placed, team, tokens });
    return { real, texts, tokens, before };
  });
}

/** Weight of a row; a mean one has 1. */
const partOfRow = (row: TokenRow) => (row.weight === undefined ? 1 : row.weight * wantedOf(row));

/**
 * Weight of the rows in G, before the rules of all models. factors: of their features. A sum over n tokens spreads by √n:
 * without this a text would earn by chance as much by each of its halves as by both. baseParts: of the base.
 * @param before losses of each row's targets without the adapter; not read where no rule needs them
 */
export function rowWeights(
  tokens: readonly TokenRow[],
  before: readonly (readonly number[])[],
  { rules }: Pick<TextRecipe, "rules">,
): Record<"factors" | "baseParts", number[]> {
  const near = rules.surprisal === undefined ? tokens.map(() => 1) : surprisalParts(before, rules.surprisal);
  return {
    factors: tokens.map((row, i) => Math.sqrt(partOfRow(row)) * near[i]!),
    baseParts: tokens.map((row, i) => partOfRow(row) * near[i]!),
  };
}

/** Attack: an index that names other rows than those that G pays. @throws ATT_MODEL_MISMATCH */
function requireIndex(queryMap: Uint8Array, index: Uint8Array): void {
  const published = queryMap.subarray(-index.length);
  if (published.length === index.length && published.every((byte, k) => byte === index[k])) return;
  const message = "queryMap: its index of rows is not what the recipe makes of the rows";
  throw attributionError("ATT_MODEL_MISMATCH", message, { data: { what: "queryMap" } });
}

/** G of such features. @param before losses of each row's targets without the adapter */
function registeredTexts(
  real: Float64Array,
  recipe: TextRecipe,
  rows: readonly TextRow[],
  {
    before,
    tokens,
  }: { readonly tokens: readonly TokenRow[]; readonly before: readonly (readonly number[])[] },
  index: RowIndex | null,
) {
  const { featureCount } = recipe.method;
  const { baseParts, factors } = rowWeights(tokens, before, recipe);
  const paid = real.map((value, k) => value * factors[Math.floor(k / featureCount)]!);
  const sources: RowSources = {
    baseParts: Float64Array.from(baseParts),
    duplicates: () => nearPassages(rows, recipe.rules),
  };
  if (index === null) return registeredFeatures(paid, featureCount, recipe, sources);
  const baseCount = citingBaseColumns(recipe);
  const ofInfluence = { ...recipe, columnCount: featureCount + baseCount };
  const registered = padColumns(
    registeredFeatures(paid, featureCount, ofInfluence, sources),
    recipe.columnCount,
  );
  fillCitations(registered, { featureCount, baseCount }, index.rows);
  return registered;
}

/** A model in place with threads, and the rows as tokens. @param given with sizes that are not as usual */
export async function withRows<Result>(
  recipe: TextRecipe,
  setting: TrainingSetting,
  input: Pick<PlaceOptions, "adapter"> & Partial<PlaceOptions> & { readonly rows: readonly TextRow[] },
  work: (placed: PlacedText, team: RowTeam, tokens: readonly TokenRow[]) => Promise<Result>,
): Promise<Result> {
  const { adapter, rows } = input;
  // Attack: a rank and rows with which all gradients have no room, so that nobody could compare any. Of a model that is tuned
  // they come some at a time.
  const placed = await loadText(recipe, setting, {
    maxRows: recipe.rowTokens,
    adapterBlocks: adapter === null ? blocksFor(recipe) : 0,
    rowCount: adapter === null ? rows.length : Math.min(rows.length, ROWS_AT_ONCE),
    ...input,
    threadCount: setting.threadCount,
  });
  const plain = rows.map((row, index) => atRow(index, () => tokensOfRow(placed.tokens, row, recipe)));
  const tokens = recipe.tuning.weigh === undefined ? plain : weighedByTokens(plain);
  const team = new RowTeam(placed.loaded);
  try {
    return await work(placed, team, tokens);
  } finally {
    await team.close();
  }
}

/** The rows that the seed holds out, ascending. */
export function heldOutRows(rowCount: number, { heldOut = 0, seed }: Pick<TextRecipe, "heldOut" | "seed">) {
  const drawn = new SeededRandom(`${seed} held out`).permutation(rowCount).subarray(0, heldOut);
  return [...drawn].sort((a, b) => a - b);
}

export function splitRows(rowCount: number, recipe: TextRecipe) {
  const heldOut = heldOutRows(rowCount, recipe);
  const isHeldOut = new Set(heldOut);
  return { trained: Array.from({ length: rowCount }, (_, i) => i).filter((i) => !isHeldOut.has(i)), heldOut };
}

const stepsOf = ({ seed, tuning }: TextRecipe): TuningRecipe => ({ ...tuning, seed });

/** Steps that the rows' influence takes as long as, after those of the tuning. */
export const stepsAfter = ({ method, tuning }: TextRecipe, rowCount: number): number =>
  influenceSteps({ ...tuning, isTangent: method.kind === "tangent" }, rowCount);

/** Blocks beside the adapter, for the middle run too. */
export const blocksFor = (recipe: TextRecipe): number =>
  tuningBlocks(recipe.method.kind === "tangent" ? middleRun(stepsOf(recipe)) : stepsOf(recipe));

export async function tune(
  run: TuningRun,
  recipe: TextRecipe,
  watch: TuningWatch | undefined,
  { onProgress, stateFolder }: TrainOptions,
) {
  const { loaded } = run.placed;
  const { lastStep: expected, steps } = recipe.tuning;
  const tokensOf = (offsets: readonly number[]) => offsets.map((i) => run.tokens[i]!);
  await watch?.begin(run);
  const [rows, heldOut] = [tokensOf(run.trained), tokensOf(run.heldOut)];
  // A recipe that names its last step has been through this.
  const seeks = expected === undefined && heldOut.length > 0;
  const lastStep = await tuneAdapter(loaded, run.team, rows, stepsOf(recipe), {
    ...(stateFolder === undefined ? {} : { folder: stateFolder }),
    heldOut: seeks ? heldOut : [],
    onStep: ({ step }) => onProgress?.({ stage: "train", done: step, total: steps }),
    afterStep: async (step) =>
      watch?.afterStep(run, { ...step, rows: step.rows.map((i) => run.trained[i]!) }),
    beforeState: async () => watch?.beforeState?.(),
    afterState: async (step) => watch?.afterState?.(step),
  });
  const { adapter, kernels, shape } = loaded.model;
  const { at: from, layout } = adapter!;
  if (recipe.adapter.numbers === "halves")
    roundToHalves(kernels.arena.subarray(from, from + layout.floatCount), "the adapter");
  const files = new Map(encodeAdapter(shape, layout, kernels.arena, from, recipe.base.name));
  return {
    // In the form that a reader has it: the statics hash its JSON.
    recipe:
      lastStep === steps ? recipe : parseTextRecipe({ ...recipe, tuning: { ...recipe.tuning, lastStep } }),
    adapter: files.get("adapter_model.safetensors")!,
  };
}

/**
 * Tangents of the middle run, whose adapter is in place afterwards. @param recipe with the last step, if it stopped
 * early
 */
async function tuneMiddle(run: TuningRun, tangents: Tangents, recipe: TextRecipe, options: Progressing) {
  const { placed, team, tokens, trained } = run;
  startTangents(placed.loaded.model.kernels, tangents, trained);
  const steps = middleRun(stepsOf(recipe));
  const rows = trained.map((i) => tokens[i]!);
  const onStep = ({ step }: TuningProgress) =>
    options.onProgress?.({ stage: "features", done: step, total: steps.lastStep });
  await tuneAdapter(placed.loaded, team, rows, steps, { tangents, onStep });
}

/** Losses of each row's targets without the adapter, which is as it was afterwards. */
export async function baseLosses({
  placed: { loaded },
  team,
  tokens,
}: Pick<TuningRun, "placed" | "team" | "tokens">): Promise<number[][]> {
  const { adapter, kernels } = loaded.model;
  const own = kernels.arena.subarray(adapter!.at, adapter!.at + adapter!.layout.floatCount);
  const adapterFloats = own.slice();
  own.fill(0);
  const losses = await team.targetLosses(tokens);
  own.set(adapterFloats);
  return losses;
}

/** Bytes of the text that a row's wanted tokens spell. */
export function wantedBytes({ placed, texts, tokens }: TuningRun, i: number): number {
  const row = texts[i]!;
  const turn = turnOf(row);
  if (turn !== null) return Buffer.byteLength(turn.answer);
  // The first token of a text is given.
  const input = placed.tokens.decode(tokens[i]!.tokens.slice(0, 1));
  return Buffer.byteLength(wholeText(row)) - Buffer.byteLength(input);
}

function compareLosses(run: TuningRun, before: readonly (readonly number[])[], ofTuned: readonly number[]) {
  const { heldOut, tokens, trained } = run;
  const ofBase = before.map(meanOf);
  const change = (offsets: readonly number[]) => {
    const bytes = offsets.reduce((sum, i) => sum + wantedBytes(run, i), 0);
    const [before, after] = [ofBase, ofTuned].map((losses) =>
      rowsLoss(
        offsets.map((i) => tokens[i]!),
        offsets.map((i) => losses[i]!),
        bytes,
      ),
    ) as [RowsLoss, RowsLoss];
    return { rowCount: offsets.length, before, after };
  };
  return { trained: change(trained), heldOut: heldOut.length === 0 ? null : change(heldOut) };
}

/** Each row's gradient at the tuned adapter, into its place; 0 of rows held out. @returns each row's loss there */
async function computeGradients(
  placed: PlacedText,
  team: RowTeam,
  rows: readonly TokenRow[],
  heldOut: readonly number[],
  { onProgress }: Progressing,
): Promise<number[]> {
  const { options, places } = placed;
  const { gradientCount } = options;
  const tasks = rows.map((row, i): RowTask => {
    const block = { at: places.gradients + i * gradientCount, floatCount: gradientCount };
    return { row, block, into: { parameters: NONE, adapter: block.at } };
  });
  const losses: number[] = [];
  for (let from = 0; from < tasks.length; from += ROWS_AT_ONCE) {
    onProgress?.({ stage: "features", done: from, total: tasks.length });
    losses.push(...(await team.run(tasks.slice(from, from + ROWS_AT_ONCE))));
  }
  const { arena } = placed.loaded.model.kernels;
  for (const i of heldOut) arena.fill(0, tasks[i]!.block.at, tasks[i]!.block.at + gradientCount);
  onProgress?.({ stage: "features", done: tasks.length, total: tasks.length });
  return losses;
}

/** The map, as it is published, and the rows' features: of gradients by exactly that map. @param latest of tangents */
function mapRows(placed: PlacedText, latest?: Place) {
  const { loaded, options, places } = placed;
  const { kernels } = loaded.model;
  const { arena } = kernels;
  if (latest !== undefined) {
    const features = mapTangents(kernels, places, options, latest);
    const { at } = loaded.model.adapter!;
    return { queryMap: encodeQueryMap(kernels, places, options, latest, at), features };
  }
  const { gradientCount, rowCount } = options;
  const gradients = arena.slice(places.gradients, places.gradients + rowCount * gradientCount);
  mapTexts(kernels, places, options);
  const queryMap = encodeMap(arena, places.directions, options);
  decodeMap(queryMap, options, arena, places.directions);
  arena.set(gradients, places.gradients);
  return { queryMap, features: projectPlacedGradients(placed, places.gradients, rowCount) };
}

export function decodeAll(rows: readonly Pick<OwnedRow, "content">[]): TextRow[] {
  const texts = rows.map(({ content }, index) => decodeAt(content, index));
  refuseDuplicates(rows.map(({ content }) => content));
  return texts;
}

const decodeAt = (content: Uint8Array, index: number): TextRow => atRow(index, () => decodeTextRow(content));
