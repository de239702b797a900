import { Tokenizer } from "@huggingface/tokenizers";
import { type FileSource, readWhole } from "../files/byte-source.ts";
import { modelError } from "../model-errors.ts";

/** Text to tokens and back. */
export interface TextTokens {
  encode(text: string): number[];
  decode(tokens: readonly number[]): string;
  /** Maximum bytes of UTF-8 that one token stands for in a text. */
  readonly longestBytes: number;
}

/**
 * Most bytes of a text of so many tokens. A stranger's text is held against it before it is encoded: encoding takes about
 * 10 µs a byte, and what is longer is refused anyway.
 */
export const maxTextBytes = ({ longestBytes }: Pick<TextTokens, "longestBytes">, tokenCount: number) =>
  tokenCount * longestBytes;

export const MAX_FILE_BYTES = 64 * 2 ** 20;
const BYTE_COUNT = 256;

/** A token is a byte of UTF-8. */
const byteTokens: TextTokens = {
  encode: (text) => Array.from(new TextEncoder().encode(text)),
  decode: (tokens) => new TextDecoder().decode(Uint8Array.from(tokens)),
  longestBytes: 1,
};

/** What normalizers may shorten a text to: a letter of mathematics has 4 bytes, and the letter that NFKC makes of it one. */
const NORMALIZED_PART = 4;

/**
 * The tokenizer of a model: its tokenizer.json, or bytes where there is none and the vocabulary has 256.
 *
 * @throws RollupError MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE, MOD_TOO_LARGE
 */
export async function openTokenizer(source: FileSource, vocabularySize: number): Promise<TextTokens> {
  const bytes = await readWhole(source, "tokenizer.json", MAX_FILE_BYTES);
  if (bytes === null) {
    if (vocabularySize === BYTE_COUNT) return byteTokens;
    throw invalid(`there is none, and ${vocabularySize} tokens are not bytes`);
  }
  const settings = await readWhole(source, "tokenizer_config.json", MAX_FILE_BYTES);
  let tokenizer: Tokenizer;
  let longestBytes: number;
  try {
    const file = parseJsonFile(bytes);
    tokenizer = new Tokenizer(file, settings === null ? {} : parseJsonFile(settings));
    longestBytes = longestOf(file as TokenizerFile);
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
  }
  return {
    encode(text) {
      const { ids } = tokenizer.encode(text, { add_special_tokens: false });
      const wrong = ids.find((id: number) => !Number.isInteger(id) || id < 0 || id >= vocabularySize);
      if (wrong !== undefined) throw invalid(`it gives token ${wrong}, the model has ${vocabularySize}`);
      return ids;
    },
    // The library refuses to decode nothing.
    decode: (tokens) =>
      tokens.length === 0 ? "" : tokenizer.decode([...tokens], { skip_special_tokens: true }),
    longestBytes,
  };
}

/** What ends a text, as config.json names it: one token, some, or none. */
export async function readEndTokens(source: FileSource): Promise<number[]> {
  const bytes = await readWhole(source, "config.json", MAX_FILE_BYTES);
  const { eos_token_id: end } = JSON.parse(new TextDecoder().decode(bytes!)) as { eos_token_id?: unknown };
  return [end].flat().filter((token): token is number => typeof token === "number");
}

interface TokenizerFile {
  readonly model: {
    readonly vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[];
  };
  readonly added_tokens?: readonly { readonly content: string }[];
  readonly decoder?: { readonly type?: string } | null;
  readonly normalizer?: object | null;
}

function longestOf({ added_tokens: added = [], decoder, model, normalizer }: TokenizerFile): number {
  const { vocab } = model;
  const names = Array.isArray(vocab) ? vocab.map(([name]) => name as string) : Object.keys(vocab);
  // Of a byte-level vocabulary a name has one character for each byte.
  const utf8 = new TextEncoder();
  const bytesOf = (name: string) =>
    decoder?.type === "ByteLevel" ? [...name].length : utf8.encode(name).length;
  let longest = 1;
  for (const name of names) longest = Math.max(longest, bytesOf(name));
  for (const { content } of added) longest = Math.max(longest, utf8.encode(content).length);
  return (normalizer ?? null) === null ? longest : NORMALIZED_PART * longest;
}

export function parseJsonFile(bytes: Uint8Array): object {
  const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (typeof value !== "object" || value === null) throw new TypeError("no object");
  return value;
}

function invalid(reason: string, cause?: unknown) {
  return modelError("MOD_FILE_INVALID", `tokenizer.json: ${reason}`, { data: { reason }, cause });
}
