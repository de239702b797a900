import type { Hex } from "viem";
import { beforeEach } from "vitest";

interface Chain {
  snapshot(): Promise<Hex>;
  revert(to: { id: Hex }): Promise<unknown>;
}

/** Each test of a file begins with the chain as it was when the first one began. @param chainOf asked when a test begins */
export function revertBetweenTests(chainOf: () => Chain): void {
  let snapshot: Hex | undefined;
  beforeEach(async () => {
    if (snapshot !== undefined) await chainOf().revert({ id: snapshot });
    snapshot = await chainOf().snapshot();
  });
}
