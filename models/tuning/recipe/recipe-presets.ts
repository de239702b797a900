/**
 * Presets of recipes: settings for labelled rows of any kind, and for passages, that fit rows and columns. `openledger models train
 * --recipe NAME`, the factory's form and the devnet complete them to whole recipes.
 */
import { attributionError } from "@openledger/attribution/attribution-errors";
import { baseBuckets } from "@openledger/attribution/features/direct-base";
import {
  inputFieldsOf,
  isIgnored,
  type ModelInputs,
  type VectorsFile,
} from "@openledger/attribution/inputs/model-inputs";
import type { ReadVectors } from "@openledger/attribution/inputs/open-inputs";
import { rewardsOfCard } from "@openledger/attribution/model/base-policy";
import type { DirectRecipe } from "@openledger/attribution/model/direct/direct-recipe";
import { fittedInputs } from "@openledger/attribution/model/direct/fitted-inputs";
import { rootWeights } from "@openledger/attribution/model/direct/label-weights";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import type { OnProgress } from "@openledger/attribution/progress";
import { numberingFields } from "@openledger/attribution/rows/numbering-fields";
import { inputOf } from "@openledger/attribution/rows/row-content";
import { FIELD_TYPES, ROW_KINDS } from "@openledger/attribution/rows/row-kinds";
import { COMPARISON_VERSION, clipQuantileOf, ROW_RULES } from "@openledger/attribution/rows/row-rules";
import { decodeTableRow, type FieldValue, type TableField } from "@openledger/attribution/rows/table-rows";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { z } from "zod";
import {
  type AdapterSettings,
  adapterLayout,
  usualTargets,
} from "../../engine/architecture/adapter-layout.ts";
import { type ModelShape, usualWeights } from "../../engine/architecture/model-shape.ts";
import type { FileSource } from "../../engine/files/byte-source.ts";
import { openModel } from "../../engine/files/load-model.ts";
import { turnEndOf } from "../../engine/tokens/chat-text.ts";
import { readBeginTokens, readChatTemplate, readEndTokens } from "../../engine/tokens/text-marks.ts";
import { openTokenizer } from "../../engine/tokens/tokenizer.ts";
import { heldOutCount } from "../training/row-losses.ts";
import { hasTangentRoom } from "../training/tangents.ts";
import { usualRecipe } from "../training/tune-adapter.ts";
import { describeBase, type RecipeBaseModel } from "./base-files.ts";
import { usualComponents } from "./query-map.ts";
import type { TextRecipe } from "./text-recipe.ts";

/** Preset of classifiers: `openledger models train --recipe labels` writes it out in full. */
export const LABELS = "labels";
/** Recipes of classifiers that can be named instead of a file. */
export const PRESET_NAMES = [LABELS] as const;
export type PresetName = (typeof PRESET_NAMES)[number];
/** Names that presets of classifiers had while there was one a kind of rows. */
const EARLIER_NAMES: readonly string[] = ["labelled-texts", "labelled-images"];

/** Preset in place of one of an earlier release; null for any other name. */
export const presetInstead = (name: string): PresetName | null =>
  EARLIER_NAMES.includes(name) ? LABELS : null;

/**
 * Fewer rows need a smoother model: each weighs more, and a sharp fit to it would make its neighbours worthless. These are for two labels:
 * among more a label has a smaller part of the texts, and is told from the others by smaller sums. Passages of fifteen genres are labelled
 * right two points more often by a third of it.
 */
const PENALTIES = [
  { rowsBelow: 50, penalty: 0.01 },
  { rowsBelow: 200, penalty: 0.003 },
  { rowsBelow: Number.POSITIVE_INFINITY, penalty: 0.001 },
] as const;
/**
 * Hundreds of dense inputs are learned from no fewer numbers than this penalty leaves, except of thousands of pictures: 5,000 digits are
 * labelled right two points more often by a third of it.
 */
const MIN_IMAGE_PENALTY = 0.003;
const MANY_PICTURES = 2_000;

/** Sizes that a classifier's settings are fitted to. */
interface ClassifierSizes {
  readonly inputs: DirectRecipe["inputs"];
  /** Labels, in the card's order. */
  readonly classes: readonly string[];
  readonly rowCount: number;
  /** Rows of each label, in the labels' order. Absent: as if each had as many. */
  readonly labelCounts?: readonly number[];
}

/** λ of a classifier, as a penalty on its parameters and as the damping of its influence. */
function decayOf(inputs: ModelInputs, { classes, rowCount }: Omit<ClassifierSizes, "inputs">): number {
  const { penalty } = PENALTIES.find(({ rowsBelow }) => rowCount < rowsBelow)!;
  return {
    text: penalty * Math.sqrt(2 / classes.length),
    image: rowCount < MANY_PICTURES ? Math.max(penalty, MIN_IMAGE_PENALTY) : penalty,
    table: penalty,
  }[inputs.kind];
}

/** Settings of a classifier of known inputs. The same sizes give the same recipe. Its base is the card's. */
export function classifierRecipe({
  classes,
  inputs,
  labelCounts,
  rowCount,
}: ClassifierSizes): Omit<DirectRecipe, "datanet"> {
  const decay = decayOf(inputs, { classes, rowCount });
  const labelWeights = labelCounts === undefined ? undefined : rootWeights(labelCounts);
  return {
    version: 2,
    family: "direct",
    inputs,
    classes: [...classes],
    seed: LABELS,
    model: {
      kind: "logistic",
      decay,
      tolerance: 1e-6,
      ...(labelWeights === undefined ? {} : { labelWeights }),
      ...(inputs.kind === "text" && { rowWeights: "terms" as const }),
    },
    method: { kind: "direct", damping: decay },
    // Near-duplicates are left out of the version (`openledger datanet check`), which gives the first one its full reward.
    rules: { normQuantile: clipQuantileOf(inputs.kind, classes.length), nearDuplicatesShare: false },
    columnCount: inputs.bucketCount + 1,
  };
}

/** Labelled version that a classifier is fitted to. */
export interface LabelledVersion {
  /** Rows in the version's order. */
  readonly rows: readonly Pick<OwnedRow, "content" | "label">[];
  /** Buckets of the settlement circuit. */
  readonly bucketCount: number;
  /** Text of the Datanet's card: kind, fields and labels of its rows, and their base. null: as the rows look, no base. */
  readonly card: string | null;
  /** Names of a table's fields that count. Absent: all but the labels' and those that number the rows. */
  readonly countedFields?: readonly string[] | undefined;
  /** Word vectors that texts may be counted by, and the reader of their files. Absent: none. */
  readonly vectors?: readonly VectorsFile[] | undefined;
  readonly readVectors?: ReadVectors | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * The preset of classifiers: inputs as the card and the rows need them, in the buckets of a settlement circuit, chosen among the ways of
 * the rows' kind by inner folds, and weights of labels where they are unequal. The same card and rows give the same recipe.
 * @throws ATT_RECIPE_INVALID where rows of the card's kind have no classifier, and for counted fields that the card has not or that have
 *   the labels
 */
export async function labelsPreset({
  bucketCount,
  card,
  countedFields,
  onProgress,
  readVectors,
  rows,
  vectors,
}: LabelledVersion): Promise<Omit<DirectRecipe, "datanet">> {
  const said = card === null ? null : shapeOfCard(card);
  const kind = said?.kind ?? kindOfRows(rows);
  if (kind === "passage")
    throw attributionError("ATT_RECIPE_INVALID", "passages are for models that write: name the preset texts");
  const fields = said?.fields ?? [];
  const classes = said === null || said.labels.length === 0 ? labelsIn(rows) : said.labels;
  const leftOut = leftOutFields(fields, rows, countedFields);
  const hasBase = rewardsOfCard(card ?? "").base !== null;
  const rowCount = rows.length;
  const inputs = await fittedInputs(
    { kind, fields, labelCount: classes.length, leftOut },
    rows,
    { bucketCount, baseBuckets: hasBase ? baseBuckets(classes.length) : 0 },
    {
      ...{ classes, onProgress, readVectors, vectors },
      decayOf: (one) => decayOf(one, { classes, rowCount }),
    },
  );
  const labelCounts = classes.map((name) => rows.filter(({ label }) => label === name).length);
  return classifierRecipe({ inputs, classes, labelCounts, rowCount });
}

const cardShape = z.object({
  row: z.object({
    kind: z.enum(ROW_KINDS),
    fields: z.array(z.object({ name: z.string(), type: z.enum(FIELD_TYPES) })),
  }),
  labels: z.array(z.object({ name: z.string() })),
});

/** Reads kind, fields and labels from a card. @throws ATT_RECIPE_INVALID for a text that is no card */
function shapeOfCard(card: string) {
  let json: unknown = null;
  try {
    json = JSON.parse(card);
  } catch {
    // Refused below, as any other text that is no card.
  }
  const parsed = cardShape.safeParse(json);
  if (!parsed.success)
    throw attributionError("ATT_RECIPE_INVALID", "the card does not say what its rows and labels are", {
      cause: parsed.error,
    });
  const { labels, row } = parsed.data;
  return { ...row, labels: labels.map(({ name }) => name) };
}

/** Without a card rows are texts, or pictures where the first is none. */
function kindOfRows(rows: LabelledVersion["rows"]): "image" | "text" {
  try {
    inputOf("text", rows[0]?.content ?? new Uint8Array());
    return "text";
  } catch (error) {
    if (isRollupError(error, "ATT_ROW_INVALID")) return "image";
    throw error;
  }
}

/** Labels of rows, sorted: without a card nobody says another order. */
const labelsIn = (rows: LabelledVersion["rows"]): string[] =>
  [...new Set(rows.flatMap(({ label }) => (label == null ? [] : [label])))].sort();

/**
 * Fields of a table that are no input: the one that has each row's label, which is the answer, and those that number the rows, or all
 * that are not chosen. Where every other field numbers the rows, they count.
 * @throws ATT_RECIPE_INVALID for a chosen field that the table has not, or that has the labels
 */
function leftOutFields(
  fields: readonly TableField[],
  rows: LabelledVersion["rows"],
  chosen: readonly string[] | undefined,
): string[] {
  const table = rows.map(({ content }) => (fields.length === 0 ? [] : decodeTableRow(fields, content)));
  const labelled = rows.length === 0 ? null : (fields.find((_, at) => hasLabels(at, table, rows)) ?? null);
  const names = fields.map(({ name }) => name);
  if (chosen !== undefined) {
    for (const name of chosen)
      if (!names.includes(name) || name === labelled?.name) throw notCountable(name, names, labelled);
    if (chosen.length === 0) throw notCountable(null, names, labelled);
    return names.filter((name) => !chosen.includes(name));
  }
  const numbering = numberingFields(fields, table);
  const others = names.filter((name, at) => name !== labelled?.name && !numbering[at]);
  return names.filter((name) => name === labelled?.name || (others.length > 0 && !others.includes(name)));
}

/** Fields of a model's table with their part in it; none for a model of another kind. @param rows that it is trained on */
export function fieldParts(
  recipe: object,
  rows: LabelledVersion["rows"],
): { name: string; part: "counts" | "labels" | "left-out" }[] {
  const fields = inputFieldsOf(recipe) ?? [];
  const table = fields.length === 0 ? [] : rows.map(({ content }) => decodeTableRow(fields, content));
  return fields.map((field, at) => {
    const part = !isIgnored(field) ? "counts" : hasLabels(at, table, rows) ? "labels" : "left-out";
    return { name: field.name, part };
  });
}

/** True for the field of a table that has each row's label. */
const hasLabels = (
  field: number,
  table: readonly (readonly FieldValue[])[],
  rows: LabelledVersion["rows"],
): boolean => rows.every(({ label }, row) => label != null && String(table[row]![field]) === label);

function notCountable(name: string | null, names: readonly string[], labelled: TableField | null) {
  const others = names.filter((one) => one !== labelled?.name);
  const known = others.length === 0 ? "these rows have no fields" : `there are ${others.join(", ")}`;
  const message =
    name === null
      ? `no field counts: choose one or more; ${known}`
      : name === labelled?.name
        ? `field ${JSON.stringify(name)} has the labels, and cannot count; ${known}`
        : `no field is called ${JSON.stringify(name)}; ${known}`;
  return attributionError("ATT_RECIPE_INVALID", message, {
    data: { issues: [{ path: "inputs.fields", message }] },
  });
}

/** The datanet's published version, as a recipe names it. */
export interface RecipeDatanet {
  readonly id: number;
  readonly version: number;
  readonly rowsRoot: bigint;
  /** Root of the rows' accepted labels, of models that read them. */
  readonly labelsRoot?: bigint;
}

/**
 * A preset or the JSON of a recipe file, completed by what the ledger says of the datanet. A file may leave `datanet` and
 * `columnCount` out; what it does say stays, and is checked against the rows when they are trained on.
 * @param card the Datanet's, whose rules the recipe repeats; null leaves those of the draft
 * @param further of a model of several Datanets, in their places
 */
export function completeRecipe(
  input: { readonly inputs?: unknown; readonly retrieval?: unknown; readonly rules?: unknown },
  datanet: RecipeDatanet,
  columnCount: number,
  card: string | null = null,
  further: readonly RecipeDatanet[] = [],
): unknown {
  const named = ({ id, labelsRoot, rowsRoot, version }: RecipeDatanet) => ({
    id,
    version,
    rowsRoot: hex32(rowsRoot),
    ...(labelsRoot === undefined ? {} : { labels: hex32(labelsRoot) }),
  });
  const others = further.length === 0 ? {} : { furtherDatanets: further.map(named) };
  const ofCard = card === null ? {} : rulesOfCard(input, card);
  return { datanet: named(datanet), ...others, columnCount, ...input, ...ofCard };
}

/** Rules of a recipe that the card sets; the others stay. */
function rulesOfCard(
  { inputs, retrieval, rules }: { inputs?: unknown; retrieval?: unknown; rules?: unknown },
  card: string,
): object {
  const { base, citationPermille, nearDuplicatesShare, normQuantile } = rewardsOfCard(card);
  return {
    rules: {
      ...(rules as object),
      ...(normQuantile !== null && { normQuantile }),
      ...(nearDuplicatesShare !== null && { nearDuplicatesShare }),
      ...(nearDuplicatesShare === true && { comparison: COMPARISON_VERSION }),
      ...(base !== null && { base }),
      // Of a language model the base goes by tokens.
      ...(base !== null &&
        (inputs as { kind?: unknown } | undefined)?.kind === "text" && { baseBy: "terms" }),
    },
    ...(retrieval !== undefined && {
      retrieval: { ...(retrieval as object), ...(citationPermille !== null && { citationPermille }) },
    }),
  };
}

/** Columns for one pair of the threshold: enough for all but the longest questions (docs/explanation/language-models.md). */
const COLUMNS_PER_PAIR = 64;

/**
 * Retrieval settings of a preset: two rows a question, which take half of the prompt.
 * @param citationPermille of payments, if no card has its own
 */
export const retrievalOf = (
  columnCount: number,
  promptTokens: number,
  citationPermille = 500,
): TextRecipe["retrieval"] => ({
  bucketBits: 14,
  quantile: 0.99,
  thresholdColumns: 2 * Math.max(1, Math.floor(columnCount / COLUMNS_PER_PAIR)),
  rows: 2,
  excerptTokens: Math.floor(promptTokens / 4),
  citationPermille,
});

/**
 * Retrieval settings of a preset that says rows' answers: one row, of which the model reads nothing. It matches better than four fifths
 * of rows' questions match another row: a wrong answer is paid, and a refusal shows the nearest questions for nothing.
 * @param citationPermille of payments, if no card has its own
 */
export const sayingRetrieval = (columnCount: number, citationPermille = 500): TextRecipe["retrieval"] => ({
  ...retrievalOf(columnCount, 0, citationPermille)!,
  quantile: 0.8,
  rows: 1,
  excerptTokens: 8,
  says: "row",
});

/** Shorter runs, as " the United States", recur in good sentences. */
const NO_REPEAT = 4;

/**
 * Reads how rows, chats and answers begin and end, if a base has tokens and a template for that. Adds the rule against
 * answers that go round in circles, and the rule of what is paid for.
 * @param base as the recipe names it: a template in a file that it does not name is left out
 * @param date that the template writes, as YYYY-MM-DD; default: today's
 */
export async function textEnds(
  source: FileSource,
  base: RecipeBaseModel,
  vocabularySize: number,
  date = new Date().toISOString().slice(0, 10),
) {
  const [beginTokens, ends, published] = await Promise.all([
    readBeginTokens(source),
    readEndTokens(source),
    readChatTemplate(source),
  ]);
  const isNamed = published !== null && Object.hasOwn(base.files, published.file);
  const tokens = isNamed ? await openTokenizer(source, vocabularySize) : null;
  const template = tokens?.chat() ?? null;
  const question = template?.questionMarks ?? null;
  const chat = template && {
    template: template.sha256,
    ...(template.hasDate ? { date } : {}),
    ...(question === null ? {} : { question }),
  };
  // A turn's own end comes first: rows are trained on with it.
  const turnEnd = tokens === null ? [] : turnEndOf(tokens);
  const [endToken = null, ...further] = new Set([...turnEnd, ...ends]);
  return {
    ends: {
      ...(beginTokens.length === 0 ? {} : { beginTokens }),
      ...(endToken === null ? {} : { rowsEnd: true as const }),
      ...(chat === null ? {} : { chat }),
    },
    answers: {
      endToken,
      ...(further.length === 0 ? {} : { furtherEndTokens: further }),
      noRepeat: NO_REPEAT,
      weigh: "added" as const,
    },
  };
}

/** Tokens of a row, where the base has room for as many: tuning's memory grows with their square. */
const MAX_ROW_TOKENS = 512;
/** Times that a tuning goes through all rows. */
const ROUNDS = 6;
/** Features of a model of texts, where the circuit has columns for as many. */
const MAX_FEATURES = 256;
/** Half of all rows have some score above 0 by chance: so much of a typical one is not paid. */
const THRESHOLD_PERMILLE = 500;
/** Rules of the presets of texts, whether they cite or not. */
export const textRules = () => ({
  normQuantile: ROW_RULES.normQuantile,
  nearDuplicatesShare: false,
  surprisal: "tokens" as const,
  thresholdPermille: THRESHOLD_PERMILLE,
});
/** Steps for each of rows so few that none is held out, and their maximum: they are known by heart then, 15 after 700 steps. */
const STEPS_OF_FEW_ROW = 70;
const MAX_STEPS_OF_FEW = 1_000;
/** Times that few questions are gone through, as 40 are: their answers are said from the rows, so nothing has to be known by heart. */
const ROUNDS_OF_FEW_QUESTIONS = 25;
/** Minimum of steps times rows. Without it more rows, up to 73, would take fewer steps by their rounds. */
const MIN_STEPS_TIMES_ROWS = 4_000;
/** Rows whose gradients make a step. */
const ROWS_PER_STEP = 8;
/** The rate falls to a tenth: scores are taken at the adapter that answers, and a quiet one is better to ask. */
const LAST_PART = 0.1;

/**
 * The preset "texts": an adapter of rank 8 on queries and values of the base, six rounds through the rows but a few that
 * are held out. Answers are the likeliest tokens, end by the base's end token and do not go round in circles. Scores are of
 * `methodFor`. A base of int8, by its size, is named so.
 * @param baseName for people, nothing depends on it. @param sizes `isCiting`: answers are
 *   written from rows that are found, and cite them; half of the columns and of the prompt are for that
 * @throws MOD_…, if the base cannot be read
 */
export async function textPreset(
  source: FileSource,
  baseName: string,
  sizes: MethodSizes,
): Promise<Omit<TextRecipe, "datanet" | "columnCount">> {
  const { columnCount, isCiting = false, isSaying = false } = sizes;
  const opened = await openModel(source);
  const { layout, shape } = opened;
  await opened.close();
  const maxTokens = Math.min(shape.maxPositions, MAX_ROW_TOKENS);
  const answerTokens = Math.floor(maxTokens / 8);
  const promptTokens = maxTokens - answerTokens;
  const { seed: _, ...usual } = usualRecipe;
  const heldOut = heldOutCount(sizes.rowCount);
  const base = await describeBase(source, baseName);
  const { answers, ends } = await textEnds(source, base, shape.vocabularySize);
  const adapter = { rank: 8, alpha: 16, targets: usualTargets(shape) };
  const trained = sizes.rowCount - heldOut;
  const steps = presetSteps({ trained, isFew: heldOut === 0, isSaying });
  return {
    version: 2,
    family: "text",
    base,
    ...(usualWeights(layout) === "int8" ? { weights: "int8" as const } : {}),
    seed: "texts",
    rowTokens: maxTokens,
    ...ends,
    adapter,
    tuning: {
      // A higher rate fits unseen rows better, and pays rows that echo the base more.
      ...usual,
      steps,
      rowsPerStep: ROWS_PER_STEP,
      warmupSteps: Math.min(10, Math.ceil(steps / 10)),
      lastPart: LAST_PART,
      weigh: "tokens",
    },
    ...(heldOut === 0 ? {} : { heldOut }),
    method: methodFor(shape, adapter, sizes),
    answers: { promptTokens, answerTokens, temperature: 0, ...answers },
    ...(isCiting
      ? { retrieval: isSaying ? sayingRetrieval(columnCount) : retrievalOf(columnCount, promptTokens) }
      : {}),
    rules: textRules(),
  };
}

function presetSteps({ trained, isFew, isSaying }: { trained: number; isFew: boolean; isSaying: boolean }) {
  const stepsOf = (rounds: number) => Math.ceil((rounds * trained) / ROWS_PER_STEP);
  if (isFew)
    return isSaying
      ? stepsOf(ROUNDS_OF_FEW_QUESTIONS)
      : Math.min(MAX_STEPS_OF_FEW, STEPS_OF_FEW_ROW * trained);
  return Math.max(Math.ceil(MIN_STEPS_TIMES_ROWS / trained), stepsOf(ROUNDS));
}

interface MethodSizes {
  readonly rowCount: number;
  readonly columnCount: number;
  readonly isCiting?: boolean;
  /** Beside `isCiting`: the answer is that of the row that is cited. */
  readonly isSaying?: boolean;
}

type ColumnSizes = Pick<MethodSizes, "columnCount" | "isCiting">;

/** Features that the columns have room for. */
function featureCountFor({ columnCount, isCiting = false }: ColumnSizes): number {
  const max = Math.min(MAX_FEATURES, isCiting ? columnCount / 2 : columnCount);
  // A power of two is one rotation, as citations balance it; others leave columns for a threshold.
  return isCiting ? 2 ** Math.floor(Math.log2(max)) : 16 * Math.max(1, Math.floor((max - 1) / 16));
}

/** The method of more rows than tangents have room for. */
const ekFacFor = (sizes: ColumnSizes) =>
  ({ kind: "ek-fac", power: 0.5, damping: 0, featureCount: featureCountFor(sizes) }) as const;

/**
 * Tangents of the run, or EK-FAC where these have no room; as many features as the columns have room for. The map is folded.
 * @throws what an adapter is refused for
 */
export function methodFor(
  shape: ModelShape,
  adapter: AdapterSettings,
  sizes: MethodSizes,
): TextRecipe["method"] {
  const layout = adapterLayout(shape, adapter);
  const { floatCount } = layout;
  if (!hasTangentRoom({ rowCount: sizes.rowCount, floatCount })) return ekFacFor(sizes);
  const featureCount = featureCountFor(sizes);
  return { kind: "tangent", fisher: 9, featureCount, components: usualComponents(layout, featureCount) };
}
