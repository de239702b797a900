/**
 * Modular division in the base field by Bernstein and Yang's division steps (https://eprint.iacr.org/2019/266),
 * as emitted WebAssembly on 64-bit integers. field-inverse.ts inverts with it.
 */
import { baseField } from "@openledger/circuits/wasm/field-limbs";
import { invertMod } from "@openledger/foundation/modular";
import {
  type Code,
  i64,
  type Local,
  scratchAddress,
  select,
  type WasmFunction,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";

/**
 * Bits of a digit. Each digit is in an i64, and only the last one is signed. Sums of a few products of a
 * digit with a factor of up to 2^31 fit.
 */
export const digitBits = 30;
/** Digits of a number: 270 bits for values up to twice the modulus and a sign. */
const digitCount = 9;
const digitMask = (1n << BigInt(digitBits)) - 1n;
const modulusDigits = Array.from(
  { length: digitCount },
  (_, i) => (baseField.modulus >> BigInt(digitBits * i)) & digitMask,
);
const modulusInverse = invertMod(baseField.modulus, 1n << BigInt(digitBits));

/**
 * Offset of the integer in an instance's scratch, after the kernels' own bytes; then come the numbers f, g, d
 * and e.
 */
export const integerAt = 64;
const integerBytes = 32;
const numberAt = (i: number) => integerAt + integerBytes + 8 * digitCount * i;
const fAt = numberAt(0);
const gAt = numberAt(1);
const dAt = numberAt(2);
const eAt = numberAt(3);
/** Bytes of an instance's scratch that a division uses. */
export const inverseScratchBytes = numberAt(4);

const constant = (value: number | bigint) => i64.const(BigInt(value));
const digit = (at: number, i: number) => i64.load(scratchAddress, at + 8 * i);
const setDigit = (at: number, i: number, value: Code) => i64.store(scratchAddress, value, at + 8 * i);
/** Mask of a value's sign: all ones if it is negative, else zero. */
const signMask = (value: Code) => i64.shrS(value, constant(63));
const isNegative = (at: number) => signMask(digit(at, digitCount - 1));

/** Digits of a division's result in d. */
export const quotientDigits = Array.from({ length: digitCount }, (_, i) => digit(dAt, i));
/** Sign of a division's result in f: 1 or -1. */
export const quotientSign = i64.or(isNegative(fAt), constant(1));

/** Factors by which a step's divisions change f and g: to u f + v g and q f + r g over 2^30. */
type Factors = readonly [u: Local, v: Local, q: Local, r: Local];

/**
 * Emits `fqDivide`: from an integer x at integerAt, between 0 and twice the modulus p and no multiple of it, a number d
 * between -2 p and p and f = 1 or -1 with d x = f modulo p. These are Bernstein and Yang's divisions: thirty of a step
 * need the lowest digits alone, and then f and g are brought up to date, and d and e, of which they are multiples by x
 * modulo p.
 * Not in constant time.
 */
export function addDivision(builder: WasmModuleBuilder): WasmFunction {
  return builder.function("fqDivide", [], null, (f) => {
    const eta = f.local("i64");
    const factors = f.locals("i64", 4) as [Local, Local, Local, Local];
    f.set(eta, constant(-1));
    for (let i = 0; i < digitCount; i++) {
      const byte = Math.min(Math.floor((digitBits * i) / 8), integerBytes - 8);
      const word = i64.load(scratchAddress, integerAt + byte);
      const bits = i64.shrU(word, constant(digitBits * i - 8 * byte));
      f.emit(setDigit(fAt, i, constant(modulusDigits[i]!)));
      f.emit(setDigit(gAt, i, i64.and(bits, constant(digitMask))));
      f.emit(setDigit(dAt, i, constant(0)));
      f.emit(setDigit(eAt, i, constant(i === 0 ? 1 : 0)));
    }
    f.doWhile(
      () => {
        emitDivisions(f, eta, factors);
        emitUpdate(f, factors, dAt, eAt, true);
        emitUpdate(f, factors, fAt, gAt, false);
      },
      () => {
        const digits = Array.from({ length: digitCount }, (_, i) => digit(gAt, i));
        return i64.ne(digits.reduce(i64.or), constant(0));
      },
    );
  });
}

/** Halves g thirty times, after adding a multiple of f wherever it is odd: the factors of that. */
function emitDivisions(f: WasmFunction, eta: Local, [u, v, q, r]: Factors): void {
  const [low, high, left] = f.locals("i64", 3) as [Local, Local, Local];
  const [zeros, swapped, limit, multiple] = f.locals("i64", 4) as [Local, Local, Local, Local];
  /** Pairs of locals that change alike in f and in g. */
  const rows = [
    [low, high],
    [u, q],
    [v, r],
  ] as const;
  for (const [local, value] of [
    [u, constant(1)],
    [v, constant(0)],
    [q, constant(0)],
    [r, constant(1)],
    [low, digit(fAt, 0)],
    [high, digit(gAt, 0)],
    [left, constant(digitBits)],
  ] as const)
    f.set(local, value);
  const halve = () => {
    f.set(zeros, i64.ctz(i64.or(high.get, i64.shl(constant(-1), left.get))));
    f.set(high, i64.shrU(high.get, zeros.get));
    for (const local of [u, v]) f.set(local, i64.shl(local.get, zeros.get));
    for (const local of [eta, left]) f.set(local, i64.sub(local.get, zeros.get));
  };
  halve();
  f.while(i64.ne(left.get, constant(0)), () => {
    f.if(i64.ltS(eta.get, constant(0)), () => {
      f.set(eta, i64.sub(constant(0), eta.get));
      for (const [a, b] of rows) {
        f.set(swapped, a.get);
        f.set(a, b.get);
        f.set(b, i64.sub(constant(0), swapped.get));
      }
    });
    // Clear as many bits of g as possible before eta turns, up to six: f (f^2 - 2) is -1 / f modulo 64.
    const next = i64.add(eta.get, constant(1));
    f.set(limit, select(left.get, next, i64.ltS(left.get, next)));
    const minusInverse = i64.mul(low.get, i64.sub(i64.mul(low.get, low.get), constant(2)));
    const mask = i64.and(i64.sub(i64.shl(constant(1), limit.get), constant(1)), constant(63));
    f.set(multiple, i64.and(i64.mul(minusInverse, high.get), mask));
    for (const [a, b] of rows) f.set(b, i64.add(b.get, i64.mul(a.get, multiple.get)));
    halve();
  });
}

/**
 * x and y become u x + v y and q x + r y over 2^30, which divides both or, if `isModular`, does with multiples of p.
 */
function emitUpdate(f: WasmFunction, factors: Factors, xAt: number, yAt: number, isModular: boolean): void {
  const [u, v, q, r] = factors.map((local) => local.get) as [Code, Code, Code, Code];
  const [x, y] = f.locals("i64", 2) as [Local, Local];
  const outputs = [
    { at: xAt, a: u, b: v },
    { at: yAt, a: q, b: r },
  ].map((output) => ({ ...output, sum: f.local("i64"), multiple: f.local("i64") }));
  for (let i = 0; i < digitCount; i++) {
    f.set(x, digit(xAt, i));
    f.set(y, digit(yAt, i));
    for (const { a, b, sum, multiple, at } of outputs) {
      const product = i64.add(i64.mul(a, x.get), i64.mul(b, y.get));
      f.set(sum, i === 0 ? product : i64.add(sum.get, product));
      if (isModular && i === 0) {
        // p is added to a negative x or y, which keeps both above -2 p.
        f.set(multiple, i64.add(i64.and(a, isNegative(xAt)), i64.and(b, isNegative(yAt))));
        const remainder = i64.add(i64.mul(sum.get, constant(modulusInverse)), multiple.get);
        f.set(multiple, i64.sub(multiple.get, i64.and(remainder, constant(digitMask))));
      }
      if (isModular) f.set(sum, i64.add(sum.get, i64.mul(multiple.get, constant(modulusDigits[i]!))));
      if (i > 0) f.emit(setDigit(at, i - 1, i64.and(sum.get, constant(digitMask))));
      f.set(sum, i64.shrS(sum.get, constant(digitBits)));
    }
  }
  for (const { at, sum } of outputs) f.emit(setDigit(at, digitCount - 1, sum.get));
}
