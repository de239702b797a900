/**
 * WebAssembly kernels of products of integers in pairs: twins of those in ../native/src/pair-kernels.h, put into the module by
 * wasm-kernels.ts. Strides are in bytes.
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
import { f32, f32x4, hold, i16x8, i32x4, range } from "./float-code.ts";
import { type Codes, codesOf, halves } from "./serving-code.ts";

/** Rows of a call at most. */
export const PAIR_ROWS = 128;
/** Panels of sixteen outputs, or steps, whose products are a sum. */
const PANELS = 8;
/** Bytes of 128 floats, of as many integers as pairs, and of a pair of steps of 32 columns. */
const [FLOATS_BYTES, ROW_BYTES, PAIR_BYTES] = [512, 256, 128];
const [BACK_UNITS, ROUND_UNITS] = [32_767, 4_095];
const SMALLEST = 1e-30;
const TILE_ROWS = 4;

/** Byte offsets in the scratch memory: both sides of a product as pairs, with their units. */
const UNITS = PAIR_ROWS * ROW_BYTES;
const RIGHT = UNITS + 4 * PAIR_ROWS;
const RIGHT_UNITS = RIGHT + 64 * PAIR_BYTES;
/** Slopes as parts of their row's largest, and scales; or columns of floats, and columns as rows. */
const PARTS = RIGHT_UNITS + PAIR_BYTES;
const SCALES = PARTS + PAIR_ROWS * FLOATS_BYTES;
const COLUMNS = PARTS;
const FLIPPED = COLUMNS + 128 * PAIR_BYTES;
const TAIL = FLIPPED + 32 * ROW_BYTES;

const zero = i32.const(0);
const one = i32.const(1);
const sixteen = i32.const(16);
const times = (a: Code, b: number): Code => i32.mul(a, i32.const(b));
const scratch = (offset: number): Code => i32.add(scratchAddress, i32.const(offset));
const min = (a: Code, b: number): Code => select(a, i32.const(b), i32.ltS(a, i32.const(b)));

export function addPairs(builder: WasmModuleBuilder): void {
  const rowsOfTiles = addRows(builder);
  addBack(builder, rowsOfTiles);
  addRounded(builder, rowsOfTiles);
}

function addBack(builder: WasmModuleBuilder, tiles: WasmFunction): void {
  /** multiplyBack(rows, panels, inputs, dy, strideDy, weights, dx, accumulate) */
  builder.function("multiplyBack", Array<"i32">(8).fill("i32"), null, (f) => {
    const [rows, panels, inputs, dy, strideDy, weights, dx, accumulate] = codesOf(f) as Codes<8>;
    const blocks = hold(f, "i32", i32.shrU(i32.add(inputs, i32.const(31)), i32.const(5)));
    const scalesAt = hold(f, "i32", i32.add(weights, times(i32.mul(panels, blocks), 512)));
    const strideDx = hold(f, "i32", times(inputs, 4));
    range(f, zero, panels, i32.const(PANELS), (panel) => {
      const held = hold(f, "i32", min(i32.sub(panels, panel), PANELS));
      const heldBytes = hold(f, "i32", times(held, 64));
      const isOdd = hold(f, "i32", i32.and(held, one));
      const pairs = hold(f, "i32", times(i32.add(held, isOdd), 8));
      takeParts(f, rows, i32.add(dy, times(panel, 64)), strideDy, heldBytes, isOdd);
      range(f, zero, blocks, one, (block) => {
        const at = hold(f, "i32", i32.add(i32.mul(panel, blocks), block));
        const size = takeScales(f, i32.add(scalesAt, times(at, 32)), times(blocks, 32), held, isOdd);
        const unit = hold(f, "f32", f32.div(size, f32.const(BACK_UNITS)));
        for (let i = 0; i < PAIR_BYTES; i += 16)
          f.emit(v128.store(scratch(RIGHT_UNITS), f32x4.splat(unit), i));
        pairWeights(f, i32.add(weights, times(at, 512)), times(blocks, 512), held);
        const to = hold(f, "i32", i32.add(dx, times(block, 128)));
        const width = hold(f, "i32", min(i32.sub(inputs, times(block, 32)), 32));
        const isFirst = hold(f, "i32", i32.eqz(i32.or(accumulate, panel)));
        range(f, zero, rows, i32.const(TILE_ROWS), (row) => {
          const count = hold(f, "i32", min(i32.sub(rows, row), TILE_ROWS));
          range(f, zero, count, one, (i) => {
            const from = i32.add(scratch(PARTS), times(i32.add(row, i), FLOATS_BYTES));
            roundPairs(f, from, times(pairs, 4), i32.add(scratchAddress, times(i, ROW_BYTES)), (at) =>
              v128.load(i32.add(scratch(SCALES), at)),
            );
          });
          const units = i32.add(scratch(UNITS), times(row, 4));
          const own = i32.add(to, i32.mul(row, strideDx));
          f.emit(tiles.call(count, units, pairs, own, strideDx, width, isFirst));
        });
      });
    });
  });
}

/**
 * multiplyRounded(rows, columns, depth, a, strideA, b, strideB, columnB, c, strideC, accumulate): strides in bytes; rows are
 * PAIR_ROWS at most.
 */
function addRounded(builder: WasmModuleBuilder, tiles: WasmFunction): void {
  const roundRow = addRoundRow(builder);
  const roundFlipped = addRoundFlipped(builder, roundRow);
  const roundColumns = addRoundColumns(builder);
  builder.function("multiplyRounded", Array<"i32">(11).fill("i32"), null, (f) => {
    const [rows, columns, depth, a, strideA, b, strideB, columnB, c, strideC, accumulate] = codesOf(
      f,
    ) as Codes<11>;
    range(f, zero, depth, i32.const(16 * PANELS), (k) => {
      const steps = hold(f, "i32", min(i32.sub(depth, k), 16 * PANELS));
      const pairs = hold(f, "i32", times(i32.shrU(i32.add(steps, i32.const(31)), i32.const(5)), 16));
      const isFirst = hold(f, "i32", i32.eqz(i32.or(accumulate, k)));
      range(f, zero, rows, one, (i) => {
        const from = i32.add(i32.add(a, i32.mul(i, strideA)), times(k, 4));
        const unit = roundRow.call(from, steps, i32.add(scratchAddress, times(i, ROW_BYTES)));
        f.emit(f32.store(i32.add(scratch(UNITS), times(i, 4)), unit));
      });
      range(f, zero, columns, i32.const(32), (n) => {
        const width = hold(f, "i32", min(i32.sub(columns, n), 32));
        const from = hold(f, "i32", i32.add(b, i32.add(i32.mul(k, strideB), i32.mul(n, columnB))));
        f.if(
          i32.eq(columnB, i32.const(4)),
          () => f.emit(roundColumns.call(from, steps, width, strideB)),
          () => f.emit(roundFlipped.call(from, steps, width, columnB)),
        );
        const held = i32.and(i32.add(width, i32.const(15)), i32.const(48));
        const to = i32.add(c, times(n, 4));
        f.emit(tiles.call(rows, scratch(UNITS), pairs, to, strideC, held, isFirst));
      });
    });
  });
}

/** roundRow(from, steps, to): up to 128 numbers as integers up to ROUND_UNITS in size. @returns the row's unit */
function addRoundRow(builder: WasmModuleBuilder): WasmFunction {
  return builder.function("roundRow", Array<"i32">(3).fill("i32"), "f32", (f) => {
    const [from, steps, to] = f.params as [Local, Local, Local];
    const end = hold(f, "i32", i32.and(i32.add(steps.get, i32.const(31)), i32.const(-32)));
    f.if(i32.ltS(steps.get, end), () => {
      range(f, zero, times(end, 4), sixteen, (i) => f.emit(v128.store(i32.add(scratch(TAIL), i), v128.zero)));
      range(f, zero, times(steps.get, 4), i32.const(4), (i) =>
        f.emit(i32.store(i32.add(scratch(TAIL), i), i32.load(i32.add(from.get, i)))),
      );
      f.set(from, scratch(TAIL));
    });
    const size = largestSize(f, from.get, times(end, 4));
    const factor = select(
      f32.div(f32.const(ROUND_UNITS), size),
      f32.const(0),
      f32.gt(size, f32.const(SMALLEST)),
    );
    const spread = hold(f, "v128", f32x4.splat(factor));
    roundPairs(f, from.get, times(end, 2), to.get, () => spread);
    f.emit(f32.div(size, f32.const(ROUND_UNITS)));
  });
}

/** roundFlipped(from, steps, columns, gap): columns whose steps lie side by side become the right side. */
function addRoundFlipped(builder: WasmModuleBuilder, roundRow: WasmFunction): WasmFunction {
  return builder.function("roundFlipped", Array<"i32">(4).fill("i32"), null, (f) => {
    const [from, steps, columns, gap] = codesOf(f) as Codes<4>;
    range(f, zero, i32.const(32), one, (j) => {
      const to = hold(f, "i32", i32.add(scratch(FLIPPED), times(j, ROW_BYTES)));
      const unit = f.local("f32");
      f.set(unit, f32.const(0));
      f.if(
        i32.ltS(j, columns),
        () => f.set(unit, roundRow.call(i32.add(from, i32.mul(j, gap)), steps, to)),
        () =>
          range(f, zero, i32.const(ROW_BYTES), sixteen, (i) => f.emit(v128.store(i32.add(to, i), v128.zero))),
      );
      f.emit(f32.store(i32.add(scratch(RIGHT_UNITS), times(j, 4)), unit.get));
      range(f, zero, i32.const(64), one, (k) => {
        const place = i32.add(scratch(RIGHT), i32.add(times(k, PAIR_BYTES), times(j, 4)));
        f.emit(i32.store(place, i32.load(i32.add(to, times(k, 4)))));
      });
    });
  });
}

/** roundColumns(from, steps, columns, stride): columns that lie side by side become the right side. */
function addRoundColumns(builder: WasmModuleBuilder): WasmFunction {
  return builder.function("roundColumns", Array<"i32">(4).fill("i32"), null, (f) => {
    const [from, steps, columns, stride] = codesOf(f) as Codes<4>;
    const end = hold(f, "i32", i32.and(i32.add(steps, i32.const(31)), i32.const(-32)));
    range(f, zero, end, one, (k) => {
      const own = hold(f, "i32", i32.add(from, i32.mul(k, stride)));
      const to = hold(f, "i32", i32.add(scratch(COLUMNS), times(k, PAIR_BYTES)));
      for (let i = 0; i < PAIR_BYTES; i += 16) f.emit(v128.store(to, v128.zero, i));
      f.if(i32.ltS(k, steps), () =>
        range(f, zero, times(columns, 4), i32.const(4), (i) =>
          f.emit(i32.store(i32.add(to, i), i32.load(i32.add(own, i)))),
        ),
      );
    });
    range(f, zero, i32.const(PAIR_BYTES), sixteen, (n) => {
      const at = (k: Code) => i32.add(scratch(COLUMNS), i32.add(n, times(k, PAIR_BYTES)));
      const size = f.local("v128");
      f.set(size, v128.zero);
      range(f, zero, end, one, (k) => f.set(size, f32x4.pmax(size.get, f32x4.abs(v128.load(at(k))))));
      const units = f32x4.const(ROUND_UNITS);
      const isAbove = f32x4.gt(size.get, f32x4.const(SMALLEST));
      const factor = hold(f, "v128", v128.and(f32x4.div(units, size.get), isAbove));
      f.emit(v128.store(i32.add(scratch(RIGHT_UNITS), n), f32x4.div(size.get, units)));
      range(f, zero, end, i32.const(32), (k) =>
        range(f, zero, sixteen, one, (i) => {
          const step = hold(f, "i32", i32.add(k, i));
          const rounded = (ahead: number) =>
            f32x4.madd(v128.load(at(step), ahead * PAIR_BYTES), factor, f32x4.const(12582912));
          const pair = i32.add(i32.shrU(k, one), i);
          const place = i32.add(scratch(RIGHT), i32.add(n, times(pair, PAIR_BYTES)));
          f.emit(v128.store(place, v128.shuffle(rounded(0), rounded(16), LOW_HALVES)));
        }),
      );
    });
  });
}

/** Floats times `factorAt` of their place as integers: two panels become one of `bytes` ÷ 64 panels of pairs. */
function roundPairs(
  f: WasmFunction,
  from: Code,
  bytes: Code,
  to: Code,
  factorAt: (place: Code) => Code,
): void {
  const [first, into] = [hold(f, "i32", from), hold(f, "i32", to)];
  range(f, zero, bytes, i32.const(64), (at) => {
    const panel = hold(f, "i32", times(at, 2));
    for (const offset of [0, 16, 32, 48]) {
      const rounded = (ahead: number) => {
        const place = i32.add(panel, i32.const(ahead + offset));
        return f32x4.madd(v128.load(i32.add(first, place)), factorAt(place), f32x4.const(12582912));
      };
      f.emit(v128.store(i32.add(into, at), v128.shuffle(rounded(0), rounded(64), LOW_HALVES), offset));
    }
  });
}

/** The largest size among floats. */
function largestSize(f: WasmFunction, from: Code, bytes: Code): Code {
  const max = f.local("v128");
  f.set(max, v128.zero);
  range(f, zero, bytes, sixteen, (i) => {
    f.set(max, f32x4.pmax(max.get, f32x4.abs(v128.load(i32.add(from, i)))));
  });
  for (const bytesTurned of [8, 4]) {
    const turned = Array.from({ length: 16 }, (_, i) => (i + bytesTurned) % 16);
    f.set(max, f32x4.pmax(max.get, v128.shuffle(max.get, max.get, turned)));
  }
  return hold(f, "f32", f32x4.lane(0, max.get));
}

/** Each row's slopes as parts of its largest; those of a panel that is lacking are 0. */
function takeParts(f: WasmFunction, rows: Code, dy: Code, strideDy: Code, bytes: Code, isOdd: Code): void {
  range(f, zero, rows, one, (t) => {
    const from = hold(f, "i32", i32.add(dy, i32.mul(t, strideDy)));
    const size = largestSize(f, from, bytes);
    const inverse = select(f32.div(f32.const(1), size), f32.const(0), f32.gt(size, f32.const(SMALLEST)));
    const factor = hold(f, "v128", f32x4.splat(inverse));
    f.emit(f32.store(i32.add(scratch(UNITS), times(t, 4)), size));
    const to = hold(f, "i32", i32.add(scratch(PARTS), times(t, FLOATS_BYTES)));
    range(f, zero, bytes, sixteen, (i) => {
      f.emit(v128.store(i32.add(to, i), f32x4.mul(v128.load(i32.add(from, i)), factor)));
    });
    clearPanel(f, i32.add(to, bytes), isOdd);
  });
}

function clearPanel(f: WasmFunction, at: Code, isOdd: Code): void {
  f.if(isOdd, () => {
    const own = hold(f, "i32", at);
    for (const offset of [0, 16, 32, 48]) f.emit(v128.store(own, v128.zero, offset));
  });
}

/** The outputs' scales of a block, such that the largest is BACK_UNITS. @returns what the largest was */
function takeScales(f: WasmFunction, from: Code, gap: Code, held: Code, isOdd: Code): Code {
  const at = f.local("i32");
  f.set(at, from);
  range(f, zero, held, one, (panel) => {
    const to = hold(f, "i32", i32.add(scratch(SCALES), times(panel, 64)));
    for (const quad of [0, 1, 2, 3])
      f.emit(v128.store(to, halves(f, i32.add(at.get, i32.const(8 * quad))), 16 * quad));
    f.set(at, i32.add(at.get, gap));
  });
  const bytes = hold(f, "i32", times(held, 64));
  clearPanel(f, i32.add(scratch(SCALES), bytes), isOdd);
  const size = largestSize(f, scratch(SCALES), bytes);
  const factor = select(f32.div(f32.const(BACK_UNITS), size), f32.const(0), f32.gt(size, f32.const(0)));
  const spread = hold(f, "v128", f32x4.splat(factor));
  range(f, zero, bytes, sixteen, (i) => {
    const own = hold(f, "i32", i32.add(scratch(SCALES), i));
    f.emit(v128.store(own, f32x4.mul(v128.load(own), spread)));
  });
  return size;
}

/** Shuffles that put bytes of two registers side by side: the lower eight of each, and the upper eight. */
const [LOW, HIGH] = [0, 8].map((first) =>
  Array.from({ length: 16 }, (_, i) => first + (i >> 1) + 16 * (i & 1)),
) as [number[], number[]];

/** A block's weights as pairs of outputs that lie a panel apart. */
function pairWeights(f: WasmFunction, from: Code, gap: Code, held: Code): void {
  const [first, to] = f.locals("i32", 2) as [Local, Local];
  const second = f.local("v128");
  f.set(first, from);
  f.set(to, scratch(RIGHT));
  range(f, zero, held, i32.const(2), (panel) => {
    const hasSecond = hold(f, "i32", i32.ltS(i32.add(panel, one), held));
    range(f, zero, i32.const(8), one, (four) => {
      const own = hold(f, "i32", i32.add(first.get, times(four, 64)));
      const place = hold(f, "i32", i32.add(to.get, times(four, 16)));
      for (const quad of [0, 1, 2, 3]) {
        f.set(second, v128.zero);
        f.if(hasSecond, () => f.set(second, v128.load(i32.add(own, gap), 16 * quad)));
        const one = hold(f, "v128", v128.load(own, 16 * quad));
        for (const [i, bytes] of [LOW, HIGH].entries()) {
          const both = hold(f, "v128", v128.shuffle(one, second.get, bytes));
          const offset = (4 * quad + 2 * i) * PAIR_BYTES;
          f.emit(v128.store(place, i16x8.extendLow(both), offset));
          f.emit(v128.store(place, i16x8.extendHigh(both), offset + PAIR_BYTES));
        }
      }
    });
    f.set(first, i32.add(first.get, i32.shl(gap, one)));
    f.set(to, i32.add(to.get, i32.const(16 * PAIR_BYTES)));
  });
}

/** Shuffle of two registers' words: the lower 16 bits of each side by side. */
const LOW_HALVES = Array.from({ length: 16 }, (_, i) => 4 * (i >> 2) + (i & 1) + 16 * ((i >> 1) & 1));

/** pairRows(count, units, pairs, to, stride, held, isFirst): `held` columns of rows that lie at the scratch memory's start. */
function addRows(builder: WasmModuleBuilder): WasmFunction {
  const tiles = [TILE_ROWS, 1].map((count) => [count, addTile(builder, count)] as const);
  return builder.function("pairRows", Array<"i32">(7).fill("i32"), null, (f) => {
    const [count, units, pairs, to, stride, held, isFirst] = codesOf(f) as Codes<7>;
    const row = f.local("i32");
    f.set(row, zero);
    for (const [rows, tile] of tiles)
      f.while(i32.ltS(i32.add(row.get, i32.const(rows - 1)), count), () => {
        const left = i32.add(scratchAddress, times(row.get, ROW_BYTES));
        const own = i32.add(units, times(row.get, 4));
        const out = i32.add(to, i32.mul(row.get, stride));
        f.emit(tile.call(left, own, pairs, out, stride, held, isFirst));
        f.set(row, i32.add(row.get, i32.const(rows)));
      });
  });
}

/** tile(left, units, pairs, to, stride, held, isFirst): adds products of `count` rows to their outputs. */
function addTile(builder: WasmModuleBuilder, count: number): WasmFunction {
  return builder.function(`pairTile${count}`, Array<"i32">(7).fill("i32"), null, (f) => {
    const [left, units, pairs, to, stride, held, isFirst] = codesOf(f) as Codes<7>;
    const sums = Array.from({ length: count }, () => f.locals("v128", 2));
    const rights = f.locals("v128", 2);
    const own = f.local("v128");
    const rows = f.locals("i32", count);
    range(f, zero, times(held, 4), i32.const(32), (first) => {
      for (const sum of sums.flat()) f.set(sum, v128.zero);
      for (const [i, row] of rows.entries()) f.set(row, i32.add(left, i32.const(i * ROW_BYTES)));
      const from = hold(f, "i32", i32.add(scratch(RIGHT), first));
      const end = hold(f, "i32", i32.add(from, times(pairs, PAIR_BYTES)));
      range(f, from, end, i32.const(PAIR_BYTES), (step) => {
        for (const [j, right] of rights.entries()) f.set(right, v128.load(step, 16 * j));
        for (const [i, pair] of sums.entries()) {
          f.set(own, f32x4.loadSplat(rows[i]!.get));
          for (const [j, sum] of pair.entries())
            f.set(sum, i32x4.add(sum.get, i32x4.dot(own.get, rights[j]!.get)));
        }
        for (const row of rows) f.set(row, i32.add(row.get, i32.const(4)));
      });
      for (const [i, pair] of sums.entries()) {
        const unit = hold(f, "v128", f32x4.loadSplat(units, 4 * i));
        const out = hold(f, "i32", i32.add(to, i32.add(first, times(stride, i))));
        for (const [j, sum] of pair.entries()) {
          const column = v128.load(i32.add(scratch(RIGHT_UNITS), first), 16 * j);
          f.set(own, v128.zero);
          f.if(i32.eqz(isFirst), () => f.set(own, v128.load(out, 16 * j)));
          const added = f32x4.madd(f32x4.fromI32(sum.get), f32x4.mul(unit, column), own.get);
          f.emit(v128.store(out, added, 16 * j));
        }
      }
    });
  });
}
