import { type Code, f64x2, type Local, v128 } from "./assembler.ts";
import { type FieldKernel, type LimbValue, storedMax } from "./field-kernel.ts";
import { elementBytes } from "./field-limbs.ts";

/** A coordinate: one element of the base field for G1, real and imaginary part for G2. */
export type Coordinate = readonly LimbValue[];

export interface CoordinateVariable {
  readonly parts: readonly { locals: Local[]; value: LimbValue }[];
  readonly value: Coordinate;
}

/** Coordinate arithmetic of both groups over one field kernel: degree 1 for G1, 2 for G2 with u^2 = -1. */
export class CoordinateKernel {
  readonly base: FieldKernel;
  readonly degree: 1 | 2;

  constructor(base: FieldKernel, degree: 1 | 2) {
    this.base = base;
    this.degree = degree;
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
