/** Whether a round follows from the one before by one contribution. What anybody hands in is checked by this alone. */
import { baseModulus, fromBytesLe, montgomeryR } from "../formats/bn254-numbers.ts";
import { g1Bytes } from "../formats/zkey-layout.ts";
import { buildKernelImage } from "../wasm/kernels/kernel-module.ts";
import { coefficientBytes, combineBatch, PointCombiner } from "./combine-points.ts";
import { checkRecord, sameRatio, splitRecord, TranscriptChain } from "./contribution-record.ts";
import { G1, G2, invalidContribution, readG1, readG2 } from "./curve-points.ts";
import { type RoundShape, splitRound } from "./round-file.ts";

interface ContributionClaim {
  readonly circuitHash: Uint8Array;
  readonly shape: RoundShape;
  /** Of all contributions before this one. */
  readonly records: readonly Uint8Array[];
  /** The round that was accepted last. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/**
 * Needs no powers of tau and no circuit: if the round before was right, so is this one. About 8 µs a point. At the end
 * `verifyKey` checks the whole key from the circuit once more.
 *
 * @throws RollupError PRV_CONTRIBUTION_INVALID; `data.reason` says which rule it breaks
 */
export function checkContribution(claim: ContributionClaim): void {
  const { circuitHash, shape } = claim;
  const [before, after] = [splitRound(claim.before, shape), splitRound(claim.after, shape)];
  const chain = new TranscriptChain(circuitHash);
  for (const bytes of claim.records) chain.add(splitRecord(bytes));
  checkRecord(chain, before.delta1, splitRecord(after.record));
  const [delta2Before, delta2] = [readG2(before.delta2, "delta before"), readG2(after.delta2, "delta in G2")];
  if (!sameRatio([G1.BASE, readG1(after.delta1, "delta")], [G2.BASE, delta2]))
    throw invalidContribution("delta in G1 and in G2 are not the same");
  checkPoints(before.points, after.points);

  let [sumBefore, sumAfter] = [G1.ZERO, G1.ZERO];
  const combiner = new PointCombiner(buildKernelImage(), shape.pointCount);
  for (let done = 0; done < shape.pointCount; done += combineBatch) {
    const count = Math.min(combineBatch, shape.pointCount - done);
    const coefficients = randomBytes(count * coefficientBytes);
    const part = (points: Uint8Array) => points.subarray(done * g1Bytes, (done + count) * g1Bytes);
    sumBefore = sumBefore.add(combiner.combine(part(before.points), coefficients));
    sumAfter = sumAfter.add(combiner.combine(part(after.points), coefficients));
  }
  // Each point was divided by what delta was multiplied with.
  if (!sameRatio([sumAfter, sumBefore], [delta2Before, delta2]))
    throw invalidContribution("the points were not divided by the secret that was shown");
}

/** y^2 = x^3 + 3 in Montgomery form: Y^2 R = X^3 + 3 R^3. */
const curveConstant = (3n * montgomeryR ** 3n) % baseModulus;

/** All points are on the curve, reduced, and at infinity where they were. Attack: sums of other curves' points. */
function checkPoints(before: Uint8Array, after: Uint8Array): void {
  const view = new DataView(after.buffer, after.byteOffset, after.byteLength);
  const read = (at: number) =>
    view.getBigUint64(at, true) |
    (view.getBigUint64(at + 8, true) << 64n) |
    (view.getBigUint64(at + 16, true) << 128n) |
    (view.getBigUint64(at + 24, true) << 192n);
  for (let at = 0; at < after.length; at += g1Bytes) {
    const [x, y] = [read(at), read(at + g1Bytes / 2)];
    const isZero = x === 0n && y === 0n;
    if (isZero !== isZeroAt(before, at))
      throw invalidContribution(`point ${at / g1Bytes} is infinity, or was`);
    if (isZero) continue;
    if (x >= baseModulus || y >= baseModulus)
      throw invalidContribution(`point ${at / g1Bytes} is not reduced`);
    const cube = ((x * x) % baseModulus) * x;
    if ((y * y * montgomeryR - cube - curveConstant) % baseModulus !== 0n)
      throw invalidContribution(`point ${at / g1Bytes} is not on the curve`);
  }
}

const isZeroAt = (points: Uint8Array, at: number) => fromBytesLe(points.subarray(at, at + g1Bytes)) === 0n;

/** getRandomValues gives at most 64 KiB at a time. */
function randomBytes(byteCount: number): Uint8Array {
  const bytes = new Uint8Array(byteCount);
  for (let at = 0; at < byteCount; at += 65_536)
    globalThis.crypto.getRandomValues(bytes.subarray(at, Math.min(at + 65_536, byteCount)));
  return bytes;
}
