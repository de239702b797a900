/** Asks a model's server: a language model in the batch of all that its base answers, any other model by its own routes. */
import { type AskModelParameters, askAdapter, askModel } from "@openledger/client/actions/answers/ask-model";
import type { CheckableModel, UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { isServersWord } from "@openledger/client/server-refusal";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { z } from "zod";
import { gatewayError } from "../gateway-errors.ts";

/** Codes of a server that has no batch for this asker: its base is elsewhere, or its keys are for others. */
const NO_BATCH = ["MOD_SERVE_MODEL_UNKNOWN", "SRV_UNKNOWN_ROUTE", "SRV_UNAUTHORIZED"];

/** True where the model's own routes have the answer sealed: no batch gives it. */
const isSealedInBatch = ({ code, data }: RollupError): boolean =>
  code === "MOD_SERVE_UNPAID" && (data as { reason?: unknown }).reason === "sealed";

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
    if (!isRollupError(error) || !(NO_BATCH.includes(error.code) || isSealedInBatch(error))) throw error;
    return askModel(client, question);
  }
}

/** Answer of this account that its server waits to be paid for, as the server tells. */
export interface OpenAnswer {
  readonly receipt: string | null;
  /** Message that its asker has signed; null where the server, an older one, does not tell. */
  readonly ask: string | null;
  /** Time at which it lapses, in ms; null where it has lapsed, or the server does not tell. */
  readonly expiresAtMs: number | null;
  readonly hasLapsed: boolean;
}

const openAnswerSchema = z.object({
  reason: z.string().optional(),
  receipt: z.string().optional(),
  ask: z.string().optional(),
  expiresAtMs: z.number().optional(),
});

/** Open answer that a refusal names; null for any other error. */
export function openAnswerOf(error: unknown): OpenAnswer | null {
  if (!isRollupError(error)) return null;
  const parsed = openAnswerSchema.safeParse(error.data);
  if (!parsed.success) return null;
  const { ask = null, expiresAtMs = null, reason, receipt = null } = parsed.data;
  const hasLapsed = reason === "left-unpaid";
  const isOwn = error.code === "ATT_ANSWER_UNPAID";
  const isOfBatch = error.code === "MOD_SERVE_UNPAID" && (hasLapsed || reason === "ATT_ANSWER_UNPAID");
  return isOwn || isOfBatch ? { receipt, ask, expiresAtMs, hasLapsed } : null;
}

/** Error of a server that waits for an answer that the gateway does not pay. */
export function answerOpen(open: OpenAnswer, reason: string, why: string, cause?: unknown): RollupError {
  const message = `the model's server waits for the payment of an earlier answer: ${why}`;
  return gatewayError("GAT_ANSWER_OPEN", message, { data: { reason, ...open }, cause });
}

/** True for an answer that is not the model's, or whose form is none: of its server, or changed on the way. */
export const isWrong = (error: unknown): boolean =>
  isRollupError(error, "CLI_ANSWER_WRONG") || isRollupError(error, "CLI_ANSWER_INVALID");

/** State of a question whose asking failed before its answer came. */
export type SentState = "unsent" | "refused" | "unknown";

/**
 * Says whether a server may have an answer for a question. `unsent`: it never got the question. `refused`: it answered by a refusal.
 * `unknown`: it may have made an answer, which it counts as unpaid.
 */
export function sentStateOf(error: unknown): SentState {
  if (!isRollupError(error)) return "unknown";
  const { code, data } = error;
  const { httpStatus, isSent, server } = data as { httpStatus?: unknown; isSent?: unknown; server?: unknown };
  // Of a refusal by a server that failed nobody knows what went before.
  if (isServersWord(error))
    return code.startsWith("SRV_") && !(Number(httpStatus) >= 400 && Number(httpStatus) < 500)
      ? "unknown"
      : "refused";
  if (code === "CLI_UNREACHABLE")
    return server !== "answer server" || isSent === false ? "unsent" : "unknown";
  if (code === "GAT_ANSWER_REPLAYED") return "refused";
  return code === "CLI_ANSWER_INVALID" || code === "CLI_ANSWER_WRONG" ? "unknown" : "unsent";
}
