/**
 * Published file of the map from a text's gradient to the features by which rows are scored, in its small, folded form
 * (models/tuning/influence/fold-directions.ts); query-map.ts reads it. Little-endian: uint32 gradientCount, featureCount,
 * componentCount; a uint16 for each matrix, its components. Then vectors, matrix by matrix, each a float32 scale and int8
 * entries. Then the core's rows, matrix by matrix, each a float32 scale and entries of four bits, the even one in the lower.
 */

import type { Kernels, Place } from "../../engine/kernels/kernels.ts";
import { type FoldedMatrix, foldedSide } from "../influence/fold-directions.ts";
import type { GradientMatrix } from "../influence/text-offsets.ts";
import { brokenMap, checkScale, roundedTo, viewOf } from "./query-map-file.ts";

export interface FoldedMapSize {
  readonly gradientCount: number;
  readonly featureCount: number;
  readonly componentCount: number;
  readonly matrices: readonly GradientMatrix[];
}

export interface MapOffsets {
  readonly gradient: Place;
  readonly features: Place;
  /** Place of the folded gradient. */
  readonly folded: Place;
  /** A part of the map as floats. */
  readonly map: Place;
  readonly mapFloats: number;
}

/** Three uint32: gradientCount, featureCount, componentCount. */
const HEAD_BYTES = 12;
const [MAX_OF_VECTOR, MAX_OF_CORE] = [127, 7];
/** Bytes of one component's vector. In the core it also takes a row for each column that it folds. */
const vectorBytes = (length: number): number => 4 + length;
const coreRowBytes = (featureCount: number): number => 4 + featureCount / 2;

/** Offsets of each matrix' vectors, and of its rows of the core. */
function offsetsIn({ featureCount, matrices }: FoldedMapSize, counts: readonly number[]) {
  const sides = matrices.map(foldedSide);
  let at = HEAD_BYTES + 2 * sides.length;
  const take = (bytes: number) => {
    at += bytes;
    return at - bytes;
  };
  const vectors = sides.map(({ length }, k) => take(counts[k]! * vectorBytes(length)));
  const core = sides.map(({ rank }, k) => take(counts[k]! * rank * coreRowBytes(featureCount)));
  const parts = sides.map((side, k) => ({
    side,
    count: counts[k]!,
    vectorsAt: vectors[k]!,
    coreAt: core[k]!,
  }));
  return { parts, byteCount: at };
}

/** Maximum bytes of a folded map: what a component takes depends on its matrix. */
export function maxFoldedBytes({ componentCount, featureCount, matrices }: FoldedMapSize): number {
  const each = matrices
    .map(foldedSide)
    .map(({ length, rank }) => vectorBytes(length) + rank * coreRowBytes(featureCount));
  return HEAD_BYTES + 2 * matrices.length + componentCount * Math.max(...each);
}

export function encodeFoldedMap(folded: readonly FoldedMatrix[], size: FoldedMapSize): Uint8Array {
  const { componentCount, featureCount, gradientCount } = size;
  const { byteCount, parts } = offsetsIn(
    size,
    folded.map(({ count }) => count),
  );
  const bytes = new Uint8Array(byteCount);
  const view = viewOf(bytes);
  for (const [k, value] of [gradientCount, featureCount, componentCount].entries())
    view.setUint32(4 * k, value, true);
  for (const [k, { coreAt, count, side, vectorsAt }] of parts.entries()) {
    view.setUint16(HEAD_BYTES + 2 * k, count, true);
    const { core, vectors } = folded[k]!;
    for (let c = 0; c < count; c++) {
      const { entries, scale } = roundedTo(
        vectors.subarray(c * side.length, (c + 1) * side.length),
        MAX_OF_VECTOR,
      );
      const at = vectorsAt + c * vectorBytes(side.length);
      view.setFloat32(at, scale, true);
      bytes.set(entries, at + 4);
    }
    for (let r = 0; r < count * side.rank; r++) {
      const { entries, scale } = roundedTo(
        core.subarray(r * featureCount, (r + 1) * featureCount),
        MAX_OF_CORE,
      );
      const at = coreAt + r * coreRowBytes(featureCount);
      view.setFloat32(at, scale, true);
      for (let j = 0; j < featureCount; j += 2)
        bytes[at + 4 + j / 2] = (entries[j]! & 15) | ((entries[j + 1]! & 15) << 4);
    }
  }
  return bytes;
}

/** @throws ATT_MODEL_FILE_INVALID if the file has another size or form */
export function checkFoldedMap(bytes: Uint8Array, size: FoldedMapSize): void {
  const { componentCount, featureCount, gradientCount } = size;
  const view = viewOf(bytes);
  const byteCount = foldedBytes(bytes, size);
  if ([gradientCount, featureCount, componentCount].some((value, k) => view.getUint32(4 * k, true) !== value))
    throw brokenMap("it is of another size");
  const { parts } = partsOf(bytes, size);
  const sum = parts.reduce((total, { count }) => total + count, 0);
  if (sum !== componentCount) throw brokenMap(`its matrices have ${sum} components, not ${componentCount}`);
  if (bytes.length !== byteCount) throw brokenMap(`it has ${bytes.length} bytes, not ${byteCount}`);
  for (const [k, { coreAt, count, side, vectorsAt }] of parts.entries()) {
    for (let c = 0; c < count; c++)
      checkScale(view, vectorsAt + c * vectorBytes(side.length), `a scale of matrix ${k}`);
    for (let r = 0; r < count * side.rank; r++)
      checkScale(view, coreAt + r * coreRowBytes(featureCount), `a scale of matrix ${k}`);
  }
}

/** Bytes of a folded map with the counts in its head. @throws ATT_MODEL_FILE_INVALID if it ends in its head */
export function foldedBytes(bytes: Uint8Array, size: FoldedMapSize): number {
  if (bytes.length < HEAD_BYTES + 2 * size.matrices.length) throw brokenMap("it ends in its head");
  return partsOf(bytes, size).byteCount;
}

function partsOf(bytes: Uint8Array, size: FoldedMapSize) {
  const view = viewOf(bytes);
  return offsetsIn(
    size,
    size.matrices.map((_, k) => view.getUint16(HEAD_BYTES + 2 * k, true)),
  );
}

/** Writes the features of a map that has been checked. */
export function mapFolded(
  kernels: Kernels,
  { features, folded, gradient, map, mapFloats }: MapOffsets,
  bytes: Uint8Array,
  size: FoldedMapSize,
): void {
  const { arena } = kernels;
  const { featureCount } = size;
  const view = viewOf(bytes);
  kernels.clear(featureCount, features);
  for (const { coreAt, count, side, vectorsAt } of partsOf(bytes, size).parts) {
    const { at, length, other, rank, step } = side;
    const own = { at: gradient + at, rowStride: other, columnStride: step };
    for (let first = 0, part = 0; first < count; first += part) {
      part = Math.min(count - first, Math.floor(mapFloats / length));
      for (let c = 0; c < part; c++) {
        const from = vectorsAt + (first + c) * vectorBytes(length);
        const scale = view.getFloat32(from, true);
        for (let k = 0; k < length; k++) arena[map + c * length + k] = scale * view.getInt8(from + 4 + k);
      }
      const vectors = { at: map, rowStride: 1, columnStride: length };
      kernels.multiply(rank, part, length, own, vectors, folded + first, count, false);
    }
    const total = count * rank;
    for (let first = 0, part = 0; first < total; first += part) {
      part = Math.min(total - first, Math.floor(mapFloats / featureCount));
      for (let r = 0; r < part; r++) {
        const from = coreAt + (first + r) * coreRowBytes(featureCount);
        const scale = view.getFloat32(from, true);
        for (let j = 0; j < featureCount; j += 2) {
          const pair = bytes[from + 4 + j / 2]!;
          arena[map + r * featureCount + j] = scale * ((pair << 28) >> 28);
          arena[map + r * featureCount + j + 1] = scale * ((pair << 24) >> 28);
        }
      }
      const left = { at: folded + first, rowStride: total, columnStride: 1 };
      const core = { at: map, rowStride: featureCount, columnStride: 1 };
      kernels.multiply(1, featureCount, part, left, core, features, featureCount, true);
    }
  }
}
