/**
 * Evaluation of a circuit's polynomials at the setup's secret point: the scalars of a development key's points
 * (Groth16, https://eprint.iacr.org/2016/260, section 3.2). setup-tasks.ts runs it on a thread.
 */
import { writeSync } from "node:fs";
import { type R1csTerms, readR1cs } from "@openledger/circuits/compiler/r1cs-reader";
import { invertMod, powMod } from "@openledger/foundation/modular";
import { fieldBytes, rootOfUnity, scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";
import { type Bn254Image, Bn254Instance } from "../formats/bn254-wasm.ts";
import { coefficientBytes } from "../formats/setup-kernels.ts";
import type { DevelopmentSecrets } from "./development-secrets.ts";

/** Circuit, secrets and outputs of an evaluation. */
export interface QapRequest {
  r1csPath: string;
  wireCount: number;
  publicCount: number;
  constraintCount: number;
  domainSize: number;
  secrets: DevelopmentSecrets;
  /** Open for writing; the coefficients go to coefficientsAt, four bytes after their section begins. */
  zkeyFd: number;
  coefficientsAt: number;
  /** Output: the scalars of the key's points, 32 bytes each, little-endian, below r. */
  scalars: QapScalars;
}

/** Input for the scalars of public wires. */
export type PublicRequest = Pick<
  QapRequest,
  "r1csPath" | "publicCount" | "constraintCount" | "domainSize" | "secrets"
>;

/** Scalars: one a wire (A, B, the wire's IC or C point), or one a point of the domain (H). */
export interface QapScalars {
  a: Uint8Array;
  b: Uint8Array;
  ic: Uint8Array;
  h: Uint8Array;
}

/** Bytes of constraints in WebAssembly's memory at a time, 4 MiB. */
const stagingBytes = 4 << 20;
/** Points of the domain that share an inversion. */
const batchSize = 4096;
/** Modulus r. */
const root = scalarModulus;

/**
 * Evaluates the circuit's polynomials at tau and writes the key's coefficient section on the way.
 *
 * Constraint c belongs to the point w^c of the domain, the constraints that bind the public wires follow
 * behind them, and L_c is the domain's Lagrange polynomial. Per wire s:
 *
 *   A_s = sum A[c][s] L_c(tau), likewise B_s and C_s
 *   IC_s = beta A_s + alpha B_s + C_s for public wires, divided by delta for the others (gamma = 1)
 *
 * H has one entry for each odd point of the domain of twice the size, L'_{2i+1}(tau) / delta: snarkjs'
 * prover evaluates A B - C there, where it is the quotient times the vanishing polynomial.
 *
 * @returns the number of coefficients written
 */
export function evaluateQap(
  image: Bn254Image,
  request: QapRequest,
  onProgress: (constraintsDone: number) => void,
): number {
  const { wireCount, publicCount, constraintCount, domainSize, secrets } = request;
  // A term takes 36 bytes of the r1cs file and at most 44 of the zkey file.
  const outBytes = Math.ceil(stagingBytes / 36) * coefficientBytes;
  const heapBytes = (domainSize + 3 * wireCount) * fieldBytes + stagingBytes + outBytes + (4 << 20);
  const wasm = new Bn254Instance(image, heapBytes);
  const power = Math.log2(domainSize);

  const pLagrange = wasm.allocate(domainSize * fieldBytes);
  const [pA, pB, pC] = [0, 1, 2].map(() => wasm.allocate(wireCount * fieldBytes)) as [number, number, number];
  evaluateDomain(wasm, pLagrange, domainSize, secrets.tau);

  const writer = new TermWriter(request);
  accumulate(wasm, request, { pLagrange, pA, pB, pC }, writer, onProgress);
  addPublicBindings(wasm, { pA, pLagrange, constraintCount, publicCount });
  writer.write(bindingTerms(request));

  request.scalars.a.set(wasm.bytes.subarray(pA, pA + wireCount * fieldBytes));
  request.scalars.b.set(wasm.bytes.subarray(pB, pB + wireCount * fieldBytes));
  combine(wasm, { pA, pB, pC, wireCount, publicCount, secrets });
  request.scalars.ic.set(wasm.bytes.subarray(pC, pC + wireCount * fieldBytes));

  const doubleSize = BigInt(2 * domainSize);
  evaluateLagrange(wasm, {
    first: rootOfUnity(power + 1),
    step: rootOfUnity(power),
    count: domainSize,
    tau: secrets.tau,
    scale: multiply(
      powMod(secrets.tau, doubleSize, root) - 1n,
      invertMod(multiply(doubleSize, secrets.delta), root),
    ),
    isMontgomery: false,
    take: (at, from, byteCount) => request.scalars.h.set(wasm.bytes.subarray(from, from + byteCount), at),
  });
  return writer.count;
}

/**
 * Computes only the scalars of the verification key's IC points: those of the constant and the public wires,
 * 32 bytes each. Skips terms of other wires, so it takes a fraction of the whole key's time.
 */
export function evaluatePublicWires(image: Bn254Image, request: PublicRequest): Uint8Array {
  const { constraintCount, domainSize, publicCount, r1csPath, secrets } = request;
  const count = publicCount + 1;
  const wasm = new Bn254Instance(image, (domainSize + 3 * count) * fieldBytes + (4 << 20));
  const pLagrange = wasm.allocate(domainSize * fieldBytes);
  const [pA, pB, pC] = [0, 1, 2].map(() => wasm.allocate(count * fieldBytes)) as [number, number, number];
  const pCoefficient = wasm.allocate(fieldBytes);
  const pProduct = wasm.allocate(fieldBytes);
  evaluateDomain(wasm, pLagrange, domainSize, secrets.tau);
  readR1cs(r1csPath, (window, a, b, c, index) => {
    const add = ({ offset, termCount }: R1csTerms, pSums: number) => {
      for (let i = 0, at = offset; i < termCount; i++, at += 4 + fieldBytes) {
        const wire = window.readUInt32LE(at);
        if (wire > publicCount) continue;
        wasm.bytes.set(window.subarray(at + 4, at + 4 + fieldBytes), pCoefficient);
        wasm.call.frm_mul!(pCoefficient, pLagrange + index * fieldBytes, pProduct);
        wasm.call.frm_add!(pSums + wire * fieldBytes, pProduct, pSums + wire * fieldBytes);
      }
    };
    add(a, pA);
    add(b, pB);
    add(c, pC);
  });
  addPublicBindings(wasm, { pA, pLagrange, constraintCount, publicCount });
  combine(wasm, { pA, pB, pC, wireCount: count, publicCount, secrets });
  return wasm.bytes.slice(pC, pC + count * fieldBytes);
}

/**
 * Computes L_c(tau) of every point of the domain, in Montgomery form. Allocate areas that must begin with
 * zeros before: inversions leave numbers behind the allocated memory.
 */
function evaluateDomain(wasm: Bn254Instance, pLagrange: number, domainSize: number, tau: bigint): void {
  evaluateLagrange(wasm, {
    first: 1n,
    step: rootOfUnity(Math.log2(domainSize)),
    count: domainSize,
    tau,
    scale: multiply(powMod(tau, BigInt(domainSize), root) - 1n, invertMod(BigInt(domainSize), root)),
    isMontgomery: true,
    take: (at, from, byteCount) => wasm.bytes.copyWithin(pLagrange + at, from, from + byteCount),
  });
}

interface LagrangeRequest {
  first: bigint;
  step: bigint;
  count: number;
  tau: bigint;
  scale: bigint;
  isMontgomery: boolean;
  /** Stores byteCount bytes at address `from`, which belong at byte `at` of the result. */
  take(at: number, from: number, byteCount: number): void;
}

/** Computes scale * x / (tau - x) for x = first, first step, first step^2, … */
function evaluateLagrange(wasm: Bn254Instance, request: LagrangeRequest): void {
  const { call } = wasm;
  const pX = wasm.allocateMontgomery(request.first);
  const pStep = wasm.allocateMontgomery(request.step);
  const pTau = wasm.allocateMontgomery(request.tau);
  const pScale = request.isMontgomery
    ? wasm.allocateMontgomery(request.scale)
    : wasm.allocateScalar(request.scale);
  const pDifferences = wasm.allocate(batchSize * fieldBytes);
  const pOut = wasm.allocate(batchSize * fieldBytes);
  for (let start = 0; start < request.count; start += batchSize) {
    const n = Math.min(batchSize, request.count - start);
    for (let i = 0; i < n; i++) {
      call.frm_sub!(pTau, pX, pDifferences + i * fieldBytes);
      call.frm_mul!(pX, pScale, pOut + i * fieldBytes);
      call.frm_mul!(pX, pStep, pX);
    }
    call.frm_batchInverse!(pDifferences, fieldBytes, n, pDifferences, fieldBytes);
    for (let i = 0; i < n; i++) {
      const at = pOut + i * fieldBytes;
      call.frm_mul!(at, pDifferences + i * fieldBytes, at);
    }
    request.take(start * fieldBytes, pOut, n * fieldBytes);
  }
}

/** Writes terms of A and B to the key's file, one behind another. */
export class TermWriter {
  readonly #fd: number;
  #position: number;
  #count = 0;

  constructor({ coefficientsAt, zkeyFd }: Pick<QapRequest, "zkeyFd" | "coefficientsAt">) {
    this.#fd = zkeyFd;
    this.#position = coefficientsAt;
  }

  /** Terms that are written. */
  get count(): number {
    return this.#count;
  }

  write(terms: Uint8Array): void {
    for (let done = 0; done < terms.length; )
      done += writeSync(this.#fd, terms, done, terms.length - done, this.#position + done);
    this.#position += terms.length;
    this.#count += terms.length / coefficientBytes;
  }
}

/** Terms of the constraints 1 * wire, as the key's file has them. */
export function bindingTerms({
  constraintCount,
  publicCount,
}: Pick<QapRequest, "constraintCount" | "publicCount">): Uint8Array {
  const one = toBytesLe((1n << 512n) % root);
  const terms = Buffer.alloc((publicCount + 1) * coefficientBytes);
  for (let wire = 0; wire <= publicCount; wire++) {
    const at = wire * coefficientBytes;
    terms.writeUInt32LE(constraintCount + wire, at + 4);
    terms.writeUInt32LE(wire, at + 8);
    terms.set(one, at + 12);
  }
  return terms;
}

function accumulate(
  wasm: Bn254Instance,
  request: QapRequest,
  sums: { pLagrange: number; pA: number; pB: number; pC: number },
  writer: TermWriter,
  onProgress: (constraintsDone: number) => void,
): void {
  const outBytes = Math.ceil(stagingBytes / 36) * coefficientBytes;
  const pIn = wasm.allocate(stagingBytes);
  const pOut = wasm.allocate(outBytes);
  // mul(c, R^3) = c R^3 / R: the form in which the prover multiplies with a plain witness.
  const pR3 = wasm.allocateScalar((1n << 768n) % root);
  let filled = 0;
  let first = 0;
  let pending = 0;
  let pendingTerms = 0;
  const flush = () => {
    if (pending === 0) return;
    wasm.call.qap_accumulate!(
      pIn,
      pending,
      first,
      request.wireCount,
      sums.pLagrange + first * fieldBytes,
      sums.pA,
      sums.pB,
      sums.pC,
      pOut,
      pR3,
    );
    writer.write(wasm.bytes.subarray(pOut, pOut + pendingTerms * coefficientBytes));
    first += pending;
    filled = pending = pendingTerms = 0;
    onProgress(first);
  };
  readR1cs(request.r1csPath, (window, a, b, c, index) => {
    const from = a.offset - 4;
    const end = c.offset + c.termCount * (4 + fieldBytes);
    if (end - from > stagingBytes) throw new RangeError(`constraint ${index} has too many terms`);
    if (filled + end - from > stagingBytes) flush();
    wasm.bytes.set(window.subarray(from, end), pIn + filled);
    filled += end - from;
    pending++;
    pendingTerms += a.termCount + b.termCount;
  });
  flush();
}

interface PublicBindings {
  pA: number;
  pLagrange: number;
  constraintCount: number;
  publicCount: number;
}

/** Adds the constraints 1 * wire for the constant and the public wires, which keep them independent, to A. */
function addPublicBindings(wasm: Bn254Instance, at: PublicBindings): void {
  const pOne = wasm.allocateScalar(1n);
  const pProduct = wasm.allocate(fieldBytes);
  for (let wire = 0; wire <= at.publicCount; wire++) {
    const pSum = at.pA + wire * fieldBytes;
    wasm.call.frm_mul!(pOne, at.pLagrange + (at.constraintCount + wire) * fieldBytes, pProduct);
    wasm.call.frm_add!(pSum, pProduct, pSum);
  }
}

/** C becomes beta A + alpha B + C, divided by delta for the private wires. */
function combine(
  wasm: Bn254Instance,
  at: {
    pA: number;
    pB: number;
    pC: number;
    wireCount: number;
    publicCount: number;
    secrets: DevelopmentSecrets;
  },
): void {
  const { call } = wasm;
  const pAlpha = wasm.allocateMontgomery(at.secrets.alpha);
  const pBeta = wasm.allocateMontgomery(at.secrets.beta);
  const pDeltaInverse = wasm.allocateMontgomery(invertMod(at.secrets.delta, root));
  const pProduct = wasm.allocate(fieldBytes);
  for (let wire = 0; wire < at.wireCount; wire++) {
    const offset = wire * fieldBytes;
    const pSum = at.pC + offset;
    call.frm_mul!(at.pA + offset, pBeta, pProduct);
    call.frm_add!(pSum, pProduct, pSum);
    call.frm_mul!(at.pB + offset, pAlpha, pProduct);
    call.frm_add!(pSum, pProduct, pSum);
    if (wire > at.publicCount) call.frm_mul!(pSum, pDeltaInverse, pSum);
  }
}

function multiply(a: bigint, b: bigint): bigint {
  return (((a * b) % root) + root) % root;
}
