/** Evaluation of a circuit's polynomials by the native addon: what qap-evaluation.ts does, with the same results. */

import { findConstraints } from "@openledger/circuits/compiler/r1cs-reader";
import { fieldBytes, toBytesLe } from "../formats/bn254-numbers.ts";
import { coefficientBytes } from "../formats/setup-kernels.ts";
import type { NativeAddon } from "../native/native-addon.ts";
import { bindingTerms, type PublicRequest, type QapRequest, TermWriter } from "./qap-evaluation.ts";

/** Bytes of terms at a time, 4 MiB. */
const PART_BYTES = 4 << 20;

/** Like evaluateQap. */
export function evaluateNatively(
  addon: NativeAddon,
  request: QapRequest,
  onProgress: (constraintsDone: number) => void,
): number {
  const { constraintCount, scalars, wireCount } = request;
  const sums = openSums(addon, request, wireCount, true);
  const writer = new TermWriter(request);
  for (;;) {
    const terms = addon.nextTerms(sums, PART_BYTES);
    if (terms.length === 0) break;
    writer.write(terms);
    // The last term's constraint: number 4 of its entry.
    const last = new DataView(terms.buffer, terms.byteOffset + terms.length - coefficientBytes + 4);
    onProgress(Math.min(constraintCount, last.getUint32(0, true) + 1));
  }
  onProgress(constraintCount);
  writer.write(bindingTerms(request));
  const wires = addon.wireSums(sums);
  const bytes = wireCount * fieldBytes;
  for (const [i, out] of [scalars.a, scalars.b, scalars.ic].entries())
    out.set(wires.subarray(i * bytes, (i + 1) * bytes));
  scalars.h.set(addon.quotientScalars(sums));
  return writer.count;
}

/** Like evaluatePublicWires. */
export function publicWiresNatively(addon: NativeAddon, request: PublicRequest): Uint8Array {
  const count = request.publicCount + 1;
  const sums = openSums(addon, request, count, false);
  addon.nextTerms(sums, PART_BYTES);
  return addon.wireSums(sums).subarray(2 * count * fieldBytes);
}

function openSums(addon: NativeAddon, request: PublicRequest, wireCount: number, isWhole: boolean) {
  const { constraintCount, domainSize, publicCount, r1csPath, secrets } = request;
  const { byteCount, position } = findConstraints(r1csPath);
  const sizes = [Math.log2(domainSize), constraintCount, publicCount, wireCount, isWhole ? 1 : 0];
  const { alpha, beta, delta, tau } = secrets;
  return addon.openSums(
    r1csPath,
    position,
    byteCount,
    new Uint8Array(Uint32Array.from(sizes).buffer),
    Buffer.concat([tau, alpha, beta, delta].map(toBytesLe)),
  );
}
