import type { StoredCommit, StoredPiece } from "./host-store.ts";

/** A run of rows that are not here yet: `count` of them from `from` on. */
interface MissingRun {
  readonly from: number;
  readonly count: number;
}

/** A commit of which the host has the list, and the pieces of it that have come. */
export class HostedCommit {
  readonly facts: StoredCommit;
  readonly #hasRow: Uint8Array;
  #pieces: StoredPiece[] = [];
  #receivedCount = 0;

  constructor(facts: StoredCommit) {
    this.facts = facts;
    this.#hasRow = new Uint8Array(facts.rowCount);
  }

  get receivedCount(): number {
    return this.#receivedCount;
  }

  get isComplete(): boolean {
    return this.#receivedCount === this.facts.rowCount;
  }

  has(index: number): boolean {
    return this.#hasRow[index] === 1;
  }

  /** A piece of rows none of which was here. */
  add(piece: StoredPiece): void {
    this.#hasRow.fill(1, piece.from, piece.from + piece.lengths.length);
    this.#receivedCount += piece.lengths.length;
    const last = this.#pieces.at(-1);
    this.#pieces.push(piece);
    if (last !== undefined && last.from > piece.from) this.#pieces.sort((a, b) => a.from - b.from);
  }

  /** Returns the runs of missing rows, at most `max` of them. */
  missing(max: number): MissingRun[] {
    const runs: MissingRun[] = [];
    for (let at = this.#hasRow.indexOf(0); at >= 0 && runs.length < max; ) {
      const end = this.#hasRow.indexOf(1, at);
      const stop = end < 0 ? this.facts.rowCount : end;
      runs.push({ from: at, count: stop - at });
      at = this.#hasRow.indexOf(0, stop);
    }
    return runs;
  }

  /** Returns the piece that has a row; undefined if it has not come. */
  pieceOf(index: number): StoredPiece | undefined {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const piece = this.#pieces[middle]!;
      if (piece.from + piece.lengths.length <= index) low = middle + 1;
      else high = middle;
    }
    const found = this.#pieces[low];
    return found !== undefined && found.from <= index ? found : undefined;
  }
}
