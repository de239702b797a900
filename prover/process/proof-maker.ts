/**
 * Work of a proving process, a child or a worker of the queue: it chooses a back end, makes proofs, and
 * cross-checks one a day.
 */
import type { Logger } from "@openledger/foundation/logger";
import { createProver } from "../backends.ts";
import { chooseBackend } from "../choose-backend.ts";
import { makeMissingKey } from "../keys/deployed-circuits.ts";
import { ProofTimes } from "../proving/proof-times.ts";
import type { ProofJob, ProofResult, ProveOptions, Prover, ProvingCircuit } from "../proving/prover.ts";
import { CrossCheck } from "./cross-check.ts";
import type { ProverConfig } from "./prover-config.ts";

interface ProofMakerModules {
  readonly logger: Logger;
  /** Called after every check by another back end. */
  readonly onCrossCheck: (result: "same" | "failed") => void;
}

export class ProofMaker {
  readonly #prover: Prover;
  readonly #crossCheck: CrossCheck;
  readonly #logger: Logger;
  readonly #times = new ProofTimes();
  #endedAtMs = 0;
  #keyMaking: Promise<unknown> = Promise.resolve();

  /** @throws PRV_NATIVE_UNAVAILABLE, PRV_GPU_UNAVAILABLE if the back end that is named cannot run here */
  static async open(config: ProverConfig, modules: ProofMakerModules): Promise<ProofMaker> {
    const { logger, onCrossCheck } = modules;
    const { backend, reason } = await chooseBackend(config.backend);
    logger.info({ backend, reason }, "back end chosen");
    const prover = await createProver(backend, { keyMemory: config.keyMemory });
    const crossCheck = new CrossCheck(backend, { logger, openOther: createProver, onChecked: onCrossCheck });
    return new ProofMaker(prover, crossCheck, logger);
  }

  private constructor(prover: Prover, crossCheck: CrossCheck, logger: Logger) {
    this.#prover = prover;
    this.#crossCheck = crossCheck;
    this.#logger = logger;
  }

  get backend(): string {
    return this.#prover.backend;
  }

  /** PRV_CROSS_CHECK_FAILED after a failed check, until one succeeds; else null. */
  get failureCode(): string | null {
    return this.#crossCheck.failureCode;
  }

  get isCheckDue(): boolean {
    return this.#crossCheck.isDue;
  }

  /** @throws what `Prover.prove` and `makeMissingKey` throw */
  async make(job: ProofJob, options: ProveOptions): Promise<ProofResult> {
    const startedAtMs = performance.now();
    const circuit = await this.#withKey(job.circuit);
    const result = await this.#prover.prove({ ...job, circuit }, options);
    // One that was asked for beside another one counts from that one's end.
    const elapsedMs = Math.round(performance.now() - Math.max(startedAtMs, this.#endedAtMs));
    this.#endedAtMs = performance.now();
    const { backend, keyMemory, timings } = result;
    this.#logger.info({ circuit: circuit.name, elapsedMs, timings, backend, keyMemory }, "proven");
    await this.#times.note({ contentHash: circuit.contentHash, backend }, elapsedMs);
    return result;
  }

  /** Development keys are made one after another: a job that comes beside another one of its circuit finds that one's key. */
  #withKey(circuit: ProvingCircuit): Promise<ProvingCircuit> {
    const made = this.#keyMaking.then(() => makeMissingKey(circuit));
    this.#keyMaking = made.catch(() => {});
    return made;
  }

  /** Proves the job again by another back end if a check is due. Call it after the proof is delivered. */
  check(job: ProofJob, result: ProofResult, signal: AbortSignal): Promise<void> {
    return this.#crossCheck.afterProof(job, result, signal);
  }

  close(): Promise<void> {
    return this.#prover.close();
  }
}
