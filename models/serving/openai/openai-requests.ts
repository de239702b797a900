/**
 * Parses OpenAI's requests for completion-service.ts. A field that is not served, or not known, is refused by its
 * name, not passed over.
 */
import { z } from "zod";
import type { JsonShape } from "../../engine/batches/json-text.ts";
import { servingError } from "../../model-errors.ts";
import { jsonShapeOf } from "./json-shape.ts";

const MAX_TEXT = 4 * 2 ** 20;
const MAX_STOPS = 4;
const MAX_TOKENS = 2 ** 20;
/** Answers of one request: prompts × n. */
const MAX_CHOICES = 32;
const MAX_TOP = 20;
const MAX_TOP_OF_COMPLETION = 5;
/** Calls of one message, and tools of one request. */
const [MAX_CALLS, MAX_TOOLS] = [128, 128];
/** Texts of one request for embeddings. */
const MAX_INPUTS = 512;
const SHORT_NAME = z.string().max(512).nullish();

/** Attack: a schema looks at every entry of a list before it counts them. */
const fewOf = <Item extends z.ZodType>(item: Item, max: number) =>
  z
    .custom<unknown[]>((value) => Array.isArray(value) && value.length <= max, {
      error: `it is no list of at most ${max} entries`,
    })
    .pipe(z.array(item));

/** Checks as z.array(z.number().int().min(0)) does, a hundred times as fast. */
const isTokenList = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.length <= MAX_TOKENS &&
  value.every((one) => Number.isInteger(one) && one >= 0);
const isPrompt = (value: unknown): value is Prompt =>
  typeof value === "string" ? value.length <= MAX_TEXT : isTokenList(value);

const isInput = (value: unknown): value is Prompt => isPrompt(value) && value.length > 0;

/** A text, or its tokens. */
export type Prompt = string | readonly number[];

/** Fields of each kind of request that are not served, unless they ask for nothing. */
const UNSERVED = {
  all: ["logit_bias", "presence_penalty", "frequency_penalty"],
  completion: ["echo", "suffix", "response_format"],
  chat: "functions audio prediction web_search_options".split(" "),
} as const;
const asksNothing = (value: unknown) =>
  ([undefined, null, 0, false, ""] as unknown[]).includes(value) ||
  (typeof value === "object" && value !== null && Object.keys(value).length === 0);

const tokenCount = z.number().int().min(1).max(MAX_TOKENS).nullish();
const common = {
  model: z.string().min(1).max(256),
  stream: z.boolean().nullish(),
  stream_options: z
    .strictObject({ include_usage: z.boolean().nullish(), include_obfuscation: z.literal(false).nullish() })
    .nullish(),
  max_tokens: tokenCount,
  max_completion_tokens: tokenCount,
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  seed: z.number().int().nullish(),
  n: z.number().int().min(1).max(MAX_CHOICES).nullish(),
  stop: z
    .union([z.string().min(1).max(256), fewOf(z.string().min(1).max(256), MAX_STOPS)])
    .nullish()
    .transform((stop) => (stop === null || stop === undefined ? [] : [stop].flat())),
  /**
   * Names that are accepted and have no effect. The fields below state what others may store, and how many tools run at
   * once.
   */
  user: SHORT_NAME,
  safety_identifier: SHORT_NAME,
  prompt_cache_key: SHORT_NAME,
  service_tier: z.enum(["auto", "default"]).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  /** Nothing is stored, so nothing is found by its labels. */
  store: z.boolean().nullish(),
  metadata: z.record(z.string().max(64), z.string().max(512)).nullish(),
  modalities: z.tuple([z.literal("text")]).nullish(),
  /** Payer, and the signature of the question; read by the billing. */
  openledger: z.unknown().optional(),
};

const completionSchema = z
  .strictObject({
    ...common,
    prompt: z
      .custom<Prompt | readonly Prompt[]>(
        (value) =>
          isPrompt(value) || (Array.isArray(value) && value.length <= MAX_CHOICES && value.every(isPrompt)),
        { error: `the prompt is a text, a list of tokens, or a list of at most ${MAX_CHOICES} of these` },
      )
      .transform((prompt) =>
        typeof prompt === "string" || isTokenList(prompt) ? [prompt] : (prompt as readonly Prompt[]),
      ),
    best_of: z.number().nullish(),
    logprobs: z.number().int().min(0).max(MAX_TOP_OF_COMPLETION).nullish(),
  })
  .refine(({ best_of: best, n }) => (best ?? n ?? 1) === (n ?? 1), {
    path: ["best_of"],
    error: "only the answers that are given are made: best_of is n",
  })
  .transform(({ logprobs, prompt: prompts, ...rest }) => ({
    ...rest,
    kind: "completion" as const,
    prompts,
    topLogprobs: logprobs ?? null,
    json: null,
  }));

const text = z.union([
  z.string().max(MAX_TEXT),
  fewOf(
    z.strictObject({
      type: z.literal("text", { error: "only parts of text are served" }),
      text: z.string().max(MAX_TEXT),
    }),
    1_000,
  ).transform((parts) => parts.map((part) => part.text).join("")),
]);
/** Further fields of an answer's message, when it is sent again. */
const nothing = z.custom(asksNothing, { error: "it is not served" }).optional();

const jsonSchema = z
  .strictObject({
    name: z.string().regex(/^[\w-]{1,64}$/),
    description: z.string().max(4_096).nullish(),
    strict: z.boolean().nullish(),
    schema: z.unknown(),
  })
  .transform(({ schema }, context): JsonShape => {
    try {
      return jsonShapeOf(schema, (path, message) => new SchemaRefused(path, message));
    } catch (error) {
      if (!(error instanceof SchemaRefused)) throw error;
      context.addIssue({ code: "custom", message: error.message, path: `schema.${error.path}`.split(".") });
      return z.NEVER;
    }
  });

class SchemaRefused extends Error {
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

/** Call of a tool, in OpenAI's form. */
export const toolCallSchema = z.strictObject({
  id: z.string().max(256),
  type: z.literal("function"),
  function: z.strictObject({ name: z.string().max(256), arguments: z.string().max(MAX_TEXT) }),
});

const toolSchema = z.strictObject({
  type: z.literal("function", { error: "only functions are served" }),
  function: z.strictObject({
    name: z.string().regex(/^[\w.-]{1,64}$/),
    description: z.string().max(MAX_TEXT).nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
    strict: z.literal(false, { error: "arguments are not held to the schema" }).nullish(),
  }),
});

const messageSchema = z
  .strictObject({
    role: z.enum(["system", "developer", "user", "assistant", "tool"]),
    content: text.nullish(),
    /** Name of one of several speakers: accepted, and of no effect but for a tool. */
    name: z.string().max(256).nullish(),
    tool_call_id: z.string().max(256).nullish(),
    tool_calls: fewOf(toolCallSchema, MAX_CALLS).nullish(),
    refusal: nothing,
    annotations: nothing,
    audio: nothing,
    function_call: nothing,
  })
  // Clients send such a message back after an answer without text.
  .refine(({ content, role }) => typeof content === "string" || role === "assistant", {
    path: ["content"],
    error: "only an assistant's message may be without a text",
  })
  .refine(({ role, tool_calls: calls }) => (calls ?? []).length === 0 || role === "assistant", {
    path: ["tool_calls"],
    error: "only an assistant calls tools",
  })
  .transform(({ content, name, role, tool_call_id, tool_calls }) => ({
    role,
    content: content ?? null,
    name,
    tool_call_id,
    tool_calls,
  }));

const chatSchema = z
  .strictObject({
    ...common,
    messages: fewOf(messageSchema, 1_000).refine(({ length }) => length > 0, "it is empty"),
    tools: fewOf(toolSchema, MAX_TOOLS).nullish(),
    tool_choice: z.enum(["none", "auto"], { error: "none and auto are served" }).nullish(),
    verbosity: z.literal("medium", { error: "only the usual one, medium, is served" }).nullish(),
    function_call: z.enum(["none", "auto"]).nullish(),
    reasoning_effort: z.literal("none").nullish(),
    logprobs: z.boolean().nullish(),
    top_logprobs: z.number().int().min(0).max(MAX_TOP).nullish(),
    response_format: z
      .discriminatedUnion(
        "type",
        [
          z.strictObject({ type: z.literal("text") }),
          z.strictObject({ type: z.literal("json_object") }),
          z.strictObject({ type: z.literal("json_schema"), json_schema: jsonSchema }),
        ],
        { error: "text, json_object and json_schema are served" },
      )
      .nullish(),
  })
  .refine(({ logprobs, top_logprobs: top }) => logprobs === true || (top ?? 0) === 0, {
    path: ["top_logprobs"],
    error: "it is of answers with logprobs: true",
  })
  .refine(({ response_format: format, stop }) => (format?.type ?? "text") === "text" || stop.length === 0, {
    path: ["stop"],
    error: "JSON ends by itself: no stop is served beside response_format",
  })
  .refine(({ logprobs, tools }) => logprobs !== true || (tools ?? []).length === 0, {
    path: ["logprobs"],
    error: "they are served of answers without tools",
  })
  .refine(
    ({ response_format: format, tools }) => (format?.type ?? "text") === "text" || (tools ?? []).length === 0,
    {
      path: ["response_format"],
      error: "JSON is served of answers without tools",
    },
  )
  .transform(({ logprobs, tools, top_logprobs: top, response_format: format, ...rest }) => ({
    ...rest,
    kind: "chat" as const,
    tools: rest.tool_choice === "none" ? [] : (tools ?? []),
    topLogprobs: logprobs === true ? (top ?? 0) : null,
    json:
      format?.type === "json_schema"
        ? format.json_schema
        : format?.type === "json_object"
          ? ({ kind: "record", values: { kind: "any" } } as const)
          : null,
  }));

const embeddingSchema = z.strictObject({
  model: common.model,
  input: z
    .custom<Prompt | readonly Prompt[]>(
      (value) =>
        isInput(value) ||
        (Array.isArray(value) && value.length > 0 && value.length <= MAX_INPUTS && value.every(isInput)),
      {
        error: `the input is a text, a list of tokens, or a list of at most ${MAX_INPUTS} of these; none is empty`,
      },
    )
    .transform((input) =>
      typeof input === "string" || isTokenList(input) ? [input] : (input as readonly Prompt[]),
    ),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.number().int().min(1).nullish(),
  user: SHORT_NAME,
});
export type EmbeddingRequest = z.output<typeof embeddingSchema>;

/** @throws RollupError SRV_BAD_REQUEST */
export function parseEmbedding(body: unknown): EmbeddingRequest {
  const parsed = embeddingSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw refusalOf(deepest(parsed.error.issues[0]!), { ...(body as object | null) });
}

type CompletionRequest = z.output<typeof completionSchema>;
type ChatRequest = z.output<typeof chatSchema>;
export type AnyRequest = CompletionRequest | ChatRequest;

/** @throws RollupError SRV_BAD_REQUEST */
export const parseCompletion = (body: unknown): AnyRequest => parse("completion", completionSchema, body);
/** @throws RollupError SRV_BAD_REQUEST */
export const parseChat = (body: unknown): AnyRequest => parse("chat", chatSchema, body);

function parse<Schema extends z.ZodType>(
  kind: "completion" | "chat",
  schema: Schema,
  body: unknown,
): z.output<Schema> {
  const fields = { ...(body as Readonly<Record<string, unknown>> | null) };
  for (const name of [...UNSERVED.all, ...UNSERVED[kind]]) {
    if (!asksNothing(fields[name]))
      throw invalidRequest(name, `Unsupported parameter: '${name}' is not served`, "unsupported_parameter");
    delete fields[name];
  }
  const parsed = schema.safeParse(typeof body === "object" ? fields : body);
  if (!parsed.success) throw refusalOf(deepest(parsed.error.issues[0]!), fields);
  const {
    n,
    prompts = [],
    stream,
    stream_options: streaming,
  } = parsed.data as AnyRequest & {
    prompts?: readonly Prompt[];
  };
  if (streaming !== null && streaming !== undefined && stream !== true)
    throw invalidRequest("stream_options", "it is of answers with stream: true");
  if (Math.max(1, prompts.length) * (n ?? 1) > MAX_CHOICES)
    throw invalidRequest("n", `prompts × n are more than ${MAX_CHOICES} answers`);
  return parsed.data;
}

/** Returns the issue of the alternative that got furthest. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union") return issue;
  const firsts = issue.errors.flatMap((issues) => issues.slice(0, 1));
  const [inner] = firsts.sort((a, b) => b.path.length - a.path.length);
  if (inner === undefined || inner.path.length === 0) return issue;
  return deepest({ ...inner, path: [...issue.path, ...inner.path] });
}

/**
 * Maps an issue to OpenAI's codes: what is unknown, what is missing, what has another type, and what is out of range.
 */
function refusalOf(issue: z.core.$ZodIssue, fields: object) {
  const position = issue.path.map(String);
  const path = (names: readonly string[]) => names.join(".").slice(0, 256);
  if (issue.code === "unrecognized_keys") {
    const param = path([...position, issue.keys[0]!]);
    return invalidRequest(param, `Unknown parameter: '${param}'`, "unknown_parameter");
  }
  const param = path(position);
  const sentValue = position.reduce<unknown>(
    (value, name) => (value as Record<string, unknown> | undefined)?.[name],
    fields,
  );
  if (sentValue === undefined && param !== "")
    return invalidRequest(param, `Missing required parameter: '${param}'`, "missing_required_parameter");
  const isType = issue.code === "invalid_type";
  return invalidRequest(param, issue.message, isType ? "invalid_type" : "invalid_value");
}

/** @param code OpenAI's name of the error */
export function invalidRequest(param: string, message: string, code = "invalid_value", cause?: unknown) {
  const where = param === "" ? "the request" : param;
  return servingError("SRV_BAD_REQUEST", message.includes(`'${param}'`) ? message : `${where}: ${message}`, {
    data: { param, openaiCode: code },
    cause,
  });
}
