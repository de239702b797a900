/**
 * Approval of a model by a Datanet's owner: the grounds, every refusal, the signature, and its end. The command, the page and the
 * devnet draw it; training again is a function of models/, which the caller passes.
 */
import { attributionError } from "@openledger/attribution/attribution-errors";
import { type VectorsWords, vectorsWords } from "@openledger/attribution/inputs/released-vectors";
import { DIRECT, type ModelTerms, versionsOf } from "@openledger/attribution/model/recipe-fields";
import { operationError } from "@openledger/circuits/circuit-errors";
import { APPROVAL_DELAY_SECONDS } from "@openledger/circuits/protocol";
import { type RecipeTerms, requireRecipeTerms } from "@openledger/datanets/terms/terms-rule";
import { hex32 } from "@openledger/foundation/hex";
import { readHistory } from "../actions/data/list-commits.ts";
import {
  type ApproveModelErrorCode,
  approveModel,
  type RevokeModelErrorCode,
  type RevokeModelParameters,
  revokeModel,
} from "../actions/ledger/model-operations.ts";
import type { SendResult, SigningOptions } from "../actions/ledger/send-operation.ts";
import { clientError } from "../client-errors.ts";
import type { HostAccess } from "../datanets/host-request.ts";
import { type RequireApprovableErrorCode, requireApprovable } from "../datanets/signed-terms.ts";
import { findVerified, type Verification } from "../datanets/verified-records.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getLeaf, getStatus } from "../sequencer/ledger-reads.ts";
import { approvalsOf, type GetModelErrorCode, getModel, staticsOf } from "../sequencer/model-reads.ts";
import type { LedgerModelLeaf } from "../sequencer/model-schemas.ts";
import type { InputsFound } from "./inputs-words.ts";

/** Words of the choice that goes on without a recomputation: the command's option and the page's tick. @internal */
export const SKIP_RECOMPUTATION =
  "approve without training the model again: you take its rows' scores on trust";

/** Words about an approval that was given by that choice. @internal */
export const notRecomputedWords = (modelId: number): string =>
  `model ${modelId} was not recomputed: nothing here shows that its scores are those of its rows`;

/** A model's recipe, with the hash of the statics that it is published with, by its server or a folder. */
export interface PublishedRecipe {
  readonly recipe: RecipeTerms;
  readonly staticsHash: bigint;
}

/** Asks a host of the Datanet; null where nobody named one, and none that is known has the Datanet and answers. */
export type AskHost = <Answer>(ask: (hostUrl: string) => Promise<Answer>) => Promise<Answer | null>;

export interface ApprovalTermsParameters {
  datanetId: number;
  /** Recipe of the model; undefined if nobody shows it. */
  recipe: RecipeTerms | undefined;
  askHost: AskHost;
}
export interface ApprovalTerms {
  /** Terms of the model and of its rows, by the host, else by the recipe; null where neither has any. */
  readonly terms: ModelTerms | null;
  readonly isRecipeRead: boolean;
  /** Whose word vectors the model counts texts by; null for a model without, or a recipe that nobody shows. */
  readonly vectors: VectorsWords | null;
  /** Rows of the version whose terms the recipe names, where no host was asked; null for terms of a host, or for none. */
  readonly byRecipe: { readonly namedCount: number; readonly rowCount: number | null } | null;
}
export type ApprovalTermsErrorCode = RequireApprovableErrorCode;

/**
 * Applies the rule of the rows' terms to a model that answers for pay: by the terms that a host shows, else by those that the recipe
 * binds. A recipe's word about some rows is no word about the others.
 * @throws DNT_TERMS_FORBID naming the rows that stand in the way; DNT_NOT_HOSTED where `askHost` passes it on
 * @example
 * ```ts
 * const askHost: AskHost = (ask) => ask(hostUrl);
 * const { terms } = await approvalTerms(client, { datanetId: 10, recipe: published.recipe, askHost });
 * ```
 */
export async function approvalTerms(
  client: HostAccess,
  { askHost, datanetId, recipe }: ApprovalTermsParameters,
): Promise<ApprovalTerms> {
  const isRecipeRead = recipe !== undefined;
  const vectors = recipe === undefined ? null : vectorsWords(recipe);
  const hosted = await askHost((hostUrl) => requireApprovable(client, { hostUrl, datanetId, recipe }));
  const bound = recipe === undefined ? null : requireRecipeTerms(recipe, { use: "paid" });
  if (hosted !== null || bound === null) return { terms: hosted, isRecipeRead, vectors, byRecipe: null };
  const { version = 0 } = versionsOf(recipe!).find(({ id }) => id === datanetId) ?? {};
  const { versions } = await readHistory(client, datanetId);
  const rowCount = versions[version - 1]?.rowCount ?? null;
  const namedCount = recipe!
    .terms!.rows.filter(({ datanet }) => datanet === datanetId)
    .reduce((sum, one) => sum + one.rowCount, 0);
  return { terms: bound, isRecipeRead, vectors, byRecipe: { namedCount, rowCount } };
}

/**
 * State of a model for one of its Datanets. "early": a model of several Datanets, which its activation must open first. "old": of an
 * earlier version, which nobody can approve any more.
 */
export type ApprovalState = "earns" | "approved" | "waits" | "wants" | "early" | "old";

/**
 * Reads the state off a model's leaf. An approval outlives its version. The ledger names no version of a further Datanet.
 * @example
 * ```ts
 * const state = approvalState(await getModel(client, 11), { id: 10, version: 2 });
 * ```
 */
export function approvalState(
  leaf: LedgerModelLeaf,
  { id, version }: { readonly id: number; readonly version: number },
): ApprovalState {
  const { counters, model } = leaf;
  if (counters.isApproved) return counters.isReady ? "earns" : "approved";
  if (approvalsOf(leaf).some((one) => one.id === id && one.hasApproved)) return "waits";
  if (model.datanetId === id && model.version !== version) return "old";
  // Its activation shows the ledger whose payees are which Datanet's.
  return model.furtherDatanets.length > 0 && !counters.isReady ? "early" : "wants";
}

/** Who has trained the model again, and found the same bytes; "nobody" where the caller has chosen to go on without. */
export type Recomputation =
  | { readonly by: "approver" }
  | { readonly by: "others"; readonly records: readonly Verification[] }
  | { readonly by: "nobody" };

export interface ApprovalGroundsParameters {
  datanetId: number;
  modelId: number;
  askHost: AskHost;
  /** Reads the model's recipe; null where nobody shows it. */
  readPublished: () => Promise<PublishedRecipe | null>;
  /**
   * Trains the model again and compares every byte. It calls `onPublished` with the model as it is published, and awaits it, before
   * it computes, and says whether the recipe's inputs are those that the rows give, null for a model that chooses none. Absent:
   * recomputations that others have signed count.
   */
  recompute?: (
    onPublished: (published: PublishedRecipe) => Promise<void>,
  ) => Promise<{ readonly areInputsOfRows: boolean | null }>;
  /**
   * Compares the recipe's inputs with those that the model's rows give, where the caller does not train on them; null for a model that
   * chooses none. Absent: they are not compared.
   */
  compareInputs?: (published: PublishedRecipe) => Promise<InputsFound | null>;
  /** Datanet hosts whose signed recomputations count where the caller cannot recompute. */
  hostUrls?: readonly string[];
  /** True goes on without any recomputation, by the approver's explicit choice. */
  skipRecomputation?: boolean;
}
export interface ApprovalGrounds extends ApprovalTerms {
  /** Whether the recipe's inputs are those that its rows give; null for a model that chooses none, or a recipe that nobody shows. */
  readonly inputs: InputsFound | null;
  readonly recomputation: Recomputation;
  /** False where the approver has chosen to go on without. */
  readonly isRecomputed: boolean;
}
export type ApprovalGroundsErrorCode =
  | "ATT_MODEL_MISMATCH"
  | "ATT_NOT_RECOMPUTED"
  | "ATT_LABELS_MISMATCH"
  | "ATT_RECIPE_INVALID"
  | "ATT_ROWS_MISMATCH"
  | ApprovalTermsErrorCode
  | GetModelErrorCode;

/**
 * Checks the grounds of an approval: the recipe is the registered model's, the terms of the rows allow answers for pay, and somebody
 * has trained the model again and found the same bytes. The caller does so (`recompute`), or others have signed that they did: records
 * by the ledger's present keys, none of them by the model's owner, and none that names a difference.
 * @throws ATT_MODEL_MISMATCH for the recipe of another model, and naming the first difference; DNT_TERMS_FORBID naming the rows that
 *   stand in the way; ATT_NOT_RECOMPUTED where nobody has, or somebody found other bytes; as `compareInputs` throws
 * @example
 * ```ts
 * const readPublished = async () => published;
 * const grounds = await approvalGrounds(client, {
 *   datanetId: 10,
 *   modelId: 11,
 *   askHost: (ask) => ask(hostUrl),
 *   hostUrls: [hostUrl],
 *   readPublished,
 * });
 * ```
 */
export async function approvalGrounds(
  client: HostAccess,
  { askHost, datanetId, hostUrls = [], modelId, ...how }: ApprovalGroundsParameters,
): Promise<ApprovalGrounds> {
  const termsOf = async (published: PublishedRecipe | null) => {
    if (published !== null) requireRegistered(published, await getModel(client, modelId));
    return approvalTerms(client, { datanetId, recipe: published?.recipe, askHost });
  };
  if (how.recompute !== undefined && how.skipRecomputation !== true) {
    let terms: ApprovalTerms | null = null;
    // Before the training, which takes longer.
    const { areInputsOfRows } = await how.recompute(async (published) => {
      terms = await termsOf(published);
    });
    const inputs = areInputsOfRows === null ? null : areInputsOfRows ? "of-rows" : "others";
    const recomputation = { by: "approver" } as const;
    return { ...(terms ?? (await termsOf(null))), inputs, recomputation, isRecomputed: true };
  }
  const published = await how.readPublished();
  const terms = await termsOf(published);
  if (how.skipRecomputation === true) {
    const inputs = await inputsOf(published, how);
    return { ...terms, inputs, recomputation: { by: "nobody" }, isRecomputed: false };
  }
  const records = await requireRecomputed(client, await getModel(client, modelId), hostUrls);
  const inputs = await inputsOf(published, how);
  return { ...terms, inputs, recomputation: { by: "others", records }, isRecomputed: true };
}

async function inputsOf(
  published: PublishedRecipe | null,
  { compareInputs }: Pick<ApprovalGroundsParameters, "compareInputs">,
): Promise<InputsFound | null> {
  if (published === null) return null;
  if (compareInputs !== undefined) return compareInputs(published);
  return (published.recipe as { readonly family?: unknown }).family === DIRECT ? "not-compared" : null;
}

/** @throws ATT_MODEL_MISMATCH for the recipe of another model */
function requireRegistered({ staticsHash }: PublishedRecipe, model: LedgerModelLeaf): void {
  const [published, registered] = [hex32(staticsHash), hex32(staticsOf(model).hash)];
  if (published === registered) return;
  throw attributionError(
    "ATT_MODEL_MISMATCH",
    `statics: ${published} is published, ${registered} is registered as model ${model.id}`,
    { data: { what: "statics", published, computed: registered } },
  );
}

/** Recomputations of the model by others than its owner, none of which found a difference. @throws ATT_NOT_RECOMPUTED */
async function requireRecomputed(
  client: HostAccess,
  model: LedgerModelLeaf,
  hostUrls: readonly string[],
): Promise<Verification[]> {
  const { id: modelId, l1Owner } = model;
  const datanetIds = approvalsOf(model).map(({ id }) => id);
  const { verifications } = await findVerified(client, { hostUrls, datanetIds, modelId });
  const differing = verifications.filter(({ difference }) => difference !== null);
  if (differing.length > 0)
    throw attributionError("ATT_NOT_RECOMPUTED", `a recomputation of model ${modelId} gave different bytes`, {
      data: { reason: "differs", modelId, leafIds: differing.map(({ leafId }) => leafId) },
    });
  const same = verifications.filter(({ epoch }) => epoch === null);
  const leaves = await Promise.all(same.map(({ leafId }) => getLeaf(client, leafId)));
  // Attack: the owner of a model signs that it was recomputed.
  const ofOthers = same.filter((_, i) => leaves[i]!.l1Owner.toLowerCase() !== l1Owner.toLowerCase());
  if (ofOthers.length > 0) return ofOthers;
  throw attributionError("ATT_NOT_RECOMPUTED", `nobody has recomputed model ${modelId} yet`, {
    data: { reason: "nobody", modelId, leafIds: [] },
  });
}

export type CheckApprovalErrorCode =
  | "CLI_MODEL_APPROVED"
  | "CLI_TOO_EARLY"
  | "OP_DATANET_NOT_PUBLISHED"
  | "OP_MODEL_NOT_OF_DATANET"
  | "OP_MODEL_NOT_READY"
  | "OP_WRONG_LEAF_KIND"
  | ApprovalGroundsErrorCode;

/**
 * Checks whether a Datanet may approve a model now: by the ledger, then the grounds (`approvalGrounds`). Nothing is signed.
 * @throws OP_WRONG_LEAF_KIND, OP_DATANET_NOT_PUBLISHED, OP_MODEL_NOT_OF_DATANET, OP_MODEL_NOT_READY, CLI_MODEL_APPROVED,
 *   CLI_TOO_EARLY, ATT_MODEL_MISMATCH, DNT_TERMS_FORBID, ATT_NOT_RECOMPUTED
 * @example
 * ```ts
 * const approval = {
 *   datanetId: 10,
 *   modelId: 11,
 *   askHost: (ask) => ask(hostUrl),
 *   hostUrls: [hostUrl],
 *   readPublished: async () => published,
 * } satisfies ApprovalGroundsParameters;
 * const { recomputation } = await checkApproval(client, approval);
 * await signApproval(client, approval);
 * ```
 */
export async function checkApproval(
  client: HostAccess,
  parameters: ApprovalGroundsParameters,
): Promise<ApprovalGrounds> {
  await requireLedgerAllows(client, parameters);
  return approvalGrounds(client, parameters);
}

async function requireLedgerAllows(
  client: HostAccess,
  { datanetId, modelId }: Pick<ApprovalGroundsParameters, "datanetId" | "modelId">,
): Promise<void> {
  const [{ datanet }, model, { l1 }] = await Promise.all([
    getLeaf(client, datanetId),
    getModel(client, modelId),
    getStatus(client),
  ]);
  const ids = { datanetId, modelId };
  if (datanet == null)
    throw operationError("OP_WRONG_LEAF_KIND", `leaf ${datanetId} is no datanet`, {
      data: { id: datanetId, needed: "datanet" },
    });
  const { publishedAt, version } = datanet;
  if (version === 0)
    throw operationError("OP_DATANET_NOT_PUBLISHED", `datanet ${datanetId} has no published version`, {
      data: { id: datanetId },
    });
  const differs = (field: string) =>
    operationError("OP_MODEL_NOT_OF_DATANET", `model ${modelId}'s ${field} is not datanet ${datanetId}'s`, {
      data: { ...ids, field },
    });
  if (!approvalsOf(model).some(({ id }) => id === datanetId)) throw differs("datanet");
  const state = approvalState(model, { id: datanetId, version });
  if (state === "old") throw differs("version");
  if (state === "early")
    throw operationError(
      "OP_MODEL_NOT_READY",
      `model ${modelId} is of several datanets, and has had no activation, which shows their tables`,
      { data: { id: modelId } },
    );
  // The ledger takes a second approval, for a fee, where no other one is missing.
  if (state !== "wants")
    throw clientError("CLI_MODEL_APPROVED", `datanet ${datanetId} has approved model ${modelId} already`, {
      data: ids,
    });
  const allowedAtSeconds = publishedAt + APPROVAL_DELAY_SECONDS;
  if (l1.timestamp >= allowedAtSeconds) return;
  const when = new Date(allowedAtSeconds * 1000).toISOString();
  throw clientError(
    "CLI_TOO_EARLY",
    `contributors have 23 hours or more to look at a version: approve from ${when} on, by the batches' time`,
    { data: { reason: "too-early", allowedAtSeconds, l1Seconds: l1.timestamp } },
  );
}

export interface SignApprovalParameters extends ApprovalGroundsParameters, Pick<SigningOptions, "onSigned"> {}
export interface SignApprovalReturnType {
  readonly sent: SendResult;
  readonly grounds: ApprovalGrounds;
}
export type SignApprovalErrorCode = CheckApprovalErrorCode | ApproveModelErrorCode;

/**
 * Checks as `checkApproval` does, at the signature, since contributors may have signed other terms meanwhile; then approves the model
 * with the statics that the ledger has. The client's key must be the Datanet's.
 * @throws as `checkApproval`; CLI_CIRCUIT_MISSING where no circuit settles the model
 * @example
 * ```ts
 * const { sent, grounds } = await signApproval(client, {
 *   datanetId: 10,
 *   modelId: 11,
 *   askHost: (ask) => ask(hostUrl),
 *   readPublished: async () => published,
 *   skipRecomputation: true,
 * });
 * ```
 */
export async function signApproval(
  client: LedgerClient,
  { onSigned, ...parameters }: SignApprovalParameters,
): Promise<SignApprovalReturnType> {
  const { datanetId, modelId } = parameters;
  const grounds = await checkApproval(client, parameters);
  const { hash: _hash, ...statics } = staticsOf(await getModel(client, modelId));
  const signing = onSigned === undefined ? {} : { onSigned };
  return { sent: await approveModel(client, { datanetId, modelId, statics, ...signing }), grounds };
}

export type RevokeApprovalErrorCode = RevokeModelErrorCode;

/**
 * Ends a model's payments; earlier ones are settled. Any of the model's Datanets may, at any time, and gives no ground.
 * @throws OP_MODEL_NOT_OF_DATANET
 * @example
 * ```ts
 * await revokeApproval(client, { datanetId: 10, modelId: 11 });
 * ```
 */
export function revokeApproval(client: LedgerClient, parameters: RevokeModelParameters): Promise<SendResult> {
  return revokeModel(client, parameters);
}
