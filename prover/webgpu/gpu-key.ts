/**
 * Loading of a proving key onto the graphics card: points and matrices into buffers, kernels compiled, commands
 * of a proof prepared. webgpu-backend.ts loads it once for a key.
 */
import { powMod } from "@openledger/foundation/modular";
import { baseModulus, fieldBytes } from "../formats/bn254-numbers.ts";
import { endomorphismBetas } from "../formats/endomorphism.ts";
import { coefficientBytes } from "../formats/setup-kernels.ts";
import type { ZkeyHeader } from "../formats/zkey-header.ts";
import { zkeySection } from "../formats/zkey-layout.ts";
import { proverError } from "../prover-errors.ts";
import { BlindingWires } from "../proving/blinding-wires.ts";
import { KeyFile } from "../wasm/key-file.ts";
import { readSections, type ZkeySections } from "../wasm/zkey-sections.ts";
import { affineBytes, type CurveShape, g1Curve, g2Curve } from "./curve-shader.ts";
import { baseShader, fieldShader, kernelR, limbsLiteral, type ShaderStyle, wordsOf } from "./field-shader.ts";
import type { Command, GpuDevice, Kernel } from "./gpu-device.ts";
import { makeKernel } from "./kernel-source.ts";
import { denominatorKernel, inverseKernels, pairKernel } from "./pair-shader.ts";
import { makePointSums, type PointSums, planSums, type SumRequest } from "./point-sums.ts";
import { makeQuotient, type Quotient } from "./quotient.ts";
import { quotientKernels } from "./quotient-kernels.ts";
import { halvesBytes, splitKernel } from "./scalar-split.ts";
import { accumulateKernel, mergeKernel, reduceKernel } from "./sum-kernels.ts";

/** Bytes read from the key's file at once, 16 MiB. */
const pieceBytes = 16 << 20;

/** A proving key on the card, with every buffer that a proof needs: the proofs of one key run one by one. */
export interface GpuKey {
  header: ZkeyHeader;
  /** 32 bytes a wire, then the quotient's. */
  scalars: GPUBuffer;
  quotient: Quotient;
  /** Splits the wires' scalars, and the quotient's once it is there. */
  split: { wires: Command; quotient: Command };
  /** Two sums: the key's A, and its C and H together, whose scalars are the wires' and the quotient's. */
  g1: PointSums;
  /** Sum of B in the first group. */
  b1: PointSums;
  /** Sum in the second group: only B. */
  g2: PointSums;
  blindsA: BlindingWires;
  buffers: readonly GPUBuffer[];
}

/** Loads a key. @throws RollupError PRV_KEY_INVALID, PRV_GPU_UNAVAILABLE, PRV_GPU_LOST */
export async function loadGpuKey(
  gpu: GpuDevice,
  style: ShaderStyle,
  path: string,
  header: ZkeyHeader,
): Promise<GpuKey> {
  const loader = new KeyLoader(gpu, style, new KeyFile(path), header);
  try {
    return await loader.load();
  } catch (error) {
    loader.free();
    throw error;
  } finally {
    loader.file.close();
  }
}

function isZero(words: Uint32Array, start: number, count: number): boolean {
  for (let at = start; at < start + count; at++) if (words[at] !== 0) return false;
  return true;
}

function convertKernel(style: ShaderStyle): Kernel {
  return makeKernel(
    "convert points",
    [
      ["points", "write", "array<vec4<u32>>"],
      ["factor", "read", "array<vec4<u32>>"],
      ["parameters", "uniform", "Parameters"],
    ],
    `struct Parameters { count: u32 }${fieldShader(baseShader, style)}`,
    `
  if (thread >= parameters.count) { return; }
  let at = 2u * thread;
  let product = FqMul(FqUnpack(points[at], points[at + 1u]), FqUnpack(factor[0], factor[1]));
  points[at] = FqPackLow(product);
  points[at + 1u] = FqPackHigh(product);`,
  );
}

/** Kernel that computes the x of the points' images by the endomorphism, one part of a coordinate a thread. */
export function imageKernel({ degree, name }: CurveShape, style: ShaderStyle): Kernel {
  const beta = (endomorphismBetas()[name] * kernelR) % baseModulus;
  return makeKernel(
    `images ${name}`,
    [
      ["points", "read", "array<vec4<u32>>"],
      ["images", "write", "array<vec4<u32>>"],
      ["parameters", "uniform", "Parameters"],
    ],
    `struct Parameters { count: u32 }${fieldShader(baseShader, style)}
const FqBeta = ${limbsLiteral(beta)};`,
    `
  if (thread >= parameters.count) { return; }
  let at = ${4 * degree}u * (thread / ${degree}u) + 2u * (thread % ${degree}u);
  let product = FqMul(FqUnpack(points[at], points[at + 1u]), FqBeta);
  images[2u * thread] = FqPackLow(product);
  images[2u * thread + 1u] = FqPackHigh(product);`,
  );
}

/** Kernels of a proof. They compile side by side, as a driver may take seconds for one. */
export function allKernels(style: ShaderStyle): Kernel[] {
  const { inverse, forward, ...single } = quotientKernels(style);
  const forCurves = [imageKernel, denominatorKernel, pairKernel, accumulateKernel, mergeKernel, reduceKernel];
  const sums = [g1Curve, g2Curve].flatMap((curve) => forCurves.map((make) => make(curve, style)));
  const passes = [inverse, forward].flatMap(({ 2: both, lowest }) => [both, lowest[1], lowest[2]]);
  const fields = [splitKernel(), ...Object.values(inverseKernels(style)), convertKernel(style)];
  return [...Object.values(single), ...passes, ...sums, ...fields];
}

/** Scalars of a section's points: that of point i is `firstScalar + i`. */
interface PointSection {
  section: number;
  firstScalar: number;
}

class KeyLoader {
  readonly file: KeyFile;
  readonly #gpu: GpuDevice;
  readonly #style: ShaderStyle;
  readonly #header: ZkeyHeader;
  readonly #sections: ZkeySections;
  readonly #buffers: GPUBuffer[] = [];

  constructor(gpu: GpuDevice, style: ShaderStyle, file: KeyFile, header: ZkeyHeader) {
    this.#gpu = gpu;
    this.#style = style;
    this.file = file;
    this.#header = header;
    this.#sections = readSections(file);
  }

  async load(): Promise<GpuKey> {
    const { wireCount, publicCount, domainSize } = this.#header;
    await this.#gpu.compile(allKernels(this.#style));
    const scalars = this.#make("scalars", fieldBytes * (wireCount + domainSize));
    const halves = this.#make("halves", halvesBytes * (wireCount + domainSize));
    const blindsA = new BlindingWires(wireCount, publicCount);
    const quotient = await this.#loadQuotient(scalars, blindsA);
    const b2 = await this.#loadPoints(g2Curve, halves, [[{ section: zkeySection.b2, firstScalar: 0 }]]);
    const b1 = await this.#loadPoints(g1Curve, halves, [[{ section: zkeySection.b1, firstScalar: 0 }]]);
    const ofA = [{ section: zkeySection.a, firstScalar: 0 }];
    const ofC = [
      { section: zkeySection.c, firstScalar: publicCount + 1 },
      { section: zkeySection.h, firstScalar: wireCount },
    ];
    const rest = await this.#loadPoints(g1Curve, halves, [ofA, ofC], blindsA);
    const { sums, buffers } = await makePointSums(this.#gpu, this.#style, [b2, b1, rest]);
    this.#buffers.push(...buffers);
    const split = {
      wires: await this.#split(scalars, halves, 0, wireCount),
      quotient: await this.#split(scalars, halves, wireCount, domainSize),
    };
    await this.#gpu.device.queue.onSubmittedWorkDone();
    this.#gpu.check();
    const [g2, inG1, g1] = sums as [PointSums, PointSums, PointSums];
    return {
      header: this.#header,
      scalars,
      quotient,
      split,
      g1,
      b1: inG1,
      g2,
      blindsA,
      buffers: this.#buffers,
    };
  }

  free(): void {
    this.#gpu.free(this.#buffers);
  }

  async #loadQuotient(scalars: GPUBuffer, blindsA: BlindingWires): Promise<Quotient> {
    const { wireCount, domainSize, coefficientCount } = this.#header;
    const coefficients = this.#make("coefficients", coefficientBytes * coefficientCount);
    const matrices = new Uint8Array(coefficientCount);
    const rows = new Uint32Array(coefficientCount);
    const position = this.#sections[zkeySection.coefficients]!.position + 4;
    const perPiece = Math.floor(pieceBytes / coefficientBytes);
    for (let done = 0; done < coefficientCount; done += perPiece) {
      const count = Math.min(perPiece, coefficientCount - done);
      const bytes = this.#read(position + done * coefficientBytes, count * coefficientBytes);
      const words = new Uint32Array(bytes.buffer);
      for (let i = 0, at = 0; i < count; i++, at += coefficientBytes / 4) {
        const matrix = words[at]!;
        const row = words[at + 1]!;
        const wire = words[at + 2]!;
        // Out of bounds a card reads zeros or what it likes.
        if (matrix > 1 || row >= domainSize || wire >= wireCount) {
          const reason = `a coefficient is at ${matrix}, ${row}, ${wire}`;
          throw proverError("PRV_KEY_INVALID", `${this.file.path} is not usable: ${reason}`, {
            data: { path: this.file.path, reason },
          });
        }
        matrices[done + i] = matrix;
        rows[done + i] = row;
        blindsA.addEntry(matrix, wire, words, at + 3);
      }
      this.#gpu.write(coefficients, bytes, done * coefficientBytes);
    }
    const places = { matrices, rows };
    const inputs = { domainSize, coefficients, coefficientCount, places, scalars, firstScalar: wireCount };
    const quotient = await makeQuotient(this.#gpu, this.#style, inputs);
    this.#buffers.push(...quotient.buffers);
    return quotient;
  }

  /** Loads points, without those at infinity, which are most of A's and B's in some circuits. */
  async #loadPoints(
    curve: CurveShape,
    halves: GPUBuffer,
    sets: readonly (readonly PointSection[])[],
    blindsA?: BlindingWires,
  ): Promise<SumRequest> {
    const bytesEach = affineBytes(curve);
    const countOf = ({ section }: PointSection) => this.#sections[section]!.byteCount / bytesEach;
    const maxCount = sets.flat().reduce((sum, part) => sum + countOf(part), 0);
    const points = this.#make(`${curve.name} points`, bytesEach * maxCount);
    const indices = new Uint32Array(Math.max(1, maxCount));
    let count = 0;
    const setCounts = sets.map((parts) => {
      const before = count;
      for (const part of parts) {
        const { position } = this.#sections[part.section]!;
        const [total, perPiece] = [countOf(part), pieceBytes / bytesEach];
        for (let done = 0; done < total; done += perPiece) {
          const pieceCount = Math.min(perPiece, total - done);
          const bytes = this.#read(position + done * bytesEach, pieceCount * bytesEach);
          const words = new Uint32Array(bytes.buffer);
          let finiteCount = 0;
          for (let i = 0; i < pieceCount; i++) {
            const at = (i * bytesEach) / 4;
            if (isZero(words, at, bytesEach / 4)) continue;
            indices[count + finiteCount] = part.firstScalar + done + i;
            if (finiteCount !== i) words.copyWithin((finiteCount * bytesEach) / 4, at, at + bytesEach / 4);
            finiteCount++;
          }
          this.#gpu.write(points, bytes.subarray(0, finiteCount * bytesEach), count * bytesEach);
          count += finiteCount;
        }
      }
      if (parts[0]!.section === zkeySection.a) blindsA?.keepFinite(indices.subarray(before, count));
      return count - before;
    });
    const scalarIndices = this.#make(`${curve.name} scalars' places`, 4 * indices.length);
    this.#gpu.write(scalarIndices, indices);
    await this.#convert(points, (count * bytesEach) / fieldBytes);
    const images = this.#make(`${curve.name} images`, (bytesEach / 2) * count);
    const xCount = curve.degree * count;
    const inputs = { points, images, scalarIndices, halves };
    const parameters = this.#parameters([xCount]);
    this.#gpu.submit([
      await this.#gpu.step(imageKernel(curve, this.#style), [points, images, parameters], xCount),
    ]);
    return { curve, plan: planSums(curve, setCounts), inputs };
  }

  #split(scalars: GPUBuffer, halves: GPUBuffer, first: number, count: number): Promise<Command> {
    return this.#gpu.step(splitKernel(), [scalars, halves, this.#parameters([first, count])], count);
  }

  /** Coordinates x 2^256 become x 2^260: a product with 2^264, which divides by 2^260. */
  async #convert(points: GPUBuffer, count: number): Promise<void> {
    const factor = this.#make("factor", fieldBytes);
    this.#gpu.write(factor, Uint32Array.from(wordsOf(powMod(2n, 264n, baseModulus))));
    const kernel = convertKernel(this.#style);
    this.#gpu.submit([await this.#gpu.step(kernel, [points, factor, this.#parameters([count])], count)]);
  }

  #read(position: number, byteCount: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(byteCount);
    this.file.read(bytes, position);
    return bytes;
  }

  #parameters(words: readonly number[]): GPUBuffer {
    const buffer = this.#gpu.makeParameters(words);
    this.#buffers.push(buffer);
    return buffer;
  }

  #make(label: string, byteCount: number): GPUBuffer {
    const buffer = this.#gpu.makeBuffer(label, byteCount);
    this.#buffers.push(buffer);
    return buffer;
  }
}
