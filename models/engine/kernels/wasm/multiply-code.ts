/**
 * WebAssembly kernel of products of matrices of 32-bit floats: the twin of `multiply` in ../native/src/lane-kernels.h, put into
 * the module by wasm-kernels.ts. Addresses and strides are in bytes.
 */
import {
  type Code,
  i32,
  type Local,
  scratchAddress,
  select,
  v128,
  type WasmFunction,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import { f32, f32x4, hold, range } from "./float-code.ts";

/** Rows and columns of C whose sums are held in registers, of four floats each. */
const TILE_ROWS = 6;
const TILE_COLUMNS = 8;
/** Depth and rows of a packed block: it stays in the cache while it is used. */
const DEPTH = 384;
const BLOCK_ROWS = 240;
const FLOAT = 4;
const ROW_BYTES = TILE_COLUMNS * FLOAT;

/** Byte offsets in the scratch memory: a packed block of A lies before. */
const PACKED_B = BLOCK_ROWS * DEPTH * FLOAT;
const EDGE = PACKED_B + DEPTH * ROW_BYTES;
/** Bytes of scratch memory that each instance needs. */
export const multiplyScratchBytes = EDGE + TILE_ROWS * ROW_BYTES;

const min = (a: Code, b: Code): Code => select(a, b, i32.ltS(a, b));
const times = (a: Code, b: number): Code => i32.mul(a, i32.const(b));

/** Steps that a turn of a tile's loop takes: turning costs as much as a fourth of one. */
const UNROLLED = 4;

/** tile(depth, a, b, strideB, c, strideC, isFirst): `rows` rows by TILE_COLUMNS columns of C. */
function addTile(builder: WasmModuleBuilder, rows: number): WasmFunction {
  const types = Array<"i32">(7).fill("i32");
  return builder.function(`tile${rows}`, types, null, (f) => {
    const [depth, a, b, strideB, c, strideC, isFirst] = [0, 1, 2, 3, 4, 5, 6].map((i) => f.param(i)) as [
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    const sums = Array.from({ length: rows }, () => f.locals("v128", 2));
    const right = f.locals("v128", 2);
    const left = f.local("v128");
    const rowAt = (i: number) => i32.add(c.get, i32.mul(strideC.get, i32.const(i)));
    const step = (aOffset: number, bOffset: number) => {
      for (const [j, half] of right.entries()) f.set(half, v128.load(b.get, bOffset + 16 * j));
      for (const [i, pair] of sums.entries()) {
        f.set(left, f32x4.loadSplat(a.get, aOffset + FLOAT * i));
        for (const [j, sum] of pair.entries()) f.set(sum, f32x4.madd(left.get, right[j]!.get, sum.get));
      }
    };
    const move = (steps: number, bytesB: Code) => {
      f.set(a, i32.add(a.get, i32.const(steps * FLOAT * TILE_ROWS)));
      f.set(b, i32.add(b.get, bytesB));
      f.set(depth, i32.sub(depth.get, i32.const(steps)));
    };
    // Locals begin as 0.
    f.if(i32.eqz(isFirst.get), () => {
      for (const [i, pair] of sums.entries())
        for (const [j, sum] of pair.entries()) f.set(sum, v128.load(rowAt(i), 16 * j));
    });
    f.if(i32.eq(strideB.get, i32.const(ROW_BYTES)), () =>
      f.while(i32.geU(depth.get, i32.const(UNROLLED)), () => {
        for (let k = 0; k < UNROLLED; k++) step(k * FLOAT * TILE_ROWS, k * ROW_BYTES);
        move(UNROLLED, i32.const(UNROLLED * ROW_BYTES));
      }),
    );
    f.while(depth.get, () => {
      step(0, 0);
      move(1, strideB.get);
    });
    for (const [i, pair] of sums.entries())
      for (const [j, sum] of pair.entries()) f.emit(v128.store(rowAt(i), sum.get, 16 * j));
  });
}

/** multiply(rows, columns, depth, a, rowA, columnA, b, rowB, columnB, c, rowC, accumulate) */
export function addMultiply(builder: WasmModuleBuilder): void {
  const tiles = Array.from({ length: TILE_ROWS }, (_, i) => addTile(builder, i + 1));
  builder.function("multiply", Array<"i32">(12).fill("i32"), null, (f) => {
    const [rows, columns, depth, a, rowA, columnA, b, rowB, columnB, c, rowC, accumulate] = f.params.map(
      ({ get }) => get,
    ) as [Code, Code, Code, Code, Code, Code, Code, Code, Code, Code, Code, Code];
    const one = i32.const(1);
    const zero = i32.const(0);
    const packedA = scratchAddress;
    const packedB = i32.add(scratchAddress, i32.const(PACKED_B));
    const edge = i32.add(scratchAddress, i32.const(EDGE));
    const right = f.local("i32");
    const strideB = f.local("i32");
    const out = f.local("i32");
    const strideC = f.local("i32");
    range(f, zero, depth, i32.const(DEPTH), (k0) => {
      const steps = hold(f, "i32", min(i32.sub(depth, k0), i32.const(DEPTH)));
      const isFirst = hold(f, "i32", i32.and(i32.eqz(accumulate), i32.eqz(k0)));
      range(f, zero, rows, i32.const(BLOCK_ROWS), (m0) => {
        const block = hold(f, "i32", min(i32.sub(rows, m0), i32.const(BLOCK_ROWS)));
        packA(f, { block, steps, packedA, rowA, columnA, a, m0, k0 });
        range(f, zero, columns, i32.const(TILE_COLUMNS), (n) => {
          const width = hold(f, "i32", min(i32.sub(columns, n), i32.const(TILE_COLUMNS)));
          const from = hold(f, "i32", i32.add(b, i32.add(i32.mul(k0, rowB), i32.mul(n, columnB))));
          const isWhole = hold(f, "i32", i32.eq(width, i32.const(TILE_COLUMNS)));
          const isPlain = hold(f, "i32", i32.and(i32.eq(columnB, i32.const(FLOAT)), isWhole));
          f.set(right, from);
          f.set(strideB, rowB);
          // A few rows do not repay the packing, where B is right already.
          f.if(i32.or(i32.eqz(isPlain), i32.gtU(block, i32.const(TILE_ROWS))), () => {
            f.set(right, packedB);
            f.set(strideB, i32.const(ROW_BYTES));
            f.if(
              isPlain,
              () =>
                range(f, zero, steps, one, (k) => {
                  const source = hold(f, "i32", i32.add(from, i32.mul(k, rowB)));
                  const to = hold(f, "i32", i32.add(packedB, times(k, ROW_BYTES)));
                  for (const at of [0, 16]) f.emit(v128.store(to, v128.load(source, at), at));
                }),
              () => {
                const isFlipped = i32.and(i32.eq(rowB, i32.const(FLOAT)), isWhole);
                const quads = hold(f, "i32", select(i32.and(steps, i32.const(-4)), zero, isFlipped));
                packFlipped(f, { quads, packedB, from, columnB });
                packColumns(f, { first: quads, steps, width, packedB, from, rowB, columnB });
              },
            );
          });
          range(f, zero, block, i32.const(TILE_ROWS), (m) => {
            const held = hold(f, "i32", min(i32.sub(block, m), i32.const(TILE_ROWS)));
            const place = hold(f, "i32", i32.add(c, i32.add(i32.mul(i32.add(m0, m), rowC), times(n, FLOAT))));
            f.set(out, select(place, edge, isWhole));
            f.set(strideC, select(rowC, i32.const(ROW_BYTES), isWhole));
            const copyEdge = (isBack: boolean) =>
              range(f, zero, held, one, (i) =>
                range(f, zero, width, one, (j) => {
                  const inside = i32.add(edge, i32.add(times(i, ROW_BYTES), times(j, FLOAT)));
                  const outside = i32.add(place, i32.add(i32.mul(i, rowC), times(j, FLOAT)));
                  f.emit(
                    isBack ? f32.store(outside, f32.load(inside)) : f32.store(inside, f32.load(outside)),
                  );
                }),
              );
            f.if(i32.eqz(i32.or(isWhole, isFirst)), () => copyEdge(false));
            const left = i32.add(packedA, i32.mul(times(m, FLOAT), steps));
            for (const [i, tile] of tiles.entries())
              f.if(i32.eq(held, i32.const(i + 1)), () =>
                f.emit(tile.call(steps, left, right.get, strideB.get, out.get, strideC.get, isFirst)),
              );
            f.if(i32.eqz(isWhole), () => copyEdge(true));
          });
        });
      });
    });
  });
}

type Names<Name extends string> = Record<Name, Code>;

/** Tiles of rows, and in each the numbers of one step together. */
function packA(
  f: WasmFunction,
  names: Names<"block" | "steps" | "packedA" | "rowA" | "columnA" | "a" | "m0" | "k0">,
): void {
  const { a, block, columnA, k0, m0, packedA, rowA, steps } = names;
  const one = i32.const(1);
  range(f, i32.const(0), block, i32.const(TILE_ROWS), (m) => {
    const held = hold(f, "i32", min(i32.sub(block, m), i32.const(TILE_ROWS)));
    range(f, i32.const(0), held, one, (i) => {
      const row = i32.add(i32.add(m0, m), i);
      const from = f.local("i32");
      const to = f.local("i32");
      f.set(from, i32.add(a, i32.add(i32.mul(row, rowA), i32.mul(k0, columnA))));
      f.set(to, i32.add(packedA, i32.add(i32.mul(times(m, FLOAT), steps), times(i, FLOAT))));
      range(f, i32.const(0), steps, one, () => {
        f.emit(f32.store(to.get, f32.load(from.get)));
        f.set(from, i32.add(from.get, columnA));
        f.set(to, i32.add(to.get, i32.const(FLOAT * TILE_ROWS)));
      });
    });
  });
}

/** Four numbers of each of four registers, the other way round. */
function flipFour(f: WasmFunction, rows: readonly [Code, Code, Code, Code]): Code[] {
  const lanes = (a: Code, b: Code, picked: readonly number[]) =>
    v128.shuffle(
      a,
      b,
      picked.flatMap((lane) => [0, 1, 2, 3].map((byte) => FLOAT * lane + byte)),
    );
  const [a, b, c, d] = rows;
  const pair = (x: Code, y: Code, picked: readonly number[]) => hold(f, "v128", lanes(x, y, picked));
  const [low, high] = [
    [0, 4, 1, 5],
    [2, 6, 3, 7],
  ] as const;
  const [ab, cd, ef, gh] = [pair(a, b, low), pair(c, d, low), pair(a, b, high), pair(c, d, high)];
  const [front, back] = [
    [0, 1, 4, 5],
    [2, 3, 6, 7],
  ] as const;
  return [lanes(ab, cd, front), lanes(ab, cd, back), lanes(ef, gh, front), lanes(ef, gh, back)];
}

/** One panel of a B whose columns are whole rows in memory: four steps of four columns at a time. */
function packFlipped(f: WasmFunction, names: Names<"quads" | "packedB" | "from" | "columnB">): void {
  const { columnB, from, packedB, quads } = names;
  range(f, i32.const(0), quads, i32.const(4), (k) => {
    const to = hold(f, "i32", i32.add(packedB, times(k, ROW_BYTES)));
    for (let j = 0; j < TILE_COLUMNS; j += 4) {
      const rows = [0, 1, 2, 3].map((i) => {
        const column = i32.add(from, i32.mul(columnB, i32.const(j + i)));
        return hold(f, "v128", v128.load(i32.add(column, times(k, FLOAT))));
      }) as [Code, Code, Code, Code];
      for (const [i, row] of flipFour(f, rows).entries())
        f.emit(v128.store(to, row, i * ROW_BYTES + FLOAT * j));
    }
  });
}

/** One panel of B from step `first` on, column by column; columns that are not there are 0. */
function packColumns(
  f: WasmFunction,
  names: Names<"first" | "steps" | "width" | "packedB" | "from" | "rowB" | "columnB">,
): void {
  const { columnB, first, from, packedB, rowB, steps, width } = names;
  const one = i32.const(1);
  range(f, i32.const(0), i32.const(TILE_COLUMNS), one, (j) => {
    const source = f.local("i32");
    const to = f.local("i32");
    f.set(source, i32.add(i32.add(from, i32.mul(j, columnB)), i32.mul(first, rowB)));
    f.set(to, i32.add(i32.add(packedB, times(j, FLOAT)), times(first, ROW_BYTES)));
    const isThere = hold(f, "i32", i32.ltS(j, width));
    range(f, first, steps, one, () => {
      f.if(
        isThere,
        () => f.emit(f32.store(to.get, f32.load(source.get))),
        () => f.emit(f32.store(to.get, f32.const(0))),
      );
      f.set(source, i32.add(source.get, rowB));
      f.set(to, i32.add(to.get, i32.const(ROW_BYTES)));
    });
  });
}
