/**
 * Emitter of field arithmetic as WebAssembly SIMD code, on two elements at once, one in each lane of a v128. Poseidon,
 * signatures and the prover's curve, transforms and keys are built of it.
 *
 * A product a * b of limbs is added to a column exactly: with h = 1.5 * 2^103, whose last bit stands for
 * 2^51, `h' = fma(a, b, h)` takes the multiple of 2^51 nearest to the product, and `fma(a, b, h - h')` is
 * the rest, at most 2^50. Chains of such steps keep h' and sum up the rests.
 *
 * Every value carries bounds on its limbs and on itself, and every step checks them while the code is
 * generated: sums of rests stay below 2^53 and chains within [2^103, 2^104], where doubles are exact.
 * A kernel that could overflow is not generated at all. Loads state the bounds that the stores assured.
 */
import { invertMod } from "@openledger/foundation/modular";
import {
  type Code,
  f64x2,
  type Local,
  scratchAddress,
  v128,
  type WasmFunction,
} from "@openledger/foundation/wasm/assembler";
import {
  Column,
  chainStart,
  checkExact,
  exactMax,
  half,
  type Product,
  radix,
  type Sum,
} from "./column-sum.ts";
import type { ConstantPool } from "./field-limbs.ts";
import {
  balancedResidue,
  elementR,
  limbBits,
  limbCount,
  limbRadix,
  type PrimeField,
  toLimbs,
} from "./field-limbs.ts";

/** A field element in both lanes: code for each limb, with bounds. */
export interface LimbValue {
  limbs: readonly Code[];
  /** Bounds on the limbs' absolute values. */
  limbMax: readonly number[];
  /** Bound on the absolute value, in units of the modulus. */
  valueMax: number;
}

/** Added to a double below 2^51 and subtracted again, it rounds to the nearest integer. */
const integerMagic = 1.5 * 2 ** 52;

/** Bound of stored elements, in units of the modulus. Their limbs are as `normalize` leaves them. */
export const storedMax = 0.51;

/** A summand a * b of a sum of products. */
interface Term {
  a: LimbValue;
  b: LimbValue;
  isNegative?: boolean;
}

/** Emits one function's arithmetic over one field. */
export class FieldKernel {
  readonly f: WasmFunction;
  readonly field: PrimeField;
  readonly #constants: ConstantPool;
  readonly #scratch: Local;
  readonly #start: Local;
  readonly #modulusLimbs: number[];
  readonly #foldLimbs: number[][];
  readonly #foldMax: number;
  readonly #quotientFactor: number;
  readonly #modulusTop: number;

  constructor(f: WasmFunction, field: PrimeField, constants: ConstantPool) {
    const { modulus } = field;
    this.f = f;
    this.#scratch = f.local("i32");
    f.set(this.#scratch, scratchAddress);
    this.#start = f.local("v128");
    f.set(this.#start, constants.load(chainStart));
    this.field = field;
    this.#constants = constants;
    this.#modulusLimbs = toLimbs(modulus);
    // Limb i, for i < 4, counts as limb * 2^(51 (i - 4)) four columns further up.
    const folds = [0, 1, 2, 3].map((i) =>
      balancedResidue(invertMod(1n << BigInt(limbBits * (limbCount - 1 - i)), modulus), modulus),
    );
    this.#foldLimbs = folds.map(toLimbs);
    const ratio = (value: bigint) =>
      Number(((value < 0n ? -value : value) * 10_000_000n) / modulus) / 1e7 + 1e-6;
    this.#foldMax = folds.reduce((sum, fold) => sum + ratio(fold), 0);
    this.#quotientFactor = Number(balancedResidue(-invertMod(modulus, limbRadix), limbRadix));
    this.#modulusTop = Number(modulus) / 2 ** (limbBits * (limbCount - 1));
  }

  /** Code for the value in both lanes. */
  constant(value: number): Code {
    return value === chainStart ? this.#start.get : this.#constants.load(value);
  }

  /** Evaluates once, for use as often as one likes. */
  bind(code: Code): Code {
    const local = this.f.local("v128");
    this.f.set(local, code);
    return local.get;
  }

  /**
   * Makes the engine compute the code here: it is stored, and V8 keeps the order of stores and loads. Left
   * alone, V8 moves all of a kernel's loads to its beginning and then spills them, which costs half of the
   * speed.
   */
  pin(code: Code): void {
    this.f.emit(v128.store(this.#scratch.get, code));
  }

  /** Sets the address at which `pin` stores: 16 bytes that are not read. */
  pinAt(address: Code): void {
    this.f.set(this.#scratch, address);
  }

  bindAll(value: LimbValue): LimbValue {
    return { ...value, limbs: value.limbs.map((limb) => this.bind(limb)) };
  }

  /** Bounds of normalized limbs for a value below valueMax times the modulus. */
  bounds(valueMax: number): Pick<LimbValue, "limbMax" | "valueMax"> {
    const limbMax = Array.from({ length: limbCount }, () => half + 8);
    limbMax[limbCount - 1] = valueMax * this.#modulusTop + 4;
    return { limbMax, valueMax };
  }

  /** A value from memory: limb i of both lanes at address + offset + i * stride. Not evaluated yet. */
  load(address: Code, offset = 0, valueMax = storedMax): LimbValue {
    const limbs = Array.from({ length: limbCount }, (_, i) => v128.load(address, offset + 16 * i));
    return { limbs, ...this.bounds(valueMax) };
  }

  /** The two lanes from two elements that lie apart. */
  gather(lower: Code, upper: Code, offset = 0, valueMax = storedMax): LimbValue {
    const limbs = Array.from({ length: limbCount }, (_, i) =>
      v128.loadUpper(upper, v128.loadZero(lower, offset + 8 * i), offset + 8 * i),
    );
    return { limbs, ...this.bounds(valueMax) };
  }

  constantValue(value: bigint): LimbValue {
    const reduced = balancedResidue(value, this.field.modulus);
    return { limbs: toLimbs(reduced).map((limb) => this.constant(limb)), ...this.bounds(0.5) };
  }

  one(): LimbValue {
    return this.constantValue(elementR);
  }

  zero(): LimbValue {
    return this.constantValue(0n);
  }

  store(address: Code, value: LimbValue, offset = 0, valueMax = storedMax): void {
    this.#checkNormalized(value, valueMax);
    for (const [i, limb] of value.limbs.entries()) this.f.emit(v128.store(address, limb, offset + 16 * i));
  }

  /** Stores any value, and returns the loads that read it back. */
  park(address: Code, value: LimbValue, offset: number): LimbValue {
    for (const [i, limb] of value.limbs.entries()) this.f.emit(v128.store(address, limb, offset + 16 * i));
    return { ...value, limbs: value.limbs.map((_, i) => v128.load(address, offset + 16 * i)) };
  }

  /** Stores the lanes as two elements that lie apart. */
  scatter(lower: Code, upper: Code, value: LimbValue, offset = 0, valueMax = storedMax): void {
    this.#checkNormalized(value, valueMax);
    for (const [i, limb] of value.limbs.entries()) {
      this.f.emit(v128.storeLane(0, lower, limb, offset + 8 * i));
      this.f.emit(v128.storeLane(1, upper, limb, offset + 8 * i));
    }
  }

  /** Holds a value in locals, to be assigned again in a loop. */
  variable(valueMax: number): { locals: Local[]; value: LimbValue } {
    const locals = this.f.locals("v128", limbCount);
    return { locals, value: { limbs: locals.map((local) => local.get), ...this.bounds(valueMax) } };
  }

  assign(variable: { locals: Local[]; value: LimbValue }, value: LimbValue): void {
    this.#checkNormalized(value, variable.value.valueMax);
    const bound = this.bindAll(value); // the value may read the variable
    for (const [i, local] of variable.locals.entries()) this.f.set(local, bound.limbs[i]!);
  }

  #checkNormalized(value: LimbValue, valueMax: number): void {
    const limits = this.bounds(valueMax);
    const isWithin = value.limbMax.every((max, i) => max <= limits.limbMax[i]!);
    if (!isWithin || value.valueMax > valueMax) {
      throw new RangeError(
        `kernel ${this.f.name} keeps a value of ${value.valueMax} where ${valueMax} is due`,
      );
    }
  }

  add(a: LimbValue, b: LimbValue): LimbValue {
    return this.#combine(a, b, f64x2.add);
  }

  sub(a: LimbValue, b: LimbValue): LimbValue {
    return this.#combine(a, b, f64x2.sub);
  }

  negate(a: LimbValue): LimbValue {
    return { ...a, limbs: a.limbs.map((limb) => this.bind(f64x2.neg(limb))) };
  }

  #combine(a: LimbValue, b: LimbValue, operation: (a: Code, b: Code) => Code): LimbValue {
    const limbMax = a.limbMax.map((max, i) => max + b.limbMax[i]!);
    checkExact(Math.max(...limbMax));
    const limbs = a.limbs.map((limb, i) => this.bind(operation(limb, b.limbs[i]!)));
    return { limbs, limbMax, valueMax: a.valueMax + b.valueMax };
  }

  /** Carries between neighbours, all at once: limbs end within a few units of 2^50. */
  normalize(value: LimbValue): LimbValue {
    const start = this.constant(chainStart);
    const limbs = value.limbs.map((limb) => limb);
    const limbMax = [...value.limbMax];
    let carry: Code | null = null;
    let carryMax = 0;
    for (let i = 0; i < limbCount; i++) {
      let limb = limbs[i]!;
      let max = limbMax[i]!;
      let next: Code | null = null;
      if (i < limbCount - 1 && max > half + 4) {
        next = this.bind(f64x2.sub(f64x2.add(limb, start), start));
        limb = this.bind(f64x2.sub(limb, next));
      }
      const nextMax: number = next === null ? 0 : Math.ceil(max / radix + 0.5);
      if (next !== null) max = half;
      if (carry !== null) limb = this.bind(f64x2.madd(carry, this.constant(1 / radix), limb));
      limbs[i] = limb;
      limbMax[i] = max + carryMax;
      carry = next;
      carryMax = nextMax;
    }
    return this.#tightenTop({ limbs, limbMax, valueMax: value.valueMax });
  }

  /** Tightens the last limb's bound to what the value's bound leaves for it. */
  #tightenTop(value: LimbValue): LimbValue {
    const limbMax = [...value.limbMax];
    limbMax[limbCount - 1] = Math.min(limbMax[limbCount - 1]!, value.valueMax * this.#modulusTop + 2);
    return { ...value, limbMax };
  }

  /** Subtracts the nearest multiple of the modulus: the value ends below 0.51 of it, with normalized limbs. */
  reduce(value: LimbValue): LimbValue {
    const quotientMax = Math.ceil(value.valueMax + 0.01);
    const magic = this.constant(integerMagic);
    const top = value.limbs[limbCount - 1]!;
    const quotient = this.bind(f64x2.sub(f64x2.madd(top, this.constant(1 / this.#modulusTop), magic), magic));
    const limbMax = value.limbMax.map((max, i) => max + quotientMax * Math.abs(this.#modulusLimbs[i]!));
    checkExact(Math.max(...limbMax));
    const limbs = value.limbs.map((limb, i) =>
      this.bind(f64x2.nmadd(quotient, this.constant(this.#modulusLimbs[i]!), limb)),
    );
    return this.normalize({ limbs, limbMax, valueMax: 0.505 });
  }

  mul(a: LimbValue, b: LimbValue): LimbValue {
    return this.sumOfProducts([{ a, b }]);
  }

  square(a: LimbValue): LimbValue {
    return this.sumOfSquares([a]);
  }

  /** The sum of the values' squares, reduced once; their limbs must be normalized. */
  sumOfSquares(values: readonly LimbValue[]): LimbValue {
    const products = columns();
    for (const value of values) {
      const { limbs, limbMax } = this.bindAll(value);
      const doubled = limbs.map((limb) => this.bind(f64x2.add(limb, limb)));
      for (let i = 0; i < limbCount; i++) {
        for (let j = i; j < limbCount; j++) {
          products[i + j]!.push({
            a: i === j ? limbs[i]! : doubled[i]!,
            b: limbs[j]!,
            max: (i === j ? 1 : 2) * limbMax[i]! * limbMax[j]!,
            isNegative: false,
          });
        }
      }
    }
    return this.#reduceColumns(
      products,
      values.reduce((sum, { valueMax }) => sum + valueMax * valueMax, 0),
    );
  }

  /** The sum of +-a * b over the terms, reduced once; the operands' limbs must be normalized. */
  sumOfProducts(terms: readonly Term[]): LimbValue {
    const products = columns();
    for (const { a, b, isNegative = false } of terms) {
      for (let i = 0; i < limbCount; i++) {
        for (let j = 0; j < limbCount; j++) {
          const max = a.limbMax[i]! * b.limbMax[j]!;
          products[i + j]!.push({ a: a.limbs[i]!, b: b.limbs[j]!, max, isNegative });
        }
      }
    }
    return this.#reduceColumns(
      products,
      terms.reduce((sum, { a, b }) => sum + a.valueMax * b.valueMax, 0),
    );
  }

  /** Montgomery reduction of columns of products whose sum is below productMax times the modulus squared. */
  #reduceColumns(products: Product[][], productMax: number): LimbValue {
    const open = (k: number) => {
      const column = new Column(this);
      for (const product of products[k]!) column.addProduct(product);
      return column;
    };
    const top = limbCount - 1;
    // Columns 0 to 3: their limbs times powers of 1 / 2^51 modulo the prime are added further up.
    const low = [0, 1, 2, 3].map(open);
    const uppers: Sum[][] = [];
    for (const [k, column] of low.entries()) {
      const carries = uppers[k - 1];
      // Many or large ones may themselves carry upwards, so they come before the column is closed.
      const isOne = carries?.length === 1 && carries[0]!.max + half <= exactMax;
      if (isOne) column.reserve(carries[0]!.max);
      else for (const sum of carries?.splice(0) ?? []) column.addCarry(sum);
      uppers.push(column.close());
    }
    const parts = low.map((column, k) => {
      for (const sum of uppers[k - 1] ?? []) column.addCarry(sum);
      return column.split();
    });
    const folded = parts.map(({ limb, limbMax }, k) => {
      const below = parts[k - 1];
      if (below === undefined || below.carry === null)
        return { limb, max: limbMax, factors: this.#foldLimbs[k]! };
      const sum = this.bind(f64x2.madd(below.carry.code, this.constant(1 / radix), limb));
      return { limb: sum, max: limbMax + below.carry.max, factors: this.#foldLimbs[k]! };
    });
    for (const { limb } of folded) this.pin(limb);
    const high = [4, 5, 6, 7, 8].map((k) => {
      const column = open(k);
      column.reserve((folded.length + 5) * half);
      return column;
    });
    for (const [j, column] of high.entries()) {
      for (const { limb, max, factors } of folded) {
        const factor = factors[j]!;
        if (factor === 0) continue;
        column.addProduct({
          a: limb,
          b: this.constant(factor),
          max: max * Math.abs(factor),
          isNegative: false,
        });
      }
      if (j === 0) {
        for (const sum of uppers[top - 1]!) column.addCarry(sum);
        if (parts[top - 1]!.carry !== null) column.addCarry(parts[top - 1]!.carry!);
      }
      this.pin(column.rest().code);
    }
    // Column 4: the multiple of the prime that clears it.
    const cleared = high[0]!;
    const { limb, limbMax: clearedMax, carry } = cleared.split();
    const factor = this.constant(this.#quotientFactor);
    const start = this.constant(chainStart);
    const rounded = this.bind(f64x2.madd(limb, factor, start));
    const quotient = this.bind(f64x2.madd(limb, factor, f64x2.sub(start, rounded)));
    for (const [j, column] of high.entries()) {
      const modulusLimb = this.#modulusLimbs[j]!;
      const max = half * Math.abs(modulusLimb);
      column.addProduct({ a: quotient, b: this.constant(modulusLimb), max, isNegative: false });
    }
    cleared.addRest(limb, clearedMax);
    let carried = cleared.closeCleared();
    if (carry !== null) high[1]!.addCarry(carry);
    const limbs: Code[] = [];
    const limbMax: number[] = [];
    for (const column of high.slice(1)) {
      for (const sum of carried) column.addCarry(sum);
      const rest = column.rest();
      limbs.push(rest.code);
      limbMax.push(rest.max);
      carried = column.close();
    }
    const last = carried.map(({ code, max }) => ({
      code: this.bind(f64x2.mul(code, this.constant(1 / radix))),
      max,
    }));
    limbs.push(last.map(({ code }) => code).reduce((sum, code) => this.bind(f64x2.add(sum, code))));
    limbMax.push(last.reduce((sum, { max }) => sum + max, 0));
    return this.normalize({ limbs, limbMax, valueMax: this.productBound(productMax) });
  }

  /** Bound on reduced products that are below productMax times the modulus squared. */
  productBound(productMax: number): number {
    // The products over R, the folds (limbs below 2^50, over 2^51), half a modulus from the quotient.
    const modulusOverR = Number(this.field.modulus) / Number(elementR);
    return productMax * modulusOverR + this.#foldMax / 2 + 0.5 + 1e-6;
  }
}

function columns(): Product[][] {
  return Array.from({ length: 2 * limbCount - 1 }, () => []);
}
