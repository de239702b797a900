/**
 * `openledger verify model`: trains a published model again and compares every byte; also the parts of it that approvals,
 * watchers and what-if share.
 */

import { stat } from "node:fs/promises";
import { vectorsWords } from "@openledger/attribution/inputs/released-vectors";
import { fetchModel, readModel } from "@openledger/attribution/model/model-directory";
import type { ModelParts } from "@openledger/attribution/model/model-family";
import { figureWords } from "@openledger/attribution/model/model-figure";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { joinVersions, type OwnedRow } from "@openledger/attribution/model/owned-rows";
import { versionsOf } from "@openledger/attribution/model/recipe-fields";
import {
  type LedgerFacts,
  type VerifiedModel,
  verifyModel,
} from "@openledger/attribution/model/verify-model";
import type { OnProgress } from "@openledger/attribution/progress";
import { datanetIds, unpackBinding } from "@openledger/circuits/ledger/leaf";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import { type ReadFigureReturnType, readFigure } from "@openledger/client/actions/answers/model-figure";
import { readHistory } from "@openledger/client/actions/data/list-commits";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { settlingCircuits } from "@openledger/client/actions/ledger/settling-circuit";
import { clientError } from "@openledger/client/client-errors";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getInfo, getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { nameCard } from "@openledger/datanets/card/card";
import { FAULT_WORDS } from "@openledger/datanets/records/signed-figure";
import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import { modelFamilies, modelTrainings } from "@openledger/models/tuning/recipe/model-families";
import { modelServerOf } from "../../cli/context.ts";
import { describeShape } from "../../cli/describe-shape.ts";
import type { Output } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { readCardFile } from "../datanet/host-command.ts";
import { readLabelledRows, rootOfRecords } from "../models/labelled-versions.ts";
import { lineOfInputs, lineOfVectors } from "../models/line-of-vectors.ts";

export interface VerifyModelOptions {
  server?: string;
  base?: string;
  rows?: string;
  card?: string;
  host?: string;
  withoutUnsigned?: boolean;
  quick?: boolean;
}

export interface RecomputeWhat {
  /** A folder with a model, or the id of a registered one. */
  readonly what: string;
  /** Id of the registered model that a folder's has to be, by its statics on the ledger. */
  readonly modelId?: number;
  /** Called with the model as it is published, and awaited, before anything is computed. */
  readonly onPublished?: (model: PublishedModel) => void | Promise<void>;
  /** Called with the id of the signed figure that its server shows, before that is computed again. */
  readonly onFigure?: (id: string) => void | Promise<void>;
  /** Versions for `factsOf`. */
  readonly versions?: (model: ModelParts) => readonly (number | undefined)[];
  /** History for `factsOf`. */
  readonly history?: LedgerClient;
}

/**
 * Trains a model again from its rows and compares every published byte.
 * @returns what was found, in lines for people and as facts for programs
 * @throws ATT_MODEL_MISMATCH naming the first difference; CMD_NO_MODEL_SERVER; as `verifyModel` and `fetchModel`
 */
export async function recompute(
  client: LedgerClient,
  { history, modelId, onFigure, onPublished, versions, what }: RecomputeWhat,
  options: VerifyModelOptions,
  output: Output,
): Promise<{ lines: string[]; facts: VerifiedModel & Record<string, unknown> }> {
  const { isFolder, model, places } = await openPublished(what, options, output);
  await onPublished?.(model);
  const binding = unpackBinding(model.statics.binding);
  const registeredId = isFolder ? modelId : parseId(what);
  // A folder that is not registered yet is compared with the datanet alone.
  const staticsHash =
    registeredId === undefined ? model.staticsHash : staticsOf(await getModel(client, registeredId)).hash;
  const facts = await factsOf(client, model.statics.binding, staticsHash, versions?.(model), history);
  const rows = await storedRows(options, model.recipe, facts);
  const labelsRoots = await rootsOfRecords(client, model, rows, options);
  const shown: ReadFigureReturnType =
    registeredId === undefined || places.serverUrl === undefined
      ? { state: "none" }
      : await readFigure(client, { serverUrl: places.serverUrl, modelId: registeredId });
  if (shown.state === "signed") await onFigure?.(shown.id);
  // Before the training: a connection that idles for so long is closed.
  const info = await getInfo(client);
  const result = await verifyModel({
    trainings: await modelTrainings(places),
    model,
    facts,
    ...(rows === null ? {} : { rows }),
    ...(labelsRoots === null ? {} : { labelsRoots }),
    ...(options.card === undefined ? {} : { card: nameCard(await readCardFile(options.card)).text }),
    ...(shown.state === "signed" ? { figure: shown.signed.body } : {}),
    depth: options.quick === true ? "features" : "train",
    onProgress: showStages(output),
  });
  const shape = modelShape(model.statics, model.payees);
  const settling = settlingCircuits(info, shape);
  const how = options.quick === true ? "its parameters make of" : "its recipe makes of";
  const lines = [
    `${isFolder ? what : `model ${what}`} is what ${how} the ${counted(result.rowCount, "row")} of ${describeVersions(model)}, to the byte`,
    `${describeShape(shape)}${settling.length > 0 ? `: ${settling.join(", ")}` : ", which no circuit of this rollup does"}`,
    result.isBaseOfCard
      ? "its rules of rewards are what the datanet's card says"
      : `it has no base${facts.policy === 0n ? "" : "; with --card FILE its rules of rewards are compared with what the datanet's card says"}`,
    ...labelsLine(model, result),
    ...inputsLine(result),
    ...figureLines(shown, result),
    ...(await weightsLine(model)),
    ...lineOfVectors(vectorsWords(model.recipe)),
    `${counted(result.payeeCount, "payee")}, statics ${hex32(model.staticsHash)}${isFolder ? "" : ", as the ledger has it"}`,
  ];
  const found = {
    model: what,
    datanetId: Number(binding.datanetId),
    version: Number(binding.version),
    drawCount: shape.draws,
    featureCount: shape.features,
    isDirect: shape.isDirect === true,
    settlingCircuits: settling,
    staticsHash: hex32(model.staticsHash),
    isTrainedAgain: options.quick !== true,
    vectors: vectorsWords(model.recipe),
    ...result,
    figureId: shown.state === "signed" && result.figure !== null ? shown.id : null,
    figureFault: shown.state === "refused" ? shown.fault : null,
  };
  return { lines, facts: found };
}

/** A model from a folder, or by its leaf's id from its server. */
export async function openPublished(what: string, options: VerifyModelOptions, output: Output) {
  const isFolder = await stat(what).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const onProgress = (file: string) => output.progress(`fetching ${file}`);
  const serverUrl = isFolder ? undefined : modelServerOf(parseId(what), options.server);
  const places = { base: options.base, serverUrl };
  const families = await modelFamilies(places);
  const model = isFolder
    ? await readModel(what, families)
    : await fetchModel(serverUrl!, { onProgress }, families);
  return { isFolder, model, places };
}

/** Names the numbers that a language model's base computes with; no line for other families. */
export async function weightsLine({ family, recipe }: ModelParts): Promise<string[]> {
  const weights = await family.weightsOf?.(recipe);
  return weights === undefined ? [] : [`its base's weights are ${weights}`];
}

/** The versions that a model's rows come from, in words. */
const describeVersions = ({ recipe }: ModelParts): string =>
  versionsOf(recipe)
    .map(({ id, version }) => `version ${version} of datanet ${id}`)
    .join(" and ");

/** Reads the rows of all versions, one after another, with the labels that the recipe names; null without the option. */
export async function storedRows(
  { rows }: VerifyModelOptions,
  recipe: ModelParts["recipe"],
  { furtherRowsRoots = [], rowsRoot }: Pick<LedgerFacts, "furtherRowsRoots" | "rowsRoot">,
): Promise<readonly OwnedRow[] | null> {
  if (rows === undefined) return null;
  const store = await openRowStore(rows);
  const named = versionsOf(recipe).map(({ labels }) => (labels === undefined ? undefined : BigInt(labels)));
  return joinVersions(
    await Promise.all(
      [rowsRoot, ...furtherRowsRoots].map((root, position) =>
        readLabelledRows(store, { rowsRoot: root, labelsRoot: named[position] }),
      ),
    ),
  );
}

/** Roots of the labels by a host's records, of each version; null without a host, or for models that read no labels. */
async function rootsOfRecords(
  client: LedgerClient,
  { recipe, rows: published }: Pick<PublishedModel, "recipe" | "rows">,
  input: readonly OwnedRow[] | null,
  { host, withoutUnsigned = false }: VerifyModelOptions,
): Promise<bigint[] | null> {
  const rows = input ?? published;
  const versions = versionsOf(recipe);
  if (host === undefined || rows === null || versions.every(({ labels }) => labels === undefined))
    return null;
  return Promise.all(
    versions.map(({ id }, position) =>
      rootOfRecords(client, {
        datanetId: id,
        hostUrl: host,
        withoutUnsigned,
        rows: rows.filter(({ datanet = 0 }) => datanet === position),
      }),
    ),
  );
}

/** Says whether what counts was chosen by the rows. */
function inputsLine({ areInputsOfRows }: Pick<VerifiedModel, "areInputsOfRows">): string[] {
  return areInputsOfRows === null ? [] : lineOfInputs(areInputsOfRows ? "of-rows" : "others");
}

/** Says whether the figure of unseen rows is the one of the rows, and who has signed it. */
function figureLines(shown: ReadFigureReturnType, { figure }: Pick<VerifiedModel, "figure">): string[] {
  if (shown.state === "refused")
    return [`ITS FIGURE COUNTS FOR NOTHING: its server shows ${FAULT_WORDS[shown.fault]}`];
  if (figure === null) return [];
  const by = shown.state === "signed" ? "signed by the model's leaf" : "signed by nobody";
  return [`its figure is what its recipe makes of the rows, ${by}: ${figureWords(figure)}`];
}

/** Says what the labels of a model that reads some were compared with. */
function labelsLine(
  { recipe }: ModelParts,
  { areLabelsOfRecords }: Pick<VerifiedModel, "areLabelsOfRecords">,
): string[] {
  if (recipe.datanet.labels === undefined) return [];
  return [
    areLabelsOfRecords
      ? "its labels are those that the signed records accept"
      : "its labels are those that its recipe names; with --host URL they are compared with the signed records",
  ];
}

export const showStages =
  (output: Output): OnProgress =>
  ({ stage, done, total }) =>
    output.progress(`${stage}: ${10 * Math.floor((10 * done) / Math.max(1, total))} %`);

/**
 * Reads the ledger's facts of the versions that a model's rows come from; the card is Datanet 0's.
 * @param versions numbers of the versions, in the Datanets' places; default: Datanet 0's is the binding's, others' are
 * the present ones, since the ledger binds a model to one version alone
 * @param history source of earlier versions: a full node lists no operations that L1 alone has shown it
 * @throws CLI_UNKNOWN
 */
export async function factsOf(
  client: LedgerClient,
  binding: bigint,
  staticsHash: bigint,
  versions: readonly (number | undefined)[] = [Number(unpackBinding(binding).version)],
  history = client,
) {
  const found = await Promise.all(
    datanetIds(unpackBinding(binding)).map((id, position) =>
      versionOf(client, id, versions[position], history),
    ),
  );
  const [rowsRoot, ...furtherRowsRoots] = found.map((one) => one.rowsRoot);
  return { staticsHash, rowsRoot: rowsRoot!, furtherRowsRoots, policy: found[0]!.policy };
}

/**
 * Root and card of one version of a Datanet; zeros if it has none.
 * @param version default: the present one
 * @param history as `factsOf` takes it
 * @throws CLI_UNKNOWN if no such version is listed
 */
export async function versionOf(
  client: LedgerClient,
  id: number,
  version: number | undefined,
  history = client,
): Promise<{ rowsRoot: bigint; policy: bigint }> {
  const { datanet } = await getLeaf(client, id);
  const versionNumber = version ?? datanet?.version;
  if (datanet != null && datanet.version === versionNumber) return datanet;
  if (datanet == null || versionNumber === undefined) return { rowsRoot: 0n, policy: 0n };
  const { versions } = await readHistory(history, id);
  const found = versions[versionNumber - 1];
  if (found !== undefined) return found;
  throw clientError("CLI_UNKNOWN", `no version ${versionNumber} of datanet ${id} is listed`, {
    data: { reason: "version", datanetId: id, version: versionNumber },
  });
}
