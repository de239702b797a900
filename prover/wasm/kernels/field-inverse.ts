import { FieldKernel, storedMax } from "@openledger/circuits/wasm/field-kernel";
import type { ConstantPool } from "@openledger/circuits/wasm/field-limbs";
import { baseField, elementBytes } from "@openledger/circuits/wasm/field-limbs";
import {
  i32,
  type Local,
  scratchAddress,
  type WasmFunction,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";

const windowBits = 4;
/** The first bytes of an instance's scratch are the kernels' own; then come the powers. */
const powersAt = 64;
export const inverseScratchBytes = powersAt + (1 << windowBits) * 2 * elementBytes;

/**
 * Inverts the two elements of the base field (reduced, one per lane) at an address, in place, as a^(q - 2). The inverse
 * of zero comes out as zero.
 */
export function addInverse(builder: WasmModuleBuilder, constants: ConstantPool): WasmFunction {
  const pairBytes = 2 * elementBytes;
  // (out, a, b): out = a * b
  const mul = builder.function("fqMul", ["i32", "i32", "i32"], null, (f) => {
    const [out, a, b] = f.params as [Local, Local, Local];
    const kernel = new FieldKernel(f, baseField, constants);
    kernel.store(out.get, kernel.reduce(kernel.mul(kernel.load(a.get), kernel.load(b.get))));
  });
  const squarings = builder.function("fqSquareWindow", ["i32"], null, (f) => {
    const kernel = new FieldKernel(f, baseField, constants);
    const value = kernel.variable(storedMax);
    kernel.assign(value, kernel.load(f.param(0).get));
    const left = f.local("i32");
    f.set(left, i32.const(windowBits));
    f.doWhile(
      () => {
        kernel.assign(value, kernel.reduce(kernel.square(value.value)));
        f.set(left, i32.sub(left.get, i32.const(1)));
      },
      () => left.get,
    );
    kernel.store(f.param(0).get, value.value);
  });
  return builder.function("fqInverse", ["i32"], null, (f) => {
    const value = f.param(0);
    const kernel = new FieldKernel(f, baseField, constants);
    const power = (exponent: number) => i32.add(scratchAddress, i32.const(powersAt + exponent * pairBytes));
    kernel.store(power(0), kernel.bindAll(kernel.one()));
    kernel.store(power(1), kernel.load(value.get));
    for (let i = 2; i < 1 << windowBits; i++) f.emit(mul.call(power(i), power(i - 1), value.get));
    const digits = (baseField.modulus - 2n).toString(1 << windowBits);
    for (const [i, digit] of [...digits].entries()) {
      const exponent = Number.parseInt(digit, 1 << windowBits);
      if (i === 0) {
        kernel.store(value.get, kernel.load(power(exponent)));
        continue;
      }
      f.emit(squarings.call(value.get));
      if (exponent !== 0) f.emit(mul.call(value.get, value.get, power(exponent)));
    }
  });
}
