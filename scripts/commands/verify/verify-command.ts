/**
 * `openledger verify`: anyone rebuilds the ledger from L1 and checks every batch, proof and sum. The group also has `model`,
 * `settlement`, `preconfirmations`, `equivocation`, `certificate` and `papers`.
 */
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { hex32 } from "@openledger/foundation/hex";
import type { Command } from "commander";
import { FROM_BLOCK_OPTION, SNAPSHOT_OPTION } from "../../cli/common-options.ts";
import { deployedCircuitNames, resolveEndpoints } from "../../cli/context.ts";
import { oldHeadLine } from "../../cli/old-head.ts";
import { withFallback, withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { KEYS_OPTION } from "../../cli/settlement-options.ts";
import { addVerifyCertificateCommand } from "./verify-certificate-command.ts";
import { addVerifyEquivocationCommand } from "./verify-equivocation-command.ts";
import { addVerifyModelCommand } from "./verify-model-command.ts";
import { addVerifyPapersCommand } from "./verify-papers-command.ts";
import { addVerifyPreconfirmationsCommand } from "./verify-preconfirmations-command.ts";
import { addVerifySettlementCommand } from "./verify-settlement-command.ts";

export function addVerifyCommand(program: Command): void {
  const command = withOptions(
    program
      .command("verify")
      .description(
        "rebuild the ledger from L1 and check operations, proofs, keys and sums; needs no sequencer",
      ),
    {
      ...withFallback(KEYS_OPTION, join(repositoryRoot, "keys")),
      "--circuits <names...>": {
        about: "names of the settlement circuits, if L1 does not record their sizes; default: the devnet's",
        fallback: [],
      },
      ...FROM_BLOCK_OPTION,
      ...SNAPSHOT_OPTION,
    },
  );
  addVerifyModelCommand(command);
  addVerifySettlementCommand(command);
  addVerifyPreconfirmationsCommand(command);
  addVerifyEquivocationCommand(command);
  addVerifyCertificateCommand(command);
  addVerifyPapersCommand(command);
  withExample(
    command,
    "verify",
    "verify --rpc https://… --rollup 0x… --json",
    "verify --snapshot ledger.snapshot",
  );
  onRun(command, async ({ options, output }) => {
    // Loaded here: prover and bridge would make every other command a second slower.
    const [{ verifyRollup }, { verifyProof }, { deriveCircuits }, { openBlobs }] = await Promise.all([
      import("@openledger/verifier/replay/verify"),
      import("@openledger/prover/formats/verification-key"),
      import("@openledger/verifier/circuits/derive-circuits"),
      import("../../cli/blob-providers.ts"),
    ]);
    const { rpcUrl, rollupAddress } = resolveEndpoints(options);
    const start = options.snapshot === undefined ? undefined : await startOf(options.snapshot);
    const onProgress = (text: string) => output.progress(text);
    const circuitNames = [...options.circuits, ...deployedCircuitNames(rollupAddress)];
    const circuits = await deriveCircuits({
      rpcUrl,
      rollupAddress,
      keysFolder: options.keys,
      circuitNames,
      // Nobody who verifies has to trust files that this repository's authors compiled.
      prebuilt: false,
      onProgress,
    });
    const result = await verifyRollup({
      rpcUrl,
      rollupAddress,
      circuits,
      verifyProof,
      blobs: await openBlobs(options),
      start,
      ...(options.fromBlock === undefined ? {} : { fromBlock: options.fromBlock }),
      onProgress: ({ batchNumber, batchCount }) => onProgress(`batch ${batchNumber} of ${batchCount}`),
    });
    const root = hex32(result.root);
    const lines = [
      `the rollup ${rollupAddress} is what its circuits prove, up to block ${result.blockNumber}`,
      `${result.batchCount} batches, ${result.operationCount} operations, ${result.settlementCount} settlements, ${result.proofCount} proofs checked, ${result.leafCount} leaves, ${formatOpen(result.ledgerWei)} OPEN, root ${root}`,
    ];
    if (result.isHeadOld) lines.push(oldHeadLine(result.blockTimestamp));
    for (const { circuit, given, has, modelId, what } of result.misfits)
      lines.push(
        `⚠ model ${modelId} has ${given} ${what}, and its activation names ${circuit}, which has ${has}: that circuit never settles it`,
      );
    if (result.isFrozen)
      lines.push(
        `it is frozen; ${formatOpen(result.exitedWei)} OPEN has left by exits, each as the last ledger allows`,
      );
    if (result.isDevelopment)
      lines.push(
        "its keys are development keys: anyone can forge proofs for them, so this excludes accidents, not forgeries",
      );
    for (const text of result.unusual) lines.push(`unusual: ${text}`);
    output.answer(lines, { rollupAddress, ...result, root });
  });
}

async function startOf(path: string) {
  const { readSnapshot } = await import("@openledger/verifier/restore/snapshot-file");
  const { startFrom } = await import("@openledger/verifier/restore/restore-ledger");
  return startFrom((await readSnapshot(path)).snapshot);
}
