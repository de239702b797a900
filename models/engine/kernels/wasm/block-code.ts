/**
 * WebAssembly kernels of products with int8 weights, by plain instructions of 128 bits. Twins of those in
 * ../native/src/block-kernels.h, put into the module by wasm-kernels.ts; addresses and strides are in bytes.
 */
import {
  type Code,
  i32,
  type Local,
  select,
  v128,
  type WasmFunction,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import { f32, f32x4, hold, i16x8, i32x4, range, rowsOf } from "./float-code.ts";
import { halves } from "./serving-code.ts";

/** Inputs that share one scale, as packedFloats in ../kernels.ts lays them out. */
const BLOCK = 32;
/** Integers of one block for a panel of 16 outputs. */
const PANEL_BYTES = 16 * BLOCK;
/**
 * Offset of the scale in a block of a quantised row: the integers come first, as pairs of 16 bits, and a word that
 * native kernels use comes last.
 */
const SCALE = 2 * BLOCK;
const ROW_BLOCK_BYTES = SCALE + 8;
/** Rows that one pass over the weights multiplies. */
const TILE_ROWS = 4;

const zero = i32.const(0);
const one = i32.const(1);
const times = (a: Code, b: number): Code => i32.mul(a, i32.const(b));
const integers = (count: number) => Array<"i32">(count).fill("i32");
const params = (f: WasmFunction) => f.params as [Local, Local, Local, Local, Local, Local, Local, Local];

export function addBlocks(builder: WasmModuleBuilder): void {
  addQuantise(builder);
  addUnpack(builder);
  const tiles = Array.from({ length: TILE_ROWS }, (_, i) => addTile(builder, i + 1));
  /** multiplyBlocks(rows, panels, blocks, x, strideX, weights, y, strideY, accumulate); strides in bytes */
  builder.function("multiplyBlocks", integers(9), null, (f) => {
    const [rows, panels, blocks, x, strideX, weights, y, strideY] = params(f).map(({ get }) => get) as Codes;
    const isFirst = hold(f, "i32", i32.eqz(f.params[8]!.get));
    const panelBytes = hold(f, "i32", times(blocks, PANEL_BYTES));
    const scales = hold(f, "i32", i32.add(weights, i32.mul(panels, panelBytes)));
    range(f, zero, times(panels, 2), one, (half) => {
      const panel = hold(f, "i32", i32.mul(i32.shrU(half, one), blocks));
      const odd = hold(f, "i32", i32.and(half, one));
      const own = hold(f, "i32", i32.add(i32.add(weights, times(panel, PANEL_BYTES)), times(odd, 32)));
      const ownScales = hold(f, "i32", i32.add(i32.add(scales, times(panel, 32)), times(odd, 16)));
      range(f, zero, rows, i32.const(TILE_ROWS), (first) => {
        const held = i32.sub(rows, first);
        const from = hold(f, "i32", i32.add(x, i32.mul(first, strideX)));
        const to = hold(f, "i32", i32.add(i32.add(y, i32.mul(first, strideY)), times(half, 32)));
        for (const [i, tile] of tiles.entries()) {
          const isOwn = i + 1 === TILE_ROWS ? i32.ltS(i32.const(i), held) : i32.eq(held, i32.const(i + 1));
          f.if(isOwn, () => f.emit(tile.call(blocks, own, ownScales, from, strideX, to, strideY, isFirst)));
        }
      });
    });
  });
}

type Codes = [Code, Code, Code, Code, Code, Code, Code, Code];

/** quantise(rows, width, x, to, toStride, blocks); toStride in bytes */
function addQuantise(builder: WasmModuleBuilder): void {
  builder.function("quantise", integers(6), null, (f) => {
    const [rows, width, x, to, toStride, blocks] = params(f);
    const parts = f.locals("v128", BLOCK / 4);
    rowsOf(
      f,
      rows.get,
      [
        [x, i32.shl(width.get, i32.const(2))],
        [to, toStride.get],
      ],
      () => {
        range(f, zero, blocks.get, one, (b) => {
          const from = hold(f, "i32", i32.add(x.get, times(b, 4 * BLOCK)));
          for (const [i, part] of parts.entries()) f.set(part, i < 4 ? v128.load(from, 16 * i) : v128.zero);
          f.if(i32.ltS(i32.add(times(b, BLOCK), i32.const(16)), width.get), () => {
            for (const [i, part] of parts.entries()) if (i >= 4) f.set(part, v128.load(from, 16 * i));
          });
          const max = f.local("v128");
          f.set(max, v128.zero);
          for (const part of parts) f.set(max, f32x4.pmax(max.get, f32x4.abs(part.get)));
          for (const bytes of [8, 4])
            f.set(max, f32x4.pmax(max.get, v128.shuffle(max.get, max.get, turned(bytes))));
          const size = hold(f, "f32", f32x4.lane(0, max.get));
          const whole = f32.const(127);
          const factor = select(f32.div(whole, size), f32.const(0), f32.gt(size, f32.const(0)));
          const spread = hold(f, "v128", f32x4.splat(factor));
          const rounded = (i: number) => f32x4.add(f32x4.mul(parts[i]!.get, spread), f32x4.const(12582912));
          const pairs = [0, 2, 4, 6].map((i) => v128.shuffle(rounded(i), rounded(i + 1), LOW_HALVES));
          const block = hold(f, "i32", i32.add(to.get, times(b, ROW_BLOCK_BYTES)));
          for (const [i, pair] of pairs.entries()) f.emit(v128.store(block, pair, 16 * i));
          f.emit(f32.store(i32.add(block, i32.const(SCALE)), f32.div(size, whole)));
        });
      },
    );
  });
}

/** unpack(first, end, panels, blocks, fours, weights, to): fours of inputs */
function addUnpack(builder: WasmModuleBuilder): void {
  builder.function("unpack", integers(7), null, (f) => {
    const [first, end, panels, blocks, fours, weights, to] = params(f);
    const scales = hold(f, "i32", i32.mul(i32.mul(panels.get, blocks.get), i32.const(PANEL_BYTES)));
    const [own, half] = f.locals("i32", 2) as [Local, Local];
    const scale = f.local("v128");
    range(f, first.get, end.get, one, (output) => {
      const from = hold(f, "i32", i32.mul(i32.shrU(output, i32.const(4)), blocks.get));
      const lane = hold(f, "i32", i32.and(output, i32.const(15)));
      f.set(own, i32.add(weights.get, i32.add(times(from, PANEL_BYTES), times(lane, 4))));
      f.set(half, i32.add(i32.add(weights.get, scales), i32.add(times(from, 32), times(lane, 2))));
      range(f, zero, fours.get, one, (four) => {
        f.if(i32.eqz(i32.and(four, i32.const(7))), () => {
          const bits = i32.shl(i32.load16u(half.get), i32.const(13));
          f.set(scale, f32x4.splat(f32.mul(f32.fromBits(bits), f32.const(2 ** 112))));
          f.set(half, i32.add(half.get, i32.const(32)));
        });
        const bytes = i16x8.extendLow(v128.loadFour(own.get));
        f.emit(v128.store(to.get, f32x4.mul(f32x4.fromI32(i32x4.extendLow(bytes)), scale.get)));
        f.set(own, i32.add(own.get, i32.const(64)));
        f.set(to, i32.add(to.get, i32.const(16)));
      });
    });
  });
}

/** Shuffle that selects the lower 16 bits of eight words. */
const LOW_HALVES = Array.from({ length: 16 }, (_, i) => 4 * (i >> 1) + (i & 1));

/** A register's bytes, moved round. */
const turned = (bytes: number): number[] => Array.from({ length: 16 }, (_, i) => (i + bytes) % 16);

/** Shuffle that puts the first pairs of four outputs' fours before the second ones. */
const SPLIT = [0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15];

/** tile(blocks, weights, scales, x, strideX, y, strideY, isFirst): `rows` rows by half a panel. */
function addTile(builder: WasmModuleBuilder, rows: number): WasmFunction {
  return builder.function(`blockTile${rows}`, integers(8), null, (f) => {
    const [blocks, weights, scales, x, strideX, y, strideY, isFirst] = params(f);
    const sums = Array.from({ length: rows }, () => f.locals("v128", 2));
    const outs = Array.from({ length: rows }, () => f.locals("v128", 2));
    const lefts = f.locals("v128", 2);
    const rowsX = f.locals("i32", rows);
    for (const [i, row] of rowsX.entries())
      f.set(row, i === 0 ? x.get : i32.add(rowsX[i - 1]!.get, strideX.get));
    const out = (i: number) => i32.add(y.get, i32.mul(strideY.get, i32.const(i)));
    f.if(i32.eqz(isFirst.get), () => {
      for (const [i, pair] of outs.entries())
        for (const [j, local] of pair.entries()) f.set(local, v128.load(out(i), 16 * j));
    });
    f.while(blocks.get, () => {
      for (const sum of sums.flat()) f.set(sum, v128.zero);
      for (let four = 0; four < BLOCK / 4; four++) {
        const rights = [0, 1].map((j) => {
          const both = hold(f, "v128", v128.load(weights.get, 64 * four + 16 * j));
          const split = hold(f, "v128", v128.shuffle(both, both, SPLIT));
          return [hold(f, "v128", i16x8.extendLow(split)), hold(f, "v128", i16x8.extendHigh(split))];
        });
        for (const [i, pair] of sums.entries()) {
          for (const [k, left] of lefts.entries())
            f.set(left, f32x4.loadSplat(rowsX[i]!.get, 8 * four + 4 * k));
          for (const [j, sum] of pair.entries())
            for (const [k, left] of lefts.entries())
              f.set(sum, i32x4.add(sum.get, i32x4.dot(left.get, rights[j]![k]!)));
        }
      }
      const own = [0, 8].map((offset) => halves(f, i32.add(scales.get, i32.const(offset))));
      for (const [i, pair] of outs.entries()) {
        const scale = hold(f, "v128", f32x4.loadSplat(rowsX[i]!.get, SCALE));
        for (const [j, local] of pair.entries()) {
          const factor = f32x4.mul(own[j]!, scale);
          f.set(local, f32x4.add(local.get, f32x4.mul(f32x4.fromI32(sums[i]![j]!.get), factor)));
        }
      }
      for (const row of rowsX) f.set(row, i32.add(row.get, i32.const(ROW_BLOCK_BYTES)));
      for (const [local, bytes] of [
        [weights, PANEL_BYTES],
        [scales, 32],
      ] as const)
        f.set(local, i32.add(local.get, i32.const(bytes)));
      f.set(blocks, i32.sub(blocks.get, one));
    });
    for (const [i, pair] of outs.entries())
      for (const [j, local] of pair.entries()) f.emit(v128.store(out(i), local.get, 16 * j));
  });
}
