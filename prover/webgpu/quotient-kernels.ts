/**
 * WGSL kernels of the first half of a proof, over the scalar field: matrix rows, transforms, quotient.
 * quotient.ts dispatches them.
 */
import { coefficientBytes } from "../formats/setup-kernels.ts";
import { fieldShader, limbsLiteral, type ShaderStyle, scalarShader } from "./field-shader.ts";
import type { Kernel } from "./gpu-device.ts";
import { makeKernel } from "./kernel-source.ts";

/** Terms of a row that one thread adds up. */
export const segmentTerms = 32;
/** Entries of each of the two small tables whose products are all powers. */
export const powerTable = 1024;

/** WGSL that reads and writes elements of a buffer of vec4<u32>. */
const load = (buffer: string, index: string) =>
  `FrUnpack(${buffer}[2u * (${index})], ${buffer}[2u * (${index}) + 1u])`;
const store = (buffer: string, index: string, value: string) =>
  `{ let at = 2u * (${index}); let stored = ${value};
    ${buffer}[at] = FrPackLow(stored); ${buffer}[at + 1u] = FrPackHigh(stored); }`;

/** Bindings that several kernels have. */
const vectors = ["vectors", "write", "array<vec4<u32>>"] as const;
const powers = ["powers", "read", "array<vec4<u32>>"] as const;
const parameters = ["parameters", "uniform", "Parameters"] as const;

/** A type and no interface, so that its values can be listed. */
type QuotientKernels = {
  scaleCoefficients: Kernel;
  makePowers: Kernel;
  segments: Kernel;
  rows: Kernel;
  inverse: Kernels;
  forward: Kernels;
  shift: Kernel;
  quotient: Kernel;
};

/** Kernels of a transform's passes: of two stages, and of the lowest stage or two, most of whose roots are 1. */
export interface Kernels {
  2: Kernel;
  lowest: Record<1 | 2, Kernel>;
}

/**
 * Makes the kernels from the witness to the quotient's scalars.
 *
 * A pass of a transform does two stages on four elements in registers, without workgroup memory: elements are
 * 32 bytes, which the products of a stage outweigh on every card, and so all passes are one kernel whatever
 * the size. The inverse transform leaves its results in bit-reversed order, where the forward one takes them.
 */
export function quotientKernels(style: ShaderStyle): QuotientKernels {
  const field = fieldShader(scalarShader, style);
  const words = coefficientBytes / 4;
  return {
    // A key's values are c 2^512; c 2^520 / size is what a product with a plain value needs.
    scaleCoefficients: makeKernel(
      "scale coefficients",
      [["coefficients", "write", "array<u32>"], ["factor", "read", "array<vec4<u32>>"], parameters],
      `struct Parameters { count: u32 }${field}`,
      `
  if (thread >= parameters.count) { return; }
  let at = thread * ${words}u + 3u;
  let low = vec4<u32>(coefficients[at], coefficients[at + 1u], coefficients[at + 2u], coefficients[at + 3u]);
  let high = vec4<u32>(coefficients[at + 4u], coefficients[at + 5u], coefficients[at + 6u], coefficients[at + 7u]);
  let product = FrMul(FrUnpack(low, high), ${load("factor", "0u")});
  var lowWords = FrPackLow(product);
  var highWords = FrPackHigh(product);
  for (var i = 0u; i < 4u; i++) {
    coefficients[at + i] = lowWords[i];
    coefficients[at + 4u + i] = highWords[i];
  }`,
    ),
    makePowers: makeKernel(
      "make powers",
      [
        ["low", "read", "array<vec4<u32>>"],
        ["high", "read", "array<vec4<u32>>"],
        ["powers", "write", "array<vec4<u32>>"],
        parameters,
      ],
      `struct Parameters { count: u32 }${field}`,
      `
  if (thread >= parameters.count) { return; }
  let product = FrMul(${load("low", `thread % ${powerTable}u`)}, ${load("high", `thread / ${powerTable}u`)});
  ${store("powers", "thread", "product")}`,
    ),
    segments: makeKernel(
      "add up segments",
      [
        ["starts", "read", "array<u32>"],
        ["terms", "read", "array<u32>"],
        ["coefficients", "read", "array<u32>"],
        ["witness", "read", "array<vec4<u32>>"],
        ["segments", "write", "array<vec4<u32>>"],
        parameters,
      ],
      `struct Parameters { count: u32 }${field}`,
      `
  if (thread >= parameters.count) { return; }
  var sum = FrZero;
  for (var i = starts[thread]; i < starts[thread + 1u]; i++) {
    let at = terms[i] * ${words}u + 2u;
    let low = vec4<u32>(coefficients[at + 1u], coefficients[at + 2u], coefficients[at + 3u], coefficients[at + 4u]);
    let high = vec4<u32>(coefficients[at + 5u], coefficients[at + 6u], coefficients[at + 7u], coefficients[at + 8u]);
    sum = FrAdd(sum, FrMul(FrUnpack(low, high), ${load("witness", "coefficients[at]")}));
  }
  ${store("segments", "thread", "sum")}`,
    ),
    // A satisfied constraint's C is the product of its A and B. Both come divided by the size, C is to be too.
    rows: makeKernel(
      "add up rows",
      [
        ["starts", "read", "array<u32>"],
        ["segments", "read", "array<vec4<u32>>"],
        ["factor", "read", "array<vec4<u32>>"],
        vectors,
        parameters,
      ],
      `struct Parameters { size: u32 }${field}`,
      `
  if (thread >= parameters.size) { return; }
  var product = ${load("factor", "0u")};
  for (var matrix = 0u; matrix < 2u; matrix++) {
    let row = matrix * parameters.size + thread;
    var sum = FrZero;
    for (var i = starts[row]; i < starts[row + 1u]; i++) { sum = FrAdd(sum, ${load("segments", "i")}); }
    ${store("vectors", "row", "sum")}
    product = FrMul(product, sum);
  }
  ${store("vectors", "2u * parameters.size + thread", "product")}`,
    ),
    inverse: transformPasses(field, false),
    forward: transformPasses(field, true),
    // Coefficient j is at the place whose bits are j's in reverse; it gets the coset's factor g^j.
    shift: makeKernel(
      "shift to the coset",
      [vectors, powers, parameters],
      `struct Parameters { count: u32, size: u32, power: u32 }${field}`,
      `
  if (thread >= parameters.count) { return; }
  let exponent = reverseBits(thread & (parameters.size - 1u)) >> (32u - parameters.power);
  let product = FrMul(${load("vectors", "thread")}, ${load("powers", "exponent")});
  ${store("vectors", "thread", "product")}`,
    ),
    quotient: makeKernel(
      "quotient",
      [["vectors", "read", "array<vec4<u32>>"], ["scalars", "write", "array<vec4<u32>>"], parameters],
      `struct Parameters { size: u32, firstScalar: u32 }${field}
const FrPlainOne = ${limbsLiteral(1n)};`,
      `
  if (thread >= parameters.size) { return; }
  let product = FrMul(${load("vectors", "thread")}, ${load("vectors", "parameters.size + thread")});
  let difference = FrSubLazy(product, ${load("vectors", "2u * parameters.size + thread")});
  let plain = FrCanonical(FrMul(difference, FrPlainOne));
  ${store("scalars", "parameters.firstScalar + thread", "plain")}`,
    ),
  };
}

const transformPasses = (field: string, isForward: boolean): Kernels => ({
  2: transformPass(field, isForward, 2, false),
  lowest: { 1: transformPass(field, isForward, 1, true), 2: transformPass(field, isForward, 2, true) },
});

/**
 * Makes the kernel of a pass: stages of a transform of size n over vectors that lie one after another. `top` is the
 * higher stage of the pass; stage t pairs elements 2^t apart, with the root w^(i n / 2^(t + 1)), i the place within
 * the half:
 *
 *   forward, stages ascending: (a, b) -> (a + w^k b, a - w^k b)
 *   inverse, stages descending: (a, b) -> (a + b, (a - b) w^-k)
 *
 * The table holds powers of g with g^2 = w up to g^n = -1, so w^-k = -g^(n - 2 k): the inverse takes
 * (b - a) g^(n - 2 k). In the lowest pass `low` is 0, so k is 0 unless i is 1 in stage 1: no product is taken.
 */
function transformPass(field: string, isForward: boolean, stageCount: 1 | 2, isLowest: boolean): Kernel {
  const count = 2 ** stageCount;
  const stages = stageCount === 1 ? [0] : isForward ? [1, 0] : [0, 1];
  // Stage `top - depth`: elements of this pass that it pairs are 2^(stageCount - 1 - depth) apart.
  const butterflies = stages.flatMap((depth) => {
    const gap = 2 ** (stageCount - 1 - depth);
    return Array.from({ length: count }, (_, i) => i)
      .filter((i) => (i & gap) === 0)
      .map((i) => {
        const position = `(low + ${i % gap}u * step)`;
        const exponent = `(${position} << (parameters.power - (parameters.top - ${depth}u)))`;
        const [a, b] = [`e${i}`, `e${i + gap}`];
        if (isLowest && i % gap === 0)
          return `{ let t = ${b}; ${b} = FrSub(${a}, t); ${a} = FrAdd(${a}, t); }`;
        return isForward
          ? `{ let t = FrMul(${b}, ${load("powers", exponent)}); ${b} = FrSub(${a}, t); ${a} = FrAdd(${a}, t); }`
          : `{ let t = FrSubLazy(${b}, ${a}); ${a} = FrAdd(${a}, ${b});
    ${b} = FrMul(t, ${load("powers", `(1u << parameters.power) - ${exponent}`)}); }`;
      });
  });
  const elements = Array.from({ length: count }, (_, i) => i);
  return makeKernel(
    `${isForward ? "forward" : "inverse"} transform, ${isLowest ? "lowest " : ""}${stageCount} stages`,
    [vectors, powers, parameters],
    `struct Parameters { count: u32, power: u32, top: u32 }${field}`,
    `
  if (thread >= parameters.count) { return; }
  let lowest = parameters.top - ${stageCount - 1}u;
  let step = 1u << lowest;
  let low = thread & (step - 1u);
  let first = ((thread >> lowest) << (lowest + ${stageCount}u)) + low;
${elements.map((i) => `  var e${i} = ${load("vectors", `first + ${i}u * step`)};`).join("\n")}
  ${butterflies.join("\n  ")}
${elements.map((i) => `  ${store("vectors", `first + ${i}u * step`, `e${i}`)}`).join("\n")}`,
  );
}
