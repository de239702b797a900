/**
 * `openledger models settle --direct`: settles without the sequencer, from a ledger rebuilt from L1. The first call pre-verifies
 * the settlement on L1, a second one a day later posts the batch that takes it. Also reads published models for other commands.
 */
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { fetchPublished } from "@openledger/models/settling/model-openings";
import { provable, readClosedEpoch, settledFeatures } from "@openledger/models/settling/prepare-settlement";
import { createProver } from "@openledger/prover/backends";
import {
  type Division,
  type SettleStage,
  submitSettlement,
} from "@openledger/verifier/without-operator/submit-settlement";
import { openBlobs } from "../../cli/blob-providers.ts";
import { commandError } from "../../cli/cli-errors.ts";
import {
  type GlobalOptions,
  modelServerOf,
  openReader,
  resolveAccount,
  resolveEndpoints,
  spendingCapOf,
} from "../../cli/context.ts";
import { describeGas } from "../../cli/describe-gas.ts";
import type { Output } from "../../cli/output.ts";
import { parseEpoch } from "../../cli/parse-id.ts";
import { proverByName, requireBackend, type SettlementContext } from "../../cli/settlement-context.ts";
import type { CircuitOptions } from "../../cli/settlement-options.ts";

/** Source of a model and its openings: a server or a folder. */
export interface PublishedOptions {
  server?: string;
  folder?: string;
}

/** Fetches as `fetchPublished` does, from the source that the options name. @throws CMD_NO_MODEL_SERVER, ATT_… */
export const publishedAt = (
  modelId: number,
  epoch: number,
  { folder, server }: PublishedOptions,
  onProgress: (text: string) => void,
) => fetchPublished({ serverUrl: modelServerOf(modelId, server), folder }, epoch, onProgress);

const STAGE_TEXT: Readonly<Record<SettleStage, string>> = {
  restore: "rebuilding the ledger from L1",
  settle: "computing the settlement",
  "prove-settlement": "proving the settlement",
  "pre-verify": "pre-verifying it on L1",
  "prove-batch": "proving the batch that holds it",
  send: "sending the batch to L1",
};

interface DirectOptions extends CircuitOptions, PublishedOptions {
  keys?: string;
  epoch?: string;
  defaultSplit?: boolean;
}

/** @throws CMD_ACCOUNT_INVALID, BRG_TOO_EARLY, BRG_NOTHING_TO_DO, BRG_… and what the prover throws */
export async function settleDirectly(
  modelId: number,
  { circuits, deployment }: SettlementContext,
  options: DirectOptions & GlobalOptions,
  output: Output,
): Promise<void> {
  const { l1: account } = resolveAccount(options);
  const { rpcUrl, rollupAddress } = resolveEndpoints(options);
  const onProgress = (text: string) => output.progress(text);
  const division =
    options.defaultSplit === true
      ? ({ kind: "row-counts" } as const)
      : await divisionByDraws(modelId, options, onProgress);
  const prover = await createProver(await requireBackend(options.prover, output.note));
  try {
    const result = await submitSettlement({
      rpcUrl,
      rollupAddress,
      ...(deployment === null ? {} : { fromBlock: BigInt(deployment.deployedAtBlock) }),
      account,
      spendingCap: spendingCapOf(options),
      blobs: await openBlobs(options),
      modelId,
      division,
      circuits: circuits.map(({ name, circuitId }) => ({ name, circuitId })),
      prove: proverByName(circuits, { deployment, keys: options.keys, onProgress, prover }),
      onStage: (stage) => onProgress(STAGE_TEXT[stage]),
    });
    const { batchNumber, earnedWei, epoch, postableFrom, status, transactionHash } = result;
    const total = earnedWei.reduce((sum, wei) => sum + wei, 0n);
    const what = `epoch ${epoch} of model ${modelId}`;
    const rows = `rows ${formatOpen(total)} OPEN`;
    const lines = [
      status === "settled"
        ? `${what} is settled by batch ${batchNumber}, sent by ${account.address}`
        : `${what} ${status === "pre-verified" ? `is pre-verified on L1, sent by ${account.address}` : "was pre-verified on L1 before"}`,
      transactionHash === null
        ? `${rows}; nothing was sent`
        : `${rows}; L1 transaction ${transactionHash}, ${describeGas(result)}`,
      ...(postableFrom === null ? [] : [whatNext(postableFrom)]),
    ];
    output.answer(lines, { modelId, ...result });
  } finally {
    await prover.close();
  }
}

const whatNext = (postableFrom: number) =>
  `the operator's next batch takes it; if none has by ${new Date(1000 * postableFrom).toISOString()}, the same command posts it`;

/** Divides the closed epoch by draws, with its openings. --epoch names the epoch, or else the sequencer. */
async function divisionByDraws(
  modelId: number,
  options: DirectOptions,
  onProgress: (text: string) => void,
): Promise<Division> {
  const epoch =
    options.epoch === undefined ? await closedEpochOf(modelId, options) : parseEpoch(options.epoch);
  const { model, openings } = await publishedAt(modelId, epoch, options, onProgress);
  return {
    kind: "draws",
    features: settledFeatures(model),
    openingOf: (receipt) => provable(openings.get(receipt), model.features),
  };
}

async function closedEpochOf(modelId: number, options: DirectOptions): Promise<number> {
  const client = await openReader(options);
  if (client.sequencerUrl === null) {
    throw commandError("CMD_USAGE", "without a sequencer, name the epoch to settle: --epoch NUMBER");
  }
  return Number((await readClosedEpoch(client, modelId)).closed.epoch);
}
