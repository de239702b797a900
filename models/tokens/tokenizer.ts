import { Tokenizer } from "@huggingface/tokenizers";
import { type FileSource, readWhole } from "../files/byte-source.ts";
import { modelError } from "../model-errors.ts";

/** Text to tokens and back. */
export interface TextTokens {
  encode(text: string): number[];
  decode(tokens: readonly number[]): string;
}

export const MAX_FILE_BYTES = 64 * 2 ** 20;
const BYTE_COUNT = 256;

/** A token is a byte of UTF-8. */
const byteTokens: TextTokens = {
  encode: (text) => Array.from(new TextEncoder().encode(text)),
  decode: (tokens) => new TextDecoder().decode(Uint8Array.from(tokens)),
};

/**
 * The tokenizer of a model: its tokenizer.json, or bytes where there is none and the vocabulary has 256.
 *
 * @throws RollupError MOD_TOKENIZER_INVALID, MOD_SOURCE_UNREADABLE, MOD_TOO_LARGE
 */
export async function openTokenizer(source: FileSource, vocabularySize: number): Promise<TextTokens> {
  const bytes = await readWhole(source, "tokenizer.json", MAX_FILE_BYTES);
  if (bytes === null) {
    if (vocabularySize === BYTE_COUNT) return byteTokens;
    throw invalid(`there is none, and ${vocabularySize} tokens are not bytes`);
  }
  const settings = await readWhole(source, "tokenizer_config.json", MAX_FILE_BYTES);
  let tokenizer: Tokenizer;
  try {
    tokenizer = new Tokenizer(parseJsonFile(bytes), settings === null ? {} : parseJsonFile(settings));
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
  };
}

export function parseJsonFile(bytes: Uint8Array): object {
  const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (typeof value !== "object" || value === null) throw new TypeError("no object");
  return value;
}

function invalid(reason: string, cause?: unknown) {
  return modelError("MOD_TOKENIZER_INVALID", `tokenizer.json: ${reason}`, { data: { reason }, cause });
}
