/**
 * Choice of the prover by the settings, a child process or the workers of a queue: the entry of the sequencer
 * and of servers that settle.
 */
import { ChildProver, type ChildProverOptions } from "./process/child-prover.ts";
import type { OutsideProver, OutsideProverEvents, ProverLogger } from "./process/outside-prover.ts";
import type { ProverConfig } from "./process/prover-config.ts";

interface OpenProverOptions extends Pick<ChildProverOptions, "idleMs" | "logTo"> {
  /** True if a job that its caller aborts is removed from the queue (queue-prover.ts). */
  readonly cancelsAborted: boolean;
}

/**
 * Time for which an idle prover on demand stays: another proof may follow at once, but a waiting prover holds a key
 * in memory.
 */
const ON_DEMAND_IDLE_MS = 300_000;

/** Opens a prover for events that it reports. @throws SRV_DATABASE_UNREACHABLE, SRV_DATABASE_SCHEMA */
export async function openProver(
  config: ProverConfig,
  options: OpenProverOptions,
  modules: { readonly logger: ProverLogger } & OutsideProverEvents,
): Promise<OutsideProver> {
  if (config.place === "process") return new ChildProver({ ...config, ...options }, modules);
  const { cancelsAborted } = options;
  // PostgreSQL's client is loaded where there is a queue.
  const { createQueueProver } = await import("./queue/queue-prover.ts");
  return createQueueProver({ database: config, cancelsAborted }, modules);
}

/**
 * Opens the prover of a settler, which proves once in a while: the queue's workers if PROVER_PLACE says so, else a
 * child process that starts with the first proof and ends when it is idle.
 * @throws SRV_DATABASE_UNREACHABLE, SRV_DATABASE_SCHEMA
 */
export function openProverOnDemand(
  config: ProverConfig,
  { logTo }: Pick<OpenProverOptions, "logTo">,
  modules: { readonly logger: ProverLogger },
): Promise<OutsideProver> {
  return openProver(config, { idleMs: ON_DEMAND_IDLE_MS, logTo, cancelsAborted: false }, modules);
}
