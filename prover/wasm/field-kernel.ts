import { type Code, f64x2, i32, type Local, scratchAddress, v128, type WasmFunction } from "./assembler.ts";
import {
  balancedResidue,
  elementR,
  inverse,
  limbBits,
  limbCount,
  limbRadix,
  type PrimeField,
  toLimbs,
} from "./field-limbs.ts";

/**
 * Emits field arithmetic on two elements at once, one in each lane of a v128.
 *
 * A product a * b of limbs is added to a column exactly: with h = 1.5 * 2^103, whose last bit stands for
 * 2^51, `h' = fma(a, b, h)` takes the multiple of 2^51 nearest to the product, and `fma(a, b, h - h')` is
 * the rest, at most 2^50. Chains of such steps keep h' and sum up the rests.
 *
 * Every value carries bounds on its limbs and on itself, and every step checks them while the code is
 * generated: sums of rests stay below 2^53 and chains within [2^103, 2^104], where doubles are exact.
 * A kernel that could overflow is not generated at all. Loads state the bounds that the stores assured.
 */
export interface LimbValue {
  limbs: readonly Code[];
  /** Bounds on the limbs' absolute values. */
  limbMax: readonly number[];
  /** Bound on the absolute value, in units of the modulus. */
  valueMax: number;
}

export const half = 2 ** (limbBits - 1);
const radix = 2 ** limbBits;
const chainStart = 1.5 * 2 ** 103;
const chainMax = 2 ** 102;
const exactMax = 2 ** 53;
const integerMagic = 1.5 * 2 ** 52;

/** What stored elements keep to: limbs as `normalize` leaves them, and less than 0.51 of the modulus. */
export const storedMax = 0.51;

/** Constants that kernels read from memory, each in both lanes. */
export class ConstantPool {
  readonly #baseAddress: number;
  readonly #values: number[] = [];

  constructor(baseAddress: number) {
    this.#baseAddress = baseAddress;
  }

  /** Code that loads the constant. */
  load(value: number): Code {
    let index = this.#values.indexOf(value);
    if (index < 0) index = this.#values.push(value) - 1;
    return v128.load(i32.const(this.#baseAddress + 16 * index));
  }

  /** What the host writes at the base address before any kernel runs. */
  get image(): Float64Array {
    return Float64Array.from(this.#values.flatMap((value) => [value, value]));
  }
}

interface Term {
  a: LimbValue;
  b: LimbValue;
  isNegative?: boolean;
}

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
    // Limb i, for i < 4, is worth limb * 2^(51 (i - 4)) four columns further up.
    const folds = [0, 1, 2, 3].map((i) =>
      balancedResidue(inverse(1n << BigInt(limbBits * (limbCount - 1 - i)), modulus), modulus),
    );
    this.#foldLimbs = folds.map(toLimbs);
    const ratio = (value: bigint) =>
      Number(((value < 0n ? -value : value) * 10_000_000n) / modulus) / 1e7 + 1e-6;
    this.#foldMax = folds.reduce((sum, fold) => sum + ratio(fold), 0);
    this.#quotientFactor = Number(balancedResidue(-inverse(modulus, limbRadix), limbRadix));
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

  /** Stores any value, and gives the loads that bring it back. */
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

  /** Keeps a value in locals, to be assigned again in a loop. */
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

  /** What the other limbs leave for the last one. */
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
    const operand = this.bindAll(a);
    const doubled = operand.limbs.map((limb) => this.bind(f64x2.add(limb, limb)));
    const products = columns();
    for (let i = 0; i < limbCount; i++) {
      for (let j = i; j < limbCount; j++) {
        products[i + j]!.push({
          a: i === j ? operand.limbs[i]! : doubled[i]!,
          b: operand.limbs[j]!,
          max: (i === j ? 1 : 2) * operand.limbMax[i]! * operand.limbMax[j]!,
          isNegative: false,
        });
      }
    }
    return this.#reduceColumns(products, a.valueMax * a.valueMax);
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
    const uppers: Sum[] = [];
    for (const [k, column] of low.entries()) {
      if (k > 0) column.reserve(uppers[k - 1]!.max);
      uppers.push(column.close());
    }
    const parts = low.map((column, k) => {
      if (k > 0) column.addCarry(uppers[k - 1]!);
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
        column.addCarry(uppers[top - 1]!);
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
      column.addCarry(carried);
      const rest = column.rest();
      limbs.push(rest.code);
      limbMax.push(rest.max);
      carried = column.close();
    }
    limbs.push(this.bind(f64x2.mul(carried.code, this.constant(1 / radix))));
    limbMax.push(carried.max);
    return this.normalize({ limbs, limbMax, valueMax: this.productBound(productMax) });
  }

  /** Bound on what products become that are below productMax times the modulus squared. */
  productBound(productMax: number): number {
    // The products over R, the folds (limbs below 2^50, over 2^51), half a modulus from the quotient.
    const modulusOverR = Number(this.field.modulus) / Number(elementR);
    return productMax * modulusOverR + this.#foldMax / 2 + 0.5 + 1e-6;
  }
}

interface Product {
  a: Code;
  b: Code;
  /** Bound on the product's absolute value. */
  max: number;
  isNegative: boolean;
}

interface Sum {
  code: Code;
  max: number;
}

function columns(): Product[][] {
  return Array.from({ length: 2 * limbCount - 1 }, () => []);
}

/** Sums up products exactly: a rest in units and multiples of 2^51. */
class Column {
  readonly #kernel: FieldKernel;
  #rest: Code | null = null;
  #restMax = 0;
  #chain: Code | null = null;
  #chainSum = 0;
  /** Finished chains and carries, multiples of 2^51. */
  #upper: Code | null = null;
  #upperMax = 0;
  #isClosed = false;

  constructor(kernel: FieldKernel) {
    this.#kernel = kernel;
  }

  addProduct({ a, b, max, isNegative }: Product): void {
    const kernel = this.#kernel;
    const margin = max + half;
    if (margin > chainMax) throw new RangeError(`a product of ${max} is too large: normalize its operands`);
    if (this.#chain !== null && this.#chainSum + margin > chainMax) this.#closeChain();
    if (this.#chain === null) {
      this.#chain = kernel.constant(chainStart);
      this.#chainSum = 0;
    }
    const fused = isNegative ? f64x2.nmadd : f64x2.madd;
    const before = this.#chain;
    const [x, y] = [kernel.bind(a), kernel.bind(b)];
    const after = kernel.bind(fused(x, y, before));
    const rest = fused(x, y, f64x2.sub(before, after));
    this.#chain = after;
    this.#chainSum += max + half;
    this.addRest(rest, Math.min(half, max));
    kernel.pin(this.#rest!);
  }

  addRest(code: Code, max: number): void {
    this.#makeRoom(max);
    this.#rest = this.#kernel.bind(this.#rest === null ? code : f64x2.add(this.#rest, code));
    this.#restMax += max;
  }

  /** Adds what `close` of the column below gave. */
  addCarry({ code, max }: Sum): void {
    const unit = this.#kernel.constant(1 / radix);
    if (this.#rest !== null && max + half > exactMax) {
      const carry = this.#kernel.bind(f64x2.mul(code, unit));
      const start = this.#kernel.constant(chainStart);
      const multiple = this.#kernel.bind(f64x2.sub(f64x2.add(carry, start), start));
      this.#addUpper(multiple, max + half);
      this.addRest(f64x2.sub(carry, multiple), half);
      return;
    }
    this.#makeRoom(max);
    this.#rest = this.#kernel.bind(
      this.#rest === null ? f64x2.mul(code, unit) : f64x2.madd(code, unit, this.#rest),
    );
    this.#restMax += max;
  }

  #makeRoom(max: number): void {
    if (this.#rest !== null && this.#restMax + max > exactMax) this.#carryRest();
    checkExact(this.#restMax + max);
  }

  /** Moves the rest's multiples of 2^51 to the upper part; the rest ends between -2^50 and 2^50. */
  #carryRest(): void {
    const kernel = this.#kernel;
    const start = kernel.constant(chainStart);
    const multiple = kernel.bind(f64x2.sub(f64x2.add(this.#rest!, start), start));
    this.#rest = kernel.bind(f64x2.sub(this.#rest!, multiple));
    this.#addUpper(multiple, this.#restMax + half);
    this.#restMax = half;
  }

  #addUpper(code: Code, max: number): void {
    if (this.#isClosed) throw new RangeError("a column whose upper part was taken");
    this.#upper = this.#upper === null ? code : this.#kernel.bind(f64x2.add(this.#upper, code));
    this.#upperMax += max;
    checkExact(this.#upperMax / radix);
  }

  #closeChain(): void {
    if (this.#chain === null) return;
    this.#addUpper(
      this.#kernel.bind(f64x2.sub(this.#chain, this.#kernel.constant(chainStart))),
      this.#chainSum,
    );
    this.#chain = null;
  }

  /** Makes sure that rests of this sum can be added without another carry, which would come late. */
  reserve(max: number): void {
    if (this.#restMax + max > exactMax && this.#restMax > half) this.#carryRest();
  }

  /** The rest taken apart into a limb up to 2^50 and a multiple of 2^51. */
  split(): { limb: Code; limbMax: number; carry: Sum | null } {
    const kernel = this.#kernel;
    const [rest, max] = [this.#rest!, this.#restMax];
    this.#rest = null;
    this.#restMax = 0;
    if (max <= half) return { limb: rest, limbMax: max, carry: null };
    const start = kernel.constant(chainStart);
    const multiple = kernel.bind(f64x2.sub(f64x2.add(rest, start), start));
    const carry = { code: multiple, max: Math.ceil(max / radix + 0.5) };
    return { limb: kernel.bind(f64x2.sub(rest, multiple)), limbMax: half, carry };
  }

  rest(): Sum {
    return { code: this.#rest!, max: this.#restMax };
  }

  /** The upper part: multiples of 2^51, and their bound in units of the next column. */
  close(): Sum {
    this.#closeChain();
    if (this.#upper === null) throw new RangeError("a column without products");
    this.#isClosed = true;
    return { code: this.#upper, max: this.#upperMax / radix };
  }

  /** Likewise, where the rest is a multiple of 2^51 too. */
  closeCleared(): Sum {
    this.#addUpper(this.#rest!, this.#restMax);
    return this.close();
  }
}

function checkExact(max: number): void {
  if (max > exactMax) throw new RangeError(`a sum of up to ${max} is not exact in a double`);
}
