/**
 * Sentence encoders: a text's vector, so that texts of one meaning are near each other. Two families are computed, by the layout of
 * sentence-transformers: the decoder Qwen3 (Qwen3-Embedding: the state of the last token, behind which the tokenizer puts its end) and
 * BERT (MiniLM, e5, bge in English: mean of the states, or the first). The same bytes by all kernels. models/tuning/vectors/ stores
 * encoders, models/tuning/retrieval/ finds rows by them.
 */
import { modelError } from "../../model-errors.ts";
import { usualWeights } from "../architecture/model-shape.ts";
import { readTokens } from "../architecture/transformer.ts";
import { type FileSource, readWhole, unreadable } from "../files/byte-source.ts";
import { readConfig, unsupported } from "../files/config-fields.ts";
import { loadModel, MAX_CONFIG_BYTES, openModel } from "../files/load-model.ts";
import { parseModelConfig } from "../files/model-config.ts";
import type { KernelChoice } from "../kernels/create-kernels.ts";
import { openSentenceTokenizer, type SentenceTokens } from "../tokens/tokenizer.ts";
import { loadBert, type ReadStates } from "./bert-pass.ts";
import { type BertShape, bertShape } from "./bert-shape.ts";
import { readSentenceForm, type SentenceForm } from "./sentence-form.ts";

/** Characters of a text at most: a row has no more bytes. */
const MAX_TEXT_CHARACTERS = 65_536;

export interface SentenceVector {
  /** Components, by descending importance where the encoder was trained so (Matryoshka: the first ones are a vector of their own). */
  readonly components: Float64Array;
  /** Tokens that were read, with those around the text. */
  readonly tokenCount: number;
  /** The text has more tokens, which are cut off. */
  readonly isCut: boolean;
}

export interface SentenceEncoder {
  /** Components of a vector. */
  readonly dimensions: number;
  /** Tokens of a text, as the encoder reads it: cut, with the tokens around it. */
  tokensOf(text: string): readonly number[];
  /** The vector of a text as it is. @throws RollupError MOD_INPUT_INVALID for a text of too many characters */
  encode(text: string): SentenceVector;
  /** The vector of a question: with the encoder's instruction in front of it. */
  encodeQuestion(question: string): SentenceVector;
}

/** Model types that are computed. */
const FAMILIES = ["bert", "qwen3"] as const;
/** Models of tokenizers that are computed as each family's publishers do. */
const TOKENIZERS = { bert: ["WordPiece"], qwen3: ["BPE"] } as const;

/** Shape and form of a published encoder; nothing large is read. */
export interface EncoderPlan {
  readonly family: (typeof FAMILIES)[number];
  readonly vocabularySize: number;
  readonly width: number;
  readonly maxPositions: number;
  /** Shape of BERT's family; null for others. */
  readonly bert: BertShape | null;
}

/**
 * Reads a published encoder's config.json.
 * @throws RollupError MOD_SOURCE_UNREADABLE, MOD_FILE_INVALID, MOD_CONFIG_UNSUPPORTED, MOD_TOO_LARGE
 */
export async function readEncoderPlan(source: FileSource): Promise<EncoderPlan> {
  const bytes = await readWhole(source, "config.json", MAX_CONFIG_BYTES);
  if (bytes === null) throw unreadable(`${source.name}/config.json`, "there is no such file");
  const config = (readConfig(bytes) ?? {}) as { readonly model_type?: unknown; readonly auto_map?: unknown };
  const family = FAMILIES.find((one) => one === config.model_type);
  if (family === undefined) throw unsupported("model_type", config.model_type);
  if (family === "bert") {
    const bert = bertShape(config);
    const { maxPositions, vocabularySize, width } = bert;
    return { family, vocabularySize, width, maxPositions, bert };
  }
  // Code of a model's own may let its tokens attend to later ones.
  if (config.auto_map != null) throw unsupported("auto_map", config.auto_map);
  const { maxPositions, vocabularySize, width } = parseModelConfig(bytes);
  return { family, vocabularySize, width, maxPositions, bert: null };
}

interface EncoderOptions {
  readonly kernels: KernelChoice;
  /** Default: that of the published files. */
  readonly form?: SentenceForm;
}

/**
 * Loads an encoder. A decoder of 67 million numbers and more has weights of int8, as bases have.
 * @throws RollupError MOD_SOURCE_UNREADABLE, MOD_FILE_INVALID, MOD_CONFIG_UNSUPPORTED, MOD_TOO_LARGE, MOD_ENGINE_UNAVAILABLE
 */
export async function openSentenceEncoder(
  source: FileSource,
  { kernels, ...options }: EncoderOptions,
): Promise<SentenceEncoder> {
  const plan = await readEncoderPlan(source);
  const form = options.form ?? (await readSentenceForm(source, plan));
  const { family, vocabularySize, width } = plan;
  const tokens = await openSentenceTokenizer(source, vocabularySize, TOKENIZERS[family]);
  const maxTokens = Math.min(form.maxTokens, plan.maxPositions);
  const read =
    plan.bert === null
      ? await loadDecoder(source, { kernels, maxTokens })
      : await loadBert(source, plan.bert, { kernels, maxTokens });
  const encode = (text: string): SentenceVector => {
    const { ids, isCut } = framed(tokens, text, maxTokens);
    if (ids.length === 0) throw tooShort();
    const components = pooled(read(ids), width, form);
    return { components, tokenCount: ids.length, isCut };
  };
  return {
    dimensions: width,
    tokensOf: (text) => framed(tokens, text, maxTokens).ids,
    encode,
    encodeQuestion: (question) => encode(form.prefix + question),
  };
}

async function loadDecoder(
  source: FileSource,
  { kernels, maxTokens }: { readonly kernels: KernelChoice; readonly maxTokens: number },
): Promise<ReadStates> {
  const opened = await openModel(source);
  try {
    const weights = usualWeights(opened.layout);
    const { model } = await loadModel(opened, { kernels, maxRows: maxTokens, isTraining: false, weights });
    const { shape, workspace } = model;
    return (tokens) => {
      readTokens(model, tokens);
      const { lastNormed } = workspace;
      return model.kernels.arena.subarray(lastNormed, lastNormed + tokens.length * shape.width);
    };
  } finally {
    await opened.close();
  }
}

/** A text's tokens between those around it; its last ones are cut off where there are too many. */
function framed({ begin, encode, end }: SentenceTokens, text: string, maxTokens: number) {
  if (text.length > MAX_TEXT_CHARACTERS)
    throw modelError(
      "MOD_INPUT_INVALID",
      `a text of ${text.length} characters: at most ${MAX_TEXT_CHARACTERS} are encoded`,
      { data: { field: "text", count: text.length, max: MAX_TEXT_CHARACTERS } },
    );
  const own = encode(text);
  const room = Math.max(0, maxTokens - begin.length - end.length);
  return { ids: [...begin, ...own.slice(0, room), ...end], isCut: own.length > room };
}

const tooShort = () =>
  modelError("MOD_INPUT_INVALID", "a text without a token has no vector", {
    data: { field: "text", count: 0 },
  });

function pooled(states: Float32Array, width: number, { isNormalised, pooling }: SentenceForm): Float64Array {
  const rows = states.length / width;
  const at = pooling === "last" ? (rows - 1) * width : 0;
  const components = Float64Array.from(states.subarray(at, at + width));
  if (pooling === "mean") {
    for (let row = 1; row < rows; row++)
      for (let i = 0; i < width; i++) components[i] = components[i]! + states[row * width + i]!;
    for (let i = 0; i < width; i++) components[i] = components[i]! / rows;
  }
  return isNormalised ? atUnitLength(components) : components;
}

/** A vector at length 1; one of zeros stays. */
export function atUnitLength(components: Float64Array): Float64Array {
  const length = Math.sqrt(components.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? components : components.map((value) => value / length);
}
