/** POST /v1/chat/completions: one paid answer, whole or streamed, in OpenAI's form with the field `openledger`. */
import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { EventStream } from "@openledger/models/serving/openai/event-stream";
import { MessageText } from "@openledger/models/serving/openai/message-text";
import {
  type AnswerHead,
  answerPart,
  callsPart,
  lastPart,
  type Usage,
  usagePart,
  wholeAnswer,
} from "@openledger/models/serving/openai/openai-answers";
import {
  type AnyRequest,
  invalidRequest,
  parseChat,
} from "@openledger/models/serving/openai/openai-requests";
import type { Asker, PaidAnswer } from "../asking/asker.ts";
import type { ModelLocations } from "../asking/model-locations.ts";
import { promptOfChat, requireForm } from "../asking/prompt-of-chat.ts";
import type { Idempotency } from "../asking/question-record.ts";
import { errorBody } from "./openai-errors.ts";

export interface RouteModules {
  readonly asker: Asker;
  readonly locations: ModelLocations;
  /** Error of anything thrown. */
  readonly typed: (error: unknown) => RollupError;
}

/** Request of a paid route. */
export interface PaidRequest {
  readonly body: unknown;
  readonly idempotency: Idempotency | null;
}

type ChatRequest = Extract<AnyRequest, { kind: "chat" }>;
/** Unread bytes of a stream: a client that does not read is cut off. */
export const MAX_BUFFERED_BYTES = 2 ** 20;

/** Answers a chat. Throws before anything is written, or has written the error into the stream. */
export async function answerChat(
  modules: RouteModules,
  { body, idempotency }: PaidRequest,
  response: ServerResponse,
): Promise<void> {
  const request = parseChat(body) as ChatRequest;
  requireOneAnswer(request);
  const place = await modules.locations.find(request.model);
  const opened = await modules.asker.open(place);
  requireForm(opened, request);
  const { messages, tools } = request;
  const question = { place, prompt: promptOfChat(opened, { messages, tools }), tools, idempotency };
  const head: AnswerHead = {
    kind: "chat",
    id: `chatcmpl-${randomBytes(12).toString("hex")}`,
    createdSeconds: Math.floor(Date.now() / 1000),
    model: request.model,
    names: null,
    hasUsage: request.stream_options?.include_usage === true,
  };
  const leaving = leavingOf(response);
  if (request.stream !== true) {
    const paid = await modules.asker.ask(question, { signal: leaving });
    const choice = { index: 0, text: paid.text, marks: [], end: paid.finish, calls: paid.toolCalls };
    const whole = wholeAnswer(head, [choice], usageOf(paid), paid.openledger);
    sendWhole(response, whole, paid);
    return;
  }
  const stream = new EventStream(response, MAX_BUFFERED_BYTES);
  let hasBegun = false;
  // The head goes out with the first word: what fails before has a status of its own.
  const begin = () => {
    if (hasBegun) return;
    hasBegun = true;
    stream.begin();
    stream.send(answerPart(head, { index: 0, text: "", marks: [], end: null }, true));
  };
  // Calls of tools are no text.
  const message = new MessageText(tools, (text) => {
    begin();
    stream.send(answerPart(head, { index: 0, text, marks: [], end: null }));
  });
  const onText = (text: string) => message.give(text, []);
  try {
    const paid = await modules.asker.ask(question, { onText: shownWhile(response, onText), signal: leaving });
    message.end();
    begin();
    if (paid.toolCalls.length > 0) stream.send(callsPart(head, 0, paid.toolCalls));
    stream.send(lastPart(head, 0, paid.finish, paid.openledger));
    if (head.hasUsage) stream.send(usagePart(head, usageOf(paid)));
    noteDelivery(response, paid);
    stream.send("[DONE]");
    stream.end();
  } catch (error) {
    if (!hasBegun) throw error;
    if (!response.destroyed) stream.send(errorBody(modules.typed(error)));
    stream.end();
  }
}

/** A receipt is of one answer, as the model's recipe makes it. @throws SRV_BAD_REQUEST */
function requireOneAnswer({ json, n, topLogprobs }: ChatRequest): void {
  const refused = (param: string) =>
    invalidRequest(
      param,
      `Unsupported parameter: '${param}' is not served of a registered model`,
      "unsupported_parameter",
    );
  if ((n ?? 1) !== 1) throw refused("n");
  if (topLogprobs !== null) throw refused("logprobs");
  if (json !== null) throw refused("response_format");
}

const usageOf = ({ answerTokens, promptTokens }: PaidAnswer): Usage => ({
  promptTokens: promptTokens ?? 0,
  answerTokens: answerTokens ?? 0,
});

/** Signal that its asker has closed the connection. */
export function leavingOf(response: ServerResponse): AbortSignal {
  const leaving = new AbortController();
  if (response.destroyed) leaving.abort();
  response.once("close", () => {
    if (!response.writableFinished) leaving.abort();
  });
  return leaving.signal;
}

/** Passes words on to who is still there: an answer whose asker has left, or reads too slowly, is paid all the same. */
export function shownWhile(response: ServerResponse, onText: (text: string) => void): (text: string) => void {
  return (text) => {
    if (response.destroyed) return;
    try {
      onText(text);
    } catch (error) {
      if (!isRollupError(error, "MOD_SERVE_READER_SLOW")) throw error;
    }
  };
}

/** Notes the delivery once the system has all bytes of the answer, or that its asker has left. */
export function noteDelivery(response: ServerResponse, paid: PaidAnswer): void {
  const note = () => {
    if (response.writableFinished) void paid.delivered().catch(() => paid.left());
    else paid.left();
  };
  if (response.destroyed) note();
  else response.once("close", note);
}

export function sendWhole(response: ServerResponse, body: object, paid: PaidAnswer): void {
  noteDelivery(response, paid);
  response.writeHead(200, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
}
