/**
 * WebAssembly kernels that reduce rows: norms, softmax, loss. Twins of those in ../native/src/lane-kernels.h, put into the
 * module by wasm-kernels.ts; addresses are in bytes.
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
import { blockBytes } from "./elementwise-code.ts";
import { f32, f32x4, hold, range, rowsOf } from "./float-code.ts";
import { accumulate, eachRegister, exponential, logarithm, total, zeroLanes } from "./lane-code.ts";

const { add, mul, splat, sub } = f32x4;
const zero = i32.const(0);
const integers = (count: number): ValueType[] => Array<ValueType>(count).fill("i32");
const bytesOf = (count: Code): Code => i32.shl(count, i32.const(2));

/** @returns softmax, which attention over pages calls */
export function addRowKernels(builder: WasmModuleBuilder): WasmFunction {
  addNormalise(builder);
  addNormaliseBack(builder);
  const softmax = addSoftmax(builder);
  addSoftmaxBack(builder);
  addCrossEntropy(builder);
  return softmax;
}

/** normalise(rows, width, x, weight, bias or 0, y, stats, epsilon, isCentred) */
function addNormalise(builder: WasmModuleBuilder): void {
  builder.function("normalise", [...integers(7), "f32", "i32"], null, (f) => {
    const [rows, width, , weight, bias, , , epsilon, isCentred] = codes(f, 9);
    const [x, y, stats] = [f.param(2), f.param(5), f.param(6)];
    const bytes = hold(f, "i32", bytesOf(width));
    const size = hold(f, "f32", f32.fromI32(width));
    const mean = f.local("f32");
    rowsOf(f, rows, moving(bytes, [x, y], [stats]), () => {
      f.set(mean, f32.const(0));
      f.if(isCentred, () => {
        const sum = zeroLanes(f);
        accumulate(f, bytes, [x.get], [{ lanes: sum, term: (at) => v128.load(at!) }]);
        f.set(mean, f32.div(total(f, sum), size));
      });
      const centre = hold(f, "v128", splat(mean.get));
      const squares = zeroLanes(f);
      accumulate(
        f,
        bytes,
        [x.get],
        [
          {
            lanes: squares,
            term: (at) => {
              const d = hold(f, "v128", sub(v128.load(at!), centre));
              return mul(d, d);
            },
          },
        ],
      );
      const variance = f32.add(f32.div(total(f, squares), size), epsilon);
      const factor = hold(f, "f32", f32.div(f32.const(1), f32.sqrt(variance)));
      f.emit(f32.store(stats.get, mean.get));
      f.emit(f32.store(i32.add(stats.get, i32.const(4)), factor));
      const spread = hold(f, "v128", splat(factor));
      const out = f.local("v128");
      eachRegister(f, bytes, [x.get, y.get, weight, bias], (xAt, yAt, weightAt, biasAt) => {
        f.set(out, mul(mul(sub(v128.load(xAt!), centre), spread), v128.load(weightAt!)));
        f.if(bias, () => f.set(out, add(out.get, v128.load(biasAt!))));
        f.emit(v128.store(yAt!, out.get));
      });
    });
  });
}

/** normaliseBack(rows, width, x, weight, stats, dy, dx, dWeight or 0, dBias or 0, isCentred) */
function addNormaliseBack(builder: WasmModuleBuilder): void {
  builder.function("normaliseBack", integers(10), null, (f) => {
    const [rows, width, , weight, , , , dWeight, dBias, isCentred] = codes(f, 10);
    const [x, stats, dy, dx] = [f.param(2), f.param(4), f.param(5), f.param(6)];
    const bytes = hold(f, "i32", bytesOf(width));
    const size = hold(f, "f32", f32.fromI32(width));
    rowsOf(f, rows, moving(bytes, [x, dy, dx], [stats]), () => {
      const mean = hold(f, "v128", splat(f32.load(stats.get)));
      const factor = hold(f, "v128", splat(f32.load(i32.add(stats.get, i32.const(4)))));
      const unit = (at: Code) => mul(sub(v128.load(at), mean), factor);
      const plain = zeroLanes(f);
      const along = zeroLanes(f);
      const g = f.local("v128");
      accumulate(
        f,
        bytes,
        [x.get, dy.get, weight],
        [
          {
            lanes: plain,
            term: (_, dyAt, weightAt) => {
              f.set(g, mul(v128.load(dyAt!), v128.load(weightAt!)));
              return g.get;
            },
          },
          { lanes: along, term: (xAt) => mul(g.get, unit(xAt!)) },
        ],
      );
      const meanPlain = f.local("f32");
      f.set(meanPlain, f32.const(0));
      f.if(isCentred, () => f.set(meanPlain, f32.div(total(f, plain), size)));
      const a = hold(f, "v128", splat(meanPlain.get));
      const b = hold(f, "v128", splat(f32.div(total(f, along), size)));
      const places = [x.get, weight, dy.get, dx.get, dWeight, dBias];
      eachRegister(f, bytes, places, (xAt, weightAt, dyAt, dxAt, dWeightAt, dBiasAt) => {
        const d = hold(f, "v128", v128.load(dyAt!));
        const u = hold(f, "v128", unit(xAt!));
        const slope = mul(sub(sub(mul(d, v128.load(weightAt!)), a), mul(u, b)), factor);
        f.emit(v128.store(dxAt!, add(v128.load(dxAt!), slope)));
        f.if(dWeight, () => f.emit(v128.store(dWeightAt!, add(v128.load(dWeightAt!), mul(d, u)))));
        f.if(dBias, () => f.emit(v128.store(dBiasAt!, add(v128.load(dBiasAt!), d))));
      });
    });
  });
}

/** softmax(rows, x, strideBytes, first, scale) */
function addSoftmax(builder: WasmModuleBuilder): WasmFunction {
  return builder.function("softmax", [...integers(4), "f32"], null, (f) => {
    const [rows, , stride, , scale] = codes(f, 5);
    const [x, first] = [f.param(1), f.param(3)];
    const max = f.local("f32");
    const one = i32.const(1);
    rowsOf(
      f,
      rows,
      [
        [x, stride],
        [first, one],
      ],
      () => {
        const valid = hold(f, "i32", i32.add(first.get, one));
        const end = hold(f, "i32", blockBytes(valid));
        f.set(max, f32.const(-3e38));
        range(f, x.get, i32.add(x.get, bytesOf(valid)), i32.const(4), (at) => {
          const value = hold(f, "f32", f32.mul(f32.load(at), scale));
          f.emit(f32.store(at, value));
          f.if(f32.gt(value, max.get), () => f.set(max, value));
        });
        exponentials(f, { x, end, max: max.get, valid, stride });
        const sum = zeroLanes(f);
        accumulate(f, end, [x.get], [{ lanes: sum, term: (at) => v128.load(at!) }]);
        const factor = hold(f, "v128", splat(f32.div(f32.const(1), total(f, sum))));
        eachRegister(f, end, [x.get], (at) => f.emit(v128.store(at!, mul(v128.load(at!), factor))));
      },
    );
  });
}

/** The row's numbers as e to them less `max`, up to `end`; 0 from `valid` numbers on. */
function exponentials(
  f: WasmFunction,
  { x, end, max, valid, stride }: { x: Local; end: Code; max: Code; valid: Code; stride: Code },
): void {
  const spread = hold(f, "v128", splat(max));
  eachRegister(f, end, [x.get], (at) => f.emit(v128.store(at!, exponential(f, sub(v128.load(at!), spread)))));
  clearFrom(f, x.get, valid, stride);
}

function clearFrom(f: WasmFunction, row: Code, valid: Code, stride: Code): void {
  range(f, i32.add(row, bytesOf(valid)), i32.add(row, stride), i32.const(4), (at) =>
    f.emit(f32.store(at, f32.const(0))),
  );
}

/** softmaxBack(rows, p, dp, strideBytes, first, scale) */
function addSoftmaxBack(builder: WasmModuleBuilder): void {
  builder.function("softmaxBack", [...integers(5), "f32"], null, (f) => {
    const [rows, , , stride] = codes(f, 4);
    const [p, dp, first] = [f.param(1), f.param(2), f.param(4)];
    const scale = hold(f, "v128", splat(f.param(5).get));
    const one = i32.const(1);
    rowsOf(
      f,
      rows,
      [
        [p, stride],
        [dp, stride],
        [first, one],
      ],
      () => {
        const valid = hold(f, "i32", i32.add(first.get, one));
        const end = hold(f, "i32", blockBytes(valid));
        clearFrom(f, dp.get, valid, stride);
        const sum = zeroLanes(f);
        accumulate(
          f,
          end,
          [dp.get, p.get],
          [{ lanes: sum, term: (dpAt, pAt) => mul(v128.load(dpAt!), v128.load(pAt!)) }],
        );
        const mean = hold(f, "v128", splat(total(f, sum)));
        eachRegister(f, end, [dp.get, p.get], (dpAt, pAt) => {
          f.emit(v128.store(dpAt!, mul(mul(sub(v128.load(dpAt!), mean), v128.load(pAt!)), scale)));
        });
      },
    );
  });
}

/** crossEntropy(rows, size, strideBytes, logits, targets, losses, weight) */
function addCrossEntropy(builder: WasmModuleBuilder): void {
  builder.function("crossEntropy", [...integers(6), "f32"], null, (f) => {
    const [rows, size, stride, , , , weight] = codes(f, 7);
    const [logits, targets, losses] = [f.param(3), f.param(4), f.param(5)];
    const four = i32.const(4);
    const max = f.local("f32");
    const end = hold(f, "i32", blockBytes(size));
    rowsOf(
      f,
      rows,
      [
        [logits, stride],
        [targets, four],
        [losses, four],
      ],
      () => {
        const target = hold(f, "i32", f32.toI32(f32.load(targets.get)));
        f.if(
          // Unsigned: a target below 0 is large.
          i32.geU(target, size),
          () => {
            clearFrom(f, logits.get, zero, stride);
            f.emit(f32.store(losses.get, f32.const(0)));
          },
          () => {
            const targetAt = hold(f, "i32", i32.add(logits.get, bytesOf(target)));
            const wanted = hold(f, "f32", f32.load(targetAt));
            f.set(max, f32.const(-3e38));
            range(f, logits.get, i32.add(logits.get, bytesOf(size)), four, (at) => {
              const value = hold(f, "f32", f32.load(at));
              f.if(f32.gt(value, max.get), () => f.set(max, value));
            });
            exponentials(f, { x: logits, end, max: max.get, valid: size, stride });
            const sum = zeroLanes(f);
            accumulate(f, end, [logits.get], [{ lanes: sum, term: (at) => v128.load(at!) }]);
            const all = total(f, sum);
            const factor = hold(f, "v128", splat(f32.div(weight, all)));
            const loss = f32.sub(f32.add(logarithm(f, all), max.get), wanted);
            f.emit(f32.store(losses.get, loss));
            eachRegister(f, end, [logits.get], (at) => f.emit(v128.store(at!, mul(v128.load(at!), factor))));
            f.emit(f32.store(targetAt, f32.sub(f32.load(targetAt), weight)));
          },
        );
      },
    );
  });
}

function codes(
  f: WasmFunction,
  count: number,
): Code[] & Record<number, Code> & [Code, Code, Code, Code, Code, Code, Code, Code, Code, Code] {
  return f.params.slice(0, count).map(({ get }) => get) as never;
}

/** Rows that move on by `bytes`, and pairs of statistics. */
function moving(bytes: Code, rows: readonly Local[], stats: readonly Local[]): [Local, Code][] {
  return [
    ...rows.map((local): [Local, Code] => [local, bytes]),
    ...stats.map((local): [Local, Code] => [local, i32.const(8)]),
  ];
}
