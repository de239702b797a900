/**
 * Reader of published static encoders in Model2Vec's form (minishlab/potion-base-8M and others): tokenizer.json, and a table of token
 * vectors in model.safetensors. `openledger models vectors --add PLACE` makes one integer file of both, by which classifiers count texts.
 *
 * A text's vector is the mean of its tokens' vectors, those of `weights` times them, at unit length; unknown tokens are left out. The file
 * has the first components, in which the table's principal directions lie, and what the tokenizer does to each character: a text beyond
 * the 512 tokens that Model2Vec reads counts whole, and added tokens are no more than their characters.
 */
import { Tokenizer } from "@huggingface/tokenizers";
import { readTextVectors } from "@openledger/attribution/inputs/text-vectors";
import {
  encodeTokenVectors,
  MAX_TOKEN_WEIGHT,
  type TokenHeader,
} from "@openledger/attribution/inputs/token-vectors";
import { type FileSource, readWhole, unreadable } from "../../engine/files/byte-source.ts";
import { readFloats, readTensorEntries, type TensorEntry } from "../../engine/files/safetensors.ts";
import {
  MAX_FILE_BYTES,
  parseJsonFile,
  requireBounded,
  requireComputed,
  type TokenizerFile,
} from "../../engine/tokens/tokenizer-file.ts";
import { modelError } from "../../model-errors.ts";

/** Components of a file: their digits take 128 buckets. */
const USUAL_DIMENSIONS = 64;
const TABLE_FILE = "model.safetensors";
/** Names of the table, by Model2Vec and by sentence-transformers. */
const TABLE_NAMES = ["embeddings", "embedding.weight"] as const;
const WEIGHTS_NAME = "weights";
/** Characters beyond are planes of no script. */
const LAST_POINT = 0x2ffff;
const SCORE_UNIT = 2 ** 20;
/** Longest word in characters: that of WordPiece unless its file says another, and of Unigram, whose words may be sentences. */
const MAX_WORD_LENGTH = { longest: 100, likeliest: 4_096 } as const;

/**
 * Makes the file of a published encoder: the same bytes of the same files on one version of Node, whose Unicode tables they have.
 * @param dimensions of the file, at most the table's
 * @throws RollupError MOD_SOURCE_UNREADABLE, MOD_FILE_INVALID, MOD_CONFIG_UNSUPPORTED, MOD_TOO_LARGE, ATT_VECTORS_INVALID beyond 64 MiB
 */
export async function deriveEncoder(source: FileSource, dimensions = USUAL_DIMENSIONS): Promise<Uint8Array> {
  const { file, tokenizer } = await readTokenizer(source);
  const tokens = tokensOf(file, tokenizer);
  const table = await source.open(TABLE_FILE);
  if (table === null) throw unreadable(`${source.name}/${TABLE_FILE}`, "there is no such file");
  try {
    const vectors = await readTable(await entriesOf(table), tokens.length, dimensions);
    const largest = vectors.reduce((max, { size }) => Math.max(max, size), 0);
    const bytes = encodeTokenVectors(
      headerOf(file, tokenizer, tokens),
      vectors.map(({ size, values }) => ({
        weight: largest === 0 ? 0 : Math.round((MAX_TOKEN_WEIGHT * size) / largest),
        components: values.map((value) => (size === 0 ? 0 : Math.round((127 * value) / size))),
      })),
    );
    readTextVectors(bytes);
    return bytes;
  } finally {
    await table.close();
  }
}

async function entriesOf(table: Parameters<typeof readTensorEntries>[0]) {
  const entries = await readTensorEntries(table, (name, type) => {
    throw unsupported(`its tensor ${name} is of type ${type}, and floats of 16 and 32 bits are read`);
  });
  const other = [...entries.keys()].find((name) => ![...TABLE_NAMES, WEIGHTS_NAME].includes(name));
  if (other !== undefined) throw unsupported(`its tensor ${other} is no part of a static encoder`);
  return entries;
}

interface TokenRow {
  readonly values: Float64Array;
  /** Largest absolute value. */
  readonly size: number;
}

async function readTable(
  entries: ReadonlyMap<string, TensorEntry>,
  tokenCount: number,
  dimensions: number,
): Promise<TokenRow[]> {
  const table = TABLE_NAMES.map((name) => entries.get(name)).find((entry) => entry !== undefined);
  const [rows = 0, columns = 0, ...more] = table?.shape ?? [];
  if (table === undefined || more.length > 0 || rows !== tokenCount || columns < dimensions)
    throw damaged(
      `its table has the shape ${JSON.stringify(table?.shape ?? null)}, and ${tokenCount} tokens of ${dimensions} components or more are read`,
    );
  const weighing = entries.get(WEIGHTS_NAME);
  if (weighing !== undefined && weighing.shape.join() !== String(tokenCount))
    throw damaged(`its weights have the shape ${JSON.stringify(weighing.shape)}`);
  const weights = weighing === undefined ? null : await readFloats(weighing, 0, tokenCount);
  const found: TokenRow[] = [];
  for (let first = 0; first < rows; first += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, rows - first);
    const read = await readFloats(table, first * columns, count * columns);
    for (let row = 0; row < count; row++) {
      const weight = weights?.[first + row] ?? 1;
      const own = Float64Array.from(
        read.subarray(row * columns, row * columns + dimensions),
        (value) => weight * value,
      );
      found.push({ values: own, size: own.reduce((max, value) => Math.max(max, Math.abs(value)), 0) });
    }
  }
  return found;
}

const ROWS_AT_ONCE = 4_096;

async function readTokenizer(source: FileSource) {
  const bytes = await readWhole(source, "tokenizer.json", MAX_FILE_BYTES);
  if (bytes === null) throw unreadable(`${source.name}/tokenizer.json`, "there is no such file");
  try {
    const file = parseJsonFile(bytes) as EncoderTokenizer;
    requireBounded(file);
    requireComputed(file, {});
    return { file, tokenizer: new Tokenizer(file, {}) };
  } catch (cause) {
    throw damaged(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Names of tokens by their ids, the added ones among them. */
function tokensOf({ added_tokens: added = [], model }: EncoderTokenizer, tokenizer: Tokenizer): string[] {
  if (model.type !== "WordPiece" && model.type !== "Unigram")
    throw unsupported(`its tokenizer ${model.type} is not counted by; WordPiece and Unigram are`);
  const tokens: string[] = [];
  for (const [name, id] of tokenizer.get_vocab(true)) tokens[id] = name;
  for (const { content, id } of added) tokens[id] = content;
  for (const id of tokens.keys())
    if (tokens[id] === undefined) throw damaged(`it has no token ${id} of ${tokens.length}`);
  return tokens;
}

/** Describes how the tokenizer changes characters and cuts words. */
function headerOf(file: EncoderTokenizer, tokenizer: Tokenizer, tokens: readonly string[]): TokenHeader {
  const { model } = file;
  const segmentation = model.type === "WordPiece" ? "longest" : "likeliest";
  const { first, ...characters } = charactersOf(tokenizer);
  return {
    segmentation,
    first,
    later: segmentation === "longest" ? (model.continuing_subword_prefix ?? "##") : "",
    maxWordLength: model.max_input_chars_per_word ?? MAX_WORD_LENGTH[segmentation],
    ...characters,
    // The unknown token and the added ones are no piece of a word: an empty name is in no text.
    tokens: tokens.map((name, id) => (isNoPiece(file, name, id) ? "" : name)),
    ...(segmentation === "likeliest" ? { scores: scoresOf(model.vocab, tokens.length) } : {}),
  };
}

interface EncoderTokenizer extends TokenizerFile {
  readonly model: TokenizerFile["model"] & {
    readonly unk_token?: string | null;
    readonly unk_id?: number | null;
    readonly max_input_chars_per_word?: number;
  };
}

const isNoPiece = ({ added_tokens: added = [], model }: EncoderTokenizer, name: string, id: number) =>
  name === (model.unk_token ?? null) || id === (model.unk_id ?? -1) || added.some((one) => one.id === id);

const scoresOf = (vocabulary: TokenizerFile["model"]["vocab"], count: number): number[] =>
  Array.from({ length: count }, (_, id) =>
    Math.round(
      SCORE_UNIT * Number((vocabulary as readonly (readonly [string, number])[])[id]?.[1] ?? -1_000),
    ),
  );

/** Sees what the tokenizer makes of each character between two letters. */
function charactersOf({ normalizer, pre_tokenizer: cutter }: Tokenizer) {
  const normal = (text: string) => normalizer?.normalize(text) ?? text;
  const cut = (text: string): string[] => cutter?.pre_tokenize(text) ?? [text];
  const [whole = ""] = cut("a");
  if (!whole.endsWith("a")) throw unsupported("its tokenizer cuts words as nothing else does");
  const first = whole.slice(0, -1);
  const classes = { separators: [] as [number, number][], singles: [] as [number, number][] };
  const changes: [number, string][] = [];
  for (let point = 0; point <= LAST_POINT; point++) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const character = String.fromCodePoint(point);
    const between = normal(`a${character}b`);
    const isBetween = between.startsWith("a") && between.endsWith("b") && between.length > 1;
    const changed = isBetween ? between.slice(1, -1) : normal(character);
    const isAlone = changed === ` ${character} `;
    if (changed !== character && !isAlone) changes.push([point, changed]);
    const kind = isAlone ? "singles" : kindOf(cut(`a${character}b`), first, character);
    if (kind !== null) extend(classes[kind], point);
  }
  return { first, changes, ...classes };
}

/** Class of a character by the words that a text of it between two letters is cut into; null: a letter. */
function kindOf(parts: readonly string[], first: string, character: string) {
  const words = parts.map((part) =>
    first !== "" && part.startsWith(first) ? part.slice(first.length) : part,
  );
  if (words.join("\n") === "a\nb" || (first !== "" && words.join("\n") === `a${first}b`)) return "separators";
  if (words.join("\n") === `a\n${character}\nb`) return "singles";
  return null;
}

function extend(ranges: [number, number][], point: number): void {
  const last = ranges.at(-1);
  if (last !== undefined && last[1] === point - 1) last[1] = point;
  else ranges.push([point, point]);
}

const damaged = (reason: string, cause?: unknown) =>
  modelError("MOD_FILE_INVALID", `the static encoder is refused: ${reason}`, { data: { reason }, cause });

const unsupported = (reason: string) =>
  modelError("MOD_CONFIG_UNSUPPORTED", `the static encoder is refused: ${reason}`, { data: { reason } });
