import type { LedgerClient } from "../../ledger-client.ts";
import { answerSchema, requestModelServer, type UncheckedAnswer } from "./model-answers.ts";
import { type SignQuestionErrorCode, signQuestion } from "./sign-question.ts";

export interface AskModelParameters {
  /** Where the model is served. */
  serverUrl: string;
  modelId: number;
  /** An e-mail's text, or a digit's pixels in base64: what the model's recipe says (docs/reference/attribution.md). */
  prompt: string;
  /** The account that will pay; default: the client's. */
  from?: number;
  /** Of direct models: the prompt stays unpublished even if its payment is drawn. Then check the answer yourself. */
  isPrivate?: boolean;
}

export type AskModelErrorCode =
  | SignQuestionErrorCode
  | "CLI_UNREACHABLE"
  | "CLI_ANSWER_INVALID"
  | `ATT_${string}`;

/**
 * Asks a model, in the name of the account that will pay. Asking costs nothing and promises nothing, but an account has
 * at most one unpaid answer. Pay with `payForAnswer`, which checks the answer first.
 * @throws CLI_NOT_CONFIGURED, CLI_LEAF_NOT_FOUND, CLI_UNREACHABLE, CLI_ANSWER_INVALID,
 *   ATT_ANSWER_UNPAID and other ATT_… codes as the server refuses
 * @example
 * ```ts
 * const answer = await askModel(client, { serverUrl, modelId: 11, prompt: "Win now" });
 * console.log(answer.label, answer.confidence);
 * ```
 */
export async function askModel(
  client: LedgerClient,
  parameters: AskModelParameters,
): Promise<UncheckedAnswer> {
  const { serverUrl, modelId, prompt, from, isPrivate = false } = parameters;
  const signed = await signQuestion(client, { modelId, prompt, from, isPrivate });
  return requestModelServer(client, serverUrl, "/v1/answers", answerSchema, {
    body: { prompt, ...signed, ...(isPrivate ? { isPrivate } : {}) },
  });
}
