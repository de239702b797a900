/** WebAssembly kernels that write points in the form of a zkey file: the last step of fixed-base.ts. */
import { FieldKernel, type LimbValue } from "@openledger/circuits/wasm/field-kernel";
import type { ConstantPool } from "@openledger/circuits/wasm/field-limbs";
import { baseField, elementBytes, limbBits, limbRadix, toLimbs } from "@openledger/circuits/wasm/field-limbs";
import {
  type Code,
  f64,
  f64x2,
  i32,
  i64,
  type Local,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import { g1Shape, g2Shape, referenceFlags } from "./curve-kernel.ts";

/** Bytes of a field element in a zkey, and bits of the words that it is written in. */
const fieldBytes = 32;
const wordBits = 64;

/**
 * Exports `g1ExportPoints` and `g2ExportPoints` (references, count, out): writes points as a zkey has them, affine in
 * Montgomery form with R = 2^256 and below the modulus. Reference 0 is the point at infinity, which is all zeros; a
 * reference to the endomorphism's image is not understood.
 */
export function addPointExports(builder: WasmModuleBuilder, constants: ConstantPool): void {
  for (const shape of [g1Shape, g2Shape]) {
    builder.function(`${shape.name}ExportPoints`, ["i32", "i32", "i32"], null, (f) => {
      const [references, count, out] = f.params as [Local, Local, Local];
      const kernel = new FieldKernel(f, baseField, constants);
      const [reference, source] = f.locals("i32", 2) as [Local, Local];
      const sign = f.local("f64");
      const pointBytes = 2 * fieldBytes * shape.degree;
      f.while(count.get, () => {
        f.set(reference, i32.load(references.get));
        for (let at = 0; at < pointBytes; at += 8) f.emit(i64.store(out.get, i64.const(0n), at));
        f.if(reference.get, () => {
          f.set(source, i32.and(reference.get, i32.const(-4)));
          const flag = i32.and(reference.get, i32.const(referenceFlags.negative));
          f.set(sign, f64.fromI32(i32.sub(i32.const(1), i32.shl(flag, i32.const(1)))));
          for (let pair = 0; pair < shape.degree; pair++) {
            // (x, y) of G1; (x0, x1) and (y0, y1) of G2.
            const isY = shape.degree === 2 && pair === 1;
            const lower = isY ? sign.get : f64.const(1);
            const upper = shape.degree === 1 || isY ? sign.get : f64.const(1);
            const signs = kernel.bind(f64x2.pair(lower, upper));
            const read = kernel.gather(
              source.get,
              i32.add(source.get, i32.const(elementBytes)),
              2 * elementBytes * pair,
            );
            const value = { ...read, limbs: read.limbs.map((limb) => kernel.bind(f64x2.mul(limb, signs))) };
            // The kernels have a * 2^255.
            const doubled = kernel.reduce(kernel.add(value, value));
            for (const lane of [0, 1] as const)
              writeResidue(kernel, doubled, lane, out, fieldBytes * (2 * pair + lane));
          }
        });
        f.set(references, i32.add(references.get, i32.const(4)));
        f.set(out, i32.add(out.get, i32.const(pointBytes)));
        f.set(count, i32.sub(count.get, i32.const(1)));
      });
    });
  }
}

/**
 * Stores one lane of a reduced value as an integer from 0 to the modulus - 1: a negative one gets the modulus added,
 * and since reduced values are below 0.51 moduli either way, that is all.
 */
function writeResidue(
  kernel: FieldKernel,
  value: LimbValue,
  lane: 0 | 1,
  address: Local,
  offset: number,
): void {
  if (value.valueMax > 0.99) throw new RangeError("not reduced");
  const { f } = kernel;
  const top = value.limbs.length - 1;
  const limbs = f.locals("i64", value.limbs.length);
  const [carry, isNegative] = f.locals("i64", 2) as [Local, Local];
  const propagate = (add: (i: number) => Code) => {
    f.set(carry, i64.const(0n));
    for (const [i, limb] of limbs.entries()) {
      f.set(limb, i64.add(add(i), carry.get));
      if (i === top) break;
      f.set(carry, i64.shrS(limb.get, i64.const(BigInt(limbBits))));
      f.set(limb, i64.and(limb.get, i64.const(limbRadix - 1n)));
    }
  };
  propagate((i) => i64.truncF64(f64x2.lane(lane, value.limbs[i]!)));
  // All limbs but the last are positive now, so that its sign is the value's: all ones or nothing.
  f.set(isNegative, i64.shrS(limbs[top]!.get, i64.const(63n)));
  const modulusLimbs = toLimbs(kernel.field.modulus);
  propagate((i) => i64.add(limbs[i]!.get, i64.and(isNegative.get, i64.const(BigInt(modulusLimbs[i]!)))));
  for (let word = 0; word < fieldBytes / 8; word++) {
    const parts = limbs.flatMap((limb, i) => {
      const shift = i * limbBits - word * wordBits;
      if (shift >= wordBits || shift <= -limbBits) return [];
      return [
        shift >= 0
          ? i64.shl(limb.get, i64.const(BigInt(shift)))
          : i64.shrU(limb.get, i64.const(BigInt(-shift))),
      ];
    });
    f.emit(i64.store(address.get, parts.reduce(i64.or), offset + 8 * word));
  }
}
