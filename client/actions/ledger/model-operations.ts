/**
 * Signed operations about models: an owner creates one, Datanets (repositories of rows) approve or revoke it. Prices
 * are in wei, parts of the split in 65,536ths. Commands, pages and the factory call them.
 */
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import {
  hashStatics,
  type ModelBinding,
  type ModelStatics,
  packBinding,
} from "@openledger/circuits/ledger/leaf";
import { packSplit, type RewardSplit } from "@openledger/circuits/ledger/rewards";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import type { Address } from "viem";
import type { LedgerClient } from "../../ledger-client.ts";
import {
  type SendResult,
  type SigningErrorCode,
  type SigningOptions,
  signAndSend,
} from "./send-operation.ts";
import { requireSettlingCircuit } from "./settling-circuit.ts";

export interface CreateModelParameters extends SigningOptions {
  /** Ethereum address that can force and exit the new leaf. */
  l1Owner: Address;
  /** Key that signs for the new leaf; 0 for none. */
  keyX: bigint;
  /** First balance in wei, paid by the signer; default 0. */
  amountWei?: bigint;
  /** Commitment to the registered matrix, a field element (`registerModel`). */
  featuresCommitment: bigint;
  /**
   * Commitment to the owners. It, the payee root and the binding must be those of the datanet's version, or the datanet
   * cannot approve the model.
   */
  ownersCommitment: bigint;
  payeeRoot: bigint;
  binding: ModelBinding;
  /** Minimum payment for one answer, in wei. */
  priceWei: bigint;
  /** Division of payments between the owner, the treasury and the rows. */
  split: RewardSplit;
}
export type CreateModelReturnType = SendResult;

/** The last word is priceWei | split << 96 (docs/reference/settlement.md, "Operations"). */
const SPLIT_SHIFT = 96n;

export type CreateModelErrorCode =
  | "CLI_CIRCUIT_MISSING"
  | "OP_AMOUNT_NOT_REPRESENTABLE"
  | "OP_BALANCE_TOO_LOW"
  | SigningErrorCode;

/**
 * Opens a model at the next free id. It is bound for life to one version of one datanet, and to circuits of one number of
 * features and of draws.
 * @throws CLI_CIRCUIT_MISSING, OP_AMOUNT_NOT_REPRESENTABLE, OP_BALANCE_TOO_LOW, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { keyX } = await createRandomKey();
 * const terms = { l1Owner: account.address, keyX, priceWei: parseOpen("0.2"), amountWei: parseOpen("2") };
 * // A fifth for the owner; of what rows earn, an eighth for validators. In 65,536ths.
 * const split = { ownerParts: 13_107n, validatorParts: 8_192n };
 * await createModel(client, { ...registration.statics, binding, split, ...terms });
 * ```
 */
export async function createModel(
  client: LedgerClient,
  parameters: CreateModelParameters,
): Promise<CreateModelReturnType> {
  const {
    l1Owner,
    keyX,
    amountWei,
    featuresCommitment,
    ownersCommitment,
    payeeRoot,
    binding,
    priceWei,
    split,
  } = parameters;
  const packed = packBinding(binding);
  await requireSettlingCircuit(client, modelShape({ binding: packed }, null));
  const words = [
    BigInt(l1Owner),
    keyX,
    featuresCommitment,
    ownersCommitment,
    payeeRoot,
    packed,
    priceWei | (packSplit(split) << SPLIT_SHIFT),
  ];
  return signAndSend(
    client,
    { kind: "createModel", amountCode: encodeAmount(amountWei ?? 0n), words },
    parameters,
  );
}

export interface ApproveModelParameters extends SigningOptions {
  /** The datanet: it signs for itself. */
  datanetId: number;
  modelId: number;
  /** Statics that the model was created with, as the approver has checked them. */
  statics: ModelStatics;
}
export type ApproveModelReturnType = SendResult;

export type ApproveModelErrorCode =
  | "CLI_CIRCUIT_MISSING"
  | "OP_MODEL_NOT_OF_DATANET"
  | "OP_TOO_EARLY"
  | "OP_DATANET_NOT_PUBLISHED"
  | SigningErrorCode;

/**
 * Lets a model take payments for the datanet's published version. Possible from 24 hours after the publication, by
 * batches' timestamps: 23 hours or more on L1.
 * @throws CLI_CIRCUIT_MISSING, OP_MODEL_NOT_OF_DATANET, OP_TOO_EARLY, OP_DATANET_NOT_PUBLISHED, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { hash: _hash, ...statics } = staticsOf(await getModel(client, 11));
 * await approveModel(client, { datanetId: 10, modelId: 11, statics });
 * ```
 */
export async function approveModel(
  client: LedgerClient,
  parameters: ApproveModelParameters,
): Promise<ApproveModelReturnType> {
  const { datanetId, modelId, statics } = parameters;
  await requireSettlingCircuit(client, modelShape(statics, null));
  return signAndSend(
    client,
    { kind: "approveModel", b: modelId, words: [hashStatics(statics)] },
    { ...parameters, from: datanetId },
  );
}

export interface RevokeModelParameters extends SigningOptions {
  /** The datanet: it signs for itself. */
  datanetId: number;
  modelId: number;
}
export type RevokeModelReturnType = SendResult;

export type RevokeModelErrorCode = "OP_MODEL_NOT_OF_DATANET" | SigningErrorCode;

/**
 * Stops new payments to a model; earlier payments are not changed.
 * @throws OP_MODEL_NOT_OF_DATANET, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * await revokeModel(client, { datanetId: 10, modelId: 11 });
 * ```
 */
export async function revokeModel(
  client: LedgerClient,
  parameters: RevokeModelParameters,
): Promise<RevokeModelReturnType> {
  const { datanetId, modelId } = parameters;
  return signAndSend(client, { kind: "revokeModel", b: modelId }, { ...parameters, from: datanetId });
}
