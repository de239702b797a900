import { createHash } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import type { CompiledCircuit } from "@openledger/circuits/compiler/compile";
import { readR1cs } from "@openledger/circuits/compiler/r1cs-reader";
import { G1, G2, writeG1, writeG2 } from "../ceremony/curve-points.ts";
import { fieldBytes, fromBytesLe, montgomeryR, scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";
import { Bn254Instance, buildBn254Image } from "../formats/bn254-wasm.ts";
import { readPtauHeader, readPtauPart } from "../formats/ptau-file.ts";
import { coefficientBytes } from "../formats/setup-kernels.ts";
import {
  encodeZkeyFrame,
  firstKeyOrder,
  g1Bytes,
  g2Bytes,
  layOutZkey,
  zkeySection,
} from "../formats/zkey-layout.ts";
import { proverError } from "../prover-errors.ts";
import { readCircuitSizes } from "./development-setup.ts";
import { type Group, pointBytesOf } from "./fixed-base.ts";
import { shared, withSetupPool } from "./setup-pool.ts";
import type { TermLists } from "./setup-worker.ts";

/** Sections of powers that are prepared for phase 2. */
const [TAU_G1, TAU_G2, ALPHA_G1, BETA_G1] = [12, 13, 14, 15];
/** The powers themselves; the next three begin with alpha, beta, and beta in G2. */
const [POWERS, ALPHAS, BETAS, BETA_G2] = [2, 4, 5, 6];
/** Of a task: enough to outweigh the asking, few enough for all threads to end together. */
const TASK_TERMS = 1 << 14;
/** An addition in G2 costs about as much as three in G1. */
const G2_WEIGHT = 3;
/** snarkjs hashes so many points at a time. */
const HASHED_POINTS = 1 << 14;

type Sizes = ReturnType<typeof readCircuitSizes>;

/**
 * A circuit's first key, byte for byte what `snarkjs groth16 setup` writes (snarkjs/src/zkey_new.js), by the prover's kernels
 * on all cores. Nobody knows tau: prepared powers of tau have L_c(tau) as a point for each point c of the domain, and the same
 * times alpha and beta. Constraint c belongs to L_c, so each point of wire s is a sum over the terms that name s:
 *
 *   A_s = sum A[c][s] L_c, likewise B_s in both groups
 *   K_s = sum A[c][s] beta L_c + B[c][s] alpha L_c + C[c][s] L_c: IC for the constant and public wires, C for the others
 *
 * The constant and the public wires have a term of A more, each in a constraint of its own behind the circuit's: they stay
 * independent. H are the odd points of the domain of twice the size, gamma and delta are 1. Nothing is drawn, and nothing comes
 * from elsewhere. The powers are taken as they are, as snarkjs does: `snarkjs powersoftau verify` checks them.
 *
 * @returns the file, and the hash of the circuit in it
 * @throws RollupError PRV_PTAU_INVALID, PRV_CIRCUIT_UNSUPPORTED, PRV_WORKER_DIED, CIR_R1CS_MALFORMED
 */
export async function makeFirstKey(
  circuit: Pick<CompiledCircuit, "name" | "r1csPath">,
  ptauPath: string,
  onProgress: (done: number, total: number) => void,
): Promise<{ bytes: Uint8Array; circuitHash: Uint8Array }> {
  const sizes = readCircuitSizes(circuit);
  const { domainSize, publicCount, wireCount } = sizes;
  const powers = await readPowersFor(domainSize, ptauPath);
  const { a, b, coefficients, k, scalars } = readTerms(circuit, sizes);
  const shape = { ...sizes, coefficientCount: coefficients.length / coefficientBytes };
  const layout = layOutZkey(shape, firstKeyOrder);
  const bytes = shared(layout.fileBytes);
  const section = (id: number) =>
    bytes.subarray(layout.positions[id]!, layout.positions[id]! + layout.byteCounts[id]!);
  section(zkeySection.coefficients).set(coefficients, 4);
  section(zkeySection.h).set(powers.h);

  const total = (a.terms.length + (1 + G2_WEIGHT) * b.terms.length + k.terms.length) / 2;
  let done = 0;
  // A second thread takes longer to start than few terms take.
  const workerCount = total > TASK_TERMS ? undefined : 1;
  await withSetupPool(async (pool) => {
    const sums = (id: number, lists: TermLists, group: Group, from = 0, to = wireCount) =>
      splitLists(lists.ends, from, to).map(async ({ first, next, termCount }) => {
        const pointBytes = pointBytesOf(group);
        const out = section(id).subarray((first - from) * pointBytes, (next - from) * pointBytes);
        const points = powers[group];
        await pool.run({ kind: "sum", group, points, scalars, lists, from: first, to: next, out });
        done += termCount * (group === "g1" ? 1 : G2_WEIGHT);
        onProgress(done, total);
      });
    await Promise.all([
      ...sums(zkeySection.b2, b, "g2"),
      ...sums(zkeySection.ic, k, "g1", 0, publicCount + 1),
      ...sums(zkeySection.c, k, "g1", publicCount + 1),
      ...sums(zkeySection.a, a, "g1"),
      ...sums(zkeySection.b1, b, "g1"),
    ]);
  }, workerCount);

  const [one1, one2] = [writeG1(G1.BASE), writeG2(G2.BASE)];
  const header = { ...powers.header, gamma2: one2, delta1: one1, delta2: one2 };
  const hashed = (id: number, group: Group) => {
    const points = section(id);
    return { points, group, count: points.length / pointBytesOf(group) };
  };
  const circuitHash = await hashPoints([
    ...Object.values(header).map(
      (points) => ({ points, group: points.length === g1Bytes ? "g1" : "g2" }) as const,
    ),
    hashed(zkeySection.ic, "g1"),
    { points: powers.upper, minus: powers.lower, group: "g1", count: domainSize - 1 },
    ...[zkeySection.c, zkeySection.a, zkeySection.b1].map((id) => hashed(id, "g1")),
    hashed(zkeySection.b2, "g2"),
  ]);
  for (const piece of encodeZkeyFrame(shape, header, circuitHash, layout))
    bytes.set(piece.bytes, piece.position);
  return { bytes, circuitHash };
}

/** The parts of a file of powers that a domain of this size takes. */
async function readPowersFor(size: number, path: string) {
  const { sections } = await readPtauHeader(path);
  const fd = openSync(path, "r");
  try {
    const read = (id: number, from: number, byteCount: number, beyond = 0) =>
      readPtauPart({ fd, path, sections }, id, from, shared(byteCount), beyond);
    // Values for a domain come behind those for all smaller ones.
    const values = (id: number, pointBytes: number, count: number) =>
      read(id, (count - 1) * pointBytes, count * pointBytes);
    const g1 = shared(3 * size * g1Bytes);
    for (const [i, id] of [TAU_G1, ALPHA_G1, BETA_G1].entries())
      g1.set(values(id, g1Bytes, size), i * size * g1Bytes);
    const double = values(TAU_G1, g1Bytes, 2 * size);
    const h = new Uint8Array(size * g1Bytes);
    for (let i = 0; i < size; i++)
      h.set(double.subarray((2 * i + 1) * g1Bytes, (2 * i + 2) * g1Bytes), i * g1Bytes);
    // snarkjs hashes whole pieces: of more than one the last goes on beyond the domain, and may beyond the section.
    const hashedBytes = (size - 1 > HASHED_POINTS ? size : size - 1) * g1Bytes;
    return {
      g1,
      g2: values(TAU_G2, g2Bytes, size),
      h,
      header: {
        alpha1: read(ALPHAS, 0, g1Bytes),
        beta1: read(BETAS, 0, g1Bytes),
        beta2: read(BETA_G2, 0, g2Bytes),
      },
      lower: read(POWERS, 0, hashedBytes),
      upper: read(POWERS, size * g1Bytes, hashedBytes, g1Bytes),
    };
  } finally {
    closeSync(fd);
  }
}

/** Terms by wire, of A, of B and of all together, the distinct coefficients, and the key's section of coefficients. */
function readTerms(circuit: Pick<CompiledCircuit, "name" | "r1csPath">, sizes: Sizes) {
  const { constraintCount, domainSize, publicCount, wireCount } = sizes;
  const one = Buffer.from(toBytesLe(1n));
  const visitTerms = (
    visit: (matrix: number, constraint: number, wire: number, window: Buffer, at: number) => void,
  ) => {
    readR1cs(circuit.r1csPath, (window, a, b, c, constraint) => {
      for (const [matrix, { offset, termCount }] of [a, b, c].entries())
        for (let i = 0, at = offset; i < termCount; i++, at += 4 + fieldBytes)
          visit(matrix, constraint, window.readUInt32LE(at), window, at + 4);
    });
    for (let wire = 0; wire <= publicCount; wire++) visit(0, constraintCount + wire, wire, one, 0);
  };
  const counts = Array.from({ length: 3 }, () => new Uint32Array(shared(4 * wireCount).buffer));
  const [countA, countB, countK] = counts as [Uint32Array, Uint32Array, Uint32Array];
  let coefficientCount = 0;
  visitTerms((matrix, constraint, wire) => {
    if (wire >= wireCount)
      throw proverError(
        "PRV_CIRCUIT_UNSUPPORTED",
        `constraint ${constraint} names a wire that is not there`,
        {
          data: { name: circuit.name, constraint, wire, wireCount },
        },
      );
    countK[wire]!++;
    if (matrix === 2) return;
    (matrix === 0 ? countA : countB)[wire]!++;
    coefficientCount++;
  });
  // Each list's end is where the next term goes.
  const lists = (ends: Uint32Array): TermLists => {
    let total = 0;
    for (const [wire, count] of ends.entries()) {
      ends[wire] = total;
      total += count;
    }
    return { ends, terms: new Uint32Array(shared(8 * total).buffer) };
  };
  const put = ({ ends, terms }: TermLists, wire: number, point: number, scalar: number) => {
    const at = 2 * ends[wire]!++;
    [terms[at], terms[at + 1]] = [point, scalar];
  };
  const [a, b, k] = [lists(countA), lists(countB), lists(countK)];
  const coefficients = Buffer.alloc(coefficientCount * coefficientBytes);
  const known = new Map<string, number>();
  const values: { plain: Uint8Array; encoded: Uint8Array }[] = [];
  let entry = 0;
  visitTerms((matrix, constraint, wire, window, at) => {
    const text = window.toString("latin1", at, at + fieldBytes);
    let scalar = known.get(text);
    if (scalar === undefined) {
      const value = fromBytesLe(window.subarray(at, at + fieldBytes)) % scalarModulus;
      scalar = values.push({
        plain: toBytesLe(value),
        encoded: toBytesLe((value * montgomeryR ** 2n) % scalarModulus),
      });
      known.set(text, --scalar);
    }
    // Of A times beta, of B times alpha, of C as it is.
    put(k, wire, (2 - matrix) * domainSize + constraint, scalar);
    if (matrix === 2) return;
    put(matrix === 0 ? a : b, wire, constraint, scalar);
    for (const [i, word] of [matrix, constraint, wire].entries())
      coefficients.writeUInt32LE(word, entry + 4 * i);
    coefficients.set(values[scalar]!.encoded, entry + 12);
    entry += coefficientBytes;
  });
  const scalars = shared(values.length * fieldBytes);
  for (const [i, { plain }] of values.entries()) scalars.set(plain, i * fieldBytes);
  return { a, b, k, scalars, coefficients };
}

/** Lists `from` to `to` in parts of about TASK_TERMS. */
function splitLists(ends: Uint32Array, from: number, to: number) {
  const parts: { first: number; next: number; termCount: number }[] = [];
  for (let first = from; first < to; ) {
    const start = first === 0 ? 0 : ends[first - 1]!;
    let next = first + 1;
    while (next < to && ends[next]! - start <= TASK_TERMS) next++;
    parts.push({ first, next, termCount: ends[next - 1]! - start });
    first = next;
  }
  return parts;
}

interface HashedPoints {
  readonly points: Uint8Array;
  readonly group: Group;
  /** Of G1: what is subtracted from each. */
  readonly minus?: Uint8Array;
  /** Hashed before them. */
  readonly count?: number;
}

/** As snarkjs does, with the functions that it calls. */
async function hashPoints(parts: readonly HashedPoints[]): Promise<Uint8Array> {
  const hash = createHash("blake2b512");
  const roomBytes = HASHED_POINTS * g2Bytes;
  const wasm = new Bn254Instance(await buildBn254Image(), 6 * roomBytes);
  const [a, b, differences] = [0, 0, 0].map(() => wasm.allocate(roomBytes)) as [number, number, number];
  for (const { count, group, minus, points } of parts) {
    if (count !== undefined) hash.update(Buffer.from(Uint32Array.of(count).buffer).swap32());
    const pointBytes = pointBytesOf(group);
    for (let from = 0; from < points.length; from += HASHED_POINTS * pointBytes) {
      const piece = points.subarray(from, from + HASHED_POINTS * pointBytes);
      const pieceCount = piece.length / pointBytes;
      wasm.bytes.set(piece, a);
      if (minus !== undefined) {
        wasm.bytes.set(minus.subarray(from, from + piece.length), b);
        for (let i = 0; i < pieceCount; i++)
          wasm.call.g1m_subAffine!(a + i * g1Bytes, b + i * g1Bytes, differences + i * 3 * fieldBytes);
        wasm.call.g1m_batchToAffine!(differences, pieceCount, differences);
      }
      const at = minus === undefined ? a : differences;
      wasm.call[`${group}m_batchLEMtoU`]!(at, pieceCount, at);
      hash.update(wasm.bytes.subarray(at, at + piece.length));
    }
  }
  return new Uint8Array(hash.digest());
}
