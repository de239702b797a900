/**
 * Keccak-256 in WebAssembly for node-hasher.ts: hashes of 64 bytes each, two at a time, one in each lane. Input and padding fill
 * one block of keccak-f[1600] (136 bytes).
 */
import {
  type Code,
  i32,
  i64,
  i64x2,
  type Local,
  v128,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import { f32, f32x4, range } from "./float-code.ts";

/** Sizes of keccak-f[1600] (FIPS 202): 24 rounds over 5 × 5 words of 64 bits. */
const ROUNDS = 24;
const SIDE = 5;
const PLACES = SIDE * SIDE;
/** Two nodes of a tree, which are hashed to one. */
const PAIR_BYTES = 64;
const HASH_BYTES = 32;
/** The 8-byte words of a pair, and the last one of a block of 136 bytes. */
const PAIR_WORDS = 8;
const LAST_WORD = 16;

const placeOf = (x: number, y: number) => (x % SIDE) + SIDE * (y % SIDE);
const each = Array.from({ length: SIDE }, (_, i) => i);

/** One for each round, by the shift register of the standard. */
export function roundConstants(): BigUint64Array {
  let register = 1;
  return BigUint64Array.from({ length: ROUNDS }, () => {
    let constant = 0n;
    for (let j = 0; j < 7; j++) {
      if ((register & 1) === 1) constant |= 1n << BigInt(2 ** j - 1);
      register = (register << 1) ^ ((register >> 7) * 0x171);
    }
    return constant;
  });
}

/** Rotation of each word, in bits. */
function turns(): number[] {
  const bits = Array<number>(PLACES).fill(0);
  for (let t = 1, [x, y] = [1, 0]; t < PLACES; t++) {
    bits[placeOf(x, y)] = ((t * (t + 1)) / 2) % 64;
    [x, y] = [y, (2 * x + 3 * y) % SIDE];
  }
  return bits;
}

/**
 * hashPairs(from, to, count): `to` may be `from`, and an odd count is hashed with whatever is behind the last pair.
 *
 * @param constantsAt address of `roundConstants` in the memory
 */
export function addHashPairs(builder: WasmModuleBuilder, constantsAt: number): void {
  builder.function("hashPairs", ["i32", "i32", "i32"], null, (f) => {
    const [from, to, count] = f.params as [Local, Local, Local];
    const state = f.locals("v128", PLACES);
    const mixed = f.locals("v128", PLACES);
    const sums = f.locals("v128", SIDE);
    const turning = f.local("v128");
    const constant = f.local("i32");
    const bits = turns();
    const move = (local: Local, by: number) => f.set(local, i32.add(local.get, i32.const(by)));
    const turned = (value: Code, by: number): Code => {
      if (by === 0) return value;
      f.set(turning, value);
      return v128.or(i64x2.shl(turning.get, by), i64x2.shrU(turning.get, 64 - by));
    };
    const load = (): void => {
      for (const [word, local] of state.entries()) {
        const isPadding = word === PAIR_WORDS || word === LAST_WORD;
        const padding = i64x2.splat(i64.const(word === PAIR_WORDS ? 1n : 1n << 63n));
        if (word >= PAIR_WORDS) f.set(local, isPadding ? padding : v128.zero);
        else f.set(local, v128.loadUpper(from.get, v128.loadZero(from.get, 8 * word), PAIR_BYTES + 8 * word));
      }
    };
    const round = (): void => {
      for (const x of each)
        f.set(
          sums[x]!,
          each.map((y) => state[placeOf(x, y)]!.get).reduce((a, b) => v128.xor(a, b)),
        );
      for (const x of each) {
        const beside = turned(sums[(x + 1) % SIDE]!.get, 1);
        const sum = f.local("v128");
        f.set(sum, v128.xor(sums[(x + 4) % SIDE]!.get, beside));
        for (const y of each) {
          const word = turned(v128.xor(state[placeOf(x, y)]!.get, sum.get), bits[placeOf(x, y)]!);
          f.set(mixed[placeOf(y, 2 * x + 3 * y)]!, word);
        }
      }
      for (const y of each)
        for (const x of each) {
          const [a, b, c] = [0, 1, 2].map((k) => mixed[placeOf(x + k, y)]!.get) as [Code, Code, Code];
          const word = v128.xor(a, v128.andNot(c, b));
          const isFirst = x === 0 && y === 0;
          f.set(state[placeOf(x, y)]!, isFirst ? v128.xor(word, v128.loadSplat(constant.get)) : word);
        }
    };
    f.while(i32.ltS(i32.const(0), count.get), () => {
      load();
      f.set(constant, i32.const(constantsAt));
      f.doWhile(
        () => {
          round();
          move(constant, 8);
        },
        () => i32.ne(constant.get, i32.const(constantsAt + 8 * ROUNDS)),
      );
      for (const lane of [0, 1] as const)
        for (let word = 0; word < HASH_BYTES / 8; word++)
          f.emit(v128.storeLane(lane, to.get, state[word]!.get, lane * HASH_BYTES + 8 * word));
      move(from, 2 * PAIR_BYTES);
      move(to, 2 * HASH_BYTES);
      move(count, -2);
    });
  });
}

/** swapFloats(from, end): turns the floats between into big-endian ones in place, four at a time; every NaN is the same. */
export function addSwapFloats(builder: WasmModuleBuilder): void {
  builder.function("swapFloats", ["i32", "i32"], null, (f) => {
    const [from, end] = f.params as [Local, Local];
    const floats = f.local("v128");
    const notANumber = f.local("v128");
    f.set(notANumber, f32x4.splat(f32.fromBits(i32.const(0x7fc00000))));
    range(f, from.get, end.get, i32.const(16), (at) => {
      f.set(floats, v128.load(at));
      const isNumber = f32x4.eq(floats.get, floats.get);
      f.set(floats, v128.bitselect(floats.get, notANumber.get, isNumber));
      const reversed = Array.from({ length: 16 }, (_, byte) => byte ^ 3);
      f.emit(v128.store(at, v128.shuffle(floats.get, floats.get, reversed)));
    });
  });
}
