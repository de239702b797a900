/**
 * Multiples of secp256k1's generator in WebAssembly, for preconfirmations: k · G in 64 additions, the same for every k.
 *
 * An element of the field is ten limbs of 26 bits in memory, four bytes each, as in libsecp256k1's 10x26 form: limbs may
 * be a little above 26 bits, values below 2^261, and 2^260 is 2^36 + 0x3d10 modulo the prime. Points are Jacobian.
 *
 * Window i of k, four bits d, adds (d · 16^i + h_i) · G from a table; the running sum begins at −(h_0 + … + h_63) · G.
 * The h_i are hashes: no entry is the point at infinity, no digit is left out, and for the sum to meet ± an entry, where
 * the formulas fail, a k would have to be found for which it does.
 */
import { normalizeZ } from "@noble/curves/abstract/curve.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { sha256 } from "@noble/hashes/sha2.js";
import {
  type Code,
  i32,
  i64,
  type Local,
  type WasmFunction,
  WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import { WebAssembly } from "@openledger/foundation/wasm/relaxed-simd";

const { Point } = secp256k1;
type NoblePoint = InstanceType<typeof Point>;
const prime = Point.Fp.ORDER;
const order = Point.Fn.ORDER;

const LIMB_COUNT = 10;
const LIMB_BITS = 26;
const MASK = (1n << 26n) - 1n;
const ELEMENT_BYTES = 4 * LIMB_COUNT;
const WINDOW_COUNT = 64;
const DIGITS = 16;
const ENTRY_BYTES = 2 * ELEMENT_BYTES;

const pageBytes = 65536;
const maxPages = 4;
const scalarAt = 64;
const valuesAt = 128;
const tableAt = 1024;
/** Places of elements: the sum's coordinates and what an addition needs in between. */
const [X, Y, Z, ZZ, U, S, H, R, HH, HHH, V, T] = Array.from({ length: 12 }, (_, i) =>
  i32.const(valuesAt + i * ELEMENT_BYTES),
) as [Code, Code, Code, Code, Code, Code, Code, Code, Code, Code, Code, Code];

const toLimbs = (value: bigint): number[] =>
  Array.from({ length: LIMB_COUNT }, (_, i) => Number((value >> BigInt(LIMB_BITS * i)) & MASK));

/** Carries between limbs and folds what is above the tenth, twice: limbs end below 2^26 + 1. */
function emitCarry(f: WasmFunction, limbs: readonly Local[], overflow: Local): void {
  const carryAll = () => {
    for (const [i, limb] of limbs.entries()) {
      const next = limbs[i + 1] ?? overflow;
      const carry = i64.shrU(limb.get, i64.const(26n));
      f.set(next, i + 1 < limbs.length ? i64.add(next.get, carry) : i64.add(overflow.get, carry));
      f.set(limb, i64.and(limb.get, i64.const(MASK)));
    }
  };
  const fold = () => {
    const [first, second] = [limbs[0]!, limbs[1]!];
    f.set(first, i64.add(first.get, i64.mul(overflow.get, i64.const(0x3d10n))));
    f.set(second, i64.add(second.get, i64.shl(overflow.get, i64.const(10n))));
    f.set(overflow, i64.const(0n));
  };
  carryAll();
  fold();
  carryAll();
  fold();
}

function buildModule(): Uint8Array {
  const builder = new WasmModuleBuilder(maxPages);
  const load = (f: WasmFunction, address: Local): Local[] => {
    const limbs = f.locals("i64", LIMB_COUNT);
    for (const [i, limb] of limbs.entries()) f.set(limb, i64.load32u(address.get, 4 * i));
    return limbs;
  };
  const store = (f: WasmFunction, address: Local, limbs: readonly Local[]) => {
    for (const [i, limb] of limbs.entries()) f.emit(i64.store32(address.get, limb.get, 4 * i));
  };

  // (out, a, b): a · b. Columns are sums of at most ten products below 2^53.
  const mul = builder.function("mul", ["i32", "i32", "i32"], null, (f) => {
    const [out, a, b] = [f.param(0), load(f, f.param(1)), load(f, f.param(2))];
    const columns = f.locals("i64", 2 * LIMB_COUNT);
    for (let k = 0; k < 2 * LIMB_COUNT - 1; k++) {
      const products: Code[] = [];
      for (let i = Math.max(0, k - LIMB_COUNT + 1); i <= Math.min(k, LIMB_COUNT - 1); i++)
        products.push(i64.mul(a[i]!.get, b[k - i]!.get));
      const sum = products.reduce((x, y) => i64.add(x, y));
      const below = columns[k - 1];
      f.set(columns[k]!, below === undefined ? sum : i64.add(sum, i64.shrU(below.get, i64.const(26n))));
      if (below !== undefined) f.set(below, i64.and(below.get, i64.const(MASK)));
    }
    const [last, top] = [columns[2 * LIMB_COUNT - 2]!, columns[2 * LIMB_COUNT - 1]!];
    f.set(top, i64.shrU(last.get, i64.const(26n)));
    f.set(last, i64.and(last.get, i64.const(MASK)));
    const [low, overflow] = [columns.slice(0, LIMB_COUNT), f.local("i64")];
    f.set(overflow, i64.const(0n));
    for (const [i, high] of columns.slice(LIMB_COUNT).entries()) {
      f.set(low[i]!, i64.add(low[i]!.get, i64.mul(high.get, i64.const(0x3d10n))));
      const next = low[i + 1] ?? overflow;
      f.set(next, i64.add(next.get, i64.shl(high.get, i64.const(10n))));
    }
    emitCarry(f, low, overflow);
    store(f, out, low);
  });

  // 64 times the prime, in limbs that no limb of an element exceeds.
  const bias = toLimbs(64n * prime).map(BigInt);
  bias[LIMB_COUNT - 1] = (64n * prime) >> BigInt(LIMB_BITS * (LIMB_COUNT - 1));
  for (let i = 0; i < LIMB_COUNT - 1; i++) {
    bias[i]! += 1n << 28n;
    bias[i + 1]! -= 4n;
  }
  // (out, a, b): a − b
  const sub = builder.function("sub", ["i32", "i32", "i32"], null, (f) => {
    const [out, a, b] = [f.param(0), load(f, f.param(1)), load(f, f.param(2))];
    for (const [i, limb] of a.entries())
      f.set(limb, i64.sub(i64.add(limb.get, i64.const(bias[i]!)), b[i]!.get));
    const overflow = f.local("i64");
    f.set(overflow, i64.const(0n));
    emitCarry(f, a, overflow);
    store(f, out, a);
  });

  // (entry): adds an affine point to the sum
  const add = builder.function("add", ["i32"], null, (f) => {
    const x2 = f.param(0).get;
    const y2 = i32.add(x2, i32.const(ELEMENT_BYTES));
    const steps: [WasmFunction, Code, Code, Code][] = [
      [mul, ZZ, Z, Z],
      [mul, U, x2, ZZ],
      [mul, S, y2, Z],
      [mul, S, S, ZZ],
      [sub, H, U, X],
      [sub, R, S, Y],
      [mul, HH, H, H],
      [mul, HHH, H, HH],
      [mul, V, X, HH],
      [mul, X, R, R],
      [sub, X, X, HHH],
      [sub, X, X, V],
      [sub, X, X, V],
      [sub, T, V, X],
      [mul, T, R, T],
      [mul, Y, Y, HHH],
      [sub, Y, T, Y],
      [mul, Z, Z, H],
    ];
    for (const [step, out, a, b] of steps) f.emit(step.call(out, a, b));
  });

  // The sum, which holds the start, plus one entry for each digit of the scalar.
  builder.function("multiply", [], null, (f) => {
    const [byte, entry, digits] = f.locals("i32", 3) as [Local, Local, Local];
    f.set(entry, i32.const(tableAt));
    const addDigit = (digit: Code) => {
      f.emit(add.call(i32.add(entry.get, i32.mul(digit, i32.const(ENTRY_BYTES)))));
      f.set(entry, i32.add(entry.get, i32.const(DIGITS * ENTRY_BYTES)));
    };
    f.doWhile(
      () => {
        f.set(digits, i32.load8u(byte.get, scalarAt));
        addDigit(i32.and(digits.get, i32.const(15)));
        addDigit(i32.shrU(digits.get, i32.const(4)));
        f.set(byte, i32.add(byte.get, i32.const(1)));
      },
      () => i32.ltU(byte.get, i32.const(WINDOW_COUNT / 2)),
    );
  });
  return builder.build();
}

/** X, Y and Z with x = X / Z² and y = Y / Z³, reduced. */
export interface JacobianPoint {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
}

export class GeneratorKernel {
  readonly #limbs: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #start: readonly number[];
  readonly #multiply: () => number;

  /** Makes the table, some tens of milliseconds. */
  constructor() {
    const module = new WebAssembly.Module(buildModule());
    const memory = new WebAssembly.Memory({ initial: 2, maximum: maxPages, shared: true });
    const byteCount = tableAt + WINDOW_COUNT * DIGITS * ENTRY_BYTES;
    if (byteCount > 2 * pageBytes) throw new RangeError("the table is too large");
    this.#limbs = new Uint32Array(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
    const { points, start } = makeTable();
    for (const [i, { x, y }] of points.entries())
      this.#limbs.set([...toLimbs(x), ...toLimbs(y)], (tableAt + i * ENTRY_BYTES) / 4);
    this.#start = [...toLimbs(start.x), ...toLimbs(start.y), ...toLimbs(1n)];
    const { exports } = new WebAssembly.Instance(module, { env: { memory, scratch: 0 } });
    this.#multiply = exports.multiply!;
  }

  /** @param scalar 32 bytes, little-endian, below the order */
  multiply(scalar: Uint8Array): JacobianPoint {
    this.#bytes.set(scalar, scalarAt);
    this.#limbs.set(this.#start, valuesAt / 4);
    this.#multiply();
    this.#bytes.fill(0, scalarAt, scalarAt + 32);
    const [x, y, z] = [0, 1, 2].map((i) => this.#element(i)) as [bigint, bigint, bigint];
    return { x, y, z };
  }

  #element(place: number): bigint {
    const at = (valuesAt + place * ELEMENT_BYTES) / 4;
    let value = 0n;
    for (let i = LIMB_COUNT - 1; i >= 0; i--)
      value = (value << BigInt(LIMB_BITS)) + BigInt(this.#limbs[at + i]!);
    return value % prime;
  }
}

function makeTable(): { points: { x: bigint; y: bigint }[]; start: { x: bigint; y: bigint } } {
  const points: NoblePoint[] = [];
  let sum = 0n;
  let unit = Point.BASE;
  for (let i = 0; i < WINDOW_COUNT; i++) {
    const digest = sha256(
      new TextEncoder().encode(`openledger-verifiable: offset ${i} of preconfirmation signatures`),
    );
    const offset = BigInt(`0x${Buffer.from(digest).toString("hex")}`) % order;
    sum += offset;
    let entry = Point.BASE.multiply(offset);
    for (let d = 0; d < DIGITS; d++, entry = entry.add(unit)) points.push(entry);
    for (let j = 0; j < 4; j++) unit = unit.double();
  }
  const start = Point.BASE.multiply(order - (sum % order));
  return { points: normalizeZ(Point, points).map((p) => p.toAffine()), start: start.toAffine() };
}
