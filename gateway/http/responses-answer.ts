/** Answers of POST /v1/responses in OpenAI's form, whole and as events. */
import { randomBytes } from "node:crypto";
import type { EventStream } from "@openledger/models/serving/openai/event-stream";
import type { PaidAnswer } from "../asking/asker.ts";
import type { ResponsesRequest } from "./responses-request.ts";

/** Beginning of an answer, which all its events repeat. */
export interface ResponseHead {
  readonly id: string;
  /** Id of the message among its items. */
  readonly messageId: string;
  readonly createdSeconds: number;
  readonly request: ResponsesRequest;
}

const newId = (prefix: string) => `${prefix}_${randomBytes(12).toString("hex")}`;

export const newHead = (request: ResponsesRequest): ResponseHead => ({
  id: newId("resp"),
  messageId: newId("msg"),
  createdSeconds: Math.floor(Date.now() / 1000),
  request,
});

const viewOf = (
  { createdSeconds, id, request }: ResponseHead,
  status: string,
  output: readonly object[],
) => ({
  id,
  object: "response",
  created_at: createdSeconds,
  status,
  error: null,
  incomplete_details: null,
  instructions: request.instructions ?? null,
  metadata: request.metadata ?? {},
  model: request.model,
  output,
  parallel_tool_calls: request.parallel_tool_calls ?? true,
  temperature: request.temperature ?? null,
  tool_choice: request.tool_choice ?? "auto",
  tools: request.tools ?? [],
  top_p: request.top_p ?? null,
  store: false,
  usage: null,
});

const partOf = (words: string) => ({ type: "output_text", text: words, annotations: [], logprobs: [] });
const messageItem = (id: string, status: string, content: readonly object[]) => ({
  id,
  type: "message",
  role: "assistant",
  status,
  content,
});
const callItem = (id: string, call: PaidAnswer["toolCalls"][number], written: string, status: string) => ({
  id,
  type: "function_call",
  call_id: call.id,
  name: call.function.name,
  arguments: written,
  status,
});
const statusOf = ({ finish }: PaidAnswer) => (finish === "length" ? "incomplete" : "completed");

/** A message if the answer has words, or nothing else; then its calls of tools. */
function itemsOf({ messageId }: ResponseHead, paid: PaidAnswer) {
  const { text, toolCalls } = paid;
  const isMessage = text !== "" || toolCalls.length === 0;
  return [
    ...(isMessage ? [messageItem(messageId, statusOf(paid), [partOf(text)])] : []),
    ...toolCalls.map((call) => callItem(newId("fc"), call, call.function.arguments, "completed")),
  ];
}

export function wholeResponse(head: ResponseHead, paid: PaidAnswer, items: object[] = itemsOf(head, paid)) {
  const [promptTokens, answerTokens] = [paid.promptTokens ?? 0, paid.answerTokens ?? 0];
  return {
    ...viewOf(head, statusOf(paid), items),
    incomplete_details: paid.finish === "length" ? { reason: "max_output_tokens" } : null,
    usage: {
      input_tokens: promptTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: answerTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: promptTokens + answerTokens,
    },
    openledger: paid.openledger,
  };
}

/** Events of a streamed response, in their order. */
export class ResponseEvents {
  readonly #stream: EventStream;
  readonly #head: ResponseHead;
  #sequence = 0;
  /** Text of the message that is open; null before it. */
  #text: string | null = null;
  hasBegun = false;

  constructor(stream: EventStream, head: ResponseHead) {
    this.#stream = stream;
    this.#head = head;
  }

  #send(type: string, facts: object): void {
    this.#stream.send({ type, sequence_number: this.#sequence++, ...facts });
  }

  get #location() {
    return { item_id: this.#head.messageId, output_index: 0, content_index: 0 };
  }

  #begin(): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    this.#stream.begin();
    const response = viewOf(this.#head, "in_progress", []);
    this.#send("response.created", { response });
    this.#send("response.in_progress", { response });
  }

  text(piece: string): void {
    this.#begin();
    if (this.#text === null) {
      const item = messageItem(this.#head.messageId, "in_progress", []);
      this.#send("response.output_item.added", { output_index: 0, item });
      this.#send("response.content_part.added", { ...this.#location, part: partOf("") });
    }
    this.#text = (this.#text ?? "") + piece;
    if (piece !== "")
      this.#send("response.output_text.delta", { ...this.#location, delta: piece, logprobs: [] });
  }

  end(paid: PaidAnswer): void {
    this.#begin();
    if (this.#text === null && paid.toolCalls.length === 0) this.text("");
    const items: object[] = this.#text === null ? [] : [this.#endMessage(this.#text, statusOf(paid))];
    for (const call of paid.toolCalls) items.push(this.#call(call, items.length));
    this.#send(`response.${statusOf(paid)}`, { response: wholeResponse(this.#head, paid, items) });
    this.#stream.end();
  }

  #endMessage(text: string, status: string): object {
    const item = messageItem(this.#head.messageId, status, [partOf(text)]);
    this.#send("response.output_text.done", { ...this.#location, text, logprobs: [] });
    this.#send("response.content_part.done", { ...this.#location, part: partOf(text) });
    this.#send("response.output_item.done", { output_index: 0, item });
    return item;
  }

  #call(call: PaidAnswer["toolCalls"][number], index: number): object {
    const id = newId("fc");
    const { arguments: written, name } = call.function;
    const location = { item_id: id, output_index: index };
    const item = callItem(id, call, written, "completed");
    this.#send("response.output_item.added", {
      output_index: index,
      item: callItem(id, call, "", "in_progress"),
    });
    this.#send("response.function_call_arguments.delta", { ...location, delta: written });
    this.#send("response.function_call_arguments.done", { ...location, name, arguments: written });
    this.#send("response.output_item.done", { output_index: index, item });
    return item;
  }

  fail(body: object): void {
    const { error } = body as { error: { message: string; code: string; param: string | null } };
    this.#send("error", { ...error });
    this.#stream.end();
  }
}
