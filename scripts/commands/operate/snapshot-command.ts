/**
 * `openledger snapshot make` and `verify`: the ledger after a batch as one file, from which full nodes, restores and exits
 * start.
 */
import type { SnapshotSummary } from "@openledger/sequencer/full-node/restore/snapshots";
import type { Command } from "commander";
import { DATA_OPTION, FINALITY_OPTION, FROM_BLOCK_OPTION } from "../../cli/common-options.ts";
import { deploymentOf, type Endpoints, type GlobalOptions, resolveEndpoints } from "../../cli/context.ts";
import { command, withExample } from "../../cli/run-command.ts";

interface FromBlock {
  fromBlock?: bigint;
}

/** The devnet's record knows the contract's block. */
function l1Of(options: GlobalOptions & FromBlock): Pick<Endpoints, "rpcUrl" | "rollupAddress"> & {
  fromBlock: bigint | undefined;
} {
  const { rpcUrl, rollupAddress } = resolveEndpoints(options);
  const deployment = deploymentOf(rollupAddress);
  const known = deployment === null ? undefined : BigInt(deployment.deployedAtBlock);
  return { rpcUrl, rollupAddress, fromBlock: options.fromBlock ?? known };
}

const lineOf = ({ leafCount, path, position, sha256 }: SnapshotSummary) =>
  `${path}: batch ${position.batchNumber}, ${leafCount} leaves, root 0x${position.root.toString(16).padStart(64, "0")}, SHA-256 ${sha256}`;

export function addSnapshotCommands(program: Command): void {
  const snapshot = program
    .command("snapshot")
    .description("the ledger after a batch as one file, to start from without replaying earlier batches");
  withExample(snapshot, "snapshot make ledger.snapshot", "snapshot verify ledger.snapshot");
  addMake(snapshot);
  addVerify(snapshot);
}

const addMake = command({
  usage: "make <file>",
  about: "write a snapshot, from L1 or from the data directory of a stopped sequencer or full node",
  options: { ...FROM_BLOCK_OPTION, ...DATA_OPTION, ...FINALITY_OPTION },
  examples: ["snapshot make ledger.snapshot --rpc https://… --rollup 0x…"],
  run: async ({ options, args, output }) => {
    const [{ makeSnapshot }, { openBlobs }] = await Promise.all([
      import("@openledger/sequencer/full-node/restore/snapshots"),
      import("../../cli/blob-providers.ts"),
    ]);
    const made = await makeSnapshot({
      ...l1Of(options),
      blobs: await openBlobs(options),
      path: args[0]!,
      dataPath: options.data,
      finalityDepthBlocks: options.finalityDepth,
      onBatch: (batchNumber) => output.progress(`batch ${batchNumber}`),
    });
    output.answer([lineOf(made)], made);
  },
});

const addVerify = command({
  usage: "verify <file>",
  about: "check a snapshot's consistency, and compare it with its batch and the queue on L1",
  examples: ["snapshot verify ledger.snapshot --rpc https://… --rollup 0x…"],
  run: async ({ options, args, output }) => {
    const { verifySnapshot } = await import("@openledger/sequencer/full-node/restore/snapshots");
    const verified = await verifySnapshot({ ...l1Of(options), path: args[0]! });
    const { blockNumber, transactionHash } = verified;
    output.answer(
      [
        lineOf(verified),
        `L1 accepted exactly this state in block ${blockNumber}, transaction ${transactionHash}`,
      ],
      verified,
    );
  },
});
