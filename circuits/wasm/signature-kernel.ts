/**
 * WebAssembly kernel that checks signatures of operations, S · B8 = R8 + u · A on BabyJubJub, two at a time, one in each lane.
 *
 * The curve a·x² + y² = 1 + d·x²·y² has a square a = 168700 and a non-square d = 168696. With x' = √a · x it is
 * x'² + y² = 1 + (d/a)·x'²·y², whose addition has no exceptions either, and loses the factor a (Hisil, Wong, Carter and
 * Dawson, "Twisted Edwards Curves Revisited", extended coordinates X, Y, Z, T with x' = X/Z, y = Y/Z, T = X·Y/Z).
 *
 * S · B8 − u · A takes one chain of 256 doublings for both products (Straus): u by digits of 4 bits with a table of A's
 * multiples that is made for each signature, S by digits of 8 bits with a table of B8's multiples that is made once.
 */

import { invertMod } from "@openledger/foundation/modular";
import {
  type Code,
  i32,
  type Local,
  type WasmFunction,
  WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import { enableRelaxedSimd, newMemory, WebAssembly } from "@openledger/foundation/wasm/relaxed-simd";
import { FIELD_ORDER } from "../protocol.ts";
import { FieldKernel, type LimbValue } from "./field-kernel.ts";
import { ConstantPool, elementBytes, elementR, encodeElement, scalarField } from "./field-limbs.ts";
import { readIntegers, writeInteger } from "./integer-limbs.ts";

/** A square root of a: either will do. */
const ROOT_A = 7214280148105020021932206872019688659210616427216992810330019057549499971851n;
const CURVE_A = 168700n;
/** d / a */
const D = (168696n * invertMod(CURVE_A, FIELD_ORDER)) % FIELD_ORDER;

const pageBytes = 65536;
const maxPages = 16;
const pairBytes = 2 * elementBytes;
const integerBytes = 32;
const scratchAt = 64;
const constantsAt = 256;
/** X, Y, Z, T of the running sum, both lanes. */
const sumAt = 8 * 1024;
/** Offset of each lane's inputs: x and y of A, x and y of R8, u, S. */
const inputsAt = 9 * 1024;
const laneInputBytes = 6 * integerBytes;
/**
 * Offset of the results: for each lane two integers below twice the modulus. An integer equals the modulus if
 * the coordinates agree.
 */
const outputsAt = 10 * 1024;
/** Multiples 0 to 15 of −A, for each lane: X, Y, Z and (d/a)·T, one element after the other. */
const keyTableAt = 12 * 1024;
const keyEntryBytes = 4 * elementBytes;
const keyDigits = 16;
const laneTableBytes = keyDigits * keyEntryBytes;
/** Multiples 0 to 255 of B8: x', y and (d/a)·x'·y. */
const baseTableAt = 20 * 1024;
const baseEntryBytes = 3 * elementBytes;
const baseDigits = 256;

interface AffinePoint {
  readonly x: bigint;
  readonly y: bigint;
}

/** Equation of one signature. All coordinates are below r and on the curve, both scalars below 2^256. */
export interface SignatureEquation {
  readonly key: AffinePoint;
  readonly r8: AffinePoint;
  /** Factor of the key: V, which the challenge gives. */
  readonly factor: bigint;
  readonly s: bigint;
}

type Point = readonly [x: LimbValue, y: LimbValue, z: LimbValue, t: LimbValue];

const at = (address: number, offset = 0): Code => i32.const(address + offset);

function loadSum(kernel: FieldKernel): Point {
  return [0, 1, 2, 3].map((i) => kernel.bindAll(kernel.load(at(sumAt, i * pairBytes)))) as unknown as Point;
}

/** Stores E·F, G·H, F·G and E·H as the sum; T only where something will read it. */
function storeSum(
  kernel: FieldKernel,
  [e, f, g, h]: readonly [LimbValue, LimbValue, LimbValue, LimbValue],
  needsT: boolean,
): void {
  const put = (i: number, value: LimbValue) => kernel.store(at(sumAt, i * pairBytes), kernel.reduce(value));
  put(0, kernel.mul(e, f));
  put(1, kernel.mul(g, h));
  put(2, kernel.mul(f, g));
  if (needsT) put(3, kernel.mul(e, h));
}

function emitDouble(kernel: FieldKernel, needsT: boolean): void {
  const [x, y, z] = loadSum(kernel);
  const reduced = (value: LimbValue) => kernel.reduce(value);
  const [xx, yy, zz] = [x, y, z].map((value) => kernel.square(value)) as [LimbValue, LimbValue, LimbValue];
  const xy = kernel.mul(x, y);
  const sum = reduced(kernel.add(xx, yy));
  const difference = reduced(kernel.sub(xx, yy));
  const rest = reduced(kernel.sub(sum, kernel.add(zz, zz)));
  storeSum(kernel, [reduced(kernel.add(xy, xy)), rest, sum, difference], needsT);
}

/** Adds X, Y, Z, (d/a)·T to the sum; z is null if it is 1. */
function emitAdd(
  kernel: FieldKernel,
  [x, y, z, dt]: readonly [LimbValue, LimbValue, LimbValue | null, LimbValue],
): void {
  const [x1, y1, z1, t1] = loadSum(kernel);
  const e = kernel.reduce(
    kernel.sumOfProducts([
      { a: x1, b: y },
      { a: y1, b: x },
    ]),
  );
  const h = kernel.reduce(
    kernel.sumOfProducts([
      { a: y1, b: y },
      { a: x1, b: x, isNegative: true },
    ]),
  );
  const c = kernel.mul(t1, dt);
  const d = z === null ? z1 : kernel.mul(z1, z);
  storeSum(kernel, [e, kernel.reduce(kernel.sub(d, c)), kernel.reduce(kernel.add(d, c)), h], true);
}

const advance = (f: WasmFunction, local: Local, by: number) =>
  f.set(local, i32.add(local.get, i32.const(by)));

function buildModule(constants: ConstantPool): Uint8Array {
  const builder = new WasmModuleBuilder(maxPages);
  const define = (name: string, params: number, emit: (kernel: FieldKernel, f: WasmFunction) => void) =>
    builder.function(name, Array<"i32">(params).fill("i32"), null, (f) =>
      emit(new FieldKernel(f, scalarField, constants), f),
    );
  const double = define("double", 0, (kernel) => emitDouble(kernel, false));
  const doubleFull = define("doubleFull", 0, (kernel) => emitDouble(kernel, true));
  // (lower, upper): entries of the key's table
  const addKey = define("addKey", 2, (kernel, f) => {
    const [lower, upper] = f.params as [Local, Local];
    const entry = [0, 1, 2, 3].map((i) =>
      kernel.bindAll(kernel.gather(lower.get, upper.get, i * elementBytes)),
    );
    emitAdd(kernel, entry as [LimbValue, LimbValue, LimbValue, LimbValue]);
  });
  const addBase = define("addBase", 2, (kernel, f) => {
    const [lower, upper] = f.params as [Local, Local];
    const [x, y, dt] = [0, 1, 2].map((i) =>
      kernel.bindAll(kernel.gather(lower.get, upper.get, i * elementBytes)),
    ) as [LimbValue, LimbValue, LimbValue];
    emitAdd(kernel, [x, y, null, dt]);
  });

  const input = (lane: 0 | 1, i: number) => at(inputsAt, lane * laneInputBytes + i * integerBytes);
  const readInput = (kernel: FieldKernel, i: number) =>
    kernel.reduce(readIntegers(kernel, input(0, i), input(1, i), 0, 1));

  const clear = define("clear", 0, (kernel) => {
    const [zero, one] = [kernel.bindAll(kernel.zero()), kernel.bindAll(kernel.one())];
    for (const [i, value] of [zero, one, one, zero].entries()) kernel.store(at(sumAt, i * pairBytes), value);
  });

  // (entry): the sum as this entry of the key's table
  const keep = define("keep", 1, (kernel, f) => {
    const entry = f.param(0);
    const [x, y, z, t] = loadSum(kernel);
    const dt = kernel.reduce(kernel.mul(t, kernel.constantValue(D * elementR)));
    for (const [i, value] of [x, y, z, dt].entries()) {
      const offset = i * elementBytes;
      kernel.scatter(entry.get, i32.add(entry.get, i32.const(laneTableBytes)), value, offset);
    }
  });

  const makeTable = define("makeTable", 0, (kernel, f) => {
    const entry = f.local("i32");
    f.emit(clear.call());
    f.emit(keep.call(at(keyTableAt)));
    // −A as the sum: its T is x · y.
    const x = kernel.reduce(
      kernel.mul(readInput(kernel, 0), kernel.constantValue(-ROOT_A * elementR * elementR)),
    );
    const y = kernel.reduce(kernel.mul(readInput(kernel, 1), kernel.constantValue(elementR * elementR)));
    const t = kernel.reduce(kernel.mul(x, y));
    for (const [i, value] of [x, y, kernel.bindAll(kernel.one()), t].entries())
      kernel.store(at(sumAt, i * pairBytes), value);
    const first = at(keyTableAt, keyEntryBytes);
    f.set(entry, first);
    f.emit(keep.call(entry.get));
    f.doWhile(
      () => {
        f.emit(addKey.call(first, at(keyTableAt, keyEntryBytes + laneTableBytes)));
        advance(f, entry, keyEntryBytes);
        f.emit(keep.call(entry.get));
      },
      () => i32.ltU(entry.get, at(keyTableAt, (keyDigits - 1) * keyEntryBytes)),
    );
  });

  const compare = define("compare", 0, (kernel) => {
    const [x, y, z] = loadSum(kernel);
    const plain = kernel.constantValue(1n);
    const coordinates: [LimbValue, number, bigint][] = [
      [x, 2, ROOT_A],
      [y, 3, 1n],
    ];
    for (const [i, [coordinate, position, scale]] of coordinates.entries()) {
      const factor = kernel.constantValue(scale * elementR * elementR);
      const expected = kernel.reduce(kernel.mul(readInput(kernel, position), factor));
      const scaled = kernel.mul(kernel.bindAll(expected), z);
      const difference = kernel.reduce(kernel.sub(coordinate, scaled));
      const value = kernel.reduce(kernel.mul(difference, plain));
      for (const lane of [0, 1] as const)
        writeInteger(kernel, value, lane, at(outputsAt, (2 * lane + i) * integerBytes));
    }
  });

  builder.function("check", [], null, (f) => {
    const index = f.local("i32");
    f.emit(makeTable.call());
    f.emit(clear.call());
    const byte = (lane: 0 | 1, position: number) => i32.load8u(i32.add(input(lane, position), index.get));
    const keyEntry = (lane: 0 | 1, digit: Code) =>
      i32.add(at(keyTableAt, lane * laneTableBytes), i32.mul(digit, i32.const(keyEntryBytes)));
    const fourDoublings = () => {
      for (let i = 0; i < 3; i++) f.emit(double.call());
      f.emit(doubleFull.call());
    };
    f.set(index, i32.const(integerBytes - 1));
    f.doWhile(
      () => {
        for (const digit of [
          (code: Code) => i32.shrU(code, i32.const(4)),
          (code: Code) => i32.and(code, i32.const(15)),
        ]) {
          fourDoublings();
          f.emit(addKey.call(keyEntry(0, digit(byte(0, 4))), keyEntry(1, digit(byte(1, 4)))));
        }
        const baseEntry = (lane: 0 | 1) =>
          i32.add(at(baseTableAt), i32.mul(byte(lane, 5), i32.const(baseEntryBytes)));
        f.emit(addBase.call(baseEntry(0), baseEntry(1)));
        advance(f, index, -1);
      },
      () => i32.geS(index.get, i32.const(0)),
    );
    f.emit(compare.call());
  });
  return builder.build();
}

/** Checks equations of signatures; needs hardware with a fused multiply-add. */
export class SignatureKernel {
  readonly #words: BigUint64Array;
  readonly #check: () => number;

  /** @param multiples 0 to 255 times B8, affine */
  constructor(multiples: readonly AffinePoint[]) {
    if (multiples.length !== baseDigits) throw new RangeError(`${baseDigits} multiples of B8 are needed`);
    enableRelaxedSimd();
    const constants = new ConstantPool(constantsAt);
    const module = new WebAssembly.Module(buildModule(constants));
    const byteCount = baseTableAt + baseDigits * baseEntryBytes;
    const initial = Math.ceil(byteCount / pageBytes);
    const memory = newMemory(initial, maxPages);
    const doubles = new Float64Array(memory.buffer);
    if (constantsAt + constants.image.byteLength > sumAt) throw new RangeError("too many constants");
    doubles.set(constants.image, constantsAt / 8);
    for (const [i, { x, y }] of multiples.entries()) {
      const scaled = (x * ROOT_A) % FIELD_ORDER;
      for (const [j, value] of [scaled, y, (((scaled * y) % FIELD_ORDER) * D) % FIELD_ORDER].entries()) {
        const address = baseTableAt + i * baseEntryBytes + j * elementBytes;
        doubles.set(encodeElement(value, scalarField), address / 8);
      }
    }
    const { exports } = new WebAssembly.Instance(module, { env: { memory, scratch: scratchAt } });
    this.#check = exports.check!;
    this.#words = new BigUint64Array(memory.buffer);
  }

  /** Checks each of the two equations. The second may be the first again. */
  check(first: SignatureEquation, second: SignatureEquation): [boolean, boolean] {
    this.#put(0, first);
    this.#put(1, second);
    this.#check();
    return [this.#holds(0), this.#holds(1)];
  }

  #put(lane: 0 | 1, { key, r8, factor, s }: SignatureEquation): void {
    const words = this.#words;
    let position = (inputsAt + lane * laneInputBytes) / 8;
    for (const value of [key.x, key.y, r8.x, r8.y, factor, s]) {
      // Each assignment keeps the low 64 bits.
      words[position++] = value;
      words[position++] = value >> 64n;
      words[position++] = value >> 128n;
      words[position++] = value >> 192n;
    }
  }

  #holds(lane: 0 | 1): boolean {
    const words = this.#words;
    const integer = (i: number) => {
      const position = (outputsAt + (2 * lane + i) * integerBytes) / 8;
      return [0, 1, 2, 3].reduce((sum, j) => sum | (words[position + j]! << BigInt(64 * j)), 0n);
    };
    return [0, 1].every((i) => integer(i) % FIELD_ORDER === 0n);
  }
}
