/**
 * Loading of a proving key into the wasm back end's memory, in the kernels' form: points, matrices, factors of
 * the transforms. prover-thread.ts runs the steps on all threads; single-thread.ts in a page.
 */
import { elementBytes } from "@openledger/circuits/wasm/field-limbs";
import { g1Bytes, g2Bytes, zkeySection } from "../formats/zkey-layout.ts";
import type { BlindingWires } from "../proving/blinding-wires.ts";
import type { KernelCalls } from "./kernels/kernel-module.ts";
import { type MemoryPlan, type PointName, stagingBytes } from "./memory-plan.ts";
import { writeFactors } from "./transforms.ts";
import type { KeySource, ZkeySections } from "./zkey-sections.ts";

/** Steps of loading a key, the longest first; threads share them. B's points in G1 wait for a proof that needs them. */
export const loadSteps = ["coefficients", "b2", "a", "c", "h", "inverse", "coset"] as const;
export type LoadStep = (typeof loadSteps)[number] | "b1";

const pointSections: Record<PointName, number> = {
  a: zkeySection.a,
  b1: zkeySection.b1,
  b2: zkeySection.b2,
  c: zkeySection.c,
  h: zkeySection.h,
};
/** Bytes of a coefficient in a zkey: matrix, row and wire (4 each), value. */
const coefficientBytes = 44;
const valueBytes = 32;

interface LoaderContext {
  kernels: KernelCalls;
  buffer: SharedArrayBuffer;
  plan: MemoryPlan;
  file: KeySource;
  sections: ZkeySections;
  /** The thread's own. */
  staging: number;
  /** Filled by the step "coefficients"; the points' step finds which of them are at infinity. */
  blindsA: BlindingWires;
}

/** Runs a step. @returns for points, the number of those that are not at infinity */
export function loadPart(context: LoaderContext, step: LoadStep): number {
  if (step === "coefficients") return loadCoefficients(context);
  if (step === "inverse" || step === "coset") {
    const { plan, kernels, buffer, staging } = context;
    const transform = { ...plan, size: plan.shape.domainSize };
    writeFactors({ kernels, doubles: new Float64Array(buffer), scratch: staging }, transform, step);
    return 0;
  }
  return loadPoints(context, step);
}

function loadPoints(
  { kernels, buffer, plan, file, sections, staging }: LoaderContext,
  sum: PointName,
): number {
  const { points, indices } = plan.points[sum];
  const [pointBytes, keyPointBytes] = sum === "b2" ? [g2Bytes, 256] : [g1Bytes, 128];
  const importPoints = (sum === "b2" ? kernels.g2ImportPoints : kernels.g1ImportPoints)!;
  const { position, byteCount } = sections[pointSections[sum]]!;
  const firstIndex = sum === "c" ? plan.shape.publicCount + 1 : 0;
  const perChunk = Math.floor(stagingBytes / pointBytes);
  const total = byteCount / pointBytes;
  let finite = 0;
  for (let done = 0; done < total; done += perChunk) {
    const count = Math.min(perChunk, total - done);
    file.read(new Uint8Array(buffer, staging, count * pointBytes), position + done * pointBytes);
    finite += importPoints(
      staging,
      count,
      points + finite * keyPointBytes,
      indices + 4 * finite,
      firstIndex + done,
    );
  }
  return finite;
}

/**
 * Loads the matrices A and B as rows of terms. Most coefficients are the same few values, so each value is kept
 * once and terms name its offset; value 0 is zero, which fills rows up to an even number of terms.
 */
function loadCoefficients({
  blindsA,
  kernels,
  buffer,
  plan,
  file,
  sections,
  staging,
}: LoaderContext): number {
  const { domainSize, coefficientCount } = plan.shape;
  const words = new Uint32Array(buffer);
  const starts = plan.rowStarts.map((address) => words.subarray(address / 4, address / 4 + domainSize + 1));
  const { position } = sections[4]!;
  const perChunk = Math.floor(stagingBytes / coefficientBytes);
  const chunk = new Uint32Array(buffer, staging, perChunk * (coefficientBytes / 4));
  const eachEntry = (visit: (matrix: number, row: number, wire: number, valueAt: number) => void) => {
    for (let done = 0; done < coefficientCount; done += perChunk) {
      const count = Math.min(perChunk, coefficientCount - done);
      const bytes = new Uint8Array(buffer, staging, count * coefficientBytes);
      file.read(bytes, position + 4 + done * coefficientBytes);
      for (let i = 0, at = 0; i < count; i++, at += coefficientBytes / 4)
        visit(chunk[at]!, chunk[at + 1]!, chunk[at + 2]!, at + 3);
    }
  };

  // No proof runs, so its vectors' places are free.
  const lengths = plan.vectors
    .slice(0, 2)
    .map((address) => new Uint32Array(buffer, address, domainSize).fill(0));
  eachEntry((matrix, row, wire, valueAt) => {
    if (matrix > 1 || row >= domainSize || wire >= plan.shape.wireCount)
      throw new RangeError(`the key has a coefficient at ${matrix}, ${row}, ${wire}`);
    lengths[matrix]![row]!++;
    blindsA.addEntry(matrix, wire, chunk, valueAt);
  });
  let termCount = 0;
  for (const [matrix, start] of starts.entries()) {
    for (let row = 0; row < domainSize; row++) {
      start[row] = termCount;
      const length = lengths[matrix]![row]!;
      lengths[matrix]![row] = termCount; // from here on the next free term
      termCount += length + (length & 1);
    }
    start[domainSize] = termCount;
  }
  const terms = words.subarray(plan.terms / 4, plan.terms / 4 + 2 * termCount);
  terms.fill(0);
  const values = new ValueTable();
  eachEntry((matrix, row, wire, valueAt) => {
    const term = lengths[matrix]![row]!++;
    terms[2 * term] = values.indexOf(chunk, valueAt) * elementBytes;
    terms[2 * term + 1] = wire * elementBytes;
  });
  // The staging area is free again: convert the values through it.
  const perBatch = Math.floor(stagingBytes / valueBytes / 2) * 2;
  const raw = values.words;
  for (let done = 0; done < values.count; done += perBatch) {
    const count = Math.min(perBatch, values.count - done);
    chunk.fill(0, 0, Math.min(8 * (count + 1), chunk.length));
    chunk.set(raw.subarray(done * 8, (done + count) * 8));
    kernels.frImportCoefficients!(staging, (count + 1) >>> 1, plan.coefficients + done * elementBytes);
  }
  return values.count;
}

/** Table of distinct values of eight words, numbered in the order of arrival; number 0 is zero. */
class ValueTable {
  count = 1;
  words = new Uint32Array(8 * 1024);
  #slots = new Int32Array(4096).fill(-1);

  indexOf(source: Uint32Array, at: number): number {
    let slot = this.#slotOf(source, at);
    const known = this.#slots[slot]!;
    if (known >= 0) return known;
    if (2 * (this.count + 1) > this.#slots.length) {
      this.#grow();
      slot = this.#slotOf(source, at);
    }
    if (8 * (this.count + 1) > this.words.length) {
      const larger = new Uint32Array(2 * this.words.length);
      larger.set(this.words);
      this.words = larger;
    }
    for (let i = 0; i < 8; i++) this.words[8 * this.count + i] = source[at + i]!;
    this.#slots[slot] = this.count;
    return this.count++;
  }

  #slotOf(source: Uint32Array, at: number): number {
    let hash = 0;
    for (let i = 0; i < 8; i++) hash = Math.imul(hash ^ source[at + i]!, 0x9e3779b1) ^ (hash >>> 15);
    const mask = this.#slots.length - 1;
    for (let slot = (hash ^ (hash >>> 16)) & mask; ; slot = (slot + 1) & mask) {
      const known = this.#slots[slot]!;
      if (known < 0) return slot;
      let isSame = true;
      for (let i = 0; i < 8 && isSame; i++) isSame = this.words[8 * known + i] === source[at + i];
      if (isSame) return slot;
    }
  }

  #grow(): void {
    this.#slots = new Int32Array(2 * this.#slots.length).fill(-1);
    for (let index = 1; index < this.count; index++) this.#slots[this.#slotOf(this.words, 8 * index)] = index;
  }
}
