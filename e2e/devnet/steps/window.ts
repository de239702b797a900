/** Where the rollup has a gate: a challengeable model outlasts its window on L1, and the others are admitted without one. */
import { setTimeout as sleep } from "node:timers/promises";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import {
  type ModelCommitmentWindow,
  readAdmissions,
  readWindows,
  recomputedLine,
} from "@openledger/challenger/model-commitments/read-windows";
import { isDisputable } from "@openledger/challenger/statements/committed-model";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { settlementCircuitFor } from "@openledger/verifier/circuits/rollup-circuits";
import { type Address, formatEther, type PublicClient, zeroAddress } from "viem";
import { DISPUTES } from "../config.ts";
import { devnetError } from "../devnet-errors.ts";
import { type Job, openledger } from "../job.ts";
import type { ModelPart } from "../parts.ts";
import type { Check } from "./check.ts";
import { passUntil } from "./clock.ts";

/** A model of mia's that is on the ledger, without its activation. */
interface CreatedModel {
  readonly part: ModelPart;
  readonly modelId: number;
  readonly model: PublishedModel;
}

const WINDOW_MARGIN_SECONDS = 60;
/** Recomputing a model of the devnet takes seconds, and the watcher looks again after each WATCH_MINUTES. */
const RECOMPUTE_TIMEOUT_MS = 10 * 60_000;
const SHOWN_LOG_LINES = 15;

/** The contract that the rollup asks before every activation, or null. */
export async function readGate(client: PublicClient, rollup: Address): Promise<Address | null> {
  const gate = await client.readContract({ address: rollup, abi: rollupAbi, functionName: "activationGate" });
  return gate === zeroAddress ? null : gate;
}

/**
 * What has to come before the models' activations; nothing where the rollup has no gate. What L1 has already is not done again.
 */
export async function standWindows(job: Job, models: readonly CreatedModel[]): Promise<void> {
  const l1 = job.people.mia.l1 as PublicClient;
  const gate = await readGate(l1, job.deployment.rollupAddress);
  if (gate === null) return;
  const posted = models.filter(({ model }) => isDisputable(model));
  const postAll = async () => {
    for (const one of posted) {
      // The watcher fetches it from there.
      await job.serveModel(one.part, one.modelId);
      await post(job, gate, one);
    }
  };
  await Promise.all([job.startWatch(gate), postAll()]);
  for (const { modelId } of posted)
    await passUntil(job, await recomputed(job, gate, modelId), "the window ends on L1");
  for (const { model, modelId, part } of models) {
    if (await isAdmitted(l1, gate, modelId)) continue;
    const circuit = settlementCircuitFor(job.circuits, modelShape(model.statics, model.payees)).circuit;
    const named = [gate, part.paths.folder, "--model-id", String(modelId)];
    await openledger(job, "disputes", "admit", ...named, "--cap", String(circuit.size0), "--account", "mia");
    job.console.done(
      `L1 admits model ${modelId}${isDisputable(model) ? ", without a successful challenge" : ""}`,
    );
  }
  if ((await l1.getBalance({ address: gate })) === 0n) return;
  const { paidWei } = await openledger<{ paidWei: string }>(
    job,
    "disputes",
    "withdraw",
    gate,
    "--account",
    "mia",
  );
  job.console.done(`mia has her bond back: ${formatEther(BigInt(paidWei))} ETH`);
}

async function post(job: Job, gate: Address, { modelId, part }: CreatedModel): Promise<void> {
  if ((await windowOf(job, gate, modelId)) !== null) return;
  const startedAtMs = Date.now();
  const named = [gate, part.paths.folder, "--model-id", String(modelId), "--account", "mia"];
  const { gasUsed } = await openledger<{ gasUsed: string }>(job, "disputes", "commit-model", ...named);
  job.console.done(
    `mia posts model ${modelId} with a bond of ${formatEther(DISPUTES.leastBondWei)} ETH: ${Number(gasUsed).toLocaleString("en")} gas`,
    Date.now() - startedAtMs,
  );
}

/**
 * Waits until walt has recomputed it.
 * @returns when its window has ended, in seconds since 1970
 * @throws DEV_FAILED with the end of the watcher's log
 */
async function recomputed(job: Job, gate: Address, modelId: number): Promise<number> {
  const startedAtMs = Date.now();
  for (;;) {
    const window = await windowOf(job, gate, modelId);
    const log = await job.readWatchLog();
    if (window !== null && log.includes(recomputedLine(window))) {
      job.console.done(`walt has recomputed model ${modelId}, and found no fault`, Date.now() - startedAtMs);
      return Number(window.endsAtSeconds) + WINDOW_MARGIN_SECONDS;
    }
    if (window?.state === "refuted")
      throw new Error(`model ${modelId} was refuted: ${window.refutation?.fault}`);
    const lines = lastLines(log);
    // What it says of one model commitment is below that model commitment's own line.
    const last = (lines.findLast((line) => line.startsWith("  ")) ?? lines.at(-1) ?? "nothing yet").trim();
    if (Date.now() > startedAtMs + RECOMPUTE_TIMEOUT_MS)
      throw devnetError(
        "DEV_FAILED",
        `model ${modelId} was not recomputed within ${RECOMPUTE_TIMEOUT_MS / 60_000} minutes; the watcher says:\n${lines.join("\n")}`,
        { data: { reason: "not-recomputed", modelId, last } },
      );
    job.console.progress(`waiting until walt has recomputed it; the watcher says: ${last}`);
    await sleep(1_000, undefined, { signal: job.signal });
  }
}

function lastLines(text: string): string[] {
  const end = text.trimEnd();
  return end === "" ? [] : end.split("\n").slice(-SHOWN_LOG_LINES);
}

/** The model's first model commitment; null before there is one. */
async function windowOf(job: Job, gate: Address, modelId: number): Promise<ModelCommitmentWindow | null> {
  const [window] = await readWindows(job.people.mia.l1 as PublicClient, gate, { modelId });
  return window ?? null;
}

async function isAdmitted(l1: PublicClient, gate: Address, modelId: number): Promise<boolean> {
  return (await readAdmissions(l1, gate, { modelId })).length > 0;
}

/** @param circuit that has settled its epoch */
export async function checkWindow(
  job: Job,
  { model, modelId }: CreatedModel,
  circuit: string,
): Promise<Check[]> {
  const l1 = job.people.mia.l1 as PublicClient;
  const gate = await readGate(l1, job.deployment.rollupAddress);
  if (gate === null || !isDisputable(model)) return [];
  const window = await windowOf(job, gate, modelId);
  // Nobody but mia brings any.
  const wei = await l1.getBalance({ address: gate });
  return [
    {
      statement: "its commitment passed the challenge window, recomputed by walt, and mia got the bond back",
      holds:
        window?.state === "counts" &&
        (await job.readWatchLog()).includes(recomputedLine(window)) &&
        wei === 0n,
      detail: `${window?.state ?? "no model commitment"}, ${formatEther(wei)} ETH are held`,
    },
    {
      statement: "a direct model's circuit has settled its epoch",
      holds: circuit.startsWith("direct-"),
      detail: circuit,
    },
  ];
}
