/** Test node without contracts, and further methods that tests need of it. */
import type { Hex } from "viem";
import { beforeEach } from "vitest";
import { startAnvil } from "../l1/anvil.ts";
import { connect } from "./rollup-fixture.ts";

export async function startChain() {
  const { stop, url } = await startAnvil();
  return { client: await connect({ url }), stop };
}

/** Reverts the chain before each test of the file to its state before the first one. */
export function revertEachTest(
  fixture: () => { client: Pick<Awaited<ReturnType<typeof connect>>, "revert" | "snapshot"> },
): void {
  let snapshot: Hex | undefined;
  beforeEach(async () => {
    const { client } = fixture();
    if (snapshot !== undefined) await client.revert({ id: snapshot });
    snapshot = await client.snapshot();
  });
}
