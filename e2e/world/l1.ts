/** The L1 of a world: a real node that mines by the clock, the contracts on it, and somebody who deposits. */

import { derivePublicKey } from "@openledger/circuits/field/curve/eddsa";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { type Deployment, encodeDeployment } from "@openledger/circuits/registry/deployment";
import { openTokenAbi, rollupAbi } from "@openledger/contracts/build/rollup-abi";
import {
  type Address,
  createTestClient,
  createWalletClient,
  http,
  maxUint256,
  parseEther,
  publicActions,
} from "viem";
import { foundry } from "viem/chains";
import { type DrillAccountName, type DrillUser, drillAccount, OPERATOR_L2_SECRET } from "./accounts.ts";
import { deployLedger, type KeyedCircuit } from "./deploy-ledger.ts";
import { drillError } from "./drill-errors.ts";
import { L1_CLIENTS, type L1ClientName } from "./l1-nodes/l1-clients.ts";
import type { L1NodeOptions } from "./l1-nodes/l1-node.ts";

/** Amount above any fee of a queue whose base fee is 1 wei, plus the id fee. */
const MAX_FEE_WEI = parseEther("10");
export const FIRST_DEPOSIT_WEI = parseEther("1000");
const ID_FEE_WEI = parseEther("0.5");
/** Gas limit above the need of the faucet's calls. EthereumJS estimates none that names its fees and not its type, as viem asks. */
const FAUCET_GAS = 500_000n;

export type WorldL1 = Awaited<ReturnType<typeof startL1>>;

/** Account that holds the supply of OPEN: it deposits for others, and gives to them. */
export function faucetOn(
  rpcUrl: string,
  { chainId, rollupAddress, tokenAddress }: Pick<Deployment, "chainId" | "rollupAddress" | "tokenAddress">,
) {
  const chain = { ...foundry, id: chainId as typeof foundry.id };
  const transport = http(rpcUrl, { retryCount: 0, timeout: 20_000 });
  const account = drillAccount("faucet");
  const faucet = createWalletClient({ chain, transport, account }).extend(publicActions);
  const token = { address: tokenAddress, abi: openTokenAbi, gas: FAUCET_GAS } as const;
  const rollup = { address: rollupAddress, abi: rollupAbi, gas: FAUCET_GAS } as const;
  const mined = async (hash: `0x${string}`) => {
    const { status } = await faucet.waitForTransactionReceipt({ hash, pollingInterval: 50 });
    if (status !== "success") throw drillError("DRL_UNEXPECTED", `${hash} was reverted`);
  };
  const depositNew = (amountWei: bigint, owner: Address, keyX: bigint) => {
    const args = [amountWei, owner, keyX, MAX_FEE_WEI] as const;
    return faucet.writeContract({ ...rollup, functionName: "depositNew", args });
  };
  return {
    depositNew,
    /** Sends a deposit to a leaf; whether it stays on L1 is L1's business. */
    depositTo: (leafId: number, amountWei: bigint, owner: Address) => {
      const args = [leafId, amountWei, owner, MAX_FEE_WEI] as const;
      return faucet.writeContract({ ...rollup, functionName: "depositTo", args });
    },
    /** OPEN on L1. */
    async fund(to: Address, amountWei: bigint): Promise<void> {
      const args = [to, amountWei] as const;
      await mined(await faucet.writeContract({ ...token, functionName: "transfer", args }));
    },
    /** Makes the first deposit of each, which opens their accounts in this order. */
    async openAccounts(users: readonly DrillUser[]): Promise<void> {
      const args = [rollupAddress, maxUint256] as const;
      await mined(await faucet.writeContract({ ...token, functionName: "approve", args }));
      for (const { l1Owner, keyX } of users) await mined(await depositNew(FIRST_DEPOSIT_WEI, l1Owner, keyX));
    },
  };
}

export interface L1Declaration extends L1NodeOptions {
  /** Circuits in the order in which L1 numbers them. */
  readonly circuits: readonly KeyedCircuit[];
  readonly users: readonly DrillUser[];
  /** L1 client; default: anvil. */
  readonly l1?: L1ClientName;
  /** Deploys the rollup of these circuits, on a chain that makes blocks; default: by `deployLedger`. */
  readonly deploy?: (l1Url: string, folder: string) => Promise<Deployment>;
}

/** Deploys, deposits for the users, and begins to mine a block a second. */
export async function startL1({ circuits, deploy, l1 = "anvil", users, ...options }: L1Declaration) {
  await initPoseidon();
  const node = await L1_CLIENTS[l1](options);
  const { url } = node;
  const transport = http(url, { retryCount: 0, timeout: 20_000 });
  const chain = foundry;
  const polling = { cacheTime: 0, pollingInterval: 50 };
  const client = createTestClient({ chain, mode: "anvil", transport, ...polling }).extend(publicActions);
  const walletOf = (name: DrillAccountName) =>
    createWalletClient({ chain, transport, account: drillAccount(name) });
  const deployHere = async () => {
    const { deployment } = await deployLedger(circuits, {
      chain,
      rpcUrl: url,
      walletClient: walletOf("faucet"),
      publicClient: client as never,
      operatorOwner: drillAccount("operator").address,
      operatorKeyX: derivePublicKey(OPERATOR_L2_SECRET).x,
      treasuryOwner: drillAccount("treasury").address,
      idFeeWei: ID_FEE_WEI,
      minDepositWei: parseEther("1"),
      queueBaseFeeWei: 1n,
    });
    return deployment;
  };
  try {
    if (deploy !== undefined) await node.begin();
    const deployment = await (deploy?.(url, options.folder) ?? deployHere());
    const faucet = faucetOn(url, deployment);
    await faucet.openAccounts(users);
    await node.begin();
    const rollup = { address: deployment.rollupAddress, abi: rollupAbi } as const;
    return {
      url,
      node,
      deployment,
      walletOf,
      /** Client whose test methods are anvil's alone. */
      client,
      ...faucet,
      /** The record, as the processes read it. */
      encoded: encodeDeployment(deployment),
      batchNumber: async (): Promise<number> =>
        Number((await client.readContract({ ...rollup, functionName: "state" })).batchNumber),
      queueHead: async (): Promise<number> =>
        Number((await client.readContract({ ...rollup, functionName: "state" })).queueHead),
      queueTail: async (): Promise<number> =>
        Number(await client.readContract({ ...rollup, functionName: "queueTail" })),
    };
  } catch (error) {
    await node.stop();
    throw error;
  }
}
