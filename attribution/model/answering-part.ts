/**
 * Part of a published model that a customer needs to check answers: the files that answer, and those that bind it to the
 * ledger. Reads and checks them, and bounds their bytes before a download; model-files.ts and model-download.ts build on it.
 */
import { bytesToHex } from "@noble/hashes/utils.js";
import { hashStatics, type ModelStatics, unpackBinding } from "@openledger/circuits/ledger/leaf";
import { FIELD_ORDER, SHARD_COUNT_MAX } from "@openledger/circuits/protocol";
import type { ColumnCommitments } from "@openledger/circuits/settlement/feature-commitment";
import { shardedFeatures } from "@openledger/circuits/settlement/shards/shard-link";
import { hex32 } from "@openledger/foundation/hex";
import { answeringHash, jsonBytes } from "./answering-hash.ts";
import { familyOf, type ModelFamily, type ModelParts } from "./model-family.ts";
import {
  checkedFile,
  decodeManifest,
  invalidFile,
  MANIFEST,
  MAX_JSON_BYTES,
  type ModelFileName,
  type ModelFiles,
  type ModelManifest,
  parseJson,
} from "./model-manifest.ts";
import { maxLineBytes } from "./published-rows.ts";
import { boundColumns, circuitColumns, DIRECT, registeredColumns } from "./recipe-fields.ts";

/** The part, decoded. */
export type AnsweringPart<Parts extends ModelParts = ModelParts> = Parts & {
  /** Column commitments of each shard. */
  readonly columns: readonly ColumnCommitments[];
  /** Hash of recipe, parameters and map; the statics bind it. */
  readonly answeringHash: bigint;
};

/** Files without rows, shares and G: a few megabytes where the whole may have hundreds. */
export const ANSWERING_FILES = ["recipe.json", "parameters.bin", "query-map.bin", "columns.bin"] as const;

/** Refuses a model before its large files are requested: throws the reason. */
export type RefuseModel<Parts extends ModelParts = ModelParts> = (
  recipe: Parts["recipe"],
  manifest: ModelManifest,
) => Promise<void> | void;

/**
 * Maximum bytes of a model's files by its recipe. Attack: gigabytes of zeros, in some kilobytes of gzip.
 * @throws ATT_MODEL_FILE_INVALID, ATT_RECIPE_INVALID; the errors of `refuse` and of the family
 */
export async function maxBytesOf<Parts extends ModelParts>(
  recipeFile: Uint8Array,
  manifest: ModelManifest,
  families: readonly ModelFamily<Parts>[],
  refuse: RefuseModel<Parts> = () => {},
): Promise<Readonly<Record<ModelFileName, number>>> {
  const json = parseJson(recipeFile, "recipe.json");
  const family = familyOf(json, families);
  const recipe = family.parseRecipe(json);
  await refuse(recipe, manifest);
  const { rowCount } = manifest;
  const columns = registeredColumns({ ...recipe, columnCount: manifest.columnCount });
  const { parameters, queryMap } = await family.maxBytes(recipe, rowCount);
  return {
    "recipe.json": MAX_JSON_BYTES,
    // Payees of 4,096 places.
    "payees.json": 4 * MAX_JSON_BYTES,
    "parameters.bin": parameters,
    "query-map.bin": queryMap,
    "features.bin": recipe.family === DIRECT ? 2 * (rowCount + 1) * columns : rowCount * columns,
    "columns.bin": 64 * columns * SHARD_COUNT_MAX,
    // Each row ends its line.
    "rows.jsonl": rowCount * (maxLineBytes(family.promptKind(recipe)) + 1),
    "card.json": MAX_JSON_BYTES,
  };
}

/** @throws ATT_MODEL_FILE_INVALID, ATT_RECIPE_INVALID */
export function decodeAnsweringPart<Parts extends ModelParts>(
  files: ModelFiles,
  manifest: ModelManifest,
  families: readonly ModelFamily<Parts>[],
): AnsweringPart<Parts> {
  const [recipe, parameters, queryMap, columns] = ANSWERING_FILES.map((name) =>
    checkedFile(files, manifest, name),
  ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const json = parseJson(recipe, "recipe.json");
  const family = familyOf(json, families);
  const parsed = family.parseRecipe(json);
  // Anyone who hashes a model's files again writes the recipe from its parsed form.
  if (bytesToHex(jsonBytes(parsed)) !== bytesToHex(recipe))
    throw invalidFile("recipe.json", "is not as its values are written: order of fields, or spaces");
  return {
    ...family.decode(parsed, { parameters, queryMap }),
    columns: decodeColumns(
      columns,
      registeredColumns({ ...(parsed as Parts["recipe"]), columnCount: manifest.columnCount }),
    ),
    answeringHash: answeringHash({ recipe, parameters, queryMap }),
  };
}

/**
 * Reads the files that answer, and the statics that bind them. Statics that these files do not cover are taken from the
 * manifest: comparing `staticsHash` with the ledger checks them, too. Needs `initPoseidon`.
 * @throws ATT_MODEL_FILE_INVALID, ATT_RECIPE_INVALID
 */
export function decodeAnswering<Parts extends ModelParts>(
  files: ModelFiles,
  families: readonly ModelFamily<Parts>[],
): AnsweringPart<Parts> & { readonly staticsHash: bigint } {
  const manifest = decodeManifest(files);
  const part = decodeAnsweringPart(files, manifest, families);
  const { binding, payeeRoot, ownersCommitment, split } = manifest.statics;
  const statics: ModelStatics = {
    featuresCommitment: shardedFeatures(part.columns, part.answeringHash, circuitColumns(part.recipe)),
    ownersCommitment: BigInt(ownersCommitment),
    payeeRoot: BigInt(payeeRoot),
    binding: BigInt(binding),
    split: BigInt(split),
  };
  const { featureCount } = unpackBinding(statics.binding);
  const columns = boundColumns(part.recipe);
  if (featureCount !== columns)
    throw invalidFile(MANIFEST, `binds ${featureCount} columns, the recipe has ${columns}`);
  const staticsHash = hashStatics(statics);
  if (hex32(staticsHash) !== manifest.staticsHash)
    throw invalidFile(MANIFEST, `has the statics ${manifest.staticsHash}, which its files do not make`);
  return { ...part, staticsHash };
}

function decodeColumns(bytes: Uint8Array, columnCount: number): ColumnCommitments[] {
  const shardBytes = 64 * columnCount;
  const shardCount = bytes.length / shardBytes;
  if (!Number.isInteger(shardCount) || shardCount < 1 || shardCount > SHARD_COUNT_MAX)
    throw invalidFile("columns.bin", `has ${bytes.length} bytes, not 64 × ${columnCount} for each shard`);
  const coordinate = (at: number) => {
    const value = BigInt(`0x${bytesToHex(bytes.subarray(at, at + 32))}`);
    if (value >= FIELD_ORDER) throw invalidFile("columns.bin", `has no field element at byte ${at}`);
    return value;
  };
  return Array.from({ length: shardCount }, (_, shard) => {
    const positions = Array.from({ length: columnCount }, (_, j) => shard * shardBytes + 64 * j);
    return { u: positions.map(coordinate), v: positions.map((at) => coordinate(at + 32)) };
  });
}
