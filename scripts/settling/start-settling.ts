/** Automatic settling beside a model's server: reads the rollup's circuits, opens keys when they are needed, proves. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "viem";
import { isDirect } from "../../attribution/features/direct-rows.ts";
import { readModel } from "../../attribution/model/model-directory.ts";
import type { PublishedModel } from "../../attribution/model/model-files.ts";
import { isRollupError } from "../../circuits/rollup-error.ts";
import { openProvingCircuit } from "../../client/circuits/rollup-circuits.ts";
import type { LedgerClient } from "../../client/ledger-client.ts";
import { getModel } from "../../client/sequencer/model-reads.ts";
import { fetchOpenings } from "../../client/settling/model-openings.ts";
import { proveSettlement } from "../../client/settling/prove-settlement.ts";
import type { L1Sender } from "../cli/l1-sender.ts";
import { modelFamilies } from "../cli/model-families.ts";
import { requireBackend, type SettlementContext } from "../cli/settlement-context.ts";
import {
  type AutoSettleModules,
  type AutoSettleOptions,
  AutoSettler,
  runAutoSettle,
  type SettlingLog,
} from "./auto-settle.ts";
import type { SettlingReport } from "./settling-report.ts";

export interface StartSettlingOptions extends AutoSettleOptions {
  readonly modelFolder: string;
  /** The running server: what it has of its answers opens the receipts. */
  readonly serverUrl: string;
  readonly prover: string;
  /** Keys of a ceremony, where no deployment record names them. */
  readonly keys?: string | undefined;
  /** Between two looks at the ledger. */
  readonly intervalMs: number;
}

/**
 * Settles until it is stopped. @throws CMD_USAGE for an unknown back end, CMD_KEY_UNKNOWN where the key is not the
 * model's, CLI_LEAF_NOT_FOUND: before anything runs
 */
export async function startSettling(
  options: StartSettlingOptions,
  modules: {
    readonly client: LedgerClient;
    readonly signer: AutoSettleModules["signer"];
    readonly context: SettlementContext;
    readonly log: SettlingLog;
    readonly report: SettlingReport;
    /** Who sends approvals of draws to L1. */
    readonly l1: Pick<L1Sender, "publicClient" | "send">;
  },
): Promise<{ stop(): Promise<void> }> {
  const { client, context, log, report, signer } = modules;
  const { circuits, deployment } = context;
  const backend = requireBackend(options.prover);
  await requireKey(options.modelId, modules);
  const model = await readModel(options.modelFolder, await modelFamilies());
  const approve = isTraced(model) ? await approverOf(options.modelId, modules) : undefined;
  const stopping = new AbortController();
  const { signal } = stopping;
  const settler = new AutoSettler(options, {
    client,
    signer,
    model,
    circuits,
    log,
    report,
    ...(approve === undefined ? {} : { approve }),
    openings: (epoch) => fetchOpenings(options.serverUrl, epoch, isDirect(model.features)),
    prove: async (prepared, circuit, onPercent) => {
      const told = (text: string) => log.info({ circuit: circuit.name }, text);
      const proving = await openProvingCircuit(circuit, deployment, told, options.keys ?? null);
      return proveSettlement(
        prepared,
        { circuitId: circuit.circuitId, proving },
        { backend, signal, onProgress: ({ percent }) => onPercent(Math.floor(percent)) },
      );
    },
  });
  const running = runAutoSettle(settler, log, {
    intervalMs: options.intervalMs,
    signal,
    sleep: (ms) => sleep(ms, undefined, { signal }).catch(() => {}),
  });
  return {
    async stop() {
      stopping.abort(new Error("the server stops"));
      await running;
    },
  };
}

const isTraced = ({ recipe }: PublishedModel) => "tracing" in recipe;

/** undefined where no contract waits for claims of this model. */
async function approverOf(
  modelId: number,
  { client, l1, log }: Parameters<typeof startSettling>[1],
): Promise<AutoSettleModules["approve"]> {
  const { approveDraws, judgeOf } = await import("./approve-draws.ts");
  const rollup = client.rollupAddress;
  let judge: Address | null = null;
  return async (facts, prepared) => {
    // Looked for each time: a model may be registered while this runs.
    judge ??= await judgeOf(l1.publicClient, rollup, modelId);
    if (judge === null) return null;
    const { missing, sent } = await approveDraws(l1, { judge, rollup }, facts, prepared);
    if (sent !== null)
      log.info(
        { modelId, l1TransactionHash: sent.hash },
        "L1 takes the epoch's draws: each has a claim that stands",
      );
    return missing.length === 0 ? null : missing.join("; ");
  };
}

/** A wrong key is reported at once. A ledger that does not answer just now is not a wrong key. */
async function requireKey(
  modelId: number,
  { client, signer }: Pick<AutoSettleModules, "client" | "signer">,
): Promise<void> {
  try {
    await signer(await getModel(client, modelId));
  } catch (error) {
    if (!isRollupError(error) || !error.isRetryable) throw error;
  }
}
