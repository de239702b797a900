/** `openledger restore`: rebuilds a sequencer's data directory from L1 or from a stopped full node, after its disk was lost. */
import { commandError } from "../../cli/cli-errors.ts";
import {
  DATA_OPTION,
  FINALITY_OPTION,
  FROM_BLOCK_OPTION,
  SNAPSHOT_OPTION,
} from "../../cli/common-options.ts";
import { deploymentOf, type GlobalOptions, resolveEndpoints } from "../../cli/context.ts";
import { defineOptions, type OptionsOf, required } from "../../cli/options.ts";
import type { Output } from "../../cli/output.ts";
import { command } from "../../cli/run-command.ts";

const RESTORE_OPTIONS = defineOptions({
  "--from-l1": "restore from L1 alone; operations that were never posted are lost",
  "--from-full-node <folder>": "the --data of a stopped full node, with every operation that it received",
  ...required(DATA_OPTION),
  ...FINALITY_OPTION,
  ...SNAPSHOT_OPTION,
  ...FROM_BLOCK_OPTION,
});
type RestoreOptions = GlobalOptions & OptionsOf<typeof RESTORE_OPTIONS>;

export const addRestoreCommand = command({
  usage: "restore",
  about:
    "rebuild a sequencer's data directory from L1, or from a full node, including operations that are not on L1 yet",
  options: RESTORE_OPTIONS,
  examples: [
    "restore --from-l1 --rpc https://… --rollup 0x… --data ./sequencer-data",
    "restore --from-full-node ./full-node --rpc https://… --rollup 0x… --data ./sequencer-data",
    "restore --from-l1 --snapshot ledger.snapshot --rpc https://… --rollup 0x… --data ./sequencer-data",
  ],
  run: async ({ options, output }) => {
    if ((options.fromFullNode === undefined) === (options.fromL1 === undefined))
      throw commandError("CMD_USAGE", "restore takes --from-l1 or --from-full-node FOLDER");
    await (options.fromFullNode === undefined
      ? runRestore(options, output)
      : runFromFullNode({ ...options, fromFullNode: options.fromFullNode }, output));
  },
});

async function runFromFullNode(
  options: RestoreOptions & { fromFullNode: string },
  output: Output,
): Promise<void> {
  const { restoreFromFullNode } = await import(
    "@openledger/sequencer/full-node/restore/restore-from-full-node"
  );
  const { rpcUrl, rollupAddress } = resolveEndpoints(options);
  const { data: dataPath, fromFullNode: fullNodePath } = options;
  output.progress("checking the full node's ledger, and L1's against it");
  const restored = await restoreFromFullNode({ rpcUrl, rollupAddress, fullNodePath, dataPath });
  const { leafCount, position, unpostedCount } = restored;
  const lines = [
    `${dataPath} holds the ledger after ${position.opIndex} signed operations: ${leafCount} final leaves, ${position.batchNumber} closed batches`,
    `${unpostedCount} of the operations are not on L1 yet; their preconfirmations hold`,
    "operations that were acknowledged and that the full node had not seen are gone",
  ];
  output.answer(lines, { dataPath, ...restored });
}

async function runRestore(options: RestoreOptions, output: Output): Promise<void> {
  const [{ restoreFromL1 }, { readSnapshot }, { initPoseidon }, { openBlobs }] = await Promise.all([
    import("@openledger/sequencer/full-node/restore/restore-from-l1"),
    import("@openledger/verifier/restore/snapshot-file"),
    import("@openledger/circuits/field/poseidon"),
    import("../../cli/blob-providers.ts"),
  ]);
  await initPoseidon();
  const snapshot =
    options.snapshot === undefined ? undefined : (await readSnapshot(options.snapshot)).snapshot;
  const { rpcUrl, rollupAddress } = resolveEndpoints(options);
  const deployment = deploymentOf(rollupAddress);
  const restored = await restoreFromL1({
    rpcUrl,
    rollupAddress,
    fromBlock: options.fromBlock ?? (deployment === null ? undefined : BigInt(deployment.deployedAtBlock)),
    dataPath: options.data,
    finalityDepthBlocks: options.finalityDepth,
    snapshot,
    blobs: await openBlobs(options),
    onBatch: (batchNumber) => output.progress(`batch ${batchNumber}`),
  });
  const { blockNumber, leafCount, position, waitingCount } = restored;
  const lines = [
    `${options.data} holds the ledger of batch ${position.batchNumber}, as L1 has it at block ${blockNumber}: ${leafCount} leaves, ${position.opIndex} signed operations`,
    `${waitingCount} queue entries wait on L1; the bridge hands them over`,
    "operations that were acknowledged and never posted are gone, and so are preconfirmations and hashes of the posted ones",
  ];
  if (snapshot !== undefined)
    lines.push(
      `batches up to ${snapshot.position.batchNumber} are in the snapshot, and not in the directory`,
    );
  output.answer(lines, { dataPath: options.data, ...restored });
}
