/** Makes a proof and reports a percentage, estimated from past durations, for commands at whose terminal a person waits. */
import { ProofTimes } from "./proof-times.ts";
import type { ProofJob, ProofResult, ProofStage, Prover } from "./prover.ts";

export interface ProofProgress {
  readonly stage: ProofStage;
  /**
   * Percentage of the whole job, 0 to 100, never falling; an estimate within a stage. 100 = the proof is
   * verified.
   */
  readonly percent: number;
  readonly elapsedMs: number;
}

interface ProgressOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ProofProgress) => void;
  /**
   * Expected duration of the whole job, if the caller knows better than `times`. Only the estimate depends on
   * it.
   */
  readonly expectedMs?: number;
  /** Durations of past proofs, which also records this one. Default: on this machine's disk. */
  readonly times?: ProofTimes;
  readonly tickMs?: number;
}

/** Start of the stages, in percent. Estimated from batch circuits, in which the witness takes a tenth. */
const STAGE_START: Readonly<Record<ProofStage, number>> = { witness: 0, prove: 12, verify: 97 };
const STAGE_END: Readonly<Record<ProofStage, number>> = { witness: 12, prove: 97, verify: 100 };
const DEFAULT_EXPECTED_MS = 60_000;

/**
 * Makes a proof with progress: witness, proof, and its verification, which is part of every back end's
 * `prove`.
 * @throws what `Prover.prove` throws
 */
export async function proveWithProgress(
  prover: Prover,
  job: ProofJob,
  options: ProgressOptions = {},
): Promise<ProofResult> {
  const { onProgress, signal, tickMs = 500, times = new ProofTimes() } = options;
  const kind = { contentHash: job.circuit.contentHash, backend: prover.backend };
  const expectedMs = options.expectedMs ?? (await times.expectedMs(kind)) ?? DEFAULT_EXPECTED_MS;
  const startedAtMs = performance.now();
  let stage: ProofStage = "witness";
  let stageStartedAtMs = startedAtMs;
  let reached = 0;
  const report = (percent: number) => {
    reached = Math.max(reached, percent);
    onProgress?.({ stage, percent: reached, elapsedMs: performance.now() - startedAtMs });
  };
  const estimate = () => {
    const width = STAGE_END[stage] - STAGE_START[stage];
    const stageMs = (expectedMs * width) / 100;
    // Comes near the stage's end and never reaches it, however long the stage takes.
    const done = 1 - Math.exp(-(performance.now() - stageStartedAtMs) / Math.max(1, stageMs));
    return STAGE_START[stage] + width * done;
  };
  report(0);
  const ticker = setInterval(() => report(estimate()), tickMs);
  try {
    const result = await prover.prove(job, {
      ...(signal === undefined ? {} : { signal }),
      onProgress: (begun) => {
        stage = begun.stage;
        stageStartedAtMs = performance.now();
        report(STAGE_START[stage]);
      },
    });
    stage = "verify";
    report(100);
    await times.note({ ...kind, backend: result.backend }, performance.now() - startedAtMs);
    return result;
  } finally {
    clearInterval(ticker);
  }
}
