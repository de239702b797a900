/**
 * Reads from a published sentence encoder's files (the layout of sentence-transformers) how a text's states become its vector:
 * modules.json, the pooling's config.json, sentence_bert_config.json and config_sentence_transformers.json. Each by a closed schema: what
 * could change a vector and is not computed is refused by its name.
 */
import { parseStrictJson } from "@openledger/foundation/exact-json";
import { z } from "zod";
import { modelError } from "../../model-errors.ts";
import { type FileSource, readWhole, unreadable } from "../files/byte-source.ts";
import { MAX_FILE_BYTES, parseJsonFile, type TokenizerFile } from "../tokens/tokenizer-file.ts";

/** Mean of all states, state of the first token, or of the last. */
const POOLINGS = ["mean", "first", "last"] as const;
/** Tokens of a text that count at most, whatever a file says. */
const MAX_TOKENS = 1_024;
const MAX_PREFIX_CHARACTERS = 1_000;
const MAX_COMPONENTS = 65_536;
/** Bound on a stranger's file: published ones have less than one kB. */
const MAX_FORM_BYTES = 2 ** 16;

/** Form of an encoder: all that a vector depends on beside its model and tokenizer. */
export const sentenceFormSchema = z.strictObject({
  pooling: z.enum(POOLINGS),
  /** The vector has the length 1. */
  isNormalised: z.boolean(),
  /** Tokens of a text with those around it: the others are cut off. */
  maxTokens: z.int().min(8).max(MAX_TOKENS),
  /** Instruction in front of a question. Empty: none. */
  prefix: z.string().max(MAX_PREFIX_CHARACTERS),
});
export type SentenceForm = z.output<typeof sentenceFormSchema>;

const flag = z.boolean().optional();
const modulesSchema = z
  .array(
    z.strictObject({
      idx: z.int(),
      name: z.string(),
      path: z.string().regex(/^[A-Za-z0-9_]{0,40}$/),
      type: z.string().max(200),
    }),
  )
  .min(2)
  .max(8);
const poolingSchema = z.strictObject({
  word_embedding_dimension: z.int().min(1).max(MAX_COMPONENTS),
  pooling_mode_cls_token: flag,
  pooling_mode_mean_tokens: flag,
  pooling_mode_max_tokens: flag,
  pooling_mode_mean_sqrt_len_tokens: flag,
  pooling_mode_weightedmean_tokens: flag,
  pooling_mode_lasttoken: flag,
  include_prompt: flag,
});
const limitsSchema = z.strictObject({
  max_seq_length: z
    .int()
    .min(8)
    .max(2 ** 20)
    .nullish(),
  do_lower_case: z.boolean().nullish(),
});
const settingsSchema = z.strictObject({
  __version__: z.unknown().optional(),
  model_type: z.literal("SentenceTransformer").optional(),
  prompts: z.record(z.string(), z.string().max(MAX_PREFIX_CHARACTERS).nullable()).optional(),
  default_prompt_name: z.string().nullish(),
  similarity_fn_name: z.enum(["cosine", "dot"]).nullish(),
});

const POOLING_MODES = {
  pooling_mode_mean_tokens: "mean",
  pooling_mode_cls_token: "first",
  pooling_mode_lasttoken: "last",
} as const satisfies Partial<Record<keyof z.output<typeof poolingSchema>, SentenceForm["pooling"]>>;

/**
 * The form of a published encoder.
 * @param positions that the model has, which bound `maxTokens` @param width of its states
 * @throws RollupError MOD_SOURCE_UNREADABLE, MOD_FILE_INVALID, MOD_CONFIG_UNSUPPORTED, MOD_TOO_LARGE
 */
export async function readSentenceForm(
  source: FileSource,
  { maxPositions, width }: { readonly maxPositions: number; readonly width: number },
): Promise<SentenceForm> {
  const modules = await readJson(source, "modules.json", modulesSchema);
  if (modules === null)
    throw unreadable(
      `${source.name}/modules.json`,
      "there is no such file, and without it nothing says how states become a vector",
    );
  const kinds = modules.map(({ type }) => type.split(".").at(-1)!);
  const extra = kinds.find((kind, at) => kind !== MODULES[at]);
  if (extra !== undefined) throw unsupported("modules.json", extra);
  const pooling = await readJson(source, `${modules[1]!.path}/config.json`, poolingSchema);
  if (pooling === null || modules[0]!.path !== "")
    throw invalid("modules.json", "its modules are not where sentence-transformers has them");
  if (pooling.word_embedding_dimension !== width)
    throw invalid(`${modules[1]!.path}/config.json`, `states have ${width} components`);
  const limits = await readJson(source, "sentence_bert_config.json", limitsSchema);
  if (limits?.do_lower_case === true) await requireLowering(source);
  const settings = await readJson(source, "config_sentence_transformers.json", settingsSchema);
  const prefix = prefixOf(settings);
  if (prefix !== "" && pooling.include_prompt === false) throw unsupported("include_prompt", false);
  return {
    pooling: poolingOf(pooling),
    isNormalised: kinds.length > 2,
    maxTokens: Math.min(limits?.max_seq_length ?? MAX_TOKENS, maxPositions, MAX_TOKENS),
    prefix,
  };
}

/** Modules that are computed, in their order; the last may be absent. */
const MODULES: readonly string[] = ["Transformer", "Pooling", "Normalize"];

function poolingOf(pooling: z.output<typeof poolingSchema>): SentenceForm["pooling"] {
  const modes = Object.entries(pooling).filter(
    ([name, value]) => name.startsWith("pooling_") && value === true,
  );
  const [name = "pooling_mode"] = modes.map(([mode]) => mode);
  if (modes.length !== 1 || !Object.hasOwn(POOLING_MODES, name))
    throw unsupported(modes.length > 1 ? modes.map(([mode]) => mode).join(" + ") : name, modes.length > 0);
  return POOLING_MODES[name as keyof typeof POOLING_MODES];
}

/** Instruction of questions, which sentence-transformers calls "query". */
function prefixOf(settings: z.output<typeof settingsSchema> | null): string {
  const { default_prompt_name: usual = null, prompts = {} } = settings ?? {};
  const name = ["query", usual].find((one) => one !== null && Object.hasOwn(prompts, one));
  return (name === undefined || name === null ? null : prompts[name]) ?? "";
}

/** Small letters in front of a tokenizer that makes them itself change nothing. @throws RollupError MOD_CONFIG_UNSUPPORTED for another */
async function requireLowering(source: FileSource): Promise<void> {
  const bytes = await readWhole(source, "tokenizer.json", MAX_FILE_BYTES);
  // The tokenizer's reader refuses a file that is missing or damaged.
  if (bytes === null) return;
  let file: TokenizerFile;
  try {
    file = parseJsonFile(bytes) as TokenizerFile;
  } catch {
    return;
  }
  const { normalizer } = file;
  if (normalizer?.type !== "BertNormalizer" || normalizer.lowercase === false)
    throw unsupported("do_lower_case", true);
}

/** null if there is no such file. */
async function readJson<T>(source: FileSource, file: string, schema: z.ZodType<T>): Promise<T | null> {
  const bytes = await readWhole(source, file, MAX_FORM_BYTES);
  if (bytes === null) return null;
  let json: unknown;
  try {
    json = parseStrictJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid(file, "it is no JSON", cause);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const unknown = issue.code === "unrecognized_keys" ? issue.keys.join(", ") : null;
  if (unknown !== null) throw unsupported(unknown, file);
  throw invalid(file, `${issue.path.join(".")}: ${issue.message}`, parsed.error);
}

const invalid = (file: string, reason: string, cause?: unknown) =>
  modelError("MOD_FILE_INVALID", `${file}: ${reason}`, { data: { name: file, reason }, cause });

const unsupported = (field: string, value: unknown) =>
  modelError("MOD_CONFIG_UNSUPPORTED", `sentence encoders with ${field} (${value}) are not computed here`, {
    data: { field, value },
  });
