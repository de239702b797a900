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
  readonly #places: Int32Array;
  /** Never written over: nothing has to be remembered of their numbers. */
  readonly #fixed: { readonly at: Place; readonly count: number; readonly op: number }[] = [];

  constructor(floatCount: number) {
    this.#ops = new Int32Array(floatCount);
    this.#places = new Int32Array(floatCount);
  }

  fix(at: Place, count: number, op: number): void {
    this.#fixed.push({ at, count, op });
  }

  /** The window is the results of an operation from `start` on. */
  own({ at, columns, rows, rowStride }: Window, op: number, start = 0, opStride = columns): void {
    for (let i = 0; i < rows; i++) {
      const from = at + i * rowStride;
      this.#ops.fill(op + 1, from, from + columns);
      for (let j = 0; j < columns; j++) this.#places[from + j] = start + i * opStride + j;
    }
  }

  copy(count: number, to: Place, from: Place): void {
    this.#ops.copyWithin(to, from, from + count);
    this.#places.copyWithin(to, from, from + count);
  }

  /** Who has made the window; null where rows differ in that. @throws RangeError where nobody has */
  piecesOf({ at, columns, rows, rowStride }: Window): OwnedPiece[] | null {
    const fixed = this.#fixed.find((input) => at >= input.at && at < input.at + input.count);
    if (fixed !== undefined)
      return [{ op: fixed.op, firstColumn: 0, columns, start: at - fixed.at, rowStride }];
    const pieces: OwnedPiece[] = [];
    for (let j = 0; j < columns; ) {
      const [op, start] = [this.#ops[at + j]!, this.#places[at + j]!];
      if (op === 0) throw new RangeError(`nobody has made the number at ${at + j}`);
      let end = j + 1;
      while (end < columns && this.#ops[at + end] === op && this.#places[at + end] === start + end - j) end++;
      const apart = rows > 1 ? this.#places[at + rowStride + j]! - start : 0;
      for (let i = 1; i < rows; i++)
        for (let k = j; k < end; k++)
          if (
            this.#ops[at + i * rowStride + k] !== op ||
            this.#places[at + i * rowStride + k] !== start + i * apart + k - j
          )
            return null;
      pieces.push({ op: op - 1, firstColumn: j, columns: end - j, start, rowStride: apart });
      j = end;
    }
    return pieces;
  }
}

/** One number for all columns of a row. */
export const acrossColumns = (source: TraceSource): TraceSource => ({ ...source, columnStride: 0 });
/** One row for all rows. */
export const acrossRows = (source: TraceSource): TraceSource => ({ ...source, rowStride: 0 });
