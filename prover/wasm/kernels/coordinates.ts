/**
 * Coordinate arithmetic of both groups, G1 over the base field and G2 over its quadratic extension with u² =
 * −1, as emitted WebAssembly. curve-kernel.ts adds points with it. Bounds are in units of the modulus.
 */
import { FieldKernel, type LimbValue, storedMax } from "@openledger/circuits/wasm/field-kernel";
import type { ConstantPool } from "@openledger/circuits/wasm/field-limbs";
import { baseField, elementBytes } from "@openledger/circuits/wasm/field-limbs";
import {
  type Code,
  f64x2,
  i32,
  type Local,
  scratchAddress,
  v128,
  type WasmFunction,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";

/** Scratch bytes of each instance. The inversion's memory comes first, see field-division.ts. */
export const scratchBytes = 4096;
/** Offset of the operands of products in the scratch. */
export const operandsAt = 1024;
/** Pins are in the scratch's second half, at multiples of 16. */
const lastPinAt = scratchBytes - 16;
const pinsMask = scratchBytes / 2 - 16;

/**
 * Moves a kernel's pins against an address that changes from step to step. A processor takes a store for one to any
 * address with the same lowest 12 bits: pins at one place made all reads of the word of the stack wait that lay there
 * by chance, and one process of fifteen took half as long again for its additions, or more.
 */
export function movePins(kernel: FieldKernel, address: Code): void {
  kernel.pinAt(i32.sub(i32.add(scratchAddress, i32.const(lastPinAt)), i32.and(address, i32.const(pinsMask))));
}

/** A coordinate: one element of the base field for G1, real and imaginary part for G2. */
export type Coordinate = readonly LimbValue[];

interface CoordinateVariable {
  readonly parts: readonly { locals: Local[]; value: LimbValue }[];
  readonly value: Coordinate;
}

/** Location of a coordinate, for both lanes, and its bound in moduli. */
export interface Slot {
  address: Code;
  offset: number;
  valueMax: number;
}

/**
 * Products in functions of their own, by address: V8 makes much slower code of several of G2's products in one
 * function (measured: 510 against 400 ns an addition). Each takes operands up to certain bounds, none of which may be
 * at `out`.
 */
export interface OutlinedProducts {
  mul: readonly { aMax: number; bMax: number; call: WasmFunction }[];
  square?: { max: number; call: WasmFunction };
}

/**
 * Bounds on the operands of `product`, in moduli: on running products, and on the products of two of them.
 */
export const productMax = 2;
/** Bound on the inverse of a norm, the second operand of `product`. */
export const inverseMax = 2.6;

/**
 * Products of the base field that those of G2 call, so that a loop over all of them stays within the caches for code.
 * Where more code than that was inlined, an addition took 265 to 430 ns, by where V8 had placed it.
 */
export interface BaseProducts {
  /** (out, a, b): a * b, for a up to productMax and b up to inverseMax. `out` may be where an operand is. */
  product: WasmFunction;
  /** (out, a, b, c, d): a * b + c * d */
  sum: WasmFunction;
}

/** Bounds on the factors of G2's products. */
const [aMax, bMax] = [1.5, storedMax];

/** Emits the products of the base field that G2's functions call. */
export function addBaseProducts(builder: WasmModuleBuilder, constants: ConstantPool): BaseProducts {
  const define = (name: string, bounds: readonly number[]) =>
    builder.function(name, Array<"i32">(bounds.length + 1).fill("i32"), null, (f) => {
      const base = new FieldKernel(f, baseField, constants);
      const [out, ...operands] = f.params.map(({ get }) => get);
      movePins(base, out!);
      const [a, b, c, d] = operands.map((operand, i) => base.load(operand, 0, bounds[i]!));
      const terms = [{ a: a!, b: b! }, ...(c && d ? [{ a: c, b: d }] : [])];
      base.park(out!, base.sumOfProducts(terms), 0);
    });
  return {
    product: define("fqProduct", [productMax, inverseMax]),
    sum: define("fqProductSum", [aMax, bMax, aMax, bMax]),
  };
}

/** Emits G2's product and square as functions. */
export function addOutlinedProducts(
  builder: WasmModuleBuilder,
  constants: ConstantPool,
  { product, sum }: BaseProducts,
): OutlinedProducts {
  const next = 2 * elementBytes;
  const plus = (address: Code, offset: number) => i32.add(address, i32.const(offset));
  const operand = (i: number) => plus(scratchAddress, operandsAt + i * next);
  const define = (name: string, emit: (base: FieldKernel, out: Code, a: Code, b: Code) => void) =>
    builder.function(name, ["i32", "i32", "i32"], null, (f) => {
      const [out, a, b] = f.params.map(({ get }) => get);
      emit(new FieldKernel(f, baseField, constants), out!, a!, b!);
    });
  const mul = define("fq2Mul", (base, out, a, b) => {
    base.store(operand(0), base.negate(base.load(a, next, aMax)), 0, aMax);
    base.f.emit(sum.call(out, a, b, operand(0), plus(b, next)));
    base.f.emit(sum.call(plus(out, next), a, plus(b, next), plus(a, next), b));
  });
  const square = define("fq2Square", (base, out, a) => {
    const [a0, a1] = [base.bindAll(base.load(a)), base.bindAll(base.load(a, next))];
    for (const [i, value] of [base.add(a0, a1), base.sub(a0, a1), base.add(a0, a0)].entries())
      base.store(operand(i), base.normalize(value), 0, productMax);
    base.f.emit(product.call(out, operand(0), operand(1)));
    base.f.emit(product.call(plus(out, next), operand(2), plus(a, next)));
  });
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
   * Stores a value in memory instead of in locals. V8 gives long functions' locals poor places; a value that
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
