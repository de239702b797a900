/** The kernels as WGSL: the mathematics of ../native/src/lane-kernels.h, but sums in another order. */
import { multiplyShader, perNumber, perRow } from "./shader-frame.ts";

const sigmoid = /* wgsl */ `
fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp(-x)); }
fn inner(x: f32) -> f32 { return x * (x * x * 0.0713548162726 + 1.5957691216057); }
`;

/** settings: count, then places. */
const number = {
  copy: perNumber("arena[word(1u) + i] = arena[word(2u) + i];"),
  clear: perNumber("arena[word(1u) + i] = 0.0;"),
  add: perNumber("arena[word(1u) + i] += arena[word(2u) + i];"),
  scale: perNumber("arena[word(1u) + i] *= real(2u);"),
  gate: perNumber(
    "let x = arena[word(1u) + i]; arena[word(3u) + i] = x * sigmoid(x) * arena[word(2u) + i];",
    sigmoid,
  ),
  gateBack: perNumber(
    `let x = arena[word(1u) + i];
  let y = arena[word(2u) + i];
  let d = arena[word(3u) + i];
  let s = sigmoid(x);
  arena[word(5u) + i] = d * x * s;
  arena[word(4u) + i] = d * y * s * (x * (1.0 - s) + 1.0);`,
    sigmoid,
  ),
  gelu: perNumber("let x = arena[word(1u) + i]; arena[word(2u) + i] = x * sigmoid(inner(x));", sigmoid),
  geluBack: perNumber(
    `let x = arena[word(1u) + i];
  let s = sigmoid(inner(x));
  let slope = x * x * 0.2140644488178 + 1.5957691216057;
  arena[word(3u) + i] = arena[word(2u) + i] * s * (x * (1.0 - s) * slope + 1.0);`,
    sigmoid,
  ),
  /** count of all rows' numbers, width, y, bias */
  addRow: perNumber("arena[word(2u) + i] += arena[word(3u) + i % word(1u)];"),
  /** width, rows, dy, dBias */
  sumRows: perNumber(`var sum = 0.0;
  for (var row = 0u; row < word(1u); row++) { sum += arena[word(2u) + row * word(0u) + i]; }
  arena[word(3u) + i] += sum;`),
  /** all pairs, heads, half a head, x, row stride, table, sign */
  rotate: perNumber(`let half = word(2u);
  let head = (i / half) % word(1u);
  let row = i / (half * word(1u));
  let p = word(3u) + row * word(4u) + head * 2u * half + i % half;
  let table = word(5u) + row * 2u * half + i % half;
  let cosine = arena[table];
  let sine = arena[table + half] * real(6u);
  let a = arena[p];
  let b = arena[p + half];
  arena[p] = a * cosine - b * sine;
  arena[p + half] = b * cosine + a * sine;`),
  /** count, p, g, m, v, settings */
  adam: perNumber(`let s = word(5u);
  let slope = arena[word(2u) + i] * arena[s + 9u];
  let first = arena[word(3u) + i] * arena[s + 1u] + slope * arena[s + 2u];
  let second = arena[word(4u) + i] * arena[s + 3u] + slope * slope * arena[s + 4u];
  arena[word(3u) + i] = first;
  arena[word(4u) + i] = second;
  let old = arena[word(1u) + i];
  let step = first * arena[s + 5u] / (sqrt(second * arena[s + 6u]) + arena[s + 7u]);
  arena[word(1u) + i] = old - old * arena[s + 8u] - step * arena[s];`),
  /** width, rows, x, stats, dy, dWeight, dBias: a thread goes down a column. */
  normaliseWeights: perNumber(`var weight = 0.0;
  var bias = 0.0;
  for (var row = 0u; row < word(1u); row++) {
    let d = arena[word(4u) + row * word(0u) + i];
    let mean = arena[word(3u) + 2u * row];
    weight += d * (arena[word(2u) + row * word(0u) + i] - mean) * arena[word(3u) + 2u * row + 1u];
    bias += d;
  }
  arena[word(5u) + i] += weight;
  if (word(6u) != NONE) { arena[word(6u) + i] += bias; }`),
};

const row = {
  /** rows, width, x, weight, bias, y, stats, ε, isCentred */
  normalise: perRow(`let width = word(1u);
  let x = word(2u) + row * width;
  var part = 0.0;
  for (var i = lane; i < width; i += GROUP) { part += arena[x + i]; }
  let mean = select(0.0, total(part, lane) / f32(width), word(8u) != 0u);
  part = 0.0;
  for (var i = lane; i < width; i += GROUP) { let d = arena[x + i] - mean; part += d * d; }
  let factor = 1.0 / sqrt(total(part, lane) / f32(width) + real(7u));
  if (lane == 0u) {
    arena[word(6u) + 2u * row] = mean;
    arena[word(6u) + 2u * row + 1u] = factor;
  }
  for (var i = lane; i < width; i += GROUP) {
    var out = (arena[x + i] - mean) * factor * arena[word(3u) + i];
    if (word(4u) != NONE) { out += arena[word(4u) + i]; }
    arena[word(5u) + row * width + i] = out;
  }`),
  /** rows, width, x, weight, stats, dy, dx, isCentred */
  normaliseBack: perRow(`let width = word(1u);
  let x = word(2u) + row * width;
  let dy = word(5u) + row * width;
  let mean = arena[word(4u) + 2u * row];
  let factor = arena[word(4u) + 2u * row + 1u];
  var plain = 0.0;
  var along = 0.0;
  for (var i = lane; i < width; i += GROUP) {
    let g = arena[dy + i] * arena[word(3u) + i];
    plain += g;
    along += g * (arena[x + i] - mean) * factor;
  }
  let meanPlain = select(0.0, total(plain, lane) / f32(width), word(7u) != 0u);
  let meanAlong = total(along, lane) / f32(width);
  for (var i = lane; i < width; i += GROUP) {
    let unit = (arena[x + i] - mean) * factor;
    let slope = arena[dy + i] * arena[word(3u) + i] - meanPlain - unit * meanAlong;
    arena[word(6u) + row * width + i] += slope * factor;
  }`),
  /** rows, x, row stride, first, scale */
  softmax: perRow(`let x = word(1u) + row * word(2u);
  let valid = word(3u) + row + 1u;
  var most = -3e38;
  for (var i = lane; i < valid; i += GROUP) { most = max(most, arena[x + i] * real(4u)); }
  most = largest(most, lane);
  var part = 0.0;
  for (var i = lane; i < valid; i += GROUP) { part += exp(arena[x + i] * real(4u) - most); }
  let factor = 1.0 / total(part, lane);
  for (var i = lane; i < word(2u); i += GROUP) {
    arena[x + i] = select(0.0, exp(min(arena[x + i] * real(4u) - most, 0.0)) * factor, i < valid);
  }`),
  /** rows, p, dp, row stride, first, scale */
  softmaxBack: perRow(`let p = word(1u) + row * word(3u);
  let dp = word(2u) + row * word(3u);
  let valid = word(4u) + row + 1u;
  var part = 0.0;
  for (var i = lane; i < valid; i += GROUP) { part += arena[dp + i] * arena[p + i]; }
  let mean = total(part, lane);
  for (var i = lane; i < word(3u); i += GROUP) {
    arena[dp + i] = select(0.0, (arena[dp + i] - mean) * arena[p + i] * real(5u), i < valid);
  }`),
  /** rows, size, row stride, logits, targets, losses, weight */
  crossEntropy: perRow(`let logits = word(3u) + row * word(2u);
  let token = i32(arena[word(4u) + row]);
  let counts = token >= 0 && u32(token) < word(1u);
  let wanted = arena[logits + select(0u, u32(token), counts)];
  var most = -3e38;
  for (var i = lane; i < word(1u); i += GROUP) { most = max(most, arena[logits + i]); }
  most = largest(most, lane);
  var part = 0.0;
  for (var i = lane; i < word(1u); i += GROUP) { part += exp(arena[logits + i] - most); }
  let all = total(part, lane);
  if (lane == 0u) { arena[word(5u) + row] = select(0.0, log(all) + most - wanted, counts); }
  for (var i = lane; i < word(2u); i += GROUP) {
    let p = exp(min(arena[logits + i] - most, 0.0)) / all - select(0.0, 1.0, i == u32(token));
    arena[logits + i] = select(0.0, p * real(6u), counts && i < word(1u));
  }`),
};

export const shaders = { multiply: multiplyShader, ...number, ...row } as const;

export type ShaderName = keyof typeof shaders;
