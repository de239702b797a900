/**
 * Compares every kernel of every set, by the bytes of the whole arena, over many shapes: those at the ends of tiles, blocks and
 * panels of each set. What results mean is tested in kernels.test.ts and serving-kernels.test.ts.
 */
import { afterAll, describe, expect, it } from "vitest";
import { kernelModule } from "./kernel-module.ts";
import { blocksOf, type Kernels, NONE, packedFloats, quantisedFloats } from "./kernels.ts";
import { createNativeKernels, nativeKernelSets } from "./native-kernels.ts";
import { createWasmKernels, createWasmMemory } from "./wasm-kernels.ts";

const FLOATS = 1 << 18;
const sets: readonly Kernels[] = [
  createWasmKernels(kernelModule(), createWasmMemory(FLOATS)),
  ...nativeKernelSets().map((name) => createNativeKernels(new Float32Array(FLOATS), name)),
];
let comparisons = 0;

let state = 1;
const next = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 31 - 1;
};
const pages = Float32Array.from({ length: FLOATS }, next);
const whole = (count: number) => 16 * Math.ceil(count / 16);
const words = ({ arena }: Kernels, at: number, count: number) =>
  new Uint32Array(arena.buffer, arena.byteOffset + 4 * at, count);
const halves = ({ arena }: Kernels, at: number, count: number) =>
  new Uint16Array(arena.buffer, arena.byteOffset + 4 * at, count);

/** Runs on every set over the same numbers up to `range`, of which the first `used` are compared. */
function compare(what: string, used: number, run: (kernels: Kernels) => void, range = 1): void {
  const start = pages.subarray(0, used).map((value) => Math.fround(range * value));
  const results = sets.map((kernels) => {
    kernels.arena.set(start);
    run(kernels);
    const { buffer, byteOffset } = kernels.arena;
    return Buffer.from(buffer, byteOffset, 4 * used);
  });
  for (const [i, result] of results.entries())
    if (!result.equals(results[0]!)) expect.fail(`${sets[i]!.name} differs from wasm: ${what}`);
  comparisons++;
}

afterAll(() => console.log(`${comparisons} comparisons of ${sets.map(({ name }) => name).join(", ")}`));

describe("every set of kernels, to the byte", () => {
  it("multiplies floats", () => {
    for (const rows of [1, 2, 3, 4, 5, 6, 7, 13, 14, 29, 241])
      for (const columns of [1, 4, 5, 8, 9, 16, 31, 33])
        for (const depth of [1, 3, 17, 385])
          for (const turn of [0, 1, 2, 3]) {
            const a = { at: 0, rowStride: turn & 1 ? 1 : depth, columnStride: turn & 1 ? rows : 1 };
            const right =
              turn & 2 ? { rowStride: 1, columnStride: depth } : { rowStride: columns, columnStride: 1 };
            const isAdded = (rows + depth) % 2 === 0;
            compare(`multiply ${rows} ${columns} ${depth} ${turn}`, 130_000, (kernels) =>
              kernels.multiply(
                rows,
                columns,
                depth,
                a,
                { at: 94_000, ...right },
                110_000,
                columns + 3,
                isAdded,
              ),
            );
          }
    const [a, b] = [
      { at: 0, rowStride: 50, columnStride: 2 },
      { at: 30_000, rowStride: 40, columnStride: 3 },
    ];
    compare("multiply with gaps", 60_000, (kernels) => kernels.multiply(9, 13, 21, a, b, 50_000, 16, false));
    expect(comparisons).toBeGreaterThan(1000);
  });

  it("multiplies rounded floats", () => {
    for (const rows of [1, 2, 3, 4, 5, 12, 13, 128, 131])
      for (const columns of [1, 16, 17, 32, 33, 70])
        for (const depth of [1, 31, 32, 33, 127, 128, 129, 513, 600])
          for (const isTurned of [false, true]) {
            const right = isTurned
              ? { rowStride: 1, columnStride: depth }
              : { rowStride: columns + 2, columnStride: 1 };
            const [a, b] = [
              { at: 0, rowStride: depth + 1, columnStride: 1 },
              { at: 80_000, ...right },
            ];
            const isAdded = (rows + depth) % 2 === 0;
            compare(`multiplyRounded ${rows} ${columns} ${depth} ${isTurned}`, 140_000, (kernels) =>
              kernels.multiplyRounded(rows, columns, depth, a, b, 125_000, whole(columns), isAdded),
            );
          }
    expect(comparisons).toBeGreaterThan(900);
  });

  it("normalises, rotates, and treats rows", () => {
    for (const rows of [1, 2, 5])
      for (const width of [16, 48, 576])
        for (const isCentred of [false, true])
          for (const isPlain of [false, true])
            compare(`norms ${rows} ${width}`, 40_000, (kernels) => {
              const [weight, bias] = isPlain ? [NONE, NONE] : [32_000, 33_000];
              kernels.normalise(rows, width, 0, 31_000, bias, 4_000, 8_000, 1e-5, isCentred);
              kernels.normaliseBack(rows, width, 0, 31_000, 8_000, 12_000, 16_000, weight, bias, isCentred);
            });
    for (const [rows, heads, size, sign] of [
      [1, 1, 16, 1],
      [3, 2, 16, -1],
      [7, 9, 64, 1],
      [5, 3, 80, -1],
    ] as const)
      compare(`rotate ${rows} ${heads} ${size}`, 20_000, (kernels) =>
        kernels.rotate(rows, heads, size, 0, heads * size + 16, 10_000, sign),
      );
    for (const range of [1, 90, 1e4])
      for (const first of [0, 1, 3, 5, 15, 16, 17, 63])
        for (const rows of [1, 2, 33])
          compare(
            `softmax ${range} ${first} ${rows}`,
            20_000,
            (kernels) => {
              const stride = whole(first + rows) + 16 * (rows % 3);
              kernels.softmax(rows, 0, stride, first, 0.125);
              kernels.softmaxBack(rows, 0, 10_000, stride, first, 0.3);
            },
            range,
          );
    for (const [rows, size, stride] of [
      [1, 1, 16],
      [4, 37, 48],
      [7, 48, 48],
      [3, 1000, 1024],
    ] as const)
      for (const range of [1, 50])
        compare(
          `crossEntropy ${rows} ${size}`,
          12_000,
          (kernels) => {
            // A row has no loss, and another one's target is too large.
            for (let t = 0; t < rows; t++)
              kernels.arena[9_000 + t] = t === 2 ? -1 : t === 3 ? size : (t * 7919) % size;
            kernels.crossEntropy(rows, size, stride, 0, 9_000, 10_000, 0.25);
          },
          range,
        );
    expect(comparisons).toBeGreaterThan(100);
  });

  it("treats numbers each by itself, to the end of the last sixteen", () => {
    for (const range of [1, 30, 100])
      for (const count of [1, 3, 15, 16, 17, 100, 1001])
        compare(
          `numbers ${range} ${count}`,
          40_000,
          (kernels) => {
            kernels.gate(count, 0, 2_000, 4_000);
            kernels.gateBack(count, 0, 2_000, 6_000, 6_000, 8_000);
            kernels.gateBack(count, 0, 2_000, 10_000, 12_000, 10_000);
            kernels.gelu(count, 14_000, 16_000);
            kernels.geluBack(count, 14_000, 18_000, 20_000);
            kernels.add(count, 22_000, 24_000);
            kernels.scale(count, 26_000, 0.37);
            kernels.addRow(3, whole(count / 3), 28_000, 32_000);
            kernels.sumRows(3, whole(count / 3), 34_000, 38_000);
          },
          range,
        );
    for (const count of [1, 16, 100, 1001])
      compare(`adam ${count}`, 40_000, (kernels) => {
        for (let i = 6_000; i < 8_000; i++) kernels.arena[i] = Math.abs(kernels.arena[i]!);
        kernels.arena.set([0.01, 0.9, 0.1, 0.95, 0.05, 10, 20, 1e-8, 0.001, 0.5], 39_000);
        kernels.adam(count, 0, 2_000, 4_000, 6_000, 39_000);
        kernels.adamTangent(count, 8_000, 10_000, 12_000, 14_000, 16_000, 18_000, 20_000, 39_000);
      });
    expect(comparisons).toBeGreaterThan(20);
  });

  it("applies adapters of floats and of halves", () => {
    for (const count of [1, 2, 3, 4, 5, 8, 9])
      for (const [inputs, outputs] of [
        [16, 16],
        [48, 32],
        [192, 576],
      ] as const)
        for (const kind of [0, 1, 2])
          compare(`adapters ${count} ${inputs} ${outputs} ${kind}`, 100_000, (kernels) => {
            const page = 8 * (inputs + outputs);
            for (let i = 0; i < count; i++) {
              const base = 30_000 + i * whole(page);
              const isHalf = kind === 2 ? i % 3 === 1 : kind === 1;
              if (isHalf) {
                const own = halves(kernels, base, page);
                // The smallest halves are among them, none that is no number.
                for (let j = 0; j < page; j++) own[j] = (j * 40_503) & (j % 50 === 0 ? 0x83ff : 0xbbff);
              }
              // One row has several adapters.
              const row = i % 4 === 3 ? 2 : i;
              words(kernels, 29_000 + 4 * i, 3).set([row, base / 16, 1 + ((i * 5) % 8) + (isHalf ? 16 : 0)]);
              kernels.arena[29_003 + 4 * i] = 1.7 + i;
            }
            const offsets = { entries: 29_000, x: 0, y: 10_000, a: 0, b: 8 * inputs };
            const sizes = { rows: 12, inputs, xStride: inputs, outputs, yStride: outputs + 16 };
            kernels.applyAdapters({ count, ...offsets, ...sizes });
          });
    expect(comparisons).toBeGreaterThan(50);
  });

  it("attends to pages", () => {
    for (const [heads, keyHeads] of [
      [1, 1],
      [2, 1],
      [3, 1],
      [5, 1],
      [9, 3],
      [4, 4],
      [14, 2],
    ] as const)
      for (const size of [16, 32, 80])
        for (const [rows, before] of [
          [1, 0],
          [1, 15],
          [1, 130],
          [2, 7],
          [7, 60],
          [34, 3],
        ] as const) {
          const qkvStride = (heads + 2 * keyHeads) * size;
          const [maxPages, pageFloats] = [Math.ceil((before + rows) / 16) + 1, 32 * keyHeads * size];
          const out = whole(rows * qkvStride);
          const seats = out + whole(rows * heads * size);
          const list = seats + 16 * rows;
          const scores = list + 32 * maxPages;
          const kv = scores + 32 * maxPages;
          compare(
            `attention ${heads} ${keyHeads} ${size} ${rows} ${before}`,
            kv + 2 * maxPages * pageFloats,
            (kernels) => {
              words(kernels, list, 2 * maxPages).set(
                Array.from({ length: 2 * maxPages }, (_, i) => 2 * maxPages - 1 - i),
              );
              // A prompt of one request, and rows of another one.
              for (let t = 0; t < rows; t++)
                words(kernels, seats + 2 * t, 2).set(
                  t <= rows / 2 ? [0, before + t] : [1, Math.max(0, before - 3) + t],
                );
              const pagesOf = {
                seats,
                pages: list,
                slotCount: 2,
                maxPages,
                kv,
                pageCount: 2 * maxPages,
                pageFloats,
              };
              const shape = { rows, headCount: heads, keyHeadCount: keyHeads, headSize: size, scale: 0.125 };
              kernels.attendPages({ ...pagesOf, ...shape, qkv: 0, qkvStride, out, scores });
              kernels.clear(32 * maxPages, scores);
            },
          );
        }
    expect(comparisons).toBeGreaterThan(100);
  });

  it("multiplies by int8 blocks, forward and back, and unpacks them", () => {
    for (const rows of [1, 2, 3, 4, 5, 7, 32, 33, 34])
      for (const inputs of [16, 32, 48, 80, 816])
        for (const outputs of [1, 16, 17, 32, 48, 80]) {
          const stride = whole(outputs);
          const [x, y] = [0, 30_000];
          const [q, weights] = [36_000, 70_000];
          const map = { inputs, outputs, weights };
          const isAdded = rows % 2 === 0;
          compare(
            `blocks ${rows} ${inputs} ${outputs}`,
            weights + packedFloats(inputs, outputs),
            (kernels) => {
              const integers = (packedFloats(inputs, outputs) / 136) * 128;
              words(kernels, weights, integers).forEach((_, i, own) => {
                own[i] = Math.imul(i + 1, 2_654_435_761);
              });
              const scales = halves(kernels, weights + integers, 16 * blocksOf(inputs) * (stride / 16));
              for (let i = 0; i < scales.length; i++)
                scales[i] = i % 97 === 0 ? i % 1024 : 0x1000 + ((i * 1117) % 0x1fff);
              kernels.blocks.quantise(rows, inputs, x, q);
              kernels.blocks.multiply({ ...map, rows, x: q, y, yStride: stride, accumulate: isAdded });
              // Sets lay quantised rows out in their own ways.
              kernels.clear(rows * quantisedFloats(inputs), q);
              for (let t = 0; t < rows; t++) kernels.clear(stride - outputs, y + t * stride + outputs);
              kernels.blocks.multiplyBack({
                ...map,
                rows,
                dy: y,
                dyStride: stride,
                dx: x,
                accumulate: !isAdded,
              });
              const first = Math.min(outputs - 1, rows % 16);
              if ((outputs - first) * inputs <= 30_000) kernels.blocks.unpack(map, first, outputs - first, q);
            },
          );
        }
    expect(comparisons).toBeGreaterThan(250);
  });
});
