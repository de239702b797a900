/**
 * Arithmetic of a 254-bit prime field in WGSL, which has neither 64-bit integers nor the high half of a
 * product. curve-shader.ts and quotient-kernels.ts build the WebGPU prover's kernels of it.
 *
 * Representation. In registers 20 limbs of 13 bits, in memory 8 words of 32 bits. Products of limbs have 26
 * bits, and the 40 products that a column of a Montgomery multiplication adds up (20 of a b, 20 of m p) stay
 * below 2^32: no carry is taken inside, and nearly every instruction is one multiply-add. Limbs of 16 bits
 * have fewer products (512 for 800), but each must be split before it is added. The same choice won the
 * public comparisons (ZPrize 2023's WebGPU entries; Aztec's WebGPU MSM); their finding that the modulus as
 * immediates and packed words in memory pay most is followed too.
 *
 * Montgomery's R is 2^260, 84.6 times the modulus p: with factors below k1 p and k2 p the product is below
 * (1 + 2^-12 + k1 k2 / 84.6) p. So sums and differences of two elements enter a product as they are, and everything
 * that is stored is below 2 p. Only the quotient's scalars are brought below p.
 */
import { powMod } from "@openledger/foundation/modular";
import { baseModulus, scalarModulus } from "../formats/bn254-numbers.ts";

/** A field that shaders compute in. */
export interface FieldShape {
  /** Prefix of the functions' names. */
  name: "Fq" | "Fr";
  modulus: bigint;
}

export const baseShader: FieldShape = { name: "Fq", modulus: baseModulus };
export const scalarShader: FieldShape = { name: "Fr", modulus: scalarModulus };

/** Bits of a limb in registers: the header says why. */
const limbBits = 13;
const limbCount = 20;
/** Montgomery's R of the kernels; a zkey's is 2^256. */
export const kernelR = 1n << BigInt(limbBits * limbCount);
/** Low bits of a limb. */
const mask = (1 << limbBits) - 1;
/**
 * Limbs of the first factor in one round of the multiplication's loop. The loop is not unrolled wholly: ten
 * products of a point addition at 800 multiply-adds each would not fit an instruction cache.
 */
const limbsPerRound = 6;

/**
 * Style of the shaders. "unrolled" is for graphics cards: limbs are scalars, so that they stay in registers.
 * "compact" has the same functions as loops over arrays, for SwiftShader, whose compiler takes half a minute
 * for one unrolled point addition. Only the field's functions differ; tests compare both styles with the same
 * oracle.
 */
export type ShaderStyle = "unrolled" | "compact";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Splits a value below 2^260 into limbs, lowest first. */
export function limbsOf(value: bigint): number[] {
  return range(limbCount).map((i) => Number((value >> BigInt(limbBits * i)) & BigInt(mask)));
}

/** Splits a value below 2^256 into 32-bit words, lowest first. */
export function wordsOf(value: bigint): number[] {
  return range(8).map((i) => Number((value >> BigInt(32 * i)) & 0xffffffffn));
}

/** WGSL literal `array<u32, 20>(…)` of a constant. */
export function limbsLiteral(value: bigint): string {
  return `array<u32, ${limbCount}>(${limbsOf(value)
    .map((limb) => `${limb}u`)
    .join(", ")})`;
}

/**
 * Renders the field's functions, X its name. All results have limbs of 13 bits.
 *
 *   XMul(a, b)    a b / 2^260, below 2 p where a < k1 p, b < k2 p, k1 k2 <= 84
 *   XSquare(a)    as XMul(a, a), with about half as many products of limbs before the reduction
 *   XMulAdd(a, b, c, d), XMulSub, XSquareAdd(a, b)  a b + c d, a b - c d for c < 4 p, a a + b b; over 2^260, reduced once,
 *                 below 2 p where the two products' k1 k2 together are at most 84, c in XMulSub counting as 4 p
 *   XAdd, XSub    of elements below 2 p, result below 2 p
 *   XAddLazy      a + b, no reduction
 *   XSubLazy      a - b + 2 p for b < 2 p; XSubLazy4: a - b + 4 p for b < 4 p
 *   XIsZero       of an element below 2 p
 *   XCanonical    of an element below 2 p, result below p
 *   XUnpack, XPack  from and to two vec4<u32>
 */
export function fieldShader(field: FieldShape, style: ShaderStyle): string {
  const { name, modulus } = field;
  if (style === "compact") return compactFieldShader(field);
  const zero = `array<u32, ${limbCount}>(${range(limbCount)
    .map(() => "0u")
    .join(", ")})`;
  return `
alias ${name} = array<u32, ${limbCount}>;
const ${name}Zero = ${zero};
${multiply(field, "Mul", [["a", "b"]])}
${multiply(field, "MulAdd", [
  ["a", "b"],
  ["c", "d"],
])}
${square(field, "Square", ["a"])}
${square(field, "SquareAdd", ["a", "b"])}
${addition(`${name}AddLazy`, name, (i) => `a[${i}] + b[${i}]`)}
${difference(`${name}SubLazy`, name, 2n * modulus)}
${difference(`${name}SubLazy4`, name, 4n * modulus)}
${conditional(`${name}Reduce`, name, 2n * modulus)}
${conditional(`${name}Canonical`, name, modulus)}
fn ${name}Add(a: ${name}, b: ${name}) -> ${name} { return ${name}Reduce(${name}AddLazy(a, b)); }
fn ${name}Sub(a: ${name}, b: ${name}) -> ${name} { return ${name}Reduce(${name}SubLazy(a, b)); }
fn ${name}MulSub(a: ${name}, b: ${name}, c: ${name}, d: ${name}) -> ${name} {
  return ${name}MulAdd(a, b, ${name}SubLazy4(${name}Zero, c), d);
}
fn ${name}IsZero(a: ${name}) -> bool {
  let isZero = (${range(limbCount)
    .map((i) => `a[${i}]`)
    .join(" | ")}) == 0u;
  let isModulus = (${limbsOf(modulus)
    .map((limb, i) => `(a[${i}] ^ ${limb}u)`)
    .join(" | ")}) == 0u;
  return isZero || isModulus;
}
${unpack(name)}
${pack(name)}
`;
}

/** -1 / modulus modulo 2^13. The units there have orders that divide 2^11, so 1 / x is x^(2^11 - 1). */
function montgomeryFactor(modulus: bigint): number {
  const base = 1n << BigInt(limbBits);
  return Number(base - powMod(modulus % base, base / 4n - 1n, base));
}

/** Turns of a product that take Montgomery's factor in any field: the last ones. */
const plainTurns = 2;

/**
 * Lines of turn k of a reduction, that leave s = (s + t) / 2^13 modulo p, t what is added to the columns.
 *
 * A plain turn adds m p, with the m that makes the lowest limb vanish. A short one has no m: with l the lowest limb and
 * c = 2^-13 mod p it takes (s + t - l) / 2^13 + l c, one multiplication less and none that waits for another. With
 * c = (n p + 1) / 2^13, n below 2^13, a short turn leaves less than (s + t) / 2^13 + n p, so all of them leave less than
 * 2^13 p beside the product. The two plain ones at the end leave less than 2 p, then (1 + 2^-12) p.
 *
 * Where p is 1 modulo 2^13, as the scalar field's, m is -l and has no multiplication either: all turns are plain.
 *
 * @param added what is added to column j, such as ` + x * b[3]`
 */
function reduceLowest(modulus: bigint, k: number, added: (j: number) => string): string[] {
  const base = 1n << BigInt(limbBits);
  const factor = montgomeryFactor(modulus);
  const isOne = modulus % base === 1n;
  const isPlain = isOne || k >= limbCount - plainTurns;
  // Multiples that are added to the columns from s0 on, before and after the shift.
  const limbs = isPlain ? limbsOf(modulus) : [0, ...limbsOf((BigInt(factor) * modulus + 1n) / base)];
  const times = (j: number) => (limbs[j] ? ` + m${limbs[j] === 1 ? "" : ` * ${limbs[j]}u`}` : "");
  const low = isPlain ? `(t${times(0)})` : "t";
  const m = !isPlain
    ? `t & ${mask}u`
    : isOne
      ? `(0u - t) & ${mask}u`
      : `((t & ${mask}u) * ${factor}u) & ${mask}u`;
  return [
    `let t = s0${added(0)};`,
    `let m = ${m};`,
    ...range(limbCount - 1).map((i) => {
      const carry = i === 0 ? ` + (${low} >> ${limbBits}u)` : "";
      return `s${i} = s${i + 1}${added(i + 1)}${times(i + 1)}${carry};`;
    }),
    `s${limbCount - 1} = ${isPlain ? "0u" : times(limbCount).slice(3)};`,
  ];
}

/**
 * Montgomery's product, column by column of the first factor: s = (s + a_i b) / 2^13. With two pairs of factors the sum of
 * both products, reduced once.
 *
 * Bounds: a column takes in each of the 20 turns it lives a product below 2^26 for each pair and one of the reduction,
 * 60 (2^13 - 1)^2 < 2^31.91 for two pairs, and a carry below 2^19 when it is lowest: less than 2^32.
 */
function multiply(
  { name, modulus }: FieldShape,
  suffix: string,
  pairs: readonly (readonly [string, string])[],
): string {
  const turn = (k: number, at: number) => {
    const added = (j: number) => pairs.map(([x, y]) => ` + ${x}${at} * ${y}[${j}]`).join("");
    return block(reduceLowest(modulus, k, added));
  };
  const rotate = pairs.flatMap(([a]) =>
    range(limbCount - limbsPerRound).map((i) => `    ${a}${i} = ${a}${i + limbsPerRound};`),
  );
  const parameters = pairs.flat().map((each) => `${each}: ${name}`);
  return `
fn ${name}${suffix}(${parameters.join(", ")}) -> ${name} {
${range(limbCount)
  .map((i) => `  var s${i} = 0u;${pairs.map(([a]) => ` var ${a}${i} = ${a}[${i}];`).join("")}`)
  .join("\n")}
  for (var round = 0u; round < ${(limbCount - plainTurns) / limbsPerRound}u; round++) {
${range(limbsPerRound)
  .map((at) => turn(at, at))
  .join("\n")}
${rotate.join("\n")}
  }
${range(plainTurns)
  .map((at) => turn(limbCount - plainTurns + at, at))
  .join("\n")}
${returnColumns(name)}
}`;
}

const block = (lines: readonly string[]) =>
  `    {\n${lines.map((line) => `      ${line}`).join("\n")}\n    }`;

/** The end of a product: carries pass from column to column, and each column has a limb. */
const returnColumns = (name: string) => `${range(limbCount - 1)
  .map((i) => `  s${i + 1} += s${i} >> ${limbBits}u;`)
  .join("\n")}
  return ${name}(${range(limbCount)
    .map((i) => `s${i} & ${mask}u`)
    .join(", ")});`;

/**
 * Montgomery's square, or the sum of two: a_i a_j stands for a_j a_i, too, with a_j doubled. Turn i adds what begins with
 * a_i, so the lowest column is whole when it is reduced, and no column takes more than in `multiply`. Each turn is another,
 * so all are written out.
 */
function square({ name, modulus }: FieldShape, suffix: string, bases: readonly string[]): string {
  // The column at s[0] in turn k is k of the square: a_k a_j is at its place j.
  const product = (k: number, j: number) =>
    j < k ? "" : bases.map((a) => ` + ${a}[${k}] * ${j === k ? `${a}[${k}]` : `double${a}${j}`}`).join("");
  return `
fn ${name}${suffix}(${bases.map((a) => `${a}: ${name}`).join(", ")}) -> ${name} {
${range(limbCount)
  .map(
    (i) =>
      `  var s${i} = 0u;${bases.map((a) => (i === 0 ? "" : ` let double${a}${i} = ${a}[${i}] << 1u;`)).join("")}`,
  )
  .join("\n")}
${range(limbCount)
  .map((k) => block(reduceLowest(modulus, k, (j) => product(k, j))))
  .join("\n")}
${returnColumns(name)}
}`;
}

function compactFieldShader({ name, modulus }: FieldShape): string {
  const count = `${limbCount}u`;
  const bits = `${limbBits}u`;
  const base = 1n << BigInt(limbBits);
  const factor = montgomeryFactor(modulus);
  const carries = (limb: string, isSigned: boolean) => {
    const [kind, masked] = isSigned ? ["i32", `u32(c & ${mask}i)`] : ["u32", `c & ${mask}u`];
    return `
  var out: ${name};
  var c = ${kind}(0);
  for (var i = 0u; i < ${count}; i++) {
    c = (c >> ${bits}) + ${limb};
    out[i] = ${masked};
  }`;
  };
  const difference = (suffix: string, times: bigint) => `
fn ${name}${suffix}(a: ${name}, b: ${name}) -> ${name} {
  var x = a;
  var y = b;${carries(`i32(x[i]) - i32(y[i]) + ${times}i * i32(${name}Modulus[i])`, true)}
  return out;
}`;
  const conditional = (suffix: string, times: bigint) => `
fn ${name}${suffix}(a: ${name}) -> ${name} {
  var x = a;${carries(`i32(x[i]) - ${times}i * i32(${name}Modulus[i])`, true)}
  if (c < 0i) { return x; }
  return out;
}`;
  return `
alias ${name} = array<u32, ${limbCount}>;
const ${name}Zero = ${limbsLiteral(0n)};
var<private> ${name}Modulus: ${name} = ${limbsLiteral(modulus)};
fn ${name}Mul(a: ${name}, b: ${name}) -> ${name} {
  var x = a;
  var y = b;
  var s: ${name};
  for (var i = 0u; i < ${count}; i++) {
    let t = s[0] + x[i] * y[0];
    let m = ((t & ${mask}u) * ${factor}u) & ${mask}u;
    var carry = (t + m * ${modulus % base}u) >> ${bits};
    for (var j = 1u; j < ${count}; j++) {
      s[j - 1u] = s[j] + x[i] * y[j] + m * ${name}Modulus[j] + carry;
      carry = 0u;
    }
    s[${limbCount - 1}] = 0u;
  }
${carries("s[i]", false)}
  return out;
}
fn ${name}Square(a: ${name}) -> ${name} { return ${name}Mul(a, a); }
fn ${name}SquareAdd(a: ${name}, b: ${name}) -> ${name} { return ${name}Add(${name}Mul(a, a), ${name}Mul(b, b)); }
fn ${name}AddLazy(a: ${name}, b: ${name}) -> ${name} {
  var x = a;
  var y = b;${carries("x[i] + y[i]", false)}
  return out;
}
${difference("SubLazy", 2n)}
${difference("SubLazy4", 4n)}
${conditional("Reduce", 2n)}
${conditional("Canonical", 1n)}
fn ${name}MulAdd(a: ${name}, b: ${name}, c: ${name}, d: ${name}) -> ${name} { return ${name}Add(${name}Mul(a, b), ${name}Mul(c, d)); }
fn ${name}MulSub(a: ${name}, b: ${name}, c: ${name}, d: ${name}) -> ${name} { return ${name}Sub(${name}Mul(a, b), ${name}Mul(c, d)); }
fn ${name}Add(a: ${name}, b: ${name}) -> ${name} { return ${name}Reduce(${name}AddLazy(a, b)); }
fn ${name}Sub(a: ${name}, b: ${name}) -> ${name} { return ${name}Reduce(${name}SubLazy(a, b)); }
fn ${name}IsZero(a: ${name}) -> bool {
  var x = a;
  var some = 0u;
  var other = 0u;
  for (var i = 0u; i < ${count}; i++) {
    some |= x[i];
    other |= x[i] ^ ${name}Modulus[i];
  }
  return some == 0u || other == 0u;
}
fn ${name}Unpack(lo: vec4<u32>, hi: vec4<u32>) -> ${name} {
  var words = array<u32, 9>(lo.x, lo.y, lo.z, lo.w, hi.x, hi.y, hi.z, hi.w, 0u);
  var out: ${name};
  for (var i = 0u; i < ${count}; i++) {
    let at = (i * ${bits}) >> 5u;
    let shift = (i * ${bits}) & 31u;
    out[i] = ((words[at] >> shift) | ((words[at + 1u] << 1u) << (31u - shift))) & ${mask}u;
  }
  return out;
}
fn ${name}Words(a: ${name}) -> array<u32, 9> {
  var x = a;
  var words: array<u32, 9>;
  for (var i = 0u; i < ${count}; i++) {
    let at = (i * ${bits}) >> 5u;
    let shift = (i * ${bits}) & 31u;
    words[at] |= x[i] << shift;
    words[at + 1u] |= (x[i] >> 1u) >> (31u - shift);
  }
  return words;
}
fn ${name}PackLow(a: ${name}) -> vec4<u32> {
  let w = ${name}Words(a);
  return vec4<u32>(w[0], w[1], w[2], w[3]);
}
fn ${name}PackHigh(a: ${name}) -> vec4<u32> {
  let w = ${name}Words(a);
  return vec4<u32>(w[4], w[5], w[6], w[7]);
}
`;
}

function addition(functionName: string, type: string, limb: (i: number) => string): string {
  const lines = range(limbCount).map((i) =>
    i === 0 ? `  let c0 = ${limb(0)};` : `  let c${i} = ${limb(i)} + (c${i - 1} >> ${limbBits}u);`,
  );
  return carried(functionName, type, "u32", lines);
}

/** Differences borrow: limbs are signed in between, and shifts keep the sign. */
function difference(functionName: string, type: string, offset: bigint): string {
  const limbs = limbsOf(offset);
  const lines = range(limbCount).map((i) => {
    const carry = i === 0 ? "" : ` + (c${i - 1} >> ${limbBits}u)`;
    return `  let c${i} = i32(a[${i}]) - i32(b[${i}]) + ${limbs[i]}i${carry};`;
  });
  return carried(functionName, type, "i32", lines);
}

function carried(functionName: string, type: string, kind: "u32" | "i32", lines: string[]): string {
  const limbs = range(limbCount).map((i) => (kind === "u32" ? `c${i} & ${mask}u` : `u32(c${i} & ${mask}i)`));
  return `
fn ${functionName}(a: ${type}, b: ${type}) -> ${type} {
${lines.join("\n")}
  return ${type}(${limbs.join(", ")});
}`;
}

/** a - bound where that is not negative, else a. */
function conditional(functionName: string, type: string, bound: bigint): string {
  const limbs = limbsOf(bound);
  const lines = range(limbCount).map((i) => {
    const carry = i === 0 ? "" : ` + (c${i - 1} >> ${limbBits}u)`;
    return `  let c${i} = i32(a[${i}]) - ${limbs[i]}i${carry};`;
  });
  const last = limbCount - 1;
  return `
fn ${functionName}(a: ${type}) -> ${type} {
${lines.join("\n")}
  let isLess = c${last} < 0i;
  return ${type}(${range(limbCount)
    .map((i) => `select(u32(c${i} & ${mask}i), a[${i}], isLess)`)
    .join(", ")});
}`;
}

function unpack(name: string): string {
  const word = (i: number) => `${i < 4 ? "lo" : "hi"}[${i % 4}]`;
  const limb = (i: number) => {
    const bit = limbBits * i;
    const [at, shift] = [bit >> 5, bit & 31];
    const low = `(${word(at)} >> ${shift}u)`;
    const isWhole = shift + limbBits <= 32 || at === 7;
    return `(${isWhole ? low : `(${low} | (${word(at + 1)} << ${32 - shift}u))`} & ${mask}u)`;
  };
  return `
fn ${name}Unpack(lo: vec4<u32>, hi: vec4<u32>) -> ${name} {
  return ${name}(${range(limbCount).map(limb).join(", ")});
}`;
}

/** The value is below 2^256, so bits above are zero. */
function pack(name: string): string {
  const word = (at: number) =>
    range(limbCount)
      .filter((i) => limbBits * i < 32 * (at + 1) && limbBits * (i + 1) > 32 * at)
      .map((i) => {
        const shift = limbBits * i - 32 * at;
        return shift >= 0 ? `(a[${i}] << ${shift}u)` : `(a[${i}] >> ${-shift}u)`;
      })
      .join(" | ");
  const half = (from: number) =>
    `vec4<u32>(${range(4)
      .map((i) => word(from + i))
      .join(", ")})`;
  return `
fn ${name}PackLow(a: ${name}) -> vec4<u32> { return ${half(0)}; }
fn ${name}PackHigh(a: ${name}) -> vec4<u32> { return ${half(4)}; }`;
}
