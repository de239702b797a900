/** L1 nodes by their execution client: each makes blocks, and can be made to take the newest back. */
import { startAnvil } from "@openledger/contracts/internal/l1/anvil";
import { createTestClient, http } from "viem";
import { startEthereumJs } from "./ethereumjs.ts";
import { startHardhat } from "./hardhat.ts";

export interface L1Node {
  readonly url: string;
  /** Why it makes no blocks any more. */
  readonly failure?: Error | null;
  /** From now on a block comes each second, if it did not before. */
  begin(): Promise<void>;
  mine(blocks: number): Promise<void>;
  /** Takes back so many of the newest blocks, and makes as many empty ones in their place. */
  reorganise(depthBlocks: number): Promise<void>;
  stop(): Promise<void>;
}

export interface L1NodeOptions {
  /** Of its data and its log. */
  readonly folder: string;
  readonly tell?: ((text: string) => void) | undefined;
}

export const L1_CLIENTS = {
  anvil: startAnvilNode,
  hardhat: startHardhat,
  ethereumjs: startEthereumJs,
} as const satisfies Readonly<Record<string, (options: L1NodeOptions) => Promise<L1Node>>>;
export type L1ClientName = keyof typeof L1_CLIENTS;

/** Mines each transaction at once until it begins. */
async function startAnvilNode(): Promise<L1Node> {
  const { stop, url } = await startAnvil();
  const client = createTestClient({ mode: "anvil", transport: http(url, { retryCount: 0 }) });
  return {
    ...{ url, stop },
    begin: () => client.setIntervalMining({ interval: 1 }),
    mine: (blocks) => client.mine({ blocks }),
    reorganise: (depth) => client.request({ method: "anvil_reorg", params: [depth, []] } as never),
  };
}
