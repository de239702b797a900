/**
 * Chains that a test has ended with, for the next test of its file that would deploy the same: it goes on from the state after the
 * deployment. A node with a deployment takes 0.15 s of CPU. scripts/testing/each-file.ts begins and ends the spares of each file.
 */

/** The node's own methods whose effects are undone. A chain that got another one by its client is of no further use. */
const UNDONE: ReadonlySet<string> = new Set([
  "anvil_dropTransaction",
  "anvil_getAutomine",
  "anvil_mine",
  "anvil_setBalance",
  "anvil_setCode",
  "anvil_setStorageAt",
  "evm_increaseTime",
  "evm_revert",
  "evm_setAutomine",
  "evm_setNextBlockTimestamp",
  "evm_snapshot",
]);
const isUndone = (method: string) => /^(eth|net|txpool)_/.test(method) || UNDONE.has(method);

export interface Chain<Deployed> {
  readonly url: string;
  readonly deployed: Deployed;
  /** Asks the node by the client that `deployed` uses, and knows of a revert. */
  request(call: { readonly method: string; readonly params: readonly unknown[] }): Promise<unknown>;
  /** Methods that the node got by the client. */
  readonly methods: Set<string>;
  /** Ends the node; the chain that `spareChain` gives becomes a spare. */
  stop(): Promise<void>;
}

interface Spare {
  readonly chain: Chain<unknown>;
  /** Brings the state after the deployment back. @returns false if that is not possible */
  restore(): Promise<boolean>;
  /** Ends the node. */
  stop(): Promise<void>;
}

/** Spares by what was deployed; null outside of test files, where nobody would end them. */
let spares: Map<string, Spare[]> | null = null;
/** Nodes of the file. */
const nodes: Pick<Spare, "stop">[] = [];

export const keepSpareChains = (): void => {
  spares = new Map();
};

/** Ends all nodes of the file, those too that a failed test has not ended with. */
export async function stopSpareChains(): Promise<void> {
  spares = null;
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
}

/** @param name all that decides what `deploy` deploys */
export async function spareChain<Deployed>(
  name: string,
  deploy: () => Promise<Chain<Deployed>>,
): Promise<Chain<Deployed>> {
  for (let spare = spares?.get(name)?.pop(); spare !== undefined; spare = spares?.get(name)?.pop()) {
    if (await spare.restore()) return spare.chain as Chain<Deployed>;
    await spare.stop();
  }
  const node = await deploy();
  if (spares === null) return node;
  nodes.push(node);
  const restore = await restorer(node);
  const spare = {
    restore,
    stop: () => node.stop(),
    chain: {
      ...node,
      async stop() {
        const others = spares?.get(name) ?? [];
        if (spares === null) await node.stop();
        else if (!others.includes(spare)) spares.set(name, [...others, spare]);
      },
    },
  };
  return spare.chain;
}

/** Takes the state of now, for a function that brings it back. */
async function restorer({ methods, request }: Chain<unknown>): Promise<() => Promise<boolean>> {
  const ask = (method: string, ...params: unknown[]) => request({ method, params });
  /** The newest block, the chain's id, and what decides the fees of the next block. */
  const state = async () => {
    const next = (await ask("eth_getBlockByNumber", "pending", false)) as Record<string, string>;
    const interval = await ask("anvil_getIntervalMining");
    return JSON.stringify([next.baseFeePerGas, next.excessBlobGas, interval, await ask("anvil_nodeInfo")]);
  };
  const first = await state();
  const [baseFeePerGas] = JSON.parse(first) as [string];
  let snapshot = await ask("evm_snapshot");
  methods.clear();
  return async () => {
    if (![...methods].every(isUndone)) return false;
    try {
      await ask("anvil_dropAllTransactions");
      await ask("evm_setAutomine", true);
      await ask("evm_revert", snapshot);
      snapshot = await ask("evm_snapshot");
      // A revert leaves the fee of the block that would have been next, and a clock that goes on from the reverted time.
      await ask("anvil_setNextBlockBaseFeePerGas", baseFeePerGas);
      await ask("evm_setTime", Math.floor(Date.now() / 1_000));
      const isSame = (await state()) === first;
      methods.clear();
      return isSame;
    } catch {
      // The test has ended the node.
      return false;
    }
  };
}
