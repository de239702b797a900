/** What of OpenAI's requests is taken. Fields that would change the answer and are not served are refused, not passed over. */
import { z } from "zod";
import { servingError } from "../model-errors.ts";

const MAX_TEXT = 4 * 2 ** 20;
const MAX_STOPS = 4;
const MAX_TOKENS = 2 ** 20;
const none = (what: string) =>
  z.union([z.null(), z.literal(0), z.literal(false), z.array(z.never()).max(0), z.strictObject({})], {
    error: `${what} is not served`,
  });

/** Attack: a schema looks at every entry of a list before it counts them. */
const fewOf = <Item extends z.ZodType>(item: Item, most: number) =>
  z
    .custom<unknown[]>((value) => Array.isArray(value) && value.length <= most, {
      error: `it is no list of at most ${most} entries`,
    })
    .pipe(z.array(item));

/** As z.array(z.number().int().min(0)) has it, and a hundred times as fast. */
const tokenList = z.custom<number[]>(
  (value) =>
    Array.isArray(value) &&
    value.length <= MAX_TOKENS &&
    value.every((one) => Number.isInteger(one) && one >= 0),
);

const common = {
  model: z.string().min(1).max(256),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z
    .number()
    .int()
    .min(1)
    .max(2 ** 20)
    .nullish(),
  max_completion_tokens: z
    .number()
    .int()
    .min(1)
    .max(2 ** 20)
    .nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  seed: z.number().int().nullish(),
  n: z.literal(1, { error: "one answer at a time is served" }).nullish(),
  stop: z
    .union([z.string().min(1).max(256), fewOf(z.string().min(1).max(256), MAX_STOPS)])
    .nullish()
    .transform((stop) => (stop === null || stop === undefined ? [] : [stop].flat())),
  logprobs: none("logprobs").optional(),
  logit_bias: none("logit_bias").optional(),
  presence_penalty: none("presence_penalty").optional(),
  frequency_penalty: none("frequency_penalty").optional(),
  /** Who pays, and the signature of the question; read by the book of answers. */
  openledger: z.unknown().optional(),
};

const completionSchema = z.object({
  ...common,
  prompt: z.union([z.string().max(MAX_TEXT), tokenList], {
    error: "the prompt is one text or one list of tokens",
  }),
  best_of: z.literal(1, { error: "best_of is not served" }).nullish(),
  echo: none("echo").optional(),
  suffix: z.union([z.null(), z.literal("")], { error: "suffix is not served" }).optional(),
});

const text = z.union([
  z.string().max(MAX_TEXT),
  fewOf(
    z.object({
      type: z.literal("text", { error: "only parts of text are served" }),
      text: z.string().max(MAX_TEXT),
    }),
    1_000,
  ).transform((parts) => parts.map((part) => part.text).join("")),
]);

const chatSchema = z.object({
  ...common,
  messages: fewOf(
    z.object({ role: z.enum(["system", "developer", "user", "assistant"]), content: text }),
    10_000,
  ).refine(({ length }) => length > 0, "it is empty"),
  tools: none("tools").optional(),
  functions: none("functions").optional(),
  response_format: z
    .object({ type: z.literal("text", { error: "only text is served as response_format" }) })
    .nullish(),
});

export type CompletionRequest = z.output<typeof completionSchema>;
export type ChatRequest = z.output<typeof chatSchema>;
export type ChatMessage = ChatRequest["messages"][number];

/** @throws RollupError SRV_BAD_REQUEST */
export const parseCompletion = (body: unknown): CompletionRequest => parse(completionSchema, body);
/** @throws RollupError SRV_BAD_REQUEST */
export const parseChat = (body: unknown): ChatRequest => parse(chatSchema, body);

function parse<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw invalidRequest(issue.path.join("."), issue.message);
}

export function invalidRequest(param: string, message: string, cause?: unknown) {
  return servingError("SRV_BAD_REQUEST", `${param === "" ? "the request" : param}: ${message}`, {
    data: { param },
    cause,
  });
}
