/**
 * Exact sums of limb products in doubles, as code of a WebAssembly kernel: the columns of field-kernel.ts's
 * multiplication. Each step carries a bound on its value, and none is emitted that could be inexact.
 */
import { type Code, f64x2 } from "@openledger/foundation/wasm/assembler";
import { limbBits } from "./field-limbs.ts";

/** Half of a limb's radix: normalized limbs are about as large. */
export const half = 2 ** (limbBits - 1);
/** Radix of the limbs, 2^51. */
export const radix = 2 ** limbBits;
/** Start of a chain: in its binade the last bit of a double stands for 2^51. */
export const chainStart = 1.5 * 2 ** 103;
/** Maximum distance of a chain from its start, either way. */
const chainMax = 2 ** 102;
/** Maximum integer up to which all integers are doubles. */
export const exactMax = 2 ** 53;

/** A product of limbs for a column. */
export interface Product {
  a: Code;
  b: Code;
  /** Bound on the product's absolute value. */
  max: number;
  isNegative: boolean;
}

/** Code of a sum, and the bound on its absolute value. */
export interface Sum {
  code: Code;
  max: number;
}

/** Functions of a kernel that a column uses to emit code. */
interface Emitter {
  constant(value: number): Code;
  bind(code: Code): Code;
  pin(code: Code): void;
}

/** Sums up products exactly: a rest in units and multiples of 2^51. */
export class Column {
  readonly #kernel: Emitter;
  #rest: Code | null = null;
  #restMax = 0;
  #chain: Code | null = null;
  #chainSum = 0;
  /** Finished chains and carries, multiples of 2^51; more than one sum where one would not be exact. */
  readonly #full: Sum[] = [];
  #upper: Code | null = null;
  #upperMax = 0;
  #isClosed = false;

  constructor(kernel: Emitter) {
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

  /** Adds the carry that `close` of the column below returned. */
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
    if (this.#upper !== null && (this.#upperMax + max) / radix > exactMax) {
      this.#full.push({ code: this.#upper, max: this.#upperMax / radix });
      this.#upper = null;
      this.#upperMax = 0;
    }
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

  /** Ensures that rests of this sum can be added without another carry, which would come late. */
  reserve(max: number): void {
    if (this.#restMax + max > exactMax && this.#restMax > half) this.#carryRest();
  }

  /** Splits the rest into a limb up to 2^50 and a multiple of 2^51. */
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

  /** The upper part, one sum or several: multiples of 2^51, and their bounds in units of the next column. */
  close(): Sum[] {
    this.#closeChain();
    if (this.#upper === null) throw new RangeError("a column without products");
    this.#isClosed = true;
    return [...this.#full, { code: this.#upper, max: this.#upperMax / radix }];
  }

  /** Likewise, where the rest is a multiple of 2^51 too. */
  closeCleared(): Sum[] {
    this.#addUpper(this.#rest!, this.#restMax);
    return this.close();
  }
}

/** Refuses to emit a sum that a double may round. @throws RangeError */
export function checkExact(max: number): void {
  if (max > exactMax) throw new RangeError(`a sum of up to ${max} is not exact in a double`);
}
