/**
 * Map from the gradient of a question and its answer to the features by which rows are scored, in one of two published forms:
 * folded or whole (folded-map-file.ts, query-map-file.ts). Training and answering size and apply it.
 */
import { concatBytes } from "@noble/hashes/utils.js";
import { attributionError } from "@openledger/attribution/attribution-errors";
import { type AdapterLayout, adapterMatrices } from "../../engine/architecture/adapter-layout.ts";
import { decodeFloats, toHalves } from "../../engine/files/float-formats.ts";
import type { Kernels, Place } from "../../engine/kernels/kernels.ts";
import type { ArenaPlan } from "../../engine/tensors/arena-plan.ts";
import { foldDirections, foldedSide, maxComponents } from "../influence/fold-directions.ts";
import type { TextFeatureOffsets, TextFeatureOptions } from "../influence/text-offsets.ts";
import {
  checkFoldedMap,
  encodeFoldedMap,
  type FoldedMapSize,
  foldedBytes,
  type MapOffsets,
  mapFolded,
  maxFoldedBytes,
} from "./folded-map-file.ts";
import { checkMap, decodeMapRows, encodeMap, mapBytes } from "./query-map-file.ts";
import type { TextRecipe } from "./text-recipe.ts";

/** `componentCount` is null if the map is whole. */
export type QueryMapSize = Omit<FoldedMapSize, "componentCount"> & { readonly componentCount: number | null };

/** @throws ATT_RECIPE_INVALID for more components than the adapter's matrices have */
export function mapSize(layout: AdapterLayout, method: TextRecipe["method"]): QueryMapSize {
  const matrices = adapterMatrices(layout);
  const componentCount = (method.kind === "tangent" ? method.components : undefined) ?? null;
  const max = componentsIn(matrices);
  if (componentCount !== null && componentCount > max) {
    const issues = [{ path: "method.components", message: `the adapter's matrices have ${max} at most` }];
    throw attributionError("ATT_RECIPE_INVALID", issues[0]!.message, { data: { issues } });
  }
  return { gradientCount: layout.floatCount, matrices, featureCount: method.featureCount, componentCount };
}

/** Bytes of a folded map, so that a phone can load it. */
const MAX_FOLDED_BYTES = 4_000_000;
/** Average components of a matrix: scores correlate by 0.998 with those of a whole map. */
const COMPONENTS_OF_MATRIX = 64;

export function usualComponents(layout: AdapterLayout, featureCount: number): number {
  const matrices = adapterMatrices(layout);
  const [none, one] = [0, 1].map((componentCount) =>
    maxFoldedBytes({ gradientCount: layout.floatCount, featureCount, matrices, componentCount }),
  ) as [number, number];
  const usualCount = Math.min(componentsIn(matrices), COMPONENTS_OF_MATRIX * matrices.length);
  return Math.max(1, Math.min(usualCount, Math.floor((MAX_FOLDED_BYTES - none) / (one - none))));
}

const componentsIn = (matrices: QueryMapSize["matrices"]): number =>
  matrices.map(foldedSide).reduce((sum, side) => sum + maxComponents(side), 0);

const isFolded = (size: QueryMapSize): size is FoldedMapSize => size.componentCount !== null;

/**
 * Halves of the adapter at which a folded map takes gradients, behind it: the middle run's. A whole one takes them where answers
 * are made.
 */
const adapterBytes = ({ gradientCount }: QueryMapSize): number => 2 * gradientCount;

/** The map at its place, as it is published. @param latest of tangents: the rows' gradients @param adapter of the middle run */
export function encodeQueryMap(
  kernels: Kernels,
  offsets: TextFeatureOffsets,
  options: TextFeatureOptions & QueryMapSize,
  latest: Place,
  adapter: Place,
): Uint8Array {
  if (!isFolded(options)) return encodeMap(kernels.arena, offsets.directions, options);
  const folded = foldDirections(kernels, offsets, options, latest, options.componentCount);
  const halves = toHalves(kernels.arena.subarray(adapter, adapter + options.gradientCount));
  return concatBytes(encodeFoldedMap(folded, options), new Uint8Array(halves.buffer));
}

/** Adapter in a checked map; null in a whole one. @throws MOD_FILE_INVALID for a number that is not finite */
export const mapAdapter = (bytes: Uint8Array, size: QueryMapSize): Float32Array | null =>
  isFolded(size) ? decodeFloats(bytes.subarray(-adapterBytes(size)), "F16", "query-map.bin") : null;

export const maxMapBytes = (size: QueryMapSize): number =>
  isFolded(size) ? maxFoldedBytes(size) + adapterBytes(size) : mapBytes(size);

/** Bytes of the map that a file begins with. @throws ATT_MODEL_FILE_INVALID if it ends in its head */
export const mapLength = (bytes: Uint8Array, size: QueryMapSize): number =>
  isFolded(size) ? foldedBytes(bytes, size) + adapterBytes(size) : mapBytes(size);

/** @throws ATT_MODEL_FILE_INVALID if the file has another size or form */
export const checkQueryMap = (bytes: Uint8Array, size: QueryMapSize): void =>
  isFolded(size)
    ? checkFoldedMap(bytes.subarray(0, Math.max(0, bytes.length - adapterBytes(size))), size)
    : checkMap(bytes, size);

/** Rows of a whole map that are in memory as floats at once; each belongs to one number of the gradient. */
const MAP_ROWS = 512;

/** Room for a gradient and its features by any of the maps. */
export function mapOffsets(plan: ArenaPlan, sizes: readonly QueryMapSize[]): MapOffsets {
  const max = (count: (size: QueryMapSize) => number) => Math.max(...sizes.map(count));
  const longest = ({ matrices }: QueryMapSize) =>
    Math.max(...matrices.map(({ columns, rows }) => Math.max(columns, rows)));
  const mapFloats = max((size) => Math.max(MAP_ROWS * size.featureCount, longest(size)));
  return {
    gradient: plan.take(max(({ gradientCount }) => gradientCount)),
    features: plan.take(max(({ featureCount }) => featureCount)),
    // No matrix is folded to more numbers than it has.
    folded: plan.take(
      max(({ matrices }) => Math.max(...matrices.map(({ columns, rows }) => columns * rows))),
    ),
    map: plan.take(mapFloats),
    mapFloats,
  };
}

/**
 * Maps a gradient by a map that has been checked. Part by part: an output is one chain over all numbers, so the parts
 * do not change it.
 */
export function mapGradient(
  kernels: Kernels,
  offsets: MapOffsets,
  bytes: Uint8Array,
  size: QueryMapSize,
): Float64Array {
  const { features, gradient, map } = offsets;
  const { featureCount, gradientCount } = size;
  if (isFolded(size)) mapFolded(kernels, offsets, bytes, size);
  else
    for (let first = 0; first < gradientCount; first += MAP_ROWS) {
      const count = Math.min(MAP_ROWS, gradientCount - first);
      decodeMapRows(bytes, size, { first, count }, kernels.arena, map);
      const row = { at: gradient + first, rowStride: gradientCount, columnStride: 1 };
      const right = { at: map, rowStride: featureCount, columnStride: 1 };
      kernels.multiply(1, featureCount, count, row, right, features, featureCount, first > 0);
    }
  return Float64Array.from(kernels.arena.subarray(features, features + featureCount));
}
