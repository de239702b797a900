/** The operator's routes of the sequencer (docs/reference/api.md) that a prover calls. */

import { type proofBody, proveJobAnswer } from "@openledger/circuits/wire/operator-api";
import { proofJson } from "@openledger/circuits/wire/wire-fields";
import { hex32 } from "@openledger/foundation/hex";
import {
  askSequencer,
  type SequencerEndpoint,
  type SequencerFailure,
} from "@openledger/foundation/wire/sequencer-request";
import { z } from "zod";
import { proverError } from "../prover-errors.ts";
import type { CircuitInputs, ProofResult, SignalValue } from "../proving/prover.ts";

export interface ProveJob {
  readonly batchNumber: number;
  /** Names one closing of the batch; a rebuilt one has another. */
  readonly batchHash: string;
  /** Name of the circuit, "table-4-2-2-8-2-2-1". */
  readonly circuit: string;
  readonly inputs: CircuitInputs;
}

export interface ProveJobClient {
  /** The job of this prover: the same one again as long as it is wanted; null where there is none. */
  nextJob(signal?: AbortSignal): Promise<ProveJob | null>;
  /** @returns false where the sequencer has no use for it: the batch was rebuilt, or is final */
  submitProof(job: ProveJob, result: ProofResult): Promise<boolean>;
  /** Says that this prover failed at the job; absent where a lease that runs out says it. */
  giveUp?(job: ProveJob, error: Error): Promise<void>;
  /** Gives back what this prover holds. */
  close?(): Promise<void>;
}

interface ProveJobClientOptions extends SequencerEndpoint {
  /** The provers' token, or the operator's. */
  readonly operatorToken: string;
  /** Tells provers apart: each gets a job of its own. */
  readonly proverName: string;
}

const USELESS_STATUSES = [404, 409];

/**
 * @throws SRV_SEQUENCER_UNREACHABLE, SRV_SEQUENCER_REFUSED, SRV_CONFIG_INVALID (the token) from every method;
 * PRV_PROOF_INVALID from submitProof
 */
export function createProveJobClient(options: ProveJobClientOptions): ProveJobClient {
  return {
    async nextJob(signal) {
      const path = `/operator/prove-jobs/next?prover=${encodeURIComponent(options.proverName)}`;
      // No body where there is no job.
      const { failure, value } = await askSequencer(options, { path, signal }, proveJobAnswer.nullable());
      if (failure !== null) throw toError(failure);
      return value === null ? null : { ...value, inputs: toInputs(value.inputs) };
    },

    async submitProof({ batchHash, batchNumber }, { backend, proof, publicSignals, timings }) {
      const body = {
        ...{ batchHash, timings, backend },
        proof: proofJson(proof),
        publicSignals: publicSignals.map(hex32),
      } satisfies z.input<typeof proofBody>;
      return postProof(options, batchNumber, body);
    },
  };
}

/**
 * @returns false where the sequencer has no use for it: the batch was rebuilt, or is final
 * @throws PRV_PROOF_INVALID, SRV_SEQUENCER_UNREACHABLE, SRV_SEQUENCER_REFUSED, SRV_CONFIG_INVALID
 */
export async function postProof(
  endpoint: SequencerEndpoint,
  batchNumber: number,
  body: z.input<typeof proofBody>,
): Promise<boolean> {
  const path = `/operator/batches/${batchNumber}/proof`;
  const { failure } = await askSequencer(endpoint, { path, body }, z.unknown());
  if (failure === null) return true;
  if (USELESS_STATUSES.includes(failure.status ?? 0)) return false;
  // 4xx that another try would get again: whatever it is, it is this hand-in's fault.
  if (failure.kind !== "refused") throw toError(failure);
  throw proverError(
    "PRV_PROOF_INVALID",
    `the sequencer refuses the proof of batch ${batchNumber}: ${failure.reason}`,
    { data: { batchNumber, batchHash: body.batchHash } },
  );
}

/** A failed request to the sequencer, as an error of a prover. */
export function toError({ cause, kind, method, path, reason, status }: SequencerFailure) {
  const data = { method, path, ...(status === null ? {} : { httpStatus: status }) };
  if (kind === "unauthorized")
    return proverError("SRV_CONFIG_INVALID", "the sequencer does not take PROVER_TOKEN", { data });
  const isPassing = kind === "unreachable" || kind === "aborted" || kind === "passing";
  return proverError(isPassing ? "SRV_SEQUENCER_UNREACHABLE" : "SRV_SEQUENCER_REFUSED", reason, {
    data,
    cause,
  });
}

/** Signals as the sequencer writes them (0x-hex or decimal text, or small numbers), nested as the circuit's are. */
export function toInputs(inputs: Record<string, unknown>): CircuitInputs {
  const toSignal = (value: unknown): SignalValue => {
    if (Array.isArray(value)) return value.map(toSignal);
    if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
    if (typeof value === "string" && /^(0x[0-9a-f]+|\d+)$/i.test(value)) return BigInt(value);
    throw proverError(
      "SRV_SEQUENCER_REFUSED",
      `an input signal is ${JSON.stringify(value)?.slice(0, 80)}, not a number`,
    );
  };
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, toSignal(value)]));
}
