import { baseModulus } from "../bn254-wasm.ts";
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

/** Bytes in memory of an affine point, as in a zkey, and of a sum. */
export const affineBytes = ({ degree }: CurveShape): number => 2 * 32 * degree;
export const sumBytes = ({ degree }: CurveShape): number => 4 * 32 * degree;

/**
 * Points of y^2 = x^3 + b in WGSL.
 *
 * Sums are kept as (X, Y, ZZ, ZZZ) with x = X / ZZ, y = Y / ZZZ, ZZ^3 = ZZZ^2; ZZ = 0 is the point at
 * infinity (https://hyperelliptic.org/EFD/g1p/auto-shortw-xyzz.html). Adding an affine point takes 8 products
 * and 2 squares, no inversion and no second pass over memory, as affine additions in batches would need;
 * equal and opposite points are told apart here, so no key and no witness can make a wrong sum.
 *
 *   Point = x, y; Sum = X, Y, ZZ, ZZZ; both arrays of Fq, of elements below 2 p
 *   pointAdd(sum, point)   for a point that is not at infinity
 *   sumAdd(a, b), sumZero()
 */
export function curveShader(curve: CurveShape, style: ShaderStyle): string {
  const { degree } = curve;
  const ones = ["FqOne", ...Array.from({ length: degree - 1 }, () => "FqZero")].join(", ");
  const zero = Array.from({ length: 4 * degree }, () => "FqZero").join(", ");
  const point = Array.from({ length: 2 * degree }, (_, i) => `b[${i}]`).join(", ");
  return `${fieldShader(baseShader, style)}
const FqOne = ${limbsLiteral(kernelR % baseModulus)};
alias Point = array<Fq, ${2 * degree}>;
alias Sum = array<Fq, ${4 * degree}>;
fn sumZero() -> Sum { return Sum(${zero}); }
fn isInfinity(a: Sum) -> bool {
  ${style === "compact" ? allZero(degree, "x", `${2 * degree}u`, "a") : `return ${isZero(degree, (i) => `a[${2 * degree + i}]`)};`}
}
${addition("pointAdd", "Point", curve, style, `if (isInfinity(a)) { return Sum(${point}, ${ones}, ${ones}); }`)}
${addition(
  "sumAdd",
  "Sum",
  curve,
  style,
  "if (isInfinity(a)) { return b; }\n  if (isInfinity(b)) { return a; }",
)}
`;
}

/** Points and sums from and to a buffer of vec4<u32>, by their index in it. */
export function bufferLoad(
  curve: CurveShape,
  style: ShaderStyle,
  type: "Point" | "Sum",
  buffer: string,
): string {
  const count = (type === "Point" ? 2 : 4) * curve.degree;
  const element = (i: string) => `FqUnpack(${buffer}[at + 2u * ${i}], ${buffer}[at + 2u * ${i} + 1u])`;
  const loop = `var value: ${type};
  for (var i = 0u; i < ${count}u; i++) { value[i] = ${element("i")}; }
  return value;`;
  const unrolled = `return ${type}(${indices(count)
    .map((i) => element(`${i}u`))
    .join(", ")});`;
  return `
fn ${buffer}Load(index: u32) -> ${type} {
  let at = index * ${2 * count}u;
  ${style === "compact" ? loop : unrolled}
}`;
}

export function bufferStore({ degree }: CurveShape, style: ShaderStyle, buffer: string): string {
  const element = (i: string) => `
    ${buffer}[at + 2u * ${i}] = FqPackLow(value[${i}]);
    ${buffer}[at + 2u * ${i} + 1u] = FqPackHigh(value[${i}]);`;
  const count = 4 * degree;
  const loop = `var value = sum;
  for (var i = 0u; i < ${count}u; i++) {${element("i")}
  }`;
  const unrolled = `let value = sum;${indices(count)
    .map((i) => element(`${i}u`))
    .join("")}`;
  return `
fn ${buffer}Store(index: u32, sum: Sum) {
  let at = index * ${2 * count}u;
  ${style === "compact" ? loop : unrolled}
}`;
}

const indices = (count: number) => Array.from({ length: count }, (_, i) => i);

function isZero(degree: number, element: (i: number) => string): string {
  return Array.from({ length: degree }, (_, i) => `FqIsZero(${element(i)})`).join(" && ");
}

type Element = readonly Value[];

interface AdditionFormulas {
  program: FieldProgram;
  /** The two differences' squares: both zero for equal points, the first alone for opposite ones. */
  compare: Segment;
  add: Segment;
  double: Segment;
}

function additionFormulas({ degree }: CurveShape, type: "Point" | "Sum"): AdditionFormulas {
  const right = type === "Point" ? 2 : 4;
  const program = new FieldProgram((4 + right) * degree);
  const f = new ElementOperations(program, degree);
  const input = (i: number): Element => Array.from({ length: degree }, (_, k) => i * degree + k);
  const [ax, ay, azz, azzz] = [0, 1, 2, 3].map(input) as [Element, Element, Element, Element];
  const [bx, by] = [input(4), input(5)];
  const kept: Record<string, Element> = {};
  const compare = program.segment(() => {
    const u = type === "Point" ? ax : f.mul(ax, input(6));
    const s = type === "Point" ? ay : f.mul(ay, input(7));
    const p = f.subLazy(f.mul(bx, azz), u);
    const r = f.subLazy(f.mul(by, azzz), s);
    const [pp, rr] = [f.square(p), f.square(r)];
    Object.assign(kept, { u, s, p, r, pp, rr });
    return [...pp, ...rr];
  });
  const { u, s, p, r, pp, rr } = kept as Record<"u" | "s" | "p" | "r" | "pp" | "rr", Element>;
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
class ElementOperations {
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
   * In the extension (u^2 = -1) three products, as Karatsuba has it. Factors may be lazy differences: their
   * parts' sums are below 8 p, and 8 times 8 is within what a product allows (field-shader.ts).
   */
  mul(a: Element, b: Element): Element {
    const f = this.#program;
    const low = f.apply("Mul", a[0]!, b[0]!);
    if (this.#degree === 1) return [low];
    const high = f.apply("Mul", a[1]!, b[1]!);
    const cross = f.apply("Mul", f.apply("AddLazy", a[0]!, a[1]!), f.apply("AddLazy", b[0]!, b[1]!));
    return [
      f.apply("SubLazy", low, high, true),
      f.apply("SubLazy", f.apply("SubLazy", cross, low, true), high, true),
    ];
  }

  /** (a0 + a1)(a0 - a1) + 2 a0 a1 u. */
  square(a: Element): Element {
    const f = this.#program;
    if (this.#degree === 1) return [f.apply("Mul", a[0]!, a[0]!)];
    const real = f.apply("Mul", f.apply("AddLazy", a[0]!, a[1]!), f.apply("SubLazy4", a[0]!, a[1]!));
    const cross = f.apply("Mul", a[0]!, a[1]!);
    return [real, f.apply("AddLazy", cross, cross, true)];
  }
}

function addition(
  name: string,
  type: "Point" | "Sum",
  curve: CurveShape,
  style: ShaderStyle,
  shortcuts: string,
): string {
  const { degree } = curve;
  const formulas = additionFormulas(curve, type);
  const { program, compare, add, double } = formulas;
  const head = `fn ${name}(a: Sum, b: ${type}) -> Sum {\n  ${shortcuts}`;
  if (style === "unrolled") {
    const inputs = Array.from({ length: program.inputCount }, (_, i) =>
      i < 4 * degree ? `  let v${i} = a[${i}];` : `  let v${i} = b[${i - 4 * degree}];`,
    );
    const sum = ({ outputs }: Segment) => `Sum(${outputs.map((value) => `v${value}`).join(", ")})`;
    return `
${head}
${inputs.join("\n")}
${program.statements(compare)}
  if (${isZero(degree, (i) => `v${compare.outputs[i]}`)}) {
    if (${isZero(degree, (i) => `v${compare.outputs[degree + i]}`)}) {
${program.statements(double)}
      return ${sum(double)};
    }
    return sumZero();
  }
${program.statements(add)}
  return ${sum(add)};
}`;
  }
  const segments = [compare, add, double];
  const { of } = program.registers(segments);
  const registers = `${name}Registers`;
  // Registers of what a segment leaves: the squares from 0, then the sum, then the double.
  const places = segments.flatMap(({ outputs }) => outputs.map(of));
  return `${interpreter(name, program, segments)}
var<private> ${name}Places: array<u32, ${places.length}> = array<u32, ${places.length}>(${places
    .map((place) => `${place}u`)
    .join(", ")});
fn ${name}AllZero(place: u32) -> bool {
  for (var i = 0u; i < ${degree}u; i++) {
    if (!FqIsZero(${registers}[${name}Places[place + i]])) { return false; }
  }
  return true;
}
${head}
  var left = a;
  var right = b;
  for (var i = 0u; i < ${4 * degree}u; i++) { ${registers}[i] = left[i]; }
  for (var i = 0u; i < ${program.inputCount - 4 * degree}u; i++) { ${registers}[${4 * degree}u + i] = right[i]; }
  var first = ${compare.start}u;
  var end = ${compare.end}u;
  var place = ${2 * degree}u;
  var isOpposite = false;
  for (var round = 0u; round < 2u; round++) {
    ${name}Interpret(first, end);
    if (round == 0u) {
      first = ${add.start}u;
      end = ${add.end}u;
      if (${name}AllZero(0u)) {
        isOpposite = !${name}AllZero(${degree}u);
        first = ${double.start}u;
        end = ${double.end}u;
        place = ${6 * degree}u;
      }
    }
  }
  if (isOpposite) { return sumZero(); }
  var out: Sum;
  for (var i = 0u; i < ${4 * degree}u; i++) { out[i] = ${registers}[${name}Places[place + i]]; }
  return out;
}`;
}

/** A function's body that says whether the elements of `source` from `start` on are all zero. */
function allZero(degree: number, copy: string, start: string, source: string): string {
  return `var ${copy} = ${source};
  for (var i = 0u; i < ${degree}u; i++) {
    if (!FqIsZero(${copy}[${start} + i])) { return false; }
  }
  return true;`;
}
