/**
 * Building blocks of the generated WebAssembly: instructions on 32-bit floats and integers, and loops. The other files of this
 * folder write kernels with them.
 */
import { type Code, i32, type Local, type WasmFunction } from "@openledger/foundation/wasm/assembler";

type Binary = (a: Code, b: Code) => Code;

const binary =
  (...op: number[]): Binary =>
  (a, b) => [...a, ...b, ...op];
const unary =
  (...op: number[]) =>
  (a: Code): Code => [...a, ...op];

const floatBytes = (value: number): number[] => [...new Uint8Array(new Float32Array([value]).buffer)];

export const f32 = {
  const: (value: number): Code => [0x43, ...floatBytes(value)],
  load: (address: Code): Code => [...address, 0x2a, 2, 0],
  store: (address: Code, value: Code): Code => [...address, ...value, 0x38, 2, 0],
  gt: binary(0x5e),
  sqrt: unary(0x91),
  add: binary(0x92),
  sub: binary(0x93),
  mul: binary(0x94),
  div: binary(0x95),
  fromI32: unary(0xb2),
  /** Rounds towards 0, and takes what does not fit to the nearest end. */
  toI32: unary(0xfc, 0x00),
  bitsOf: unary(0xbc),
  fromBits: unary(0xbe),
};

export const f32x4 = {
  const: (value: number): Code => [0xfd, 0x0c, ...Array.from({ length: 4 }, () => floatBytes(value)).flat()],
  loadSplat: (address: Code, offset = 0): Code => [...address, 0xfd, 0x09, 2, offset],
  splat: unary(0xfd, 0x13),
  lane: (lane: number, a: Code): Code => [...a, 0xfd, 0x1f, lane],
  eq: binary(0xfd, 0x41),
  lt: binary(0xfd, 0x43),
  gt: binary(0xfd, 0x44),
  sqrt: unary(0xfd, 0xe3, 0x01),
  abs: unary(0xfd, 0xe0, 0x01),
  neg: unary(0xfd, 0xe1, 0x01),
  add: binary(0xfd, 0xe4, 0x01),
  sub: binary(0xfd, 0xe5, 0x01),
  mul: binary(0xfd, 0xe6, 0x01),
  div: binary(0xfd, 0xe7, 0x01),
  /** b if it is larger, else a. */
  pmax: binary(0xfd, 0xeb, 0x01),
  fromI32: unary(0xfd, 0xfa, 0x01),
  /** a × b + c, rounded once if the machine has a fused multiply-add. */
  madd: (a: Code, b: Code, c: Code): Code => [...a, ...b, ...c, 0xfd, 0x85, 0x02],
};

export const i32x4 = {
  shl: (a: Code, bits: number): Code => [...a, ...i32.const(bits), 0xfd, 0xab, 0x01],
  add: binary(0xfd, 0xae, 0x01),
  /** The lower four of eight integers of 16 bits. */
  extendLow: unary(0xfd, 0xa7, 0x01),
  /** Four sums of two products of 16-bit integers. */
  dot: binary(0xfd, 0xba, 0x01),
};

/** Eight bytes of sixteen, with their signs. */
export const i16x8 = { extendLow: unary(0xfd, 0x87, 0x01), extendHigh: unary(0xfd, 0x88, 0x01) };

/** A value that later code uses more than once. */
export function hold(f: WasmFunction, type: "i32" | "f32" | "v128", value: Code): Code {
  const local = f.local(type);
  f.set(local, value);
  return local.get;
}

/** i = from, from + step … below `to`. */
export function range(
  f: WasmFunction,
  from: Code,
  to: Code,
  step: Code,
  body: (index: Code, local: Local) => void,
): void {
  const index = f.local("i32");
  f.set(index, from);
  f.while(i32.ltS(index.get, to), () => {
    body(index.get, index);
    f.set(index, i32.add(index.get, step));
  });
}

/** Runs the body count times, with the local moved on by `step` bytes after each. */
export function rowsOf(
  f: WasmFunction,
  count: Code,
  moving: readonly [Local, Code][],
  body: () => void,
): void {
  range(f, i32.const(0), count, i32.const(1), () => {
    body();
    for (const [local, step] of moving) f.set(local, i32.add(local.get, step));
  });
}
