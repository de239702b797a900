/** Requests of POST /v1/responses: parses them, and makes of them the chat that the model's template renders. */
import type { Chat, ChatMessage, ChatTool } from "@openledger/attribution/model/model-chat";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { invalidRequest } from "@openledger/models/serving/openai/openai-requests";
import { z } from "zod";

const MAX_TEXT = 4 * 2 ** 20;
const MAX_ITEMS = 1_000;
const MAX_TOOLS = 128;
const text = z.string().max(MAX_TEXT);
const name = z.string().max(256);
const contentSchema = z.union([
  text,
  z
    .array(z.object({ type: z.enum(["input_text", "output_text", "text"]), text }))
    .max(MAX_ITEMS)
    .transform((parts) => parts.map((part) => part.text).join("")),
]);
// Items of an earlier response come back with fields of their own, as id and status.
const itemSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("message"),
    role: z.enum(["system", "developer", "user", "assistant"]),
    content: contentSchema,
  }),
  z.object({ type: z.literal("function_call"), call_id: name, name, arguments: text }),
  z.object({ type: z.literal("function_call_output"), call_id: name, output: contentSchema }),
]);
type Item = z.output<typeof itemSchema>;
const withType = (item: unknown) =>
  typeof item === "object" && item !== null && !("type" in item) ? { type: "message", ...item } : item;

const toolSchema = z.strictObject({
  type: z.literal("function", { error: "only functions are served" }),
  name: z.string().regex(/^[\w.-]{1,64}$/),
  description: text.nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.literal(false, { error: "arguments are not held to the schema" }).nullish(),
});

/** Fields that ask for what a registered model does not do, unless they are empty. */
const UNSERVED = [
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
  input: z.union([text, z.array(z.preprocess(withType, itemSchema)).min(1).max(MAX_ITEMS)]),
  instructions: text.nullish(),
  tools: z.array(toolSchema).max(MAX_TOOLS).nullish(),
  tool_choice: z.enum(["none", "auto"], { error: "none and auto are served" }).nullish(),
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
  text: z.strictObject({ format: z.strictObject({ type: z.literal("text") }).optional() }).nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  max_output_tokens: z.number().int().nullish(),
});
export type ResponsesRequest = z.output<typeof requestSchema>;

const asksNothing = (value: unknown): boolean =>
  ([undefined, null, 0, false, ""] as unknown[]).includes(value) ||
  (typeof value === "object" && value !== null && Object.keys(value).length === 0);

/** @throws SRV_BAD_REQUEST */
export function parseResponses(body: unknown): ResponsesRequest {
  const fields = { ...(body as Readonly<Record<string, unknown>> | null) };
  for (const field of UNSERVED) {
    if (!asksNothing(fields[field]))
      throw invalidRequest(field, `Unsupported parameter: '${field}' is not served`, "unsupported_parameter");
    delete fields[field];
  }
  const parsed = requestSchema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const issue = deepest(parsed.error.issues[0]!);
  const location = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const param = [...location, issue.keys[0]!].join(".");
    throw invalidRequest(param, `Unknown parameter: '${param}'`, "unknown_parameter");
  }
  throw invalidRequest(location.join("."), issue.message, "invalid_value");
}

/** Returns the issue of the alternative that got furthest. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union") return issue;
  const firsts = issue.errors.flatMap((issues) => issues.slice(0, 1));
  const [inner] = firsts.sort((a, b) => b.path.length - a.path.length);
  return inner === undefined ? issue : deepest({ ...inner, path: [...issue.path, ...inner.path] });
}

/** Chat of a request, with the field that each message comes from. */
export interface ResponsesChat extends Chat {
  readonly tools: readonly ChatTool[];
  readonly fields: readonly string[];
}

/** Makes a request's chat: instructions first, and the calls of one turn in one message of the assistant. */
export function chatOf(request: ResponsesRequest): ResponsesChat {
  const { input, instructions, tool_choice: choice, tools } = request;
  const items: Item[] =
    typeof input === "string" ? [{ type: "message", role: "user", content: input }] : (input as Item[]);
  const messages: ChatMessage[] =
    instructions == null || instructions === "" ? [] : [{ role: "system", content: instructions }];
  const fields = messages.map(() => "instructions");
  const names = new Map<string, string>();
  for (const [i, item] of items.entries()) {
    const last = messages.at(-1);
    if (item.type === "message") messages.push({ role: item.role, content: item.content });
    else if (item.type === "function_call") {
      names.set(item.call_id, item.name);
      const call = {
        id: item.call_id,
        type: "function" as const,
        function: { name: item.name, arguments: item.arguments },
      };
      if (last?.role === "assistant") messages.pop();
      const own = last?.role === "assistant" ? last : { role: "assistant" as const, content: null };
      messages.push({ ...own, tool_calls: [...(own.tool_calls ?? []), call] });
      if (own === last) continue;
    } else {
      const { call_id: id, output } = item;
      messages.push({ role: "tool", content: output, tool_call_id: id, name: names.get(id) });
    }
    fields.push(typeof input === "string" ? "input" : `input.${i}`);
  }
  const chatTools = (choice === "none" ? [] : (tools ?? [])).map(
    ({ type, ...rest }): ChatTool => ({ type, function: rest }),
  );
  return { messages, tools: chatTools, fields };
}

/**
 * Runs what reads a request's chat, and names the request's own field where it refuses one.
 * @throws SRV_BAD_REQUEST
 */
export function inFieldsOf<Result>({ fields }: Pick<ResponsesChat, "fields">, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    const { param } = (isRollupError(error) ? error.data : {}) as { readonly param?: string };
    const named = /^messages(?:\.(\d+)(\..*)?)?$/.exec(param ?? "");
    if (named === null) throw error;
    const [, index, rest = ""] = named;
    // The input's own parts have other names than a chat's: `tool_calls.0` is an item.
    const field = index === undefined ? "input" : (fields[Number(index)] ?? "input");
    const part = field.startsWith("input.") && !rest.startsWith(".tool_calls") ? rest : "";
    const { message } = error as Error;
    throw invalidRequest(`${field}${part}`, message.replace(`${param}: `, ""), "invalid_value", error);
  }
}
