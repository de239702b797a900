/** A rollup whose models are sold (sold-world.ts), with gateways on it. Bob (leaf 3) has the wallet that pays budgets. */
import { join } from "node:path";
import { listServedModels } from "@openledger/client/actions/answers/served-models";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { createLogger } from "@openledger/foundation/logger";
import { BOB, startSoldWorld } from "@openledger/models/testing/sold-world";
import type { GatewayOptions } from "../open-gateway.ts";

export { BOB };
/** Budget of a gateway: answers cost half an OPEN. */
export const BUDGET_WEI = 4n * OPEN;

export type GatewayWorld = Awaited<ReturnType<typeof startGatewayWorld>>;

export async function startGatewayWorld() {
  const sold = await startSoldWorld();
  const { families, folder, serverUrl, world } = sold;
  const { bob } = world;
  return {
    ...sold,
    serverUrl,
    /** Options of a gateway in a folder of its own. */
    options(name: string, changes: Partial<GatewayOptions> = {}): GatewayOptions {
      return {
        reader: { ...bob, l2Key: null, leafId: null },
        folder: join(folder, name),
        funding: async () => ({ client: bob, budgetWei: BUDGET_WEI }),
        maxPriceWei: OPEN,
        locations: () => listServedModels(bob, serverUrl),
        families: async () => families,
        port: 0,
        logger: createLogger("gateway", "error"),
        ...changes,
      };
    },
  };
}
