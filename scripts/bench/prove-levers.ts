/**
 * What each lever of the provers gives, one at a time, on one thread and by processor time: the width of windows, the
 * endomorphism, how many additions share an inversion, what sort of scalars a witness has, and the native paths.
 */
import { randomBytes } from "node:crypto";
import { fromBytesLe, scalarModulus, toBytesLe } from "@openledger/prover/internal/formats/bn254-numbers";
import { Bn254Instance, buildBn254Image } from "@openledger/prover/internal/formats/bn254-wasm";
import { chooseWindowBits, FixedBase } from "@openledger/prover/internal/keys/fixed-base";
import { loadNativeAddon, type NativeAddon } from "@openledger/prover/internal/native/native-addon";
import { g1Shape } from "@openledger/prover/internal/wasm/kernels/curve-kernel";
import { buildKernelImage } from "@openledger/prover/internal/wasm/kernels/kernel-module";
import { chooseWindows, type WindowShape } from "@openledger/prover/internal/wasm/multi-scalar";
import { OneThreadSums, windowsOf } from "@openledger/prover/internal/wasm/one-thread-sums";

const pointCount = 1 << 16;
const zkeyPointBytes = 64;
/** Of signed digits of a whole scalar: one more than its bits, for the last carry. */
const wholeBits = 255;

export async function benchLevers() {
  const image = buildKernelImage();
  const base = new FixedBase(image, "g1", chooseWindowBits("g1", pointCount));
  const random = Array.from({ length: pointCount }, () => fromBytesLe(randomBytes(48)) % scalarModulus);
  const points = base.multiply(Buffer.concat(random.map(toBytesLe)));
  const bench = new SumBench(image, points, 8 * pointCount + 64 * 1024 * 1024);
  const best = chooseWindows(pointCount);
  const report = (line: string) => console.log(line);
  report(`${pointCount} points of G1, one thread, processor time; the prover takes ${best.windowBits} bits`);

  const windowMs: Record<number, number> = {};
  for (const windowBits of [8, 10, 12, 13, 14, 16]) {
    windowMs[windowBits] = bench.sumMs(random, windowsOf(windowBits));
    report(`windows of ${windowBits} bits: ${windowMs[windowBits]} ms`);
  }
  const withEndomorphism = bench.sumMs(random, best);
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
    threeQuartersBits: bench.sumMs(bits, best),
    bytes: bench.sumMs(small, best),
    zeros: bench.sumMs(
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

/** The sums, timed. */
class SumBench extends OneThreadSums {
  /** With the endomorphism, digits included. */
  sumMs(scalars: readonly bigint[], windows: WindowShape): number {
    this.load(Buffer.concat(scalars.map(toBytesLe)));
    return measure(() => this.sum(windows));
  }

  /** Without it: digits of whole scalars, in twice as many windows; the images' digits are zero. */
  sumWhole(scalars: readonly bigint[], windows: WindowShape): number {
    const digits = new Int16Array(this.bytes.buffer as ArrayBuffer, this.digits);
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
    return measure(() => this.sumWindows(windows));
  }

  /** One addition, of batches of so many. */
  additionNs(batchSize: number): number {
    const words = new Uint32Array(this.bytes.buffer as ArrayBuffer);
    const { points } = this.table;
    const steps = this.pairs + 8 * pointCount;
    const out = steps + (batchSize / 2 + 1) * g1Shape.stepBytes;
    const batchCount = Math.floor(pointCount / 2 / batchSize);
    const ms = measure(() => {
      for (let batch = 0; batch < batchCount; batch++) {
        for (let i = 0; i < 2 * batchSize; i++)
          words[this.pairs / 4 + i] = points + (2 * batch * batchSize + i) * g1Shape.keyPointBytes;
        this.kernels.g1AddFast!(this.pairs, batchSize, steps, out);
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
