/**
 * Tokenizers of models: text to token ids and back, by a published tokenizer.json (Hugging Face's format) or byte by byte.
 * Training, prompts and answers use it.
 */
import { Tokenizer } from "@huggingface/tokenizers";
import { modelError } from "../../model-errors.ts";
import { type FileSource, readWhole } from "../files/byte-source.ts";
import { ChatTemplate } from "./chat-template.ts";
import { type PublishedTemplate, readChatTemplate } from "./text-marks.ts";
import { spellingOf, type TokenSpelling } from "./token-speller.ts";
import {
  beginOf,
  frameOf,
  MAX_FILE_BYTES,
  parseJsonFile,
  requireBounded,
  requireComputed,
  type TokenizerConfig,
  type TokenizerFile,
} from "./tokenizer-file.ts";

/** Text to tokens and back. */
export interface TextTokens extends TokenSpelling {
  /** Tokens of a text alone. */
  encode(text: string): number[];
  /** The text that tokens spell; of bytes that are no text, replacement characters. */
  decode(tokens: readonly number[]): string;
  /** Tokens that the tokenizer puts before a text: a begin-of-text token, or none. */
  readonly begin: readonly number[];
  /** Maximum bytes of UTF-8 that one token stands for in a text. */
  readonly longestBytes: number;
  /** The base's chat template; null if there is none. @throws RollupError MOD_FILE_INVALID for one that is no Jinja */
  readonly chat: () => ChatTemplate | null;
}

/**
 * Maximum bytes of a text of `tokenCount` tokens. A stranger's text is compared with it before it is encoded: encoding
 * takes about 10 µs a byte, and what is longer is refused anyway.
 */
export const maxTextBytes = ({ longestBytes }: Pick<TextTokens, "longestBytes">, tokenCount: number) =>
  tokenCount * longestBytes;

const BYTE_COUNT = 256;
const byte = (token: number) => Uint8Array.of(token);

/** A token is a byte of UTF-8. */
export const byteTokens: TextTokens = withDecoding({
  encode: (text) => Array.from(new TextEncoder().encode(text)),
  bytesOf: byte,
  speller: () => byte,
  begin: [],
  longestBytes: 1,
  chat: () => null,
});

/**
 * Factor by which normalizers may shorten a text: a letter of mathematics has 4 bytes, and the letter that NFKC makes
 * of it one.
 */
const NORMALIZED_PART = 4;

/**
 * The tokenizer of a model: its tokenizer.json, or bytes if there is none and the vocabulary has 256.
 *
 * @throws RollupError MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE, MOD_TOO_LARGE
 */
export async function openTokenizer(source: FileSource, vocabularySize: number): Promise<TextTokens> {
  const template = await readChatTemplate(source);
  const published = await readTokenizer(source);
  if (published === null) {
    if (vocabularySize === BYTE_COUNT) return { ...byteTokens, chat: lazyTemplate(template, []) };
    throw missing(vocabularySize);
  }
  return refusing(() => {
    const { config, file } = published;
    const special = (file.added_tokens ?? []).filter((token) => token.special === true);
    const chat = lazyTemplate(
      template,
      special.map(({ content }) => content),
    );
    const begin = beginOf(file);
    return tokensOf(file, config, { vocabularySize, begin, chat });
  });
}

/** Text to tokens for an encoder, which reads whole texts: some tokens stand behind them. */
export interface SentenceTokens extends TextTokens {
  readonly end: readonly number[];
}

/**
 * The tokenizer of a sentence encoder.
 * @param models types of `model` that are computed as the encoder's publisher does
 * @throws RollupError MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE, MOD_TOO_LARGE
 */
export async function openSentenceTokenizer(
  source: FileSource,
  vocabularySize: number,
  models: readonly string[],
): Promise<SentenceTokens> {
  const published = await readTokenizer(source);
  if (published === null) throw missing(vocabularySize);
  return refusing(() => {
    const { config, file } = published;
    const { type = "of no type" } = file.model;
    if (!models.includes(type))
      throw new TypeError(`its model ${type} is not computed for sentence encoders, ${models.join(", ")} is`);
    const { begin, end } = frameOf(file);
    const wrong = end.find((id) => id < 0 || id >= vocabularySize);
    if (wrong !== undefined) throw new TypeError(`it gives token ${wrong}, the model has ${vocabularySize}`);
    return { ...tokensOf(file, config, { vocabularySize, begin, chat: () => null }), end };
  });
}

/** Files of a tokenizer; null if there is none. @throws RollupError MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE, MOD_TOO_LARGE */
async function readTokenizer(source: FileSource) {
  const bytes = await readWhole(source, "tokenizer.json", MAX_FILE_BYTES);
  if (bytes === null) return null;
  const settings = await readWhole(source, "tokenizer_config.json", MAX_FILE_BYTES);
  return refusing(() => ({
    config: settings === null ? {} : (parseJsonFile(settings) as TokenizerConfig),
    file: parseJsonFile(bytes) as TokenizerFile,
  }));
}

/** @throws RollupError MOD_FILE_INVALID with what is wrong in the file */
function refusing<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

const missing = (vocabularySize: number) =>
  invalid(
    `there is none, and ${vocabularySize} tokens are not bytes: put that of the published model into the folder`,
  );

/** Parses a template when it is first needed: a base with a broken one still reads prompts. */
function lazyTemplate(published: PublishedTemplate | null, marks: readonly string[]): TextTokens["chat"] {
  let parsed: ChatTemplate | null = null;
  return () => {
    if (published !== null) parsed ??= new ChatTemplate({ ...published, marks });
    return parsed;
  };
}

function tokensOf(
  file: TokenizerFile,
  config: TokenizerConfig,
  { vocabularySize, ...own }: Pick<TextTokens, "begin" | "chat"> & { readonly vocabularySize: number },
): TextTokens {
  requireBounded(file);
  requireComputed(file, config);
  const tokenizer = new Tokenizer(file, config);
  const marks = (config.additional_special_tokens ?? []).filter((name) => typeof name === "string");
  const checked = (ids: readonly number[]) => {
    const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize);
    if (wrong !== undefined) throw invalid(`it gives token ${wrong}, the model has ${vocabularySize}`);
    return ids as number[];
  };
  return withDecoding({
    ...spellingOf(file, marks),
    encode: (text) => checked(tokenizer.encode(text, { add_special_tokens: false }).ids),
    begin: checked(own.begin),
    longestBytes: longestOf(file),
    chat: own.chat,
  });
}

function withDecoding(tokens: Omit<TextTokens, "decode">): TextTokens {
  return { ...tokens, decode: (list) => textOf(tokens.speller(), list) };
}

/** The text of tokens one after another. */
function textOf(spell: (token: number) => Uint8Array, tokens: readonly number[]): string {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return tokens.map((token) => decoder.decode(spell(token), { stream: true })).join("") + decoder.decode();
}

/** Tokens of a text behind those that the tokenizer puts before it: once, if the text has them already. */
export function begun({ begin }: Pick<TextTokens, "begin">, text: readonly number[]): readonly number[] {
  return begin.every((token, i) => text[i] === token) ? text : [...begin, ...text];
}

function longestOf({ added_tokens: added = [], decoder, model, normalizer }: TokenizerFile): number {
  const { vocab } = model;
  const names = Array.isArray(vocab) ? vocab.map(([name]) => name as string) : Object.keys(vocab);
  // A name of a byte-level vocabulary has one character for each byte.
  const utf8 = new TextEncoder();
  const bytesOf = (name: string) =>
    decoder?.type === "ByteLevel" ? [...name].length : utf8.encode(name).length;
  let longest = 1;
  for (const name of names) longest = Math.max(longest, bytesOf(name));
  for (const { content } of added) longest = Math.max(longest, utf8.encode(content).length);
  return (normalizer ?? null) === null ? longest : NORMALIZED_PART * longest;
}

function invalid(reason: string, cause?: unknown) {
  return modelError("MOD_FILE_INVALID", `tokenizer.json: ${reason}`, { data: { reason }, cause });
}
