/**
 * Sixteen floats as four registers, and functions on them (exponential, logarithm, sums): twins of the helpers in
 * ../native/src/lane-kernels.h. elementwise-code.ts and row-code.ts use them.
 */
import { type Code, i32, type Local, v128, type WasmFunction } from "@openledger/foundation/wasm/assembler";
import { f32, f32x4, hold, i32x4, range } from "./float-code.ts";

const REGISTERS = [0, 16, 32, 48] as const;
const BLOCK_BYTES = 64;

/** Every fourth of `bytes` (a multiple of 64) from `addresses`, which the body gets moved on. */
export function eachRegister(
  f: WasmFunction,
  bytes: Code,
  addresses: readonly Code[],
  body: (...at: Code[]) => void,
): void {
  range(f, i32.const(0), bytes, i32.const(16), (i) => {
    body(...addresses.map((address) => hold(f, "i32", i32.add(address, i))));
  });
}

/** Four accumulators that begin as 0. */
export function zeroLanes(f: WasmFunction): Local[] {
  const lanes = f.locals("v128", REGISTERS.length);
  for (const lane of lanes) f.set(lane, v128.zero);
  return lanes;
}

/** Adds term(addresses…) of every block of 64 bytes to the lanes; each list of lanes has its own term. */
export function accumulate(
  f: WasmFunction,
  bytes: Code,
  addresses: readonly Code[],
  sums: readonly { lanes: readonly Local[]; term: (...at: Code[]) => Code }[],
): void {
  range(f, i32.const(0), bytes, i32.const(BLOCK_BYTES), (i) => {
    for (const [register, offset] of REGISTERS.entries()) {
      const at = addresses.map((address) => hold(f, "i32", i32.add(address, i32.add(i, i32.const(offset)))));
      for (const { lanes, term } of sums) {
        const lane = lanes[register]!;
        f.set(lane, f32x4.add(lane.get, term(...at)));
      }
    }
  });
}

/** The lanes' sum: 8 + 8, 4 + 4, 2 + 2, 1 + 1. */
export function total(f: WasmFunction, lanes: readonly Local[]): Code {
  const [a, b, c, d] = lanes.map(({ get }) => get) as [Code, Code, Code, Code];
  const four = hold(f, "v128", f32x4.add(f32x4.add(a, c), f32x4.add(b, d)));
  const lane = (i: number) => f32x4.lane(i, four);
  return hold(f, "f32", f32.add(f32.add(lane(0), lane(2)), f32.add(lane(1), lane(3))));
}

/** e^x of four numbers; see `exponential` there. */
export function exponential(f: WasmFunction, argument: Code): Code {
  const k = f32x4.const;
  const low = hold(f, "v128", argument);
  const raised = hold(f, "v128", v128.bitselect(k(-87), low, f32x4.lt(low, k(-87))));
  const x = hold(f, "v128", v128.bitselect(k(88), raised, f32x4.gt(raised, k(88))));
  const shifted = hold(f, "v128", f32x4.add(f32x4.mul(x, k(Math.LOG2E)), k(12582912)));
  const exponent = hold(f, "v128", i32x4.shl(shifted, 23));
  const n = hold(f, "v128", f32x4.sub(shifted, k(12582912)));
  const rest = f32x4.sub(x, f32x4.mul(n, k(0.693359375)));
  const r = hold(f, "v128", f32x4.sub(rest, f32x4.mul(n, k(-2.1219444e-4))));
  let p = f32x4.add(f32x4.mul(r, k(1.98756915e-4)), k(1.3981999507e-3));
  for (const factor of [8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1])
    p = f32x4.add(f32x4.mul(p, r), k(factor));
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), k(1));
  return hold(f, "v128", i32x4.add(p, exponent));
}

export function sigmoid(f: WasmFunction, x: Code): Code {
  const one = f32x4.const(1);
  return hold(f, "v128", f32x4.div(one, f32x4.add(exponential(f, f32x4.neg(x)), one)));
}

/** ln x of a normal number; see `logarithm` there. */
export function logarithm(f: WasmFunction, x: Code): Code {
  const bits = hold(f, "i32", f32.bitsOf(x));
  const exponent = f.local("i32");
  f.set(exponent, i32.sub(i32.and(i32.shrU(bits, i32.const(23)), i32.const(255)), i32.const(127)));
  const m = f.local("f32");
  f.set(m, f32.fromBits(i32.or(i32.and(bits, i32.const(0x7fffff)), i32.const(0x3f800000))));
  f.if(f32.gt(m.get, f32.const(Math.SQRT2)), () => {
    f.set(m, f32.mul(m.get, f32.const(0.5)));
    f.set(exponent, i32.add(exponent.get, i32.const(1)));
  });
  const one = f32.const(1);
  const s = hold(f, "f32", f32.div(f32.sub(m.get, one), f32.add(m.get, one)));
  const z = hold(f, "f32", f32.mul(s, s));
  let series = f32.add(f32.mul(z, f32.const(0.111111111)), f32.const(0.142857143));
  for (const factor of [0.2, 0.33333333, 1]) series = f32.add(f32.mul(series, z), f32.const(factor));
  return hold(
    f,
    "f32",
    f32.add(f32.mul(f32.fromI32(exponent.get), f32.const(Math.LN2)), f32.mul(f32.add(s, s), series)),
  );
}
