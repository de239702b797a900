/**
 * `openledger submit-queue`: anyone proves and posts the entries of L1's queue that the operator has left out past their
 * deadline, without the sequencer.
 */
import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { kindRule, shapeName } from "@openledger/circuits/protocol";
import { batchShape } from "@openledger/circuits/registry/circuit-sizes";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { createProver } from "@openledger/prover/backends";
import { type QueueStage, submitQueue } from "@openledger/verifier/without-operator/submit-queue";
import { openBlobs } from "../../cli/blob-providers.ts";
import { deploymentOf, resolveAccount, resolveEndpoints, spendingCapOf } from "../../cli/context.ts";
import { describeGas } from "../../cli/describe-gas.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { proverByName, requireBackend } from "../../cli/settlement-context.ts";

export interface SubmitQueueCommandOptions {
  prover: string;
  keys?: string;
  fromBlock?: bigint;
}

const STAGE_TEXT: Readonly<Record<QueueStage, string>> = {
  restore: "rebuilding the ledger from L1",
  prove: "proving batch",
  send: "sending batch",
};

/** @throws BRG_NOTHING_TO_DO, BRG_TOO_EARLY, CMD_ACCOUNT_INVALID, BRG_… and what the prover throws */
export async function runSubmitQueue({
  options,
  output,
}: CommandContext<SubmitQueueCommandOptions>): Promise<void> {
  const { l1: account } = resolveAccount(options);
  const { rpcUrl, rollupAddress } = resolveEndpoints(options);
  const deployment = deploymentOf(rollupAddress);
  const onProgress = (text: string) => output.progress(text);
  const registered = await new RollupContract({
    client: createPatientL1Client({ rpcUrl }),
    address: rollupAddress,
  }).circuits();
  const circuits = registered
    .filter(({ sort }) => sort === CIRCUIT_SORT.batch)
    .map((circuit) => ({ ...circuit, name: shapeName(batchShape(circuit)) }));
  const fromBlock =
    options.fromBlock ?? (deployment === null ? undefined : BigInt(deployment.deployedAtBlock));
  const prover = await createProver(await requireBackend(options.prover, output.note));
  try {
    const batches = await submitQueue({
      rpcUrl,
      rollupAddress,
      fromBlock,
      account,
      spendingCap: spendingCapOf(options),
      blobs: await openBlobs(options),
      circuits,
      prove: proverByName(circuits, { deployment, keys: options.keys, onProgress, prover }),
      onStage: (stage, batchNumber) => onProgress(`${STAGE_TEXT[stage]} ${batchNumber ?? ""}`.trim()),
    });
    const lines = batches.flatMap(({ batchNumber, entries, gasCostWei, gasUsed, transactionHash }) => [
      `batch ${batchNumber} is on L1 with ${entries.length} queue entries, sent by ${account.address}`,
      `L1 transaction ${transactionHash}, ${describeGas({ gasUsed, gasCostWei })}`,
      ...entries.map(
        ({ isValid, kind, queueIndex }) =>
          `  entry ${queueIndex}: ${kindRule(kind)!.name}, ${isValid ? "executed" : "invalid, without effect"}`,
      ),
    ]);
    output.answer(lines, { batches });
  } finally {
    await prover.close();
  }
}
