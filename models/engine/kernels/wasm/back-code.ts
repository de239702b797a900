/**
 * WebAssembly kernel of the way back through int8 weights: the twin of `multiplyBack` in ../native/src/block-kernels.h, put into
 * the module by wasm-kernels.ts. Strides are in bytes.
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
export const BACK_ROWS = 128;
/** Panels of sixteen outputs that go back together. */
const PANELS = 8;
/** Bytes of a row of 128 floats, and of the weights of a pair of outputs: 32 words. */
const [ROW_BYTES, PAIR_BYTES] = [512, 128];
const UNITS = 32_767;

/** Byte offsets in the scratch memory, as BackScratch has them; slopes are those of a tile. */
const LARGEST = BACK_ROWS * ROW_BYTES;
const SCALES = LARGEST + 4 * BACK_ROWS;
const WEIGHTS = SCALES + ROW_BYTES;
const SLOPES = WEIGHTS + 64 * PAIR_BYTES;

const zero = i32.const(0);
const one = i32.const(1);
const sixteen = i32.const(16);
const times = (a: Code, b: number): Code => i32.mul(a, i32.const(b));
const scratch = (offset: number): Code => i32.add(scratchAddress, i32.const(offset));
const min = (a: Code, b: number): Code => select(a, i32.const(b), i32.ltS(a, i32.const(b)));

export function addBack(builder: WasmModuleBuilder): void {
  const four = addTile(builder, 4);
  const single = addTile(builder, 1);
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
        const unit = hold(f, "f32", f32.div(size, f32.const(UNITS)));
        pairWeights(f, i32.add(weights, times(at, 512)), times(blocks, 512), held);
        const to = hold(f, "i32", i32.add(dx, times(block, 128)));
        const width = hold(f, "i32", min(i32.sub(inputs, times(block, 32)), 32));
        const isFirst = hold(f, "i32", i32.eqz(i32.or(accumulate, panel)));
        const row = f.local("i32");
        f.set(row, zero);
        for (const [count, tile] of [
          [4, four],
          [1, single],
        ] as const)
          f.while(i32.ltS(i32.add(row.get, i32.const(count - 1)), rows), () => {
            const own = i32.add(to, i32.mul(row.get, strideDx));
            f.emit(tile.call(row.get, pairs, own, strideDx, width, isFirst, unit));
            f.set(row, i32.add(row.get, i32.const(count)));
          });
      });
    });
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
    const inverse = select(f32.div(f32.const(1), size), f32.const(0), f32.gt(size, f32.const(1e-30)));
    const factor = hold(f, "v128", f32x4.splat(inverse));
    f.emit(f32.store(i32.add(scratch(LARGEST), times(t, 4)), size));
    const to = hold(f, "i32", i32.add(scratchAddress, times(t, ROW_BYTES)));
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

/** The outputs' scales of a block, such that the largest is UNITS. @returns what the largest was */
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
  const factor = select(f32.div(f32.const(UNITS), size), f32.const(0), f32.gt(size, f32.const(0)));
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
  f.set(to, scratch(WEIGHTS));
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

/** tile(row, pairs, dx, strideDx, inputs, isFirst, unit): adds the block's products of `count` rows to dx. */
function addTile(builder: WasmModuleBuilder, count: number): WasmFunction {
  const types = [...Array<"i32">(6).fill("i32"), "f32" as const];
  return builder.function(`backTile${count}`, types, null, (f) => {
    const [row, pairs, dx, strideDx, inputs, isFirst, unit] = codesOf(f) as Codes<7>;
    for (let i = 0; i < count; i++) {
      const own = hold(f, "i32", i32.add(scratchAddress, times(i32.add(row, i32.const(i)), ROW_BYTES)));
      // Two panels of floats become one of pairs.
      range(f, zero, times(pairs, 4), i32.const(64), (at) => {
        const part = hold(f, "i32", i32.add(own, times(at, 2)));
        const scale = hold(f, "i32", i32.add(scratch(SCALES), times(at, 2)));
        const to = hold(f, "i32", i32.add(scratch(SLOPES + i * (ROW_BYTES / 2)), at));
        for (const offset of [0, 16, 32, 48]) {
          const rounded = (panel: number) =>
            f32x4.madd(
              v128.load(part, panel + offset),
              v128.load(scale, panel + offset),
              f32x4.const(12582912),
            );
          f.emit(v128.store(to, v128.shuffle(rounded(0), rounded(64), LOW_HALVES), offset));
        }
      });
    }
    const sums = Array.from({ length: count }, () => f.locals("v128", 2));
    const rights = f.locals("v128", 2);
    const left = f.local("v128");
    const slopes = f.locals("i32", count);
    range(f, zero, times(inputs, 4), i32.const(32), (first) => {
      for (const sum of sums.flat()) f.set(sum, v128.zero);
      for (const [i, slope] of slopes.entries()) f.set(slope, scratch(SLOPES + i * (ROW_BYTES / 2)));
      const from = i32.add(scratch(WEIGHTS), first);
      const end = hold(f, "i32", i32.add(from, times(pairs, PAIR_BYTES)));
      range(f, from, end, i32.const(PAIR_BYTES), (weights) => {
        for (const [j, right] of rights.entries()) f.set(right, v128.load(weights, 16 * j));
        for (const [i, pair] of sums.entries()) {
          f.set(left, f32x4.loadSplat(slopes[i]!.get));
          for (const [j, sum] of pair.entries())
            f.set(sum, i32x4.add(sum.get, i32x4.dot(left.get, rights[j]!.get)));
        }
        for (const slope of slopes) f.set(slope, i32.add(slope.get, i32.const(4)));
      });
      for (const [i, pair] of sums.entries()) {
        const largest = f32.load(i32.add(scratch(LARGEST), times(i32.add(row, i32.const(i)), 4)));
        const factor = hold(f, "v128", f32x4.splat(f32.mul(largest, unit)));
        const to = hold(f, "i32", i32.add(dx, i32.add(first, times(strideDx, i))));
        for (const [j, sum] of pair.entries()) {
          f.set(left, v128.zero);
          f.if(i32.eqz(isFirst), () => f.set(left, v128.load(to, 16 * j)));
          f.emit(v128.store(to, f32x4.madd(f32x4.fromI32(sum.get), factor, left.get), 16 * j));
        }
      }
    });
  });
}
