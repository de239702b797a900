/**
 * A small WebAssembly emitter: expressions are byte arrays, a function collects statements, a module
 * collects functions around one imported memory. No validation: the engine does that.
 */

export type Code = readonly number[];
type ValueType = "i32" | "i64" | "f64" | "v128";

/** Local variable of the function that made it. */
export interface Local {
  readonly index: number;
  readonly get: Code;
}

const typeCodes: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b };

function unsignedLeb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 128 : low);
  } while (rest > 0);
  return bytes;
}

function signedLeb(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const low = Number(rest & 127n);
    rest >>= 7n;
    const isLast = (rest === 0n && (low & 64) === 0) || (rest === -1n && (low & 64) !== 0);
    bytes.push(isLast ? low : low | 128);
    if (isLast) return bytes;
  }
}

// concat copies whole arrays: a function has 100,000 bytes, which flat() takes one by one.
const section = (id: number, body: Code): number[] => [id].concat(unsignedLeb(body.length), body);
const vector = (items: readonly Code[]): number[] => unsignedLeb(items.length).concat(...items);
const name = (text: string): number[] => [...unsignedLeb(text.length), ...new TextEncoder().encode(text)];

type Unary = (a: Code) => Code;
type Binary = (a: Code, b: Code) => Code;
type Ternary = (a: Code, b: Code, c: Code) => Code;
type Load = (address: Code, offset?: number) => Code;

const binary =
  (...op: number[]): Binary =>
  (a, b) => [...a, ...b, ...op];
const unary =
  (...op: number[]): Unary =>
  (a) => [...a, ...op];
const load =
  (alignLog: number, ...op: number[]): Load =>
  (address, offset = 0) => [...address, ...op, alignLog, ...unsignedLeb(offset)];
const store =
  (alignLog: number, ...op: number[]) =>
  (address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    ...op,
    alignLog,
    ...unsignedLeb(offset),
  ];

export const i32 = {
  const: (value: number): Code => [0x41, ...signedLeb(BigInt(value | 0))],
  load: load(2, 0x28),
  load8u: load(0, 0x2d),
  load16s: load(1, 0x2e),
  store: store(2, 0x36),
  store8: store(0, 0x3a),
  store16: store(1, 0x3b),
  eqz: unary(0x45),
  eq: binary(0x46),
  ne: binary(0x47),
  ltS: binary(0x48),
  ltU: binary(0x49),
  gtU: binary(0x4b),
  leU: binary(0x4d),
  geS: binary(0x4e),
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  and: binary(0x71),
  or: binary(0x72),
  xor: binary(0x73),
  shl: binary(0x74),
  shrS: binary(0x75),
  shrU: binary(0x76),
  wrap: unary(0xa7),
};

export const i64 = {
  const: (value: bigint): Code => [0x42, ...signedLeb(BigInt.asIntN(64, value))],
  load: load(3, 0x29),
  load32u: load(2, 0x35),
  store: store(3, 0x37),
  store32: store(2, 0x3e),
  eqz: unary(0x50),
  eq: binary(0x51),
  ne: binary(0x52),
  ltS: binary(0x53),
  ltU: binary(0x54),
  gtU: binary(0x56),
  geU: binary(0x5a),
  ctz: unary(0x7a),
  clz: unary(0x79),
  add: binary(0x7c),
  sub: binary(0x7d),
  mul: binary(0x7e),
  and: binary(0x83),
  or: binary(0x84),
  xor: binary(0x85),
  shl: binary(0x86),
  shrS: binary(0x87),
  shrU: binary(0x88),
  extendI32U: unary(0xad),
  extendI32S: unary(0xac),
  truncF64: unary(0xb0),
  lane: (lane: 0 | 1, a: Code): Code => [...a, 0xfd, 0x1d, lane],
};

function doubleBytes(value: number): number[] {
  return [...new Uint8Array(new Float64Array([value]).buffer)];
}

export const f64 = {
  const: (value: number): Code => [0x44, ...doubleBytes(value)],
  load: load(3, 0x2b),
  store: store(3, 0x39),
  eq: binary(0x61),
  ne: binary(0x62),
  add: binary(0xa0),
  sub: binary(0xa1),
  mul: binary(0xa2),
  fromI64: unary(0xb9),
  fromI32: unary(0xb7),
};

export const v128 = {
  load: load(4, 0xfd, 0x00),
  loadSplat: load(3, 0xfd, 0x0a),
  loadZero: load(3, 0xfd, 0x5d),
  /** Loads eight bytes into the upper lane of `value`. */
  loadUpper: (address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    0xfd,
    0x57,
    3,
    ...unsignedLeb(offset),
    1,
  ],
  store: store(4, 0xfd, 0x0b),
  storeLane: (lane: 0 | 1, address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    0xfd,
    0x5b,
    3,
    ...unsignedLeb(offset),
    lane,
  ],
  and: binary(0xfd, 0x4e),
  xor: binary(0xfd, 0x51),
  anyTrue: unary(0xfd, 0x53),
  not: unary(0xfd, 0x4d),
  andNot: binary(0xfd, 0x4f),
  zero: [0xfd, 0x0c, ...Array<number>(16).fill(0)] as Code,
  /** The bits of a where the mask is set, those of b elsewhere. */
  bitselect: ((a, b, mask) => [...a, ...b, ...mask, 0xfd, 0x52]) as Ternary,
  /** Bytes of a, then of b, by their indices. */
  shuffle: (a: Code, b: Code, bytes: readonly number[]): Code => [...a, ...b, 0xfd, 0x0d, ...bytes],
};

export const f64x2 = {
  splat: unary(0xfd, 0x14),
  lane: (lane: 0 | 1, a: Code): Code => [...a, 0xfd, 0x21, lane],
  pair: (lower: Code, upper: Code): Code => [...lower, 0xfd, 0x14, ...upper, 0xfd, 0x22, 1],
  eq: binary(0xfd, 0x47),
  ne: binary(0xfd, 0x48),
  add: binary(0xfd, 0xf0, 0x01),
  sub: binary(0xfd, 0xf1, 0x01),
  mul: binary(0xfd, 0xf2, 0x01),
  neg: unary(0xfd, 0xed, 0x01),
  /** a * b + c, rounded once where the machine has a fused multiply-add. */
  madd: ((a, b, c) => [...a, ...b, ...c, 0xfd, 0x87, 0x02]) as Ternary,
  /** c - a * b, likewise. */
  nmadd: ((a, b, c) => [...a, ...b, ...c, 0xfd, 0x88, 0x02]) as Ternary,
};

export const select: Ternary = (whenTrue, whenFalse, condition) => [
  ...whenTrue,
  ...whenFalse,
  ...condition,
  0x1b,
];

export class WasmFunction {
  readonly name: string;
  readonly params: readonly Local[];
  readonly #paramTypes: readonly ValueType[];
  readonly #resultType: ValueType | null;
  readonly #locals: ValueType[] = [];
  readonly #index: number;
  #body: number[] = [];

  constructor(
    index: number,
    functionName: string,
    paramTypes: readonly ValueType[],
    result: ValueType | null,
  ) {
    this.#index = index;
    this.name = functionName;
    this.#paramTypes = paramTypes;
    this.#resultType = result;
    this.params = paramTypes.map((_, i) => makeLocal(i));
  }

  param(i: number): Local {
    return this.params[i]!;
  }

  local(type: ValueType): Local {
    this.#locals.push(type);
    return makeLocal(this.#paramTypes.length + this.#locals.length - 1);
  }

  locals(type: ValueType, count: number): Local[] {
    return Array.from({ length: count }, () => this.local(type));
  }

  /** Appends a statement, or an expression that stays on the stack as the result. */
  emit(code: Code): void {
    for (const byte of code) this.#body.push(byte);
  }

  set(local: Local, value: Code): void {
    this.emit([...value, 0x21, ...unsignedLeb(local.index)]);
  }

  /** Repeats the body while the condition holds, which is tested first. */
  while(condition: Code, body: () => void): void {
    this.emit([0x02, 0x40, 0x03, 0x40, ...condition, 0x45, 0x0d, 1]);
    body();
    this.emit([0x0c, 0, 0x0b, 0x0b]);
  }

  /** Runs the body at least once, again while the condition holds. */
  doWhile(body: () => void, condition: () => Code): void {
    this.emit([0x03, 0x40]);
    body();
    this.emit([...condition(), 0x0d, 0, 0x0b]);
  }

  if(condition: Code, then: () => void, otherwise?: () => void): void {
    this.emit([...condition, 0x04, 0x40]);
    then();
    if (otherwise !== undefined) {
      this.emit([0x05]);
      otherwise();
    }
    this.emit([0x0b]);
  }

  return(value: Code = []): void {
    this.emit([...value, 0x0f]);
  }

  call(...args: readonly Code[]): Code {
    return [...args.flat(), 0x10, ...unsignedLeb(this.#index)];
  }

  get typeBytes(): Code {
    const results = this.#resultType === null ? [] : [[typeCodes[this.#resultType]]];
    return [0x60, ...vector(this.#paramTypes.map((type) => [typeCodes[type]])), ...vector(results)];
  }

  get bodyBytes(): Code {
    const locals = vector(this.#locals.map((type) => [1, typeCodes[type]]));
    const size = locals.length + this.#body.length + 1;
    return [...unsignedLeb(size), ...locals].concat(this.#body, [0x0b]);
  }
}

function makeLocal(index: number): Local {
  return { index, get: [0x20, ...unsignedLeb(index)] };
}

/** Address of an instance's own memory: the host gives it as env.scratch. */
export const scratchAddress: Code = [0x23, 0];

/**
 * True if memory is shared between threads. A page that is not alone in its process, for example one from a
 * file on disk, has no SharedArrayBuffer; there one thread works by itself, on a memory of its own.
 */
export const sharesMemory = typeof SharedArrayBuffer === "function";

/** Builder of a module: functions over the memory that the host gives as env.memory. */
export class WasmModuleBuilder {
  readonly #functions: WasmFunction[] = [];
  readonly #maxPages: number;

  constructor(maxPages: number) {
    this.#maxPages = maxPages;
  }

  /** Declares and, with `define`, fills an exported function. */
  function(
    functionName: string,
    paramTypes: readonly ValueType[],
    result: ValueType | null,
    define: (f: WasmFunction) => void,
  ): WasmFunction {
    const made = new WasmFunction(this.#functions.length, functionName, paramTypes, result);
    this.#functions.push(made);
    define(made);
    return made;
  }

  build(): Uint8Array {
    const functions = this.#functions;
    const memory = [
      ...name("env"),
      ...name("memory"),
      0x02,
      sharesMemory ? 0x03 : 0x01,
      1,
      ...unsignedLeb(this.#maxPages),
    ];
    const scratch = [...name("env"), ...name("scratch"), 0x03, typeCodes.i32, 0];
    const exports = functions.map((f, i) => [...name(f.name), 0x00, ...unsignedLeb(i)]);
    return new Uint8Array(
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00].concat(
        section(1, vector(functions.map((f) => f.typeBytes))),
        section(2, vector([memory, scratch])),
        section(3, vector(functions.map((_, i) => unsignedLeb(i)))),
        section(7, vector(exports)),
        section(10, vector(functions.map((f) => f.bodyBytes))),
      ),
    );
  }
}
