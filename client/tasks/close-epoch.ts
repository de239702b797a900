/**
 * Close of a model's open epoch, so that its payments are divided: every refusal before the signature, and what was closed. The
 * command, the page, the settling daemon and the devnet draw it. Amounts are in wei.
 */
import { operationError } from "@openledger/circuits/circuit-errors";
import { EPOCH_SECONDS } from "@openledger/circuits/protocol";
import { type CloseEpochErrorCode, closeEpoch } from "../actions/ledger/reward-operations.ts";
import type { SendResult, SigningOptions } from "../actions/ledger/send-operation.ts";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getStatus } from "../sequencer/ledger-reads.ts";
import { countPayments, type GetModelErrorCode, getModel } from "../sequencer/model-reads.ts";
import { requireSigner } from "./before-signing.ts";

export interface CloseModelEpochParameters extends Pick<SigningOptions, "onSigned"> {
  modelId: number;
  /** Leaf that signs and pays the fee; default: the model. Any other has to wait until the epoch has lasted a day. */
  from?: number;
}
export interface CloseModelEpochReturnType {
  readonly sent: SendResult;
  readonly epoch: number;
  /** Payments of the closed epoch, by the ledger after the close. */
  readonly paymentCount: number;
  readonly amountWei: bigint;
}
export type CloseModelEpochErrorCode =
  | "CLI_TOO_EARLY"
  | "OP_BAD_SIGNATURE"
  | "OP_EPOCH_UNSETTLED"
  | "OP_MODEL_NOT_READY"
  | "OP_NOTHING_TO_CLOSE"
  | GetModelErrorCode
  | CloseEpochErrorCode;

/**
 * Closes a model's open epoch.
 * @throws CLI_LEAF_NOT_FOUND, OP_WRONG_LEAF_KIND, OP_MODEL_NOT_READY; OP_EPOCH_UNSETTLED while an earlier epoch waits for its
 *   settlement; OP_NOTHING_TO_CLOSE without a payment; OP_BAD_SIGNATURE for another leaf's key; CLI_TOO_EARLY where another leaf than
 *   the model closes it within a day; SEQ_TOO_EARLY, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { epoch, amountWei, sent } = await closeModelEpoch(client, { modelId: 11 });
 * await waitFor(client, { hash: sent.hash }, "posted");
 * ```
 */
export async function closeModelEpoch(
  client: LedgerClient,
  { modelId, from = modelId, onSigned }: CloseModelEpochParameters,
): Promise<CloseModelEpochReturnType> {
  const { closedEpoch, counters, model, openAmountWei } = await getModel(client, modelId);
  const { epoch, isReady, paymentCount } = counters;
  const data = { id: modelId };
  if (!isReady)
    throw operationError("OP_MODEL_NOT_READY", `model ${modelId} has had no activation`, { data });
  if (closedEpoch !== null)
    throw operationError(
      "OP_EPOCH_UNSETTLED",
      `epoch ${closedEpoch.epoch} of model ${modelId} is closed and not settled`,
      { data },
    );
  if (openAmountWei === 0n)
    throw operationError("OP_NOTHING_TO_CLOSE", `epoch ${epoch} of model ${modelId} has no payment`, {
      data,
    });
  await requireSigner(client, from);
  if (from !== modelId) await requireOver(client, modelId, model.epochStart + EPOCH_SECONDS);
  const sent = await closeEpoch(client, { modelId, from, ...(onSigned && { onSigned }) });
  // Payments that came until the close are in the epoch, too. A pending close waits for an earlier nonce.
  const { closedEpoch: closed } = await getModel(client, modelId);
  const isClosed = closed?.epoch === epoch;
  return {
    ...{ sent, epoch },
    paymentCount: isClosed ? await countPayments(client, modelId, epoch) : paymentCount,
    amountWei: isClosed ? closed.amountWei : openAmountWei,
  };
}

/** @throws CLI_TOO_EARLY until a batch may have this time */
async function requireOver(client: LedgerClient, modelId: number, allowedAtSeconds: number): Promise<void> {
  const { l1 } = await getStatus(client);
  if (l1.timestamp >= allowedAtSeconds) return;
  const when = new Date(allowedAtSeconds * 1000).toISOString();
  throw clientError(
    "CLI_TOO_EARLY",
    `until ${when}, by the batches' time, only model ${modelId} itself closes its epoch`,
    { data: { reason: "epoch-not-over", allowedAtSeconds, l1Seconds: l1.timestamp } },
  );
}
