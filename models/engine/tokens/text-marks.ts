/**
 * Tokens that begin and end a text, and the chat template, read from a model's published files. The answer server prompts and
 * ends answers by them; presets of recipes name them.
 */

import { textOfBytes } from "@openledger/foundation/utf8";
import { modelError } from "../../model-errors.ts";
import { type FileSource, readWhole } from "../files/byte-source.ts";
import { beginOf, MAX_FILE_BYTES, parseJsonFile, type TokenizerFile } from "./tokenizer-file.ts";

/** Bound on a stranger's file; tokenizer_config.json lists added tokens and has up to some MB. */
const MAX_CONFIG_BYTES = 16 * 2 ** 20;

/** File of a chat template; without it the template is in tokenizer_config.json. */
export const TEMPLATE_FILE = "chat_template.jinja";

interface EndsFile {
  readonly eos_token_id?: unknown;
  readonly eos_token?: unknown;
}

/** A name of a token, plain or as an object that has it. */
const nameOf = (token: unknown): string | null => {
  const name = typeof token === "object" && token !== null ? (token as { content?: unknown }).content : token;
  return typeof name === "string" && name !== "" ? name : null;
};

/**
 * Reads the tokens that end a text: `eos_token_id` of config.json and of generation_config.json, and `eos_token` of
 * tokenizer_config.json. One of them alone leaves out the end of a turn of many instructed models.
 *
 * @throws RollupError MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE, MOD_TOO_LARGE
 */
export async function readEndTokens(source: FileSource): Promise<number[]> {
  const [config, generation, tokenizer] = await Promise.all(
    ["config.json", "generation_config.json", "tokenizer_config.json"].map((file) =>
      readJson<EndsFile>(source, file, MAX_CONFIG_BYTES),
    ),
  );
  const ids = [
    ...idsOf("config.json", config?.eos_token_id),
    ...idsOf("generation_config.json", generation?.eos_token_id),
  ];
  const name = nameOf(tokenizer?.eos_token);
  if (name !== null) ids.push(...(await idsNamed(source, name)));
  return [...new Set(ids)];
}

/** An end that is passed over is a turn that never ends. */
function idsOf(file: string, ids: unknown): number[] {
  const listed = [ids ?? []].flat(2);
  return checked(file, () => {
    const wrong = listed.find((id) => !Number.isInteger(id) || (id as number) < 0);
    if (wrong !== undefined) throw new TypeError(`eos_token_id ${JSON.stringify(wrong)} is no token`);
    return listed as number[];
  });
}

/** Reads the tokens that the tokenizer puts before a text. @throws as `readEndTokens` */
export async function readBeginTokens(source: FileSource): Promise<number[]> {
  const file = await readJson<TokenizerFile>(source, "tokenizer.json", MAX_FILE_BYTES);
  return file === null ? [] : checked("tokenizer.json", () => beginOf(file));
}

/** A base's chat template as published, with the special tokens that templates name. */
export interface PublishedTemplate {
  /** File that has it. */
  readonly file: string;
  readonly source: string;
  readonly names: Readonly<Record<string, string>>;
}

/** Special tokens of tokenizer_config.json that transformers gives to a template. */
const NAMED_TOKENS = [
  "bos_token",
  "eos_token",
  "unk_token",
  "sep_token",
  "pad_token",
  "cls_token",
  "mask_token",
];

/** Reads a base's template of a chat as it is published; null if there is none. @throws as `readEndTokens` */
export async function readChatTemplate(source: FileSource): Promise<PublishedTemplate | null> {
  const config = await readJson<Record<string, unknown>>(source, "tokenizer_config.json", MAX_CONFIG_BYTES);
  const found = await findTemplate(source, config?.chat_template);
  if (found === null) return null;
  const named = NAMED_TOKENS.map((field) => [field, nameOf(config?.[field])] as const);
  const names = Object.fromEntries(named.filter(([, name]) => name !== null)) as Record<string, string>;
  return { ...found, names };
}

async function findTemplate(
  source: FileSource,
  inConfig: unknown,
): Promise<Pick<PublishedTemplate, "file" | "source"> | null> {
  const own = await readWhole(source, TEMPLATE_FILE, MAX_CONFIG_BYTES);
  if (own !== null) return { file: TEMPLATE_FILE, source: checked(TEMPLATE_FILE, () => textOfBytes(own)) };
  const usual = Array.isArray(inConfig)
    ? (inConfig.find((one: { name?: unknown } | null) => one?.name === "default") as { template?: unknown })
        ?.template
    : inConfig;
  return typeof usual === "string" ? { file: "tokenizer_config.json", source: usual } : null;
}

/** The token of a name; none where tokens are bytes. */
async function idsNamed(source: FileSource, name: string): Promise<number[]> {
  const file = await readJson<TokenizerFile>(source, "tokenizer.json", MAX_FILE_BYTES);
  if (file === null) return [];
  const added = file.added_tokens?.find(({ content }) => content === name);
  const { vocab = {} } = file.model ?? {};
  // Unigram lists its pieces by their ids.
  const id = Array.isArray(vocab)
    ? vocab.findIndex((piece: readonly unknown[]) => piece[0] === name)
    : ((vocab as Record<string, number>)[name] ?? -1);
  const found = added?.id ?? id;
  return checked("tokenizer_config.json", () => {
    if (found < 0) throw new TypeError(`eos_token ${name} is no token of tokenizer.json`);
    return [found];
  });
}

async function readJson<T extends object>(
  source: FileSource,
  file: string,
  maxBytes: number,
): Promise<T | null> {
  const bytes = await readWhole(source, file, maxBytes);
  return bytes === null ? null : checked(file, () => parseJsonFile(bytes) as T);
}

function checked<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw modelError("MOD_FILE_INVALID", `${file}: ${reason}`, { data: { file, reason }, cause });
  }
}
