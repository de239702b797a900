/** Of every number in an arena, which operation of a trace has made it, while a pass writes over its buffers. */
import type { Place } from "../kernels/kernels.ts";
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

export class OwnerMap {
  /** One more than the operation; 0 for nobody. Memory that no pass writes to is never touched. */
  readonly #ops: Int32Array;
  /** Of a number's place in its operation, from its place in the arena: the same along a row. */
  readonly #offsets: Int32Array;
  /** Never written over: nothing has to be remembered of their numbers. */
  readonly #fixed: { readonly at: Place; readonly count: number; readonly op: number }[] = [];

  constructor(floatCount: number) {
    this.#ops = new Int32Array(floatCount);
    this.#offsets = new Int32Array(floatCount);
  }

  fix(at: Place, count: number, op: number): void {
    this.#fixed.push({ at, count, op });
  }

  /** The window is the results of an operation from `start` on. */
  own({ at, columns, rows, rowStride }: Window, op: number, start = 0, opStride = columns): void {
    const isWhole = rowStride === columns && opStride === columns;
    const [rowCount, length] = isWhole ? [1, rows * columns] : [rows, columns];
    for (let i = 0; i < rowCount; i++) {
      const from = at + i * rowStride;
      this.#ops.fill(op + 1, from, from + length);
      this.#offsets.fill(start + i * opStride - from, from, from + length);
    }
  }

  copy(count: number, to: Place, from: Place): void {
    this.#ops.copyWithin(to, from, from + count);
    this.#offsets.copyWithin(to, from, from + count);
    for (let k = 0; k < count; k++) this.#offsets[to + k]! += from - to;
  }

  /** Who has made the window; null where rows differ in that. @throws RangeError where nobody has */
  piecesOf({ at, columns, rows, rowStride }: Window): OwnedPiece[] | null {
    const fixed = this.#fixed.find((input) => at >= input.at && at < input.at + input.count);
    if (fixed !== undefined)
      return [{ op: fixed.op, firstColumn: 0, columns, start: at - fixed.at, rowStride }];
    const pieces: OwnedPiece[] = [];
    for (let j = 0; j < columns; ) {
      const op = this.#ops[at + j]!;
      if (op === 0) throw new RangeError(`nobody has made the number at ${at + j}`);
      const length = this.#lengthOf(at + j, columns - j, op, this.#offsets[at + j]!);
      const start = this.#placeOf(at + j);
      const apart = rows > 1 ? this.#placeOf(at + rowStride + j) - start : 0;
      for (let i = 1; i < rows; i++) {
        const from = at + i * rowStride + j;
        if (this.#lengthOf(from, length, op, start + i * apart - from) < length) return null;
      }
      pieces.push({ op: op - 1, firstColumn: j, columns: length, start, rowStride: apart });
      j += length;
    }
    return pieces;
  }

  #placeOf(at: Place): number {
    return at + this.#offsets[at]!;
  }

  /** Neighbours, up to `most`, that follow each other in the results of an operation. */
  #lengthOf(at: Place, most: number, op: number, offset: number): number {
    let length = 0;
    while (length < most && this.#ops[at + length] === op && this.#offsets[at + length] === offset) length++;
    return length;
  }
}

/** One number for all columns of a row. */
export const acrossColumns = (source: TraceSource): TraceSource => ({ ...source, columnStride: 0 });
/** One row for all rows. */
export const acrossRows = (source: TraceSource): TraceSource => ({ ...source, rowStride: 0 });
