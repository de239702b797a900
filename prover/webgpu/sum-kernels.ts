/**
 * WGSL kernels of point-sums.ts: digits counted and sorted into buckets, prefix sums, groups of points added up,
 * buckets merged and reduced.
 */
import { type CurveShape, curveShader, pointLoad, sumLoad, sumStore } from "./curve-shader.ts";
import type { ShaderStyle } from "./field-shader.ts";
import { groupSize, type Kernel } from "./gpu-device.ts";
import { makeKernel } from "./kernel-source.ts";
import { missing } from "./pair-shader.ts";

/** Counters of one workgroup of the prefix sum. */
export const scanBlock = 16 * groupSize;
/** Marker for no bucket: buckets are numbered from 0. */
const none = "0xffffffffu";

/** Parameters of the kernels that visit digits. */
const digitParameters = `struct Parameters {
  pointCount: u32, firstEnd: u32, secondEnd: u32, windowBits: u32, windowCount: u32, planeCount: u32, groupPower: u32
}`;

/**
 * Visits the signed digits of both halves of every point's scalar: with c bits to a window they lie between
 * -2^(c - 1) and 2^(c - 1), so half as many buckets do. Only the last window's, which has nothing to carry to, are
 * between 0 and 2^c: SumPlan.planeCount has buckets for them. A digit's bucket is one of its set's and window's; a
 * zero digit has none, so that scalars of a few bits, as many of a witness are, cost next to nothing.
 */
function visitDigits(visit: string): string {
  return `
  if (thread >= parameters.pointCount) { return; }
  let size = 1u << parameters.windowBits;
  let part = select(0u, 1u, thread >= parameters.firstEnd) + select(0u, 1u, thread >= parameters.secondEnd);
  for (var half = 0u; half < 2u; half++) {
    let first = 8u * scalarIndices[thread] + 4u * half;
    let last = halves[first + 3u];
    var words = array<u32, 5>(halves[first], halves[first + 1u], halves[first + 2u], last & 0x7fffffffu, 0u);
    let isNegative = last >> 31u;
    var firstBucket = part * parameters.planeCount * (size >> 1u);
    var carry = 0u;
    for (var window = 0u; window < parameters.windowCount; window++) {
      let bit = window * parameters.windowBits;
      let at = bit >> 5u;
      let shift = bit & 31u;
      // In two shifts: a shift by 32 is none in WGSL.
      var digit = (words[at] >> shift) | ((words[at + 1u] << 1u) << (31u - shift));
      digit = (digit & (size - 1u)) + carry;
      carry = select(0u, 1u, digit > (size >> 1u) && window + 1u < parameters.windowCount);
      let magnitude = select(digit, size - digit, carry == 1u);
      if (magnitude != 0u) {
        let bucket = firstBucket + magnitude - 1u;
        ${visit}
      }
      firstBucket += size >> 1u;
    }
  }`;
}

/** Kernel that counts the digits of each bucket. */
export const countKernel: Kernel = makeKernel(
  "count digits",
  [
    ["halves", "read", "array<u32>"],
    ["scalarIndices", "read", "array<u32>"],
    ["counts", "write", "array<atomic<u32>>"],
    ["parameters", "uniform", "Parameters"],
  ],
  digitParameters,
  visitDigits("atomicAdd(&counts[bucket], 1u);"),
);

/**
 * Kernel of a counting sort's second half: writes each digit, in the form that pair-shader.ts reads, to its bucket's next
 * place. The order within a bucket is not determined, and the sum does not depend on it. A bucket's places are whole
 * groups, filled from the first on: whoever writes a group's first place writes its owner, the bucket.
 */
export const scatterKernel: Kernel = makeKernel(
  "scatter digits",
  [
    ["halves", "read", "array<u32>"],
    ["scalarIndices", "read", "array<u32>"],
    ["offsets", "write", "array<atomic<u32>>"],
    ["list", "write", "array<u32>"],
    ["owners", "write", "array<u32>"],
    ["parameters", "uniform", "Parameters"],
  ],
  digitParameters,
  visitDigits(`let place = atomicAdd(&offsets[bucket], 1u);
        list[place] = 1u + ((thread << 2u) | (half << 1u) | (carry ^ isNegative));
        if ((place & ((1u << parameters.groupPower) - 1u)) == 0u) { owners[place >> parameters.groupPower] = bucket; }`),
);

/** Kernel of exclusive prefix sums within blocks, and of the blocks' totals. Values are rounded up to multiples of `mask + 1`. */
export const scanKernel: Kernel = makeKernel(
  "scan blocks",
  [
    ["values", "write", "array<u32>"],
    ["totals", "write", "array<u32>"],
    ["parameters", "uniform", "Parameters"],
  ],
  `struct Parameters { count: u32, blockCount: u32, mask: u32 }
var<workgroup> sums: array<u32, ${groupSize}>;`,
  `
  let begin = group * ${scanBlock}u + local * 16u;
  var sum = 0u;
  for (var i = 0u; i < 16u; i++) {
    if (begin + i < parameters.count) { sum += (values[begin + i] + parameters.mask) & ~parameters.mask; }
  }
  sums[local] = sum;
  workgroupBarrier();
  for (var step = 1u; step < ${groupSize}u; step <<= 1u) {
    var before = 0u;
    if (local >= step) { before = sums[local - step]; }
    workgroupBarrier();
    sums[local] += before;
    workgroupBarrier();
  }
  var offset = sums[local] - sum;
  for (var i = 0u; i < 16u; i++) {
    if (begin + i < parameters.count) {
      let value = (values[begin + i] + parameters.mask) & ~parameters.mask;
      values[begin + i] = offset;
      offset += value;
    }
  }
  if (local == ${groupSize - 1}u && group < parameters.blockCount) { totals[group] = offset; }`,
);

/** Kernel that adds the sum of all earlier blocks to each block's values. */
export const offsetKernel: Kernel = makeKernel(
  "offset blocks",
  [
    ["values", "write", "array<u32>"],
    ["totals", "read", "array<u32>"],
    ["parameters", "uniform", "Parameters"],
  ],
  "struct Parameters { count: u32 }",
  `
  if (thread < parameters.count) { values[thread] += totals[thread / ${scanBlock}u]; }`,
);

/**
 * Kernel that adds up a slice's groups, one chunk of them a thread: chunks are equally long, so threads are equally busy
 * however the digits fall (in a witness of bits, half of all points share one bucket). A bucket that begins in
 * a chunk is that thread's to write; what a chunk adds to one that began before goes to the next level.
 */
export function accumulateKernel(curve: CurveShape, style: ShaderStyle): Kernel {
  return makeKernel(
    `accumulate ${curve.name}`,
    [
      ["owners", "read", "array<u32>"],
      ["nodes", "read", "array<vec4<u32>>"],
      ["offsets", "read", "array<u32>"],
      ["buckets", "write", "array<vec4<u32>>"],
      ["keys", "write", "array<u32>"],
      ["partials", "write", "array<vec4<u32>>"],
      ["parameters", "uniform", "Parameters"],
    ],
    `struct Parameters { bucketCount: u32, chunkLength: u32, chunkCount: u32, firstChunk: u32, groupPower: u32 }
${curveShader(curve, style, 1)}
${pointLoad(curve, "nodes")}
${sumStore(curve, "buckets")}
${sumStore(curve, "partials")}`,
    `
  if (thread >= parameters.chunkCount) { return; }
  let chunk = parameters.firstChunk + thread;
  keys[chunk] = ${none};
  let total = offsets[parameters.bucketCount] >> parameters.groupPower;
  let firstGroup = parameters.firstChunk * parameters.chunkLength;
  let begin = chunk * parameters.chunkLength;
  if (begin >= total) { return; }
  let end = min(begin + parameters.chunkLength, total);
  var key = owners[begin];
  var isContinued = false;
  if (begin > 0u) { isContinued = owners[begin - 1u] == key; }
  slotZero(0u);
  // One turn more than there are groups, to write the last sum.
  for (var i = begin; i <= end; i++) {
    var next = ${none};
    if (i < end) { next = owners[i]; }
    if (next != key) {
      if (isContinued) {
        partialsStore(chunk, 0u);
        keys[chunk] = key;
      } else {
        bucketsStore(key, 0u);
      }
      isContinued = false;
      key = next;
      slotZero(0u);
    }
    if (i < end && nodes[(i - firstGroup) * ${4 * curve.degree}u + 1u].w != ${missing}) {
      nodesLoad(i - firstGroup);
      pointAdd(0u);
    }
  }`,
  );
}

/** Kernel that adds up likewise the sums that a level left over: keys in order, with gaps where a chunk left none. */
export function mergeKernel(curve: CurveShape, style: ShaderStyle): Kernel {
  return makeKernel(
    `merge ${curve.name}`,
    [
      ["keysBefore", "read", "array<u32>"],
      ["partialsBefore", "read", "array<vec4<u32>>"],
      ["buckets", "write", "array<vec4<u32>>"],
      ["keys", "write", "array<u32>"],
      ["partials", "write", "array<vec4<u32>>"],
      ["parameters", "uniform", "Parameters"],
    ],
    `struct Parameters { count: u32, chunkLength: u32, chunkCount: u32 }
${curveShader(curve, style, 2)}
${sumLoad(curve, "partialsBefore")}
${sumLoad(curve, "buckets")}
${sumStore(curve, "buckets")}
${sumStore(curve, "partials")}`,
    `
  if (thread >= parameters.chunkCount) { return; }
  keys[thread] = ${none};
  let begin = thread * parameters.chunkLength;
  let end = min(begin + parameters.chunkLength, parameters.count);
  var key = ${none};
  var isContinued = false;
  slotZero(0u);
  for (var i = begin; i <= end; i++) {
    var next = ${none};
    if (i < end) { next = keysBefore[i]; }
    if (next != key) {
      if (key != ${none}) {
        if (isContinued) {
          partialsStore(thread, 0u);
          keys[thread] = key;
        } else {
          bucketsStore(key, 0u);
        }
      }
      key = next;
      isContinued = false;
      slotZero(0u);
      if (key != ${none}) {
        if (i == begin && begin > 0u) { isContinued = keysBefore[begin - 1u] == key; }
        // The thread with the first of a bucket's sums has the bucket.
        if (!isContinued) { bucketsLoad(key, 0u); }
      }
    }
    if (key != ${none}) {
      partialsBeforeLoad(i, 1u);
      sumAdd(0u, 1u);
    }
  }`,
  );
}

/**
 * Kernel of a level of a window's weighted sum: from nodes with S = sum of B_i and T = sum of i B_i over their buckets,
 * i counted from the node's first, those of nodes `radix` times as wide:
 * S = sum of S_k, T = sum of T_k + width * sum of k S_k, the last by running sums and doublings.
 * All additions go through one call: its code is long, and a graphics card's instruction cache is not.
 */
export function reduceKernel(curve: CurveShape, style: ShaderStyle): Kernel {
  return makeKernel(
    `reduce ${curve.name}`,
    [
      ["sumsBefore", "read", "array<vec4<u32>>"],
      ["weightedBefore", "read", "array<vec4<u32>>"],
      ["sums", "write", "array<vec4<u32>>"],
      ["weighted", "write", "array<vec4<u32>>"],
      ["parameters", "uniform", "Parameters"],
    ],
    `struct Parameters { nodeCount: u32, radix: u32, widthPower: u32, areBuckets: u32 }
${curveShader(curve, style, 4)}
${sumLoad(curve, "sumsBefore")}
${sumLoad(curve, "weightedBefore")}
${sumStore(curve, "sums")}
${sumStore(curve, "weighted")}`,
    `
  if (thread >= parameters.nodeCount) { return; }
  // Slots: 0 the running sum, 1 the sum of k S_k, 2 the sum of T_k, 3 a child's.
  for (var slot = 0u; slot < 3u; slot++) { slotZero(slot); }
  let childSteps = 3u * parameters.radix;
  let lastStep = childSteps + parameters.widthPower;
  for (var step = 0u; step <= lastStep; step++) {
    var slot = 1u;
    var other = 1u;
    if (step < childSteps) {
      let child = parameters.radix - 1u - step / 3u;
      let index = thread * parameters.radix + child;
      let kind = step % 3u;
      if (kind == 0u) {
        sumsBeforeLoad(index, 3u);
        slot = 0u;
        other = 3u;
      } else if (kind == 1u) {
        if (child == 0u) { continue; }
        other = 0u;
      } else {
        if (parameters.areBuckets == 1u) { continue; }
        weightedBeforeLoad(index, 3u);
        slot = 2u;
        other = 3u;
      }
    } else if (step == lastStep) {
      other = 2u;
    }
    sumAdd(slot, other);
  }
  sumsStore(thread, 0u);
  weightedStore(thread, 1u);`,
  );
}
