/** Deploys a rollup of circuits with development keys, and makes the record that its processes read. */
import { dirname, join } from "node:path";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { genesisLedger } from "@openledger/circuits/ledger/ledger";
import type { CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { ledgerDomain } from "@openledger/client/ledger-client";
import { type DeployOptions, deployRollup } from "@openledger/contracts/build/deploy";
import { type CircuitConfig, computeCircuitId } from "@openledger/contracts/build/verifying-key";
import { toSolidityKey } from "@openledger/prover/formats/verification-key";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";
import { type Address, type Chain, getAddress } from "viem";

/** A circuit with its development key, which may not have been made yet. */
export interface KeyedCircuit {
  readonly sizes: CircuitSizes;
  readonly proving: Pick<
    ProvingCircuit,
    "contentHash" | "name" | "verificationKey" | "wasmPath" | "zkeyPath"
  > & {
    /** Default: beside the proving key. */
    readonly verificationKeyPath?: string;
  };
}

/** Record of a circuit, beside the name that L1 gives it. */
export const recordOf = ({ proving, sizes }: KeyedCircuit) => ({
  name: proving.name,
  ...sizes,
  isDevelopment: true,
  contentHash: proving.contentHash,
  zkeyPath: proving.zkeyPath,
  wasmPath: proving.wasmPath,
  verificationKeyPath:
    proving.verificationKeyPath ?? join(dirname(proving.zkeyPath), "verification-key.json"),
});

export const configOf = ({ proving, sizes }: KeyedCircuit): CircuitConfig => ({
  ...sizes,
  isDevelopment: true,
  key: toSolidityKey(proving.verificationKey),
});

type Terms = Pick<DeployOptions, "minDepositWei" | "queueBaseFeeWei" | "publicClient" | "walletClient"> & {
  readonly idFeeWei: bigint;
  readonly chain: Chain;
  readonly rpcUrl: string;
  readonly operatorOwner: Address;
  readonly operatorKeyX: bigint;
  readonly treasuryOwner: Address;
};

/**
 * The operator's L1 account posts the batches.
 * @param circuits in the order in which L1 numbers them
 */
export async function deployLedger(circuits: readonly KeyedCircuit[], terms: Terms) {
  await initPoseidon();
  const { chain, operatorKeyX, operatorOwner, rpcUrl, treasuryOwner, ...others } = terms;
  const owners = { treasuryOwner: BigInt(treasuryOwner), operatorOwner: BigInt(operatorOwner) };
  const { root } = genesisLedger({ ...owners, operatorKeyX });
  const configs = circuits.map(configOf);
  const deployed = await deployRollup({
    ...others,
    operatorKeyX,
    operatorOwner,
    treasuryOwner,
    sequencer: operatorOwner,
    genesisRoot: root,
    circuits: configs,
  });
  const { timestamp } = await others.publicClient.getBlock({ blockHash: deployed.blockHash });
  const rollupAddress = getAddress(deployed.rollup);
  const deployment: Deployment = {
    chainId: chain.id,
    rpcUrl,
    tokenAddress: getAddress(deployed.token),
    rollupAddress,
    deployedAtBlock: Number(deployed.blockNumber),
    deployedIn: { blockHash: deployed.blockHash, timestamp: Number(timestamp) },
    domain: ledgerDomain(chain.id, rollupAddress),
    genesis: { treasuryOwner, operatorOwner, operatorKeyX, root },
    idFeeWei: others.idFeeWei,
    circuits: circuits.map((circuit, i) => ({
      ...recordOf(circuit),
      circuitId: computeCircuitId(configs[i]!),
    })),
  };
  return { deployment, gas: deployed.gas };
}
