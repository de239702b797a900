/**
 * POST /v1/responses: the same paid answer in the form of OpenAI's newer API. Nothing is stored for a later request: a
 * conversation is sent whole.
 */
import type { ServerResponse } from "node:http";
import { EventStream } from "@openledger/models/serving/openai/event-stream";
import { MessageText } from "@openledger/models/serving/openai/message-text";
import { promptOfChat, requireForm } from "../asking/prompt-of-chat.ts";
import {
  leavingOf,
  MAX_BUFFERED_BYTES,
  noteDelivery,
  type PaidRequest,
  type RouteModules,
  sendWhole,
  shownWhile,
} from "./chat-route.ts";
import { errorBody } from "./openai-errors.ts";
import { newHead, ResponseEvents, wholeResponse } from "./responses-answer.ts";
import { chatOf, inFieldsOf, parseResponses } from "./responses-request.ts";

/** Answers a request. Throws before anything is written, or has written the error into the stream. */
export async function answerResponses(
  modules: RouteModules,
  { body, idempotency }: PaidRequest,
  response: ServerResponse,
): Promise<void> {
  const request = parseResponses(body);
  const place = await modules.locations.find(request.model);
  const opened = await modules.asker.open(place);
  const { max_output_tokens, temperature, top_p } = request;
  requireForm(opened, { max_output_tokens, temperature, top_p, stop: [] });
  const chat = chatOf(request);
  const prompt = inFieldsOf(chat, () => promptOfChat(opened, chat));
  const question = { place, prompt, tools: chat.tools, idempotency };
  const head = newHead(request);
  const signal = leavingOf(response);
  if (request.stream !== true) {
    const paid = await modules.asker.ask(question, { signal });
    sendWhole(response, wholeResponse(head, paid), paid);
    return;
  }
  const events = new ResponseEvents(new EventStream(response, MAX_BUFFERED_BYTES), head);
  // Calls of tools are no text.
  const message = new MessageText(chat.tools, (text) => events.text(text));
  try {
    const onText = shownWhile(response, (text) => message.give(text, []));
    const paid = await modules.asker.ask(question, { onText, signal });
    message.end();
    noteDelivery(response, paid);
    events.end(paid);
  } catch (error) {
    if (!events.hasBegun) throw error;
    if (!response.destroyed) events.fail(errorBody(modules.typed(error)));
  }
}
