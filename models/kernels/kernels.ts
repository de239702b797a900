/**
 * The arithmetic of language models: kernels over one arena of 32-bit floats. A place is an index into `arena`. All
 * sets give the same bytes; the rules are in native/src/lane-kernels.h. Lengths of loops are rounded up to 16, so
 * every buffer has a length that is a multiple of 16 (Arena gives such), and what is behind its end is not used.
 */

/** Index of a float in the arena. */
export type Place = number;
/** For a weight, bias or gradient that is not there. */
export const NONE: Place = -1;

/** Threads on one arena, beside the one that made it. */
export const MAX_THREAD_COUNT = 15;

/** rows × columns numbers that lie `rowStride` and `columnStride` apart. */
export interface Matrix {
  readonly at: Place;
  readonly rowStride: number;
  readonly columnStride: number;
}

export interface Kernels {
  /** "avx512", "avx2" or "wasm". */
  readonly name: KernelSetName;
  readonly arena: Float32Array;
  /** C = A B, or C += A B: A is rows × depth, B is depth × columns, C has rows of `rowStride`. */
  multiply(
    rows: number,
    columns: number,
    depth: number,
    a: Matrix,
    b: Matrix,
    c: Place,
    rowStride: number,
    accumulate: boolean,
  ): void;
  /** y = (x − mean) / √(variance + ε) · weight + bias; the mean counts as 0 unless centred. stats: 2 a row. */
  normalise(
    rows: number,
    width: number,
    x: Place,
    weight: Place,
    bias: Place,
    y: Place,
    stats: Place,
    epsilon: number,
    isCentred: boolean,
  ): void;
  /** Adds to dx, dWeight and dBias. */
  normaliseBack(
    rows: number,
    width: number,
    x: Place,
    weight: Place,
    stats: Place,
    dy: Place,
    dx: Place,
    dWeight: Place,
    dBias: Place,
    isCentred: boolean,
  ): void;
  /** Rotary positions in place. A row of the table: headSize / 2 cosines, then as many sines. */
  rotate(
    rows: number,
    heads: number,
    headSize: number,
    x: Place,
    rowStride: number,
    table: Place,
    sign: 1 | -1,
  ): void;
  /** Row t: softmax of scale × its first `first` + t + 1 numbers, the others 0. */
  softmax(rows: number, x: Place, rowStride: number, first: number, scale: number): void;
  /** dp, the gradient of softmax' results p, becomes the gradient of its arguments. */
  softmaxBack(rows: number, p: Place, dp: Place, rowStride: number, first: number, scale: number): void;
  /** y = silu(a) b */
  gate(count: number, a: Place, b: Place, y: Place): void;
  /** dy may be da or db. */
  gateBack(count: number, a: Place, b: Place, dy: Place, da: Place, db: Place): void;
  gelu(count: number, a: Place, y: Place): void;
  geluBack(count: number, a: Place, dy: Place, da: Place): void;
  addRow(rows: number, width: number, y: Place, bias: Place): void;
  sumRows(rows: number, width: number, dy: Place, dBias: Place): void;
  /** y += x */
  add(count: number, y: Place, x: Place): void;
  scale(count: number, x: Place, factor: number): void;
  /**
   * Losses of rows of logits, which become the gradient of weight × loss. targets: one float a row; a row whose target
   * is below 0 has no loss.
   */
  crossEntropy(
    rows: number,
    size: number,
    rowStride: number,
    logits: Place,
    targets: Place,
    losses: Place,
    weight: number,
  ): void;
  /** AdamW. settings: ten floats, see adam in native/src/lane-kernels.h. */
  adam(count: number, p: Place, g: Place, m: Place, v: Place, settings: Place): void;
}

export type KernelSetName = "avx512" | "avx2" | "wasm";
