/**
 * WebAssembly kernels that treat each number by itself, and sums over rows. Twins of those in ../native/src/lane-kernels.h, put
 * into the module by wasm-kernels.ts; addresses are in bytes.
 */
import {
  type Code,
  i32,
  type ValueType,
  v128,
  type WasmFunction,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import { f32, f32x4, hold, range, rowsOf } from "./float-code.ts";
import { eachRegister, sigmoid } from "./lane-code.ts";

const { add, div, mul, splat, sqrt, sub } = f32x4;

/** Bytes of `count` floats, rounded up to blocks of sixteen. */
export const blockBytes = (count: Code): Code =>
  i32.shl(i32.and(i32.add(count, i32.const(15)), i32.const(-16)), i32.const(2));

const addresses = (count: number): ValueType[] => Array<ValueType>(count).fill("i32");

/** name(count, …addresses): the body of every four numbers. */
function eachNumber(
  builder: WasmModuleBuilder,
  name: string,
  pointers: number,
  body: (f: WasmFunction, ...at: Code[]) => void,
): void {
  builder.function(name, addresses(1 + pointers), null, (f) => {
    const [count, ...places] = f.params.map(({ get }) => get) as [Code, ...Code[]];
    eachRegister(f, hold(f, "i32", blockBytes(count)), places, (...at) => body(f, ...at));
  });
}

/** 2 √(2/π) (x + 0.044715 x³). */
const geluInner = (x: Code): Code =>
  mul(x, add(mul(mul(x, x), f32x4.const(0.0713548162726)), f32x4.const(1.5957691216057)));

export function addElementwise(builder: WasmModuleBuilder): void {
  const one = f32x4.const(1);
  const load = (f: WasmFunction, at: Code) => hold(f, "v128", v128.load(at));

  eachNumber(builder, "gate", 3, (f, a, b, y) => {
    const x = load(f, a!);
    f.emit(v128.store(y!, mul(mul(x, sigmoid(f, x)), v128.load(b!))));
  });
  eachNumber(builder, "gateBack", 5, (f, a, b, dy, da, db) => {
    const x = load(f, a!);
    const y = load(f, b!);
    const d = load(f, dy!);
    const s = sigmoid(f, x);
    f.emit(v128.store(db!, mul(d, mul(x, s))));
    f.emit(v128.store(da!, mul(mul(d, y), mul(s, add(mul(x, sub(one, s)), one)))));
  });
  eachNumber(builder, "gelu", 2, (f, a, y) => {
    const x = load(f, a!);
    f.emit(v128.store(y!, mul(x, sigmoid(f, geluInner(x)))));
  });
  eachNumber(builder, "geluBack", 3, (f, a, dy, da) => {
    const x = load(f, a!);
    const s = sigmoid(f, geluInner(x));
    const slope = add(mul(mul(x, x), f32x4.const(0.2140644488178)), f32x4.const(1.5957691216057));
    f.emit(v128.store(da!, mul(v128.load(dy!), mul(s, add(mul(mul(x, sub(one, s)), slope), one)))));
  });
  eachNumber(builder, "add", 2, (f, y, x) => {
    f.emit(v128.store(y!, add(v128.load(y!), v128.load(x!))));
  });
  builder.function("scale", ["i32", "i32", "f32"], null, (f) => {
    const factor = hold(f, "v128", splat(f.param(2).get));
    eachRegister(f, hold(f, "i32", blockBytes(f.param(0).get)), [f.param(1).get], (x) => {
      f.emit(v128.store(x!, mul(v128.load(x!), factor)));
    });
  });
  /** (rows, width, y, bias) */
  builder.function("addRow", addresses(4), null, (f) => {
    const y = f.param(2);
    const bytes = hold(f, "i32", i32.shl(f.param(1).get, i32.const(2)));
    rowsOf(f, f.param(0).get, [[y, bytes]], () =>
      eachRegister(f, bytes, [y.get, f.param(3).get], (at, bias) => {
        f.emit(v128.store(at!, add(v128.load(at!), v128.load(bias!))));
      }),
    );
  });
  /** (rows, width, dy, dBias) */
  builder.function("sumRows", addresses(4), null, (f) => {
    const dy = f.param(2);
    const bytes = hold(f, "i32", i32.shl(f.param(1).get, i32.const(2)));
    rowsOf(f, f.param(0).get, [[dy, bytes]], () =>
      eachRegister(f, bytes, [dy.get, f.param(3).get], (at, sum) => {
        f.emit(v128.store(sum!, add(v128.load(sum!), v128.load(at!))));
      }),
    );
  });
  addRotate(builder);
  addAdam(builder);
  addAdamTangent(builder);
}

/** rotate(rows, heads, headBytes, x, strideBytes, table, sign) */
function addRotate(builder: WasmModuleBuilder): void {
  builder.function("rotate", [...addresses(6), "f32"], null, (f) => {
    const [rows, heads, headBytes, , strideBytes] = f.params.map(({ get }) => get) as [
      Code,
      Code,
      Code,
      Code,
      Code,
    ];
    const x = f.param(3);
    const table = f.param(5);
    const sign = hold(f, "v128", splat(f.param(6).get));
    const half = hold(f, "i32", i32.shrU(headBytes, i32.const(1)));
    const head = f.local("i32");
    rowsOf(
      f,
      rows,
      [
        [x, strideBytes],
        [table, headBytes],
      ],
      () => {
        f.set(head, x.get);
        rowsOf(f, heads, [[head, headBytes]], () =>
          range(f, i32.const(0), half, i32.const(16), (i) => {
            const low = hold(f, "i32", i32.add(head.get, i));
            const high = hold(f, "i32", i32.add(low, half));
            const at = hold(f, "i32", i32.add(table.get, i));
            const cosine = hold(f, "v128", v128.load(at));
            const sine = hold(f, "v128", mul(v128.load(i32.add(at, half)), sign));
            const a = hold(f, "v128", v128.load(low));
            const b = hold(f, "v128", v128.load(high));
            f.emit(v128.store(low, sub(mul(a, cosine), mul(b, sine))));
            f.emit(v128.store(high, add(mul(b, cosine), mul(a, sine))));
          }),
        );
      },
    );
  });
}

/** name(count, …addresses, settings): the body of every four numbers, with the ten settings of `adam`. */
function eachOfStep(
  builder: WasmModuleBuilder,
  name: string,
  pointers: number,
  body: (f: WasmFunction, s: readonly Code[], at: readonly Code[]) => void,
): void {
  builder.function(name, addresses(2 + pointers), null, (f) => {
    const [count, ...places] = f.params.map(({ get }) => get) as [Code, ...Code[]];
    const settings = places.pop()!;
    const s = Array.from({ length: 10 }, (_, i) =>
      hold(f, "v128", splat(f32.load(i32.add(settings, i32.const(4 * i))))),
    );
    eachRegister(f, hold(f, "i32", blockBytes(count)), places, (...at) => body(f, s, at));
  });
}

/** adam(count, p, g, m, v, settings) */
function addAdam(builder: WasmModuleBuilder): void {
  eachOfStep(builder, "adam", 4, (f, s, [pAt, gAt, mAt, vAt]) => {
    const slope = hold(f, "v128", mul(v128.load(gAt!), s[9]!));
    const first = hold(f, "v128", add(mul(v128.load(mAt!), s[1]!), mul(slope, s[2]!)));
    const second = hold(f, "v128", add(mul(v128.load(vAt!), s[3]!), mul(mul(slope, slope), s[4]!)));
    f.emit(v128.store(mAt!, first));
    f.emit(v128.store(vAt!, second));
    const root = add(sqrt(mul(second, s[6]!)), s[7]!);
    const old = hold(f, "v128", v128.load(pAt!));
    f.emit(v128.store(pAt!, sub(sub(old, mul(old, s[8]!)), mul(div(mul(first, s[5]!), root), s[0]!))));
  });
}

/** adamTangent(count, dp, dg, dm, dv, ds, ofMean, ofSquare, settings) */
function addAdamTangent(builder: WasmModuleBuilder): void {
  eachOfStep(builder, "adamTangent", 7, (f, s, [dp, dg, dm, dv, ds, ofMean, ofSquare]) => {
    const change = hold(f, "v128", v128.load(dg!));
    const first = hold(f, "v128", add(mul(v128.load(dm!), s[1]!), mul(change, s[2]!)));
    const second = hold(f, "v128", add(mul(v128.load(dv!), s[3]!), mul(change, v128.load(ds!))));
    f.emit(v128.store(dm!, first));
    f.emit(v128.store(dv!, second));
    const old = hold(f, "v128", v128.load(dp!));
    const step = sub(mul(first, v128.load(ofMean!)), mul(second, v128.load(ofSquare!)));
    f.emit(v128.store(dp!, sub(sub(old, mul(old, s[8]!)), step)));
  });
}
