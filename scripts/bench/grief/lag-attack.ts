/** Half of what the bridge hears of L1 comes from a node that is a block or two behind. Nobody has to be paid for that. */
import type { World } from "@openledger/e2e/world/world";
import type { Attack } from "./grief-result.ts";

export function lagAttack({ proxy }: World): Attack {
  let before = 0;
  return {
    name: "staleNode",
    description: "a node that lags",
    async start() {
      before = proxy.faultCount;
      proxy.fault = "lags by a block or two";
    },
    async stop() {
      proxy.fault = null;
      return { gas: 0, did: `${proxy.faultCount - before} of its answers were stale` };
    },
  };
}
