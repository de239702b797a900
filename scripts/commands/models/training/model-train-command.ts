/**
 * `openledger models train`: trains a model on published versions of one to six Datanets by a recipe or a preset, and writes the
 * files that `models register` and `models serve` take. Parts are typed in percent.
 */
import { rm } from "node:fs/promises";
import type { FamilyTraining } from "@openledger/attribution/model/model-family";
import { joinVersions, type OwnedRow } from "@openledger/attribution/model/owned-rows";
import { payeeTable } from "@openledger/attribution/model/payee-table";
import {
  circuitColumns,
  DIRECT,
  hashRecipe,
  MODEL_USES,
  type ModelUse,
  parseTerms,
} from "@openledger/attribution/model/recipe-fields";
import { type ModelSize, payeesFor } from "@openledger/attribution/model/registration";
import type { OnProgress } from "@openledger/attribution/progress";
import { payeeShards, presentPayees } from "@openledger/circuits/ledger/payee-shards";
import { type Payee, payeeRoot } from "@openledger/circuits/ledger/rewards";
import { settlingCircuits } from "@openledger/circuits/registry/circuit-sizes";
import { fewDraws, MIN_DRAWS } from "@openledger/circuits/settlement/settlement-split";
import { openRowStore, type RowStore } from "@openledger/client/actions/data/row-store";
import { cardOfVersion } from "@openledger/client/datanets/datanet-card";
import { downloadLabels } from "@openledger/client/datanets/reviewed-version";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { type NamedCard, nameCard } from "@openledger/datanets/card/card";
import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import { OWN_BASE } from "@openledger/models/tuning/base/base-address";
import { modelTrainings } from "@openledger/models/tuning/recipe/model-families";
import {
  ALL_PRESETS,
  type AnyPreset,
  type ModelPlan,
  type ModelTermsQuery,
  makeModel,
  planModel,
  presetDraft,
  settles,
  usualPreset,
} from "@openledger/models/tuning/recipe/plan-model";
import {
  PRESET_NAMES,
  presetInstead,
  type RecipeDatanet,
} from "@openledger/models/tuning/recipe/recipe-presets";
import { verifierError } from "@openledger/verifier/verifier-errors";
import { commandError } from "../../../cli/cli-errors.ts";
import { CARD_OPTION, OUT_FOLDER_OPTION, STORE_OPTION } from "../../../cli/common-options.ts";
import type { GlobalOptions } from "../../../cli/context.ts";
import { required, withFallback } from "../../../cli/options.ts";
import { parseId, parseRoots } from "../../../cli/parse-id.ts";
import { readJsonFile } from "../../../cli/read-text-file.ts";
import { command } from "../../../cli/run-command.ts";
import { CIRCUITS_OPTION, type CircuitOptions } from "../../../cli/settlement-options.ts";
import { TEXT_BASE_OPTION } from "../../../cli/text-base-option.ts";
import { workspacePaths } from "../../../cli/workspace.ts";
import { readCardFile } from "../../datanet/host-command.ts";
import { ANY_HOST_OPTION, readerOrSigner, UNSIGNED_OPTION, unsignedOf } from "../../datanet/host-options.ts";
import { citingWords, PUBLISHED_ROWS_OPTIONS, publicationOf } from "./published-rows.ts";
import { countedFieldsOf, tellingLines } from "./telling-lines.ts";
import { termsToTrain, termsWords } from "./training-terms.ts";

interface TrainOptions extends Pick<CircuitOptions, "circuits"> {
  base?: string;
  datanet: string;
  recipe: string;
  out: string;
  rows: string;
  columns?: string;
  field?: string[];
  draws: string;
  ownerPart: string;
  validatorPart: string;
  predecessor: string;
  withholdRows?: boolean;
  publishPermissionedRows?: boolean;
  card?: string;
  host?: string;
  withoutUnsigned?: boolean;
  labels?: bigint[];
  use?: ModelUse;
  licence?: string;
}

export const addModelTrainCommand = command({
  usage: "train",
  about: "train a model on a Datanet's published version, and write the files to publish",
  options: {
    "--datanet <ids>": {
      about:
        "Datanet whose version is used; or up to six with commas between, of which each has a shard, approves the model and can revoke that",
      isRequired: true,
    },
    "--recipe <file>": {
      about: `JSON file of a recipe, or a preset that adapts to the rows: ${ALL_PRESETS.join(", ")}; default: the rows' own, which is cited-answers where each row has a prompt and an answer`,
    },
    ...required(OUT_FOLDER_OPTION),
    ...TEXT_BASE_OPTION,
    ...withFallback(STORE_OPTION, workspacePaths.rows),
    "--field <name...>":
      "a field of a table that counts, once for each, with the preset labels; default: all but the labels' and those that number the rows",
    "--columns <count>":
      "features of the settlement circuit (for labelled rows: buckets) if the recipe names none; default: the rollup's smallest circuit that fits the rows",
    "--draws <count>": {
      about: `draws per epoch for the model's lifetime; must match its settlement circuit; a model that earns should have ${MIN_DRAWS} or more`,
      fallback: "4",
    },
    ...CIRCUITS_OPTION,
    "--owner-part <percent>": { about: "percent of each payment for the model's owner", fallback: "20" },
    "--validator-part <percent>": {
      about: "percent of the rows' rewards for their validator",
      fallback: "12.5",
    },
    "--predecessor <id>": { about: "id of the model that this one replaces; 0 for none", fallback: "0" },
    ...CARD_OPTION,
    ...ANY_HOST_OPTION,
    ...UNSIGNED_OPTION,
    "--labels <roots>": {
      about:
        "root of the accepted labels of a model that reads labels, as datanet publish and download print it; of several Datanets with commas between; default: by the host's signed records, else the only list beside the version in the store",
      parse: parseRoots,
    },
    "--use <use>": {
      about:
        "what the model is for, which its rows' terms allow or forbid: own (shared with nobody), shared, or paid (answers for pay); default: what the recipe's file says, else paid",
      choices: MODEL_USES,
    },
    "--licence <id>":
      "the model's licence, an SPDX identifier; default: what the recipe's file says, else the most open one that the rows' terms allow",
    ...PUBLISHED_ROWS_OPTIONS,
  },
  examples: [
    "models train --datanet 10 --recipe labels --host http://127.0.0.1:8560 --out my-model",
    "models train --datanet 10 --host http://127.0.0.1:8560 --use shared --licence CC-BY-NC-4.0 --out shared-model",
    "models train --datanet 10 --recipe labels --field age --field plan --host http://127.0.0.1:8560 --out my-model",
    "models train --datanet 12 --out answers",
    "models train --datanet 12 --recipe texts --out speeches",
    "models train --datanet 12 --recipe cited-texts --out cited-speeches",
    "models train --datanet 10,14 --recipe labels --out joint-model",
  ],
  run: async ({ options: input, output }) => {
    // Labels of a permissioned Datanet are read with the account's signature.
    const client = await readerOrSigner(input);
    const versions = await Promise.all(
      input.datanet.split(",").map(async (text) => {
        const id = parseId(text);
        const { datanet } = await getLeaf(client, id);
        if (datanet == null || datanet.version === 0)
          throw commandError("CMD_USAGE", `leaf ${id} is no datanet with a published version`);
        return { ...datanet, id };
      }),
    );
    // At least one: an empty list is no id.
    const [datanet, ...further] = versions as unknown as [DatanetVersion, ...DatanetVersion[]];
    const { id: datanetId, version } = datanet;
    const twice = further.find(({ id }, i) => versions.findIndex((one) => one.id === id) <= i);
    if (twice !== undefined) throw commandError("CMD_USAGE", `datanet ${twice.id} is named twice`);
    const options = { ...input, recipe: input.recipe ?? (await ownPreset(input.rows, versions)) };
    const card = await cardOf(client, options, datanetId);
    if (card !== null && card.policy !== datanet.policy)
      throw commandError(
        "CMD_USAGE",
        `${options.card ?? options.host} has not the card that datanet ${datanetId} has`,
      );
    const split = {
      ownerParts: parseParts(options.ownerPart),
      validatorParts: parseParts(options.validatorPart),
    };
    const publication = await publicationOf(client, {
      options,
      card,
      datanetIds: versions.map(({ id }) => id),
    });
    // Loaded here: they would make every other command slower.
    const [trainings, { writeModel }, { readLabelledRows }] = await Promise.all([
      modelTrainings({ base: options.base }),
      import("@openledger/attribution/model/model-directory"),
      import("../labelled-versions.ts"),
    ]);
    const store = await openRowStore(options.rows);
    const file = presetIn(options) === undefined ? await readRecipeFile(options.recipe) : null;
    const labelled = await withLabels(client, store, versions, { ...options, file });
    const rows = joinVersions(await Promise.all(labelled.map((version) => readLabelledRows(store, version))));
    const [named, ...others] = labelled as unknown as [RecipeDatanet, ...RecipeDatanet[]];
    const inFile = file?.terms;
    const terms = await termsToTrain(client, { store, versions: labelled, options, card, inFile });
    const onProgress: OnProgress = ({ done, stage, total }) =>
      output.progress(`${stage}: ${10 * Math.floor((10 * done) / Math.max(1, total))} %`);
    const sources = { trainings, card, file, terms, onProgress };
    const plan = await planOf(options, [named, ...others], rows, sources);
    const { recipe, training } = plan;
    const fileRows = inFile === undefined ? recipe.terms?.rows : parseTerms(inFile).rows;
    if (JSON.stringify(fileRows) !== JSON.stringify(recipe.terms?.rows))
      output.note("the terms of the rows are those found now, and not those in the recipe's file");
    const draws = Number(options.draws);
    const warning = fewDraws(draws);
    if (warning !== null) output.note(warning);
    const countedFields = countedFieldsOf(recipe);
    for (const line of tellingLines((await training.tellingColumns?.(rows, recipe)) ?? [], countedFields))
      output.note(line);
    const payees = payeeTable(rows);
    const size = await circuitSize(options, payees, { ...circuitColumns(recipe), draws });
    requirePublishedCuts(versions, payeesFor({ payees, recipe }, size), size);
    // Beside the model until that is whole: a killed training goes on from here.
    const stateFolder = `${options.out}.state`;
    const { model, trained } = await makeModel(plan, rows, {
      onProgress,
      stateFolder,
      size,
      terms: { split, predecessorId: parseId(options.predecessor) },
      card: card?.text ?? null,
      publishRows: publication.publishRows,
    });
    await writeModel(options.out, model);
    await rm(stateFolder, { recursive: true, force: true });
    const staticsHash = hex32(model.staticsHash);
    const lines = [
      `a model of ${counted(rows.length, "row")}${further.length === 0 ? "" : ` of ${versions.length} Datanets`} in ${presentPayees(trained.payees).length} payees, ${recipe.columnCount} columns, ${draws} draws an epoch, in ${options.out}`,
      training.describe(trained),
      ...tellingLines(trained.heldOut?.telling ?? [], countedFields),
      ...publication.words,
      ...citingWords(recipe, publication),
      ...termsWords(recipe.terms),
      `recipe ${hashRecipe(recipe)}, statics ${staticsHash}`,
    ];
    output.answer(lines, {
      folder: options.out,
      datanetId,
      version,
      furtherDatanets: further.map(({ id }) => id),
      rowCount: rows.length,
      areRowsPublished: publication.publishRows,
      payeeCount: presentPayees(trained.payees).length,
      columnCount: recipe.columnCount,
      drawCount: draws,
      hasFewDraws: warning !== null,
      accuracy: trained.accuracy,
      heldOut: trained.heldOut ?? null,
      recipeHash: hashRecipe(recipe),
      terms: recipe.terms ?? null,
      staticsHash,
    });
  },
});

/** The preset of versions' rows, where no recipe is named. @throws CLI_ROWS_MISSING */
async function ownPreset(rowsFolder: string, versions: readonly DatanetVersion[]): Promise<AnyPreset> {
  const { readLabelledRows } = await import("../labelled-versions.ts");
  const store = await openRowStore(rowsFolder);
  return usualPreset(
    joinVersions(await Promise.all(versions.map((version) => readLabelledRows(store, version)))),
  );
}

/**
 * The whole recipe, and that these rows can be trained on by it: told before anything is trained.
 * @throws CMD_USAGE, CLI_CIRCUIT_MISSING, ATT_RECIPE_INVALID, ATT_TOO_FEW_ROWS with what to change
 */
async function planOf(
  options: TrainOptions & GlobalOptions,
  versions: readonly [RecipeDatanet, ...RecipeDatanet[]],
  rows: readonly OwnedRow[],
  { card, file, onProgress, terms, trainings }: RecipeSources,
): Promise<ModelPlan> {
  if (file !== null && options.field !== undefined)
    throw commandError("CMD_USAGE", "--field is for the preset labels: a recipe's file names its own fields");
  const columnCount =
    file?.columnCount === undefined ? await columnsOf(options, rows, file) : Number(file.columnCount);
  const draft = file ?? (await draftOf(options, rows, columnCount, { card, onProgress }));
  return planModel(draft, rows, { card: card?.text ?? null, columnCount, terms, trainings, versions });
}

const presetIn = ({ recipe }: Pick<TrainOptions, "recipe">): AnyPreset | undefined =>
  ALL_PRESETS.find((name) => name === recipe);

function draftOf(
  options: TrainOptions,
  rows: readonly OwnedRow[],
  columnCount: number,
  { card, onProgress }: Pick<RecipeSources, "card" | "onProgress">,
): Promise<object> {
  return presetDraft(presetIn(options)!, {
    rows,
    card: card?.text ?? null,
    features: readsLabels(options, null) ? columnCount - 1 : columnCount,
    basePlace: options.base ?? OWN_BASE,
    countedFields: options.field,
    onProgress,
  });
}

/** Columns of a recipe that does not say how many. @throws CLI_CIRCUIT_MISSING, CMD_USAGE */
async function columnsOf(
  options: TrainOptions & GlobalOptions,
  rows: readonly OwnedRow[],
  file: { readonly family?: unknown; readonly inputs?: unknown } | null,
): Promise<number> {
  if (!readsLabels(options, file)) return circuitFeatures(options, rows, false);
  const named = (file?.inputs as { bucketCount?: unknown } | undefined)?.bucketCount;
  // The bias has a column beside the buckets.
  return 1 + (named === undefined ? await circuitFeatures(options, rows, true) : Number(named));
}

/** True for a recipe or preset of direct models. */
const readsLabels = (
  { recipe }: Pick<TrainOptions, "recipe">,
  file: { readonly family?: unknown } | null,
): boolean => PRESET_NAMES.some((name) => name === recipe) || file?.family === DIRECT;

/** The card of a file, or of the host. @throws as a host refuses */
async function cardOf(
  client: LedgerClient,
  { card, host }: Pick<TrainOptions, "card" | "host">,
  datanetId: number,
): Promise<NamedCard | null> {
  if (card !== undefined) return nameCard(await readCardFile(card));
  if (host === undefined) return null;
  return nameCard(await cardOfVersion(client, { datanetId, hostUrl: host }, 0n));
}

/**
 * The versions with the roots of their accepted labels, for a model that reads labels.
 * @throws CMD_USAGE, CLI_ROWS_MISSING, CLI_RECORDS_UNSIGNED, as a host refuses
 */
async function withLabels(
  client: LedgerClient,
  store: RowStore,
  versions: readonly DatanetVersion[],
  options: Pick<TrainOptions, "host" | "labels" | "recipe" | "withoutUnsigned"> & {
    readonly file: RecipeFile | null;
  },
): Promise<readonly DatanetVersion[]> {
  const { file, host, labels } = options;
  if (!readsLabels(options, file)) return versions;
  if (labels !== undefined && labels.length !== versions.length)
    throw commandError("CMD_USAGE", `--labels names ${labels.length} roots, for ${versions.length} Datanets`);
  const inFile = [file?.datanet, ...(file?.furtherDatanets ?? [])];
  const named = versions.map((version, position) => {
    const root = labels?.[position] ?? inFile[position]?.labels;
    return root === undefined ? version : { ...version, labelsRoot: BigInt(root) };
  });
  if (host === undefined) {
    const { onlyLabelsRoots } = await import("../labelled-versions.ts");
    const roots = await onlyLabelsRoots(store, named);
    return named.map((version, position) => ({ ...version, labelsRoot: roots[position]! }));
  }
  return Promise.all(
    named.map(async (version) => {
      const { id: datanetId, rowsRoot } = version;
      if (version.labelsRoot !== undefined) return version;
      const location = { datanetId, hostUrl: host, store, rowsRoot };
      const { root } = await downloadLabels(client, { ...location, ...unsignedOf(options) });
      return { ...version, labelsRoot: root };
    }),
  );
}

interface RecipeSources {
  readonly trainings: readonly FamilyTraining[];
  readonly card: NamedCard | null;
  readonly file: RecipeFile | null;
  readonly terms: ModelTermsQuery | undefined;
  readonly onProgress: OnProgress;
}

/** A recipe's file, as far as it is read before its family is known. */
interface RecipeFile {
  readonly family?: unknown;
  readonly inputs?: unknown;
  readonly columnCount?: unknown;
  readonly rules?: unknown;
  readonly retrieval?: unknown;
  readonly terms?: unknown;
  readonly datanet?: { readonly labels?: string };
  readonly furtherDatanets?: readonly { readonly labels?: string }[];
}

interface DatanetVersion extends RecipeDatanet {
  readonly payeeRoot: bigint;
  readonly policy: bigint;
}

/**
 * Checks the payees' places: a Datanet approves no model whose payees are in other places than its version's.
 * @throws CMD_USAGE
 */
function requirePublishedCuts(
  versions: readonly DatanetVersion[],
  payees: readonly Payee[],
  { payees: max, rows, shards: shardCount = 1 }: ModelSize,
): void {
  const shards = payeeShards(payees.map(({ rowCount }) => rowCount));
  const cut = shardCount === 1 ? "in one shard" : `in shards of ${rows} rows and ${max} payees`;
  for (const [position, { id, payeeRoot: published, version }] of versions.entries()) {
    const { from, to } = versions.length === 1 ? { from: 0, to: payees.length } : shards[position]!;
    if (payeeRoot(payees.slice(from, to)) === published) continue;
    throw commandError(
      "CMD_USAGE",
      `the rollup's circuits settle these rows ${cut}, and version ${version} of datanet ${id} was published otherwise: publish it again (datanet publish)`,
    );
  }
}

/** Returns the model's own size, or that of the rollup's fitting circuit if it is one of shards. */
async function circuitSize(
  options: TrainOptions & GlobalOptions,
  payees: readonly Payee[],
  shape: Pick<ModelSize, "features" | "isDirect" | "draws">,
): Promise<ModelSize> {
  const rows = payees.reduce((sum, { rowCount }) => sum + rowCount, 0);
  const own = { rows, payees: payees.length, ...shape };
  const isJoint = namesSeveral(options);
  // Named columns are of circuits that are not there yet.
  if (options.columns !== undefined && !isJoint) return own;
  const { openSettlementContext } = await import("../../../cli/settlement-context.ts");
  const { circuits } = await openSettlementContext(options);
  const sizes = settlingCircuits(circuits)
    .map(({ size }) => size)
    .filter(
      ({ features, isDirect = false }) =>
        features === shape.features && isDirect === (shape.isDirect ?? false),
    );
  const fitting = sizes.find((size) => size.draws === shape.draws && holds(size, payees, options));
  if (isJoint && fitting === undefined) throw noCircuit(circuits, payees, options, sizes);
  return fitting?.shards === undefined ? own : fitting;
}

/** Features, or buckets, of the smallest settlement circuit of the kind that holds the rows. */
async function circuitFeatures(
  options: TrainOptions & GlobalOptions,
  rows: readonly OwnedRow[],
  isOfDirect: boolean,
): Promise<number> {
  if (options.columns !== undefined) {
    if (/^[1-9]\d{0,4}$/.test(options.columns)) return Number(options.columns);
    throw commandError("CMD_USAGE", `--columns takes a number of features, not "${options.columns}"`);
  }
  const { openSettlementContext } = await import("../../../cli/settlement-context.ts");
  const { circuits } = await openSettlementContext(options);
  const sizes = settlingCircuits(circuits)
    .map(({ size }) => size)
    .filter((size) => (size.isDirect === true) === isOfDirect);
  const payees = payeeTable(rows);
  const draws = Number(options.draws);
  const fitting = sizes.find((size) => size.draws === draws && holds(size, payees, options));
  if (fitting !== undefined) return fitting.features;
  throw noCircuit(circuits, payees, options, sizes);
}

const namesSeveral = ({ datanet }: Pick<TrainOptions, "datanet">): boolean => datanet.includes(",");

const holds = (size: ModelSize, payees: readonly Payee[], options: Pick<TrainOptions, "datanet">): boolean =>
  settles(size, payees, namesSeveral(options));

function noCircuit(
  circuits: readonly { readonly name: string }[],
  payees: readonly Payee[],
  options: Pick<TrainOptions, "datanet" | "draws">,
  sizes: readonly ModelSize[],
) {
  const rowCount = payees.reduce((sum, payee) => sum + payee.rowCount, 0);
  const payeeCount = presentPayees(payees).length;
  const isJoint = namesSeveral(options);
  const limits = sizes.flatMap(({ payees: held, rows: max, shards }) => {
    if (!isJoint) return [`${max * (shards ?? 1)} rows in ${held * (shards ?? 1)} payees`];
    return shards === undefined ? [] : [`${shards} Datanets, each of ${max} rows in ${held} payees`];
  });
  const others = new Set(sizes.flatMap((size) => (holds(size, payees, options) ? [size.draws] : [])));
  const remedy =
    others.size > 0
      ? `train it with --draws ${[...others].join(" or ")}`
      : isJoint
        ? "name fewer Datanets, publish fewer rows, or use a rollup with circuits of such shards"
        : "publish fewer (datanet publish --leave-out, --vouched)";
  return verifierError(
    "CLI_CIRCUIT_MISSING",
    `the ${isJoint ? "versions have" : "version has"} ${counted(rowCount, "row")} in ${counted(payeeCount, "payee")}; the rollup's circuits settle at most ${limits.join(", or ") || "one Datanet"}, and none that holds them draws ${options.draws} payments: ${remedy}`,
    { data: { rowCount, payeeCount, circuits: circuits.map(({ name }) => name) } },
  );
}

async function readRecipeFile(path: string): Promise<RecipeFile> {
  const instead = presetInstead(path);
  if (instead !== null)
    throw commandError(
      "CMD_USAGE",
      `${path} is no preset any more: name ${instead}, which takes labelled rows of any kind`,
    );
  try {
    return (await readJsonFile(path)) as RecipeFile;
  } catch (cause) {
    const presets = ALL_PRESETS.join(", ");
    throw commandError("CMD_USAGE", `${path} is no recipe: neither a JSON file nor one of ${presets}`, {
      cause,
    });
  }
}

/** Percent with decimals as 65,536ths. @throws CMD_USAGE */
function parseParts(text: string): bigint {
  const percent = Number(text);
  if (!/^\d{1,2}(\.\d{1,6})?$/.test(text))
    throw commandError("CMD_USAGE", `"${text}" is no percentage below 100`);
  return BigInt(Math.round((percent * 65_536) / 100));
}
