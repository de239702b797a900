/** Choice of the prover: a child process, or the workers of a queue. */
import { ChildProver, type ChildProverOptions } from "./child-prover.ts";
import type { OutsideProver, OutsideProverEvents, ProverLogger } from "./outside-prover.ts";
import type { ProverConfig } from "./prover-config.ts";

interface OpenProverOptions extends Pick<ChildProverOptions, "idleMs" | "logTo"> {
  /** True if a job that its caller aborts is removed from the queue (queue-prover.ts). */
  readonly cancelsAborted: boolean;
}

/** @throws SRV_DATABASE_UNREACHABLE, SRV_DATABASE_SCHEMA where proofs are made by the queue's workers */
export async function openProver(
  config: ProverConfig,
  options: OpenProverOptions,
  modules: { readonly logger: ProverLogger } & OutsideProverEvents,
): Promise<OutsideProver> {
  if (config.place === "process") return new ChildProver({ ...config, ...options }, modules);
  const { cancelsAborted } = options;
  // PostgreSQL's client is loaded where there is a queue.
  const { createQueueProver } = await import("../queue/queue-prover.ts");
  return createQueueProver({ database: config, cancelsAborted }, modules);
}
