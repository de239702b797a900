/**
 * Automatic settling beside a model's server: reads the rollup's circuits, opens keys when they are needed, proves. The answer
 * server with --settle and the factory start it.
 */
import { isDirect } from "@openledger/attribution/features/direct-rows";
import { readModel } from "@openledger/attribution/model/model-directory";
import type { Bell } from "@openledger/bridge/operator/operator-events";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Prover } from "@openledger/prover/proving/prover";
import { openProvingCircuits, type RollupCircuit } from "@openledger/verifier/circuits/rollup-circuits";
import { modelFamilies } from "../../tuning/recipe/model-families.ts";
import { fetchOpenings } from "../model-openings.ts";
import { proveSettlement } from "../prove-settlement.ts";
import { type AutoSettleModules, type AutoSettleOptions, AutoSettler } from "./auto-settle.ts";
import type { SettlingQueue } from "./settling-queue.ts";
import { type HelperLog, runTurns, type SettlingReport } from "./turn-report.ts";

export interface StartSettlingOptions extends Omit<AutoSettleOptions, "rollup"> {
  /** Path of the published model's files. */
  readonly modelFolder: string;
  /** Running server: its answers open the receipts. */
  readonly serverUrl: string;
  /** Keys of a ceremony, if no deployment record names them. */
  readonly keys?: string | undefined;
  /** Interval between two reads of the ledger. */
  readonly intervalMs: number;
}

/**
 * Settles until it is stopped. @throws CMD_ACCOUNT_INVALID if the key is not the
 * model's, CLI_LEAF_NOT_FOUND: before anything runs
 */
export async function startSettling(
  options: StartSettlingOptions,
  modules: {
    readonly client: LedgerClient;
    readonly signer: AutoSettleModules["signer"];
    readonly circuits: readonly RollupCircuit[];
    /** Names the keys of the circuits; null if there is no record. */
    readonly deployment: Deployment | null;
    readonly log: HelperLog;
    readonly report: SettlingReport;
    /** Makes the proofs; stays open, for whoever opened it. */
    readonly prover: Prover;
    /** Rings where an epoch may have got its randomness. */
    readonly bell?: Pick<Bell, "signal">;
    /** Shares the work between all servers on its database; stays open, too. */
    readonly queue: SettlingQueue;
  },
): Promise<{ stop(): Promise<void> }> {
  const { bell, circuits, client, deployment, log, prover, queue, report, signer } = modules;
  await requireKey(options.modelId, modules);
  const model = await readModel(options.modelFolder, await modelFamilies());
  const stopping = new AbortController();
  const { signal } = stopping;
  const settler = new AutoSettler(
    { ...options, rollup: storeRollupOf(client) },
    {
      client,
      signer,
      model,
      circuits,
      log,
      queue,
      report,
      signal,
      openings: (epoch) => fetchOpenings(options.serverUrl, epoch, isDirect(model.features)),
      prove: async (prepared, circuits, { onPercent, signal }) => {
        const tell = (circuit: RollupCircuit) => (text: string) => log.info({ circuit: circuit.name }, text);
        const opened = await openProvingCircuits(circuits, deployment, tell, options.keys ?? null);
        return proveSettlement(prepared, opened, {
          prover,
          signal,
          onProgress: ({ percent }) => onPercent(Math.floor(percent)),
        });
      },
    },
  );
  const running = runTurns("settling", settler, log, {
    intervalMs: options.intervalMs,
    signal,
    bell,
  });
  return {
    async stop() {
      stopping.abort(new Error("the server stops"));
      await running;
    },
  };
}

/** A wrong key is reported at once. A ledger that does not answer just now is not a wrong key. */
async function requireKey(
  modelId: number,
  { client, signer }: Pick<AutoSettleModules, "client" | "signer">,
): Promise<void> {
  if (signer === null) return;
  try {
    await signer(await getModel(client, modelId));
  } catch (error) {
    if (!isRollupError(error) || !error.isRetryable) throw error;
  }
}
