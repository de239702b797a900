/**
 * A set of kernels that computes nothing: it writes down which operations a pass consists of. The passes of
 * ../architecture are recorded as they are, so the trace cannot be of another pass than the engine's. Beside an engine
 * at work it has no part, and costs nothing.
 */
import { NONE, type PassKernels, type Place } from "@openledger/models/kernels/kernels";
import { modelError } from "@openledger/models/model-errors";
import { bitsOf } from "./float-arithmetic.ts";
import { acrossColumns, acrossRows, type OwnedPiece, OwnerMap, type Window } from "./owner-map.ts";
import {
  CAUSAL,
  LANES_OF,
  LONGEST_CHAIN,
  LONGEST_ROW,
  MOST_OF,
  MOST_PIECES,
  type OpKind,
  sizeOf,
  TOTAL_AS,
  type TraceOp,
  type TraceSource,
} from "./trace-op.ts";

const LANES = 16;

/** Where token rows are read from: a copy from there is a look-up. */
interface EmbeddingPlace {
  readonly at: Place;
  readonly floatCount: number;
  readonly width: number;
}

/** What such a step is given, as PassKernels names it. */
type Given<Step extends Exclude<keyof PassKernels, "blocks">> = Parameters<PassKernels[Step]>;

type Parts = Partial<Omit<TraceOp, "kind" | "rows" | "columns">>;

/** Of one program. */
export interface ProgramBound {
  readonly mostOps: number;
  /** In all results, the inputs with them. */
  readonly mostNumbers: number;
}

export class PassRecorder implements PassKernels {
  readonly ops: TraceOp[] = [];
  #numbers = 0;
  readonly #bound: ProgramBound | undefined;
  readonly #owners: OwnerMap;
  readonly #rows: number;
  readonly #embedding: EmbeddingPlace;
  readonly #flipped = new Map<string, TraceSource>();
  #embedOp = -1;
  #rowsRead = 0;

  /** @param rows tokens of the pass @throws RollupError MOD_TOO_LARGE, here and later, beyond the bound */
  constructor(floatCount: number, rows: number, embedding: EmbeddingPlace, bound?: ProgramBound) {
    this.#bound = bound;
    this.#owners = new OwnerMap(floatCount);
    this.#rows = rows;
    this.#embedding = embedding;
  }

  /** Numbers that are known before the pass. */
  input(at: Place, count: number): TraceSource {
    const index = this.ops.filter(({ kind }) => kind === "input").length;
    const source = this.#add("input", 1, count, { extra: index });
    this.#owners.fix(at, count, source.op);
    return source;
  }

  /** An input that has no place in the arena. */
  looseInput(count: number): TraceSource {
    const index = this.ops.filter(({ kind }) => kind === "input").length;
    return this.#add("input", 1, count, { extra: index });
  }

  /** One row times a matrix whose columns lie one after another, rounded as a query is: the trace's last operation. */
  project(row: Place, depth: number, columns: number, map: TraceSource): void {
    const features = this.#chain(
      1,
      columns,
      depth,
      this.#read(plain(row, 1, depth, 0)),
      { ...map, rowStride: depth },
      null,
    );
    const most = this.#add("most", 1, 1, { depth: columns, extra: MOST_OF.sizes, sources: [features] });
    this.#add("quantise", 1, columns, { sources: [features, acrossColumns(most)] });
  }

  copy(count: number, to: Place, from: Place): void {
    const { at, floatCount, width } = this.#embedding;
    if (from < at || from >= at + floatCount) {
      this.#owners.copy(count, to, from);
      return;
    }
    if (count !== width || this.#rowsRead === this.#rows)
      throw new RangeError("only rows of tokens are copied from the embedding");
    if (this.#embedOp < 0) {
      const table = this.#read(plain(at, floatCount / width, width, width));
      this.#embedOp = this.#add("embed", this.#rows, width, { sources: [table] }).op;
    }
    this.#owners.own(plain(to, 1, width, 0), this.#embedOp, this.#rowsRead++ * width);
  }

  clear(count: number, at: Place): void {
    this.#own(plain(at, 1, count, 0), this.#add("fill", 1, count, {}));
  }

  /** Targets: they are in what the trace is of. */
  write(): void {}

  multiply(...[rows, columns, depth, a, b, c, rowStride, accumulate]: Given<"multiply">): void {
    const out = plain(c, rows, columns, rowStride);
    const left =
      a.columnStride === 1
        ? this.#read(plain(a.at, rows, depth, a.rowStride))
        : this.#flip(plain(a.at, depth, rows, a.columnStride));
    const right =
      b.rowStride === 1
        ? this.#read(plain(b.at, columns, depth, b.columnStride))
        : this.#flip(plain(b.at, depth, columns, b.rowStride));
    this.#own(out, this.#chain(rows, columns, depth, left, right, accumulate ? this.#read(out) : null));
  }

  normalise(...[rows, width, x, weight, bias, y, stats, epsilon, isCentred]: Given<"normalise">): void {
    const given = this.#read(plain(x, rows, width, width));
    const size = bitsOf(width);
    const mean = isCentred
      ? this.#total(this.#lanes(rows, width, "plain", [given]), { extra: TOTAL_AS.mean, first: size })
      : acrossColumns(this.#add("fill", rows, 1, {}));
    const factor = this.#total(this.#lanes(rows, width, "deviation", [given, mean]), {
      extra: TOTAL_AS.inverseRoot,
      first: size,
      second: bitsOf(Math.fround(epsilon)),
    });
    const weights = acrossRows(this.#read(plain(weight, 1, width, 0)));
    const biases = bias === NONE ? [] : [acrossRows(this.#read(plain(bias, 1, width, 0)))];
    const out = this.#add("normalise", rows, width, { sources: [given, mean, factor, weights, ...biases] });
    this.#own(plain(y, rows, width, width), out);
    this.#own(plain(stats, rows, 1, 2), mean);
    this.#own(plain(stats + 1, rows, 1, 2), factor);
  }

  normaliseBack(
    ...[rows, width, x, weight, stats, dy, dx, dWeight, dBias, isCentred]: Given<"normaliseBack">
  ): void {
    if (dWeight !== NONE || dBias !== NONE) throw untraced("gradients of norms");
    const [given, slopes, before] = [x, dy, dx].map((at) => this.#read(plain(at, rows, width, width))) as [
      TraceSource,
      TraceSource,
      TraceSource,
    ];
    const weights = acrossRows(this.#read(plain(weight, 1, width, 0)));
    const [mean, factor] = [stats, stats + 1].map((at) =>
      acrossColumns(this.#read(plain(at, rows, 1, 2))),
    ) as [TraceSource, TraceSource];
    const asMean = { extra: TOTAL_AS.mean, first: bitsOf(width) };
    const plainMean = isCentred
      ? this.#total(this.#lanes(rows, width, "product", [slopes, weights]), asMean)
      : acrossColumns(this.#add("fill", rows, 1, {}));
    const along = this.#lanes(rows, width, "slope", [slopes, weights, given, mean, factor]);
    const alongMean = this.#total(along, asMean);
    const sources = [before, slopes, weights, given, mean, factor, plainMean, alongMean];
    this.#own(plain(dx, rows, width, width), this.#add("normaliseBack", rows, width, { sources }));
  }

  rotate(...[rows, heads, headSize, x, rowStride, table, sign]: Given<"rotate">): void {
    const window = plain(x, rows, heads * headSize, rowStride);
    const given = this.#read(window);
    const cosines = this.#read(plain(table, rows, headSize, headSize));
    const behind = (source: TraceSource) => ({ ...source, start: source.start + headSize / 2 });
    const sources = [given, behind(given), cosines, behind(cosines)];
    const out = this.#add("rotate", rows, heads * headSize, {
      extra: headSize,
      first: bitsOf(sign),
      sources,
    });
    this.#own(window, out);
  }

  softmax(rows: number, x: Place, rowStride: number, first: number, scale: number): void {
    if (first !== 0) throw untraced("reading on");
    const window = plain(x, rows, rows, rowStride);
    const second = CAUSAL;
    const scaled = this.#add("scale", rows, rows, {
      first: bitsOf(scale),
      second,
      sources: [this.#read(window)],
    });
    const most = this.#add("most", rows, 1, { depth: rows, second, sources: [scaled] });
    const raised = this.#add("exponential", rows, rows, { second, sources: [scaled, acrossColumns(most)] });
    const lanes = this.#lanes(rows, rows, "plain", [raised], second);
    const factor = this.#total(lanes, { extra: TOTAL_AS.inverse });
    this.#own(window, this.#add("product", rows, rows, { second, sources: [raised, factor] }));
  }

  softmaxBack(rows: number, p: Place, dp: Place, rowStride: number, first: number, scale: number): void {
    if (first !== 0) throw untraced("reading on");
    const [weights, slopes] = [p, dp].map((at) => this.#read(plain(at, rows, rows, rowStride))) as [
      TraceSource,
      TraceSource,
    ];
    const mean = this.#total(this.#lanes(rows, rows, "product", [slopes, weights], CAUSAL), {});
    const sources = [slopes, weights, mean];
    const out = this.#add("softmaxBack", rows, rows, { first: bitsOf(scale), sources });
    this.#own(plain(dp, rows, rows, rowStride), out);
  }

  gate(count: number, a: Place, b: Place, y: Place): void {
    this.#elementwise("gate", count, [a, b], y);
  }

  gateBack(count: number, a: Place, b: Place, dy: Place, da: Place, db: Place): void {
    // Both are read before one of them is written over.
    const inner = this.#elementwiseOp("gateBackInner", count, [a, dy]);
    this.#elementwise("gateBackGate", count, [a, b, dy], da);
    this.#own(plain(db, 1, count, 0), inner);
  }

  gelu(count: number, a: Place, y: Place): void {
    this.#elementwise("gelu", count, [a], y);
  }

  geluBack(count: number, a: Place, dy: Place, da: Place): void {
    this.#elementwise("geluBack", count, [a, dy], da);
  }

  add(count: number, y: Place, x: Place): void {
    this.#elementwise("sum", count, [y, x], y);
  }

  addRow(rows: number, width: number, y: Place, bias: Place): void {
    const window = plain(y, rows, width, width);
    const row = acrossRows(this.#read(plain(bias, 1, width, 0)));
    this.#own(window, this.#add("sum", rows, width, { sources: [this.#read(window), row] }));
  }

  scale(count: number, x: Place, factor: number): void {
    const window = plain(x, 1, count, 0);
    const first = bitsOf(Math.fround(factor));
    this.#own(window, this.#add("scale", 1, count, { first, sources: [this.#read(window)] }));
  }

  crossEntropy(rows: number, size: number, rowStride: number, logits: Place): void {
    const window = plain(logits, rows, size, rowStride);
    const given = this.#read(window);
    const most = this.#mostOf(rows, size, given);
    const raised = this.#add("exponential", rows, size, { sources: [given, most] });
    let sums: TraceSource | null = null;
    for (const { depth, from } of piecesOfRow(size)) {
      const before: TraceSource[] = sums === null ? [] : [sums];
      sums = this.#lanes(rows, depth, "plain", [{ ...raised, start: from }, ...before]);
    }
    const factor = this.#total(sums!, { extra: TOTAL_AS.lossFactor });
    this.#own(window, this.#add("crossEntropy", rows, size, { sources: [raised, factor] }));
  }

  sumRows(): void {
    throw untraced("gradients of biases");
  }

  adam(): void {
    throw untraced("steps of training");
  }

  #add(kind: OpKind, rows: number, columns: number, parts: Parts): TraceSource {
    const op: TraceOp = {
      ...{ kind, rows, columns, depth: 0, extra: 0, first: 0, second: 0, sources: [] },
      ...parts,
    };
    this.ops.push(op);
    this.#numbers += sizeOf(op);
    const { mostNumbers, mostOps } = this.#bound ?? {};
    if (this.#numbers > (mostNumbers ?? Infinity) || this.ops.length > (mostOps ?? Infinity))
      throw modelError(
        "MOD_TOO_LARGE",
        `a trace of ${this.#rows} tokens has more than ${mostNumbers} numbers or ${mostOps} operations`,
        { data: { tokens: this.#rows, mostNumbers, mostOps } },
      );
    return { op: this.ops.length - 1, size: sizeOf(op), start: 0, rowStride: columns, columnStride: 1 };
  }

  #own(window: Window, source: TraceSource): void {
    this.#owners.own(window, source.op, source.start, source.rowStride);
  }

  /** The window as one source: where several operations have made it, they are put together first. */
  #read(window: Window): TraceSource {
    const { at, columns, rows, rowStride } = window;
    const pieces = this.#owners.piecesOf(window);
    if (pieces === null) {
      // Row by row, all in one row.
      const all = Array.from({ length: rows }, (_, i) => {
        const own = this.#owners.piecesOf(plain(at + i * rowStride, 1, columns, 0))!;
        return this.#sourcesOf(own, i * columns);
      });
      return { ...this.#assemble(1, rows * columns, all.flat()), rowStride: columns };
    }
    const sources = this.#sourcesOf(pieces);
    if (sources.length === 1) return { ...sources[0]!, columnStride: 1 };
    return this.#assemble(rows, columns, sources);
  }

  /** Columns of all sources side by side, of very many through operations in between. */
  #assemble(rows: number, columns: number, sources: readonly TraceSource[]): TraceSource {
    if (sources.length <= MOST_PIECES) return this.#add("assemble", rows, columns, { sources });
    const groups: TraceSource[] = [];
    for (let k = 0; k < sources.length; k += MOST_PIECES) {
      const group = sources.slice(k, k + MOST_PIECES);
      const first = group[0]!.columnStride;
      const end = sources[k + MOST_PIECES]?.columnStride ?? columns;
      const own = group.map((source) => ({ ...source, columnStride: source.columnStride - first }));
      groups.push({ ...this.#add("assemble", rows, end - first, { sources: own }), columnStride: first });
    }
    return this.#assemble(rows, columns, groups);
  }

  #sourcesOf(pieces: readonly OwnedPiece[], before = 0): TraceSource[] {
    return pieces.map(({ firstColumn, op, rowStride, start }) => {
      const size = sizeOf(this.ops[op]!);
      return { op, size, start, rowStride, columnStride: before + firstColumn };
    });
  }

  /** The window's columns one after another. */
  #flip(window: Window): TraceSource {
    const source = this.#read(window);
    const key = [source.op, source.start, source.rowStride, window.rows, window.columns].join();
    const known = this.#flipped.get(key);
    if (known !== undefined) return known;
    const turned = { ...source, rowStride: 1, columnStride: source.rowStride };
    const made = this.#add("copy", window.columns, window.rows, { sources: [turned] });
    this.#flipped.set(key, made);
    return made;
  }

  #chain(
    rows: number,
    columns: number,
    depth: number,
    left: TraceSource,
    right: TraceSource,
    before: TraceSource | null,
  ): TraceSource {
    let sum = before;
    for (let from = 0; from < depth; from += LONGEST_CHAIN) {
      const behind = (source: TraceSource) => ({ ...source, start: source.start + from });
      const sources = [behind(left), behind(right), ...(sum === null ? [] : [sum])];
      sum = this.#add("chain", rows, columns, { depth: Math.min(LONGEST_CHAIN, depth - from), sources });
    }
    return sum!;
  }

  #lanes(
    rows: number,
    depth: number,
    of: keyof typeof LANES_OF,
    sources: TraceSource[],
    second = 0,
  ): TraceSource {
    return this.#add("lanes", rows, LANES, { depth, extra: LANES_OF[of], second, sources });
  }

  /** The largest number of each row: of a long one the largest of its pieces'. */
  #mostOf(rows: number, size: number, given: TraceSource): TraceSource {
    const ofPieces = piecesOfRow(size).map(({ depth, from }) => {
      const sources = [{ ...given, start: given.start + from }];
      return this.#add("most", rows, 1, { depth, sources });
    });
    if (ofPieces.length === 1) return acrossColumns(ofPieces[0]!);
    const sources = ofPieces.map((source, piece) => ({ ...source, columnStride: piece }));
    const all = this.#assemble(rows, sources.length, sources);
    return acrossColumns(this.#add("most", rows, 1, { depth: sources.length, sources: [all] }));
  }

  #total(lanes: TraceSource, parts: Parts): TraceSource {
    const { rows } = this.ops[lanes.op]!;
    return acrossColumns(this.#add("total", rows, 1, { ...parts, depth: LANES, sources: [lanes] }));
  }

  #elementwise(kind: OpKind, count: number, from: readonly Place[], to: Place): void {
    this.#own(plain(to, 1, count, 0), this.#elementwiseOp(kind, count, from));
  }

  #elementwiseOp(kind: OpKind, count: number, from: readonly Place[]): TraceSource {
    return this.#add(kind, 1, count, { sources: from.map((at) => this.#read(plain(at, 1, count, 0))) });
  }
}

function piecesOfRow(size: number): { from: number; depth: number }[] {
  const count = Math.ceil(size / LONGEST_ROW);
  return Array.from({ length: count }, (_, k) => {
    const from = k * LONGEST_ROW;
    return { from, depth: Math.min(LONGEST_ROW, size - from) };
  });
}

const plain = (at: Place, rows: number, columns: number, rowStride: number): Window => ({
  at,
  rows,
  columns,
  rowStride,
});

const untraced = (what: string) => new RangeError(`a trace has no ${what}`);
