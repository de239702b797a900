/**
 * Poseidon over BN254's scalar field in WebAssembly, two hashes at a time, one in each lane (field-kernel.ts).
 *
 * The partial rounds multiply by sparse matrices, one row and one column each (poseidon-sparse.ts).
 */

import {
  type Code,
  i32,
  type Local,
  v128,
  type WasmFunction,
  WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import { enableRelaxedSimd, newMemory, WebAssembly } from "@openledger/foundation/wasm/relaxed-simd";
import { FIELD_ORDER } from "../protocol.ts";
import { FieldKernel, type LimbValue } from "./field-kernel.ts";
import {
  ConstantPool,
  elementBytes,
  elementR,
  encodeElement,
  limbCount,
  scalarField,
} from "./field-limbs.ts";
import { readIntegers, writeInteger } from "./integer-limbs.ts";
import { FULL_ROUNDS } from "./poseidon-definition.ts";
import { makeTables, type PoseidonTables } from "./poseidon-tables.ts";

const pageBytes = 65536;
const maxPages = 16;
const scratchAt = 64;
const constantsAt = 256;
const stateAt = 8 * 1024;
const mixedAt = 10 * 1024;
const inputsAt = 12 * 1024;
const outputsAt = 14 * 1024;
const tablesAt = 16 * 1024;
const pairBytes = 2 * elementBytes;
const integerBytes = 32;

/** An element of a table, the same in both lanes. */
function loadTable(kernel: FieldKernel, address: Code, index = 0): LimbValue {
  const limbs = Array.from({ length: limbCount }, (_, i) =>
    v128.loadSplat(address, index * elementBytes + 8 * i),
  );
  return { limbs, ...kernel.bounds(0.5) };
}

const advance = (f: WasmFunction, local: Local, by: number) =>
  f.set(local, i32.add(local.get, i32.const(by)));

function repeat(f: WasmFunction, count: number, body: () => void): void {
  const left = f.local("i32");
  f.set(left, i32.const(count));
  f.doWhile(
    () => {
      body();
      advance(f, left, -1);
    },
    () => left.get,
  );
}

/** x^5 + c, reduced. */
function fifthPower(kernel: FieldKernel, x: LimbValue, constant: LimbValue): LimbValue {
  const base = kernel.bindAll(x);
  const square = kernel.square(base);
  return kernel.reduce(kernel.add(kernel.mul(kernel.square(square), base), constant));
}

function buildModule(width: number, tables: PoseidonTables, constants: ConstantPool): Uint8Array {
  const builder = new WasmModuleBuilder(maxPages);
  const table = (index: number): Code => i32.const(tablesAt + index * elementBytes);
  const define = (name: string, params: number, emit: (kernel: FieldKernel, f: WasmFunction) => void) =>
    builder.function(name, Array<"i32">(params).fill("i32"), null, (f) =>
      emit(new FieldKernel(f, scalarField, constants), f),
    );

  // (lower, upper): the state from two inputs' integers, in Montgomery form, with the first constants added.
  const absorb = define("absorb", 2, (kernel, f) => {
    const [lower, upper] = f.params as [Local, Local];
    const [state, c] = f.locals("i32", 2) as [Local, Local];
    f.set(state, i32.const(stateAt));
    f.set(c, table(tables.first));
    repeat(f, width, () => {
      const value = kernel.reduce(readIntegers(kernel, lower.get, upper.get, 0, 1));
      const element = kernel.mul(value, kernel.constantValue(elementR * elementR));
      kernel.store(state.get, kernel.reduce(kernel.add(element, loadTable(kernel, c.get))));
      for (const local of [lower, upper]) advance(f, local, integerBytes);
      advance(f, state, pairBytes);
      advance(f, c, elementBytes);
    });
  });

  // (constants): every element of the state to its fifth power, plus its constant.
  const powers = define("powers", 1, (kernel, f) => {
    const c = f.param(0);
    const state = f.local("i32");
    f.set(state, i32.const(stateAt));
    repeat(f, width, () => {
      kernel.store(state.get, fifthPower(kernel, kernel.load(state.get), loadTable(kernel, c.get)));
      advance(f, state, pairBytes);
      advance(f, c, elementBytes);
    });
  });

  const dot = (kernel: FieldKernel, state: Code, row: Code) =>
    kernel.reduce(
      kernel.sumOfProducts(
        Array.from({ length: width }, (_, j) => ({
          a: kernel.load(state, j * pairBytes),
          b: loadTable(kernel, row, j),
        })),
      ),
    );

  // (state, matrix, out, rows): products of the matrix's rows with the state
  const mix = define("mix", 4, (kernel, f) => {
    const [state, row, out, left] = f.params as [Local, Local, Local, Local];
    f.doWhile(
      () => {
        kernel.store(out.get, dot(kernel, state.get, row.get));
        advance(f, row, width * elementBytes);
        advance(f, out, pairBytes);
        advance(f, left, -1);
      },
      () => left.get,
    );
  });

  // The partial rounds, on the mixed state.
  const partial = define("partial", 0, (kernel, f) => {
    const [at, state, column] = f.locals("i32", 3) as [Local, Local, Local];
    f.set(at, table(tables.partial));
    const first = i32.const(mixedAt);
    repeat(f, tables.partialCount, () => {
      const x = fifthPower(kernel, kernel.load(first), loadTable(kernel, at.get));
      kernel.store(first, x);
      const mixed = kernel.bindAll(dot(kernel, first, i32.add(at.get, i32.const(elementBytes))));
      const operand = kernel.bindAll(kernel.load(first));
      f.set(state, i32.const(mixedAt + pairBytes));
      f.set(column, i32.add(at.get, i32.const((width + 1) * elementBytes)));
      repeat(f, width - 1, () => {
        const product = kernel.mul(operand, loadTable(kernel, column.get));
        kernel.store(state.get, kernel.reduce(kernel.add(kernel.load(state.get), product)));
        advance(f, state, pairBytes);
        advance(f, column, elementBytes);
      });
      kernel.store(first, mixed);
      advance(f, at, 2 * width * elementBytes);
    });
  });

  // (rows): a state between its positions; rows of pairs.
  const copyBack = define("copyBack", 0, (_, f) => {
    const at = f.local("i32");
    f.set(at, i32.const(0));
    repeat(f, (width * pairBytes) / 16, () => {
      f.emit(v128.store(at.get, v128.load(at.get, mixedAt), stateAt));
      advance(f, at, 16);
    });
  });

  // (lower, upper, out): hashes the two inputs; out gets two integers below twice the modulus.
  builder.function("hash", ["i32", "i32", "i32"], null, (f) => {
    const [lower, upper, out] = f.params as [Local, Local, Local];
    const [state, mixed] = [i32.const(stateAt), i32.const(mixedAt)];
    const all = i32.const(width);
    const fullRound = (c: number, matrix: number) => {
      f.emit(powers.call(table(c)));
      f.emit(mix.call(state, table(matrix), mixed, all));
    };
    f.emit(absorb.call(lower.get, upper.get));
    const half = FULL_ROUNDS / 2;
    for (let round = 0; round < half; round++) {
      fullRound(tables.fullBefore + round * width, round < half - 1 ? tables.dense : tables.entry);
      if (round < half - 1) f.emit(copyBack.call());
    }
    f.emit(partial.call());
    f.emit(copyBack.call());
    for (let round = 0; round < half - 1; round++) {
      fullRound(tables.fullAfter + round * width, tables.dense);
      f.emit(copyBack.call());
    }
    f.emit(powers.call(table(tables.fullAfter + (half - 1) * width)));
    f.emit(mix.call(state, table(tables.dense), mixed, i32.const(1)));
    const kernel = new FieldKernel(f, scalarField, constants);
    // Times 1, not times R: the product is out of Montgomery form.
    const plain = kernel.reduce(kernel.mul(kernel.load(mixed), kernel.constantValue(1n)));
    writeInteger(kernel, plain, 0, out.get, 0);
    writeInteger(kernel, plain, 1, out.get, integerBytes);
  });
  return builder.build();
}

/** Poseidon of one width: a tag as the initial capacity and width − 1 inputs. */
export class PoseidonKernel {
  readonly width: number;
  readonly #words: BigUint64Array;
  readonly #hash: (lower: number, upper: number, out: number) => number;

  /** Generates and compiles the code, some milliseconds. @param width 2 to 17 */
  constructor(width: number) {
    this.width = width;
    enableRelaxedSimd();
    const constants = new ConstantPool(constantsAt);
    const tables = makeTables(width);
    const module = new WebAssembly.Module(buildModule(width, tables, constants));
    const byteCount = tablesAt + tables.elements.length * elementBytes;
    const memory = newMemory(Math.ceil(byteCount / pageBytes), maxPages);
    const doubles = new Float64Array(memory.buffer);
    if (constantsAt + constants.image.byteLength > stateAt) throw new RangeError("too many constants");
    doubles.set(constants.image, constantsAt / 8);
    for (const [i, element] of tables.elements.entries())
      doubles.set(encodeElement(element, scalarField), (tablesAt + i * elementBytes) / 8);
    const { exports } = new WebAssembly.Instance(module, { env: { memory, scratch: scratchAt } });
    this.#hash = exports.hash!;
    this.#words = new BigUint64Array(memory.buffer);
  }

  hash(tag: bigint, inputs: readonly bigint[]): bigint {
    const lower = this.#put(0, tag, inputs);
    this.#hash(lower, lower, outputsAt);
    return this.#take(0);
  }

  /** Computes two hashes in hardly more time than one. */
  hashTwo(
    tag0: bigint,
    inputs0: readonly bigint[],
    tag1: bigint,
    inputs1: readonly bigint[],
  ): [bigint, bigint] {
    this.#hash(this.#put(0, tag0, inputs0), this.#put(1, tag1, inputs1), outputsAt);
    return [this.#take(0), this.#take(1)];
  }

  #put(lane: 0 | 1, tag: bigint, inputs: readonly bigint[]): number {
    const address = inputsAt + lane * this.width * integerBytes;
    const words = this.#words;
    let at = address / 8;
    for (let i = 0; i < this.width; i++) {
      let value = i === 0 ? tag : inputs[i - 1]!;
      if (value < 0n || value >= FIELD_ORDER) value = ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
      // Each assignment keeps the low 64 bits.
      words[at++] = value;
      words[at++] = value >> 64n;
      words[at++] = value >> 128n;
      words[at++] = value >> 192n;
    }
    return address;
  }

  #take(lane: 0 | 1): bigint {
    const at = outputsAt / 8 + 4 * lane;
    const [w0, w1, w2, w3] = [
      this.#words[at]!,
      this.#words[at + 1]!,
      this.#words[at + 2]!,
      this.#words[at + 3]!,
    ];
    const value = w0 | (w1 << 64n) | (w2 << 128n) | (w3 << 192n);
    return value >= FIELD_ORDER ? value - FIELD_ORDER : value;
  }
}
