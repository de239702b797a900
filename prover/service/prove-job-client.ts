/** The operator's routes of the sequencer (docs/api.md) that a prover calls. */
import { z } from "zod";
import { proverError } from "../prover-errors.ts";
import type { CircuitInputs, ProofResult, SignalValue } from "../proving/prover.ts";

export interface ProveJob {
  readonly batchNumber: number;
  /** Names one closing of the batch; a rebuilt one has another. */
  readonly batchHash: string;
  /** Name of the circuit, "batch-6-2". */
  readonly circuit: string;
  readonly inputs: CircuitInputs;
}

export interface ProveJobClient {
  /** The job of this prover: the same one again as long as it is wanted; null where there is none. */
  nextJob(signal?: AbortSignal): Promise<ProveJob | null>;
  /** @returns false where the sequencer has no use for it: the batch was rebuilt, or is final */
  submitProof(job: ProveJob, result: ProofResult): Promise<boolean>;
}

export interface ProveJobClientOptions {
  readonly sequencerUrl: string;
  readonly operatorToken: string;
  /** Tells provers apart: each gets a job of its own. */
  readonly proverName: string;
  readonly timeoutMs?: number;
}

const jobSchema = z.object({
  batchNumber: z.int().positive(),
  batchHash: z.string().min(1),
  circuit: z.string().min(1),
  inputs: z.record(z.string(), z.unknown()),
});

const USELESS_STATUSES = [404, 409];

/**
 * @throws PRV_SEQUENCER_UNREACHABLE, PRV_SEQUENCER_REFUSED, PRV_CONFIG_INVALID (the token) from every method;
 * PRV_PROOF_INVALID from submitProof
 */
export function createProveJobClient(options: ProveJobClientOptions): ProveJobClient {
  const request = async (
    method: "GET" | "POST",
    path: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<{ status: number; text: string }> => {
    const url = new URL(path, options.sequencerUrl);
    const timeout = AbortSignal.timeout(options.timeoutMs ?? 30_000);
    try {
      const response = await fetch(url, {
        method,
        headers: {
          authorization: `Bearer ${options.operatorToken}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body, bigintsToText) }),
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      throw proverError("PRV_SEQUENCER_UNREACHABLE", `the sequencer at ${url.origin} does not answer`, {
        data: { method, path },
        cause,
      });
    }
  };
  const refused = (method: string, path: string, { status, text }: { status: number; text: string }) => {
    if (status === 401) {
      return proverError("PRV_CONFIG_INVALID", "the sequencer does not take OPERATOR_TOKEN", {
        data: { method, path },
      });
    }
    const isPassing = status >= 500 || status === 429;
    const code = isPassing ? "PRV_SEQUENCER_UNREACHABLE" : "PRV_SEQUENCER_REFUSED";
    return proverError(code, `${method} ${path} answered ${status}: ${text.slice(0, 500)}`, {
      data: { method, path, httpStatus: status },
    });
  };

  return {
    async nextJob(signal) {
      const path = `/operator/prove-jobs/next?prover=${encodeURIComponent(options.proverName)}`;
      const answer = await request("GET", path, undefined, signal);
      if (answer.status === 204) return null;
      if (answer.status !== 200) throw refused("GET", path, answer);
      let json: unknown;
      try {
        json = JSON.parse(answer.text);
      } catch (cause) {
        throw proverError("PRV_SEQUENCER_REFUSED", `${path} did not answer with JSON`, {
          data: { path },
          cause,
        });
      }
      const parsed = jobSchema.safeParse(json);
      if (!parsed.success) {
        throw proverError(
          "PRV_SEQUENCER_REFUSED",
          `${path} answers in another form than expected: ${z.prettifyError(parsed.error)}`,
          {
            data: { path },
          },
        );
      }
      return { ...parsed.data, inputs: toInputs(parsed.data.inputs) };
    },

    async submitProof(job, result) {
      const path = `/operator/batches/${job.batchNumber}/proof`;
      const { backend, proof, publicSignals, timings } = result;
      const answer = await request("POST", path, {
        batchHash: job.batchHash,
        proof,
        publicSignals,
        timings,
        backend,
      });
      if (answer.status >= 200 && answer.status < 300) return true;
      if (USELESS_STATUSES.includes(answer.status)) return false;
      if (answer.status === 422) {
        throw proverError(
          "PRV_PROOF_INVALID",
          `the sequencer finds the proof of batch ${job.batchNumber} wrong: ${answer.text.slice(0, 500)}`,
          {
            data: { batchNumber: job.batchNumber, batchHash: job.batchHash },
          },
        );
      }
      throw refused("POST", path, answer);
    },
  };
}

const bigintsToText = (_key: string, value: unknown) =>
  typeof value === "bigint" ? value.toString() : value;

/** Signals as the sequencer writes them (0x-hex or decimal text, or small numbers), nested as the circuit's are. */
function toInputs(inputs: Record<string, unknown>): CircuitInputs {
  const toSignal = (value: unknown): SignalValue => {
    if (Array.isArray(value)) return value.map(toSignal);
    if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
    if (typeof value === "string" && /^(0x[0-9a-f]+|\d+)$/i.test(value)) return BigInt(value);
    throw proverError(
      "PRV_SEQUENCER_REFUSED",
      `an input signal is ${JSON.stringify(value)?.slice(0, 80)}, not a number`,
    );
  };
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, toSignal(value)]));
}
