/** A rollup with pages, as `npm start` has it but with the smallest circuit: real processes, a real chain, real proofs. */

import type { BatchShape } from "@openledger/circuits/protocol";
import { leafExitCircuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { exitSizes } from "@openledger/circuits/registry/circuit-sizes";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import {
  type BuiltCircuit,
  buildBatchCircuit,
  buildCircuit,
  WORLD_SIZES,
} from "@openledger/e2e/world/circuits";
import { recordOf } from "@openledger/e2e/world/deploy-ledger";
import { createWorld, QUICK_FINALITY, type World } from "@openledger/e2e/world/world";
import { parseEther } from "viem";
import { buildPages } from "../build/build-pages.ts";
import { circuitsOfDeployment } from "../build/verifying-keys.ts";

/** Accounts of the test wallets in `web/ledger/test-wallet.ts`. */
const VISITORS = [11, 12];
export const FUNDED_WEI = parseEther("100");
const SLOTS = 2;

export function visitorAddress(index: 0 | 1): `0x${string}` {
  return anvilAccount(VISITORS[index]!).address;
}

/** Folder of the pages with the world's keys. */
async function pagesPathOf(
  exit: BuiltCircuit | null = null,
  shape: BatchShape = WORLD_SIZES.get(SLOTS)!.shape,
): Promise<string> {
  // The world's own circuit, which it takes from the cache then.
  const { path } = await buildPages({
    circuits: circuitsOfDeployment([recordOf(await buildBatchCircuit(shape))]),
    exits: (exit === null ? [] : [exit]).map(({ compiled, proving: { wasmPath, zkeyPath } }) => ({
      name: compiled.name,
      wasmPath,
      zkeyPath,
    })),
  });
  return path;
}

interface PagesWorldOptions {
  /** Can be frozen and left; default: as other pages need it, it cannot. */
  readonly hasExit?: boolean;
  /** Shape of the batches; default: that of the smallest drills. */
  readonly shape?: BatchShape;
}

/** The test wallets hold 100 OPEN on L1, and ether. */
export async function startPagesWorld(
  name: string,
  { hasExit = false, shape = WORLD_SIZES.get(SLOTS)!.shape }: PagesWorldOptions = {},
): Promise<World & { readonly pagesPath: string }> {
  const exit = hasExit ? await buildCircuit(leafExitCircuitSpec(), exitSizes()) : null;
  const path = await pagesPathOf(exit, shape);
  const world = await createWorld({
    name,
    shape,
    pagesPath: path,
    ...QUICK_FINALITY,
    ...(exit === null ? {} : { others: [exit] }),
  });
  for (const index of [0, 1] as const) {
    const address = visitorAddress(index);
    await world.l1.client.setBalance({ address, value: parseEther("10") });
    await world.l1.fund(address, FUNDED_WEI);
  }
  return Object.assign(world, { pagesPath: path });
}
