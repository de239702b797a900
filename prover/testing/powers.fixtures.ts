/** Parts of tests of ceremonies: small powers-of-tau files, and one curve of snarkjs for all of a file's steps. */
import { join } from "node:path";
import { curves, powersOfTau } from "snarkjs";
import { afterAll } from "vitest";
import { withSnarkjs } from "../keys/with-snarkjs.ts";

/** Keeps snarkjs' curve and its threads until the file's tests have ended. */
export function holdSnarkjs(): void {
  let release = () => {};
  const held = withSnarkjs(
    () =>
      new Promise<void>((resolve) => {
        release = resolve;
      }),
  );
  afterAll(() => {
    release();
    return held;
  });
}

/** Small powers of tau with a contribution, and where asked for without one: seconds at 2^8. Leaves new.ptau and one.ptau. */
export async function makePowers(
  folder: string,
  power: number,
  paths: { ptauPath: string; emptyPtauPath?: string },
): Promise<void> {
  const at = (name: string) => join(folder, name);
  await withSnarkjs(async () => {
    const curve = await curves.getCurveFromName("bn128");
    await powersOfTau.newAccumulator(curve, power, at("new.ptau"));
    await powersOfTau.contribute(at("new.ptau"), at("one.ptau"), "a test", "any entropy");
    await powersOfTau.preparePhase2(at("one.ptau"), paths.ptauPath);
    if (paths.emptyPtauPath !== undefined)
      await powersOfTau.preparePhase2(at("new.ptau"), paths.emptyPtauPath);
  });
}
