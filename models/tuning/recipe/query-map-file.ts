/**
 * Published file of the whole map from a text's gradient to the features by which rows are scored (query-map.ts): a byte an
 * entry, with a scale for each number of the gradient. Rows are mapped by the same rounded numbers, so that rounding favours
 * nobody.
 */
import { attributionError } from "@openledger/attribution/attribution-errors";
import type { Place } from "../../engine/kernels/kernels.ts";

/** Two uint32: gradientCount and featureCount. */
const HEAD_BYTES = 8;
/** Largest entry: int8 without −128. */
const MAX = 127;

interface MapSize {
  /** Numbers of a gradient. */
  readonly gradientCount: number;
  readonly featureCount: number;
}

export const mapBytes = ({ featureCount, gradientCount }: MapSize): number =>
  HEAD_BYTES + gradientCount * (4 + featureCount);

/**
 * Writes a whole map, little-endian: uint32 gradientCount, featureCount; then a float32 for each number of the gradient, its
 * scale; then int8 entries, gradientCount × featureCount.
 */
export function encodeMap(arena: Float32Array, at: Place, size: MapSize): Uint8Array {
  const { featureCount, gradientCount } = size;
  const bytes = new Uint8Array(mapBytes(size));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, gradientCount, true);
  view.setUint32(4, featureCount, true);
  const entriesAt = HEAD_BYTES + 4 * gradientCount;
  for (let k = 0; k < gradientCount; k++) {
    const row = arena.subarray(at + k * featureCount, at + (k + 1) * featureCount);
    const { entries, scale } = roundedTo(row, MAX);
    view.setFloat32(HEAD_BYTES + 4 * k, scale, true);
    bytes.set(entries, entriesAt + k * featureCount);
  }
  return bytes;
}

/** Quantises to integers in [−max, max], and returns the float32 scale with them. */
export function roundedTo(values: Float32Array | Float64Array, max: number) {
  let largest = 0;
  for (const value of values) if (Math.abs(value) > largest) largest = Math.abs(value);
  const scale = Math.fround(largest / max);
  const rounded = (value: number) => Math.min(max, Math.max(-max, Math.floor(value / scale + 0.5)));
  return { scale, entries: scale === 0 ? new Int8Array(values.length) : Int8Array.from(values, rounded) };
}

/** Writes the map's numbers into an arena. @throws ATT_MODEL_FILE_INVALID if the file has another size or form */
export function decodeMap(bytes: Uint8Array, expected: MapSize, arena: Float32Array, at: Place): void {
  checkMap(bytes, expected);
  decodeMapRows(bytes, expected, { first: 0, count: expected.gradientCount }, arena, at);
}

/** @throws ATT_MODEL_FILE_INVALID if the file has another size or form */
export function checkMap(bytes: Uint8Array, size: MapSize): void {
  const { featureCount, gradientCount } = size;
  const view = viewOf(bytes);
  if (bytes.length !== mapBytes(size))
    throw brokenMap(`it has ${bytes.length} bytes, not those of ${gradientCount} × ${featureCount} entries`);
  if (view.getUint32(0, true) !== gradientCount || view.getUint32(4, true) !== featureCount)
    throw brokenMap("it is of another size");
  for (let k = 0; k < gradientCount; k++) {
    checkScale(view, HEAD_BYTES + 4 * k, `scale ${k}`);
  }
}

/** @throws ATT_MODEL_FILE_INVALID */
export function checkScale(view: DataView, at: number, what: string): void {
  const scale = view.getFloat32(at, true);
  // NaN, too.
  if (!(scale >= 0 && scale < Number.POSITIVE_INFINITY)) throw brokenMap(`${what} is not finite`);
}

/** Rows of a map that has been checked: `count` × featureCount numbers. */
export function decodeMapRows(
  bytes: Uint8Array,
  { featureCount, gradientCount }: MapSize,
  { count, first }: { readonly first: number; readonly count: number },
  arena: Float32Array,
  at: Place,
): void {
  const view = viewOf(bytes);
  const entriesAt = HEAD_BYTES + 4 * gradientCount + first * featureCount;
  const entries = new Int8Array(bytes.buffer, bytes.byteOffset + entriesAt, count * featureCount);
  for (let k = 0; k < count; k++) {
    const scale = view.getFloat32(HEAD_BYTES + 4 * (first + k), true);
    for (let j = k * featureCount; j < (k + 1) * featureCount; j++) arena[at + j] = scale * entries[j]!;
  }
}

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function brokenMap(why: string) {
  return attributionError("ATT_MODEL_FILE_INVALID", `the query map is not as documented: ${why}`, {
    data: { file: "query-map.bin", why },
  });
}
