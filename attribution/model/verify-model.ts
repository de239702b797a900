/**
 * Recomputes a published model from its recipe and rows, and compares every number with what is published and
 * registered. `openledger verify model`, the watcher and `openledger models ask` call it before they trust a model.
 */
import { presentPayees } from "@openledger/circuits/ledger/payee-shards";
import type { ColumnCommitments } from "@openledger/circuits/settlement/feature-commitment";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { rowNumber } from "@openledger/foundation/row-number";
import { attributionError } from "../attribution-errors.ts";
import type { BaseRule } from "../features/base-column.ts";
import { type RegisteredMatrix, rowWidth } from "../features/direct-rows.ts";
import type { OnProgress } from "../progress.ts";
import { policyOf, rewardsOfCard } from "./base-policy.ts";
import { directTraining } from "./direct/direct-training.ts";
import { type FamilyTraining, type ModelParts, trainingOf } from "./model-family.ts";
import { FIGURE_FILE, figureDifference, figureWords, type ModelFigure } from "./model-figure.ts";
import type { PublishedModel } from "./model-files.ts";
import { MANIFEST } from "./model-manifest.ts";
import type { OwnedRow } from "./owned-rows.ts";
import { payeeTable, wholePayees } from "./payee-table.ts";
import { versionsOf } from "./recipe-fields.ts";
import { commitFeatures } from "./registration.ts";
import { checkRowsRoot } from "./rows-root.ts";

/** The ledger's facts about a model and the version that it is bound to. */
export interface LedgerFacts {
  readonly staticsHash: bigint;
  /** Rows' root of Datanet 0's version. */
  readonly rowsRoot: bigint;
  /** Rows' roots of further Datanets' versions; not given: the model has one. */
  readonly furtherRowsRoots?: readonly bigint[];
  /** The hash of the Datanet's card, at that version; not given: the recipe's base is not compared with a card. */
  readonly policy?: bigint;
}

export interface VerifyModelOptions {
  readonly model: PublishedModel;
  readonly facts: LedgerFacts;
  /** The version's rows, in its order, where the model is published without them. */
  readonly rows?: readonly OwnedRow[];
  /** The Datanet's card, where the model is published without it. */
  readonly card?: string;
  /**
   * Root of the labels that signed records accept, for each version in the recipe's order; not given: labels are
   * compared with the recipe's root alone.
   */
  readonly labelsRoots?: readonly bigint[];
  /**
   * "train": everything from the rows again. "features": the matrix from the published parameters, which takes seconds
   * where training takes minutes, but says nothing about where parameters come from. A family may need the whole run.
   */
  readonly depth: "train" | "features";
  readonly onProgress?: OnProgress;
  /**
   * The figure of unseen rows that the model's leaf has signed, which a whole training computes again; not given: the one beside the
   * model's files, if any.
   */
  readonly figure?: SignedNumbers;
  /** Trainings of the known families; default: of direct models. */
  readonly trainings?: readonly FamilyTraining[];
}

/** Facts of a figure that a model's leaf signs, as far as rows and recipe say them. */
export interface SignedNumbers {
  readonly figure: ModelFigure;
  /** Root of the rows of Datanet 0's version, in 0x-hex of 32 bytes. */
  readonly versionRoot: string;
}

export interface VerifiedModel {
  readonly rowCount: number;
  readonly payeeCount: number;
  /**
   * Part of the rows that the model labels as was accepted; null where it was not trained again, or reads no labels.
   */
  readonly accuracy: number | null;
  /** True if the labels, which the recipe names, were compared with signed records. */
  readonly areLabelsOfRecords: boolean;
  /**
   * True if the base, or its absence, was compared with the Datanet's card; for a model that cites, the part of
   * citations, too.
   */
  readonly isBaseOfCard: boolean;
  /**
   * False where the recipe counts other things of its rows than the rows give: its owner chose what counts, and so who is paid. null where
   * it was not compared: without a training, or for a family whose recipes choose none.
   */
  readonly areInputsOfRows: boolean | null;
  /** The figure of unseen rows, computed again to the same numbers; null where none is published, or nothing was trained. */
  readonly figure: ModelFigure | null;
}

/**
 * Checks that a model follows from its recipe and the rows that the ledger commits to, and that the ledger's
 * commitments are to this model. `model` has passed `decodeModel`. Needs `initPoseidon`.
 * @throws ATT_MODEL_MISMATCH naming the first difference in `data.what`, of the figure after all others; ATT_ROWS_MISMATCH,
 *   ATT_LABELS_MISMATCH, ATT_ROW_INVALID, ATT_RECIPE_INVALID
 */
export async function verifyModel(options: VerifyModelOptions): Promise<VerifiedModel> {
  const { model, facts, depth, onProgress, trainings = [directTraining] } = options;
  const progress = onProgress === undefined ? {} : { onProgress };
  const { recipe } = model;
  const rows = rowsOfVersion(model, facts, options.rows);
  const areLabelsOfRecords = compareLabels(model, options.labelsRoots);
  const isBaseOfCard = compareRewards(model, facts.policy, options.card ?? model.card);
  // Payees of several Datanets are in their places: two with the same payee are paid each.
  const positions = recipe.furtherDatanets === undefined ? wholePayees(model.payees) : model.payees;
  requireSame("payees", JSON.stringify(positions), JSON.stringify(payeeTable(rows)));
  let accuracy: number | null = null;
  const training = trainingOf(recipe, trainings);
  if (depth === "train" || training.needsRun?.(recipe) === true) {
    const trained = await training.train(rows, recipe, { ...progress, withHeldOut: false });
    const [published, computed] = [model.family.encode(model), trained.family.encode(trained)];
    requireSameNumbers("parameters", published.parameters, computed.parameters);
    requireSameNumbers("queryMap", published.queryMap, computed.queryMap);
    requireSameFeatures(model.features, trained.features);
    accuracy = trained.accuracy;
  } else {
    requireSameFeatures(model.features, await training.features(model, rows, progress));
  }
  const areInputsOfRows =
    depth === "train" ? ((await training.areInputsOfRows?.(rows, recipe)) ?? null) : null;
  const columns = commitFeatures(model, progress);
  const coordinates = (of: readonly ColumnCommitments[]) => of.flatMap(({ u, v }) => [...u, ...v]);
  requireSameNumbers("columns", coordinates(model.columns), coordinates(columns));
  const figure = depth === "train" ? (options.figure?.figure ?? model.figure) : null;
  if (figure !== null) {
    const ofRows = hex32(facts.rowsRoot);
    const { versionRoot = ofRows } = options.figure ?? {};
    if (versionRoot !== ofRows) throw mismatch("figure", { field: "versionRoot" }, versionRoot, ofRows);
    await requireSameFigure(figure, { rows, recipe, training }, progress);
  }
  return {
    rowCount: rows.length,
    payeeCount: presentPayees(model.payees).length,
    accuracy,
    areLabelsOfRecords,
    isBaseOfCard,
    areInputsOfRows,
    figure,
  };
}

interface FigureSource {
  readonly rows: readonly OwnedRow[];
  readonly recipe: ModelParts["recipe"];
  readonly training: FamilyTraining;
}

/** Computes the figure again, on as many folds. @throws ATT_MODEL_MISMATCH naming the first number that differs in `data.field` */
async function requireSameFigure(
  published: ModelFigure,
  { recipe, rows, training }: FigureSource,
  progress: { onProgress?: OnProgress },
): Promise<void> {
  const { foldCount } = published;
  const computed = (await training.figure?.(rows, recipe, { ...progress, foldCount })) ?? null;
  if (computed === null) throw mismatch("figure", {}, figureWords(published), "no figure");
  const difference = figureDifference(published, computed);
  if (difference === null) return;
  throw mismatch("figure", { field: difference.field }, difference.published, difference.computed);
}

/**
 * Requires the ledger's statics and rows' root. @param given where the model is published without its rows
 * @returns the version's rows. @throws ATT_MODEL_MISMATCH, ATT_ROWS_MISMATCH, ATT_LABELS_MISMATCH
 */
export function rowsOfVersion(
  { recipe, rows: published, staticsHash }: PublishedModel,
  facts: Pick<LedgerFacts, "staticsHash" | "rowsRoot" | "furtherRowsRoots">,
  input?: readonly OwnedRow[] | null,
): readonly OwnedRow[] {
  requireSame("statics", hex32(staticsHash), hex32(facts.staticsHash));
  const roots = [facts.rowsRoot, ...(facts.furtherRowsRoots ?? [])];
  const versions = versionsOf(recipe);
  requireSame("datanets", versions.length, roots.length);
  for (const [position, { rowsRoot }] of versions.entries())
    if (rowsRoot !== hex32(roots[position]!))
      throw mismatch(
        "rowsRoot",
        position === 0 ? {} : { datanet: position },
        rowsRoot,
        hex32(roots[position]!),
      );
  const rows = input ?? published;
  if (rows === null) {
    throw attributionError(
      "ATT_ROWS_MISMATCH",
      "the model is published without its rows: pass those of its version. With the command: openledger datanet download ID --host URL --rows FOLDER as a leaf that may read them, then --rows FOLDER",
    );
  }
  checkRowsRoot(rows, recipe);
  return rows;
}

/** Roots that a recipe itself names: for models that have been compared with the ledger, and of folders. */
export function ownRoots(recipe: ModelParts["recipe"]): Pick<LedgerFacts, "rowsRoot" | "furtherRowsRoots"> {
  const [rowsRoot, ...furtherRowsRoots] = versionsOf(recipe).map((version) => BigInt(version.rowsRoot));
  return { rowsRoot: rowsRoot!, furtherRowsRoots };
}

/** Requires that the labels that the recipe names are those of the records. */
function compareLabels({ recipe }: ModelParts, roots: readonly bigint[] | undefined): boolean {
  const versions = versionsOf(recipe);
  if (roots === undefined || versions.every(({ labels }) => labels === undefined)) return false;
  for (const [position, { labels = "none" }] of versions.entries())
    if (labels !== hex32(roots[position]!))
      throw mismatch("labels", position === 0 ? {} : { datanet: position }, labels, hex32(roots[position]!));
  return true;
}

/**
 * Requires that the recipe's rules are the card's, and that the card is the Datanet's. Without a card a base is refused,
 * since nobody could tell whose it is. A model without a base is compared with the card only if there is one. Of a model
 * that cites the card's part of citations is compared, too, where it has one.
 */
function compareRewards(
  { recipe: { retrieval, rules } }: ModelParts,
  policy: bigint | undefined,
  card: string | null,
): boolean {
  if (policy === undefined) return false;
  const published = spellBase(rules.base);
  if (card === null) {
    if (rules.base === undefined) return false;
    throw mismatch("card", {}, published, "a base that a card of the Datanet sets: pass it");
  }
  requireSame("card", hex32(policyOf(card)), hex32(policy));
  const { base, citationPermille, nearDuplicatesShare, normQuantile } = rewardsOfCard(card);
  requireSame("normQuantile", rules.normQuantile, normQuantile ?? rules.normQuantile);
  requireSame("base", published, spellBase(base));
  const shares = String(rules.nearDuplicatesShare);
  requireSame("nearDuplicates", shares, String(nearDuplicatesShare ?? shares));
  if (retrieval !== undefined)
    requireSame("retrieval", retrieval.citationPermille, citationPermille ?? retrieval.citationPermille);
  return true;
}

function spellBase(base: BaseRule | null | undefined): string {
  return base == null ? "no base" : `${base.flatPermille} thousandths`;
}

function requireSameFeatures(published: RegisteredMatrix, computed: RegisteredMatrix): void {
  const at = published.values.findIndex((value, k) => value !== computed.values[k]);
  if (at >= 0) {
    const width = rowWidth(published);
    throw mismatch(
      "features",
      { row: Math.floor(at / width), column: at % width },
      published.values[at]!,
      computed.values[at]!,
    );
  }
  requireSame("featureScale", published.scale, computed.scale);
}

function requireSameNumbers(
  what: string,
  published: ArrayLike<number | bigint>,
  computed: ArrayLike<number | bigint>,
): void {
  if (published.length !== computed.length) {
    throw mismatch(what, { index: "length" }, published.length, computed.length);
  }
  for (let index = 0; index < published.length; index++) {
    if (!Object.is(published[index], computed[index])) {
      throw mismatch(what, { index }, published[index]!, computed[index]!);
    }
  }
}

function requireSame(what: string, published: string | number, computed: string | number): void {
  if (published !== computed) throw mismatch(what, {}, published, computed);
}

/** Files of a published model by what `ATT_MODEL_MISMATCH` names in `data.what`. */
const FILE_OF: Readonly<Record<string, string>> = {
  parameters: "parameters.bin",
  queryMap: "query-map.bin",
  features: "features.bin",
  featureScale: MANIFEST,
  columns: "columns.bin",
  payees: "payees.json",
  datanets: "recipe.json",
  rowsRoot: "recipe.json",
  labels: "recipe.json",
  base: "recipe.json",
  nearDuplicates: "recipe.json",
  normQuantile: "recipe.json",
  retrieval: "recipe.json",
  card: "card.json",
  figure: FIGURE_FILE,
};

/**
 * The file of a model, and the position in it, in which a recomputation differs.
 * @returns null where the error says something else: also where the server has another model than the ledger
 */
export function modelDifference(error: unknown): { file: string; row: number | null } | null {
  if (!isRollupError(error, "ATT_MODEL_MISMATCH")) return null;
  const { index, row, what } = error.data as { what?: unknown; row?: unknown; index?: unknown };
  const file = FILE_OF[String(what)];
  if (file === undefined) return null;
  const position = row ?? index;
  return { file, row: typeof position === "number" ? position : null };
}

type Value = string | number | bigint;

function mismatch(what: string, position: object, published: Value, computed: Value) {
  const where = Object.entries(position)
    .map(([name, value]) => `, ${name} ${name === "row" ? rowNumber(value) : value}`)
    .join("");
  return attributionError(
    "ATT_MODEL_MISMATCH",
    `${what}${where}: ${String(published).slice(0, 100)} is published, ${String(computed).slice(0, 100)} is right`,
    { data: { what, ...position, published: String(published), computed: String(computed) } },
  );
}
