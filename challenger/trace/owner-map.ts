/** Of every number in an arena, which operation of a trace has made it, while a pass writes over its buffers. */
import type { Place } from "@openledger/models/kernels/kernels";
import type { TraceSource } from "./trace-op.ts";

/** A window of the arena: rows × columns numbers, rows so far apart. */
export interface Window {
  readonly at: Place;
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
}

/** Neighbouring columns of a window that one operation has made. */
export interface OwnedPiece {
  readonly op: number;
  readonly firstColumn: number;
  readonly columns: number;
  readonly start: number;
  readonly rowStride: number;
}

/** Operations count from 1 here: memory that nobody has touched costs nothing. */
const NOBODY = 0;
/** Of a block whose numbers have owners of their own. */
const SEVERAL = -1;
const BLOCK = 16;

/** Numbers that one operation has made one after another: number k is its result k + `ahead`, modulo 2^32: both are below it. */
interface Run {
  readonly at: Place;
  readonly end: Place;
  readonly op: number;
  readonly ahead: number;
}

const placeOf = (at: Place, ahead: number): number => (at + ahead) >>> 0;

/** By blocks where one run has all of a block, by numbers elsewhere: most of a pass is in rows of whole blocks. */
export class OwnerMap {
  readonly #blockOps: Int32Array;
  readonly #blockAhead: Int32Array;
  readonly #ops: Int32Array;
  readonly #ahead: Int32Array;
  /** Never written over: nothing has to be remembered of their numbers. */
  readonly #fixed: { readonly at: Place; readonly count: number; readonly op: number }[] = [];

  constructor(floatCount: number) {
    const blockCount = Math.ceil(floatCount / BLOCK);
    this.#blockOps = new Int32Array(blockCount);
    this.#blockAhead = new Int32Array(blockCount);
    this.#ops = new Int32Array(BLOCK * blockCount);
    this.#ahead = new Int32Array(BLOCK * blockCount);
  }

  fix(at: Place, count: number, op: number): void {
    this.#fixed.push({ at, count, op });
  }

  /** The window is the results of an operation from `start` on. */
  own({ at, columns, rows, rowStride }: Window, op: number, start = 0, opStride = columns): void {
    for (let i = 0; i < rows; i++) {
      const from = at + i * rowStride;
      this.#write({ at: from, end: from + columns, op: op + 1, ahead: start + i * opStride - from });
    }
  }

  copy(count: number, to: Place, from: Place): void {
    const runs: Run[] = [];
    for (let at = from; at < from + count; at = runs.at(-1)!.end) runs.push(this.#runAt(at, from + count));
    const by = to - from;
    for (const { ahead, at, end, op } of runs)
      this.#write({ at: at + by, end: end + by, op, ahead: ahead - by });
  }

  /** Who has made the window; null where rows differ in that. @throws RangeError where nobody has */
  piecesOf({ at, columns, rows, rowStride }: Window): OwnedPiece[] | null {
    const fixed = this.#fixed.find((input) => at >= input.at && at < input.at + input.count);
    if (fixed !== undefined)
      return [{ op: fixed.op, firstColumn: 0, columns, start: at - fixed.at, rowStride }];
    const pieces: OwnedPiece[] = [];
    for (let from = at; from < at + columns; ) {
      const { ahead, end, op } = this.#runAt(from, at + columns);
      if (op === NOBODY) throw new RangeError(`nobody has made the number at ${from}`);
      const start = placeOf(from, ahead);
      const below = rows > 1 ? this.#runAt(from + rowStride, from + rowStride + 1) : null;
      const apart = below === null ? 0 : placeOf(below.at, below.ahead) - start;
      for (let i = 1; i < rows; i++) {
        const by = i * rowStride;
        const run = this.#runAt(from + by, end + by);
        if (run.op !== op || run.end !== end + by || placeOf(run.at, run.ahead) !== start + i * apart)
          return null;
      }
      pieces.push({ op: op - 1, firstColumn: from - at, columns: end - from, start, rowStride: apart });
      from = end;
    }
    return pieces;
  }

  #write({ ahead, at, end, op }: Run): void {
    for (let k = at; k < end; ) {
      const block = Math.floor(k / BLOCK);
      const next = BLOCK * (block + 1);
      if (k === next - BLOCK && next <= end) {
        this.#blockOps[block] = op;
        this.#blockAhead[block] = ahead;
      } else {
        this.#splitBlock(block);
        this.#ops.fill(op, k, Math.min(next, end));
        this.#ahead.fill(ahead, k, Math.min(next, end));
      }
      k = next;
    }
  }

  #splitBlock(block: number): void {
    const op = this.#blockOps[block]!;
    if (op === SEVERAL) return;
    const from = BLOCK * block;
    this.#ops.fill(op, from, from + BLOCK);
    this.#ahead.fill(this.#blockAhead[block]!, from, from + BLOCK);
    this.#blockOps[block] = SEVERAL;
  }

  /** From a number on as far as its run goes, or `limit`. */
  #runAt(at: Place, limit: Place): Run {
    const first = Math.floor(at / BLOCK);
    const isSplit = this.#blockOps[first] === SEVERAL;
    const op = isSplit ? this.#ops[at]! : this.#blockOps[first]!;
    const ahead = isSplit ? this.#ahead[at]! : this.#blockAhead[first]!;
    let end = at;
    while (end < limit) {
      const block = Math.floor(end / BLOCK);
      const next = BLOCK * (block + 1);
      if (this.#blockOps[block] === SEVERAL) {
        while (end < next && this.#ops[end] === op && this.#ahead[end] === ahead) end++;
        if (end < next) break;
      } else if (this.#blockOps[block] === op && this.#blockAhead[block] === ahead) end = next;
      else break;
    }
    return { at, end: Math.min(end, limit), op, ahead };
  }
}

/** One number for all columns of a row. */
export const acrossColumns = (source: TraceSource): TraceSource => ({ ...source, columnStride: 0 });
/** One row for all rows. */
export const acrossRows = (source: TraceSource): TraceSource => ({ ...source, rowStride: 0 });
