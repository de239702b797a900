/**
 * Manifest of a published model, and the checks of its files against it: names, sizes in bytes, SHA-256 hashes. Model
 * folders, downloads and answer servers read it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { atOnce, type Steps } from "@openledger/foundation/slices";
import { textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";
import { attributionError } from "../attribution-errors.ts";

/** File of a model's rows, a line each. */
export const ROWS_FILE = "rows.jsonl";

/**
 * Files of a published model (docs/reference/attribution.md): all but `rows.jsonl` and `card.json` are required.
 * Doubles are little-endian, G is row after row a byte a feature, a column is u and v of 32 bytes, big-endian.
 */
export const MODEL_FILES = [
  "recipe.json",
  "payees.json",
  "parameters.bin",
  "query-map.bin",
  "features.bin",
  "columns.bin",
  ROWS_FILE,
  "card.json",
] as const;
export type ModelFileName = (typeof MODEL_FILES)[number];
export type ModelFiles = ReadonlyMap<string, Uint8Array>;
export const MANIFEST = "manifest.json";

/** Maximum bytes of a JSON file, as of a Datanet's card: a parser's result takes some hundred times its bytes. */
export const MAX_JSON_BYTES = 131_072;
/** Maximum columns of G; direct models have the most. */
const MAX_COLUMNS = 8_192;

const fieldElement = z.string().regex(/^0x[0-9a-f]{64}$/);
const count = z.number().int().positive();
/** Statics of a registered model, in 0x-hex of 32 bytes. */
export const staticsSchema = z.strictObject({
  featuresCommitment: fieldElement,
  ownersCommitment: fieldElement,
  payeeRoot: fieldElement,
  binding: fieldElement,
  split: fieldElement,
});
const manifestSchema = z.strictObject({
  format: z.literal("openledger-model"),
  version: z.literal(1),
  rowCount: count.max(0xffffffff),
  columnCount: count.max(MAX_COLUMNS),
  /** One unit of G in the units of the real features: rounding lost at most half of it per entry. */
  featureScale: z.number().positive(),
  statics: staticsSchema,
  staticsHash: fieldElement,
  files: z.record(
    z.string(),
    z.strictObject({ sizeBytes: z.number().int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ),
});
export type ModelManifest = z.infer<typeof manifestSchema>;

/** Reason in the error's `data.why` for a file that the server or the folder does not have. */
const ABSENT = "is absent";

/** True for the error of one of these files that the server or the folder does not have. */
export function isAbsent(error: unknown, names: readonly ModelFileName[]): boolean {
  if (!isRollupError(error, "ATT_MODEL_FILE_INVALID")) return false;
  const { file, why } = error.data as { file: ModelFileName; why: string };
  return why === ABSENT && names.includes(file);
}

/** @throws ATT_MODEL_FILE_INVALID */
export function decodeManifest(files: ModelFiles): ModelManifest {
  const bytes = files.get(MANIFEST);
  if (bytes === undefined) throw invalidFile(MANIFEST, ABSENT);
  const parsed = manifestSchema.safeParse(parseJson(bytes, MANIFEST));
  if (!parsed.success) throw invalidFile(MANIFEST, z.prettifyError(parsed.error));
  for (const name of Object.keys(parsed.data.files)) {
    if (!MODEL_FILES.includes(name as ModelFileName)) throw invalidFile(name, "is no file of a model");
  }
  return parsed.data;
}

/** Bytes that are hashed in one step: a few milliseconds. */
const STEP_BYTES = 2 ** 18;

/** @throws ATT_MODEL_FILE_INVALID */
export const checkedFile = (files: ModelFiles, manifest: ModelManifest, name: ModelFileName): Uint8Array =>
  atOnce(checkedFileSteps(files, manifest, name));

/** `checkedFile` in steps, which tell the part of the file that was hashed. @throws ATT_MODEL_FILE_INVALID */
export function* checkedFileSteps(
  files: ModelFiles,
  manifest: ModelManifest,
  name: ModelFileName,
): Steps<Uint8Array> {
  const expected = manifest.files[name];
  const bytes = files.get(name);
  if (expected === undefined || bytes === undefined) throw invalidFile(name, ABSENT);
  if (bytes.length !== expected.sizeBytes) {
    throw invalidFile(name, `has ${bytes.length} bytes, not ${expected.sizeBytes}`);
  }
  const hash = sha256.create();
  for (let from = 0; from < bytes.length; from += STEP_BYTES) {
    hash.update(bytes.subarray(from, from + STEP_BYTES));
    yield Math.min(1, (from + STEP_BYTES) / bytes.length);
  }
  const digest = bytesToHex(hash.digest());
  if (digest !== expected.sha256)
    throw invalidFile(name, `has the SHA-256 ${digest}, not ${expected.sha256}`);
  return bytes;
}

/** @throws ATT_MODEL_FILE_INVALID */
export function parseJson(bytes: Uint8Array, name: string): unknown {
  if (bytes.length > MAX_JSON_BYTES) throw invalidFile(name, `has more than ${MAX_JSON_BYTES} bytes`);
  try {
    return JSON.parse(textOfBytes(bytes));
  } catch (cause) {
    throw invalidFile(name, "is not JSON", cause);
  }
}

/** @throws ATT_MODEL_FILE_INVALID */
export function textOfModelFile(bytes: Uint8Array, name: string): string {
  try {
    return textOfBytes(bytes);
  } catch (cause) {
    throw invalidFile(name, "is no UTF-8", cause);
  }
}

export function invalidFile(file: string, why: string, cause?: unknown) {
  return attributionError("ATT_MODEL_FILE_INVALID", `${file} ${why}`, { data: { file, why }, cause });
}
