/**
 * Registration of a trained model: every refusal before its leaf is paid for, the leaf, and the activation, which somebody else may
 * prove. The command, the factory's page and command, and the devnet draw it. Prices and balances are in wei.
 */
import { attributionError } from "@openledger/attribution/attribution-errors";
import type { ModelFigure } from "@openledger/attribution/model/model-figure";
import { versionsOf } from "@openledger/attribution/model/recipe-fields";
import { operationError } from "@openledger/circuits/circuit-errors";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { hashStatics, type ModelStatics, unpackBinding } from "@openledger/circuits/ledger/leaf";
import { maxPayees, type Payee } from "@openledger/circuits/ledger/payee-shards";
import { unpackSplit } from "@openledger/circuits/ledger/rewards";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import type { SignedFigure } from "@openledger/datanets/records/signed-figure";
import type { RecipeTerms } from "@openledger/datanets/terms/terms-rule";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Address } from "viem";
import { type SignFigureErrorCode, signFigure } from "../actions/answers/model-figure.ts";
import {
  encodeSettlementBody,
  type ProvenSettlement,
  type SendSettlementErrorCode,
  type SettlementBody,
  sendSettlement,
} from "../actions/l1/send-settlement.ts";
import { signSettlement } from "../actions/l1/sign-settlement.ts";
import { type CreateModelErrorCode, createModel } from "../actions/ledger/model-operations.ts";
import type { SendResult, SigningOptions } from "../actions/ledger/send-operation.ts";
import { requireSettlingCircuit } from "../actions/ledger/settling-circuit.ts";
import { clientError } from "../client-errors.ts";
import { type LedgerClient, requireL2Key } from "../ledger-client.ts";
import { findLeaves, getInfo, getLeaf } from "../sequencer/ledger-reads.ts";
import { type GetModelErrorCode, getModel, staticsOf } from "../sequencer/model-reads.ts";
import type { LedgerModelLeaf } from "../sequencer/model-schemas.ts";
import { waitFor } from "../sequencer/wait-for.ts";
import {
  type ApprovalTerms,
  type ApprovalTermsErrorCode,
  type AskHost,
  approvalTerms,
} from "./approve-model.ts";
import { requireAmount, requireBalance, requireSigner } from "./before-signing.ts";

/** A trained model as it is registered: what the ledger binds, and the recipe that says how it was made. */
export interface RegistrableModel {
  readonly statics: ModelStatics;
  readonly staticsHash: bigint;
  readonly recipe: RecipeTerms;
  /** Figure of unseen rows, which the model's leaf signs; null or absent for a model without. */
  readonly figure?: ModelFigure | null;
  /** Payees in their places; absent where only a factory knows them: then circuits are compared without them. */
  readonly payees?: readonly Pick<Payee, "rowCount">[];
}

export interface CheckRegistrationParameters {
  model: RegistrableModel;
  /** Minimum payment for one answer: above 0, and an amount that a payment can carry. */
  priceWei: bigint;
  /** First balance of the model, paid by the signer. */
  amountWei: bigint;
  /** Can force and exit the model's leaf; its models are looked through for an earlier call's. */
  l1Owner: Address;
  /** Leaf that pays; default: the client's. */
  from?: number;
  /** Host that shows the rows' signed terms; where none answers, the terms in the recipe hold. */
  askHost: AskHost;
}
export interface CheckedRegistration {
  /** Model of an earlier call; null: it is still to be created. */
  readonly known: LedgerModelLeaf | null;
  /** Terms of each Datanet, and what they allow. */
  readonly terms: readonly (ApprovalTerms & { readonly datanetId: number })[];
  /** Leaf that pays. */
  readonly payerId: number;
}
export type CheckRegistrationErrorCode =
  | "ATT_MODEL_MISMATCH"
  | "CLI_CIRCUIT_MISSING"
  | "CLI_INPUT_INVALID"
  | "CLI_MODEL_BEGUN"
  | "OP_AMOUNT_NOT_REPRESENTABLE"
  | "OP_BAD_SIGNATURE"
  | "OP_BALANCE_TOO_LOW"
  | "OP_DATANET_NOT_PUBLISHED"
  | "OP_MODEL_NOT_OF_DATANET"
  | "OP_WRONG_LEAF_KIND"
  | ApprovalTermsErrorCode
  | GetModelErrorCode;

/**
 * Checks that a model can be registered, and of use then. Nothing is signed.
 * @throws CLI_INPUT_INVALID for a price of 0; OP_AMOUNT_NOT_REPRESENTABLE for a price that no payment can carry; ATT_MODEL_MISMATCH
 *   where the hash is not that of the statics; OP_WRONG_LEAF_KIND, OP_DATANET_NOT_PUBLISHED; OP_MODEL_NOT_OF_DATANET for an earlier
 *   version than the present one; DNT_TERMS_FORBID naming the rows that stand in the way; CLI_CIRCUIT_MISSING where no circuit settles
 *   it; CLI_MODEL_BEGUN where an earlier call has created it at another price; OP_BAD_SIGNATURE, OP_BALANCE_TOO_LOW
 * @example
 * ```ts
 * const { known } = await checkRegistration(client, {
 *   model: published,
 *   priceWei: parseOpen("0.5"),
 *   amountWei: parseOpen("1"),
 *   l1Owner: account.address,
 *   askHost: (ask) => ask(hostUrl),
 * });
 * ```
 */
export async function checkRegistration(
  client: LedgerClient,
  { amountWei, askHost, from, l1Owner, model, priceWei }: CheckRegistrationParameters,
): Promise<CheckedRegistration> {
  requireAmount(priceWei);
  encodeAmount(priceWei);
  encodeAmount(amountWei);
  const { payees = null, recipe, statics, staticsHash } = model;
  if (hashStatics(statics) !== staticsHash)
    throw attributionError("ATT_MODEL_MISMATCH", "the hash of the model's statics is another than theirs", {
      data: { what: "statics", published: hex32(staticsHash), computed: hex32(hashStatics(statics)) },
    });
  const payer = await requireSigner(client, from);
  const known = await findRegistered(client, l1Owner, { priceWei, staticsHash });
  if (known?.counters.isReady === true) return { known, terms: [], payerId: payer.id };
  const terms: CheckedRegistration["terms"][number][] = [];
  for (const { id: datanetId } of versionsOf(recipe))
    terms.push({ ...(await approvalTerms(client, { datanetId, recipe, askHost })), datanetId });
  await requireVersion(client, statics);
  await requireSettlingCircuit(client, modelShape(statics, payees));
  if (payees !== null) await requirePayeeTable(client, payees);
  if (known === null) await requireBalance(client, payer, "createModel", amountWei);
  return { known, terms, payerId: payer.id };
}

/** @throws OP_WRONG_LEAF_KIND, OP_DATANET_NOT_PUBLISHED, OP_MODEL_NOT_OF_DATANET */
async function requireVersion(client: LedgerClient, { binding }: ModelStatics): Promise<void> {
  const { datanetId: id, version } = unpackBinding(binding);
  const datanetId = Number(id);
  const { datanet } = await getLeaf(client, datanetId);
  if (datanet == null)
    throw operationError("OP_WRONG_LEAF_KIND", `leaf ${datanetId} is no datanet`, {
      data: { id: datanetId, needed: "datanet" },
    });
  if (datanet.version === 0)
    throw operationError("OP_DATANET_NOT_PUBLISHED", `datanet ${datanetId} has no published version`, {
      data: { id: datanetId },
    });
  if (datanet.version === Number(version)) return;
  throw operationError(
    "OP_MODEL_NOT_OF_DATANET",
    `the model is of version ${version}, and datanet ${datanetId} has version ${datanet.version}: nobody could approve it`,
    { data: { datanetId, field: "version" } },
  );
}

/** @throws CLI_CIRCUIT_MISSING */
async function requirePayeeTable(
  client: LedgerClient,
  payees: readonly Pick<Payee, "rowCount">[],
): Promise<void> {
  const { circuits } = await getInfo(client);
  const needed = maxPayees(payees);
  if (circuits.some(({ name, size1 }) => name.startsWith("payee-table-") && size1 >= needed)) return;
  throw clientError(
    "CLI_CIRCUIT_MISSING",
    `no circuit of the rollup is for a payee table of ${needed} payees`,
    {
      data: { reason: "no-payee-table", payees: needed, circuits: circuits.map(({ name }) => name) },
    },
  );
}

/**
 * Model of the owner with these statics, of an earlier call: registered at this price, or created and not activated.
 * @throws CLI_MODEL_BEGUN
 */
async function findRegistered(
  client: LedgerClient,
  l1Owner: Address,
  { priceWei, staticsHash }: { readonly priceWei: bigint; readonly staticsHash: bigint },
): Promise<LedgerModelLeaf | null> {
  for (const { id, kind } of await findLeaves(client, { owner: l1Owner })) {
    if (kind !== "model") continue;
    const leaf = await getModel(client, id);
    if (staticsOf(leaf).hash !== staticsHash) continue;
    const { isReady, priceWei: itsWei } = leaf.counters;
    if (itsWei === priceWei) return leaf;
    // A price is for life: one that is registered may have a twin at another price.
    if (isReady) continue;
    throw clientError(
      "CLI_MODEL_BEGUN",
      `model ${id} was created of the same rows at ${itsWei} wei an answer, and waits for its activation`,
      { data: { modelId: id, priceWei: itsWei.toString(), givenWei: priceWei.toString() } },
    );
  }
  return null;
}

export interface CreateRegisteredParameters
  extends CheckRegistrationParameters,
    Pick<SigningOptions, "onSigned"> {}
export interface CreateRegisteredReturnType extends CheckedRegistration {
  readonly leaf: LedgerModelLeaf;
  /** The creation; null where an earlier call has created it. */
  readonly sent: SendResult | null;
}
export type CreateRegisteredErrorCode =
  | "CLI_OPERATION_DROPPED"
  | "CLI_WAIT_ENDED"
  | CheckRegistrationErrorCode
  | CreateModelErrorCode;

/**
 * Checks as `checkRegistration` does, and creates the model's leaf, whose key is the client's; only once, however often it is called.
 * @throws as `checkRegistration`; CLI_PRECONFIRMATION_INVALID, CLI_OPERATION_DROPPED, CLI_WAIT_ENDED
 * @example
 * ```ts
 * const { leaf } = await createRegistered(client, {
 *   model: published,
 *   priceWei: parseOpen("0.5"),
 *   amountWei: parseOpen("1"),
 *   l1Owner: account.address,
 *   askHost: (ask) => ask(hostUrl),
 * });
 * ```
 */
export async function createRegistered(
  client: LedgerClient,
  { onSigned, ...parameters }: CreateRegisteredParameters,
): Promise<CreateRegisteredReturnType> {
  const checked = await checkRegistration(client, parameters);
  if (checked.known !== null) return { ...checked, leaf: checked.known, sent: null };
  const { amountWei, l1Owner, model, priceWei } = parameters;
  const { binding, split, ...commitments } = model.statics;
  const sent = await createModel(client, {
    ...commitments,
    ...{ amountWei, l1Owner, priceWei, from: checked.payerId, keyX: requireL2Key(client).keyX },
    binding: unpackBinding(binding),
    split: unpackSplit(split),
    ...(onSigned && { onSigned }),
  });
  const { operation } = await waitFor(client, { hash: sent.hash }, "acknowledged");
  return { ...checked, leaf: await getModel(client, operation!.createdId!), sent };
}

export interface ActivateModelParameters {
  modelId: number;
  /** Proves the activation of this leaf; what comes back lacks the model's signature. */
  prove: (leaf: LedgerModelLeaf) => Promise<ProvenSettlement>;
  /** Client with the model's key; default: `client`. */
  signer?: (leaf: LedgerModelLeaf) => Promise<LedgerClient>;
  /** Signed activation of an earlier call, as `onProven` has handed it over. */
  saved?: SettlementBody | undefined;
  onProven?: (body: SettlementBody) => void | Promise<void>;
  onProgress?: (progress: RegisterProgress) => void;
}
export type ActivateModelErrorCode =
  | "CLI_ANSWER_INVALID"
  | "CLI_NOT_CONFIGURED"
  | GetModelErrorCode
  | SendSettlementErrorCode;

/**
 * Has a created model's activation proven, signs it with the model's key, and sends it. Nothing is done for a model that is ready.
 * @throws CLI_ANSWER_INVALID where the activation is another model's; CLI_NOT_CONFIGURED, SEQ_SETTLEMENT_INVALID; what `prove` throws
 * @example
 * ```ts
 * await activateModel(client, { modelId: 11, prove: async () => settlement });
 * ```
 */
export async function activateModel(
  client: LedgerClient,
  { modelId, onProgress, onProven, prove, saved, signer = async () => client }: ActivateModelParameters,
): Promise<void> {
  const leaf = await getModel(client, modelId);
  if (leaf.counters.isReady) return;
  let body = saved;
  if (body === undefined) {
    // Before the proof: a key that is missing would waste it.
    const key = await signer(leaf);
    requireL2Key(key);
    onProgress?.({ step: "proving" });
    const proven = await prove(leaf);
    if (proven.kind !== "activation" || proven.modelId !== modelId)
      throw clientError("CLI_ANSWER_INVALID", `what was proven is not the activation of model ${modelId}`, {
        data: { server: "factory", modelId, kind: proven.kind, given: proven.modelId },
      });
    body = encodeSettlementBody(signSettlement(key, leaf, proven));
    await onProven?.(body);
  }
  onProgress?.({ step: "sending" });
  await sendSettlement(client, body);
}

/** Step of the task, for those who watch it. */
export interface RegisterProgress {
  readonly step: "checking" | "creating" | "proving" | "sending";
}

export interface RegisterOnLedgerParameters
  extends CreateRegisteredParameters,
    Pick<ActivateModelParameters, "onProgress" | "prove" | "signer"> {}
export interface RegisterOnLedgerReturnType extends CreateRegisteredReturnType {
  readonly modelId: number;
  /** True if the ledger had the model ready, at this price: nothing was sent. */
  readonly wasRegistered: boolean;
  /** The model's figure, signed by its leaf, for its server to show; null for a model without. */
  readonly figure: SignedFigure | null;
}
export type RegisterOnLedgerErrorCode =
  | CreateRegisteredErrorCode
  | ActivateModelErrorCode
  | SignFigureErrorCode;

/**
 * Registers a trained model: checks it, creates its leaf, activates it, and signs its figure. A second call goes on after an
 * interruption; for a model that is ready it sends nothing, and signs the figure again, also with a new key of the leaf.
 * @throws as `createRegistered`, `activateModel` and `signFigure`
 * @example
 * ```ts
 * const { modelId } = await registerOnLedger(client, {
 *   model: published,
 *   priceWei: parseOpen("0.5"),
 *   amountWei: parseOpen("1"),
 *   l1Owner: account.address,
 *   askHost: (ask) => ask(hostUrl),
 *   prove: async () => settlement,
 * });
 * ```
 */
export async function registerOnLedger(
  client: LedgerClient,
  { onProgress, prove, signer, ...parameters }: RegisterOnLedgerParameters,
): Promise<RegisterOnLedgerReturnType> {
  onProgress?.({ step: "checking" });
  const { onSigned } = parameters;
  const created = await createRegistered(client, {
    ...parameters,
    onSigned: async (signed) => {
      onProgress?.({ step: "creating" });
      await onSigned?.(signed);
    },
  });
  const { id: modelId, counters } = created.leaf;
  await activateModel(client, {
    modelId,
    prove,
    ...(signer && { signer }),
    ...(onProgress && { onProgress }),
  });
  return { ...created, modelId, wasRegistered: counters.isReady, figure: await signOwnFigure() };

  async function signOwnFigure(): Promise<SignedFigure | null> {
    const { figure = null, recipe } = parameters.model;
    if (figure === null) return null;
    const { leaf } = created;
    const key = (await signer?.(leaf)) ?? client;
    return signFigure(key, { leaf, figure, versionRoot: recipe.datanet.rowsRoot });
  }
}

/**
 * Asks the first of some hosts that has the Datanet and shows it to the client; none of them: null.
 * @example
 * ```ts
 * const askHost = firstHostOf([hostUrl, otherUrl]);
 * const { terms } = await approvalTerms(client, { datanetId: 10, recipe: published.recipe, askHost });
 * ```
 */
export function firstHostOf(hostUrls: readonly string[]): AskHost {
  return async (ask) => {
    for (const hostUrl of hostUrls)
      try {
        return await ask(hostUrl);
      } catch (error) {
        // Lists of plain digests of a permissioned Datanet are for its readers: what is not shown is not known.
        if (!isRollupError(error, "DNT_NOT_HOSTED") && !isRollupError(error, "DNT_REQUEST_UNSIGNED"))
          throw error;
      }
    return null;
  };
}
