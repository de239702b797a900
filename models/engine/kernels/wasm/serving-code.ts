/**
 * WebAssembly kernels of the answer server, which wasm-kernels.ts puts into its module: adapters gathered by row, and attention
 * over pages. Twins of those in ../native/src/serving-kernels.h; addresses and strides are in bytes.
 */
import {
  type Code,
  i32,
  type Local,
  type ValueType,
  v128,
  type WasmFunction,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import { f32, f32x4, hold, range } from "./float-code.ts";

const integers = (count: number): ValueType[] => Array<ValueType>(count).fill("i32");
const zero = i32.const(0);
const one = i32.const(1);
const four = i32.const(4);
export const codesOf = (f: WasmFunction): Code[] => f.params.map(({ get }) => get);
const shl = (a: Code, bits: number): Code => i32.shl(a, i32.const(bits));
/** Ranks of an adapter's page (adapter-pages.ts). */
const RANK_PAGE = 8;
const REGISTERS = [0, 16, 32, 48] as const;

/** Four halves as floats, exactly: exponent and fraction are moved and scaled by 2^112, the sign is put back. */
export function halves(f: WasmFunction, address: Code): Code {
  const raw = hold(f, "v128", [...address, 0xfd, 0x04, 3, 0]);
  const splat = (bits: number): Code => [...i32.const(bits), 0xfd, 0x11];
  const size = v128.and(raw, splat(0x7fff));
  const sign = v128.and(raw, splat(0x8000));
  const moved = (a: Code, bits: number): Code => [...a, ...i32.const(bits), 0xfd, 0xab, 0x01];
  return hold(f, "v128", v128.or(f32x4.mul(moved(size, 13), f32x4.const(2 ** 112)), moved(sign, 16)));
}

export function addServing(builder: WasmModuleBuilder, softmax: WasmFunction): void {
  const apply = [false, true].map((isHalf) => addApply(builder, isHalf)) as [WasmFunction, WasmFunction];
  /** applyAdapters(count, entries, arena, inputs, x, xStride, outputs, y, yStride, a, b); strides in bytes, a and b in numbers */
  builder.function("applyAdapters", integers(11), null, (f) => {
    const [count, , arena, inputs, x, xStride, outputs, y, yStride, a, b] = codesOf(f) as Codes<11>;
    const entry = f.param(1);
    range(f, zero, count, one, () => {
      const word = (i: number) => i32.load(entry.get, 4 * i);
      const row = hold(f, "i32", word(0));
      const page = hold(f, "i32", i32.add(arena, shl(word(1), 6)));
      const kind = hold(f, "i32", word(2));
      const xAt = i32.add(x, i32.mul(row, xStride));
      const yAt = i32.add(y, i32.mul(row, yStride));
      const rank = i32.and(kind, i32.const(15));
      const factor = f32.load(i32.add(entry.get, i32.const(12)));
      const args = (shift: number) =>
        [
          xAt,
          inputs,
          yAt,
          outputs,
          i32.add(page, shl(a, shift)),
          i32.add(page, shl(b, shift)),
          rank,
          factor,
        ] as const;
      f.if(
        i32.and(kind, i32.const(16)),
        () => f.emit(apply[1].call(...args(1))),
        () => f.emit(apply[0].call(...args(2))),
      );
      f.set(entry, i32.add(entry.get, i32.const(16)));
    });
  });
  addAttend(builder, softmax);
}

/** applyFloats, applyHalves(x, inputs, y, outputs, a, b, rank, factor) */
function addApply(builder: WasmModuleBuilder, isHalf: boolean): WasmFunction {
  const numberBytes = isHalf ? 2 : 4;
  const load = (f: WasmFunction, at: Code): Code => (isHalf ? halves(f, at) : v128.load(at));
  const name = isHalf ? "applyHalves" : "applyFloats";
  return builder.function(name, [...integers(7), "f32"], null, (f) => {
    const [, inputs, , outputs, , b, rank, factor] = codesOf(f) as Codes<8>;
    const [x, y, a] = [f.param(0), f.param(2), f.param(4)] as [Local, Local, Local];
    const low = f.locals("v128", 2);
    for (const half of low) f.set(half, v128.zero);
    range(f, zero, inputs, one, () => {
      const left = hold(f, "v128", f32x4.loadSplat(x.get));
      for (const [i, half] of low.entries()) {
        const right = load(f, i32.add(a.get, i32.const(4 * i * numberBytes)));
        f.set(half, f32x4.madd(left, right, half.get));
      }
      f.set(x, i32.add(x.get, four));
      f.set(a, i32.add(a.get, i32.const(RANK_PAGE * numberBytes)));
    });
    const spread = hold(f, "v128", f32x4.splat(factor));
    const scaled = low.map((half) => hold(f, "v128", f32x4.mul(half.get, spread)));
    const ranks = Array.from({ length: RANK_PAGE }, (_, j) =>
      hold(f, "v128", f32x4.splat(f32x4.lane(j % 4, scaled[j >> 2]!))),
    );
    const step = i32.const(4 * numberBytes);
    const bAt = f.local("i32");
    f.set(bAt, b);
    const rowBytes = hold(f, "i32", i32.mul(outputs, i32.const(numberBytes)));
    const sum = f.local("v128");
    range(f, zero, outputs, four, () => {
      f.set(sum, v128.load(y.get));
      for (const [j, left] of ranks.entries())
        f.if(i32.ltS(i32.const(j), rank), () => {
          const right = load(f, i32.add(bAt.get, i32.mul(rowBytes, i32.const(j))));
          f.set(sum, f32x4.madd(left, right, sum.get));
        });
      f.emit(v128.store(y.get, sum.get));
      f.set(y, i32.add(y.get, i32.const(16)));
      f.set(bAt, i32.add(bAt.get, step));
    });
  });
}

export type Codes<N extends number, T extends Code[] = []> = T["length"] extends N
  ? T
  : Codes<N, [...T, Code]>;

/**
 * attendPages(rows, seats, pages, maxPages, headCount, keyHeadCount, headSize, qkv, qkvStride, kv, pageBytes, out, scores,
 * scale); qkvStride in bytes
 */
function addAttend(builder: WasmModuleBuilder, softmax: WasmFunction): void {
  builder.function("attendPages", [...integers(13), "f32"], null, (f) => {
    const [rows, seats, pages, maxPages, headCount, keyHeadCount, headSize, qkv, qkvStride, kv, pageBytes] =
      codesOf(f) as Codes<14>;
    const [out, scores, scale] = codesOf(f).slice(11) as Codes<3>;
    const headBytes = hold(f, "i32", shl(headSize, 2));
    const keyBytes = hold(f, "i32", i32.mul(keyHeadCount, headBytes));
    const perKey = f.local("i32");
    // headCount / keyHeadCount by counting: the assembler has no division.
    const left = f.local("i32");
    f.set(left, headCount);
    f.while(i32.ltS(zero, left.get), () => {
      f.set(left, i32.sub(left.get, keyHeadCount));
      f.set(perKey, i32.add(perKey.get, one));
    });
    const seat = (t: Code) => {
      const at = hold(f, "i32", i32.add(seats, shl(t, 3)));
      const position = hold(f, "i32", i32.load(at, 4));
      const list = hold(f, "i32", i32.add(pages, shl(i32.mul(i32.load(at), maxPages), 2)));
      return { position, list, row: hold(f, "i32", i32.add(qkv, i32.mul(t, qkvStride))) };
    };
    const pageOf = (list: Code, position: Code): Code =>
      i32.add(kv, i32.mul(i32.load(i32.add(list, shl(i32.shrU(position, four), 2))), pageBytes));
    range(f, zero, rows, one, (t) => {
      const { position, list, row } = seat(t);
      const page = hold(f, "i32", pageOf(list, position));
      const lane = hold(f, "i32", i32.and(position, i32.const(15)));
      const key = hold(f, "i32", i32.add(row, i32.mul(headCount, headBytes)));
      const to = f.local("i32");
      f.set(to, i32.add(page, shl(lane, 2)));
      range(f, zero, keyBytes, four, (i) => {
        f.emit(f32.store(to.get, f32.load(i32.add(key, i))));
        f.set(to, i32.add(to.get, i32.const(64)));
      });
      const values = hold(f, "i32", i32.add(page, i32.mul(i32.add(lane, i32.const(16)), keyBytes)));
      range(f, zero, keyBytes, i32.const(16), (i) =>
        f.emit(v128.store(i32.add(values, i), v128.load(i32.add(key, i32.add(keyBytes, i))))),
      );
    });
    const to = f.local("i32");
    f.set(to, out);
    const sums = f.locals("v128", 4);
    const clear = () => {
      for (const sum of sums) f.set(sum, v128.zero);
    };
    const keyHead = f.local("i32");
    const used = f.local("i32");
    range(f, zero, rows, one, (t) => {
      const { position, list, row } = seat(t);
      const seen = hold(f, "i32", i32.add(position, one));
      const end = hold(f, "i32", i32.and(i32.add(seen, i32.const(15)), i32.const(-16)));
      f.set(keyHead, zero);
      f.set(used, zero);
      range(f, zero, headCount, one, (head) => {
        const query = hold(f, "i32", i32.add(row, i32.mul(head, headBytes)));
        const first = hold(f, "i32", i32.mul(keyHead.get, headBytes));
        range(f, zero, end, i32.const(16), (j) => {
          const at = f.local("i32");
          f.set(at, i32.add(pageOf(list, j), shl(first, 4)));
          clear();
          range(f, zero, headBytes, four, (d) => {
            const q = hold(f, "v128", f32x4.loadSplat(i32.add(query, d)));
            for (const [part, sum] of sums.entries())
              f.set(sum, f32x4.madd(q, v128.load(at.get, 16 * part), sum.get));
            f.set(at, i32.add(at.get, i32.const(64)));
          });
          const score = hold(f, "i32", i32.add(scores, shl(j, 2)));
          for (const [part, sum] of sums.entries()) f.emit(v128.store(score, sum.get, REGISTERS[part]!));
        });
        f.emit(softmax.call(one, scores, shl(end, 2), position, scale));
        range(f, zero, headBytes, i32.const(64), (d) => {
          clear();
          range(f, zero, seen, one, (j) => {
            const lane = i32.add(i32.and(j, i32.const(15)), i32.const(16));
            const line = i32.add(pageOf(list, j), i32.mul(lane, keyBytes));
            const at = hold(f, "i32", i32.add(line, i32.add(first, d)));
            const weight = hold(f, "v128", f32x4.loadSplat(i32.add(scores, shl(j, 2))));
            for (const [part, sum] of sums.entries())
              f.set(sum, f32x4.madd(weight, v128.load(at, 16 * part), sum.get));
          });
          const target = hold(f, "i32", i32.add(to.get, d));
          for (const [part, sum] of sums.entries()) f.emit(v128.store(target, sum.get, REGISTERS[part]!));
        });
        f.set(to, i32.add(to.get, headBytes));
        f.set(used, i32.add(used.get, one));
        f.if(i32.eq(used.get, perKey.get), () => {
          f.set(used, zero);
          f.set(keyHead, i32.add(keyHead.get, one));
        });
      });
    });
  });
}
