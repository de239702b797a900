/** L1 nodes by their execution client. */
import { startAnvil } from "@openledger/contracts/l1/anvil";
import { createTestClient, http } from "viem";
import { startEthereumJs } from "./ethereumjs.ts";
import { startHardhat } from "./hardhat.ts";
import type { L1Node, L1NodeOptions } from "./l1-node.ts";

export const L1_CLIENTS = {
  anvil: () => startAnvilNode(1),
  /** A block comes only with a transaction. */
  "anvil-automine": () => startAnvilNode(0),
  hardhat: startHardhat,
  ethereumjs: startEthereumJs,
} as const satisfies Readonly<Record<string, (options: L1NodeOptions) => Promise<L1Node>>>;
export type L1ClientName = keyof typeof L1_CLIENTS;

/** Mines each transaction at once until it begins. @param interval seconds; 0: it goes on so */
async function startAnvilNode(interval: number): Promise<L1Node> {
  const { stop, url } = await startAnvil();
  const client = createTestClient({ mode: "anvil", transport: http(url, { retryCount: 0 }) });
  return {
    url,
    stop,
    begin: async () => {
      if (interval > 0) await client.setIntervalMining({ interval });
    },
    mine: (blocks) => client.mine({ blocks }),
    reorganise: (depth) => client.request({ method: "anvil_reorg", params: [depth, []] } as never),
  };
}
