/**
 * Models that the site's answer servers offer, for the pages that ask them, and the page's own copies that check their answers.
 */

import { type InputField, inputFieldsOf } from "@openledger/attribution/inputs/model-inputs";
import { type VectorsWords, vectorsWords } from "@openledger/attribution/inputs/released-vectors";
import type { PromptKind } from "@openledger/attribution/model/model-family";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { drawShares } from "@openledger/circuits/settlement/settlement-split";
import type {
  CheckableModel,
  CheckedReply,
  ReplyAssurance,
} from "@openledger/client/actions/answers/model-answers";
import { belowLedger, listServedModels } from "@openledger/client/actions/answers/served-models";
import { type HostAccess, modelReader } from "@openledger/client/datanets/host-request";
import {
  approvalsOf,
  getModel,
  type NotPayable,
  whyNotPayable,
} from "@openledger/client/sequencer/model-reads";
import type { PublishedRecipe } from "@openledger/client/tasks/approve-model";
import { compareInputs } from "@openledger/client/tasks/compare-inputs";
import type { InputsFound } from "@openledger/client/tasks/inputs-words";
import { RecentAnswers } from "@openledger/foundation/recent-answers";
import { knownFamilies } from "../ledger/known-families.ts";
import type { Site } from "../ledger/site.ts";
import { type Problem, problemOf } from "../words/problem.tsx";

/** Limit of one request to an answer server. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Maximum numbers of a model's matrix that the page compares with the ledger: about a second. Whom others pay is their server's word. */
const MAX_ENTRIES = 2 ** 18;
/** Maximum bytes of a model's rows that a page reads to compare its inputs with them. */
const MAX_COMPARED_BYTES = 2 ** 22;
/** Maximum models that a reader may choose from: the ledger is asked for the price of each. */
const MAX_OFFERED = 50;

export interface ServedModel {
  /** Server of the model's files and of the openings of its receipts. */
  readonly serverUrl: string;
  /** An answer server that gives its answers as they come; absent if an answer comes whole. */
  readonly streamsFrom?: string;
  readonly modelId: number;
  /** Datanets whose rows the model learned from, in their places. */
  readonly datanetIds: readonly number[];
  /** Version of the first of them. */
  readonly version: number;
  readonly priceWei: bigint;
  /** Rows' part of the price, without the parts of the model's owner and the treasury. */
  readonly rewardWei: bigint;
  /** Why the ledger takes no payments for it now; null where it takes them. */
  readonly notPayable: NotPayable | null;
}

interface ServedModels {
  readonly models: readonly ServedModel[];
  /** Errors of the servers that did not answer. */
  readonly problems: readonly Problem[];
}

/** Asks every server that the site names, and its factory, which models they have. */
export async function findServedLocations({
  answerServers,
  factoryUrl,
}: Pick<Site, "answerServers" | "factoryUrl">) {
  const access = { requestTimeoutMs: REQUEST_TIMEOUT_MS };
  const urls = factoryUrl === null ? answerServers : [...answerServers, factoryUrl];
  const found = await Promise.allSettled(urls.map((url) => listServedModels(access, url)));
  return {
    places: found.flatMap((one) => (one.status === "fulfilled" ? one.value : [])),
    problems: found.flatMap((one) => (one.status === "rejected" ? [problemOf(one.reason)] : [])),
  };
}

/**
 * The models that can be asked, and what the ledger says that they cost.
 * @param named model that is among them if a server has it, however many there are
 * @throws what getModel throws
 */
export async function findServedModels(site: Site, named: number | null = null): Promise<ServedModels> {
  const { places, problems } = await findServedLocations(site);
  const offered = places.filter(({ modelId }, i) => i < MAX_OFFERED || modelId === named);
  const models = await Promise.all(
    offered.map(async (location) => ({ ...location, ...(await termsOf(site.sequencer, location.modelId)) })),
  );
  return { models, problems };
}

/** Describes a registered model behind an answer server. @throws what getModel throws */
export async function findAdapter(
  { sequencer }: Site,
  streamsFrom: string,
  modelId: number,
): Promise<ServedModel> {
  // There it has the routes of a model's server.
  const serverUrl = belowLedger(streamsFrom, modelId);
  return { serverUrl, streamsFrom, modelId, ...(await termsOf(sequencer, modelId)) };
}

/** Terms of an answer by the ledger: its price, and whether it takes payments. */
async function termsOf(sequencer: Site["sequencer"], modelId: number) {
  const leaf = await getModel(sequencer, modelId);
  const { counters, model } = leaf;
  const { priceWei } = counters;
  const notPayable = whyNotPayable(counters);
  const split = { ownerParts: BigInt(model.ownerParts), validatorParts: BigInt(model.validatorParts) };
  const { rewardWei } = drawShares(priceWei, 1, split);
  const { version } = model;
  return { priceWei, rewardWei, notPayable, version, datanetIds: approvalsOf(leaf).map(({ id }) => id) };
}

/** Page's own copy of a model. Its prompts are texts, pictures' files in base64, or rows of a table in canonical JSON. */
export type OwnCopy = CheckableModel & {
  assurance(checked: CheckedReply): ReplyAssurance;
  /** Defences of the model, in words. */
  readonly defences: string;
  readonly inputKind: PromptKind;
  /** Fields of a table that the model reads rows of, in their order; null for other kinds. */
  readonly inputFields: readonly InputField[] | null;
  /** Labels that it can answer; null for a model that writes. */
  readonly classes: readonly string[] | null;
  /** Share of its payments that is divided by citation, in thousandths; null for a model that cites no rows. */
  readonly citationPermille: number | null;
  /** Whose word vectors it counts texts by; null for a model without. */
  readonly vectors: VectorsWords | null;
  /** Rows roots of the versions that the model is of: 0x and 64 hexadecimal digits each. */
  readonly rowsRoots: readonly string[];
  /** Compares what counts of each row with the rows that the server gives to this reader; null for a model whose recipe chooses nothing. */
  compareInputs(reader: RowsReader | null): Promise<InputsFound | null>;
};

/** Copies in memory. */
const copies = new RecentAnswers<string, OwnCopy>({ maxItems: 8 });

/**
 * The page's own copy of the part of a model that answers; loaded once, some megabytes.
 * @throws ATT_SERVER_UNREACHABLE, ATT_MODEL_FILE_INVALID
 */
export function ownCopy({ serverUrl }: ServedModel): Promise<OwnCopy> {
  return copies.get(serverUrl, () => loadCopy(serverUrl));
}

async function loadCopy(serverUrl: string): Promise<OwnCopy> {
  const [{ fetchAnswering }, { openCheckable }, { versionsOf }, { fetchEstimator }, families] =
    await Promise.all([
      import("@openledger/attribution/model/model-download"),
      import("@openledger/attribution/model/model-family"),
      import("@openledger/attribution/model/recipe-fields"),
      import("@openledger/attribution/scores/paying-part"),
      knownFamilies(serverUrl),
      initPoseidon(),
    ]);
  const part = await fetchAnswering(serverUrl, families);
  const { family, recipe } = part;
  const rowsRoots = versionsOf(recipe).map(({ rowsRoot }) => rowsRoot);
  const estimateOf = await fetchEstimator(serverUrl, families, part, { maxEntries: MAX_ENTRIES });
  return {
    ...(await openCheckable(part, estimateOf)),
    inputKind: family.promptKind(recipe),
    inputFields: inputFieldsOf(recipe),
    classes: classesOf(recipe),
    citationPermille: recipe.retrieval?.citationPermille ?? null,
    vectors: vectorsWords(recipe),
    rowsRoots,
    compareInputs: (reader) =>
      compareInputs({ recipe, readRows: () => fetchRowsOf(serverUrl, rowsRoots, reader) }),
  };
}

/** Leaf whose key signs requests for rows of permissioned Datanets; none is signed where anyone may read them. */
export interface RowsReader {
  readonly client: HostAccess;
  readonly leafId: number;
}

/** Rows that a model's server gives to a reader; null where it gives none, or more than a page reads without being asked. */
async function fetchRowsOf(serverUrl: string, rowsRoots: readonly string[], reader: RowsReader | null) {
  const { fetchPublishedRows } = await import("@openledger/attribution/spans/published-spans");
  const sign = reader === null ? undefined : modelReader(reader.client, serverUrl, reader.leafId);
  const options = { maxFileBytes: MAX_COMPARED_BYTES, sign };
  const found = await fetchPublishedRows(serverUrl, await knownFamilies(serverUrl), rowsRoots, options);
  return typeof found === "string" ? null : found.rows;
}

const classesOf = (recipe: object): readonly string[] | null =>
  (recipe as { readonly classes?: readonly string[] }).classes ?? null;

/**
 * A model's recipe, with the hash of its statics, by a server of the site; null if none shows it, with the error if one failed. Rows are read
 * from the same server.
 */
export async function fetchPublished(site: Pick<Site, "answerServers" | "factoryUrl">, modelId: number) {
  const { places, problems } = await findServedLocations(site);
  const location = places.find((one) => one.modelId === modelId);
  const readRows = async ({ recipe }: PublishedRecipe, reader: RowsReader | null) => {
    const { versionsOf } = await import("@openledger/attribution/model/recipe-fields");
    const rowsRoots = versionsOf(recipe).map(({ rowsRoot }) => rowsRoot);
    return location === undefined ? null : fetchRowsOf(location.serverUrl, rowsRoots, reader);
  };
  if (location === undefined) return { published: null, readRows, problem: problems[0] ?? null };
  const [{ fetchAnswering }, families] = await Promise.all([
    import("@openledger/attribution/model/model-download"),
    knownFamilies(location.serverUrl),
    initPoseidon(),
  ]);
  try {
    return { published: await fetchAnswering(location.serverUrl, families), readRows, problem: null };
  } catch (error) {
    return { published: null, readRows, problem: problemOf(error) };
  }
}
