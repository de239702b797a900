/**
 * What each lever of the provers gives, one at a time, on one thread and by processor time: the width of windows, the
 * endomorphism, how many additions share an inversion, what sort of scalars a witness has, and the native paths.
 */
import { randomBytes } from "node:crypto";
import { fromBytesLe, scalarModulus, toBytesLe } from "../../prover/formats/bn254-numbers.ts";
import { Bn254Instance, buildBn254Image } from "../../prover/formats/bn254-wasm.ts";
import { chooseWindowBits, FixedBase } from "../../prover/keys/fixed-base.ts";
import { loadNativeAddon, type NativeAddon } from "../../prover/native/native-addon.ts";
import { g1Shape } from "../../prover/wasm/kernels/curve-kernel.ts";
import { halfBits } from "../../prover/wasm/kernels/endomorphism.ts";
import {
  buildKernelImage,
  createKernelMemory,
  instantiateKernels,
  type KernelImage,
  kernelBytes,
  scratchBytes,
} from "../../prover/wasm/kernels/kernel-module.ts";
import {
  chooseWindows,
  type WindowShape,
  WindowSummer,
  windowSumBytes,
} from "../../prover/wasm/multi-scalar.ts";

const pointCount = 1 << 16;
const zkeyPointBytes = 64;
const scalarBytes = 32;
const maxWindowBits = 16;
/** Of signed digits of a whole scalar: one more than its bits, for the last carry. */
const wholeBits = 255;

export async function benchLevers() {
  const image = buildKernelImage();
  const base = new FixedBase(image, "g1", chooseWindowBits("g1", pointCount));
  const random = Array.from({ length: pointCount }, () => fromBytesLe(randomBytes(48)) % scalarModulus);
  const points = base.multiply(Buffer.concat(random.map(toBytesLe)));
  const bench = new SumBench(image, points);
  const best = chooseWindows(pointCount);
  const report = (line: string) => console.log(line);
  report(`${pointCount} points of G1, one thread, processor time; the prover takes ${best.windowBits} bits`);

  const windowMs: Record<number, number> = {};
  for (const windowBits of [8, 10, 12, 13, 14, 16]) {
    windowMs[windowBits] = bench.sum(random, glvWindows(windowBits));
    report(`windows of ${windowBits} bits: ${windowMs[windowBits]} ms`);
  }
  const withEndomorphism = bench.sum(random, best);
  const withoutEndomorphism = Math.min(
    ...[best.windowBits - 1, best.windowBits, best.windowBits + 1].map((bits) =>
      bench.sumWhole(random, { windowBits: bits, windowCount: Math.ceil(wholeBits / bits) }),
    ),
  );
  report(`with the endomorphism ${withEndomorphism} ms, without ${withoutEndomorphism} ms`);

  // A batch's witness is mostly bits: three of four wires are 0 or 1.
  const bits = random.map((value, i) => (i % 4 === 0 ? value : BigInt(i & 1)));
  const small = random.map((value) => value & 0xffn);
  const scalarsMs = {
    random: withEndomorphism,
    threeQuartersBits: bench.sum(bits, best),
    bytes: bench.sum(small, best),
    zeros: bench.sum(
      random.map(() => 0n),
      best,
    ),
  };
  report(`scalars: ${JSON.stringify(scalarsMs)} ms`);

  const additionNs: Record<string, number> = {};
  for (const size of [2, 16, 128, 1024, 4096]) additionNs[size] = bench.additionNs(size);
  report(`an affine addition, by how many share the inversion: ${JSON.stringify(additionNs)} ns`);
  const jacobianNs = await mixedAdditionNs(points);
  report(`wasmcurves' mixed Jacobian addition, which snarkjs uses: ${jacobianNs} ns`);
  const nativeMs = measureNative(points, random, bits);
  report(`native: ${JSON.stringify(nativeMs)} ms`);
  return {
    pointCount,
    windowMs,
    withEndomorphism,
    withoutEndomorphism,
    scalarsMs,
    additionNs,
    jacobianNs,
    nativeMs,
  };
}

const glvWindows = (windowBits: number): WindowShape => ({
  windowBits,
  windowCount: Math.ceil((halfBits + 1) / windowBits),
});

/** The median of three, in milliseconds of processor time. */
function measure(work: () => void): number {
  const times = [0, 1, 2].map(() => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.round(10 * times.sort((a, b) => a - b)[1]!) / 10;
}

/** The WebAssembly back end's sums on one thread. */
class SumBench {
  readonly #kernels;
  readonly #summer: WindowSummer;
  readonly #table: { points: number; indices: number; count: number };
  readonly #digits: number;
  readonly #scalars: number;
  readonly #pairs: number;
  readonly #bytes: Uint8Array;

  constructor(image: KernelImage, zkeyPoints: Uint8Array) {
    let next = kernelBytes + scratchBytes;
    const take = (byteCount: number) => {
      const address = Math.ceil(next / 128) * 128;
      next = address + byteCount;
      return address;
    };
    const limits = { maxWindowBits, maxPointCount: pointCount };
    const source = take(zkeyPoints.length);
    const points = take(pointCount * g1Shape.keyPointBytes);
    const indices = take(4 * pointCount);
    this.#scalars = take(scalarBytes * pointCount);
    this.#digits = take(4 * pointCount * Math.ceil(wholeBits / 8));
    this.#pairs = take(8 * pointCount + 64 * 1024 * 1024);
    const work = take(windowSumBytes(g1Shape, limits));
    const memory = createKernelMemory(next);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#bytes.set(image.start);
    this.#bytes.set(zkeyPoints, source);
    this.#kernels = instantiateKernels(image.module, memory, kernelBytes);
    const count = this.#kernels.g1ImportPoints!(source, pointCount, points, indices, 0);
    this.#table = { points, indices, count };
    this.#summer = new WindowSummer(this.#kernels, memory, g1Shape, limits, work);
  }

  /** With the endomorphism, digits included. */
  sum(scalars: readonly bigint[], windows: WindowShape): number {
    for (const [i, scalar] of scalars.entries())
      this.#bytes.set(toBytesLe(scalar), this.#scalars + scalarBytes * i);
    const { windowBits, windowCount } = windows;
    return measure(() => {
      const [stride, half] = [4 * pointCount, 2 * pointCount];
      this.#kernels.splitDigits!(
        this.#scalars,
        pointCount,
        windowBits,
        windowCount,
        this.#digits,
        stride,
        half,
      );
      this.#sumWindows(windows);
    });
  }

  /** Without it: digits of whole scalars, in twice as many windows; the images' digits are zero. */
  sumWhole(scalars: readonly bigint[], windows: WindowShape): number {
    const digits = new Int16Array(this.#bytes.buffer as ArrayBuffer, this.#digits);
    digits.fill(0, 0, 2 * pointCount * windows.windowCount);
    const size = 1n << BigInt(windows.windowBits);
    for (const [i, scalar] of scalars.entries()) {
      let rest = scalar;
      for (let window = 0; window < windows.windowCount; window++) {
        let digit = rest & (size - 1n);
        if (2n * digit > size) digit -= size;
        rest = (rest - digit) >> BigInt(windows.windowBits);
        digits[2 * window * pointCount + i] = Number(digit);
      }
    }
    return measure(() => this.#sumWindows(windows));
  }

  #sumWindows(windows: WindowShape): void {
    const table = { address: this.#digits, scalarCount: pointCount, windows };
    for (let window = 0; window < windows.windowCount; window++)
      this.#summer.sumWindow(this.#table, table, window);
  }

  /** One addition, of batches of so many. */
  additionNs(batchSize: number): number {
    const words = new Uint32Array(this.#bytes.buffer as ArrayBuffer);
    const { points } = this.#table;
    const steps = this.#pairs + 8 * pointCount;
    const out = steps + (batchSize / 2 + 1) * g1Shape.stepBytes;
    const batchCount = Math.floor(pointCount / 2 / batchSize);
    const ms = measure(() => {
      for (let batch = 0; batch < batchCount; batch++) {
        for (let i = 0; i < 2 * batchSize; i++)
          words[this.#pairs / 4 + i] = points + (2 * batch * batchSize + i) * g1Shape.keyPointBytes;
        this.#kernels.g1AddFast!(this.#pairs, batchSize, steps, out);
      }
    });
    return Math.round((ms * 1e6) / (batchCount * batchSize));
  }
}

async function mixedAdditionNs(points: Uint8Array): Promise<number> {
  const wasm = new Bn254Instance(await buildBn254Image(), points.length + (1 << 20));
  const source = wasm.allocate(points.length);
  wasm.bytes.set(points, source);
  const sum = wasm.allocate(96);
  wasm.call.g1m_zero!(sum);
  const ms = measure(() => {
    for (let i = 0; i < pointCount; i++) wasm.call.g1m_addMixed!(sum, source + i * zkeyPointBytes, sum);
  });
  return Math.round((ms * 1e6) / pointCount);
}

function measureNative(points: Uint8Array, random: readonly bigint[], bits: readonly bigint[]) {
  let addon: NativeAddon;
  try {
    addon = loadNativeAddon();
  } catch {
    return null; // not built here
  }
  const encode = (scalars: readonly bigint[]) => Buffer.concat(scalars.map(toBytesLe));
  const [randomBytesLe, bitsBytesLe] = [encode(random), encode(bits)];
  return addon.paths().map((path) => ({
    path,
    random: measure(() => addon.multiplyPoints(path, false, points, randomBytesLe, 1, 0)),
    threeQuartersBits: measure(() => addon.multiplyPoints(path, false, points, bitsBytesLe, 1, 0)),
  }));
}
