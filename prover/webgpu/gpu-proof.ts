/**
 * One proof on the graphics card: submits the prepared commands of a key, reads the windows' points, assembles
 * and blinds them. webgpu-backend.ts calls it.
 */
import { bn254 } from "@noble/curves/bn254.js";
import { type Groth16Proof, realFirst } from "@openledger/circuits/wire/groth16-proof";
import { scalarModulus } from "../formats/bn254-numbers.ts";
import { pointOfG1, pointOfG2 } from "../formats/verification-key.ts";
import type { GpuDevice } from "./gpu-device.ts";
import type { GpuKey } from "./gpu-key.ts";
import type { PointSums } from "./point-sums.ts";
import { combineG1, combineG2, type WindowBytes } from "./window-points.ts";

/** Milliseconds of a proof on the card, one after another. */
export interface GpuPhaseTimes {
  /** Time until the driver has the witness and all commands are queued. */
  queueMs: number;
  /**
   * Time until the sum in the second group is there; it runs first, and its windows are assembled beside the
   * rest.
   */
  g2Ms: number;
  /** Time from then on: the quotient and the sums in the first group. */
  g1Ms: number;
  /** Time to assemble and blind the windows, as far as it did not run beside the card. */
  assemblyMs: number;
}

/** Blinding scalars below the order of the groups, and the one that the witness was made with, 0 if none. */
interface Blinding {
  r: bigint;
  s: bigint;
  ofWitness: bigint;
}

/**
 * Makes a Groth16 proof. The witness goes to the card, the windows' points come back; the rest stays there. Where the
 * witness blinds A, r is taken for 0, and B is not summed in G1 (proving/witness-blinding.ts).
 *
 * @param values the witness, 32 bytes a wire, each below r
 * @throws RollupError PRV_GPU_LOST, PRV_PROVE_FAILED
 */
export async function proveOnGpu(
  gpu: GpuDevice,
  key: GpuKey,
  values: Uint8Array,
  { r: random, s, ofWitness }: Blinding,
): Promise<{ proof: Groth16Proof; phaseMs: GpuPhaseTimes }> {
  let lap = performance.now();
  const next = () => {
    const now = performance.now();
    const lapMs = now - lap;
    lap = now;
    return lapMs;
  };
  gpu.check();
  gpu.write(key.scalars, values);
  const g2Windows = submitSums(gpu, key.g2, [key.split.wires]);
  const hasB1 = !key.blindsA.isBlindedBy(values, ofWitness);
  const r = hasB1 ? random : 0n;
  const b1Windows = hasB1 ? submitSums(gpu, key.b1, []) : null;
  const g1Windows = submitSums(gpu, key.g1, [...key.quotient.commands, key.split.quotient]);
  // Whichever fails first is reported; the others then fail too, and must not be left without a handler.
  b1Windows?.catch(() => {});
  g1Windows.catch(() => {});
  const queueMs = next();

  const { verificationKey, beta1, delta1 } = key.header;
  const g2Bytes = await g2Windows;
  const g2Ms = next();
  const [b2] = combineG2(key.g2.plan, g2Bytes);
  const b = pointOfG2(verificationKey.beta)
    .add(b2!)
    .add(times(pointOfG2(verificationKey.delta), s, bn254.G2.Point.ZERO))
    .toAffine();
  const zero = bn254.G1.Point.ZERO;
  const delta = pointOfG1(delta1);
  const deltaR = times(delta, r, zero);
  const deltaS = times(delta, s, zero);
  const deltaRS = times(delta, (r * s) % scalarModulus, zero);

  const b1Bytes = await b1Windows;
  const b1Sum = b1Bytes === null ? zero : combineG1(key.b1.plan, b1Bytes)[0]!;
  const g1Bytes = await g1Windows;
  const g1Ms = next();
  const [aSum, cSum] = combineG1(key.g1.plan, g1Bytes);
  const a = pointOfG1(verificationKey.alpha).add(aSum!).add(deltaR);
  const b1 = pointOfG1(beta1).add(b1Sum).add(deltaS);
  const c = cSum!
    .add(times(a, s, zero))
    .add(times(b1, r, zero))
    .subtract(deltaRS);
  const [pa, pc] = [a.toAffine(), c.toAffine()];
  const proof: Groth16Proof = {
    a: [pa.x, pa.y],
    b: realFirst([b.x.c0, b.x.c1], [b.y.c0, b.y.c1]),
    c: [pc.x, pc.y],
  };
  return { proof, phaseMs: { queueMs, g2Ms, g1Ms, assemblyMs: next() } };
}

async function submitSums(
  gpu: GpuDevice,
  { commands, results }: PointSums,
  before: PointSums["commands"],
): Promise<WindowBytes> {
  const copies = [results.sums, results.weighted].map((source) => ({
    from: source,
    to: gpu.makeReadable(source.size),
  }));
  try {
    gpu.submit([...before, ...commands], copies);
    const [sums, weighted] = await Promise.all(copies.map(({ to }) => gpu.read(to)));
    return { sums: sums!, weighted: weighted! };
  } finally {
    gpu.free(copies.map(({ to }) => to));
  }
}

function times<P extends { multiplyUnsafe(scalar: bigint): P }>(point: P, scalar: bigint, zero: P): P {
  return scalar === 0n ? zero : point.multiplyUnsafe(scalar);
}
