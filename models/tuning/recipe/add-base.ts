/**
 * Adds a published base to this machine's list: fetches it from a folder, address or hub, checks it, and compares its logits
 * with a self-test. `openledger models base --add` and the factory's list use the copy.
 */
import { mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { OnProgress } from "@openledger/attribution/progress";
import { textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";
import { computeLogits, readTokens } from "../../engine/architecture/transformer.ts";
import { type FileSource, readWhole } from "../../engine/files/byte-source.ts";
import { folderSource } from "../../engine/files/folder-source.ts";
import { loadModel, openModel } from "../../engine/files/load-model.ts";
import type { KernelChoice } from "../../engine/kernels/create-kernels.ts";
import { openTokenizer } from "../../engine/tokens/tokenizer.ts";
import { modelError } from "../../model-errors.ts";
import { baseNameAt, baseSourceAt, isAddress } from "../base/base-place.ts";
import { baseFileNames, MARK_FILES } from "./base-files.ts";

const HUB = "https://huggingface.co";
const HUB_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*\/[A-Za-z0-9][A-Za-z0-9._-]*$/;
const FOLDER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/;
const CARD_FILES = ["README.md", "LICENSE"] as const;
/** Limit of a model card. */
const MAX_CARD_BYTES = 2 ** 20;
const SELF_TEST = "self-test.json";
const MAX_SELF_TEST_BYTES = 64 * 2 ** 20;
/** Bytes that are copied at a time. */
const CHUNK_BYTES = 8 * 2 ** 20;
/** Tokens of a self-test that this software writes. */
const TEST_TOKENS = 16;
/** Tolerance as a part of the largest logit: bfloat16 of another engine differs by about 2^-8. */
const TOLERANCE = 0.02;

/** Logits after the last of `tokens`, one for each token of the vocabulary, for a comparison with another engine. */
const selfTestSchema = z.strictObject({
  tokens: z.array(z.int().min(0)).min(1).max(1_024),
  logits: z.array(z.number()).min(1),
});

export interface AddedBase {
  readonly name: string;
  readonly folder: string;
  /** Licence that the card names; null if it names none. */
  readonly licence: string | null;
  readonly family: string;
  readonly parameterCount: number;
  readonly sizeBytes: number;
  /** Result of the self-test: the largest difference from the stored logits, or null if none were stored. */
  readonly largestLogitError: number | null;
}

/**
 * Address of a base: a folder or an address as it is; `owner/name`, if there is no such folder, is a model of a hub.
 */
export async function baseAddress(place: string, hub = process.env.HF_ENDPOINT ?? HUB): Promise<string> {
  if (isAddress(place) || !HUB_NAME.test(place) || (await readdir(place).catch(() => null)) !== null)
    return place;
  return `${hub.replace(/\/+$/, "")}/${place}/resolve/main`;
}

/**
 * Copies a base into a folder below `bases`, once its shape, tokenizer and logits were checked. Nothing is left of one
 * that is refused. Stage "copy", in bytes.
 *
 * @param place a folder, an address, or `owner/name` of a hub
 * @throws RollupError MOD_SOURCE_UNREADABLE, MOD_CONFIG_UNSUPPORTED, MOD_FILE_INVALID (also where logits differ from the
 *   stored ones), MOD_TOO_LARGE, MOD_INPUT_INVALID where `bases` has one of that name
 */
export async function addBase(
  place: string,
  bases: string,
  { kernels, onProgress }: { readonly kernels: KernelChoice; readonly onProgress?: OnProgress },
): Promise<AddedBase> {
  const name = baseNameAt(isAddress(place) ? place : resolve(place));
  const folder = join(bases, name);
  if (!FOLDER_NAME.test(name) || (await readdir(folder).catch(() => null)) !== null)
    throw modelError("MOD_INPUT_INVALID", `${folder} exists or is no name of a folder: remove or rename it`, {
      data: { field: "place", folder },
    });
  const source = baseSourceAt(await baseAddress(place));
  // Shape and tokenizer first: a base that cannot be used is refused before gigabytes are fetched.
  const opened = await openModel(source);
  await opened.close();
  const { layout, shape } = opened;
  await openTokenizer(source, shape.vocabularySize);
  const part = `${folder}.part`;
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true });
  try {
    const files = [...(await baseFileNames(source)), ...MARK_FILES, ...CARD_FILES, SELF_TEST];
    const sizeBytes = await copyFiles(source, files, part, onProgress);
    const copied = folderSource(part);
    const largestLogitError = await testLogits(copied, part, kernels);
    const licence = await licenceOf(copied);
    await rename(part, folder);
    const { family } = shape;
    return { name, folder, licence, family, parameterCount: layout.floatCount, sizeBytes, largestLogitError };
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    throw error;
  }
}

/** The licence that a model's card names: `license` of its front matter, else the first line of LICENSE. */
export async function licenceOf(source: FileSource): Promise<string | null> {
  const [card, licence] = await Promise.all(
    CARD_FILES.map(async (file) => {
      const bytes = await readWhole(source, file, MAX_CARD_BYTES).catch(() => null);
      return bytes === null ? "" : new TextDecoder().decode(bytes);
    }),
  );
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(card!)?.[1] ?? "";
  const named =
    /^license(?:_name)?:[ \t]*["']?([^"'\r\n]+)/m.exec(front)?.[1] ?? licence!.trim().split("\n")[0]!;
  return named.trim().slice(0, 100) || null;
}

async function copyFiles(source: FileSource, names: readonly string[], to: string, onProgress?: OnProgress) {
  const opened = await Promise.all(names.map((name) => source.open(name)));
  const total = opened.reduce((sum, file) => sum + (file?.byteLength ?? 0), 0);
  let done = 0;
  for (const [i, file] of opened.entries()) {
    if (file === null) continue;
    const target = await open(join(to, names[i]!), "w");
    try {
      for (let at = 0; at < file.byteLength; at += CHUNK_BYTES) {
        onProgress?.({ stage: "copy", done, total });
        const bytes = await file.read(at, Math.min(CHUNK_BYTES, file.byteLength - at));
        await target.writeFile(bytes);
        done += bytes.length;
      }
    } finally {
      await target.close();
      await file.close();
    }
  }
  return total;
}

/** Compares with the stored logits; if there are none, stores our own for the next copy. */
async function testLogits(source: FileSource, folder: string, kernels: KernelChoice): Promise<number | null> {
  const stored = await readWhole(source, SELF_TEST, MAX_SELF_TEST_BYTES);
  const opened = await openModel(source);
  try {
    const { vocabularySize } = opened.shape;
    const test = stored === null ? null : parseSelfTest(stored, vocabularySize);
    const tokens =
      test?.tokens ?? Array.from({ length: TEST_TOKENS }, (_, i) => (i * 7_919 + 1) % vocabularySize);
    const { model } = await loadModel(opened, { kernels, maxRows: tokens.length, isTraining: false });
    readTokens(model, tokens);
    const logits = computeLogits(model, tokens.length - 1, 1).subarray(0, vocabularySize);
    const largest = logits.reduce((max, logit) => Math.max(max, Math.abs(logit)), 0);
    if (!Number.isFinite(largest))
      throw selfTestFailed("logits are no numbers", { largest: String(largest) });
    if (test === null) {
      await writeFile(join(folder, SELF_TEST), JSON.stringify({ tokens, logits: [...logits] }));
      return null;
    }
    const error = logits.reduce((max, logit, i) => Math.max(max, Math.abs(logit - test.logits[i]!)), 0);
    if (error > TOLERANCE * largest)
      throw selfTestFailed(`logits differ by ${error.toFixed(3)} from the stored ones`, { error, largest });
    return error;
  } finally {
    await opened.close();
  }
}

function parseSelfTest(bytes: Uint8Array, vocabularySize: number) {
  let json: unknown = null;
  try {
    json = JSON.parse(textOfBytes(bytes));
  } catch {
    // Refused below.
  }
  const parsed = selfTestSchema.safeParse(json);
  if (!parsed.success || parsed.data.logits.length !== vocabularySize)
    throw selfTestFailed(`it must have tokens, and ${vocabularySize} logits`, {});
  return parsed.data;
}

const selfTestFailed = (reason: string, data: object) =>
  modelError("MOD_FILE_INVALID", `${SELF_TEST}: ${reason}`, { data: { reason: "self-test", ...data } });
