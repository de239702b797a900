/** Makes small powers-of-tau files for tests of ceremonies. */
import { join } from "node:path";
import { curves, powersOfTau } from "snarkjs";

/** Small powers of tau with a contribution, and where asked for without one: seconds at 2^8. Leaves new.ptau and one.ptau. */
export async function makePowers(
  folder: string,
  power: number,
  paths: { ptauPath: string; emptyPtauPath?: string },
): Promise<void> {
  const at = (name: string) => join(folder, name);
  const curve = await curves.getCurveFromName("bn128");
  await powersOfTau.newAccumulator(curve, power, at("new.ptau"));
  await powersOfTau.contribute(at("new.ptau"), at("one.ptau"), "a test", "any entropy");
  await powersOfTau.preparePhase2(at("one.ptau"), paths.ptauPath);
  if (paths.emptyPtauPath !== undefined) await powersOfTau.preparePhase2(at("new.ptau"), paths.emptyPtauPath);
  await curve.terminate();
}
