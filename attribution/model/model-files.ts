/**
 * Files of a published model (docs/reference/attribution.md): a manifest with sizes, SHA-256 hashes and statics (what
 * never changes of a model on the ledger), and the files it names. Encodes and decodes them, and checks that they fit
 * each other; model-directory.ts reads and writes them.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { hashStatics, type ModelStatics, unpackBinding } from "@openledger/circuits/ledger/leaf";
import { payeeShards } from "@openledger/circuits/ledger/payee-shards";
import { type Payee, unpackSplit } from "@openledger/circuits/ledger/rewards";
import { MAX_PAYEE_COUNT } from "@openledger/circuits/protocol";
import type { ColumnCommitments } from "@openledger/circuits/settlement/feature-commitment";
import { MAX_DIRECT_ENTRY } from "@openledger/circuits/settlement/scores/direct-matrix";
import { shardedFeatures } from "@openledger/circuits/settlement/shards/shard-link";
import { payee } from "@openledger/circuits/wire/wire-fields";
import { hex32 } from "@openledger/foundation/hex";
import { rowNumber } from "@openledger/foundation/row-number";
import { atOnce, type Steps } from "@openledger/foundation/slices";
import { z } from "zod";
import type { DirectFeatures, RegisteredMatrix } from "../features/direct-rows.ts";
import { answeringFiles, jsonBytes } from "./answering-hash.ts";
import { type AnsweringPart, decodeAnsweringPart } from "./answering-part.ts";
import { type DirectParts, directFamily } from "./direct/direct-family.ts";
import type { FeaturesOf, ModelFamily, ModelParts, TrainedModel } from "./model-family.ts";
import { decodeFigure, FIGURE_FILE, figureOf, type ModelFigure } from "./model-figure.ts";
import {
  checkedFile,
  decodeManifest,
  invalidFile,
  MANIFEST,
  type ModelFileName,
  type ModelFiles,
  type ModelManifest,
  parseJson,
  ROWS_FILE,
  textOfModelFile,
} from "./model-manifest.ts";
import type { OwnedRow } from "./owned-rows.ts";
import { decodeLine, encodeLine, type PublishedLine } from "./published-rows.ts";
import { circuitColumns, DIRECT, type RecipeBase, registeredColumns, versionsOf } from "./recipe-fields.ts";
import { type ModelRegistration, staticsOf } from "./registration.ts";
import { checkRowsRoot } from "./rows-root.ts";

/** A model as its owner publishes it. */
export type PublishedModel<Parts extends ModelParts = ModelParts> = AnsweringPart<Parts> & {
  readonly payees: readonly Payee[];
  /** Registered matrix: G of int8, or contrasts of int16 of a direct model (a classifier). */
  readonly features: FeaturesOf<Parts>;
  readonly statics: ModelStatics;
  /** The hash of the statics. */
  readonly staticsHash: bigint;
  /** Rows of the version; null where the owner does not publish them. */
  readonly rows: readonly OwnedRow[] | null;
  /** The Datanet's card, which says how strong the base is; null where it is not published with the model. */
  readonly card: string | null;
  /** Figure of unseen rows, as the training has computed it; null for models of texts, of earlier releases, and from servers. */
  readonly figure: ModelFigure | null;
};

const payeesSchema = z.array(payee);

/**
 * Makes a published model from the result of `registerModel`. @param publishRows false withholds the rows' contents
 * @param card the text of the Datanet's card, with which anybody can check the recipe's base
 */
export function publishedModel<Parts extends ModelParts>(
  trained: TrainedModel<Parts>,
  registration: ModelRegistration,
  { card = null, publishRows }: { publishRows: boolean; card?: string | null },
): PublishedModel<Parts> {
  const { accuracy: _, heldOut, ...published } = trained;
  const rows = publishRows ? trained.rows : null;
  return { ...published, ...registration, rows, card, figure: figureOf(heldOut) } as never;
}

/** Encodes a model as its files' bytes by name, the manifest among them, and its figure beside them. */
export function encodeModel<Parts extends ModelParts>(model: PublishedModel<Parts>): Map<string, Uint8Array> {
  const { card, features, figure, columns, statics, rows } = model;
  const answering = answeringFiles(model);
  const files = new Map<string, Uint8Array>([
    ["recipe.json", answering.recipe],
    ["payees.json", jsonBytes(model.payees)],
    ["parameters.bin", answering.parameters],
    ["query-map.bin", answering.queryMap],
    ["features.bin", matrixBytes(features)],
    ["columns.bin", columnBytes(columns)],
  ]);
  if (rows !== null)
    files.set("rows.jsonl", Buffer.concat(rows.flatMap((row) => [encodeLine(row), NEWLINE])));
  if (card !== null) files.set("card.json", new TextEncoder().encode(card));
  const manifest: ModelManifest = {
    format: "openledger-model",
    version: 1,
    rowCount: features.rowCount,
    columnCount: features.featureCount,
    featureScale: features.scale,
    statics: {
      featuresCommitment: hex32(statics.featuresCommitment),
      ownersCommitment: hex32(statics.ownersCommitment),
      payeeRoot: hex32(statics.payeeRoot),
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
  if (figure !== null) files.set(FIGURE_FILE, jsonBytes(figure));
  return files.set(MANIFEST, jsonBytes(manifest));
}

/**
 * Reads a published model and checks that its files are those of the manifest and fit each other and the statics. Two
 * checks are left to verify-model.ts: the rows' training, and the columns' sums. Needs `initPoseidon`.
 * @throws ATT_MODEL_FILE_INVALID naming the first file that does not fit, ATT_ROWS_MISMATCH, ATT_LABELS_MISMATCH,
 *   ATT_RECIPE_INVALID
 */
export function decodeModel<Parts extends ModelParts = DirectParts>(
  files: ModelFiles,
  families: readonly ModelFamily<Parts>[] = [directFamily as never],
): PublishedModel<Parts> {
  const manifest = decodeManifest(files);
  const bytesOf = (name: ModelFileName) => checkedFile(files, manifest, name);
  const part = decodeAnsweringPart(files, manifest, families);
  const { answeringHash, columns, recipe } = part;
  const payees = decodePayees(bytesOf("payees.json"), manifest.rowCount, recipe);
  const features = decodeFeatures(bytesOf("features.bin"), manifest, recipe);
  const statics = decodeStatics(
    manifest,
    recipe,
    payees,
    shardedFeatures(columns, answeringHash, circuitColumns(recipe)),
  );
  const rows = "rows.jsonl" in manifest.files ? decodeRowLines(bytesOf("rows.jsonl"), payees, recipe) : null;
  const card = "card.json" in manifest.files ? textOfModelFile(bytesOf("card.json"), "card.json") : null;
  return {
    ...part,
    payees,
    features,
    statics,
    staticsHash: hashStatics(statics),
    rows,
    card,
    figure: decodeFigure(files),
  } as never;
}

/** Reads the file of a model's payees. @throws ATT_MODEL_FILE_INVALID */
export function decodePayees(bytes: Uint8Array, rowCount: number, recipe: RecipeBase): Payee[] {
  const parsed = payeesSchema.safeParse(parseJson(bytes, "payees.json"));
  if (!parsed.success) throw invalidFile("payees.json", z.prettifyError(parsed.error));
  const payees = parsed.data;
  const shards = payeeShards(payees.map((payee) => payee.rowCount));
  const datanetCount = versionsOf(recipe).length;
  const isJoint = datanetCount > 1;
  if (isJoint && shards.length !== datanetCount)
    throw invalidFile("payees.json", `has ${shards.length} shards, the recipe ${datanetCount} datanets`);
  const inOrder = shards.flatMap(({ from, to }) =>
    payees.slice(from, to).map((payee, m) => ({ payee, isFirst: m === 0, place: from + m })),
  );
  for (const [m, { payee, isFirst, place }] of inOrder.entries()) {
    const before = inOrder[m - 1]?.payee;
    if (payee.rowCount === 0) throw invalidFile("payees.json", `has payee ${place} without rows`);
    // Each of several Datanets starts over.
    if (before === undefined || (isJoint && isFirst)) continue;
    const step = payee.contributorId - before.contributorId || payee.validatorId - before.validatorId;
    // A payee whose rows are in two shards is in both.
    if (step < 0 || (step === 0 && !isFirst))
      throw invalidFile("payees.json", `has payee ${place} out of order`);
  }
  const total = payees.reduce((sum, payee) => sum + payee.rowCount, 0);
  if (total !== rowCount) throw invalidFile("payees.json", `counts ${total} rows, not ${rowCount}`);
  return payees;
}

/** G a signed byte an entry; contrasts of a direct model 16 bits an entry, little-endian, with the row of the logits. */
function matrixBytes({ values }: RegisteredMatrix): Uint8Array {
  if (values instanceof Int8Array) return new Uint8Array(values);
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [k, value] of values.entries()) view.setInt16(2 * k, value, true);
  return bytes;
}

/** @throws ATT_MODEL_FILE_INVALID */
export function decodeFeatures(
  bytes: Uint8Array,
  manifest: ModelManifest,
  recipe: RecipeBase,
): RegisteredMatrix {
  const { rowCount, columnCount, featureScale } = manifest;
  if (columnCount !== recipe.columnCount) {
    throw invalidFile(MANIFEST, `names ${columnCount} columns, the recipe ${recipe.columnCount}`);
  }
  if (recipe.family === DIRECT) return decodeDirect(bytes, manifest, recipe);
  if (bytes.length !== rowCount * columnCount) {
    throw invalidFile("features.bin", `has ${bytes.length} bytes, not ${rowCount} × ${columnCount}`);
  }
  const values = Int8Array.from(bytes, (byte) => (byte << 24) >> 24);
  const bad = values.indexOf(-128);
  if (bad >= 0)
    throw invalidFile("features.bin", `has −128 in row ${rowNumber(Math.floor(bad / columnCount))}`);
  return { values, rowCount, featureCount: columnCount, scale: featureScale };
}

function decodeDirect(bytes: Uint8Array, manifest: ModelManifest, recipe: RecipeBase): DirectFeatures {
  const { rowCount, columnCount, featureScale } = manifest;
  const width = registeredColumns(recipe);
  const count = (rowCount + 1) * width;
  if (bytes.length !== 2 * count)
    throw invalidFile("features.bin", `has ${bytes.length} bytes, not 2 × (${rowCount} + 1) × ${width}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values = Int16Array.from({ length: count }, (_, k) => view.getInt16(2 * k, true));
  const bad = values.findIndex((value) => Math.abs(value) > MAX_DIRECT_ENTRY);
  if (bad >= 0)
    throw invalidFile("features.bin", `has ${values[bad]} in row ${rowNumber(Math.floor(bad / width))}`);
  return {
    values,
    rowCount,
    labelCount: 1 + width / columnCount,
    featureCount: columnCount,
    scale: featureScale,
  };
}

/** Statics of these files, which are the manifest's. @throws ATT_MODEL_FILE_INVALID */
export function decodeStatics(
  manifest: ModelManifest,
  recipe: RecipeBase,
  payees: readonly Payee[],
  features: bigint,
): ModelStatics {
  const split = unpackSplit(BigInt(manifest.statics.split));
  const { drawBits, predecessorId } = unpackBinding(BigInt(manifest.statics.binding));
  const statics = staticsOf(recipe, payees, features, {
    split,
    predecessorId: Number(predecessorId),
    drawBits: Number(drawBits),
  });
  for (const name of ["featuresCommitment", "ownersCommitment", "payeeRoot", "binding", "split"] as const) {
    if (hex32(statics[name]) !== manifest.statics[name]) {
      throw invalidFile(
        MANIFEST,
        `has the ${name} ${manifest.statics[name]}, its files make ${hex32(statics[name])}`,
      );
    }
  }
  if (hex32(hashStatics(statics)) !== manifest.staticsHash) {
    throw invalidFile(MANIFEST, `has the statics ${manifest.staticsHash}, which its fields do not make`);
  }
  return statics;
}

/** Reads the file of a model's rows. @throws ATT_MODEL_FILE_INVALID, ATT_ROWS_MISMATCH, ATT_LABELS_MISMATCH */
function decodeRowLines(bytes: Uint8Array, payees: readonly Payee[], recipe: RecipeBase): OwnedRow[] {
  const rows = atOnce(decodeRowSteps(bytes, payees, recipe));
  checkRowsRoot(rows, recipe);
  return rows;
}

/** Reads the file in steps. The caller compares the rows with the recipe: `checkRowsRoot`. @throws ATT_MODEL_FILE_INVALID */
export function* decodeRowSteps(
  bytes: Uint8Array,
  payees: readonly Payee[],
  recipe: Pick<RecipeBase, "furtherDatanets">,
): Steps<OwnedRow[]> {
  const rowCount = payees.reduce((sum, payee) => sum + payee.rowCount, 0);
  // A row is one line: JSON.stringify writes no line break.
  const lines: PublishedLine[] = [];
  for (let from = 0; from < bytes.length; ) {
    const to = bytes.indexOf(NEWLINE[0]!, from);
    if (to < 0) throw invalidFile(ROWS_FILE, "ends within a line");
    if (lines.length === rowCount) throw invalidFile(ROWS_FILE, `has more than ${rowCount} rows`);
    const line = decodeLine(bytes.subarray(from, to));
    if (line === null) throw invalidFile(ROWS_FILE, `has no row in line ${lines.length + 1}`);
    lines.push(line);
    from = to + 1;
    yield from / bytes.length;
  }
  if (lines.length !== rowCount) throw invalidFile(ROWS_FILE, `has ${lines.length} rows, not ${rowCount}`);
  const isJoint = recipe.furtherDatanets !== undefined;
  const owners = payees.flatMap(({ rowCount, contributorId, validatorId }, index) => {
    const datanet = Math.floor(index / MAX_PAYEE_COUNT);
    const owner = { contributorId, validatorId, ...(isJoint && { datanet }) };
    return Array.from({ length: rowCount }, () => owner);
  });
  return lines.map((line, i) => ({ ...line, ...owners[i]! }));
}

const NEWLINE = Uint8Array.of(10);

/** Column commitments, shard after shard: for each column u and v, 32 bytes each, big-endian. */
function columnBytes(shards: readonly ColumnCommitments[]): Uint8Array {
  return Buffer.concat(
    shards.flatMap(({ u, v }) =>
      u.map((x, j) => Buffer.from(hex32(x).slice(2) + hex32(v[j]!).slice(2), "hex")),
    ),
  );
}
