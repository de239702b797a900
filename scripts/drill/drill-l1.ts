/** The L1 of a drill: a real anvil that mines by the clock, the contracts on it, and somebody who deposits. */
import { dirname, join } from "node:path";
import { derivePublicKey } from "@openledger/circuits/field/eddsa";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { genesisLedger } from "@openledger/circuits/ledger/ledger";
import { type Deployment, encodeDeployment } from "@openledger/circuits/registry/deployment";
import { ledgerDomain } from "@openledger/client/ledger-client";
import { deployRollup } from "@openledger/contracts/build/deploy";
import { openTokenAbi, rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { type CircuitConfig, computeCircuitId } from "@openledger/contracts/build/verifying-key";
import { type Anvil, startAnvil } from "@openledger/contracts/internal/l1/anvil";
import { toSolidityKey } from "@openledger/prover/formats/verification-key";
import {
  type Address,
  createTestClient,
  createWalletClient,
  getAddress,
  http,
  maxUint256,
  parseEther,
  publicActions,
} from "viem";
import { foundry } from "viem/chains";
import { type DrillUser, drillAccount, OPERATOR_L2_SECRET } from "./drill-accounts.ts";
import type { DrillCircuit } from "./drill-circuit.ts";

/** More than any fee of a queue whose base fee is 1 wei, and the id fee. */
const MAX_FEE_WEI = parseEther("1");
export const FIRST_DEPOSIT_WEI = parseEther("1000");
const BLOCK_SECONDS = 1;
const ID_FEE_WEI = parseEther("0.5");

export type DrillL1 = Awaited<ReturnType<typeof startDrillL1>>;

/**
 * Deploys, deposits for the users, and begins to mine a block a second.
 * @param circuits in the order in which L1 numbers them
 * @param gateOn deploys the contract that is asked before a genesis is taken; default: none
 */
export async function startDrillL1(
  circuits: readonly DrillCircuit[],
  users: readonly DrillUser[],
  gateOn?: (l1Url: string) => Promise<Address>,
) {
  await initPoseidon();
  const anvil: Anvil = await startAnvil();
  const transport = http(anvil.url, { retryCount: 0, timeout: 20_000 });
  const chain = foundry;
  const client = createTestClient({
    chain,
    mode: "anvil",
    transport,
    cacheTime: 0,
    pollingInterval: 50,
  }).extend(publicActions);
  const faucet = createWalletClient({ chain, transport, account: drillAccount("faucet") });
  const operatorOwner = drillAccount("operator").address;
  const treasuryOwner = drillAccount("treasury").address;
  const operatorKeyX = derivePublicKey(OPERATOR_L2_SECRET).x;
  const { root } = genesisLedger({
    treasuryOwner: BigInt(treasuryOwner),
    operatorOwner: BigInt(operatorOwner),
    operatorKeyX,
  });
  const configs = circuits.map(
    ({ proving, sizes }): CircuitConfig => ({
      ...sizes,
      isDevelopment: true,
      key: toSolidityKey(proving.verificationKey),
    }),
  );
  const gate = gateOn === undefined ? {} : { genesisGate: await gateOn(anvil.url) };
  const deployed = await deployRollup({
    ...gate,
    walletClient: faucet,
    publicClient: client as never,
    sequencer: operatorOwner,
    genesisRoot: root,
    treasuryOwner,
    operatorOwner,
    operatorKeyX,
    circuits: configs,
    idFeeWei: ID_FEE_WEI,
    minDepositWei: parseEther("1"),
    queueBaseFeeWei: 1n,
  });
  const rollupAddress = getAddress(deployed.rollup);
  const deployment: Deployment = {
    chainId: chain.id,
    rpcUrl: anvil.url,
    tokenAddress: getAddress(deployed.token),
    rollupAddress,
    deployedAtBlock: Number(deployed.blockNumber),
    domain: ledgerDomain(chain.id, rollupAddress),
    genesis: { treasuryOwner, operatorOwner, operatorKeyX, root },
    idFeeWei: ID_FEE_WEI,
    circuits: circuits.map(({ compiled, proving: { wasmPath, zkeyPath }, sizes }, i) => ({
      name: compiled.name,
      ...sizes,
      circuitId: computeCircuitId(configs[i]!),
      isDevelopment: true,
      contentHash: compiled.contentHash,
      zkeyPath,
      wasmPath,
      verificationKeyPath: join(dirname(zkeyPath), "verification-key.json"),
    })),
  };
  const send = async (functionName: "depositNew" | "depositTo", args: readonly unknown[]) =>
    faucet.writeContract({ address: rollupAddress, abi: rollupAbi, functionName, args: args as never });

  const approval = await faucet.writeContract({
    address: deployment.tokenAddress,
    abi: openTokenAbi,
    functionName: "approve",
    args: [rollupAddress, maxUint256],
  });
  await client.waitForTransactionReceipt({ hash: approval });
  for (const { l1Owner, keyX } of users) {
    const hash = await send("depositNew", [FIRST_DEPOSIT_WEI, l1Owner, keyX, MAX_FEE_WEI]);
    await client.waitForTransactionReceipt({ hash });
  }
  await client.setIntervalMining({ interval: BLOCK_SECONDS });

  return {
    url: anvil.url,
    client,
    deployment,
    /** The record, as the processes read it. */
    encoded: encodeDeployment(deployment),
    /** Sends a deposit to a leaf; whether it stays on L1 is L1's business. */
    depositTo: (leafId: number, amountWei: bigint, owner: Address) =>
      send("depositTo", [leafId, amountWei, owner, MAX_FEE_WEI]),
    depositNew: (amountWei: bigint, owner: Address, keyX: bigint) =>
      send("depositNew", [amountWei, owner, keyX, MAX_FEE_WEI]),
    batchNumber: async (): Promise<number> => {
      const state = await client.readContract({
        address: rollupAddress,
        abi: rollupAbi,
        functionName: "state",
      });
      return Number(state.batchNumber);
    },
    queueTail: async (): Promise<number> =>
      Number(
        await client.readContract({ address: rollupAddress, abi: rollupAbi, functionName: "queueTail" }),
      ),
    stop: () => anvil.stop(),
  };
}
