/** Asks a model's server: a language model in the batch of all that its base answers, any other model by its own routes. */
import { type AskModelParameters, askAdapter, askModel } from "@openledger/client/actions/answers/ask-model";
import type { CheckableModel, UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { isRollupError } from "@openledger/foundation/rollup-error";

/** Codes of a server that has no batch for this asker: its base is elsewhere, or its keys are for others. */
const NO_BATCH = ["MOD_SERVE_MODEL_UNKNOWN", "SRV_UNKNOWN_ROUTE", "SRV_UNAUTHORIZED"];

/** @throws as `askModel` and `askAdapter` */
export async function askServer(
  client: LedgerClient,
  model: CheckableModel,
  question: AskModelParameters,
): Promise<UncheckedAnswer> {
  const { serverUrl } = question;
  const rootUrl = serverUrl.replace(/\/ledger\/\d+\/*$/, "");
  if (model.chat === undefined || rootUrl === serverUrl) return askModel(client, question);
  try {
    return await askAdapter(client, { ...question, serverUrl: rootUrl });
  } catch (error) {
    if (!isRollupError(error) || !NO_BATCH.includes(error.code)) throw error;
    return askModel(client, question);
  }
}

/** True if the server has an answer of this account for another question, which can be paid for. */
export function isUnpaid(error: unknown): boolean {
  if (!isRollupError(error)) return false;
  const { reason } = error.data as { reason?: unknown };
  if (error.code === "ATT_ANSWER_UNPAID") return reason !== "left-unpaid";
  return error.code === "MOD_SERVE_UNPAID" && reason === "ATT_ANSWER_UNPAID";
}
