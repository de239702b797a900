/** Tests of the answer server's kernels: gathered adapters and attention over pages. */
import { describe, expect, it } from "vitest";
import { kernelModule } from "./kernel-module.ts";
import type { Kernels, Place } from "./kernels.ts";
import { createNativeKernels, nativeKernelSets } from "./native-kernels.ts";
import { createWasmKernels, createWasmMemory } from "./wasm-kernels.ts";

const FLOATS = 1 << 17;
const sets: Record<string, () => Kernels> = {
  wasm: () => createWasmKernels(kernelModule(), createWasmMemory(FLOATS)),
  ...Object.fromEntries(
    nativeKernelSets().flatMap((name) =>
      [1, 3].map((threads) => {
        return [
          `${name} ${threads}`,
          () => createNativeKernels(new Float32Array(FLOATS), name, undefined, threads),
        ];
      }),
    ),
  ),
};

/** Numbers that are halves, so that a page of either kind can hold them. */
function fill(kernels: Kernels): void {
  let state = 7;
  for (let i = 0; i < FLOATS; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    kernels.arena[i] = ((state >>> 22) - 512) / 256;
  }
}

const words = ({ arena }: Kernels, at: Place, count: number) =>
  new Uint32Array(arena.buffer, arena.byteOffset + 4 * at, count);
const floatBits = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]!;

/** A number of the made-up ones as a half. */
function halfBits(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = Math.abs(value) / 2 ** exponent - 1;
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | Math.round(fraction * 1024);
}

function sameOnAll(run: (kernels: Kernels) => Float32Array): Float32Array {
  const results = Object.values(sets).map((create) => {
    const kernels = create();
    fill(kernels);
    return run(kernels).slice();
  });
  for (const result of results)
    expect(Buffer.from(result.buffer).equals(Buffer.from(results[0]!.buffer))).toBe(true);
  return results[0]!;
}

const [INPUTS, OUTPUTS, ROWS] = [48, 32, 6];
const [X, Y, ENTRIES, PAGES, HALF_PAGES, LOW] = [0, 1024, 2048, 4096, 16_384, 32_768];
const PAGE = 8 * (INPUTS + OUTPUTS);
/** Row, page, ranks: rows share pages, one has two, one none. */
const SEATS = [
  [4, 0, 8],
  [0, 1, 8],
  [1, 1, 8],
  [2, 2, 8],
  [2, 3, 3],
  [5, 4, 5],
] as const;

function gathered(
  kernels: Kernels,
  isHalf: boolean,
  rows: readonly number[] = [0, 1, 2, 3, 4, 5],
): Float32Array {
  const { arena } = kernels;
  const halves = new Uint16Array(arena.buffer, arena.byteOffset + 4 * HALF_PAGES, 5 * PAGE);
  for (let i = 0; i < 5 * PAGE; i++) halves[i] = halfBits(arena[PAGES + i]!);
  const seats = SEATS.filter(([row]) => rows.includes(row));
  for (const [i, [row, page, ranks]] of seats.entries()) {
    const base = isHalf ? HALF_PAGES + (page * PAGE) / 2 : PAGES + page * PAGE;
    words(kernels, ENTRIES + 4 * i, 4).set([row, base / 16, ranks + (isHalf ? 16 : 0), floatBits(1.7)]);
  }
  const offsets = { entries: ENTRIES, x: X, y: Y, a: 0, b: 8 * INPUTS };
  const sizes = { rows: ROWS, inputs: INPUTS, xStride: INPUTS, outputs: OUTPUTS, yStride: OUTPUTS };
  kernels.applyAdapters({ count: seats.length, ...offsets, ...sizes });
  return arena.subarray(Y, Y + ROWS * OUTPUTS);
}

describe("gathered adapters", () => {
  it("add to each row what products with its own adapter add, byte for byte", () => {
    const all = sameOnAll((kernels) => gathered(kernels, false));
    const one = sameOnAll((kernels) => {
      for (const [row, page, ranks] of SEATS) {
        const at = PAGES + page * PAGE;
        const x = { at: X + row * INPUTS, rowStride: INPUTS, columnStride: 1 };
        kernels.multiply(1, ranks, INPUTS, x, { at, rowStride: 8, columnStride: 1 }, LOW, ranks, false);
        kernels.scale(ranks, LOW, Math.fround(1.7));
        const b = { at: at + 8 * INPUTS, rowStride: OUTPUTS, columnStride: 1 };
        const low = { at: LOW, rowStride: ranks, columnStride: 1 };
        kernels.multiply(1, OUTPUTS, ranks, low, b, Y + row * OUTPUTS, OUTPUTS, true);
      }
      return kernels.arena.subarray(Y, Y + ROWS * OUTPUTS);
    });
    expect(all).toEqual(one);
  });

  it("are the same from halves, and whoever else is in the batch", () => {
    const all = sameOnAll((kernels) => gathered(kernels, false));
    expect(sameOnAll((kernels) => gathered(kernels, true))).toEqual(all);
    for (const row of [0, 2, 5]) {
      const alone = sameOnAll((kernels) => gathered(kernels, row === 2, [row]));
      const own = [row * OUTPUTS, (row + 1) * OUTPUTS] as const;
      expect(alone.subarray(...own)).toEqual(all.subarray(...own));
    }
  });

  it("refuse entries that leave the arena or the batch", () => {
    for (const name of nativeKernelSets()) {
      const bad = [
        [6, 0, 8],
        [0, FLOATS / 16, 8],
        [0, 2 ** 32 - 1, 8],
        [0, 0, 0],
        [0, 0, 9],
        [0, 0, 40],
      ];
      for (const [row, base, kind] of bad) {
        const kernels = createNativeKernels(new Float32Array(FLOATS), name);
        words(kernels, ENTRIES, 4).set([row!, base!, kind!, 0]);
        const sizes = { rows: 6, inputs: 48, xStride: 48, outputs: 32, yStride: 32, a: 0, b: 384 };
        expect(() => kernels.applyAdapters({ count: 1, entries: ENTRIES, x: X, y: Y, ...sizes })).toThrow(
          RangeError,
        );
      }
    }
  });
});

const [QKV, OUT, SEAT_WORDS, PAGE_WORDS, SCORES, KV] = [0, 8192, 12_288, 12_544, 13_312, 16_384];
const paged = { headCount: 4, keyHeadCount: 2, headSize: 16, maxPages: 4, slotCount: 2, pageCount: 8 };
const STRIDE = 8 * 16;
const call = {
  ...paged,
  seats: SEAT_WORDS,
  pages: PAGE_WORDS,
  qkv: QKV,
  qkvStride: STRIDE,
  kv: KV,
  pageFloats: 32 * 32,
  out: OUT,
  scores: SCORES,
  scale: 0.25,
};

/** Rows of one request at positions from 0 on, and after each a row of another one. */
function attended(kernels: Kernels, count: number, isApart: boolean): Float32Array {
  words(kernels, PAGE_WORDS, 8).set([5, 2, 0, 0, 1, 3, 7, 0]);
  const step = isApart ? 1 : count;
  const result = new Float32Array(count * 64);
  const rows = kernels.arena.slice(QKV, QKV + count * STRIDE);
  for (let first = 0; first < count; first += step) {
    for (let t = 0; t < step; t++) {
      const own = rows.subarray((first + t) * STRIDE, (first + t + 1) * STRIDE);
      kernels.arena.set(own, QKV + 2 * t * STRIDE);
      kernels.arena.set(
        own.map((value) => -value),
        QKV + (2 * t + 1) * STRIDE,
      );
      words(kernels, SEAT_WORDS + 4 * t, 4).set([1, first + t, 0, first + t]);
    }
    kernels.attendPages({ ...call, rows: 2 * step });
    for (let t = 0; t < step; t++)
      result.set(kernels.arena.subarray(OUT + 2 * t * 64, OUT + (2 * t + 1) * 64), (first + t) * 64);
  }
  return result;
}

describe("attention over pages", () => {
  it("is the one over whole rows, byte for byte, at once and position by position", () => {
    const count = 23;
    const atOnce = sameOnAll((kernels) => attended(kernels, count, false));
    const oneByOne = sameOnAll((kernels) => attended(kernels, count, true));
    expect(oneByOne).toEqual(atOnce);
    const plain = sameOnAll((kernels) => {
      const stride = 32;
      for (let head = 0; head < 4; head++) {
        const key = QKV + (4 + (head >> 1)) * 16;
        const queries = { at: QKV + head * 16, rowStride: STRIDE, columnStride: 1 };
        const keys = { at: key, rowStride: 1, columnStride: STRIDE };
        kernels.multiply(count, count, 16, queries, keys, SCORES, stride, false);
        kernels.softmax(count, SCORES, stride, 0, 0.25);
        const weights = { at: SCORES, rowStride: stride, columnStride: 1 };
        const values = { at: key + 32, rowStride: STRIDE, columnStride: 1 };
        kernels.multiply(count, 16, count, weights, values, OUT + head * 16, 64, false);
      }
      return kernels.arena.subarray(OUT, OUT + count * 64);
    });
    expect(plain).toEqual(atOnce);
  });

  it.each([
    [3, 1, 80, 75],
    [4, 1, 32, 66],
    [5, 1, 16, 79],
    [2, 2, 64, 64],
  ])(
    "is that of whole rows with %i heads on %i keys of %i, over %i positions",
    (heads, keyHeads, size, count) => {
      const stride = (heads + 2 * keyHeads) * size;
      const maxPages = Math.ceil(count / 16);
      const [kv, out, scores] = [40_000, 70_000, 100_000];
      // All rows at once, and a few at a time, whose attention threads share in another way.
      const paged = [count, 7].map((step) =>
        sameOnAll((kernels) => {
          words(kernels, 121_000, maxPages).set(Array.from({ length: maxPages }, (_, i) => maxPages - 1 - i));
          for (let from = 0; from < count; from += step) {
            const rows = Math.min(step, count - from);
            for (let t = 0; t < rows; t++) words(kernels, 120_000 + 2 * t, 2).set([0, from + t]);
            kernels.attendPages({
              rows,
              seats: 120_000,
              pages: 121_000,
              slotCount: 1,
              maxPages,
              headCount: heads,
              keyHeadCount: keyHeads,
              headSize: size,
              qkv: from * stride,
              qkvStride: stride,
              kv,
              pageCount: maxPages,
              pageFloats: 32 * keyHeads * size,
              out: out + from * heads * size,
              scores,
              scale: 0.125,
            });
          }
          return kernels.arena.subarray(out, out + count * heads * size);
        }),
      );
      const plain = sameOnAll((kernels) => {
        const rowStride = 16 * maxPages;
        for (let head = 0; head < heads; head++) {
          const key = (heads + Math.floor((head * keyHeads) / heads)) * size;
          const queries = { at: head * size, rowStride: stride, columnStride: 1 };
          const keys = { at: key, rowStride: 1, columnStride: stride };
          kernels.multiply(count, count, size, queries, keys, scores, rowStride, false);
          kernels.softmax(count, scores, rowStride, 0, 0.125);
          const weights = { at: scores, rowStride, columnStride: 1 };
          const values = { at: key + keyHeads * size, rowStride: stride, columnStride: 1 };
          kernels.multiply(count, size, count, weights, values, out + head * size, heads * size, false);
        }
        return kernels.arena.subarray(out, out + count * heads * size);
      });
      expect(paged).toEqual([plain, plain]);
    },
  );

  it("refuses seats and pages that are not there", () => {
    for (const name of nativeKernelSets()) {
      for (const [slot, position, page] of [
        [2, 0, 0],
        [0, 64, 0],
        [0, 0, 8],
      ]) {
        const kernels = createNativeKernels(new Float32Array(FLOATS), name);
        words(kernels, SEAT_WORDS, 2).set([slot!, position!]);
        words(kernels, PAGE_WORDS, 1).set([page!]);
        expect(() => kernels.attendPages({ ...call, rows: 1 })).toThrow(RangeError);
      }
    }
  });
});
