/** Tasks of the thread in which a watcher trains models and computes settlements again (recompute-thread.ts). */
import { versionsOf } from "@openledger/attribution/model/recipe-fields";
import { modelDifference } from "@openledger/attribution/model/verify-model";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { taskSeat } from "@openledger/foundation/threads/task-seat";
import { isDefaultSplit, settlementDifference } from "@openledger/models/settling/verify-settlement";
import type { Output } from "../../cli/output.ts";
import { recompute as recomputeModel } from "../verify/verify-model.ts";
import { recomputeEpoch } from "../verify/verify-settlement.ts";
import type { Finding, Recomputation, WatchSeat } from "./recomputation.ts";

const seat = taskSeat<WatchSeat>();

/** Never throws a typed error: what cannot be computed is a finding, too. @param tell told each step of the work once */
export async function recompute(task: Recomputation, tell: (text: string) => void): Promise<Finding> {
  await initPoseidon();
  const { rollupAddress, rpcUrl, sequencerUrl } = seat;
  const client = await createLedgerClient({ rpcUrl, rollupAddress, sequencerUrl });
  try {
    const progress = progressTo(tell);
    return task.epoch === null
      ? await ofModel(client, task, progress)
      : await ofEpoch(client, { ...task, epoch: task.epoch }, progress);
  } catch (error) {
    if (!isRollupError(error)) throw error;
    return { result: "unavailable", code: error.code, text: error.message };
  }
}

async function ofModel(client: LedgerClient, task: Recomputation, progress: Output): Promise<Finding> {
  const { base, modelId, rowsFolder, serverUrl } = task;
  let versions: readonly number[] = [];
  let figure: string | null = null;
  const options = {
    server: serverUrl,
    ...(base === null ? {} : { base }),
    ...(rowsFolder === null ? {} : { rows: rowsFolder }),
  };
  try {
    const { lines } = await recomputeModel(
      client,
      {
        what: String(modelId),
        onPublished: ({ recipe }) => {
          versions = versionsOf(recipe).map(({ version }) => version);
        },
        onFigure: (id) => {
          figure = id;
        },
        // The ledger names the first version alone; the others are those that the recipe names, as the ledger has them.
        versions: () => versions,
        history: { ...client, sequencerUrl: seat.historyUrl },
      },
      options,
      progress,
    );
    return { result: "same", difference: null, text: lines[0]!, versions, figure };
  } catch (error) {
    const difference = modelDifference(error);
    if (difference === null) throw error;
    return { result: "differs", difference, text: (error as Error).message, versions, figure };
  }
}

async function ofEpoch(
  client: LedgerClient,
  { epoch, modelId, serverUrl }: Recomputation & { readonly epoch: number },
  progress: Output,
): Promise<Finding> {
  const options = {
    rpc: seat.rpcUrl,
    rollup: seat.rollupAddress,
    server: serverUrl,
    circuits: [],
    scores: "auto",
    hasKeysOfL1: true,
  };
  try {
    // A full node lists settlements of its feed's time alone. What the feed says of this one is compared with L1's transaction.
    const feed = { ...client, sequencerUrl: seat.historyUrl };
    await recomputeEpoch(feed, { modelId, epoch }, options, progress);
    const text = `the settlement of epoch ${epoch} of model ${modelId} is right`;
    return { result: "same", difference: null, text, versions: [] };
  } catch (error) {
    if (isDefaultSplit(error)) return { result: "not-drawn" };
    const difference = settlementDifference(error);
    if (difference === null) throw error;
    return { result: "differs", difference, text: (error as Error).message, versions: [] };
  }
}

function progressTo(tell: (text: string) => void): Output {
  let last = "";
  const progress = (text: string) => {
    if (text === last) return;
    last = text;
    tell(text);
  };
  return {
    isJson: true,
    answer: () => {},
    fail: (error) => {
      throw error;
    },
    note: progress,
    progress,
  };
}
