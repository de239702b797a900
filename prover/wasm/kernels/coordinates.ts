import { FieldKernel, type LimbValue, storedMax } from "@openledger/circuits/wasm/field-kernel";
import type { ConstantPool } from "@openledger/circuits/wasm/field-limbs";
import { baseField, elementBytes } from "@openledger/circuits/wasm/field-limbs";
import {
  type Code,
  f64x2,
  i32,
  type Local,
  v128,
  type WasmFunction,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";

/** A coordinate: one element of the base field for G1, real and imaginary part for G2. */
export type Coordinate = readonly LimbValue[];

interface CoordinateVariable {
  readonly parts: readonly { locals: Local[]; value: LimbValue }[];
  readonly value: Coordinate;
}

/** Where a coordinate is, for both lanes, and its bound in moduli. */
export interface Slot {
  address: Code;
  offset: number;
  valueMax: number;
}

/**
 * Products in functions of their own, by address: V8 makes much slower code of several of G2's products in
 * one function (measured: 510 against 400 ns an addition). Each takes operands up to certain bounds.
 */
export interface OutlinedProducts {
  mul: readonly { aMax: number; bMax: number; call: WasmFunction }[];
  square?: { max: number; call: WasmFunction };
}

export function addOutlinedProducts(builder: WasmModuleBuilder, constants: ConstantPool): OutlinedProducts {
  const define = (name: string, emit: (kernel: CoordinateKernel, a: Code, b: Code) => Coordinate) =>
    builder.function(name, ["i32", "i32", "i32"], null, (f) => {
      const [out, a, b] = f.params as [Local, Local, Local];
      const kernel = new CoordinateKernel(new FieldKernel(f, baseField, constants), 2);
      kernel.park(out.get, emit(kernel, a.get, b.get), 0);
    });
  const [aMax, bMax] = [1.5, storedMax];
  const mul = define("fq2Mul", (kernel, a, b) =>
    kernel.mul(kernel.load(a, 0, aMax), kernel.load(b, 0, bMax)),
  );
  const square = define("fq2Square", (kernel, a) => kernel.square(kernel.load(a, 0, storedMax)));
  return { mul: [{ aMax, bMax, call: mul }], square: { max: storedMax, call: square } };
}

/** Emits a call of a function (out, a, b) on slots. */
export function callOnSlots(
  f: WasmFunction,
  call: WasmFunction,
  out: Omit<Slot, "valueMax">,
  a: Slot,
  b: Slot,
): void {
  f.emit(call.call(...[out, a, b].map(({ address, offset }) => i32.add(address, i32.const(offset)))));
}

/** Coordinate arithmetic of both groups over one field kernel: degree 1 for G1, 2 for G2 with u^2 = -1. */
export class CoordinateKernel {
  readonly base: FieldKernel;
  readonly degree: 1 | 2;
  readonly #outlined: OutlinedProducts | null;

  constructor(base: FieldKernel, degree: 1 | 2, outlined: OutlinedProducts | null = null) {
    this.base = base;
    this.degree = degree;
    this.#outlined = outlined;
  }

  #each(make: (part: number) => LimbValue): Coordinate {
    return Array.from({ length: this.degree }, (_, part) => make(part));
  }

  load(address: Code, offset: number, valueMax: number): Coordinate {
    return this.#each((part) => this.base.load(address, offset + 2 * elementBytes * part, valueMax));
  }

  gather(lower: Code, upper: Code): Coordinate {
    return this.#each((part) => this.base.bindAll(this.base.gather(lower, upper, elementBytes * part)));
  }

  store(address: Code, value: Coordinate, offset: number, valueMax: number): void {
    for (const [part, limbs] of value.entries())
      this.base.store(address, limbs, offset + 2 * elementBytes * part, valueMax);
  }

  /**
   * Keeps a value in memory instead of in locals. V8 gives long functions' locals poor places; a value that
   * is next used after another product is better off here.
   */
  park(address: Code, value: Coordinate, offset: number): Coordinate {
    return value.map((limbs, part) => this.base.park(address, limbs, offset + 2 * elementBytes * part));
  }

  scatter(lower: Code, upper: Code, value: Coordinate, offset: number): void {
    for (const [part, limbs] of value.entries())
      this.base.scatter(lower, upper, limbs, offset + elementBytes * part);
  }

  variable(valueMax: number): CoordinateVariable {
    const parts = Array.from({ length: this.degree }, () => this.base.variable(valueMax));
    return { parts, value: parts.map((part) => part.value) };
  }

  assign(variable: CoordinateVariable, value: Coordinate): void {
    for (const [i, part] of variable.parts.entries()) this.base.assign(part, value[i]!);
  }

  one(): Coordinate {
    return this.#each((part) => (part === 0 ? this.base.one() : this.base.zero()));
  }

  bindAll(value: Coordinate): Coordinate {
    return value.map((part) => this.base.bindAll(part));
  }

  add(a: Coordinate, b: Coordinate): Coordinate {
    return this.#each((part) => this.base.add(a[part]!, b[part]!));
  }

  sub(a: Coordinate, b: Coordinate): Coordinate {
    return this.#each((part) => this.base.sub(a[part]!, b[part]!));
  }

  /** a times 1 or -1. */
  withSign(a: Coordinate, sign: Code): Coordinate {
    return a.map((part) => ({
      ...part,
      limbs: part.limbs.map((limb) => this.base.bind(f64x2.mul(limb, sign))),
    }));
  }

  normalize(a: Coordinate): Coordinate {
    return a.map((part) => this.base.normalize(part));
  }

  reduce(a: Coordinate): Coordinate {
    return a.map((part) => this.base.reduce(part));
  }

  loadSlot({ address, offset, valueMax }: Slot): Coordinate {
    return this.load(address, offset, valueMax);
  }

  /** a * b, to be loaded from `address` and `offset`. */
  mulSlots(address: Code, offset: number, a: Slot, b: Slot): Slot {
    if (this.#outlined === null) {
      const [product] = this.park(address, this.mul(this.loadSlot(a), this.loadSlot(b)), offset);
      return { address, offset, valueMax: product!.valueMax };
    }
    for (const { aMax, bMax, call } of this.#outlined.mul) {
      const fits = (x: Slot, y: Slot) => x.valueMax <= aMax && y.valueMax <= bMax;
      if (!fits(a, b) && !fits(b, a)) continue;
      const [x, y] = fits(a, b) ? [a, b] : [b, a];
      callOnSlots(this.base.f, call, { address, offset }, x, y);
      return { address, offset, valueMax: this.base.productBound(this.degree * a.valueMax * b.valueMax) };
    }
    throw new RangeError(`no product of ${a.valueMax} and ${b.valueMax} moduli`);
  }

  squareSlot(address: Code, offset: number, a: Slot): Slot {
    const outlined = this.#outlined?.square;
    if (outlined === undefined || a.valueMax > outlined.max) {
      const [square] = this.park(address, this.square(this.loadSlot(a)), offset);
      return { address, offset, valueMax: square!.valueMax };
    }
    callOnSlots(this.base.f, outlined.call, { address, offset }, a, a);
    // (a0 + a1) (a0 - a1) and 2 a0 a1
    return { address, offset, valueMax: this.base.productBound(4 * a.valueMax * a.valueMax) };
  }

  mul(a: Coordinate, b: Coordinate): Coordinate {
    const [a0, a1] = a;
    const [b0, b1] = b;
    if (a1 === undefined || b1 === undefined) return [this.base.mul(a0!, b0!)];
    return [
      this.base.sumOfProducts([
        { a: a0!, b: b0! },
        { a: a1, b: b1, isNegative: true },
      ]),
      this.base.sumOfProducts([
        { a: a0!, b: b1 },
        { a: a1, b: b0! },
      ]),
    ];
  }

  square(a: Coordinate): Coordinate {
    const [a0, a1] = a;
    if (a1 === undefined) return [this.base.square(a0!)];
    const sum = this.base.normalize(this.base.add(a0!, a1));
    const difference = this.base.normalize(this.base.sub(a0!, a1));
    const doubled = this.base.normalize(this.base.add(a0!, a0!));
    return [this.base.mul(sum, difference), this.base.mul(doubled, a1)];
  }

  /** Lanes, as masks, where a reduced value is zero. */
  zeroMask(reduced: Coordinate): Code {
    const limbs = reduced.flatMap((part) => part.limbs);
    if (reduced.some((part) => part.valueMax > storedMax)) throw new RangeError("not reduced");
    return limbs.map((limb) => f64x2.eq(limb, v128.zero)).reduce((all, one) => v128.and(all, one));
  }

  /** The lanes of a where the mask is set, those of b elsewhere. */
  select(a: Coordinate, b: Coordinate, mask: Code): Coordinate {
    return a.map((part, i) => {
      const other = b[i]!;
      return {
        limbs: part.limbs.map((limb, j) => this.base.bind(v128.bitselect(limb, other.limbs[j]!, mask))),
        limbMax: part.limbMax.map((max, j) => Math.max(max, other.limbMax[j]!)),
        valueMax: Math.max(part.valueMax, other.valueMax),
      };
    });
  }
}
