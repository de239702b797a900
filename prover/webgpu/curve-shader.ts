/**
 * WGSL code for points of bn254 on a graphics card: their additions, loads and stores, which the kernels of sum-kernels.ts are
 * made of.
 */
import { baseModulus } from "../formats/bn254-numbers.ts";
import { FieldProgram, interpreter, type Segment, type Value } from "./field-program.ts";
import { baseShader, fieldShader, kernelR, limbsLiteral, type ShaderStyle } from "./field-shader.ts";

/** A group of points: its coordinates are elements of the base field or of its quadratic extension. */
export interface CurveShape {
  name: "g1" | "g2";
  /** Elements of the base field in a coordinate. */
  degree: 1 | 2;
}

export const g1Curve: CurveShape = { name: "g1", degree: 1 };
export const g2Curve: CurveShape = { name: "g2", degree: 2 };

/** Bytes of an affine point in a GPU buffer, as in a zkey. */
export const affineBytes = ({ degree }: CurveShape): number => 2 * 32 * degree;
/** Bytes of a sum in a GPU buffer. */
export const sumBytes = ({ degree }: CurveShape): number => 4 * 32 * degree;

/**
 * Points of y^2 = x^3 + b in WGSL.
 *
 * Sums are kept as (X, Y, ZZ, ZZZ) with x = X / ZZ, y = Y / ZZZ, ZZ^3 = ZZZ^2; ZZ = 0 is the point at
 * infinity (https://hyperelliptic.org/EFD/g1p/auto-shortw-xyzz.html). Adding an affine point takes 8 products
 * and 2 squares, and no inversion: for the few additions that pair-shader.ts leaves over. Equal and opposite
 * points are told apart here, so no key and no witness can make a wrong sum.
 *
 * A thread's sums lie in slots and are named by their numbers. A card keeps slots beside its registers; what
 * loading and storing them costs is little against an addition's ten thousand instructions, and the additions'
 * own values then have the registers for themselves.
 *
 *   point: Point = x, y; slots: Sums; arrays of Fq, of elements below 2 p
 *   pointAdd(slot)       slots[slot] += point, which is not at infinity
 *   sumAdd(slot, other)  slots[slot] += slots[other]
 *   slotZero(slot), slotCopy(slot, other)
 *
 * @param slotCount sums that a thread has, one in each slot
 */
export function curveShader(curve: CurveShape, style: ShaderStyle, slotCount: number): string {
  const { degree } = curve;
  return `${fieldShader(baseShader, style)}
const FqOne = ${limbsLiteral(kernelR % baseModulus)};
alias Point = array<Fq, ${2 * degree}>;
alias Sum = array<Fq, ${4 * degree}>;
var<private> point: Point;
var<private> slots: array<Sum, ${slotCount}>;
fn slotZero(slot: u32) {
  for (var i = 0u; i < ${4 * degree}u; i++) { slots[slot][i] = FqZero; }
}
fn slotCopy(slot: u32, other: u32) {
  for (var i = 0u; i < ${4 * degree}u; i++) { slots[slot][i] = slots[other][i]; }
}
fn slotIsInfinity(slot: u32) -> bool {
  for (var i = ${2 * degree}u; i < ${3 * degree}u; i++) {
    if (!FqIsZero(slots[slot][i])) { return false; }
  }
  return true;
}
${addition("Point", curve, style)}
${addition("Sum", curve, style)}
`;
}

/** WGSL function `<buffer>Load(index)`: reads the point at an index of a buffer of vec4<u32> into `point`. */
export function pointLoad({ degree }: CurveShape, buffer: string): string {
  return `
fn ${buffer}Load(index: u32) {
  for (var i = 0u; i < ${2 * degree}u; i++) {
    let at = index * ${4 * degree}u + 2u * i;
    point[i] = FqUnpack(${buffer}[at], ${buffer}[at + 1u]);
  }
}`;
}

/** WGSL function `<buffer>Load(index, slot)`: reads the sum at an index of a buffer of vec4<u32> into a slot. */
export function sumLoad({ degree }: CurveShape, buffer: string): string {
  return `
fn ${buffer}Load(index: u32, slot: u32) {
  for (var i = 0u; i < ${4 * degree}u; i++) {
    let at = index * ${8 * degree}u + 2u * i;
    slots[slot][i] = FqUnpack(${buffer}[at], ${buffer}[at + 1u]);
  }
}`;
}

/** WGSL function `<buffer>Store(index, slot)`: writes a slot's sum to an index of a buffer of vec4<u32>. */
export function sumStore({ degree }: CurveShape, buffer: string): string {
  return `
fn ${buffer}Store(index: u32, slot: u32) {
  for (var i = 0u; i < ${4 * degree}u; i++) {
    let at = index * ${8 * degree}u + 2u * i;
    ${buffer}[at] = FqPackLow(slots[slot][i]);
    ${buffer}[at + 1u] = FqPackHigh(slots[slot][i]);
  }
}`;
}

/** A coordinate, by its parts' numbers in a program. */
export type Element = readonly Value[];

interface AdditionFormulas {
  program: FieldProgram;
  /** The two differences' squares: both zero for equal points, the first alone for opposite ones. */
  compare: Segment;
  add: Segment;
  double: Segment;
}

/** Inputs are the coordinates of the left sum, then of the right point or sum; `add` and `double` leave a sum. */
export function additionFormulas({ degree }: CurveShape, type: "Point" | "Sum"): AdditionFormulas {
  const right = type === "Point" ? 2 : 4;
  const program = new FieldProgram((4 + right) * degree);
  const f = new ElementOperations(program, degree);
  const input = (i: number): Element => Array.from({ length: degree }, (_, k) => i * degree + k);
  const [ax, ay, azz, azzz] = [0, 1, 2, 3].map(input) as [Element, Element, Element, Element];
  const [bx, by] = [input(4), input(5)];
  const parts: Record<string, Element> = {};
  const compare = program.segment(() => {
    const u = type === "Point" ? ax : f.mul(ax, input(6));
    const s = type === "Point" ? ay : f.mul(ay, input(7));
    const p = f.subLazy(f.mul(bx, azz), u);
    const r = f.subLazy(f.mul(by, azzz), s);
    const [pp, rr] = [f.square(p), f.square(r)];
    Object.assign(parts, { u, s, p, r, pp, rr });
    return [...pp, ...rr];
  });
  const { u, s, p, r, pp, rr } = parts as Record<"u" | "s" | "p" | "r" | "pp" | "rr", Element>;
  const add = program.segment(() => {
    const ppp = f.mul(p, pp);
    const q = f.mul(u, pp);
    const x = f.sub(f.sub(rr, ppp), f.add(q, q));
    const y = f.sub(f.mul(r, f.subLazy(q, x)), f.mul(s, ppp));
    const zz = type === "Point" ? azz : f.mul(azz, input(6));
    const zzz = type === "Point" ? azzz : f.mul(azzz, input(7));
    return [x, y, f.mul(zz, pp), f.mul(zzz, ppp)].flat();
  });
  const double = program.segment(() => {
    const u2 = f.add(ay, ay);
    const v = f.square(u2);
    const w = f.mul(u2, v);
    const product = f.mul(ax, v);
    const square = f.square(ax);
    const m = f.add(f.add(square, square), square);
    const x = f.sub(f.square(m), f.add(product, product));
    const y = f.sub(f.mul(m, f.subLazy(product, x)), f.mul(w, ay));
    return [x, y, f.mul(v, azz), f.mul(w, azzz)].flat();
  });
  return { program, compare, add, double };
}

/** Operations on coordinates, as operations of the base field. */
export class ElementOperations {
  readonly #program: FieldProgram;
  readonly #degree: 1 | 2;

  constructor(program: FieldProgram, degree: 1 | 2) {
    this.#program = program;
    this.#degree = degree;
  }

  add(a: Element, b: Element): Element {
    return a.map((value, i) => this.#program.apply("AddLazy", value, b[i]!, true));
  }

  sub(a: Element, b: Element): Element {
    return a.map((value, i) => this.#program.apply("SubLazy", value, b[i]!, true));
  }

  /** Parts below 4 p, for products alone. */
  subLazy(a: Element, b: Element): Element {
    return a.map((value, i) => this.#program.apply("SubLazy", value, b[i]!));
  }

  /**
   * Multiplies two elements: in the extension (u^2 = -1) both parts are sums of two products, each reduced once. Factors may
   * be lazy differences, with parts below 4 p: their products together count 32 of the 84 that are allowed
   * (field-shader.ts). Three products (Karatsuba's) would be reduced three times, and add five times.
   */
  mul(a: Element, b: Element): Element {
    const f = this.#program;
    if (this.#degree === 1) return [f.apply("Mul", a[0]!, b[0]!)];
    return [
      f.applyTwo("Sub", [a[0]!, b[0]!], [a[1]!, b[1]!]),
      f.applyTwo("Add", [a[0]!, b[1]!], [a[1]!, b[0]!]),
    ];
  }

  /** (a0 + a1)(a0 - a1) + 2 a0 a1 u, a sum and a difference below 8 p and 4 p more than that. */
  square(a: Element): Element {
    const f = this.#program;
    if (this.#degree === 1) return [f.apply("Mul", a[0]!, a[0]!)];
    const real = f.apply("Mul", f.apply("AddLazy", a[0]!, a[1]!), f.apply("SubLazy4", a[0]!, a[1]!));
    return [real, f.apply("Mul", f.apply("AddLazy", a[0]!, a[0]!), a[1]!)];
  }
}

function addition(type: "Point" | "Sum", curve: CurveShape, style: ShaderStyle): string {
  const { degree } = curve;
  const formulas = additionFormulas(curve, type);
  const name = type === "Point" ? "pointAdd" : "sumAdd";
  const signature = type === "Point" ? "fn pointAdd(slot: u32)" : "fn sumAdd(slot: u32, other: u32)";
  const shortcut =
    type === "Point"
      ? `if (slotIsInfinity(slot)) {
    for (var i = 0u; i < ${2 * degree}u; i++) { slots[slot][i] = point[i]; }
    for (var i = ${2 * degree}u; i < ${4 * degree}u; i++) { slots[slot][i] = FqZero; }
    slots[slot][${2 * degree}] = FqOne;
    slots[slot][${3 * degree}] = FqOne;
    return;
  }`
      : `if (slotIsInfinity(other)) { return; }
  if (slotIsInfinity(slot)) {
    slotCopy(slot, other);
    return;
  }`;
  const right = type === "Point" ? "point" : "slots[other]";
  const body =
    style === "unrolled"
      ? unrolledAddition(formulas, right, degree)
      : compactAddition(name, formulas, right, degree);
  return `${style === "compact" ? interpreter(name, formulas.program, segmentsOf(formulas)) : ""}
${body.declarations}
${signature} {
  ${shortcut}
${body.statements}
}`;
}

const segmentsOf = ({ compare, add, double }: AdditionFormulas) => [compare, add, double];

interface Body {
  declarations: string;
  statements: string;
}

function unrolledAddition(formulas: AdditionFormulas, right: string, degree: number): Body {
  const { program, compare, add, double } = formulas;
  const inputs = Array.from({ length: program.inputCount }, (_, i) =>
    i < 4 * degree ? `  let v${i} = slots[slot][${i}];` : `  let v${i} = ${right}[${i - 4 * degree}];`,
  );
  const areZero = (first: number) =>
    Array.from({ length: degree }, (_, i) => `FqIsZero(v${compare.outputs[first + i]})`).join(" && ");
  const keep = ({ outputs }: Segment) =>
    outputs.map((value, i) => `    slots[slot][${i}] = v${value};`).join("\n");
  return {
    declarations: "",
    statements: `${inputs.join("\n")}
${program.statements(compare)}
  if (${areZero(0)}) {
    if (!(${areZero(degree)})) {
      slotZero(slot);
      return;
    }
${program.statements(double)}
${keep(double)}
    return;
  }
${program.statements(add)}
${keep(add)}`,
  };
}

function compactAddition(name: string, formulas: AdditionFormulas, right: string, degree: number): Body {
  const { program, compare, add, double } = formulas;
  const { of } = program.registers(segmentsOf(formulas));
  const registers = `${name}Registers`;
  // Registers of what a segment leaves: the squares from 0, then the sum, then the double.
  const positions = segmentsOf(formulas).flatMap(({ outputs }) => outputs.map(of));
  const list = `array<u32, ${positions.length}>`;
  return {
    declarations: `
var<private> ${name}Places: ${list} = ${list}(${positions.map((position) => `${position}u`).join(", ")});
fn ${name}AreZero(place: u32) -> bool {
  for (var i = 0u; i < ${degree}u; i++) {
    if (!FqIsZero(${registers}[${name}Places[place + i]])) { return false; }
  }
  return true;
}`,
    statements: `
  for (var i = 0u; i < ${4 * degree}u; i++) { ${registers}[i] = slots[slot][i]; }
  for (var i = 0u; i < ${program.inputCount - 4 * degree}u; i++) { ${registers}[${4 * degree}u + i] = ${right}[i]; }
  var first = ${compare.start}u;
  var end = ${compare.end}u;
  var place = ${2 * degree}u;
  var areOpposite = false;
  for (var round = 0u; round < 2u; round++) {
    ${name}Interpret(first, end);
    if (round == 1u) { break; }
    first = ${add.start}u;
    end = ${add.end}u;
    if (${name}AreZero(0u)) {
      areOpposite = !${name}AreZero(${degree}u);
      first = ${double.start}u;
      end = ${double.end}u;
      place = ${6 * degree}u;
    }
  }
  for (var i = 0u; i < ${4 * degree}u; i++) {
    slots[slot][i] = ${registers}[${name}Places[place + i]];
    if (areOpposite) { slots[slot][i] = FqZero; }
  }`,
  };
}
