/**
 * Bytes of all tokens of a language model's vocabulary, sorted, for answers held to JSON: json-guide.ts walks it to find tokens
 * that may follow. open-language.ts reads it once.
 */
import type { SpelledVocabulary } from "../batches/json-guide.ts";
import { type FileSource, readWhole } from "../files/byte-source.ts";
import type { TextTokens } from "./tokenizer.ts";
import { MAX_FILE_BYTES, parseJsonFile } from "./tokenizer-file.ts";
import { byteCharacters } from "./train-tokenizer.ts";

interface PreTokenizer {
  readonly type?: string;
  readonly add_prefix_space?: boolean;
  readonly behavior?: string;
  readonly pretokenizers?: readonly PreTokenizer[];
}

interface TokenizerFile {
  readonly normalizer?: { readonly type?: string } | null;
  readonly pre_tokenizer?: PreTokenizer;
  readonly added_tokens?: readonly { id: number; content: string; lstrip?: boolean; rstrip?: boolean }[];
  readonly model: {
    readonly type?: string;
    readonly vocab: Readonly<Record<string, number>>;
    readonly byte_fallback?: boolean;
    readonly continuing_subword_prefix?: string | null;
    readonly end_of_word_suffix?: string | null;
  };
}

const BYTE_COUNT = 256;
const NOTHING = new Uint8Array();

/**
 * Reads the spelling of the tokens. null if they do not spell a text byte by byte: the tokenizer changes the text first, or
 * is no byte-level BPE.
 *
 * @throws RollupError MOD_SOURCE_UNREADABLE, MOD_TOO_LARGE
 */
export async function readVocabulary(
  source: FileSource,
  tokens: TextTokens,
  vocabularySize: number,
): Promise<SpelledVocabulary | null> {
  const spelling = await readSpelling(source, vocabularySize);
  if (spelling === null) return null;
  const spelled = spelling.map((bytes) => Buffer.from(bytes));
  const ends = new Uint32Array(new SharedArrayBuffer(4 * vocabularySize));
  for (let end = 0, i = 0; i < vocabularySize; i++) ends[i] = end += spelled[i]!.length;
  const bytes = new Uint8Array(new SharedArrayBuffer(ends.at(-1)!));
  bytes.set(Buffer.concat(spelled));
  // Marks, of which a text shows nothing, spell their names.
  const isText = (token: number) => spelled[token]!.length > 0 && tokens.decode([token]) !== "";
  const sorted = Array.from(spelled.keys())
    .filter(isText)
    .sort((a, b) => spelled[a]!.compare(spelled[b]!));
  const order = new Uint32Array(new SharedArrayBuffer(4 * sorted.length));
  order.set(sorted);
  return { bytes, ends, order };
}

/** Bytes by token; empty if a token spells nothing certain. */
async function readSpelling(source: FileSource, vocabularySize: number): Promise<Uint8Array[] | null> {
  const file = await readWhole(source, "tokenizer.json", MAX_FILE_BYTES);
  if (file === null) {
    if (vocabularySize !== BYTE_COUNT) return null;
    return Array.from({ length: BYTE_COUNT }, (_, byte) => Uint8Array.of(byte));
  }
  const settings = await readWhole(source, "tokenizer_config.json", MAX_FILE_BYTES);
  const config = settings === null ? {} : (parseJsonFile(settings) as Record<string, unknown>);
  if (config.remove_space === true || config.do_lowercase_and_remove_accent === true) return null;
  return spellingOf(parseJsonFile(file) as TokenizerFile, vocabularySize);
}

function spellingOf(file: TokenizerFile, size: number): Uint8Array[] | null {
  const { added_tokens: added = [], model, normalizer, pre_tokenizer: pre } = file;
  // NFC leaves a text alone that its own tokens spell.
  const isNormalized = normalizer != null && normalizer.type !== "NFC";
  const isByteLevel =
    !isNormalized &&
    keepsBytes(pre) &&
    model.type === "BPE" &&
    model.byte_fallback !== true &&
    !model.continuing_subword_prefix &&
    !model.end_of_word_suffix &&
    added.every(({ lstrip, rstrip }) => lstrip !== true && rstrip !== true);
  if (!isByteLevel) return null;
  const byteOf = new Map(byteCharacters().map((character, byte) => [character, byte]));
  const spelling: Uint8Array[] = Array.from({ length: size }, () => NOTHING);
  for (const [name, token] of Object.entries(model.vocab)) {
    const bytes = Array.from(name, (character) => byteOf.get(character));
    // A name of other characters is an added token's.
    if (token < size && bytes.every((byte) => byte !== undefined))
      spelling[token] = Uint8Array.from(bytes as number[]);
  }
  const single = new Set(spelling.flatMap((bytes) => (bytes.length === 1 ? [bytes[0]] : [])));
  if (single.size < BYTE_COUNT) return null;
  for (const { content, id } of added) if (id < size) spelling[id] = new TextEncoder().encode(content);
  return spelling;
}

/** True if the pieces into which a text is cut before it is encoded are all of its bytes, and no others. */
function keepsBytes(pre: PreTokenizer | undefined): boolean {
  if (pre?.type === "ByteLevel") return pre.add_prefix_space === false;
  if (pre?.type !== "Sequence") return false;
  const parts = pre.pretokenizers ?? [];
  const last = parts.at(-1);
  const areSplits = parts
    .slice(0, -1)
    .every(({ behavior, type }) => type === "Split" && behavior === "Isolated");
  return areSplits && last?.type === "ByteLevel" && keepsBytes(last);
}
