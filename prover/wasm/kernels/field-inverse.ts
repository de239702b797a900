/** WebAssembly kernel `fqInverse`: the inversion in the base field that a batch of point additions shares (curve-kernel.ts). */
import { FieldKernel, type LimbValue } from "@openledger/circuits/wasm/field-kernel";
import type { ConstantPool } from "@openledger/circuits/wasm/field-limbs";
import { baseField, elementR, limbBits, limbCount, limbRadix } from "@openledger/circuits/wasm/field-limbs";
import { bindI64, writeInteger } from "@openledger/circuits/wasm/integer-limbs";
import {
  f64,
  f64x2,
  i64,
  scratchAddress,
  v128,
  type WasmFunction,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import { addDivision, digitBits, integerAt, quotientDigits, quotientSign } from "./field-division.ts";

/** Byte order that swaps the two lanes. */
const upperFirst = Array.from({ length: 16 }, (_, byte) => (byte + 8) % 16);

/**
 * Emits `fqInverse`: inverts the two elements of the base field (reduced, one per lane, neither of them zero) at an
 * address, in place: the inverse of their product times the other one.
 */
export function addInverse(builder: WasmModuleBuilder, constants: ConstantPool): WasmFunction {
  const divide = addDivision(builder);
  return builder.function("fqInverse", ["i32"], null, (f) => {
    const address = f.param(0).get;
    const kernel = new FieldKernel(f, baseField, constants);
    const value = kernel.bindAll(kernel.load(address));
    const swapped = value.limbs.map((limb) => kernel.bind(v128.shuffle(limb, limb, upperFirst)));
    const other = { ...value, limbs: swapped };
    writeInteger(kernel, kernel.reduce(kernel.mul(value, other)), 0, scratchAddress, integerAt);
    f.emit(divide.call());
    // The division of a R gives 1 / (a R), and 1 / a in Montgomery form is that times R^2.
    const inverse = kernel.mul(readQuotient(kernel), kernel.constantValue(elementR ** 3n));
    kernel.store(address, kernel.reduce(kernel.mul(inverse, other)));
  });
}

/** Reads the result of the division, in both lanes. */
function readQuotient(kernel: FieldKernel): LimbValue {
  const sign = kernel.bind(f64x2.splat(f64.fromI64(quotientSign)));
  const limbs = Array.from({ length: limbCount }, (_, j) => {
    const parts = quotientDigits.flatMap((digit, i) => {
      const shift = digitBits * i - limbBits * j;
      if (shift <= -digitBits || shift >= limbBits) return [];
      return [
        shift >= 0 ? i64.shl(digit, i64.const(BigInt(shift))) : i64.shrU(digit, i64.const(BigInt(-shift))),
      ];
    });
    const bits = bindI64(kernel.f, parts.reduce(i64.or)).get;
    const limb = f64.fromI64(j < limbCount - 1 ? i64.and(bits, i64.const(limbRadix - 1n)) : bits);
    return kernel.bind(f64x2.mul(f64x2.splat(limb), sign));
  });
  const limbMax = limbs.map((_, j) => (j < limbCount - 1 ? Number(limbRadix) : 2 ** 52));
  return kernel.normalize({ limbs, limbMax, valueMax: 2 });
}
