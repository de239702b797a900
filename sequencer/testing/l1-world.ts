/**
 * Common parts of tests of sequencer and L1 together: real contracts on a local node, the bridge's real parts, a
 * sequencer.
 */

import { join } from "node:path";
import { DataPricesNotice } from "@openledger/bridge/l1/data-prices";
import { createL1Client } from "@openledger/bridge/l1/l1-client";
import { bridgeParts } from "@openledger/bridge/testing/bridge-parts";
import { type HistoryFixture, OPERATOR_SECRET } from "@openledger/bridge/testing/history-fixture";
import { shapeName } from "@openledger/circuits/protocol";
import { batchShapesOf, batchSizes, type CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { derivePublicKey } from "@openledger/circuits/testing/known-signers";
import { fromContractOrder } from "@openledger/circuits/wire/groth16-proof";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { ANY_FEE } from "@openledger/contracts/testing/rollup-fixture";
import type { ProveStatement } from "@openledger/verifier/without-operator/prove-statement";
import { OPERATOR_TOKEN, startTestRollup, type TestRollup, testDeployment } from "./test-rollup.ts";

/** Blocks until a batch is final, and until one of somebody else is followed. */
export const FINALITY_DEPTH_BLOCKS = 3;
export const CONFIRMATIONS = 2;

/** Deployment record of the fixture's contracts. `circuits`: those behind the shapes'. */
export async function deploymentOn(
  { l1, rollup, rpcUrl }: HistoryFixture,
  circuits: readonly ({ name: string; verificationKeyPath: string } & CircuitSizes)[] = [],
): Promise<Deployment> {
  const base = await testDeployment();
  const names = [
    ...l1.shapes.map((shape) => ({ name: shapeName(shape), ...batchSizes(shape) })),
    ...circuits,
  ];
  const { treasury, operator: operatorOwner } = l1.roles;
  const [genesisEvent] = await l1.client.getContractEvents({
    address: rollup.address,
    abi: l1.rollup.abi,
    eventName: "GenesisSet",
    fromBlock: 0n,
    strict: true,
  });
  return {
    ...base,
    rpcUrl,
    rollupAddress: rollup.address,
    tokenAddress: l1.deployment.token,
    deployedAtBlock: Number(l1.deployment.blockNumber),
    domain: await rollup.domain(),
    idFeeWei: await rollup.idFeeWei(),
    genesis: {
      treasuryOwner: treasury,
      operatorOwner,
      operatorKeyX: derivePublicKey(OPERATOR_SECRET).x,
      root: genesisEvent!.args.genesisRoot,
    },
    circuits: names.map((circuit, i) => ({
      ...base.circuits[0]!,
      tableSizes: 0n,
      ...circuit,
      circuitId: l1.circuits[i]!.circuitId,
    })),
  };
}

/** Accounts of alice and bob on L1's queue, which makes leaves 2 and 3 of them. */
export async function depositFor(
  { l1 }: HistoryFixture,
  keysX: { readonly alice: bigint; readonly bob: bigint },
  amountWei: bigint,
): Promise<void> {
  for (const name of ["alice", "bob"] as const) {
    const account = l1.roles[name];
    const hash = await l1.rollup.write.depositNew([amountWei, account, keysX[name], ANY_FEE], { account });
    await l1.client.waitForTransactionReceipt({ hash });
  }
}

/** Proves any statement by the fixture's trapdoors. */
export const forgedProver =
  ({ l1 }: HistoryFixture, deployment: Deployment): ProveStatement =>
  async (name, _inputs, publicSignals) => {
    const index = deployment.circuits.findIndex((circuit) => circuit.name === name);
    const { a, b, c } = l1.circuits[index]!.forge(publicSignals as [bigint, bigint, bigint]);
    return { proof: { a, b: fromContractOrder(b), c }, publicSignals };
  };

export interface L1World {
  readonly rollup: TestRollup;
  readonly sequencerUrl: string;
  /** Hands over the queue's entries, and offers pre-verified settlements, as the bridge does. */
  watch(): Promise<void>;
  /** Proves closed batches, and runs the bridge's publisher. */
  publish(): Promise<void>;
  /** One turn of the bridge's loops and of a prover. */
  turn(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A sequencer with the bridge's parts on a fixture's node. `changes`: of its environment. `pricesUrl`: of the node that names
 * the prices of data, which are read at every look; the bridge reports none without.
 */
export async function startL1World(
  f: HistoryFixture,
  deployment: Deployment,
  folder: string,
  changes: Record<string, string> = {},
  pricesUrl: string | null = null,
): Promise<L1World> {
  const dataPath = join(folder, "data");
  // anvil's second account: the one that the contract calls sequencer signs the preconfirmations.
  const preconfirmationKey = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
  const environment = {
    SEQUENCER_FEE_PER_UNIT_WEI: "1000",
    SEQUENCER_PRECONFIRMATION_PRIVATE_KEY: preconfirmationKey,
    ...changes,
  };
  const options = { dataPath, deployment, userCount: 0, isL1HeadKnown: false, environment };
  const rollup = await startTestRollup(options);
  const sequencerUrl = await rollup.listen();
  const { deployedAtBlock } = deployment;
  const parts = bridgeParts({
    rollup: f.rollup,
    deployedAtBlock,
    sequencerUrl,
    dataPath: join(folder, "bridge"),
    operatorToken: OPERATOR_TOKEN.replaceAll(" ", "-"),
  });
  let lookedAtMs = 0;
  const dataPrices = new DataPricesNotice(batchShapesOf(deployment.circuits), {
    logger: parts.logger,
    metrics: parts.metrics,
    client: createL1Client({ rpcUrl: pricesUrl ?? f.rpcUrl }),
    nowMs: () => (lookedAtMs += 60_000),
  });
  const finalityDepthBlocks = FINALITY_DEPTH_BLOCKS;
  const watcher = await parts.queueWatcher({}, { dataPrices });
  const publisher = await parts.publisher(
    { confirmations: CONFIRMATIONS, finalityDepthBlocks },
    { circuitIndex: (name) => deployment.circuits.findIndex((circuit) => circuit.name === name) },
  );
  const preVerified = await parts.preVerifiedWatcher({ finalityDepthBlocks });
  const prove = forgedProver(f, deployment);

  const proveAll = async () => {
    for (const { batchHash, circuit, number, publicSignals } of await rollup.sequencer.batchesToProve()) {
      const { proof } = await prove(circuit, {}, publicSignals);
      await rollup.sequencer.pipeline.addProof(number, batchHash, publicSignals, {
        proof,
        timings: {},
        backend: "forged",
      });
    }
  };
  const watch = async () => {
    if (pricesUrl !== null) await dataPrices.note();
    await watcher.poll();
    await preVerified.poll();
    await rollup.sequencer.pipeline.idle();
  };
  const publish = async () => {
    await proveAll();
    await publisher.poll();
    // The node answers before it mines.
    const { address } = anvilAccount(1);
    const count = (blockTag: "latest" | "pending") => f.l1.client.getTransactionCount({ address, blockTag });
    while ((await count("latest")) !== (await count("pending")));
  };
  return {
    rollup,
    sequencerUrl,
    watch,
    publish,
    async turn() {
      await watch();
      await publish();
    },
    async stop() {
      await rollup.stop();
      await parts.closeStore();
    },
  };
}
