/**
 * Kernels over the scalar field for the first half of a proof: witness, matrix rows, transforms, quotient.
 * prove-steps.ts and transforms.ts call them. A vector holds its elements in pairs: limb i of both at 16 i of
 * the pair's 80 bytes. A table holds them one after the other, 40 bytes each.
 */
import { FieldKernel, type LimbValue, storedMax } from "@openledger/circuits/wasm/field-kernel";
import type { ConstantPool } from "@openledger/circuits/wasm/field-limbs";
import { elementBytes, elementR, scalarField } from "@openledger/circuits/wasm/field-limbs";
import { readIntegers, writeInteger } from "@openledger/circuits/wasm/integer-limbs";
import { invertMod } from "@openledger/foundation/modular";
import {
  type Code,
  f64,
  f64x2,
  i32,
  type Local,
  v128,
  type WasmFunction,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import { movePins } from "./coordinates.ts";

/** Bytes of two elements, one a lane. */
const pairBytes = 2 * elementBytes;
/** Bytes of a 256-bit integer. */
const integerBytes = 32;
/** Bound, in moduli, on vectors between the inverse transform's stages: their products are not reduced. */
const splitMax = 1.7;

/** Emits all functions; a comment above each lists its parameters, which are byte addresses or counts. */
export function addScalarFunctions(builder: WasmModuleBuilder, constants: ConstantPool): void {
  const define = (
    functionName: string,
    paramCount: number,
    emit: (kernel: FieldKernel, params: Local[], f: WasmFunction) => void,
  ) => {
    const types = Array.from({ length: paramCount }, () => "i32" as const);
    builder.function(functionName, types, null, (f) =>
      emit(new FieldKernel(f, scalarField, constants), [...f.params], f),
    );
  };
  const move = (f: WasmFunction, local: Local, by: Code) => f.set(local, i32.add(local.get, by));
  const moveBy = (f: WasmFunction, local: Local, by: number) => move(f, local, i32.const(by));
  const countDown = (f: WasmFunction, count: Local, body: () => void) =>
    f.while(count.get, () => {
      body();
      moveBy(f, count, -1);
    });

  // (integers, pairCount, table): integers as they are, without Montgomery's factor.
  define("frImportPlain", 3, (kernel, [source, count, out], f) => {
    countDown(f, count!, () => {
      const value = readIntegers(kernel, source!.get, i32.add(source!.get, i32.const(integerBytes)), 0, 1);
      kernel.scatter(out!.get, i32.add(out!.get, i32.const(elementBytes)), kernel.reduce(value));
      moveBy(f, source!, 2 * integerBytes);
      moveBy(f, out!, pairBytes);
    });
  });

  // (integers, pairCount, table, stride): a zkey's coefficients c * 2^512 become c * 2^510, so that their
  // product with a plain value is in Montgomery form.
  define("frImportCoefficients", 3, (kernel, [source, count, out], f) => {
    const factor = kernel.constantValue(elementR / 4n);
    countDown(f, count!, () => {
      const value = readIntegers(kernel, source!.get, i32.add(source!.get, i32.const(integerBytes)), 0, 1);
      const converted = kernel.reduce(kernel.mul(value, factor));
      kernel.scatter(out!.get, i32.add(out!.get, i32.const(elementBytes)), converted);
      moveBy(f, source!, 2 * integerBytes);
      moveBy(f, out!, pairBytes);
    });
  });

  // (rowEnds, firstRow, lastRow, terms, coefficients, values, vector): sums of coefficient * value over each
  // row's terms, an even number of them, each a pair of byte offsets. rowEnds[row - 1] is where a row begins.
  define("frRows", 7, (kernel, [rowEnds, row, lastRow, terms, coefficients, values, vector], f) => {
    const [at, end, target] = f.locals("i32", 3) as [Local, Local, Local];
    const sum = kernel.variable(storedMax);
    const rowEnd = (offset: number) =>
      i32.load(i32.add(rowEnds!.get, i32.shl(row!.get, i32.const(2))), offset);
    const term = (base: Local, offset: number) => i32.add(base.get, i32.load(at.get, offset));
    f.set(at, i32.add(terms!.get, i32.shl(rowEnd(0), i32.const(3))));
    f.while(i32.ltU(row!.get, lastRow!.get), () => {
      f.set(end, i32.add(terms!.get, i32.shl(rowEnd(4), i32.const(3))));
      kernel.assign(sum, kernel.bindAll(kernel.zero()));
      f.while(i32.ltU(at.get, end.get), () => {
        movePins(kernel, at.get);
        const coefficient = kernel.gather(term(coefficients!, 0), term(coefficients!, 8));
        const value = kernel.gather(term(values!, 4), term(values!, 12));
        const product = kernel.mul(kernel.bindAll(coefficient), kernel.bindAll(value));
        kernel.assign(sum, kernel.reduce(kernel.add(sum.value, product)));
        moveBy(f, at, 16);
      });
      const swapped: LimbValue = {
        ...sum.value,
        limbs: sum.value.limbs.map((limb) => v128.shuffle(limb, limb, upperFirst)),
      };
      const total = kernel.reduce(kernel.add(sum.value, swapped));
      f.set(
        target,
        i32.add(
          i32.add(vector!.get, i32.mul(i32.shrU(row!.get, i32.const(1)), i32.const(pairBytes))),
          i32.shl(i32.and(row!.get, i32.const(1)), i32.const(3)),
        ),
      );
      for (const [i, limb] of total.limbs.entries()) f.emit(v128.storeLane(0, target.get, limb, 16 * i));
      moveBy(f, row!, 1);
    });
  });

  // (a, b, out, pairCount): products
  define("frProducts", 4, (kernel, [a, b, out, count], f) => {
    countDown(f, count!, () => {
      movePins(kernel, out!.get);
      kernel.store(out!.get, kernel.reduce(kernel.mul(kernel.load(a!.get), kernel.load(b!.get))));
      for (const local of [a!, b!, out!]) moveBy(f, local, pairBytes);
    });
  });

  // (a, b, factors, pairCount): one stage of the inverse transform: a + b and (a - b) * factor, in place
  define("frSplitStage", 4, (kernel, [a, b, factors, count], f) => {
    countDown(f, count!, () => {
      movePins(kernel, a!.get);
      const [x, y] = [a!, b!].map((at) => kernel.bindAll(kernel.load(at.get, 0, splitMax))) as [
        LimbValue,
        LimbValue,
      ];
      const sum = kernel.reduce(kernel.add(x, y));
      const difference = kernel.normalize(kernel.sub(x, y));
      kernel.store(a!.get, sum);
      kernel.store(b!.get, kernel.mul(difference, kernel.load(factors!.get)), 0, splitMax);
      for (const local of [a!, b!, factors!]) moveBy(f, local, pairBytes);
    });
  });

  // (vector, pairCount): its last stage, within the pairs
  define("frSplitPairs", 2, (kernel, [vector, count], f) => {
    countDown(f, count!, () => {
      const value = kernel.bindAll(kernel.load(vector!.get, 0, splitMax));
      kernel.store(
        vector!.get,
        sumAndDifference(kernel, duplicate(value, lowerTwice), duplicate(value, upperTwice)),
      );
      moveBy(f, vector!, pairBytes);
    });
  });

  // (a, b, factors, pairCount): one stage of the transform: a + b * factor and a - b * factor, in place
  define("frJoinStage", 4, (kernel, [a, b, factors, count], f) => {
    countDown(f, count!, () => {
      movePins(kernel, a!.get);
      const x = kernel.bindAll(kernel.load(a!.get));
      const y = kernel.mul(kernel.load(b!.get), kernel.load(factors!.get));
      kernel.store(a!.get, kernel.reduce(kernel.add(x, y)));
      kernel.store(b!.get, kernel.reduce(kernel.sub(x, y)));
      for (const local of [a!, b!, factors!]) moveBy(f, local, pairBytes);
    });
  });

  // (vector, factor, pairCount): its first stage, within the pairs; the factor is in both lanes
  define("frJoinPairs", 3, (kernel, [vector, factor, count], f) => {
    countDown(f, count!, () => {
      const value = kernel.bindAll(kernel.load(vector!.get));
      const upper = kernel.mul(duplicate(value, upperTwice), kernel.load(factor!.get));
      kernel.store(vector!.get, sumAndDifference(kernel, duplicate(value, lowerTwice), upper));
      moveBy(f, vector!, pairBytes);
    });
  });

  // (a, b, c, scales, pairCount, integers): (a b - c * scales[0]) * scales[1] as integers below 2 r. The
  // first scale is in Montgomery form and the second one is not, which takes the product out of it.
  define("frQuotient", 6, (kernel, [a, b, c, scales, count, out], f) => {
    countDown(f, count!, () => {
      movePins(kernel, a!.get);
      const product = kernel.mul(kernel.load(a!.get), kernel.load(b!.get));
      const subtrahend = kernel.mul(kernel.load(c!.get), kernel.load(scales!.get));
      const difference = kernel.reduce(kernel.sub(product, subtrahend));
      const plain = kernel.reduce(kernel.mul(difference, kernel.load(scales!.get, pairBytes)));
      writeInteger(kernel, plain, 0, out!.get, 0);
      writeInteger(kernel, plain, 1, out!.get, integerBytes);
      for (const local of [a!, b!, c!]) moveBy(f, local, pairBytes);
      moveBy(f, out!, 2 * integerBytes);
    });
  });

  // (first, ratio, vector, pairCount): the powers first * ratio^j; `first` holds the first pair, `ratio` is
  // the ratio squared in both lanes.
  define("frPowers", 4, (kernel, [first, ratio, vector, count], f) => {
    const value = kernel.variable(storedMax);
    kernel.assign(value, kernel.load(first!.get));
    countDown(f, count!, () => {
      kernel.store(vector!.get, value.value);
      kernel.assign(value, kernel.reduce(kernel.mul(value.value, kernel.load(ratio!.get))));
      moveBy(f, vector!, pairBytes);
    });
  });

  function sumAndDifference(kernel: FieldKernel, x: LimbValue, y: LimbValue): LimbValue {
    const signs = f64x2.pair(f64.const(1), f64.const(-1));
    const sign = kernel.bind(signs);
    const limbs = x.limbs.map((limb, i) => kernel.bind(f64x2.madd(y.limbs[i]!, sign, limb)));
    const limbMax = x.limbMax.map((max, i) => max + y.limbMax[i]!);
    return kernel.reduce({ limbs, limbMax, valueMax: x.valueMax + y.valueMax });
  }

  function duplicate(value: LimbValue, bytes: readonly number[]): LimbValue {
    return { ...value, limbs: value.limbs.map((limb) => v128.shuffle(limb, limb, bytes)) };
  }
}

/** Bytes of a lane, for shuffles. */
const lane = (i: 0 | 1) => Array.from({ length: 8 }, (_, byte) => 8 * i + byte);
const upperFirst = [...lane(1), ...lane(0)];
const lowerTwice = [...lane(0), ...lane(0)];
const upperTwice = [...lane(1), ...lane(1)];

/** The inverse of a power of two in the scalar field. */
export function inverseScalar(value: bigint): bigint {
  return invertMod(value, scalarField.modulus);
}
