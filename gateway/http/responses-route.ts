/**
 * POST /v1/responses: the same paid answer in the form of OpenAI's newer API. Nothing is stored for a later request: a
 * conversation is sent whole.
 */
import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { ChatMessage } from "@openledger/attribution/model/model-chat";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { EventStream } from "@openledger/models/serving/openai/event-stream";
import { invalidRequest } from "@openledger/models/serving/openai/openai-requests";
import { z } from "zod";
import type { PaidAnswer } from "../asking/asker.ts";
import type { OpenedModel } from "../asking/checkable-models.ts";
import { promptOfChat, requireForm } from "../asking/model-chat.ts";
import {
  leavingOf,
  MAX_BUFFERED_BYTES,
  noteDelivery,
  type RouteModules,
  sendWhole,
  shownWhile,
} from "./chat-route.ts";
import { errorBody } from "./openai-errors.ts";

const MAX_TEXT = 4 * 2 ** 20;
const text = z.string().max(MAX_TEXT);
const contentSchema = z.union([
  text,
  z
    .array(z.object({ type: z.enum(["input_text", "output_text", "text"]), text }))
    .max(1_000)
    .transform((parts) => parts.map((part) => part.text).join("")),
]);
const messageSchema = z
  .object({
    type: z.literal("message").optional(),
    role: z.enum(["system", "developer", "user", "assistant"]),
    content: contentSchema,
  })
  .transform(({ content, role }) => ({ role, content }));

/** Fields that ask for what a registered model does not do, unless they are empty. */
const UNSERVED = [
  "tools",
  "previous_response_id",
  "conversation",
  "background",
  "prompt",
  "include",
  "top_logprobs",
  "reasoning",
  "max_tool_calls",
] as const;
const requestSchema = z.strictObject({
  model: z.string().min(1).max(256),
  input: z.union([text, z.array(messageSchema).min(1).max(10_000)]),
  instructions: text.nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.unknown().optional(),
  /** Nothing is stored, whatever it says; of no effect, like those below. */
  store: z.boolean().nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  user: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  service_tier: z.enum(["auto", "default"]).nullish(),
  truncation: z.literal("disabled").nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  tool_choice: z.enum(["none", "auto"]).nullish(),
  text: z.strictObject({ format: z.strictObject({ type: z.literal("text") }).optional() }).nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  max_output_tokens: z.number().int().nullish(),
});
type ResponsesRequest = z.output<typeof requestSchema>;

const asksNothing = (value: unknown): boolean =>
  ([undefined, null, 0, false, ""] as unknown[]).includes(value) ||
  (typeof value === "object" && value !== null && Object.keys(value).length === 0);

/** @throws SRV_BAD_REQUEST */
function parseResponses(body: unknown): ResponsesRequest {
  const fields = { ...(body as Readonly<Record<string, unknown>> | null) };
  for (const name of UNSERVED) {
    if (!asksNothing(fields[name]))
      throw invalidRequest(name, `Unsupported parameter: '${name}' is not served`, "unsupported_parameter");
    delete fields[name];
  }
  const parsed = requestSchema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue!.code === "unrecognized_keys") {
    const [param] = issue.keys as [string];
    throw invalidRequest(param, `Unknown parameter: '${param}'`, "unknown_parameter");
  }
  throw invalidRequest(issue!.path.map(String).join("."), issue!.message, "invalid_value");
}

function messagesOf({ input, instructions }: ResponsesRequest): ChatMessage[] {
  const system =
    instructions == null || instructions === "" ? [] : [{ role: "system", content: instructions }];
  const own = typeof input === "string" ? [{ role: "user", content: input }] : input;
  return [...system, ...own] as ChatMessage[];
}

/** Answers a request. Throws before anything is written, or has written the error into the stream. */
export async function answerResponses(
  modules: RouteModules,
  body: unknown,
  response: ServerResponse,
): Promise<void> {
  const request = parseResponses(body);
  const place = await modules.places.find(request.model);
  const opened = await modules.asker.open(place);
  requireResponseForm(opened, request);
  const question = { place, prompt: promptOfChat(opened, { messages: messagesOf(request) }) };
  const head = {
    id: `resp_${randomBytes(12).toString("hex")}`,
    createdSeconds: Math.floor(Date.now() / 1000),
    request,
  };
  const itemId = `msg_${randomBytes(12).toString("hex")}`;
  const signal = leavingOf(response);
  if (request.stream !== true) {
    const paid = await modules.asker.ask(question, { signal });
    sendWhole(response, completed(head, itemId, paid), paid);
    return;
  }
  const events = new ResponseEvents(new EventStream(response, MAX_BUFFERED_BYTES), head, itemId);
  try {
    const onText = shownWhile(response, (piece) => events.text(piece));
    const paid = await modules.asker.ask(question, { onText, signal });
    noteDelivery(response, paid);
    events.end(paid);
  } catch (error) {
    if (!events.hasBegun) throw error;
    if (!response.destroyed) events.fail(errorBody(modules.typed(error)));
  }
}

/** @throws SRV_BAD_REQUEST with this API's name of the field */
function requireResponseForm(opened: OpenedModel, request: ResponsesRequest): void {
  const { max_output_tokens: maxTokens, temperature, top_p: topP } = request;
  try {
    requireForm(opened, { max_tokens: maxTokens, temperature, top_p: topP, stop: [] });
  } catch (error) {
    if (!isRollupError(error) || (error.data as { param?: string }).param !== "max_tokens") throw error;
    const message = error.message.replace("max_tokens", "max_output_tokens");
    throw invalidRequest("max_output_tokens", message, "unsupported_value", error);
  }
}

interface ResponseHead {
  readonly id: string;
  readonly createdSeconds: number;
  readonly request: ResponsesRequest;
}

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
  tools: [],
  top_p: request.top_p ?? null,
  store: false,
  usage: null,
});

const partOf = (words: string) => ({ type: "output_text", text: words, annotations: [], logprobs: [] });
const itemOf = (id: string, status: string, content: readonly object[]) => ({
  id,
  type: "message",
  role: "assistant",
  status,
  content,
});

function completed(head: ResponseHead, itemId: string, paid: PaidAnswer): object {
  const isCut = paid.finish === "length";
  const status = isCut ? "incomplete" : "completed";
  const [promptTokens, answerTokens] = [paid.promptTokens ?? 0, paid.answerTokens ?? 0];
  return {
    ...viewOf(head, status, [itemOf(itemId, status, [partOf(paid.text)])]),
    incomplete_details: isCut ? { reason: "max_output_tokens" } : null,
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
class ResponseEvents {
  readonly #stream: EventStream;
  readonly #head: ResponseHead;
  readonly #itemId: string;
  #sequence = 0;
  #text = "";
  hasBegun = false;

  constructor(stream: EventStream, head: ResponseHead, itemId: string) {
    this.#stream = stream;
    this.#head = head;
    this.#itemId = itemId;
  }

  #send(type: string, facts: object): void {
    this.#stream.send({ type, sequence_number: this.#sequence++, ...facts });
  }

  get #place() {
    return { item_id: this.#itemId, output_index: 0, content_index: 0 };
  }

  #begin(): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    this.#stream.begin();
    const response = viewOf(this.#head, "in_progress", []);
    this.#send("response.created", { response });
    this.#send("response.in_progress", { response });
    this.#send("response.output_item.added", {
      output_index: 0,
      item: itemOf(this.#itemId, "in_progress", []),
    });
    this.#send("response.content_part.added", { ...this.#place, part: partOf("") });
  }

  text(piece: string): void {
    this.#begin();
    this.#text += piece;
    this.#send("response.output_text.delta", { ...this.#place, delta: piece, logprobs: [] });
  }

  end(paid: PaidAnswer): void {
    this.#begin();
    const status = paid.finish === "length" ? "incomplete" : "completed";
    this.#send("response.output_text.done", { ...this.#place, text: this.#text, logprobs: [] });
    this.#send("response.content_part.done", { ...this.#place, part: partOf(this.#text) });
    this.#send("response.output_item.done", {
      output_index: 0,
      item: itemOf(this.#itemId, status, [partOf(this.#text)]),
    });
    this.#send(`response.${status}`, { response: completed(this.#head, this.#itemId, paid) });
    this.#stream.end();
  }

  fail(body: object): void {
    const { error } = body as { error: { message: string; code: string; param: string | null } };
    this.#send("error", { ...error });
    this.#stream.end();
  }
}
