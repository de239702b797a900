/**
 * Kernels of a training pass in doubles, by their definitions: a reference in tests of derivatives, whose differences would drown in the
 * rounding of floats. What a pass over a base of floats does not call throws.
 */
import { arenaMoves, type Kernels, NONE } from "../../engine/kernels/kernels.ts";

const refuse = (): never => {
  throw new TypeError("no kernel of a training pass");
};
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const GELU = 2 * Math.sqrt(2 / Math.PI);
const geluInner = (x: number) => GELU * (x + 0.044715 * x ** 3);

/** @param floatCount numbers of the arena, all 0 @returns kernels whose arena has doubles, whatever its type is called */
export function doubleKernels(floatCount: number): Kernels {
  const numbers = new Float64Array(floatCount);
  const arena = numbers as unknown as Float32Array;
  const each = (count: number, run: (i: number) => void) => {
    for (let i = 0; i < count; i++) run(i);
  };
  const sumOf = (count: number, term: (i: number) => number) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += term(i);
    return sum;
  };
  const kernels: Kernels = {
    name: "wasm",
    arena,
    ...arenaMoves(arena),
    record: (make) => () => make(kernels),
    blocks: { quantise: refuse, multiply: refuse, multiplyBack: refuse, unpack: refuse },
    multiplyRounded: refuse,
    adamTangent: refuse,
    applyAdapters: refuse,
    attendPages: refuse,
    sumRows: refuse,
    multiply(rows, columns, depth, a, b, c, rowStride, accumulate) {
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) {
          const [left, right, to] = [
            a.at + i * a.rowStride,
            b.at + j * b.columnStride,
            c + i * rowStride + j,
          ];
          let sum = accumulate ? numbers[to]! : 0;
          for (let k = 0; k < depth; k++)
            sum += numbers[left + k * a.columnStride]! * numbers[right + k * b.rowStride]!;
          numbers[to] = sum;
        }
    },
    normalise(rows, width, x, weight, bias, y, stats, epsilon, isCentred) {
      for (let t = 0; t < rows; t++) {
        const at = x + t * width;
        const mean = isCentred ? sumOf(width, (i) => numbers[at + i]!) / width : 0;
        const factor = 1 / Math.sqrt(sumOf(width, (i) => (numbers[at + i]! - mean) ** 2) / width + epsilon);
        numbers.set([mean, factor], stats + 2 * t);
        each(width, (i) => {
          const own = (numbers[at + i]! - mean) * factor * numbers[weight + i]!;
          numbers[y + t * width + i] = own + (bias === NONE ? 0 : numbers[bias + i]!);
        });
      }
    },
    normaliseBack(rows, width, x, weight, stats, dy, dx, dWeight, dBias, isCentred) {
      if (dWeight !== NONE || dBias !== NONE) refuse();
      for (let t = 0; t < rows; t++) {
        const [mean, factor] = numbers.subarray(stats + 2 * t) as unknown as [number, number];
        const slope = (i: number) => numbers[dy + t * width + i]! * numbers[weight + i]!;
        const unit = (i: number) => (numbers[x + t * width + i]! - mean) * factor;
        const plain = isCentred ? sumOf(width, slope) / width : 0;
        const along = sumOf(width, (i) => slope(i) * unit(i)) / width;
        each(width, (i) => {
          numbers[dx + t * width + i]! += (slope(i) - plain - unit(i) * along) * factor;
        });
      }
    },
    rotate(rows, heads, headSize, x, rowStride, table, sign) {
      const half = headSize / 2;
      for (let t = 0; t < rows; t++)
        for (let h = 0; h < heads; h++)
          each(half, (i) => {
            const at = x + t * rowStride + h * headSize + i;
            const [cosine, sine] = [
              numbers[table + t * headSize + i]!,
              sign * numbers[table + t * headSize + half + i]!,
            ];
            const [a, b] = [numbers[at]!, numbers[at + half]!];
            numbers[at] = a * cosine - b * sine;
            numbers[at + half] = b * cosine + a * sine;
          });
    },
    softmax(rows, x, rowStride, first, scale) {
      for (let t = 0; t < rows; t++) {
        const own = numbers.subarray(x + t * rowStride, x + (t + 1) * rowStride);
        const valid = own.subarray(0, first + t + 1);
        const max = valid.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
        each(valid.length, (j) => {
          valid[j] = Math.exp(scale * (valid[j]! - max));
        });
        const sum = sumOf(valid.length, (j) => valid[j]!);
        each(valid.length, (j) => {
          valid[j]! /= sum;
        });
        own.fill(0, valid.length);
      }
    },
    softmaxBack(rows, p, dp, rowStride, first, scale) {
      for (let t = 0; t < rows; t++) {
        const [at, to, valid] = [p + t * rowStride, dp + t * rowStride, first + t + 1];
        const mean = sumOf(valid, (j) => numbers[at + j]! * numbers[to + j]!);
        each(valid, (j) => {
          numbers[to + j] = scale * numbers[at + j]! * (numbers[to + j]! - mean);
        });
        numbers.fill(0, to + valid, to + rowStride);
      }
    },
    gate(count, a, b, y) {
      each(count, (i) => {
        numbers[y + i] = numbers[a + i]! * sigmoid(numbers[a + i]!) * numbers[b + i]!;
      });
    },
    gateBack(count, a, b, dy, da, db) {
      each(count, (i) => {
        const [x, y, d, s] = [numbers[a + i]!, numbers[b + i]!, numbers[dy + i]!, sigmoid(numbers[a + i]!)];
        numbers[db + i] = d * x * s;
        numbers[da + i] = d * y * s * (x * (1 - s) + 1);
      });
    },
    gelu(count, a, y) {
      each(count, (i) => {
        numbers[y + i] = numbers[a + i]! * sigmoid(geluInner(numbers[a + i]!));
      });
    },
    geluBack(count, a, dy, da) {
      each(count, (i) => {
        const x = numbers[a + i]!;
        const s = sigmoid(geluInner(x));
        const inner = GELU * (1 + 3 * 0.044715 * x * x);
        numbers[da + i] = numbers[dy + i]! * s * (x * (1 - s) * inner + 1);
      });
    },
    addRow(rows, width, y, bias) {
      each(rows * width, (i) => {
        numbers[y + i]! += numbers[bias + (i % width)]!;
      });
    },
    add(count, y, x) {
      each(count, (i) => {
        numbers[y + i]! += numbers[x + i]!;
      });
    },
    scale(count, x, factor) {
      each(count, (i) => {
        numbers[x + i]! *= factor;
      });
    },
    crossEntropy(rows, size, rowStride, logits, targets, losses, weight) {
      for (let t = 0; t < rows; t++) {
        const own = numbers.subarray(logits + t * rowStride, logits + (t + 1) * rowStride);
        const target = numbers[targets + t]!;
        numbers[losses + t] = 0;
        if (target < 0) {
          own.fill(0);
          continue;
        }
        const wanted = own[target]!;
        const max = own.subarray(0, size).reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
        const all = sumOf(size, (j) => Math.exp(own[j]! - max));
        numbers[losses + t] = Math.log(all) + max - wanted;
        each(size, (j) => {
          own[j] = (weight * Math.exp(own[j]! - max)) / all;
        });
        own.fill(0, size);
        own[target]! -= weight;
      }
    },
    adam(count, p, g, m, v, settings) {
      const [rate, b1, p1, b2, p2, c1, c2, epsilon, decay, factor] = numbers.subarray(
        settings,
        settings + 10,
      ) as unknown as [number, number, number, number, number, number, number, number, number, number];
      each(count, (i) => {
        const slope = factor * numbers[g + i]!;
        numbers[m + i] = b1 * numbers[m + i]! + p1 * slope;
        numbers[v + i] = b2 * numbers[v + i]! + p2 * slope * slope;
        const move = (c1 * numbers[m + i]!) / (Math.sqrt(c2 * numbers[v + i]!) + epsilon);
        numbers[p + i]! -= decay * numbers[p + i]! + rate * move;
      });
    },
  };
  return kernels;
}
