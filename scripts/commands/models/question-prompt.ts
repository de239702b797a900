/** Prompt of a question from what was typed, by the kind of the model: a text, a picture's file, or a table's row. */
import { readFile } from "node:fs/promises";
import { inputFieldsOf } from "@openledger/attribution/inputs/model-inputs";
import { requirePicture } from "@openledger/attribution/inputs/open-inputs";
import type { ModelParts } from "@openledger/attribution/model/model-family";
import { inputOf } from "@openledger/attribution/rows/row-content";
import { encodeTableRow, typedValues } from "@openledger/attribution/rows/table-rows";
import { commandError } from "../../cli/cli-errors.ts";

interface TypedQuestion {
  readonly typed?: string | undefined;
  readonly file?: string | undefined;
  /** Fields of the row, as name=value. */
  readonly fields?: readonly string[] | undefined;
}

/** @throws CMD_USAGE where it is not asked as the model's kind is, ATT_ROW_INVALID for what the model does not read */
export async function promptOf(
  { family, recipe }: Pick<ModelParts, "family" | "recipe">,
  { fields, file, typed }: TypedQuestion,
): Promise<string> {
  const kind = family.promptKind(recipe);
  if ([typed, file, fields].filter((one) => one !== undefined).length !== 1)
    throw usage(`give one question: ${HOW[kind]}`);
  if (file !== undefined) {
    const content = await contentOf(file);
    if (kind === "image") await requirePicture(content);
    return inputOf(kind, content);
  }
  if (fields !== undefined) {
    const known = inputFieldsOf(recipe);
    if (known === null) throw usage(`this model reads no table: ${HOW[kind]}`);
    return new TextDecoder().decode(encodeTableRow(known, typedValues(known, namedTexts(fields))));
  }
  if (kind === "image") throw usage(`this model reads pictures: ${HOW[kind]}`);
  return typed!;
}

const HOW = {
  text: "a text, or --file PATH",
  image: "--file PATH of a PNG, JPEG, WebP or GIF file",
  table: "--field NAME=VALUE for each field, or a row in JSON as a text or --file PATH",
} as const;

async function contentOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw usage(`${path} cannot be read`, cause);
  }
}

function namedTexts(fields: readonly string[]): Map<string, string> {
  const texts = new Map<string, string>();
  for (const field of fields) {
    const at = field.indexOf("=");
    if (at < 1) throw usage(`${field} is no NAME=VALUE`);
    const name = field.slice(0, at);
    if (texts.has(name)) throw usage(`the field ${name} is given twice`);
    texts.set(name, field.slice(at + 1));
  }
  return texts;
}

const usage = (message: string, cause?: unknown) => commandError("CMD_USAGE", message, { cause });
