import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { expect, test } from "vitest";
import { type OwnedPiece, OwnerMap, type Window } from "./owner-map.ts";

const FLOATS = 300;
const random = new SeededRandom("owners");
const below = (count: number) => random.nextBelow(count);

/** Number by number. */
class PlainMap {
  readonly #owners: ({ readonly op: number; readonly place: number } | null)[] = Array(FLOATS).fill(null);

  own({ at, columns, rows, rowStride }: Window, op: number, start: number, opStride: number): void {
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++)
        this.#owners[at + i * rowStride + j] = { op, place: start + i * opStride + j };
  }

  copy(count: number, to: number, from: number): void {
    this.#owners.copyWithin(to, from, from + count);
  }

  piecesOf({ at, columns, rows, rowStride }: Window): OwnedPiece[] | null {
    const pieces: OwnedPiece[] = [];
    for (let j = 0; j < columns; j++) {
      const first = this.#owners[at + j];
      if (!first) throw new RangeError(`nobody has made the number at ${at + j}`);
      const column = Array.from({ length: rows }, (_, i) => this.#owners[at + i * rowStride + j]);
      const apart = rows > 1 ? (column[1]?.place ?? 0) - first.place : 0;
      if (column.some((one, i) => one?.op !== first.op || one.place !== first.place + i * apart)) return null;
      const last = pieces.at(-1);
      if (last && last.op === first.op && last.start + last.columns === first.place) {
        if (last.rowStride !== apart) return null;
        pieces[pieces.length - 1] = { ...last, columns: last.columns + 1 };
      } else pieces.push({ op: first.op, firstColumn: j, columns: 1, start: first.place, rowStride: apart });
    }
    return pieces;
  }
}

/** Often of whole blocks of sixteen, as a model's rows are. */
function randomWindow(): Window {
  const unit = below(2) === 0 ? 16 : 1;
  const [rows, columns] = [1 + below(4), unit * (1 + below(unit === 16 ? 4 : 40))];
  const rowStride = columns + unit * below(3);
  const room = FLOATS - (rows - 1) * rowStride - columns;
  return room < 0
    ? randomWindow()
    : { at: unit * below(Math.floor(room / unit) + 1), rows, columns, rowStride };
}

const outcome = (find: () => OwnedPiece[] | null) => {
  try {
    return find();
  } catch (error) {
    return (error as Error).message;
  }
};

test("owners are those of a map number by number, whatever is written over, copied and read", () => {
  const seen = { pieces: 0, several: 0, mixed: 0, nobody: 0 };
  for (let round = 0; round < 150; round++) {
    const [map, plain] = [new OwnerMap(FLOATS), new PlainMap()];
    for (let op = 0; op < 40; op++) {
      const window = randomWindow();
      // Now and then a part of wider results, and one that goes on where another ends.
      const [start, opStride] = [below(3) * 16, window.columns + below(2) * 16];
      for (const one of [map, plain]) one.own(window, op >> 1, start, opStride);
      const count = 1 + below(80);
      const [to, from] = [below(FLOATS - count), below(FLOATS - count)];
      if (below(3) === 0) for (const one of [map, plain]) one.copy(count, to, from);
      for (let read = 0; read < 8; read++) {
        const asked = read === 0 ? window : randomWindow();
        const [found, expected] = [map, plain].map((one) => outcome(() => one.piecesOf(asked)));
        expect(found).toEqual(expected);
        if (found === null) seen.mixed++;
        else if (typeof found === "string") seen.nobody++;
        else if (found!.length > 1) seen.several++;
        else seen.pieces++;
      }
    }
  }
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(100);
});

test("inputs are owned from end to end, beside what is written", () => {
  const map = new OwnerMap(FLOATS);
  map.fix(32, 64, 3);
  map.own({ at: 96, rows: 1, columns: 16, rowStride: 0 }, 4);
  const window = { at: 40, rows: 3, columns: 8, rowStride: 16 };
  expect(map.piecesOf(window)).toEqual([{ op: 3, firstColumn: 0, columns: 8, start: 8, rowStride: 16 }]);
  expect(map.piecesOf({ at: 96, rows: 1, columns: 16, rowStride: 0 })).toEqual([
    { op: 4, firstColumn: 0, columns: 16, start: 0, rowStride: 0 },
  ]);
});

test("owners behind 2^31 numbers are those in front of them", () => {
  const at = 2 ** 31 + 64;
  const map = new OwnerMap(at + 128);
  const [low, high] = [
    { at: 2 ** 31 - 16, rows: 1, columns: 32, rowStride: 0 },
    { at, rows: 2, columns: 24, rowStride: 32 },
  ];
  map.own(low, 5);
  map.own(high, 6, 100, 40);
  map.copy(24, at + 96, at + 32);
  expect(map.piecesOf(low)).toEqual([{ op: 5, firstColumn: 0, columns: 32, start: 0, rowStride: 0 }]);
  expect(map.piecesOf(high)).toEqual([{ op: 6, firstColumn: 0, columns: 24, start: 100, rowStride: 40 }]);
  const copied = { at: at + 96, rows: 1, columns: 24, rowStride: 0 };
  expect(map.piecesOf(copied)).toEqual([{ op: 6, firstColumn: 0, columns: 24, start: 140, rowStride: 0 }]);
});
