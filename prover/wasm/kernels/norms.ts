/**
 * Norms from G2's quadratic field to the base field, so that a batch of point additions inverts in the base
 * field in both groups (curve-kernel.ts).
 */
import { FieldKernel, storedMax } from "@openledger/circuits/wasm/field-kernel";
import { baseField, type ConstantPool, elementBytes } from "@openledger/circuits/wasm/field-limbs";
import {
  type Code,
  i32,
  type Local,
  type WasmFunction,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import {
  type BaseProducts,
  CoordinateKernel,
  callOnSlots,
  inverseMax,
  movePins,
  productMax,
  type Slot,
} from "./coordinates.ts";

/** G2's functions (out, a, b), each for operands up to certain bounds; see OutlinedProducts. */
export interface OutlinedNorms {
  /** The norm of a, reduced. */
  norm: WasmFunction;
  /** The product of two norms, in the base field. */
  product: WasmFunction;
  /** The conjugate of a times b, which may be at `out`. */
  conjugate: WasmFunction;
}

/** Emits G2's functions of norms. */
export function addOutlinedNorms(
  builder: WasmModuleBuilder,
  constants: ConstantPool,
  { product }: BaseProducts,
): OutlinedNorms {
  const define = (name: string, emit: (kernel: CoordinateKernel, out: Code, a: Code, b: Code) => void) =>
    builder.function(name, ["i32", "i32", "i32"], null, (f) => {
      const [out, a, b] = f.params as [Local, Local, Local];
      emit(new CoordinateKernel(new FieldKernel(f, baseField, constants), 2), out.get, a.get, b.get);
    });
  const norm = define("fq2Norm", (kernel, out, a) => {
    const { base } = kernel;
    movePins(base, out);
    base.store(out, base.reduce(base.sumOfSquares(kernel.load(a, 0, storedMax))));
  });
  const conjugate = define("fq2Conjugate", ({ base }, out, a, b) => {
    const [a1, out1] = [a, out].map((address) => i32.add(address, i32.const(2 * elementBytes))) as [
      Code,
      Code,
    ];
    base.store(out1, base.negate(base.load(a1)));
    base.f.emit(product.call(out1, out1, b));
    base.f.emit(product.call(out, a, b));
  });
  return { norm, product, conjugate };
}

/**
 * Values that a batch multiplies up and inverts for its differences d: in G1 d itself, in G2 the norm d0^2 +
 * d1^2, which is in the base field. 1 / d is then the conjugate d0 - d1 u over the norm. The norm is zero for
 * d = 0 alone, because the modulus is 3 modulo 4 and -1 therefore no square.
 */
export class Norms {
  /** Kernel of the base field. */
  readonly field: CoordinateKernel;
  readonly #outlined: OutlinedNorms | null;

  constructor(kernel: CoordinateKernel, outlined: OutlinedNorms | null) {
    this.#outlined = outlined;
    if (outlined === null) this.field = kernel;
    else {
      const mul = [{ aMax: productMax, bMax: productMax, call: outlined.product }];
      this.field = new CoordinateKernel(kernel.base, 1, { mul });
    }
  }

  /** Slot of a difference's norm: at `address` and `offset` in G2, the difference itself in G1. */
  slot(address: Code, offset: number, difference: Slot): Slot {
    return this.#outlined === null ? difference : { address, offset, valueMax: storedMax };
  }

  /** Writes the norm of a stored difference to its slot. */
  store(norm: Slot, difference: Slot): void {
    if (this.#outlined === null) return;
    callOnSlots(this.field.base.f, this.#outlined.norm, norm, difference, difference);
  }

  /** Writes a * b. @throws RangeError if that could be too large for the next product */
  runningProduct(address: Code, offset: number, a: Slot, b: Slot): void {
    const { valueMax } = this.field.mulSlots(address, offset, a, b);
    if (valueMax > productMax) throw new RangeError("running products outgrow their bound");
  }

  /**
   * Computes 1 / difference from 1 / norm, to be loaded from `address` and `offset` in G2; that may be where 1 / norm
   * is.
   */
  inverse(address: Code, offset: number, difference: Slot, normInverse: Slot): Slot {
    if (this.#outlined === null) return normInverse;
    const { base } = this.field;
    if (normInverse.valueMax > inverseMax) throw new RangeError("the inverse outgrows its bound");
    const inverse = {
      address,
      offset,
      valueMax: base.productBound(difference.valueMax * normInverse.valueMax),
    };
    callOnSlots(base.f, this.#outlined.conjugate, inverse, difference, normInverse);
    return inverse;
  }
}
