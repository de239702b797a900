import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { z } from "zod";
import { hex32 } from "../../circuits/hex.ts";
import { hashStatics, type ModelStatics, unpackBinding } from "../../circuits/ledger/leaf.ts";
import { type Earner, unpackSplit } from "../../circuits/ledger/rewards.ts";
import { FIELD_ORDER } from "../../circuits/protocol.ts";
import { type ColumnCommitments, featuresCommitment } from "../../circuits/settlement/feature-commitment.ts";
import { attributionError } from "../attribution-errors.ts";
import type { QuantisedFeatures } from "../features/quantise.ts";
import { decodeQueryMap, type QueryMap } from "../features/query-map.ts";
import { answeringFiles, answeringHash, jsonBytes } from "./answering-hash.ts";
import { parseRecipe, type Recipe } from "./recipe.ts";
import { type ModelRegistration, staticsOf } from "./registration.ts";
import { checkRowsRoot, type OwnedRow, type TrainedModel } from "./trained-model.ts";

/** A model as its owner publishes it. */
export interface PublishedModel {
  readonly recipe: Recipe;
  readonly earners: readonly Earner[];
  readonly parameters: Float64Array;
  readonly map: QueryMap;
  /** G. */
  readonly features: QuantisedFeatures;
  readonly columns: ColumnCommitments;
  /** Of recipe, parameters and map; the statics bind it. */
  readonly answeringHash: bigint;
  readonly statics: ModelStatics;
  /** The hash of the statics. */
  readonly staticsHash: bigint;
  /** null where the owner does not publish them. */
  readonly rows: readonly OwnedRow[] | null;
}

/**
 * Files of a published model (docs/attribution.md): all but `rows.jsonl` are required.
 * Doubles are little-endian, G is row after row a byte a feature, a column is u and v of 32 bytes, big-endian.
 */
export const MODEL_FILES = [
  "recipe.json",
  "earners.json",
  "parameters.bin",
  "query-map.bin",
  "features.bin",
  "columns.bin",
  "rows.jsonl",
] as const;
export type ModelFileName = (typeof MODEL_FILES)[number];
export type ModelFiles = ReadonlyMap<string, Uint8Array>;
export const MANIFEST = "manifest.json";

const fieldElement = z.string().regex(/^0x[0-9a-f]{64}$/);
const count = z.number().int().positive();
const manifestSchema = z.strictObject({
  format: z.literal("openledger-model"),
  version: z.literal(1),
  rowCount: count.max(0xffffffff),
  columnCount: count,
  /** One unit of G in the units of the real features: what rounding lost is at most half of it an entry. */
  featureScale: z.number().positive(),
  statics: z.strictObject({
    featuresCommitment: fieldElement,
    ownersCommitment: fieldElement,
    earnerRoot: fieldElement,
    binding: fieldElement,
    split: fieldElement,
  }),
  staticsHash: fieldElement,
  files: z.record(
    z.string(),
    z.strictObject({ sizeBytes: z.number().int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ),
});
export type ModelManifest = z.infer<typeof manifestSchema>;

const earnersSchema = z.array(
  z.strictObject({
    contributorId: z.number().int().min(0).max(0xffffff),
    validatorId: z.number().int().min(0).max(0xffffff),
    rowCount: count.max(0xffffffff),
  }),
);

/** What `registerModel` made, as it is published. @param publishRows false keeps the rows' contents back */
export function publishedModel(
  trained: TrainedModel,
  registration: ModelRegistration,
  { publishRows }: { publishRows: boolean },
): PublishedModel {
  const { recipe, earners, parameters, map, features, rows } = trained;
  return { recipe, earners, parameters, map, features, ...registration, rows: publishRows ? rows : null };
}

/** The files, the manifest among them. */
export function encodeModel(model: PublishedModel): Map<string, Uint8Array> {
  const { features, columns, statics, rows } = model;
  const answering = answeringFiles(model);
  const files = new Map<string, Uint8Array>([
    ["recipe.json", answering.recipe],
    ["earners.json", jsonBytes(model.earners)],
    ["parameters.bin", answering.parameters],
    ["query-map.bin", answering.queryMap],
    ["features.bin", new Uint8Array(features.values)],
    ["columns.bin", columnBytes(columns)],
  ]);
  if (rows !== null)
    files.set("rows.jsonl", Buffer.concat(rows.flatMap(({ content }) => [content, NEWLINE])));
  const manifest: ModelManifest = {
    format: "openledger-model",
    version: 1,
    rowCount: features.rowCount,
    columnCount: features.featureCount,
    featureScale: features.scale,
    statics: {
      featuresCommitment: hex32(statics.featuresCommitment),
      ownersCommitment: hex32(statics.ownersCommitment),
      earnerRoot: hex32(statics.earnerRoot),
      binding: hex32(statics.binding),
      split: hex32(statics.split),
    },
    staticsHash: hex32(model.staticsHash),
    files: Object.fromEntries(
      [...files].map(([name, bytes]) => [
        name,
        { sizeBytes: bytes.length, sha256: bytesToHex(sha256(bytes)) },
      ]),
    ),
  };
  return files.set(MANIFEST, jsonBytes(manifest));
}

/**
 * Reads a published model and checks that its files are those of the manifest and fit each other and the statics:
 * all but what takes the rows' training or the columns' sums (verify-model.ts does). Needs `initPoseidon`.
 * @throws ATT_MODEL_FILE_INVALID naming the first file that does not fit, ATT_ROWS_MISMATCH, ATT_RECIPE_INVALID
 */
export function decodeModel(files: ModelFiles): PublishedModel {
  const manifest = decodeManifest(files);
  const bytesOf = (name: ModelFileName) => checkedFile(files, manifest, name);
  const recipe = parseRecipe(parseJson(bytesOf("recipe.json"), "recipe.json"));
  const earners = decodeEarners(bytesOf("earners.json"), manifest.rowCount);
  const features = decodeFeatures(bytesOf("features.bin"), manifest, recipe);
  const columns = decodeColumns(bytesOf("columns.bin"), manifest.columnCount);
  const answering = answeringHash({
    recipe: bytesOf("recipe.json"),
    parameters: bytesOf("parameters.bin"),
    queryMap: bytesOf("query-map.bin"),
  });
  const statics = decodeStatics(manifest, recipe, earners, featuresCommitment(columns, answering));
  const rows = "rows.jsonl" in manifest.files ? decodeRowLines(bytesOf("rows.jsonl"), earners, recipe) : null;
  return {
    recipe,
    earners,
    parameters: decodeDoubles(bytesOf("parameters.bin")),
    map: decodeQueryMap(bytesOf("query-map.bin")),
    features,
    columns,
    answeringHash: answering,
    statics,
    staticsHash: hashStatics(statics),
    rows,
  };
}

/** @throws ATT_MODEL_FILE_INVALID */
export function decodeManifest(files: ModelFiles): ModelManifest {
  const bytes = files.get(MANIFEST);
  if (bytes === undefined) throw invalid(MANIFEST, "is absent");
  const parsed = manifestSchema.safeParse(parseJson(bytes, MANIFEST));
  if (!parsed.success) throw invalid(MANIFEST, z.prettifyError(parsed.error));
  for (const name of Object.keys(parsed.data.files)) {
    if (!MODEL_FILES.includes(name as ModelFileName)) throw invalid(name, "is no file of a model");
  }
  return parsed.data;
}

function checkedFile(files: ModelFiles, manifest: ModelManifest, name: ModelFileName): Uint8Array {
  const expected = manifest.files[name];
  const bytes = files.get(name);
  if (expected === undefined || bytes === undefined) throw invalid(name, "is absent");
  if (bytes.length !== expected.sizeBytes) {
    throw invalid(name, `has ${bytes.length} bytes, not ${expected.sizeBytes}`);
  }
  const digest = bytesToHex(sha256(bytes));
  if (digest !== expected.sha256) throw invalid(name, `has the SHA-256 ${digest}, not ${expected.sha256}`);
  return bytes;
}

function decodeEarners(bytes: Uint8Array, rowCount: number): Earner[] {
  const parsed = earnersSchema.safeParse(parseJson(bytes, "earners.json"));
  if (!parsed.success) throw invalid("earners.json", z.prettifyError(parsed.error));
  const earners = parsed.data;
  for (const [m, earner] of earners.entries()) {
    const before = earners[m - 1];
    if (before === undefined) continue;
    if ((earner.contributorId - before.contributorId || earner.validatorId - before.validatorId) <= 0) {
      throw invalid("earners.json", `has earner ${m} out of order`);
    }
  }
  const total = earners.reduce((sum, earner) => sum + earner.rowCount, 0);
  if (total !== rowCount) throw invalid("earners.json", `counts ${total} rows, not ${rowCount}`);
  return earners;
}

function decodeFeatures(bytes: Uint8Array, manifest: ModelManifest, recipe: Recipe): QuantisedFeatures {
  const { rowCount, columnCount, featureScale } = manifest;
  if (columnCount !== recipe.columnCount) {
    throw invalid(MANIFEST, `names ${columnCount} columns, the recipe ${recipe.columnCount}`);
  }
  if (bytes.length !== rowCount * columnCount) {
    throw invalid("features.bin", `has ${bytes.length} bytes, not ${rowCount} × ${columnCount}`);
  }
  const values = Int8Array.from(bytes, (byte) => (byte << 24) >> 24);
  const bad = values.indexOf(-128);
  if (bad >= 0) throw invalid("features.bin", `has −128 in row ${Math.floor(bad / columnCount)}`);
  return { values, rowCount, featureCount: columnCount, scale: featureScale };
}

function decodeColumns(bytes: Uint8Array, columnCount: number): ColumnCommitments {
  if (bytes.length !== 64 * columnCount) {
    throw invalid("columns.bin", `has ${bytes.length} bytes, not 64 × ${columnCount}`);
  }
  const coordinate = (at: number) => {
    const value = BigInt(`0x${bytesToHex(bytes.subarray(at, at + 32))}`);
    if (value >= FIELD_ORDER) throw invalid("columns.bin", `has no field element at byte ${at}`);
    return value;
  };
  const places = Array.from({ length: columnCount }, (_, j) => 64 * j);
  return { u: places.map(coordinate), v: places.map((at) => coordinate(at + 32)) };
}

function decodeStatics(
  manifest: ModelManifest,
  recipe: Recipe,
  earners: readonly Earner[],
  features: bigint,
): ModelStatics {
  const split = unpackSplit(BigInt(manifest.statics.split));
  const { drawBits, predecessorId } = unpackBinding(BigInt(manifest.statics.binding));
  const statics = staticsOf(recipe, earners, features, {
    split,
    predecessorId: Number(predecessorId),
    drawBits: Number(drawBits),
  });
  for (const name of ["featuresCommitment", "ownersCommitment", "earnerRoot", "binding", "split"] as const) {
    if (hex32(statics[name]) !== manifest.statics[name]) {
      throw invalid(
        MANIFEST,
        `has the ${name} ${manifest.statics[name]}, its files make ${hex32(statics[name])}`,
      );
    }
  }
  if (hex32(hashStatics(statics)) !== manifest.staticsHash) {
    throw invalid(MANIFEST, `has the statics ${manifest.staticsHash}, which its fields do not make`);
  }
  return statics;
}

function decodeRowLines(bytes: Uint8Array, earners: readonly Earner[], recipe: Recipe): OwnedRow[] {
  // A row is one line: JSON.stringify writes no line break.
  const contents: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; ) {
    const to = bytes.indexOf(NEWLINE[0]!, from);
    if (to < 0) throw invalid("rows.jsonl", "ends within a line");
    contents.push(new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from));
    from = to + 1;
  }
  const owners = earners.flatMap(({ rowCount, contributorId, validatorId }) =>
    Array.from({ length: rowCount }, () => ({ contributorId, validatorId })),
  );
  if (contents.length !== owners.length) {
    throw invalid("rows.jsonl", `has ${contents.length} rows, not ${owners.length}`);
  }
  const rows = contents.map((content, i) => ({ content, ...owners[i]! }));
  checkRowsRoot(rows, recipe);
  return rows;
}

const NEWLINE = Uint8Array.of(10);

function decodeDoubles(bytes: Uint8Array): Float64Array {
  if (bytes.length % 8 !== 0) throw invalid("parameters.bin", "does not hold whole doubles");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.length / 8 }, (_, k) => view.getFloat64(8 * k, true));
}

function columnBytes({ u, v }: ColumnCommitments): Uint8Array {
  return Buffer.concat(u.map((x, j) => Buffer.from(hex32(x).slice(2) + hex32(v[j]!).slice(2), "hex")));
}

function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw invalid(name, "is not JSON", cause);
  }
}

function invalid(file: string, why: string, cause?: unknown) {
  return attributionError("ATT_MODEL_FILE_INVALID", `${file} ${why}`, { data: { file, why }, cause });
}
