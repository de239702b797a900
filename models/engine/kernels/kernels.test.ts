import { isRollupError } from "@openledger/foundation/rollup-error";
import { describe, expect, it } from "vitest";
import { halfToFloat } from "../files/float-formats.ts";
import { kernelModule } from "./kernel-module.ts";
import { blocksOf, type Kernels, type Matrix, NONE, packedViews, quantisedFloats } from "./kernels.ts";
import { createNativeKernels, nativeKernelSets } from "./native-kernels.ts";
import { createWasmKernels, createWasmMemory } from "./wasm-kernels.ts";

const FLOATS = 1 << 16;

const sets: Record<string, () => Kernels> = {
  wasm: () => createWasmKernels(kernelModule(), createWasmMemory(FLOATS)),
  ...Object.fromEntries(
    nativeKernelSets().map((name) => [name, () => createNativeKernels(new Float32Array(FLOATS), name)]),
  ),
};

function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** Random numbers that an arena has before kernels run over it. */
const startOf = (range: number) => {
  const next = noise(7);
  return Float32Array.from({ length: FLOATS }, () => range * next());
};
const before = startOf(2);

/** Runs on every set over the same random arena. @returns the arenas, which must be the same bytes */
function onAll(run: (kernels: Kernels) => void, start = before): Float32Array {
  const results = Object.values(sets).map((create) => {
    const kernels = create();
    kernels.arena.set(start);
    run(kernels);
    return { name: kernels.name, bytes: kernels.arena.slice(0, FLOATS) };
  });
  const [first, ...others] = results;
  for (const { name, bytes } of others) {
    if (Buffer.from(bytes.buffer).equals(Buffer.from(first!.bytes.buffer))) continue;
    const at = bytes.findIndex((value, i) => !Object.is(value, first!.bytes[i]));
    expect(at, `${name} differs at ${at}: ${bytes[at]} and ${first!.bytes[at]}`).toBe(-1);
  }
  return first!.bytes;
}

const f = Math.fround;
const plain = (at: number, columns: number): Matrix => ({ at, rowStride: columns, columnStride: 1 });
const flipped = (at: number, rows: number): Matrix => ({ at, rowStride: 1, columnStride: rows });

describe("every set of kernels", () => {
  it("is there: native ones where this machine has them", () => {
    expect(Object.keys(sets)).toContain("wasm");
  });

  it("multiplies to the same bytes, near the exact product, for all shapes and strides", () => {
    const shapes = [1, 5, 7, 14, 29];
    for (const rows of shapes) {
      for (const columns of [1, 8, 16, 31, 32, 40]) {
        for (const depth of [1, 17, 400]) {
          const isFlipped = (rows + columns) % 2 === 0;
          const a = isFlipped ? flipped(0, rows) : plain(0, depth);
          const b = isFlipped ? flipped(20_000, depth) : plain(20_000, columns);
          const accumulate = columns % 3 === 0;
          const after = onAll((kernels) => {
            kernels.multiply(rows, columns, depth, a, b, 50_000, columns, accumulate);
          });
          for (let i = 0; i < rows; i += 3) {
            for (let j = 0; j < columns; j += 5) {
              const at = 50_000 + i * columns + j;
              let sum = accumulate ? before[at]! : 0;
              for (let k = 0; k < depth; k++)
                sum +=
                  before[a.at + i * a.rowStride + k * a.columnStride]! *
                  before[b.at + k * b.rowStride + j * b.columnStride]!;
              expect(Math.abs(after[at]! - sum)).toBeLessThan(1e-3);
            }
          }
          expect(after[50_000 + rows * columns]).toBe(before[50_000 + rows * columns]);
        }
      }
    }
  });

  it("blocks long rows without a difference", () => {
    onAll((kernels) => kernels.multiply(250, 40, 90, plain(0, 90), plain(30_000, 40), 50_000, 40, true));
    onAll((kernels) => kernels.multiply(23, 75, 450, plain(0, 450), flipped(12_000, 450), 50_000, 80, false));
  });

  it("multiplies int8 blocks to the bytes of their definition, each row as if it were alone", () => {
    const [outputs, x, q, weights, y] = [48, 0, 28_000, 44_000, 55_000];
    for (const [rows, inputs] of [
      [2, 80],
      [3, 16],
      [29, 96],
      [100, 32],
      // So many blocks that many rows take them in two parts.
      [34, 800],
      // Nothing to sum.
      [34, 0],
      [33, 0],
    ] as const) {
      const accumulate = rows % 2 === 0;
      const stride = quantisedFloats(inputs);
      const product = (kernels: Kernels, first: number, count: number) =>
        kernels.blocks.multiply({
          rows: count,
          outputs,
          inputs,
          weights,
          accumulate,
          x: q + first * stride,
          y: y + first * outputs,
          yStride: outputs,
        });
      const prepare = (kernels: Kernels) => {
        const bytes = new Int8Array(kernels.arena.buffer, kernels.arena.byteOffset + 4 * weights);
        const integers = 3 * blocksOf(inputs) * 512;
        // The first block has the largest products: none is cut off.
        for (let i = 0; i < integers; i++) bytes[i] = i < 512 ? (i & 4 ? 127 : -127) : ((i * 89) % 255) - 127;
        kernels.arena.fill(-2, x, x + 16);
        const scales = new Uint16Array(bytes.buffer, bytes.byteOffset + integers, integers / 32);
        for (let i = 0; i < scales.length; i++) scales[i] = 0x2000 + ((i * 37) % 1_024);
        kernels.blocks.quantise(rows, inputs, x, q);
      };
      let before = new Float32Array();
      const after = onAll((kernels) => {
        prepare(kernels);
        before = kernels.arena.slice(0, FLOATS);
        product(kernels, 0, rows);
        kernels.clear(rows * stride, q);
      });
      const alone = onAll((kernels) => {
        prepare(kernels);
        for (let t = 0; t < rows; t++) product(kernels, t, 1);
        kernels.clear(rows * stride, q);
      });
      expect(Buffer.from(alone.buffer).equals(Buffer.from(after.buffer))).toBe(true);
      const integers = new Int8Array(before.buffer, 4 * weights);
      for (let t = 0; t < rows; t += 2)
        for (let o = 0; o < outputs; o += 5) {
          let out = accumulate ? before[y + t * outputs + o]! : 0;
          for (let k = 0; k < inputs; k += 32) {
            const block = (o >> 4) * blocksOf(inputs) + (k >> 5);
            const scale = (1 + (((block * 16 + (o & 15)) * 37) % 1_024) / 1_024) / 128;
            const own = before.subarray(x + t * inputs + k, x + t * inputs + Math.min(k + 32, inputs));
            const max = own.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
            const factor = f(127 / max);
            let sum = 0;
            for (const [i, value] of own.entries()) {
              const weight = integers[512 * block + (i >> 2) * 64 + (o & 15) * 4 + (i & 3)]!;
              sum += (f(f(value * factor) + 12_582_912) - 12_582_912) * weight;
            }
            out = f(out + f(sum * f(scale * f(max / 127))));
          }
          expect(after[y + t * outputs + o]).toBe(out);
        }
    }
  });

  it("goes back through int8 blocks to the bytes of their definition, each row as if it were alone", () => {
    const [dy, weights, dx] = [0, 24_000, 50_000];
    for (const [rows, inputs, outputs, stride] of [
      [3, 80, 144, 144],
      [131, 32, 40, 48],
      [5, 48, 304, 320],
      [1, 16, 16, 16],
    ] as const) {
      const accumulate = rows % 2 === 1 && rows > 1;
      const map = { inputs, outputs, weights };
      const turnBack = (kernels: Kernels, first: number, count: number) =>
        kernels.blocks.multiplyBack({
          ...map,
          rows: count,
          dy: dy + first * stride,
          dyStride: stride,
          dx: dx + first * inputs,
          accumulate,
        });
      let [before, views] = [new Float32Array(), {} as ReturnType<typeof packedViews>];
      const prepare = (kernels: Kernels) => {
        const { arena } = kernels;
        views = packedViews(arena, map);
        for (const i of views.integers.keys()) views.integers[i] = ((i * 89) % 255) - 127;
        for (const i of views.scales.keys())
          views.scales[i] = i % 7 === 0 ? 0 : 0x1000 + ((i * 1_117) % 0x1fff);
        // Ends of sizes, a row of nothing, and one of products that are all as large as they can be.
        for (let o = 0; o < outputs; o++) arena[dy + o] = (o % 3 === 0 ? 1 : 1e-6) * arena[dy + o]!;
        if (rows > 1) arena.fill(0, dy + stride, dy + stride + stride);
        if (rows > 2) arena.fill(-3, dy + 2 * stride, dy + 2 * stride + outputs);
        for (let t = 0; t < rows; t++) arena.fill(0, dy + t * stride + outputs, dy + (t + 1) * stride);
        before = arena.slice(0, FLOATS);
      };
      const after = onAll((kernels) => {
        prepare(kernels);
        turnBack(kernels, 0, rows);
      });
      const alone = onAll((kernels) => {
        prepare(kernels);
        for (let t = 0; t < rows; t++) turnBack(kernels, t, 1);
      });
      expect(Buffer.from(alone.buffer).equals(Buffer.from(after.buffer))).toBe(true);
      for (let t = 0; t < rows; t++)
        for (let i = 0; i < inputs; i += 3) {
          let [out, exact] = accumulate ? Array(2).fill(before[dx + t * inputs + i]!) : [0, 0];
          let room = 0;
          for (let first = 0; first < outputs; first += 128) {
            const own = before.subarray(
              dy + t * stride + first,
              dy + t * stride + Math.min(first + 128, outputs),
            );
            const offsets = Array.from(own, (_, o) => views.placeOf(first + o, i >> 5));
            const scales = offsets.map(({ scale }) => halfToFloat(views.scales[scale]!));
            const largest = own.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
            const inverse = largest > 1e-30 ? f(1 / largest) : 0;
            const size = Math.max(...scales);
            const factor = f(32_767 / size);
            let sum = 0;
            for (const [o, value] of own.entries()) {
              const weight = views.integers[offsets[o]!.integer + 64 * ((i >> 2) & 7) + (i & 3)]!;
              // The product of two floats is exact in doubles, and rounded once to an integer.
              sum += (f(f(value * inverse) * f(scales[o]! * factor) + 12_582_912) - 12_582_912) * weight;
              exact += value * scales[o]! * weight;
            }
            const unit = f(largest * f(size / 32_767));
            out = f(f(sum) * unit + out);
            room += own.length * 127 * unit;
          }
          expect(after[dx + t * inputs + i]).toBe(out);
          expect(Math.abs(out - exact)).toBeLessThanOrEqual(room);
        }
    }
  });

  it("multiplies rounded numbers to the bytes of their definition, each row as if it were alone", () => {
    const [a, b, c] = [0, 30_000, 56_000];
    for (const [rows, columns, depth, isFlipped] of [
      [3, 40, 150, true],
      [3, 40, 150, false],
      [130, 16, 33, true],
      [7, 33, 600, false],
      [1, 1, 1, true],
    ] as const) {
      const accumulate = rows === 3;
      const strides = [depth + 1, 48] as const;
      const right = isFlipped
        ? { at: b, rowStride: 1, columnStride: depth }
        : { at: b, rowStride: columns + 3, columnStride: 1 };
      const product = (kernels: Kernels, first: number, count: number) => {
        const left = plain(a + first * strides[0], strides[0]);
        const to = c + first * strides[1];
        kernels.multiplyRounded(count, columns, depth, left, right, to, strides[1], accumulate);
      };
      const prepare = ({ arena }: Kernels) => {
        // A row of nothing, and sums that are as large as they can be.
        arena.fill(1e-32, a, a + strides[0]);
        if (rows > 2) arena.fill(-2, a + strides[0], a + 3 * strides[0]);
        if (isFlipped) arena.fill(2, b, b + depth);
      };
      let before = new Float32Array();
      const after = onAll((kernels) => {
        prepare(kernels);
        before = kernels.arena.slice(0, FLOATS);
        product(kernels, 0, rows);
      });
      const alone = onAll((kernels) => {
        prepare(kernels);
        for (let t = 0; t < rows; t++) product(kernels, t, 1);
      });
      expect(Buffer.from(alone.buffer).equals(Buffer.from(after.buffer))).toBe(true);
      const rounded = (values: number[]) => {
        const size = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
        const factor = size > f(1e-30) ? f(4_095 / size) : 0;
        return {
          unit: f(size / 4_095),
          integers: values.map((value) => f(value * factor + 12_582_912) - 12_582_912),
        };
      };
      const indices = (count: number) => Array.from({ length: count }, (_, i) => i);
      for (let t = 0; t < rows; t += t < 3 ? 1 : 9)
        for (let n = 0; n < columns; n += 3) {
          let out = accumulate ? before[c + t * strides[1] + n]! : 0;
          let [exact, room] = [out, 1e-6];
          for (let first = 0; first < depth; first += 128) {
            const steps = indices(Math.min(128, depth - first)).map((k) => first + k);
            const own = steps.map((k) => before[a + t * strides[0] + k]!);
            const other = steps.map((k) => before[b + k * right.rowStride + n * right.columnStride]!);
            const [left, column] = [rounded(own), rounded(other)];
            const sum = left.integers.reduce((total, value, k) => total + value * column.integers[k]!, 0);
            out = f(f(sum) * f(left.unit * column.unit) + out);
            exact += own.reduce((total, value, k) => total + value * other[k]!, 0);
            room += (steps.length * left.unit * column.unit * 4_096) / 2 + 1e-5 * Math.abs(exact);
          }
          expect(after[c + t * strides[1] + n]).toBe(out);
          expect(Math.abs(out - exact)).toBeLessThan(2 * room);
        }
    }
  });

  it("unpacks int8 blocks to scale · integer, from any output on", () => {
    const [weights, to] = [12_000, 40_000];
    for (const [inputs, outputs, first, count] of [
      [80, 40, 0, 40],
      [16, 16, 15, 1],
      [32, 70, 13, 51],
    ] as const) {
      const map = { inputs, outputs, weights };
      let views: ReturnType<typeof packedViews>;
      const after = onAll((kernels) => {
        views = packedViews(kernels.arena, map);
        for (const i of views.integers.keys()) views.integers[i] = ((i * 89) % 256) - 128;
        // From the smallest scale that is no 0 on.
        for (const i of views.scales.keys()) views.scales[i] = 1 + ((i * 1_117) % 0x7bff);
        kernels.blocks.unpack(map, first, count, to);
      });
      const scaleOf = (bits: number) =>
        (bits < 1_024 ? bits / 1_024 : 1 + (bits & 1_023) / 1_024) * 2 ** (Math.max(1, bits >> 10) - 15);
      for (let o = 0; o < count; o++)
        for (let i = 0; i < inputs; i++) {
          const { integer, scale } = views!.placeOf(first + o, i >> 5);
          const expected = views!.integers[integer + 64 * ((i >> 2) & 7) + (i & 3)]!;
          expect(after[to + o * inputs + i]).toBe(expected * scaleOf(views!.scales[scale]!));
        }
      expect(after[to + count * inputs]).toBe(before[to + count * inputs]);
    }
  });

  it("gives the same bytes by several threads", () => {
    const name = nativeKernelSets()[0];
    if (name === undefined) return;
    const arenas = [1, 2, 3, 5].map((threadCount) => {
      const next = noise(3);
      const arena = Float32Array.from({ length: FLOATS }, next);
      const kernels = createNativeKernels(arena, name, undefined, threadCount);
      // Ranges of unequal lengths, of which threads take from each other.
      for (const [rows, outputs] of [
        [1, 432],
        [40, 256],
        [1, 48],
      ] as const)
        for (let turn = 0; turn < 20; turn++) {
          kernels.blocks.quantise(rows, 64, 0, 4_000);
          const offsets = { x: 4_000, weights: 8_000, y: 20_000, yStride: 432 };
          kernels.blocks.multiply({ rows, outputs, inputs: 64, accumulate: turn > 0, ...offsets });
        }
      return arena;
    });
    for (const arena of arenas)
      expect(Buffer.from(arena.buffer).equals(Buffer.from(arenas[0]!.buffer))).toBe(true);
  });

  it("normalises, forward and back", () => {
    for (const isCentred of [false, true]) {
      onAll((kernels) => {
        const bias = isCentred ? 300 : NONE;
        kernels.normalise(5, 48, 1000, 200, bias, 2000, 3000, 1e-5, isCentred);
        kernels.normaliseBack(5, 48, 1000, 200, 3000, 4000, 5000, 6000, isCentred ? 7000 : NONE, isCentred);
      });
    }
  });

  it("turns, gates, adds and scales", () => {
    onAll((kernels) => {
      kernels.rotate(3, 2, 16, 0, 64, 1000, 1);
      kernels.rotate(3, 2, 16, 0, 64, 1000, -1);
      kernels.gate(100, 2000, 3000, 4000);
      kernels.gateBack(100, 2000, 3000, 5000, 5000, 6000);
      kernels.gelu(100, 7000, 8000);
      kernels.geluBack(100, 7000, 9000, 10_000);
      kernels.addRow(3, 32, 11_000, 12_000);
      kernels.sumRows(3, 32, 13_000, 14_000);
      kernels.add(50, 15_000, 16_000);
      kernels.scale(50, 17_000, 0.37);
    }, startOf(30));
  });

  it("takes softmax and its gradient, row by row a number longer", () => {
    const out = onAll((kernels) => {
      kernels.softmax(20, 0, 48, 5, 0.125);
      kernels.softmaxBack(20, 0, 2000, 48, 5, 0.125);
    }, startOf(90));
    const row = out.subarray(3 * 48, 4 * 48);
    expect(row.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    expect(Array.from(row.subarray(9)).every((p) => p === 0)).toBe(true);
  });

  it("takes losses and their gradients, and leaves masked rows alone", () => {
    const run = (kernels: Kernels) => {
      kernels.arena.set([3, -1, 36, 0], 5000);
      kernels.crossEntropy(4, 37, 48, 0, 5000, 6000, 0.25);
    };
    const after = onAll(run);
    const logits = Array.from(before.subarray(0, 37));
    const all = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    expect(after[6000]).toBeCloseTo(Math.log(all) - logits[3]!, 5);
    expect(after[1]).toBeCloseTo((0.25 * Math.exp(logits[1]!)) / all, 6);
    expect(after[3]).toBeCloseTo(0.25 * (Math.exp(logits[3]!) / all - 1), 6);
    expect(after[6001]).toBe(0);
    expect(after[48 + 5]).toBe(0);
  });

  it("steps as AdamW does", () => {
    onAll((kernels) => {
      for (let i = 0; i < 128; i++) kernels.arena[3000 + i] = Math.abs(kernels.arena[3000 + i]!);
      kernels.arena.set([0.01, 0.9, 0.1, 0.95, 0.05, 10, 20, 1e-8, 0.001, 0.5], 4000);
      kernels.adam(100, 0, 1000, 2000, 3000, 4000);
      kernels.adamTangent(100, 5000, 6000, 7000, 8000, 9000, 10_000, 11_000, 4000);
    });
  });

  it("refuses places outside the arena without touching it", () => {
    for (const name of nativeKernelSets()) {
      const kernels = createNativeKernels(new Float32Array(64), name);
      expect(() => kernels.add(64, 0, 16)).toThrow(RangeError);
      expect(() => kernels.scale(16, 2 ** 40, 1)).toThrow(RangeError);
      expect(() => kernels.scale(Number.NaN, 0, 1)).toThrow(RangeError);
      const map = { inputs: 16, outputs: 1, weights: 0 };
      expect(() => kernels.blocks.unpack(map, 0, 1, 0)).toThrow(RangeError);
      expect(() => kernels.blocks.unpack({ ...map, outputs: 0 }, 0, 1, 0)).toThrow(RangeError);
      const back = { ...map, rows: 1, dy: 0, dyStride: 16, dx: 0, accumulate: false };
      expect(() => kernels.blocks.multiplyBack(back)).toThrow(RangeError);
      const [a, b] = [plain(0, 8), { at: 0, rowStride: 8, columnStride: 2 }];
      expect(() => kernels.multiplyRounded(1, 1, 8, a, b, 0, 16, false)).toThrow(RangeError);
      expect(() => kernels.multiplyRounded(4, 8, 8, a, a, 16, 16, false)).toThrow(RangeError);
      expect(() => kernels.multiply(8, 8, 8, plain(0, 8), plain(0, 8), 1, 8, false)).toThrow(RangeError);
      expect(kernels.arena.every((value) => value === 0)).toBe(true);
    }
  });

  it("keeps calls, which do the same at each run, and refuses those that leave the arena", () => {
    for (const create of Object.values(sets)) {
      const kernels = create();
      kernels.arena.set([1, 2, 3], 0);
      const run = kernels.record((own) => {
        own.add(16, 16, 0);
        own.normalise(1, 16, 16, 32, NONE, 48, 64, 1e-5, false);
        own.scale(16, 16, 2);
        own.clear(16, 48);
        own.copy(3, 80, 16);
      });
      expect(kernels.arena[16]).toBe(0);
      run();
      run();
      expect([...kernels.arena.subarray(16, 19)]).toEqual([6, 12, 18]);
      expect([...kernels.arena.subarray(80, 84)]).toEqual([6, 12, 18, 0]);
      expect(kernels.record(() => {})()).toBeUndefined();
      if (kernels.name === "wasm") continue;
      const leaving = kernels.record((own) => own.scale(16, 2 ** 40, 1));
      expect(leaving).toThrow(RangeError);
      for (const move of [(own: Kernels) => own.copy(16, FLOATS, 0), (own: Kernels) => own.clear(16, FLOATS)])
        expect(kernels.record(move)).toThrow(RangeError);
      expect(() => kernels.record((own) => own.write(0, [1]))).toThrow(TypeError);
    }
  });

  it("says where the native ones are not there", () => {
    expect(nativeKernelSets("/nowhere.node")).toEqual([]);
    let thrown: unknown;
    try {
      createNativeKernels(new Float32Array(16), undefined, "/nowhere.node");
    } catch (error) {
      thrown = error;
    }
    expect(isRollupError(thrown, "MOD_ENGINE_UNAVAILABLE")).toBe(true);
  });
});
