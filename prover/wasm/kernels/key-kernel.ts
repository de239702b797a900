/**
 * WebAssembly kernels that read a proving key's points into memory, in the form that point additions take; key-loader.ts calls
 * them.
 */
import { FieldKernel } from "@openledger/circuits/wasm/field-kernel";
import type { ConstantPool } from "@openledger/circuits/wasm/field-limbs";
import { baseField, elementBytes, elementR } from "@openledger/circuits/wasm/field-limbs";
import { readIntegers } from "@openledger/circuits/wasm/integer-limbs";
import { i32, i64, type Local, v128, type WasmModuleBuilder } from "@openledger/foundation/wasm/assembler";
import { g1Shape, g2Shape } from "./curve-kernel.ts";

/** Bytes of a field element in a zkey. */
const fieldBytes = 32;

/**
 * Exports `g1ImportPoints` and `g2ImportPoints` (source, count, out, indices, firstIndex): converts a
 * zkey's affine points to the kernels' form, leaves out those at infinity, writes the index of each of
 * the others, and returns their number.
 */
export function addPointImports(
  builder: WasmModuleBuilder,
  constants: ConstantPool,
  betas: { g1: bigint; g2: bigint },
): void {
  for (const [shape, beta] of [
    [g1Shape, betas.g1],
    [g2Shape, betas.g2],
  ] as const) {
    builder.function(`${shape.name}ImportPoints`, ["i32", "i32", "i32", "i32", "i32"], "i32", (f) => {
      const [source, count, out, indices, index] = f.params as [Local, Local, Local, Local, Local];
      const kernel = new FieldKernel(f, baseField, constants);
      // A zkey has a * 2^256; the kernels want a * 2^255, and a product divides by 2^255.
      const rescale = kernel.constantValue(elementR / 2n);
      const start = f.local("i32");
      f.set(start, indices.get);
      const elementCount = 2 * shape.degree;
      f.while(count.get, () => {
        const words = Array.from({ length: 4 * elementCount }, (_, i) => i64.load(source.get, 8 * i));
        f.if(i64.ne(words.reduce(i64.or), i64.const(0n)), () => {
          for (let pair = 0; pair < shape.degree; pair++) {
            const integers = readIntegers(
              kernel,
              source.get,
              i32.add(source.get, i32.const(fieldBytes)),
              2 * fieldBytes * pair,
              1,
            );
            const converted = kernel.reduce(kernel.mul(integers, rescale));
            const at = 2 * elementBytes * pair;
            kernel.scatter(out.get, i32.add(out.get, i32.const(elementBytes)), converted, at);
            if (pair === 0) {
              // (x, y) of G1: only x is wanted; (x0, x1) of G2: both are.
              const image = kernel.reduce(kernel.mul(converted, kernel.constantValue(beta * elementR)));
              for (const [i, limb] of image.limbs.entries()) {
                f.emit(v128.storeLane(0, out.get, limb, shape.pointBytes + 8 * i));
                if (shape.degree === 2)
                  f.emit(v128.storeLane(1, out.get, limb, shape.pointBytes + elementBytes + 8 * i));
              }
            }
          }
          f.emit(i32.store(indices.get, index.get));
          f.set(indices, i32.add(indices.get, i32.const(4)));
          f.set(out, i32.add(out.get, i32.const(shape.keyPointBytes)));
        });
        f.set(source, i32.add(source.get, i32.const(fieldBytes * elementCount)));
        f.set(index, i32.add(index.get, i32.const(1)));
        f.set(count, i32.sub(count.get, i32.const(1)));
      });
      f.emit(i32.shrU(i32.sub(indices.get, start.get), i32.const(2)));
    });
  }
}
