/**
 * Forward-mode derivatives of passes: kernels that carry numbers' tangents along, in several directions at once. A pass back over
 * them gives the gradient, and as its tangents the Hessian's product with each direction (Pearlmutter 1994). hessian-product.ts
 * uses them; each rule here is the derivative of the kernel of its name, in the arena's own numbers.
 */
import { type Kernels, type Matrix, NONE, type Place } from "../../engine/kernels/kernels.ts";

/** Region of the arena whose numbers have tangents. Those outside, as a base's weights, are constants. */
export interface DualRegion {
  readonly from: Place;
  readonly end: Place;
  /** Start of each direction's tangents: as many numbers as the region has. */
  readonly directions: readonly Place[];
}

/** Kernels of passes that are trained through. The others, those of int8 weights among them, throw a TypeError. */
type DualKernel =
  | "add"
  | "addRow"
  | "clear"
  | "copy"
  | "crossEntropy"
  | "gate"
  | "gateBack"
  | "gelu"
  | "geluBack"
  | "multiply"
  | "normalise"
  | "normaliseBack"
  | "rotate"
  | "scale"
  | "softmax"
  | "softmaxBack"
  | "write";

/**
 * @param kernels of the arena that numbers and tangents lie in @throws TypeError when a kernel is called that has no derivative here
 */
export function dualKernels(kernels: Kernels, region: DualRegion): Kernels {
  const { arena } = kernels;
  const { directions, end, from } = region;
  const shifts = directions.map((at) => at - from);
  const has = (at: Place) => at >= from && at < end;
  const moved = (matrix: Matrix, shift: number) => ({ ...matrix, at: matrix.at + shift });
  const requireTangent = (at: Place) => {
    if (!has(at)) throw new TypeError("a pass writes outside the numbers that have tangents");
  };
  const own: Pick<Kernels, DualKernel | "record"> = {
    write: (at, values) => kernels.write(at, values),
    record: (make) => () => make(dual),
    clear(count, at) {
      kernels.clear(count, at);
      for (const shift of shifts) kernels.clear(count, at + shift);
    },
    copy(count, to, origin) {
      requireTangent(to);
      kernels.copy(count, to, origin);
      for (const shift of shifts)
        if (has(origin)) kernels.copy(count, to + shift, origin + shift);
        else kernels.clear(count, to + shift);
    },
    add(count, y, x) {
      kernels.add(count, y, x);
      if (has(x)) for (const shift of shifts) kernels.add(count, y + shift, x + shift);
    },
    addRow(rows, width, y, bias) {
      kernels.addRow(rows, width, y, bias);
      if (has(bias)) throw new TypeError("a bias has no tangent");
    },
    scale(count, x, factor) {
      kernels.scale(count, x, factor);
      for (const shift of shifts) kernels.scale(count, x + shift, factor);
    },
    rotate(rows, heads, headSize, x, rowStride, table, sign) {
      kernels.rotate(rows, heads, headSize, x, rowStride, table, sign);
      for (const shift of shifts) kernels.rotate(rows, heads, headSize, x + shift, rowStride, table, sign);
    },
    multiply(rows, columns, depth, a, b, c, rowStride, accumulate) {
      requireTangent(c);
      if (!has(a.at) && !has(b.at)) throw new TypeError("a product of constants has no tangent");
      kernels.multiply(rows, columns, depth, a, b, c, rowStride, accumulate);
      for (const shift of shifts) {
        const to = c + shift;
        if (has(a.at)) kernels.multiply(rows, columns, depth, moved(a, shift), b, to, rowStride, accumulate);
        const adds = accumulate || has(a.at);
        if (has(b.at)) kernels.multiply(rows, columns, depth, a, moved(b, shift), to, rowStride, adds);
      }
    },
    softmax(rows, x, rowStride, first, scale) {
      kernels.softmax(rows, x, rowStride, first, scale);
      for (const shift of shifts)
        for (let t = 0; t < rows; t++) {
          const at = x + t * rowStride;
          const valid = first + t + 1;
          tangentOfShares(arena, at, at + shift, valid, scale);
          arena.fill(0, at + shift + valid, at + shift + rowStride);
        }
    },
    softmaxBack(rows, p, dp, rowStride, first, scale) {
      for (const shift of shifts)
        for (let t = 0; t < rows; t++) {
          const valid = first + t + 1;
          const [at, to] = [p + t * rowStride, dp + t * rowStride];
          let [mean, change] = [0, 0];
          for (let j = 0; j < valid; j++) {
            mean += arena[at + j]! * arena[to + j]!;
            change += arena[at + shift + j]! * arena[to + j]! + arena[at + j]! * arena[to + shift + j]!;
          }
          for (let j = 0; j < valid; j++) {
            const slope = arena[at + shift + j]! * (arena[to + j]! - mean);
            arena[to + shift + j] = scale * (slope + arena[at + j]! * (arena[to + shift + j]! - change));
          }
          arena.fill(0, to + shift + valid, to + shift + rowStride);
        }
      kernels.softmaxBack(rows, p, dp, rowStride, first, scale);
    },
    crossEntropy(rows, size, rowStride, logits, targets, losses, weight) {
      kernels.crossEntropy(rows, size, rowStride, logits, targets, losses, weight);
      for (let t = 0; t < rows; t++) {
        const at = logits + t * rowStride;
        const target = arena[targets + t]!;
        if (target < 0 || weight === 0) {
          for (const shift of shifts) arena.fill(0, at + shift, at + shift + rowStride);
          continue;
        }
        // The gradient is weight · (shares − the target's 1).
        const shares = new Float64Array(size);
        for (let j = 0; j < size; j++) shares[j] = arena[at + j]! / weight;
        shares[target]! += 1;
        for (const shift of shifts) {
          const to = at + shift;
          let mean = 0;
          for (let j = 0; j < size; j++) mean += shares[j]! * arena[to + j]!;
          for (let j = 0; j < size; j++) arena[to + j] = weight * shares[j]! * (arena[to + j]! - mean);
          arena.fill(0, to + size, to + rowStride);
        }
      }
    },
    normalise(rows, width, x, weight, bias, y, stats, epsilon, isCentred) {
      kernels.normalise(rows, width, x, weight, bias, y, stats, epsilon, isCentred);
      for (let t = 0; t < rows; t++) {
        const own = x + t * width;
        const unit = unitsOf(arena, own, arena[stats + 2 * t]!, arena[stats + 2 * t + 1]!, width);
        const factor = arena[stats + 2 * t + 1]!;
        for (const shift of shifts) {
          const { along, plain } = meansOf(arena, own + shift, unit, isCentred);
          for (let i = 0; i < width; i++) {
            const change = factor * (arena[own + shift + i]! - plain - unit[i]! * along);
            arena[y + t * width + shift + i] = arena[weight + i]! * change;
          }
        }
      }
    },
    normaliseBack(rows, width, x, weight, stats, dy, dx, dWeight, dBias, isCentred) {
      if (dWeight !== NONE || dBias !== NONE) throw new TypeError("a norm's weights have no tangent");
      const [slopes, changes, ofUnit] = [0, 1, 2].map(() => new Float64Array(width)) as [
        ...[Float64Array, Float64Array, Float64Array],
      ];
      for (let t = 0; t < rows; t++) {
        const [own, from] = [x + t * width, dy + t * width];
        const factor = arena[stats + 2 * t + 1]!;
        const unit = unitsOf(arena, own, arena[stats + 2 * t]!, factor, width);
        for (let i = 0; i < width; i++) slopes[i] = arena[from + i]! * arena[weight + i]!;
        const slope = meansOf(slopes, 0, unit, isCentred);
        for (const shift of shifts) {
          const moved = meansOf(arena, own + shift, unit, isCentred);
          for (let i = 0; i < width; i++) changes[i] = arena[from + shift + i]! * arena[weight + i]!;
          const change = meansOf(changes, 0, unit, isCentred);
          let turned = 0;
          for (let i = 0; i < width; i++) {
            const turn = factor * (arena[own + shift + i]! - moved.plain - unit[i]! * moved.along);
            ofUnit[i] = turn;
            turned += slopes[i]! * turn;
          }
          const along = change.along + turned / width;
          const ofFactor = -factor * moved.along;
          for (let i = 0; i < width; i++) {
            const before = slopes[i]! - slope.plain - unit[i]! * slope.along;
            const after = changes[i]! - change.plain - ofUnit[i]! * slope.along - unit[i]! * along;
            arena[dx + t * width + shift + i]! += factor * (ofFactor * before + after);
          }
        }
      }
      kernels.normaliseBack(rows, width, x, weight, stats, dy, dx, dWeight, dBias, isCentred);
    },
    gate(count, a, b, y) {
      const { slope, value } = derivatives(arena, a, count, siluAt);
      for (const shift of shifts)
        for (let i = 0; i < count; i++)
          arena[y + shift + i] =
            slope[i]! * arena[a + shift + i]! * arena[b + i]! + value[i]! * arena[b + shift + i]!;
      kernels.gate(count, a, b, y);
    },
    gateBack(count, a, b, dy, da, db) {
      const { bend, slope, value } = derivatives(arena, a, count, siluAt);
      for (const shift of shifts)
        for (let i = 0; i < count; i++) {
          const [d, y, change] = [arena[dy + i]!, arena[b + i]!, arena[dy + shift + i]!];
          const turned = arena[a + shift + i]!;
          const ofB = change * value[i]! + d * slope[i]! * turned;
          const ofA = slope[i]! * (change * y + d * arena[b + shift + i]!) + d * y * bend[i]! * turned;
          arena[da + shift + i] = ofA;
          arena[db + shift + i] = ofB;
        }
      kernels.gateBack(count, a, b, dy, da, db);
    },
    gelu(count, a, y) {
      const { slope } = derivatives(arena, a, count, geluAt);
      for (const shift of shifts)
        for (let i = 0; i < count; i++) arena[y + shift + i] = slope[i]! * arena[a + shift + i]!;
      kernels.gelu(count, a, y);
    },
    geluBack(count, a, dy, da) {
      const { bend, slope } = derivatives(arena, a, count, geluAt);
      for (const shift of shifts)
        for (let i = 0; i < count; i++)
          arena[da + shift + i] =
            slope[i]! * arena[dy + shift + i]! + bend[i]! * arena[a + shift + i]! * arena[dy + i]!;
      kernels.geluBack(count, a, dy, da);
    },
  };
  const refused = (name: string) => (): never => {
    throw new TypeError(`the kernel ${name} has no derivative`);
  };
  const dual: Kernels = {
    ...{ name: kernels.name, arena, ...own },
    blocks: {
      quantise: refused("quantise"),
      multiply: refused("blocks.multiply"),
      multiplyBack: refused("blocks.multiplyBack"),
      unpack: refused("unpack"),
    },
    multiplyRounded: refused("multiplyRounded"),
    sumRows: refused("sumRows"),
    adam: refused("adam"),
    adamTangent: refused("adamTangent"),
    applyAdapters: refused("applyAdapters"),
    attendPages: refused("attendPages"),
  };
  return dual;
}

type Numbers = Float32Array | Float64Array;

/** Tangent of softmax, in place of its arguments'. @param at of the results */
function tangentOfShares(arena: Numbers, at: Place, change: Place, count: number, scale: number): void {
  let mean = 0;
  for (let j = 0; j < count; j++) mean += arena[at + j]! * arena[change + j]!;
  for (let j = 0; j < count; j++) arena[change + j] = scale * arena[at + j]! * (arena[change + j]! - mean);
}

/** Numbers of a row that are normed: less their mean, times the factor. */
function unitsOf(arena: Numbers, at: Place, mean: number, factor: number, width: number): Float64Array {
  const unit = new Float64Array(width);
  for (let i = 0; i < width; i++) unit[i] = (arena[at + i]! - mean) * factor;
  return unit;
}

/** Means of a row's numbers, 0 if it is not centred, and of their products with the normed numbers. */
function meansOf(values: Numbers, at: Place, unit: Float64Array, isCentred: boolean) {
  let [plain, along] = [0, 0];
  for (let i = 0; i < unit.length; i++) {
    if (isCentred) plain += values[at + i]!;
    along += values[at + i]! * unit[i]!;
  }
  return { plain: plain / unit.length, along: along / unit.length };
}

/** Value of an activation, and its first and second derivative. */
type Activation = (x: number) => readonly [value: number, slope: number, bend: number];

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

const siluAt: Activation = (x) => {
  const s = sigmoid(x);
  return [x * s, s * (1 + x * (1 - s)), s * (1 - s) * (2 + x * (1 - 2 * s))];
};

/** In tanh's approximation: x · sigmoid of 2 √(2/π) (x + 0.044715 x³). */
const geluAt: Activation = (x) => {
  const scale = 2 * Math.sqrt(2 / Math.PI);
  const s = sigmoid(scale * (x + 0.044715 * x ** 3));
  const inner = scale * (1 + 3 * 0.044715 * x * x);
  const rise = s * (1 - s) * inner;
  const bend = 2 * rise + x * rise * inner * (1 - 2 * s) + x * s * (1 - s) * scale * 6 * 0.044715 * x;
  return [x * s, s + x * rise, bend];
};

function derivatives(arena: Numbers, at: Place, count: number, activation: Activation) {
  const [value, slope, bend] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  for (let i = 0; i < count; i++) {
    const [own, first, second] = activation(arena[at + i]!);
    value[i] = own;
    slope[i] = first;
    bend[i] = second;
  }
  return { value, slope, bend };
}
