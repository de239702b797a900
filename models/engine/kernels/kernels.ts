/**
 * The arithmetic of language models: kernels over one arena of 32-bit floats. An offset is an index into `arena`. All of the
 * processor's sets give the same bytes; the rules are in native/src/lane-kernels.h. Lengths of loops are rounded up to 16, so
 * every buffer has a length that is a multiple of 16 (Arena gives such), and what is behind its end is not used.
 */

/** Index of a float in the arena. */
export type Place = number;
/** Offset of a weight, bias or gradient that is not there. */
export const NONE: Place = -1;

/** Threads on one arena, beside the one that made it. */
export const MAX_THREAD_COUNT = 15;

/** rows × columns numbers that lie `rowStride` and `columnStride` apart. */
export interface Matrix {
  readonly at: Place;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** Rows of a batch whose adapters are applied to one linear map, or to a part of its outputs. */
export interface AdapterRows {
  /** Entries of four words: row, start of a page / 16, its ranks (1 … 8; + 16 if it holds halves), factor as a float. */
  readonly count: number;
  readonly entries: Place;
  readonly rows: number;
  readonly inputs: number;
  readonly x: Place;
  readonly xStride: number;
  readonly outputs: number;
  readonly y: Place;
  readonly yStride: number;
  /** Numbers from a page's start on: A as inputs × 8, B as 8 × outputs. */
  readonly a: number;
  readonly b: number;
}

/** Attention of rows of many requests, whose keys and values lie on pages of sixteen positions. */
export interface PagedAttention {
  readonly rows: number;
  /** Two words a row: its slot, its position. */
  readonly seats: Place;
  /** slotCount × maxPages words: the numbers of each slot's pages. */
  readonly pages: Place;
  readonly slotCount: number;
  readonly maxPages: number;
  readonly headCount: number;
  readonly keyHeadCount: number;
  readonly headSize: number;
  readonly qkv: Place;
  readonly qkvStride: number;
  /** Layout of a page: keys as keyWidth × 16, then values as 16 × keyWidth. */
  readonly kv: Place;
  readonly pageCount: number;
  readonly pageFloats: number;
  /** rows × headCount × headSize. */
  readonly out: Place;
  /** 32 × maxPages numbers. */
  readonly scores: Place;
  readonly scale: number;
}

/** Blocks of 32 int8 inputs with one scale. */
export const blocksOf = (inputs: number): number => Math.ceil(inputs / 32);
/**
 * Floats of the arena of a row that `quantise` writes, for the same set's `multiply`: of each block 64 bytes of integers and two
 * words.
 */
export const quantisedFloats = (width: number): number => 16 * Math.ceil((18 * blocksOf(width)) / 16);

/**
 * Floats of the arena of a map of int8 weights. Sixteen outputs are a panel: of each panel and block come eight times sixteen
 * outputs' four inputs, then all scales as halves, in that order. What a last block or panel lacks is 0.
 */
export const packedFloats = (inputs: number, outputs: number): number =>
  136 * blocksOf(inputs) * Math.ceil(outputs / 16);

export interface PackedMap {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: Place;
}

/** The integers and the scales of a map, and where those of an output's block begin; its fours are 64 bytes apart. */
export function packedViews({ buffer, byteOffset }: Float32Array, { inputs, outputs, weights }: PackedMap) {
  const blocks = blocksOf(inputs);
  const count = blocks * Math.ceil(outputs / 16);
  const at = byteOffset + 4 * weights;
  return {
    integers: new Int8Array(buffer, at, 512 * count),
    scales: new Uint16Array(buffer, at + 512 * count, 16 * count),
    placeOf(output: number, block: number) {
      const panelBlock = (output >> 4) * blocks + block;
      return { integer: 512 * panelBlock + 4 * (output & 15), scale: 16 * panelBlock + (output & 15) };
    },
  };
}

interface BlockProduct extends PackedMap {
  readonly rows: number;
  /** Rows as `quantise` leaves them. */
  readonly x: Place;
  readonly y: Place;
  /** Stride of y: at least the outputs, rounded up to 16. */
  readonly yStride: number;
  readonly accumulate: boolean;
}

interface BackProduct extends PackedMap {
  readonly rows: number;
  readonly dy: Place;
  /** Stride of dy: at least the outputs, rounded up to 16; what lies between is 0. */
  readonly dyStride: number;
  /** rows × inputs. */
  readonly dx: Place;
  readonly accumulate: boolean;
}

/** Kernels for int8 weights. */
export interface BlockKernels {
  /** Rows become int8, in blocks of 32 with a scale each: rows × quantisedFloats(width). */
  quantise(rows: number, width: number, x: Place, to: Place): void;
  /** y = x W, or y += x W; the bytes do not depend on the number of threads. */
  multiply(call: BlockProduct): void;
  /** dx = dy Wᵀ, or dx += that: slopes of 128 outputs are integers of 16 bits, whose sums are exact. */
  multiplyBack(call: BackProduct): void;
  /** The weights of `count` outputs, a row of inputs each, as floats: scale · integer, which is exact. */
  unpack(map: PackedMap, first: number, count: number, to: Place): void;
}

/** Kernels of the processor: a call has its result in the arena when it returns. */
export interface Kernels {
  /** "avx512-vnni", "avx512", "avx2" or "wasm". */
  readonly name: KernelSetName;
  readonly arena: Float32Array;
  readonly blocks: BlockKernels;
  /** Copies `count` numbers; the two offsets do not overlap, and are multiples of 16. */
  copy(count: number, to: Place, from: Place): void;
  /** Makes numbers 0. */
  clear(count: number, at: Place): void;
  write(at: Place, values: ArrayLike<number>): void;
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
  /**
   * The same of rounded numbers: those of a row of A, or of a column of B, in 128 steps, become integers up to 4,095 in size, whose
   * sums are exact. Steps of A lie side by side, and steps or columns of B. Rows of C have room for a multiple of 16 columns.
   */
  multiplyRounded(
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
  /**
   * The derivative of `adam`: a change dg of g, times its factor, changes p, m and v by dp, dm and dv.
   * @param ds times dg is what it adds to dv @param ofMean times dm, less `ofSquare` times dv, is what p falls by
   */
  adamTangent(
    count: number,
    dp: Place,
    dg: Place,
    dm: Place,
    dv: Place,
    ds: Place,
    ofMean: Place,
    ofSquare: Place,
    settings: Place,
  ): void;
  /** y += factor · (x A) B for each entry, in their order; a row's outputs do not depend on other rows. */
  applyAdapters(call: AdapterRows): void;
  /** Keeps the rows' keys and values on their pages, then attends to positions up to each row's own. */
  attendPages(call: PagedAttention): void;
  /**
   * Keeps the calls that `make` makes instead of carrying them out: they name the same offsets at each run, and `write` is none of
   * them. Some hundred native calls of a token are one that way, and some thousand of a row that is tuned on.
   *
   * @returns what carries them out
   */
  record(make: (kernels: Kernels) => void): () => void;
}

export type KernelSetName = "avx512-vnni" | "avx512" | "avx2" | "wasm";

/** Moves that every processor's set makes alike. */
export function arenaMoves(arena: Float32Array): Pick<Kernels, "copy" | "clear" | "write"> {
  return {
    copy: (count, to, from) => void arena.copyWithin(to, from, from + count),
    clear: (count, at) => void arena.fill(0, at, at + count),
    write: (at, values) => arena.set(values, at),
  };
}
