/** Check of an answer that was paid by x402: its receipt, the text that is shown, and the payment on the ledger. */
import type { ChatAnswer, ChatMessage, ChatTool } from "@openledger/attribution/model/model-chat";
import { decodeX402Header, X402_HEADERS } from "@openledger/circuits/wire/x402-payment";
import type { Hex } from "viem";
import * as z from "zod/mini";
import {
  type AnswerExpectation,
  assuranceOfReply,
  type CheckAnswerErrorCode,
  checkAnswer,
  withOwnEstimate,
} from "../actions/answers/check-answer.ts";
import {
  answerSchema,
  type CheckableModel,
  minAssuranceOf,
  type ReplyAssurance,
  type UncheckedAnswer,
} from "../actions/answers/model-answers.ts";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getOperation, resolveSigner } from "../sequencer/ledger-reads.ts";
import { getModel, staticsOf } from "../sequencer/model-reads.ts";
import type { SequencerErrorCode } from "../sequencer/sequencer-request.ts";

export interface CheckPaidAnswerParameters
  extends Pick<AnswerExpectation, "isAnsweredAgain" | "areRowsRecomputed" | "minAssurance"> {
  modelId: number;
  /** The payer's own copy of the model. */
  model: CheckableModel;
  /** Body of the request: a prompt, or a chat's messages. */
  request: { prompt: string } | { messages: readonly ChatMessage[]; tools?: readonly ChatTool[] };
  /** Body of the answer, parsed. */
  body: unknown;
  /** The answer's headers: PAYMENT-RESPONSE names the payment. */
  headers: Pick<Headers, "get">;
  /** Leaf that paid; default: the client's. */
  from?: number;
}

export interface CheckPaidAnswerReturnType {
  readonly prompt: string;
  readonly answer: UncheckedAnswer;
  /** Answer of a chat as a message; null of other requests. */
  readonly message: ChatAnswer | null;
  readonly assurance: ReplyAssurance;
  /** Operation that paid. */
  readonly transaction: Hex;
}

export type CheckPaidAnswerErrorCode =
  | CheckAnswerErrorCode
  | "CLI_ANSWER_INVALID"
  | "CLI_LEAF_NOT_FOUND"
  | "CLI_UNREACHABLE"
  | "MOD_CHAT_REFUSED"
  | SequencerErrorCode;

const settledSchema = z.object({
  success: z.literal(true),
  transaction: z.string().check(z.regex(/^0x[0-9a-f]{64}$/)),
});
const choiceSchema = z.object({
  text: z.optional(z.string()),
  message: z.optional(
    z.object({
      content: z.nullable(z.string()),
      tool_calls: z.optional(
        z.array(z.object({ function: z.object({ name: z.string(), arguments: z.string() }) })),
      ),
    }),
  ),
});
const bodySchema = z.union([
  z.object({ openledger: answerSchema, choices: z.tuple([choiceSchema]) }),
  answerSchema,
]);
const writtenSchema = z.object({ text: z.string() });

/**
 * Checks an answer that was paid by x402, as `payForAnswer` checks one before it pays: it is the registered model's answer to this
 * request, the text that is shown is what the receipt hashes, and the payment on the ledger paid this receipt. Needs `initPoseidon`.
 * @throws CLI_ANSWER_WRONG, whose `data.what` names the first difference; CLI_BELOW_LEAST, CLI_ANSWER_INVALID, CLI_UNREACHABLE
 * @example
 * ```ts
 * const request = { prompt: "Win now" };
 * const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(request) };
 * const response = await fetch(`${serverUrl}/v1/answers`, init);
 * const { headers } = response;
 * await checkPaidAnswer(client, { modelId: 11, model, request, body: await response.json(), headers });
 * ```
 */
export async function checkPaidAnswer(
  client: LedgerClient,
  parameters: CheckPaidAnswerParameters,
): Promise<CheckPaidAnswerReturnType> {
  const { areRowsRecomputed = false, isAnsweredAgain = false } = parameters;
  const minAssurance = minAssuranceOf(parameters);
  const { body, from, headers, model, modelId, request } = parameters;
  const read = bodySchema.safeParse(body);
  if (!read.success) throw invalid("the body has no answer with its evidence", read.error);
  const answer = "openledger" in read.data ? read.data.openledger : read.data;
  const transaction = transactionOf(headers);
  const [{ id: payerId }, leaf, operation] = await Promise.all([
    resolveSigner(client, from),
    getModel(client, modelId),
    getOperation(client, transaction),
  ]);
  const prompt = "prompt" in request ? request.prompt : model.chat?.promptOf(request);
  if (prompt === undefined) throw invalid("the model takes no chats");
  const sure = { areRowsRecomputed, isAnsweredAgain, minAssurance };
  const { payees } = leaf;
  checkAnswer(model, answer, { ...sure, prompt, payerId, payees, staticsHash: staticsOf(leaf).hash });
  const message = "messages" in request ? model.chat!.messageOf(answer.answer, request.tools) : null;
  if ("openledger" in read.data) {
    const shown = shownOf(read.data.choices[0]);
    const right = message === null ? { text: writtenOf(answer) } : messageTextOf(message);
    requireSame("text", JSON.stringify(shown), JSON.stringify(right));
  }
  requireSame("payment", operation?.words[0]?.toString() ?? "none", answer.receipt.toString());
  requireSame("payer", operation?.a ?? "none", payerId);
  requireSame("model", operation?.b ?? "none", modelId);
  const assurance = assuranceOfReply(model, sure);
  return { prompt, answer: withOwnEstimate(model, answer), message, transaction, assurance };
}

function transactionOf(headers: Pick<Headers, "get">): Hex {
  const header = headers.get(X402_HEADERS.response);
  let decoded: unknown = null;
  try {
    decoded = header === null ? null : decodeX402Header(header);
  } catch (cause) {
    throw invalid("PAYMENT-RESPONSE is no base64 of JSON", cause);
  }
  const read = settledSchema.safeParse(decoded);
  if (read.success) return read.data.transaction as Hex;
  throw invalid("no PAYMENT-RESPONSE names a payment", read.error);
}

/** Text and calls that a choice shows. Ids of calls are the server's. */
function shownOf({ message, text }: z.output<typeof choiceSchema>): object {
  if (message === undefined) return { text: text ?? "" };
  const calls = (message.tool_calls ?? []).map(({ function: one }) => [one.name, one.arguments]);
  return { content: message.content ?? "", calls };
}

const messageTextOf = ({ content, toolCalls }: ChatAnswer): object => ({
  content: content ?? "",
  calls: toolCalls.map(({ function: one }) => [one.name, one.arguments]),
});

/** Text of a language model's answer, which is JSON with its tokens. */
function writtenOf({ answer }: UncheckedAnswer): string {
  try {
    return writtenSchema.parse(JSON.parse(answer)).text;
  } catch (cause) {
    throw invalid("the answer is no language model's", cause);
  }
}

function requireSame(what: string, input: string | number, right: string | number): void {
  if (input === right) return;
  throw clientError("CLI_ANSWER_WRONG", `the paid answer's ${what} is not what the receipt binds`, {
    data: { what, given: String(input).slice(0, 80), right: String(right).slice(0, 80) },
  });
}

const invalid = (message: string, cause?: unknown) =>
  clientError("CLI_ANSWER_INVALID", message, { data: { server: "answer server" }, cause });
