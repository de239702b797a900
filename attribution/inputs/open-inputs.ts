/** Opens a recipe's inputs: the one position that knows kinds. Trainings, answers, checks and pages take the counter. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { attributionError } from "../attribution-errors.ts";
import type { DecodedPicture } from "../pictures/decoded-picture.ts";
import { PictureProblem } from "../pictures/picture-problem.ts";
import { openPictures, type ReadPicture } from "../pictures/pictures.ts";
import { contentOf, inputOf, invalidRow } from "../rows/row-content.ts";
import { decodeTableRow } from "../rows/table-rows.ts";
import { bucketScales } from "./bucket-scales.ts";
import { countPicture } from "./image-inputs.ts";
import { type InputBase, type InputCounter, maxTermsOf } from "./input-counter.ts";
import type { ModelInputs, VectorsFile } from "./model-inputs.ts";
import { countTable } from "./table-inputs.ts";
import { textCounter } from "./text-inputs.ts";
import { readTextVectors, type TextVectors } from "./text-vectors.ts";

/**
 * Reads the file of word vectors that a recipe names, from any place; null where none has it. `openInputs` checks the bytes: a reader may
 * give them as they came. One that gives the same array again spares reading it again.
 */
export type ReadVectors = (file: VectorsFile) => Promise<Uint8Array | null>;

/**
 * Ready to count. Decoders of pictures are loaded where they are needed.
 * @param readVectors of inputs that name vectors @param readPictures decoders of pictures
 * @throws ATT_VECTORS_MISSING where no place has the file, ATT_VECTORS_INVALID for another file, or one that models do not read
 */
export async function openInputs(
  inputs: ModelInputs,
  position: InputBase,
  readVectors?: ReadVectors,
  readPictures: () => Promise<ReadPicture> = openPictures,
): Promise<InputCounter> {
  const termBuckets = inputs.bucketCount - position.baseBuckets;
  const maxTerms = maxTermsOf(position);
  const { kind } = inputs;
  const counter = {
    kind,
    termBuckets,
    scales: bucketScales(inputs, termBuckets),
    promptOf: (content: Uint8Array) => inputOf(kind, content),
    contentOf: (prompt: string) => contentOf(kind, prompt),
  };
  switch (kind) {
    case "text": {
      const vectors = inputs.vectors === undefined ? null : await openVectors(inputs.vectors, readVectors);
      const count = textCounter(inputs, { buckets: termBuckets, maxTerms }, vectors);
      return { ...counter, countsOf: (prompt) => count(contentOf(kind, prompt)) };
    }
    case "table": {
      const room = { buckets: termBuckets, maxTerms };
      return {
        ...counter,
        countsOf: (prompt) =>
          countTable(decodeTableRow(inputs.fields, contentOf(kind, prompt)), inputs, room),
      };
    }
    case "image": {
      const read = await readPictures();
      return {
        ...counter,
        countsOf: (prompt) => countPicture(readRow(read, contentOf(kind, prompt)), inputs, termBuckets),
      };
    }
    default:
      return kind satisfies never;
  }
}

/** Files that have been checked, by their arrays: judges of answers open the same one for each. */
const openedFiles = new WeakMap<Uint8Array, { readonly sha256: string; readonly vectors: TextVectors }>();

/** Bytes of a file of vectors or of an encoder, as a reader gives them. @throws ATT_VECTORS_MISSING where it has none */
export async function requireVectors(file: VectorsFile, read: ReadVectors | undefined): Promise<Uint8Array> {
  const bytes = (await read?.(file)) ?? null;
  if (bytes === null)
    throw attributionError(
      "ATT_VECTORS_MISSING",
      `the vectors ${file.name} with SHA-256 ${file.sha256} are not to be had here: put the file into .openledger/vectors/${file.sha256}.bin, or name a server that answers with the model`,
      { data: { name: file.name, sha256: file.sha256, sizeBytes: file.sizeBytes } },
    );
  return bytes;
}

/**
 * Opens a file of word vectors, once for all that ask with the same bytes.
 * @throws ATT_VECTORS_MISSING, ATT_VECTORS_INVALID
 */
export async function openVectors(file: VectorsFile, read: ReadVectors | undefined): Promise<TextVectors> {
  const bytes = await requireVectors(file, read);
  let opened = openedFiles.get(bytes);
  if (opened?.sha256 !== file.sha256) {
    requireNamed(bytes, file);
    opened = { sha256: file.sha256, vectors: readTextVectors(bytes) };
    openedFiles.set(bytes, opened);
  }
  const { dimensions } = opened.vectors;
  if (dimensions !== file.dimensions)
    throw otherFile(file, `has vectors of ${dimensions} components, and the recipe says ${file.dimensions}`);
  return opened.vectors;
}

/** Requires size and hash of a file of vectors. @throws ATT_VECTORS_INVALID */
export function requireNamed(bytes: Uint8Array, file: VectorsFile): void {
  if (bytes.length !== file.sizeBytes)
    throw otherFile(file, `has ${bytes.length} bytes, and the recipe says ${file.sizeBytes}`);
  const found = bytesToHex(sha256(bytes));
  if (found !== file.sha256)
    throw otherFile(file, `has the SHA-256 ${found}, and the recipe says ${file.sha256}`);
}

const otherFile = ({ name }: VectorsFile, why: string) =>
  attributionError("ATT_VECTORS_INVALID", `the file of the vectors ${name} ${why}`, { data: { why } });

/** Requires a picture's file that models read. @throws ATT_ROW_INVALID */
export async function requirePicture(content: Uint8Array): Promise<void> {
  readRow(await openPictures(), content);
}

/** Reads a row's picture. @throws ATT_ROW_INVALID */
function readRow(read: ReadPicture, content: Uint8Array): DecodedPicture {
  try {
    return read(content);
  } catch (cause) {
    if (cause instanceof PictureProblem) throw invalidRow("image", cause.message, cause);
    throw cause;
  }
}
