/**
 * Papers of a registered model, written from ledger, cards and signed records: a model card, a summary of its training content
 * after the AI Act's template, and a Croissant file of each version. The same ledger and hosts give everyone the same bytes, so
 * anyone checks papers by writing them again. Commands and pages call it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { jsonBytes } from "@openledger/attribution/model/answering-hash";
import { type RecipeBase, versionsOf } from "@openledger/attribution/model/recipe-fields";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { presentPayees } from "@openledger/circuits/ledger/payee-shards";
import { modelCardOf } from "@openledger/datanets/papers/model-card";
import type {
  LedgerPosition,
  ModelFacts,
  RecipeFacts,
  TrainedDatanet,
} from "@openledger/datanets/papers/model-facts";
import { paperDifferences } from "@openledger/datanets/papers/paper-differences";
import { trainingSummaryOf } from "@openledger/datanets/papers/training-summary";
import { sumLeaves } from "@openledger/datanets/papers/version-facts";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Hex } from "viem";
import type { RowStore } from "../actions/data/row-store.ts";
import { clientError, type PaperFieldDifference } from "../client-errors.ts";
import { getBatch, readInfo, readOperations } from "../sequencer/ledger-reads.ts";
import {
  approvalsOf,
  type GetModelErrorCode,
  getFirstPayment,
  getModel,
  getSettlement,
  staticsOf,
} from "../sequencer/model-reads.ts";
import type { LedgerModelLeaf, LedgerPayment } from "../sequencer/model-schemas.ts";
import { type DescribeVersionErrorCode, describeVersion } from "./described-version.ts";
import { listedVersion } from "./download-rows.ts";
import { type ExportVersionErrorCode, exportVersion } from "./export-version.ts";
import type { HostAccess, HostErrorCode } from "./host-request.ts";
import { type ListVerifiedErrorCode, listVerified } from "./verified-records.ts";

export const MODEL_CARD = "model-card.md";
export const TRAINING_SUMMARY = "training-data-summary.md";

export interface WriteModelPapersParameters {
  modelId: number;
  /** URL of the host of a Datanet. */
  hostUrlOf: (datanetId: number) => string | Promise<string>;
  /** Store for the rows, whose Parquet files the Croissant files name by size and hash. */
  store: RowStore;
  /**
   * Recipe with the hash of the statics that bind it, as `fetchAnswering` returns them. Absent: papers say that the recipe is not
   * known, and name versions of the first Datanet alone.
   */
  published?: { readonly recipe: RecipeBase; readonly staticsHash: bigint };
  /** Leaf that signs, where a Datanet is permissioned; default: the client's. */
  from?: number;
  onProgress?: (step: string) => void;
}
export interface ModelPaper {
  /** Name of the file. */
  readonly name: string;
  readonly text: string;
}
export interface WriteModelPapersReturnType {
  /** The card, the summary, and a Croissant file of each version. */
  papers: readonly ModelPaper[];
  facts: ModelFacts;
}
export type WriteModelPapersErrorCode =
  | "CLI_PAPERS_WRONG"
  | "CLI_WRONG_ROLLUP"
  | GetModelErrorCode
  | DescribeVersionErrorCode
  | ExportVersionErrorCode
  | ListVerifiedErrorCode
  | HostErrorCode;

/**
 * Writes the papers of a model. Rows of permissioned Datanets that the client may not read are described without size and hash of
 * their file. Of a Datanet that its host does not have, papers say what the ledger has, and there is no Croissant file.
 * @throws CLI_PAPERS_WRONG where the recipe is not the registered model's; CLI_WRONG_ROLLUP, CLI_LEAF_NOT_FOUND,
 *   OP_WRONG_LEAF_KIND, CLI_DATANET_HOST_FALSE
 * @example
 * ```ts
 * const { papers } = await writeModelPapers(client, { modelId: 15, hostUrlOf: () => hostUrl, store });
 * console.log(papers[0]!.text);
 * ```
 */
export async function writeModelPapers(
  client: HostAccess,
  parameters: WriteModelPapersParameters,
): Promise<WriteModelPapersReturnType> {
  const { modelId, onProgress, published } = parameters;
  await initPoseidon();
  onProgress?.("reading the ledger");
  const info = await readInfo(client);
  if (info.domain !== client.domain)
    throw clientError("CLI_WRONG_ROLLUP", `the sequencer serves rollup ${info.rollupAddress}`, {
      data: { sequencer: { chainId: info.chainId, rollupAddress: info.rollupAddress } },
    });
  const leaf = await getModel(client, modelId);
  const statics = staticsOf(leaf);
  const binding = unpackBinding(statics.binding);
  const recipe = published === undefined ? null : requireRecipe(published, leaf);
  const approvals = approvalsOf(leaf);
  const datanets: TrainedDatanet[] = [];
  const croissants: ModelPaper[] = [];
  const recomputations: ModelFacts["recomputations"][number][] = [];
  for (const [location, { id: datanetId }] of approvals.entries()) {
    const named = recipe?.versions[location];
    const version = location === 0 ? leaf.model.version : named?.version;
    onProgress?.(`reading Datanet ${datanetId}`);
    const listed = version === undefined ? null : await readListed(client, datanetId, version);
    if (named !== undefined && named.rowsRoot !== listed?.rowsRoot)
      throw wrongRecipe(`its recipe names another root of version ${version} of Datanet ${datanetId}`);
    const found = await ifHosted(async () => {
      const hostUrl = await parameters.hostUrlOf(datanetId);
      const verified = (await listVerified(client, { datanetId, hostUrl, modelId })).verifications;
      if (version === undefined) return { verified, croissant: null, described: null };
      return { verified, ...(await describe(client, parameters, { datanetId, hostUrl, version })) };
    });
    for (const one of found?.verified ?? [])
      if (one.epoch === null) recomputations.push({ ...one, isDifferent: one.difference !== null });
    if (found != null && found.croissant !== null) croissants.push(found.croissant);
    datanets.push({ datanetId, listed, described: found?.described ?? null });
  }
  const facts: ModelFacts = {
    modelId,
    chainId: info.chainId,
    rollupAddress: info.rollupAddress,
    l1Owner: leaf.l1Owner,
    staticsHash: hex32(statics.hash),
    predecessorId: binding.predecessorId === 0n ? null : Number(binding.predecessorId),
    rowCount: Number(binding.rowCount),
    contributors: sumLeaves(
      presentPayees(leaf.payees).map(([, { contributorId: leafId, rowCount }]) => ({ leafId, rowCount })),
    ),
    ownerParts: leaf.model.ownerParts,
    validatorParts: leaf.model.validatorParts,
    unapproved: approvals.flatMap(({ hasApproved, id }) => (hasApproved ? [] : [id])),
    registered: await registrationOf(client, leaf),
    activated: await activationOf(client, leaf),
    datanets,
    recipe: recipe?.facts ?? null,
    recomputations: recomputations.sort((a, b) => a.atMs - b.atMs || a.leafId - b.leafId),
  };
  return {
    papers: [
      { name: MODEL_CARD, text: modelCardOf(facts) },
      { name: TRAINING_SUMMARY, text: trainingSummaryOf(facts) },
      ...croissants,
    ],
    facts,
  };
}

/** A version as the ledger has it. */
async function readListed(client: HostAccess, datanetId: number, number: number) {
  const { publishedAtMs, rowCount, rowsRoot, version } = await listedVersion(client, datanetId, number);
  return { version, rowsRoot: hex32(rowsRoot), rowCount, publishedAtMs };
}

/** null where the host does not have the Datanet, or the list of the version. */
async function ifHosted<Found>(read: () => Promise<Found>): Promise<Found | null> {
  try {
    return await read();
  } catch (error) {
    if (isRollupError(error, "DNT_NOT_HOSTED") || isRollupError(error, "DNT_LIST_MISSING")) return null;
    throw error;
  }
}

/** A version with its Croissant file. Permissioned rows are read only by those who may. */
async function describe(
  client: HostAccess,
  parameters: WriteModelPapersParameters,
  location: { datanetId: number; hostUrl: string; version: number },
) {
  const { from, onProgress, store } = parameters;
  const { croissantFileOf } = await import("@openledger/datanets/export/croissant-file");
  const files = async () => {
    const exported = await exportVersion(client, {
      ...location,
      store,
      ...(from === undefined ? {} : { from }),
      onProgress: (done, rowCount) =>
        onProgress?.(`rows of Datanet ${location.datanetId}: ${done} of ${rowCount}`),
    });
    const { parquetOf } = await import("@openledger/datanets/export/parquet-export");
    const { notedColumnsOf } = await import("@openledger/datanets/export/exported-rows");
    const { card, rows } = exported;
    return {
      version: exported,
      parquet: { bytes: await parquetOf(card, rows), noted: notedColumnsOf(card, rows) },
    };
  };
  const { parquet, version } = await files().catch(async (error: unknown) => {
    // The Croissant file names rows that whoever writes it may not read.
    if (!isRollupError(error, "DNT_ACCESS_NOT_GRANTED") && !isRollupError(error, "DNT_REQUEST_UNSIGNED"))
      throw error;
    return { version: await describeVersion(client, location), parquet: null };
  });
  const { card, facts, policy } = version;
  const croissant = croissantFileOf({ ...version, ...location }, parquet);
  const described = {
    hostUrl: location.hostUrl,
    policy: policy === 0n ? null : hex32(policy),
    card,
    facts,
    croissant: croissant.name,
  };
  return { described, croissant };
}

/** @throws CLI_PAPERS_WRONG unless the ledger's statics bind the recipe */
function requireRecipe(
  { recipe, staticsHash }: NonNullable<WriteModelPapersParameters["published"]>,
  leaf: LedgerModelLeaf,
) {
  if (staticsHash !== staticsOf(leaf).hash)
    throw wrongRecipe(`its server shows the files of another model than ${leaf.id}`);
  const versions = versionsOf(recipe);
  const ids = approvalsOf(leaf).map(({ id }) => id);
  if (versions.map(({ id }) => id).join() !== ids.join() || versions[0]!.version !== leaf.model.version)
    throw wrongRecipe("its recipe names other Datanets or another version than its statics");
  return { versions, facts: recipeFacts(recipe) };
}

/** Fields of a recipe that a card has lines of its own for. */
const OWN_LINES = ["version", "family", "datanet", "furtherDatanets", "base", "classes"];
/** Characters of a setting that a card shows: the recipe's hash binds all of them. */
const MAX_SETTING_LENGTH = 1_000;

function recipeFacts(recipe: RecipeBase): RecipeFacts {
  const { base, classes = null } = recipe as RecipeBase & {
    readonly base?: { readonly name: string; readonly files: Readonly<Record<string, { sha256: string }>> };
  };
  return {
    sha256: bytesToHex(sha256(jsonBytes(recipe))),
    family: recipe.family,
    classes,
    licence: recipe.terms?.licence ?? null,
    base:
      base === undefined
        ? null
        : {
            name: base.name,
            files: Object.entries(base.files).map(([name, file]) => ({ name, sha256: file.sha256 })),
          },
    settings: Object.entries(recipe).flatMap(([name, value]) => {
      if (OWN_LINES.includes(name) || value === undefined) return [];
      const text = JSON.stringify(value);
      return [
        { name, value: text.length > MAX_SETTING_LENGTH ? `${text.slice(0, MAX_SETTING_LENGTH)}…` : text },
      ];
    }),
  };
}

async function activationOf(
  client: HostAccess,
  { counters, id }: LedgerModelLeaf,
): Promise<ModelFacts["activated"]> {
  const settlement = counters.isReady ? await getSettlement(client, id, 0) : null;
  if (settlement === null) return null;
  return positionOf(client, settlement.batchNumber);
}

const positionOf = async (client: HostAccess, batchNumber: number): Promise<LedgerPosition> => ({
  batchNumber,
  atMs: (await getBatch(client, batchNumber))?.closedAtMs ?? null,
});

/** Operations of a page, and pages of a model's operations before its first payment. */
const OPERATIONS_PAGE = 200;
const MAX_PAGES = 10;

/** Name of a payment's operation in lists; undefined for one that the sequencer has from L1 alone. */
const nameOfPayment = ({ hash, queueIndex }: LedgerPayment): Hex | number | undefined =>
  /[1-9a-f]/.test(hash.slice(2)) ? (hash as Hex) : (queueIndex ?? undefined);

/** Batch of the operation that made a model's leaf; null where the sequencer no longer has it. */
async function registrationOf(
  client: HostAccess,
  { counters, id: modelId }: LedgerModelLeaf,
): Promise<LedgerPosition | null> {
  try {
    // A model has any number of payments, all of them later.
    const payment = counters.epoch < 1 ? null : await getFirstPayment(client, modelId);
    let before: Hex | number | undefined = payment === null ? undefined : nameOfPayment(payment);
    for (let page = 0; page < MAX_PAGES; page++) {
      const { nextBefore, operations } = await readOperations(client, modelId, {
        limit: OPERATIONS_PAGE,
        ...(before !== undefined && { before }),
      });
      const made = operations.find(({ createdId }) => createdId === modelId);
      if (made?.batchNumber != null) return await positionOf(client, made.batchNumber);
      if (nextBefore === null) return null;
      before = nextBefore;
    }
    return null;
  } catch (error) {
    if (isRollupError(error, "SEQ_HISTORY_PRUNED") || isRollupError(error, "SEQ_UNKNOWN")) return null;
    throw error;
  }
}

const wrongRecipe = (why: string) =>
  clientError("CLI_PAPERS_WRONG", `the model's recipe does not hold: ${why}`, { data: { reason: "recipe" } });

export interface CheckModelPapersParameters extends WriteModelPapersParameters {
  /** Papers by the names of their files. */
  papers: readonly ModelPaper[];
}
export type CheckModelPapersErrorCode = WriteModelPapersErrorCode;
export interface CheckModelPapersReturnType extends WriteModelPapersReturnType {
  /** Fields that only a reader of permissioned rows can check, with the paper's name before each. */
  unchecked: readonly string[];
}

/** Fields of differences that an error lists, and characters of their values. */
const MAX_DIFFERENCES = 100;
const MAX_VALUE_LENGTH = 200;

/**
 * Compares papers with what the ledger and its hosts say now. They are written again, as `writeModelPapers` does.
 * @throws CLI_PAPERS_WRONG, whose `data.fields` names each field that differs, and errors of `writeModelPapers`
 * @example
 * ```ts
 * const parameters = { modelId: 15, hostUrlOf: () => hostUrl, store };
 * const { papers } = await writeModelPapers(client, parameters);
 * const { unchecked } = await checkModelPapers(client, { ...parameters, papers });
 * console.log(unchecked);
 * ```
 */
export async function checkModelPapers(
  client: HostAccess,
  { papers: given, ...parameters }: CheckModelPapersParameters,
): Promise<CheckModelPapersReturnType> {
  const written = await writeModelPapers(client, parameters);
  const right = new Map(written.papers.map(({ name, text }) => [name, text]));
  const texts = new Map(given.map(({ name, text }) => [name, text]));
  const unchecked: string[] = [];
  const fields: PaperFieldDifference[] = [];
  for (const paper of new Set([...right.keys(), ...texts.keys()])) {
    const [before, after] = [texts.get(paper), right.get(paper)];
    if (before === undefined || after === undefined) {
      const has = (text: string | undefined) => (text === undefined ? null : "present");
      fields.push({ paper, field: "file", given: has(before), right: has(after) });
      continue;
    }
    for (const { field, ...values } of paperDifferences(before, after, kindOf(paper))) {
      if (values.right === null && OF_ROWS.includes(field)) unchecked.push(`${paper}: ${field}`);
      else fields.push({ paper, field, given: shortened(values.given), right: shortened(values.right) });
    }
  }
  const [first] = fields;
  if (first === undefined) return { ...written, unchecked };
  throw clientError(
    "CLI_PAPERS_WRONG",
    `${first.paper} says ${first.given ?? "nothing"} for "${first.field}", and the ledger and its hosts ${first.right ?? "nothing"}`,
    { data: { reason: "differs", fieldCount: fields.length, fields: fields.slice(0, MAX_DIFFERENCES) } },
  );
}

/** Fields of a Croissant file that whoever may not read the rows leaves out. */
const OF_ROWS = ["distribution[0].contentSize", "distribution[0].sha256"];

const kindOf = (paper: string) => (paper.endsWith(".json") ? "json" : "markdown");
const shortened = (value: string | null) => value?.slice(0, MAX_VALUE_LENGTH) ?? null;
