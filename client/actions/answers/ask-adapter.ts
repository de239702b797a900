import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { streamCompletion } from "./completion-stream.ts";
import { answerSchema, type UncheckedAnswer } from "./model-answers.ts";
import { type SignQuestionErrorCode, signQuestion } from "./sign-question.ts";

export interface AskAdapterParameters {
  /** A server of many adapters, without `/v1`. */
  serverUrl: string;
  /** A registered model that it has; its adapter is `model-ID`. */
  modelId: number;
  prompt: string;
  /** The account that will pay; default: the client's. */
  from?: number;
  /** Told the text so far, as the answer comes. It is not checked yet. */
  onText?: (text: string) => void;
}

export type AskAdapterErrorCode =
  | SignQuestionErrorCode
  | "CLI_UNREACHABLE"
  | "CLI_ANSWER_INVALID"
  | `MOD_SERVE_${string}`;

/**
 * Asks a registered model behind a server of many adapters, in the name of the account that will pay, and hands on its
 * words as they come. Pay with `payForAnswer`, which checks the answer first.
 * @throws CLI_NOT_CONFIGURED, CLI_LEAF_NOT_FOUND, CLI_UNREACHABLE, CLI_ANSWER_INVALID,
 *   MOD_SERVE_UNPAID and other MOD_SERVE_… codes as the server refuses
 * @example
 * ```ts
 * const answer = await askAdapter(client, { serverUrl, modelId: 11, prompt: "The whale", onText: console.log });
 * console.log(answer.answer, answer.estimate.topRows);
 * ```
 */
export async function askAdapter(
  client: LedgerClient,
  parameters: AskAdapterParameters,
): Promise<UncheckedAnswer> {
  const { from, modelId, onText = () => {}, prompt, serverUrl } = parameters;
  const claim = await signQuestion(client, { modelId, prompt, from });
  const order = { serverUrl, model: `model-${modelId}`, prompt, claim };
  const given = answerSchema.safeParse(await streamCompletion(order, onText));
  if (given.success) return given.data;
  throw clientError("CLI_ANSWER_INVALID", "the answer's last part has no receipt", {
    data: { server: "model server", url: serverUrl },
    cause: given.error,
  });
}
