/**
 * WGSL kernels that add points by twos with affine formulas: a pair's sum takes its slope, a quotient, and all pairs of
 * a dispatch share a few inversions (Montgomery's trick). point-sums.ts dispatches them.
 *
 * For P1 = (x1, y1), P2 = (x2, y2) with x1 /= x2: d = x2 - x1, slope = (y2 - y1) / d, x3 = slope^2 - x1 - x2,
 * y3 = slope (x1 - x3) - y1. Six products in G1 with the three of the shared inversion, where a sum in four
 * coordinates takes ten. In G2 an inverse is the conjugate by the norm, and only norms are inverted, in the base
 * field. The other cases, each found by `denominators` and left to `addPairs` as a mark beside the pair:
 *
 *   - x1 = x2, y1 = y2: the tangent's slope 3 x1^2 / (2 y1). y1 is not 0: both groups' curves have odd order.
 *   - x1 = x2, y1 = -y2: the sum is the point at infinity, and nothing is inverted.
 *   - one of the two is missing, or both: the sum is the other one, or missing. A missing point is infinity.
 *
 * So no denominator is 0, and neither is any product of them.
 */
import { baseModulus } from "../formats/bn254-numbers.ts";
import { type CurveShape, type Element, ElementOperations } from "./curve-shader.ts";
import { FieldProgram, interpreter, type Segment } from "./field-program.ts";
import { baseShader, fieldShader, kernelR, limbsLiteral, type ShaderStyle } from "./field-shader.ts";
import type { Kernel } from "./gpu-device.ts";
import { makeKernel } from "./kernel-source.ts";

/** Highest word of a missing point's x, which no element below 2 p has; and of the prefix of a pair without a slope. */
export const missing = "0xffffffffu";
/** Bit of a prefix's highest word that says that the slope is a tangent's. */
const tangentBit = 31;

/** Bytes beside a pair: the product of its thread's earlier denominators, in G2 also its norm. */
export const prefixBytes = ({ degree }: CurveShape): number => 32 * degree;

interface PairFormulas {
  program: FieldProgram;
  /** Leaves the tangent's rise, in the place of the input's. */
  tangent: Segment;
  /** Leaves the sum's coordinates, then the running inverse for the thread's earlier pair. */
  sum: Segment;
  /** Numbers of the inputs: of the first point, of the second's x, and the rest. */
  inputs: Record<"x1" | "y1" | "x2" | "difference" | "rise", Element> &
    Record<"running" | "prefix" | "norm", number>;
}

/**
 * A pair's sum. `difference` is the denominator, in G2 its conjugate; `running` the inverse of the product of the
 * thread's denominators up to this pair's, `prefix` the product of the earlier ones.
 */
export function pairFormulas({ degree }: CurveShape): PairFormulas {
  const element = (i: number): Element => Array.from({ length: degree }, (_, k) => i * degree + k);
  const [x1, y1, x2, difference, rise] = [0, 1, 2, 3, 4].map(element) as [
    Element,
    Element,
    Element,
    Element,
    Element,
  ];
  const [running, prefix, norm] = [
    5 * degree,
    5 * degree + 1,
    degree === 1 ? difference[0]! : 5 * degree + 2,
  ];
  const program = new FieldProgram(5 * degree + (degree === 1 ? 2 : 3));
  const f = new ElementOperations(program, degree);
  const tangent = program.segment(() => {
    const square = f.square(x1);
    return f.add(f.add(square, square), square);
  });
  const sum = program.segment(() => {
    const inverse = program.apply("Mul", running, prefix);
    const next = program.apply("Mul", running, norm);
    const quotient = degree === 1 ? [inverse] : difference.map((part) => program.apply("Mul", part, inverse));
    const slope = f.mul(rise, quotient);
    const x3 = f.sub(f.sub(f.square(slope), x1), x2);
    const y3 = f.sub(f.mul(slope, f.subLazy(x1, x3)), y1);
    return [...x3, ...y3, next];
  });
  return { program, tangent, sum, inputs: { x1, y1, x2, difference, rise, running, prefix, norm } };
}

/** Parameters of both kernels. */
const parameters = `struct Parameters { bucketCount: u32, firstSlot: u32, slotCount: u32, level: u32, threadCount: u32 }`;

/** WGSL that both kernels begin with: the fields, the pairs' points, and how many pairs there are. */
function pairShader({ degree }: CurveShape, style: ShaderStyle): string {
  return `${parameters}
${fieldShader(baseShader, style)}
const FqOne = ${limbsLiteral(kernelR % baseModulus)};
alias Element = array<Fq, ${degree}>;
// Pairs of this level in the slice: the list's end may lie within it, or before.
fn pairTotal() -> u32 {
  let total = max(offsets[parameters.bucketCount], parameters.firstSlot) - parameters.firstSlot;
  return min(total, parameters.slotCount) >> parameters.level;
}
// A digit of the list is 0 if there is none, else 1 + 4 * point + 2 * (whether it is the endomorphism's) + sign.
fn digitAt(index: u32) -> u32 { return list[parameters.firstSlot + index] - 1u; }
fn isMissing(index: u32) -> bool {
  if (parameters.level == 1u) { return list[parameters.firstSlot + index] == 0u; }
  return nodes[${4 * degree}u * index + 1u].w == ${missing};
}
fn xOf(index: u32, part: u32) -> Fq {
  if (parameters.level == 1u) {
    let digit = digitAt(index);
    if ((digit & 2u) != 0u) {
      let at = ${2 * degree}u * (digit >> 2u) + 2u * part;
      return FqUnpack(images[at], images[at + 1u]);
    }
    let at = ${4 * degree}u * (digit >> 2u) + 2u * part;
    return FqUnpack(points[at], points[at + 1u]);
  }
  let at = ${4 * degree}u * index + 2u * part;
  return FqUnpack(nodes[at], nodes[at + 1u]);
}
fn yOf(index: u32, part: u32) -> Fq {
  if (parameters.level == 1u) {
    let digit = digitAt(index);
    let at = ${4 * degree}u * (digit >> 2u) + ${2 * degree}u + 2u * part;
    let y = FqUnpack(points[at], points[at + 1u]);
    if ((digit & 1u) != 0u) { return FqSub(FqZero, y); }
    return y;
  }
  let at = ${4 * degree}u * index + ${2 * degree}u + 2u * part;
  return FqUnpack(nodes[at], nodes[at + 1u]);
}`;
}

const operands = [
  ["list", "read", "array<u32>"],
  ["points", "read", "array<vec4<u32>>"],
  ["images", "read", "array<vec4<u32>>"],
  ["nodes", "read", "array<vec4<u32>>"],
  ["offsets", "read", "array<u32>"],
] as const;

/**
 * Kernel that multiplies each thread's denominators. Its pairs are `threadCount` apart, so that neighbours read
 * neighbouring memory.
 */
export function denominatorKernel(curve: CurveShape, style: ShaderStyle): Kernel {
  const { degree } = curve;
  const parts = Array.from({ length: degree }, (_, i) => i);
  const norm = degree === 1 ? "let norm = d0;" : "let norm = FqSquareAdd(d0, d1);";
  return makeKernel(
    `denominators ${curve.name}`,
    [
      ...operands,
      ["prefixes", "write", "array<vec4<u32>>"],
      ["products", "write", "array<vec4<u32>>"],
      ["parameters", "uniform", "Parameters"],
    ],
    `${pairShader(curve, style)}
fn haveOneY(index: u32) -> bool {
  for (var part = 0u; part < ${degree}u; part++) {
    if (!FqIsZero(FqSub(yOf(index, part), yOf(index + 1u, part)))) { return false; }
  }
  return true;
}`,
    `
  if (thread >= parameters.threadCount) { return; }
  let pairs = pairTotal();
  var product = FqOne;
  for (var pair = thread; pair < pairs; pair += parameters.threadCount) {
    let at = ${2 * degree}u * pair;
    prefixes[at + 1u].w = ${missing};
    if (isMissing(2u * pair) || isMissing(2u * pair + 1u)) { continue; }
${parts.map((i) => `    var d${i} = FqSubLazy(xOf(2u * pair + 1u, ${i}u), xOf(2u * pair, ${i}u));`).join("\n")}
    // In the second round the tangent's denominator.
    for (var round = 0u; round < 2u; round++) {
      ${norm}
      let next = FqMul(product, norm);
      if (!FqIsZero(next)) {
        prefixes[at] = FqPackLow(product);
        var high = FqPackHigh(product);
        high.w |= round << ${tangentBit}u;
        prefixes[at + 1u] = high;
${
  degree === 1
    ? ""
    : `        prefixes[at + 2u] = FqPackLow(norm);
        prefixes[at + 3u] = FqPackHigh(norm);`
}
        product = next;
        break;
      }
      if (!haveOneY(2u * pair)) { break; }
${parts.map((i) => `      let y${i} = yOf(2u * pair, ${i}u); d${i} = FqAddLazy(y${i}, y${i});`).join("\n")}
    }
  }
  products[2u * thread] = FqPackLow(product);
  products[2u * thread + 1u] = FqPackHigh(product);`,
  );
}

/** Kernel that adds the pairs, each thread's from its last to its first, once its product is inverted. */
export function pairKernel(curve: CurveShape, style: ShaderStyle): Kernel {
  const { degree } = curve;
  return makeKernel(
    `add pairs ${curve.name}`,
    [
      ...operands,
      ["prefixes", "read", "array<vec4<u32>>"],
      ["inverses", "read", "array<vec4<u32>>"],
      ["sums", "write", "array<vec4<u32>>"],
      ["parameters", "uniform", "Parameters"],
    ],
    `${pairShader(curve, style)}
var<private> x1: Element;
var<private> y1: Element;
var<private> x2: Element;
var<private> difference: Element;
var<private> rise: Element;
var<private> running: Fq;
var<private> prefix: Fq;
var<private> norm: Fq;
${pairSum(curve, style)}`,
    `
  if (thread >= parameters.threadCount) { return; }
  let pairs = pairTotal();
  if (thread >= pairs) { return; }
  running = FqUnpack(inverses[2u * thread], inverses[2u * thread + 1u]);
  for (var left = (pairs - thread - 1u) / parameters.threadCount + 1u; left > 0u; left--) {
    let pair = thread + (left - 1u) * parameters.threadCount;
    let at = ${2 * degree}u * pair;
    var high = prefixes[at + 1u];
    let hasSlope = high.w != ${missing};
    let isTangent = (high.w >> ${tangentBit}u) == 1u;
    var first = 2u * pair;
    if (!hasSlope) {
      let isFirstMissing = isMissing(first);
      // Both missing, or none: then they are opposite.
      if (isFirstMissing == isMissing(first + 1u)) {
        sums[${4 * degree}u * pair + 1u].w = ${missing};
        continue;
      }
      first += select(0u, 1u, isFirstMissing);
    }
    for (var part = 0u; part < ${degree}u; part++) {
      x1[part] = xOf(first, part);
      y1[part] = yOf(first, part);
    }
    if (hasSlope) {
      high.w &= 0x7fffffffu;
      prefix = FqUnpack(prefixes[at], high);
${degree === 1 ? "" : "      norm = FqUnpack(prefixes[at + 2u], prefixes[at + 3u]);"}
      for (var part = 0u; part < ${degree}u; part++) {
        x2[part] = xOf(first + 1u, part);
        if (isTangent) {
          difference[part] = FqAddLazy(y1[part], y1[part]);
        } else {
          difference[part] = FqSubLazy(x2[part], x1[part]);
          rise[part] = FqSubLazy(yOf(first + 1u, part), y1[part]);
        }
      }
${degree === 1 ? "" : "      difference[1] = FqSubLazy4(FqZero, difference[1]);"}
      pairSum(isTangent);
    }
    for (var part = 0u; part < ${degree}u; part++) {
      let to = ${4 * degree}u * pair + 2u * part;
      sums[to] = FqPackLow(x1[part]);
      sums[to + 1u] = FqPackHigh(x1[part]);
      sums[to + ${2 * degree}u] = FqPackLow(y1[part]);
      sums[to + ${2 * degree + 1}u] = FqPackHigh(y1[part]);
    }
  }`,
  );
}

/** WGSL function `pairSum(isTangent)`: leaves the sum in x1 and y1, and the running inverse of the earlier pair. */
function pairSum(curve: CurveShape, style: ShaderStyle): string {
  const { degree } = curve;
  const { program, tangent, sum, inputs } = pairFormulas(curve);
  const names = (["x1", "y1", "x2", "difference", "rise"] as const).flatMap((name) =>
    inputs[name].map((value, part) => ({ value, name: `${name}[${part}]` })),
  );
  const singles = (
    degree === 1 ? (["running", "prefix"] as const) : (["running", "prefix", "norm"] as const)
  ).map((name) => ({ value: inputs[name], name }));
  const outputs = [...inputs.x1.map((_, i) => `x1[${i}]`), ...inputs.y1.map((_, i) => `y1[${i}]`), "running"];
  if (style === "unrolled") {
    return `fn pairSum(isTangent: bool) {
${[...names, ...singles].map(({ value, name }) => `  var v${value} = ${name};`).join("\n")}
  if (isTangent) {
${program.statements(tangent)}
${inputs.rise.map((value, i) => `    v${value} = v${tangent.outputs[i]};`).join("\n")}
  }
${program.statements(sum)}
${sum.outputs.map((value, i) => `  ${outputs[i]} = v${value};`).join("\n")}
}`;
  }
  const { of } = program.registers([tangent, sum]);
  return `${interpreter("pairSum", program, [tangent, sum])}
fn pairSum(isTangent: bool) {
${[...names, ...singles].map(({ value, name }) => `  pairSumRegisters[${of(value)}] = ${name};`).join("\n")}
  for (var round = select(1u, 0u, isTangent); round < 2u; round++) {
    pairSumInterpret(select(${sum.start}u, ${tangent.start}u, round == 0u), select(${sum.end}u, ${tangent.end}u, round == 0u));
    if (round == 0u) {
${inputs.rise.map((value, i) => `      pairSumRegisters[${of(value)}] = pairSumRegisters[${of(tangent.outputs[i]!)}];`).join("\n")}
    }
  }
${sum.outputs.map((value, i) => `  ${outputs[i]} = pairSumRegisters[${of(value)}];`).join("\n")}
}`;
}

/** Kernels that invert the threads' products: folded into fewer, those inverted, and unfolded again. */
export function inverseKernels(style: ShaderStyle): { fold: Kernel; invert: Kernel; unfold: Kernel } {
  const field = `${fieldShader(baseShader, style)}
const FqOne = ${limbsLiteral(kernelR % baseModulus)};`;
  const element = (buffer: string, at: string) =>
    `FqUnpack(${buffer}[2u * ${at}], ${buffer}[2u * ${at} + 1u])`;
  const store = (buffer: string, at: string, value: string) =>
    `${buffer}[2u * ${at}] = FqPackLow(${value}); ${buffer}[2u * ${at} + 1u] = FqPackHigh(${value});`;
  const buffers = [
    ["values", "write", "array<vec4<u32>>"],
    ["prefixes", "write", "array<vec4<u32>>"],
    ["products", "write", "array<vec4<u32>>"],
    ["parameters", "uniform", "Parameters"],
  ] as const;
  const shape = `struct Parameters { count: u32, threadCount: u32 }`;
  const exponent = limbWords(baseModulus - 2n);
  return {
    fold: makeKernel(
      "fold products",
      buffers,
      `${shape}${field}`,
      `
  if (thread >= parameters.threadCount) { return; }
  var product = FqOne;
  for (var i = thread; i < parameters.count; i += parameters.threadCount) {
    ${store("prefixes", "i", "product")}
    product = FqMul(product, ${element("values", "i")});
  }
  ${store("products", "thread", "product")}`,
    ),
    // Fermat: the exponent is p - 2.
    invert: makeKernel(
      "invert products",
      [buffers[0], buffers[3]],
      `struct Parameters { count: u32 }${field}
var<private> exponent: array<u32, 8> = array<u32, 8>(${exponent.join(", ")});`,
      `
  if (thread >= parameters.count) { return; }
  let value = ${element("values", "thread")};
  var power = FqOne;
  for (var bit = 0u; bit < 254u; bit++) {
    // Squares and products through one call.
    for (var step = 0u; step < 2u; step++) {
      let at = 253u - bit;
      if (step == 1u && ((exponent[at >> 5u] >> (at & 31u)) & 1u) == 0u) { break; }
      var other = power;
      if (step == 1u) { other = value; }
      power = FqMul(power, other);
    }
  }
  ${store("values", "thread", "power")}`,
    ),
    unfold: makeKernel(
      "unfold inverses",
      buffers,
      `${shape}${field}`,
      `
  if (thread >= parameters.threadCount || thread >= parameters.count) { return; }
  var running = ${element("products", "thread")};
  for (var left = (parameters.count - thread - 1u) / parameters.threadCount + 1u; left > 0u; left--) {
    let i = thread + (left - 1u) * parameters.threadCount;
    let value = ${element("values", "i")};
    let inverse = FqMul(running, ${element("prefixes", "i")});
    running = FqMul(running, value);
    ${store("values", "i", "inverse")}
  }`,
    ),
  };
}

const limbWords = (value: bigint) =>
  Array.from({ length: 8 }, (_, i) => `${(value >> BigInt(32 * i)) & 0xffffffffn}u`);
