import { type Command, InvalidArgumentError } from "commander";
import { deploymentOf, resolveEndpoints } from "./context.ts";
import { onRun, withExample } from "./run-command.ts";

/** As the bridge's default. */
const FINALITY_DEPTH_BLOCKS = 64;

interface RestoreOptions {
  fromL1: true;
  data: string;
  finalityDepth: number;
  fromBlock?: bigint;
}

export function addRestoreCommand(program: Command): void {
  const command = program
    .command("restore")
    .description("make a sequencer's data directory from L1 alone; what was never posted is gone")
    .requiredOption("--from-l1", "the only source there is")
    .requiredOption(
      "--data <folder>",
      "a new folder: SEQUENCER_DATA_PATH of the sequencer that goes on with it",
    )
    .option("--finality-depth <blocks>", "as the bridge's", parseDepth, FINALITY_DEPTH_BLOCKS)
    .option("--from-block <number>", "the contract's own block; searched for by default", BigInt);
  withExample(command, "restore --from-l1 --rpc https://… --rollup 0x… --data ./sequencer-data");
  onRun<RestoreOptions>(command, async ({ options, output }) => {
    const { restoreFromL1 } = await import("../../sequencer/restore-from-l1.ts");
    const { rpcUrl, rollupAddress } = resolveEndpoints(options);
    const deployment = deploymentOf(rollupAddress);
    const restored = await restoreFromL1({
      rpcUrl,
      rollupAddress,
      fromBlock: options.fromBlock ?? (deployment === null ? undefined : BigInt(deployment.deployedAtBlock)),
      dataPath: options.data,
      finalityDepthBlocks: options.finalityDepth,
      onBatch: (batchNumber) => output.progress(`batch ${batchNumber}`),
    });
    const { blockNumber, leafCount, position, waitingCount } = restored;
    const lines = [
      `${options.data} holds the ledger of batch ${position.batchNumber}, as L1 has it at block ${blockNumber}: ${leafCount} leaves, ${position.opIndex} signed operations`,
      `${waitingCount} queue entries wait on L1; the bridge hands them over`,
      "operations that were acknowledged and never posted are gone, and so are receipts and hashes of the posted ones",
    ];
    output.answer(lines, { dataPath: options.data, ...restored });
  });
}

function parseDepth(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("not a number of blocks");
  return Number(text);
}
