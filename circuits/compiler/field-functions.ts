/**
 * Takes a third off the time of circom's witness programs. All of them begin with the same 81 functions of the scalar field; those
 * that cost most give way to others, which leave the same bytes behind:
 * - A product in Montgomery's form takes 9 limbs of 29 bits, whose products add up without carries, where circom takes 8 of 32.
 * - Two short values (short-values.ts) are added, multiplied and compared at once, without calls.
 * - A power does not square through an exponent's leading zeros: those in our templates have one byte, circom's loop 32.
 */

import { type Code, i32, i64, type Local, WasmFunction } from "@openledger/foundation/wasm/assembler";
import { FIELD_ORDER } from "../protocol.ts";
import { ColumnReader, ColumnWriter } from "./byte-columns.ts";
import { CODE_SECTION, codeOf } from "./short-values.ts";

const FUNCTION_COUNT = 81;
/** FNV-1a of the functions' bytes as circom writes them for this field, once short values stay short. */
const KNOWN_HASH = 3_463_524_143;

const WORDS = [0, 1, 2, 3] as const;
const WORD_BITS = 64;
const MODULUS_WORDS = WORDS.map((i) => i64.const(FIELD_ORDER >> BigInt(WORD_BITS * i)));
const LIMB_BITS = 29;
const LIMBS = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;
/** Montgomery's form has 256 bits, the limbs have 261: one factor counts 2^5-fold. */
const SPARE_BITS = 5;
const LIMB_MASK = i64.const((1n << BigInt(LIMB_BITS)) - 1n);
const lowLimb = (code: Code): Code => i64.and(code, LIMB_MASK);
const MODULUS_LIMBS = LIMBS.map((i) =>
  i64.const(BigInt.asUintN(LIMB_BITS, FIELD_ORDER >> BigInt(LIMB_BITS * i))),
);

/** The bits of x, `by` places up. */
const shift = (x: Code, by: number): Code =>
  by >= 0 ? i64.shl(x, i64.const(BigInt(by))) : i64.shrU(x, i64.const(BigInt(-by)));

function loadWords(f: WasmFunction, at: Local): Code[] {
  const words = f.locals("i64", WORDS.length);
  for (const [i, word] of words.entries()) f.set(word, i64.load(at.get, 8 * i));
  return words.map((word) => word.get);
}

/** Digits of another length, from those whose bits overlap with theirs. */
function regroup(
  f: WasmFunction,
  digits: readonly Code[],
  { bits, newBits, count, up = 0 }: { bits: number; newBits: number; count: number; up?: number },
): Code[] {
  const made = f.locals("i64", count);
  for (const [i, digit] of made.entries()) {
    const parts = digits.flatMap((from, k) => {
      const by = bits * k + up - newBits * i;
      return by < newBits && by + bits > 0 ? [shift(from, by)] : [];
    });
    const all = parts.reduce((one, other) => i64.or(one, other));
    f.set(digit, newBits === WORD_BITS || i === count - 1 ? all : lowLimb(all));
  }
  return made.map((digit) => digit.get);
}

/** Stores a value below twice the modulus, less the modulus where it reaches that. */
function storeReduced(f: WasmFunction, at: Local, words: readonly Code[]): void {
  const borrow = f.local("i64");
  const differences = f.locals("i64", WORDS.length);
  for (const i of WORDS) f.emit(i64.store(at.get, words[i]!, 8 * i));
  f.if(i64.geU(words[3]!, MODULUS_WORDS[3]!), () => {
    f.set(borrow, i64.const(0n));
    for (const [i, difference] of differences.entries()) {
      const [x, p] = [words[i]!, MODULUS_WORDS[i]!];
      f.set(difference, i64.sub(i64.sub(x, p), borrow.get));
      const passesOn = i32.and(i64.eq(x, p), i32.wrap(borrow.get));
      f.set(borrow, i64.extendI32U(i32.or(i64.ltU(x, p), passesOn)));
    }
    f.if(i64.eqz(borrow.get), () => {
      for (const [i, { get }] of differences.entries()) f.emit(i64.store(at.get, get, 8 * i));
    });
  });
}

function defineProduct(f: WasmFunction): void {
  const [x, y, r] = f.params as [Local, Local, Local];
  const toLimbs = { bits: WORD_BITS, newBits: LIMB_BITS, count: LIMBS.length };
  const xs = regroup(f, loadWords(f, x), { ...toLimbs, up: SPARE_BITS });
  const ys = regroup(f, loadWords(f, y), toLimbs);
  const sums = f.locals("i64", LIMBS.length);
  const quotient = f.local("i64");
  const carry = f.local("i64");
  for (const i of LIMBS) {
    // At most 18 products of 58 bits add up in one position.
    for (const j of LIMBS) {
      const product = i64.mul(xs[i]!, ys[j]!);
      f.set(sums[j]!, i === 0 || j === LIMBS.length - 1 ? product : i64.add(sums[j]!.get, product));
    }
    // The modulus ends in 2^28 + 1, the inverse of 1 - 2^28.
    const low = sums[0]!.get;
    f.set(quotient, lowLimb(i64.sub(shift(low, LIMB_BITS - 1), low)));
    f.set(carry, shift(i64.add(low, i64.mul(quotient.get, MODULUS_LIMBS[0]!)), -LIMB_BITS));
    for (const j of LIMBS.slice(1)) {
      const sum = i64.add(sums[j]!.get, i64.mul(quotient.get, MODULUS_LIMBS[j]!));
      f.set(sums[j - 1]!, j === 1 ? i64.add(sum, carry.get) : sum);
    }
  }
  f.set(sums[8]!, i64.const(0n));
  for (const j of LIMBS.slice(1)) {
    f.set(sums[j]!, i64.add(sums[j]!.get, shift(sums[j - 1]!.get, -LIMB_BITS)));
    f.set(sums[j - 1]!, lowLimb(sums[j - 1]!.get));
  }
  const limbs = sums.map((sum) => sum.get);
  storeReduced(f, r, regroup(f, limbs, { bits: LIMB_BITS, newBits: WORD_BITS, count: WORDS.length }));
}

function defineSum(f: WasmFunction): void {
  const [x, y, r] = f.params as [Local, Local, Local];
  const [xs, ys] = [loadWords(f, x), loadWords(f, y)];
  const carry = f.local("i64");
  const sums = f.locals("i64", WORDS.length);
  for (const [i, { get }] of sums.entries()) {
    f.set(sums[i]!, i64.add(i64.add(xs[i]!, ys[i]!), carry.get));
    const passesOn = i32.and(i64.eq(get, xs[i]!), i32.wrap(carry.get));
    f.set(carry, i64.extendI32U(i32.or(i64.ltU(get, xs[i]!), passesOn)));
  }
  storeReduced(
    f,
    r,
    sums.map((sum) => sum.get),
  );
}

/** A value has 32 bits, a mark, whose sign says that it is long, and the long form. */
const areShort = (...values: readonly Local[]): Code =>
  i32.geS(
    values.map(({ get }) => i32.load(get, 4)).reduce((all, mark) => i32.or(all, mark)),
    i32.const(0),
  );
const short = ({ get }: Local): Code => i32.load(get);
const storeShort = (at: Local, value: Code): Code => i64.store(at.get, i64.extendI32U(value));

/** Stores the result for two short values where it is short. */
const whereShort = (operation: (a: Code, b: Code) => Code) => (f: WasmFunction) => {
  const [r, a, b] = f.params as [Local, Local, Local];
  const result = f.local("i64");
  f.if(areShort(a, b), () => {
    f.set(result, operation(i64.extendI32S(short(a)), i64.extendI32S(short(b))));
    const low = i32.wrap(result.get);
    f.if(i64.eq(i64.extendI32S(low), result.get), () => {
      f.emit(storeShort(r, low));
      f.return();
    });
  });
};

interface Replacement {
  /** Place among the functions. */
  readonly place: number;
  readonly paramCount: number;
  readonly hasResult?: boolean;
  /** circom's code follows, for the cases in which this one returns nothing. It has these locals. */
  readonly rest?: { readonly type: "i32" | "i64"; readonly count: number };
  readonly define: (f: WasmFunction) => void;
}

const REPLACEMENTS: readonly Replacement[] = [
  { place: 16, paramCount: 3, define: defineSum }, // Fr_F1m_add
  { place: 20, paramCount: 3, define: defineProduct }, // Fr_F1m_mul
  {
    place: 30, // Fr_F1m_exp
    paramCount: 4,
    rest: { type: "i32", count: 2 },
    define(f) {
      const [, exponent, byteCount] = f.params as [Local, Local, Local];
      const fewer = i32.sub(byteCount.get, i32.const(1));
      const isZero = i32.eqz(i32.load8u(i32.add(exponent.get, fewer)));
      f.while(i32.and(i32.gtU(byteCount.get, i32.const(1)), isZero), () => f.set(byteCount, fewer));
    },
  },
  {
    place: 43, // Fr_toInt
    paramCount: 1,
    hasResult: true,
    rest: { type: "i32", count: 0 },
    define: (f) => f.if(areShort(f.param(0)), () => f.return(short(f.param(0)))),
  },
  { place: 44, paramCount: 3, rest: { type: "i64", count: 2 }, define: whereShort(i64.add) }, // Fr_add
  { place: 45, paramCount: 3, rest: { type: "i64", count: 2 }, define: whereShort(i64.sub) }, // Fr_sub
  {
    place: 46, // Fr_eqR
    paramCount: 2,
    hasResult: true,
    rest: { type: "i32", count: 0 },
    define(f) {
      const [a, b] = f.params as [Local, Local];
      f.if(areShort(a, b), () => f.return(i32.eq(short(a), short(b))));
    },
  },
  {
    place: 52, // Fr_lt
    paramCount: 3,
    rest: { type: "i32", count: 0 },
    define(f) {
      const [r, a, b] = f.params as [Local, Local, Local];
      f.if(areShort(a, b), () => f.return(storeShort(r, i32.ltS(short(a), short(b)))));
    },
  },
  { place: 54, paramCount: 3, rest: { type: "i64", count: 2 }, define: whereShort(i64.mul) }, // Fr_mul
];

/** A function's bytes with its length, as the code section has them. Its own code may follow after a vector of locals. */
function bytesOf({ paramCount, hasResult, rest, define }: Replacement, own: Uint8Array): Uint8Array {
  const params = Array.from({ length: paramCount }, () => "i32" as const);
  const f = new WasmFunction(0, "", params, hasResult ? "i32" : null);
  if (rest !== undefined) f.locals(rest.type, rest.count);
  define(f);
  // After the locals: none, or one group of them. Without the end.
  if (rest !== undefined) f.emit([...own.subarray(rest.count === 0 ? 1 : 3, -1)]);
  return Uint8Array.from(f.bodyBytes);
}

/** The replacements' bytes by their place, once for all programs. */
let replaced: ReadonlyMap<number, Uint8Array> | null = null;

/** @returns a copy of a program of `keepShort` with faster functions, or the program itself where it has others than circom's */
export function quicken(program: Uint8Array): Uint8Array {
  const [at, start, end] = codeOf(program);
  const code = withQuickFunctions(program.subarray(start, end));
  if (code === null) return program;
  const made = new ColumnWriter();
  made.raw(program.subarray(0, at));
  made.byte(CODE_SECTION);
  made.unsigned(code.length);
  made.raw(code);
  made.raw(program.subarray(end));
  return made.take();
}

function withQuickFunctions(section: Uint8Array): Uint8Array | null {
  const reader = new ColumnReader(section);
  const made = new ColumnWriter();
  made.unsigned(reader.unsigned());
  const own = Array.from({ length: FUNCTION_COUNT }, () => reader.raw(reader.unsigned()));
  if (hashOf(own) !== KNOWN_HASH) return null;
  replaced ??= new Map(REPLACEMENTS.map((each) => [each.place, bytesOf(each, own[each.place]!)]));
  for (const [position, body] of own.entries()) {
    const bytes = replaced.get(position);
    if (bytes === undefined) made.unsigned(body.length);
    made.raw(bytes ?? body);
  }
  made.raw(section.subarray(own.at(-1)!.byteOffset + own.at(-1)!.length - section.byteOffset));
  return made.take();
}

function hashOf(bodies: readonly Uint8Array[]): number {
  let hash = 0x811c9dc5;
  for (const body of bodies) for (const byte of body) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
